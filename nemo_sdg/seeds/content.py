"""Ring 3: training rows that stand in an evaluation split, found by normalised exact match; hashes only, 20 bytes a
key.

A seed is a leak when one of these is the same as an evaluation row's, after normalising (Unicode form, case,
punctuation, spaces):
- the question, if it is long enough to be nobody's phrase, and if at most two different evaluation rows ask it ("Which
of the following is
  true?" is a phrase); where both rows have a passage, passage and question together;
- question, passage and the set of options, of any length, unless the options are a fixed label set (yes/no), which
says nothing of the row;
- a shorter question together with its answer, where there are no options of its own.
So the stem "thermometers" alone is no leak, and with the same four options it is.
"""

import hashlib
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

from nemo_sdg.records import EvaluationRow, Seed

MIN_QUESTION = 40
"""weight from which a question stands for itself, about eight English words"""
MIN_WITH_ANSWER = 20
"""weight from which a question together with its answer does"""
MAX_CONTENTS = 2
"""different evaluation rows behind one question, above which it is a phrase; questions behind one set of options,
above which it is labels
"""

_TOKEN = re.compile(r"\w+|[+*/^=<>%]|-(?=\d)")
_WIDE = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def normalise(text: str) -> str:
    """Words and mathematical signs, casefolded, one space between: `A 5% rise (to $-3$)!` becomes `a 5 % rise to -
    3`.
    """
    return " ".join(_TOKEN.findall(unicodedata.normalize("NFKC", text).casefold()))


def weight(normalised: str) -> int:
    """Letters and digits of a normalised text; an ideograph, kana, Hangul or letter of an unspaced script counts as
    three.
    """
    return len(normalised.replace(" ", "")) + 2 * len(_WIDE.findall(normalised))


def _hash(*parts: str) -> int:
    return int.from_bytes(
        hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )


class _Keys:
    """64-bit keys, each with a row number and a hash of what else the row holds; `freeze` turns them into a sorted
    table.
    """

    def __init__(self) -> None:
        self._columns = array("Q"), array("Q"), array("Q")
        self._table: Any = None

    def add(self, key: int, row: int, content: int) -> None:
        for column, value in zip(self._columns, (key, row, content), strict=True):
            column.append(value)

    def crowded(self) -> Any:
        """The keys behind which more than MAX_CONTENTS different contents stand, sorted."""
        import numpy as np

        keys, _, contents = (np.frombuffer(column, dtype=np.uint64) for column in self._columns)
        order = np.lexsort((contents, keys))
        keys, contents = keys[order], contents[order]
        new = np.ones(len(keys), dtype=bool)
        new[1:] = (keys[1:] != keys[:-1]) | (contents[1:] != contents[:-1])
        found, num = np.unique(keys[new], return_counts=True)
        return found[num > MAX_CONTENTS]

    def freeze(self, *, without_keys: Any = None, with_contents: Any = None, without_contents: Any = None) -> None:
        """Keeps the first row of each key that passes the filters."""
        import numpy as np

        keys, rows, contents = (np.frombuffer(column, dtype=np.uint64) for column in self._columns)
        kept = np.ones(len(keys), dtype=bool)
        for values, listed, wanted in (
            (keys, without_keys, False),
            (contents, with_contents, True),
            (contents, without_contents, False),
        ):
            if listed is not None:
                kept &= np.isin(values, listed) == wanted
        keys, rows = keys[kept], rows[kept].astype(np.uint32)
        order = np.lexsort((rows, keys))
        found, first = np.unique(keys[order], return_index=True)
        self._table = found, rows[order][first]
        self._columns = array("Q"), array("Q"), array("Q")

    def get(self, key: int) -> int | None:
        keys, rows = self._table
        at = int(keys.searchsorted(keys.dtype.type(key)))
        return int(rows[at]) if at < len(keys) and int(keys[at]) == key else None


class ContentGuard:
    """Compares seeds with all evaluation rows that could be reached. `match` says `question of mbpp (…/mbpp, full,
    test, row 17)` or None.
    """

    def __init__(self, rows: Iterable[EvaluationRow]) -> None:
        import numpy as np

        self._places: list[str] = []
        self._starts: list[int] = []
        self._numbers = array("L")
        self._questions, self._passages, self._options, self._answers = _Keys(), _Keys(), _Keys(), _Keys()
        sets_of_options = _Keys()
        for number, row in enumerate(rows):
            self._remember(number, row)
            question, passage = normalise(row.question), normalise(row.passage or "")
            options = sorted(map(normalise, row.choices or []))
            set_of_options = _hash(*options) if options else 0
            content = _hash(passage, normalise(row.answer or ""), *options)
            if weight(question) >= MIN_QUESTION:
                self._questions.add(
                    _hash("question beside a passage" if passage else "question", question), number, content
                )
            if passage and weight(passage) + weight(question) >= MIN_QUESTION:
                self._passages.add(_hash(passage, question), number, content)
            if options:
                sets_of_options.add(set_of_options, number, _hash(passage, question))
                self._options.add(_hash(passage, question, *options), number, set_of_options)
            if row.answer and not passage and weight(question) >= MIN_WITH_ANSWER:
                self._answers.add(_hash(question, normalise(row.answer)), number, set_of_options)
        labels = sets_of_options.crowded()
        self._labels = {int(label) for label in labels}
        self._questions.freeze(without_keys=self._questions.crowded())
        self._passages.freeze()
        self._options.freeze(without_contents=labels)
        self._answers.freeze(with_contents=np.append(labels, np.uint64(0)))

    @property
    def num_rows(self) -> int:
        return len(self._numbers)

    def _remember(self, number: int, row: EvaluationRow) -> None:
        place = f"{row.task} ({row.dataset.path}, {row.dataset.name or 'default'}, {row.dataset.split}"
        if not self._places or self._places[-1] != place:
            self._places.append(place)
            self._starts.append(number)
        self._numbers.append(row.dataset.row)

    def match(self, seed: Seed) -> str | None:
        """Which part of the seed stands in which evaluation row, or None."""
        for part, number in self._matches(seed):
            if number is not None:
                return f"{part} of {self._places[bisect_right(self._starts, number) - 1]}, row {self._numbers[number]})"
        return None

    def _matches(self, seed: Seed) -> Iterator[tuple[str, int | None]]:
        question, passage = normalise(seed.question), normalise(seed.passage or "")
        options = sorted(map(normalise, seed.choices or []))
        if weight(question) >= MIN_QUESTION:
            yield "question", self._questions.get(_hash("question", question))
            if not passage:
                yield "question", self._questions.get(_hash("question beside a passage", question))
        if passage:
            yield "passage and question", self._passages.get(_hash(passage, question))
        if options and _hash(*options) not in self._labels:
            yield "question and options", self._options.get(_hash(passage, question, *options))
        elif not passage and weight(question) >= MIN_WITH_ANSWER:
            for answer in [seed.answer.text, *seed.answer.aliases]:
                yield "question and answer", self._answers.get(_hash(question, normalise(answer)))
