"""The evaluation rows as numbers: what each says, and tables that lead from the words of a text to the rows near it.

A row costs about 4 bytes a word and 12 bytes a key, of which it has some 40 however long it is: of its n-grams only
those with the lowest hashes are kept, and a text that holds them all is compared word by word.
"""

import functools
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nemo_sdg.records import EvaluationRow
from nemo_sdg.seeds.content.texts import Ids, Text, key, weight, words
from nemo_sdg.text.normalize import Hashes

SKETCH = 16
"""n-grams kept of each text of a row"""
MIN_SHARE, FEW = 0.25, 4
"""of a row's n-grams that a text must hold; where they are few, one will do"""
SHORT = 9
"""words up to which a text is also found by all its words but one"""
MIN_WORDS = 3
"""of a string that counts in a row that its task does not render: shorter ones are numbers and labels"""
LONG_OTHER = 5
"""words of a string beside what is asked that can be a witness"""
COMMON = 16
"""rows with one answer or one other string, above which it says little: yes, 2, B"""
MAX_ROWS = 64
"""rows behind a key, above which it leads nowhere: a phrase, a label"""
MAX_CONTENTS = 2
"""different rows that ask one question, above which it is a phrase; questions with one set of options, above which
those are labels
"""


@dataclass(kw_only=True, slots=True)
class Row:
    """One evaluation row, as far as it is compared."""

    number: int
    views: list[list[Ids]]
    """ways to say what is asked, each a list of texts that must all be found: rendered (question, passage?), and as the
    row's own strings
    """
    weights: list[int]
    """of each view"""
    is_rendered: bool
    """whether the first view is the rendered one"""
    has_passage: bool
    is_phrase: bool
    """whether more than MAX_CONTENTS other rows ask the same"""
    options: list[int]
    """keys; [] where they are labels"""
    answer: int
    """key; 0 where there is none"""
    is_label: bool
    """whether many rows have the answer"""
    others: set[int]
    """keys of the row's strings that are no part of what is asked and that few rows have: labelled options, a name"""
    long_others: set[int]
    """the long ones among them: a solution, a rationale"""
    strings: set[int]
    """keys of all strings of the row"""
    row_key: int
    """key of all of them together"""


class Table:
    """Keys that lead to rows; built by `add` in order of rows, then sorted."""

    def __init__(self) -> None:
        self._keys, self._rows = array("Q"), array("L")
        self._table: Any = None

    def add(self, keys: Iterable[int], row: int) -> None:
        before = len(self._keys)
        self._keys.extend(dict.fromkeys(keys))
        self._rows.extend([row] * (len(self._keys) - before))

    def freeze(self) -> None:
        keys = np.frombuffer(self._keys, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], np.frombuffer(self._rows, dtype=np.uint64)[order].astype(np.uint32)
        found, first, num = np.unique(keys, return_index=True, return_counts=True)
        kept = num <= MAX_ROWS
        self._table = found[kept], first[kept], num[kept], rows
        self._keys, self._rows = array("Q"), array("L")

    def sizes(self, num_rows: int) -> Any:
        """How many keys lead to each row."""
        _, first, num, rows = self._table
        offsets = np.arange(num.sum()) - np.repeat(np.cumsum(num) - num, num)
        return np.bincount(rows[np.repeat(first, num) + offsets], minlength=num_rows)

    def rows(self, keys: Hashes) -> Any:
        """The rows behind the keys, one after the other, with repetition."""
        found, first, num, rows = self._table
        if not len(found) or not len(keys):
            return rows[:0]
        at = np.minimum(np.searchsorted(found, keys), len(found) - 1)
        at = at[found[at] == keys]
        counts = num[at]
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows[np.repeat(first[at], counts) + offsets]


@dataclass(kw_only=True)
class EvaluationIndex:
    names: Table = field(default_factory=Table)
    """whole texts, short ones without a word, whole rows"""
    options: Table = field(default_factory=Table)
    grams: Table = field(default_factory=Table)

    def __post_init__(self) -> None:
        self._places: list[str] = []
        self._starts: list[int] = []
        self._numbers = array("L")
        self._ids = array("I")
        self._texts, self._views, self._rows = array("L", [0]), array("L", [0]), array("L", [0])
        """where the texts end in _ids, the views in _texts, the rows in _views"""
        self._weights, self._asked, self._contents, self._sets = array("L"), array("Q"), array("Q"), array("Q")
        self._passages, self._rendered = bytearray(), bytearray()
        self._options, self._option_ends, self._answers = array("Q"), array("L", [0]), array("Q")
        self._others, self._other_ends, self._other_sizes = array("Q"), array("L", [0]), bytearray()
        self._row_keys = array("Q")

    @classmethod
    def build(cls, rows: Iterable[EvaluationRow]) -> "EvaluationIndex":
        index = cls()
        for row in rows:
            index._add(row)
        index._freeze()
        return index

    @property
    def num_rows(self) -> int:
        return len(self._numbers)

    def place(self, number: int) -> str:
        return f"{self._places[bisect_right(self._starts, number) - 1]}, row {self._numbers[number]})"

    def _add(self, row: EvaluationRow) -> None:
        number = len(self._numbers)
        place = f"{row.task} ({row.dataset.path}, {row.dataset.name or 'default'}, {row.dataset.split}"
        if not self._places or self._places[-1] != place:
            self._places.append(place)
            self._starts.append(number)
        self._numbers.append(row.dataset.row)
        read = functools.lru_cache(maxsize=None)(words)
        question, passage = Text(read(row.question)), Text(read(row.passage or ""))
        options = sorted(key(*read(choice)) for choice in row.choices or [])
        answer = 0 if not row.answer else key(*read(row.answer))
        strings = [Text(found) for found in dict.fromkeys(tuple(read(text)) for text in row.texts) if found]
        is_rendered = bool(row.answer is not None or options or not strings)
        views = list(_views(question, passage, strings, is_rendered=is_rendered))
        asked = {text.key for view in views for text in view} | set(options)
        for text in strings:
            self._others.append(text.key)
            self._other_sizes.append(0 if text.key in asked else min(len(text), 255))
        self._other_ends.append(len(self._others))
        self._row_keys.append(row_key([read(text) for text in row.texts]))
        for view in views:
            for text in view:
                self._ids.frombytes(text.ids.tobytes())
                self._texts.append(len(self._ids))
            self._views.append(len(self._texts) - 1)
            self._weights.append(sum(weight(text.words) for text in view))
        self._rows.append(len(self._views) - 1)
        self._passages.append(len(passage) > 0)
        self._rendered.append(is_rendered)
        self._asked.append(key(*passage.words, "?", *question.words))
        self._contents.append(key(str(answer), *map(str, options)))
        self._sets.append(key(*map(str, options)) if options else 0)
        self._options.extend(options)
        self._option_ends.append(len(self._options))
        self._answers.append(answer)
        texts = list({text.key: text for view in views for text in view}.values())
        self.names.add(
            [
                *(text.key for text in texts),
                *(name for text in texts if 4 <= len(text) <= SHORT for name in text.shortened()),
                self._row_keys[-1],
            ],
            number,
        )
        sketch = {int(gram) for text in texts for gram in np.sort(text.grams())[:SKETCH]}
        self.grams.add(sorted(sketch), number)
        self.options.add(options, number)

    def _freeze(self) -> None:
        self._labels = _crowded(self._sets, self._asked)
        self._common_answers, self._common_others = _common(self._answers), _common(self._others)
        self._phrases = _crowded(self._asked, self._contents)
        for table in (self.names, self.options, self.grams):
            table.freeze()
        self._sizes = self.grams.sizes(len(self._numbers))

    def row(self, number: int) -> Row:
        views = []
        for view in range(self._rows[number], self._rows[number + 1]):
            texts = range(self._views[view], self._views[view + 1])
            views.append(
                [np.frombuffer(self._ids[self._texts[t] : self._texts[t + 1]], dtype=np.uint32) for t in texts]
            )
        is_labels = self._sets[number] == 0 or self._sets[number] in self._labels
        start, end = self._option_ends[number], self._option_ends[number + 1]
        others = range(self._other_ends[number], self._other_ends[number + 1])
        kept = [at for at in others if self._other_sizes[at] >= 2 and self._others[at] not in self._common_others]
        return Row(
            number=number,
            views=views,
            weights=list(self._weights[self._rows[number] : self._rows[number + 1]]),
            is_rendered=bool(self._rendered[number]),
            has_passage=bool(self._passages[number]),
            is_phrase=self._asked[number] in self._phrases,
            options=[] if is_labels else list(self._options[start:end]),
            answer=self._answers[number],
            is_label=self._answers[number] in self._common_answers,
            others={self._others[at] for at in kept},
            long_others={self._others[at] for at in kept if self._other_sizes[at] >= LONG_OTHER},
            strings=set(self._others[self._other_ends[number] : self._other_ends[number + 1]]),
            row_key=self._row_keys[number],
        )

    def near(self, names: Hashes, options: Hashes, grams: Hashes) -> list[int]:
        """Numbers of the rows that a text may repeat, the likeliest first."""
        found: dict[int, float] = {}
        for number in self.names.rows(names).tolist():
            found[number] = 1.0
        numbers, counts = np.unique(self.options.rows(options), return_counts=True)
        for number in numbers[counts >= 2].tolist():
            found[number] = found.get(number, 0.0) + 2.0
        numbers, counts = np.unique(self.grams.rows(grams), return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            size = int(self._sizes[number])
            share = count / size
            if number in found or (share >= MIN_SHARE and (count >= 2 or size <= FEW)):
                found[number] = found.get(number, 0.0) + share
        return sorted(found, key=lambda number: (-found[number], number))


def row_key(texts: Iterable[Sequence[str]]) -> int:
    """The key of a whole row, whatever its columns are called and in whichever order they stand."""
    found = sorted(" ".join(text) for text in texts)
    return key("row", *found) if found else 0


def _views(question: Text, passage: Text, strings: list[Text], *, is_rendered: bool) -> Iterator[list[Text]]:
    """Rendered, and as the row's own strings, as far as they stand in what is rendered."""
    rendered = [text for text in (question, passage) if len(text)]
    if rendered and is_rendered:
        yield rendered
    asked = [text.ids.tobytes() for text in rendered]
    own = [text for text in strings if any(text.ids.tobytes() in whole for whole in asked)]
    if not is_rendered:
        own = [text for text in own if len(text) >= MIN_WORDS] or own
    own = [text for text in own if not any(text is not other and _holds(other, text) for other in own)]
    if own and {text.key for text in own} != {text.key for text in rendered} and sum(map(len, own)) >= 3:
        yield own


def _holds(whole: Text, part: Text) -> bool:
    return len(part) < len(whole) and part.ids.tobytes() in whole.ids.tobytes()


def _common(keys: "array[int]") -> frozenset[int]:
    found, num = np.unique(np.frombuffer(keys, dtype=np.uint64), return_counts=True)
    return frozenset(found[num > COMMON].tolist())


def _crowded(keys: "array[int]", contents: "array[int]") -> frozenset[int]:
    """The keys behind which more than MAX_CONTENTS different contents stand."""
    whole, parts = np.frombuffer(keys, dtype=np.uint64), np.frombuffer(contents, dtype=np.uint64)
    pairs = np.unique(np.stack([whole, parts], axis=1), axis=0) if len(whole) else np.empty((0, 2), dtype=np.uint64)
    found, num = np.unique(pairs[:, 0], return_counts=True)
    return frozenset(found[num > MAX_CONTENTS].tolist())
