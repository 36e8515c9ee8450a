"""An index of evaluation rows: the words of each row as numbers, and tables from the words of a text to similar rows.

    index = EvaluationIndex.build(evaluation_rows)       in memory
    index.save(folder)
    index = EvaluationIndex.open(folder)                 memory-mapped: the workers of a machine share its pages

builder.py says what the arrays hold.
"""

import functools
import itertools
import json
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from nemo_sdg.errors import DataError
from nemo_sdg.records import EvaluationRow
from nemo_sdg.seeds.content.builder import (
    HAS_LABELS,
    HAS_PASSAGE,
    IS_LABEL,
    IS_PHRASE,
    IS_RENDERED,
    LONG_WITNESS,
    NO_WITNESS,
    Arrays,
    IndexBuilder,
)
from nemo_sdg.seeds.content.texts import Ids
from nemo_sdg.storage import read_json, write_json
from nemo_sdg.text.normalize import Hashes

MIN_SHARE, FEW = 0.25, 4
"""of a row's n-grams that a text must hold; where they are few, one will do"""
EMPTY = 128
"""bytes of the file of an array without items, which cannot be mapped"""
META = "meta.json"
"""written last: with it an index is whole"""


class Row:
    """One evaluation row, as far as it is compared."""

    def __init__(self, arrays: Arrays, number: int) -> None:
        self._arrays, self.number = arrays, number
        flags = int(arrays["flags"][number])
        self.is_rendered = bool(flags & IS_RENDERED)
        """whether the first view is the rendered one"""
        self.has_passage = bool(flags & HAS_PASSAGE)
        self.is_phrase = bool(flags & IS_PHRASE)
        """whether more than MAX_CONTENTS other rows ask the same"""
        self.is_label = bool(flags & IS_LABEL)
        """whether many rows have the answer"""
        self.answer = int(arrays["answers"][number])
        """key; 0 where there is none"""
        self.row_key = int(arrays["row_keys"][number])
        """key of all strings together"""
        start, end = arrays["option_ends"][number : number + 2].tolist()
        self.options: list[int] = [] if flags & HAS_LABELS else arrays["options"][start:end].tolist()
        """keys; [] where they are labels"""
        start, end = arrays["other_ends"][number : number + 2].tolist()
        keys, witness = arrays["others"][start:end].tolist(), arrays["witness"][start:end].tolist()
        self.strings = frozenset(keys)
        """keys of all strings of the row"""
        self.others = {one for one, kind in zip(keys, witness, strict=True) if kind != NO_WITNESS}
        """keys of its strings that are no part of what is asked and that few rows have: labelled options, a name"""
        self.long_others = {one for one, kind in zip(keys, witness, strict=True) if kind == LONG_WITNESS}
        """the long ones among them: a solution, a rationale"""

    @functools.cached_property
    def views(self) -> list[list[Ids]]:
        """Ways to say what is asked, each a list of texts that must all be found: rendered (question, passage?), and as
        the row's own strings.
        """
        arrays, found = self._arrays, []
        start, end = arrays["row_ends"][self.number : self.number + 2].tolist()
        for view in range(start, end):
            first, last = arrays["view_ends"][view : view + 2].tolist()
            ends = arrays["text_ends"][first : last + 1].tolist()
            found.append([np.asarray(arrays["ids"][a:b]) for a, b in itertools.pairwise(ends)])
        return found

    @property
    def weights(self) -> list[int]:
        """Of each view."""
        start, end = self._arrays["row_ends"][self.number : self.number + 2].tolist()
        weights: list[int] = self._arrays["weights"][start:end].tolist()
        return weights


class EvaluationIndex:
    """The opened arrays. `places` are those of the splits, in order."""

    def __init__(self, arrays: Arrays, places: list[str]) -> None:
        self._arrays, self._places = arrays, places
        self._starts: list[int] = arrays["starts"].tolist()
        self.num_rows: int = len(arrays["numbers"])

    @classmethod
    def build(cls, rows: Iterable[EvaluationRow]) -> "EvaluationIndex":
        builder = IndexBuilder()
        for row in rows:
            builder.add(row)
        return cls(*builder.finish())

    def save(self, folder: Path) -> None:
        """Into a folder that nobody reads yet."""
        for name, found in self._arrays.items():
            np.save(folder / f"{name}.npy", found)
        sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.npy"))}
        write_json(folder / META, {"places": self._places, "files": sizes})

    @classmethod
    def open(cls, folder: Path) -> "EvaluationIndex":
        """Raises DataError where a file is missing or has another size than meta.json says."""
        try:
            meta: dict[str, Any] = read_json(folder / META)
            wrong = [name for name, size in meta["files"].items() if (folder / name).stat().st_size != size]
            if wrong:
                raise DataError(f"{folder / wrong[0]} has not the size that {META} says; remove {folder}")
            arrays = {}
            for name, size in meta["files"].items():
                mapped = np.load(folder / name, mmap_mode="r" if size > EMPTY else None)
                arrays[name.removesuffix(".npy")] = mapped.view(np.ndarray)  # numpy's own class costs 1 µs a look
        except (OSError, json.JSONDecodeError, KeyError, ValueError) as exc:
            raise DataError(f"the index of evaluation rows at {folder} cannot be read ({exc}); remove it") from exc
        return cls(arrays, meta["places"])

    def place(self, number: int) -> str:
        return f"{self._places[bisect_right(self._starts, number) - 1]}, row {self._arrays['numbers'][number]})"

    def row(self, number: int) -> Row:
        return Row(self._arrays, number)

    def near(self, names: Hashes, options: Hashes, grams: Hashes) -> list[int]:
        """Numbers of the rows that a text may repeat, the likeliest first.

        A row counts by the share of its n-grams that the text holds; a whole text in common counts as much as a third
        of them, options in common by their share. So a few numbers that stand in any column outweigh no sentence.
        """
        found: dict[int, float] = dict.fromkeys(self._rows_behind("names", names).tolist(), 1.0)
        numbers, counts = np.unique(self._rows_behind("options_to", options), return_counts=True)
        ends = self._arrays["option_ends"]
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            if count >= 2:
                num_options = int(ends[number + 1]) - int(ends[number])
                found[number] = found.get(number, 0.0) + 2.0 * count / num_options
        numbers, counts = np.unique(self._rows_behind("grams", grams), return_counts=True)
        sizes = self._arrays["sizes"][numbers]
        shares = counts / sizes
        is_near = (shares >= MIN_SHARE) & ((counts >= 2) | (sizes <= FEW))
        for number, share, near in zip(numbers.tolist(), shares.tolist(), is_near.tolist(), strict=True):
            if near or number in found:
                found[number] = found.get(number, 0.0) + 3.0 * share
        return sorted(found, key=lambda number: (-found[number], number))

    def holding(self, numbers: list[int], words: Ids, keys: Hashes, least: float) -> list[int]:
        """Those of the rows that a text with these words and whole strings (both sorted) may hold: all their strings,
        or at least this share of the words of a view's first part. All of them at once, since hundreds may be near.
        """
        rows = np.array(numbers, dtype=np.int64)
        best = self._shares_of_first_parts(rows, words)
        best[self._shares(rows, "other_ends", "others", keys) == 1.0] = 1.0
        return [number for number, share in zip(numbers, best.tolist(), strict=True) if share >= least]

    def _shares_of_first_parts(self, rows: Any, words: Ids) -> Any:
        """The largest over each row's views; 1.0 where it has none."""
        arrays = self._arrays
        first, last = arrays["row_ends"][rows], arrays["row_ends"][rows + 1]
        best = np.where(first == last, 1.0, 0.0)
        for offset in range(int((last - first).max())):
            has = np.flatnonzero(first + offset < last)
            texts = arrays["view_ends"][first[has] + offset]
            best[has] = np.maximum(best[has], self._shares(texts, "text_ends", "ids", words))
        return best

    def _shares(self, which: Any, ends: str, items: str, known: Any) -> Any:
        """How many of the items of each range are known, as a share; 0.0 for an empty range."""
        begin = self._arrays[ends][which].astype(np.int64)
        num = self._arrays[ends][which + 1].astype(np.int64) - begin
        shares, has = np.zeros(len(num)), np.flatnonzero(num)
        if not len(has) or not len(known):
            return shares
        begin, num = begin[has], num[has]
        starts = np.cumsum(num) - num
        found = self._arrays[items][np.repeat(begin - starts, num) + np.arange(num.sum())]
        at = np.minimum(np.searchsorted(known, found), len(known) - 1)
        shares[has] = np.add.reduceat((known[at] == found).astype(np.int64), starts) / num
        return shares

    def _rows_behind(self, table: str, keys: Hashes) -> Any:
        """The rows behind the keys, one after the other, with repetition. `keys` are sorted."""
        known, starts = self._arrays[f"{table}_keys"], self._arrays[f"{table}_starts"]
        rows = self._arrays[f"{table}_rows"]
        if not len(known) or not len(keys):
            return rows[:0]
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        at = at[known[at] == keys]
        first, num = starts[at].astype(np.int64), (starts[at + 1] - starts[at]).astype(np.int64)
        offsets = np.arange(num.sum()) - np.repeat(np.cumsum(num) - num, num)
        return rows[np.repeat(first, num) + offsets]
