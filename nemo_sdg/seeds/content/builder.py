"""Evaluation rows become the arrays of an index: what each says as numbers, and tables of keys that lead to rows.

    builder = IndexBuilder()
    for row in evaluation_rows:
        builder.add(row)
    index = EvaluationIndex(*builder.finish())

A row costs about 4 bytes a word and 12 bytes a key, of which it has some 40 however long it is: of its n-grams only
those with the lowest hashes are kept, and a text that holds them all is compared word by word.
"""

import functools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from nemo_sdg.records import EvaluationRow
from nemo_sdg.seeds.content.texts import Text, key, weight, words

SKETCH = 16
"""n-grams kept of each text of a row"""
SHORT = 9
"""words up to which a text is also found by all its words but one"""
MIN_WORDS = 3
"""of a string that counts in a row that its task does not render: shorter ones are numbers and labels"""
MIN_PART = 2
"""words of a string that stands for a part of what is asked: a single one is a number, a label or a name"""
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
HAS_PASSAGE, IS_RENDERED, IS_PHRASE, HAS_LABELS, IS_LABEL = 1, 2, 4, 8, 16
"""flags of a row; HAS_LABELS: its options are none or labels; IS_LABEL: many rows have its answer"""
NO_WITNESS, WITNESS, LONG_WITNESS = 0, 1, 2
"""what a string of a row is beside what is asked"""

Arrays = dict[str, Any]


class _Keys:
    """Keys that lead to rows, collected in the order of rows."""

    def __init__(self) -> None:
        self._keys, self._rows = array("Q"), array("I")

    def add(self, keys: Iterable[int], row: int) -> None:
        before = len(self._keys)
        self._keys.extend(dict.fromkeys(keys))
        self._rows.extend([row] * (len(self._keys) - before))

    def finish(self, name: str) -> Arrays:
        """Sorted; keys behind which more than MAX_ROWS rows stand are left out."""
        keys = np.frombuffer(self._keys, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], np.frombuffer(self._rows, dtype=np.uint32)[order]
        found, first, num = np.unique(keys, return_index=True, return_counts=True)
        kept = num <= MAX_ROWS
        first, num = first[kept], num[kept]
        at = np.arange(num.sum()) - np.repeat(np.cumsum(num) - num, num) + np.repeat(first, num)
        starts = np.concatenate([[0], np.cumsum(num)]).astype(np.uint32)
        return {f"{name}_keys": found[kept], f"{name}_starts": starts, f"{name}_rows": rows[at]}


class IndexBuilder:
    def __init__(self) -> None:
        self._names, self._options_to, self._grams = _Keys(), _Keys(), _Keys()
        self.places: list[str] = []
        """of the splits, in order"""
        self._starts, self._numbers = array("I"), array("I")
        self._ids = array("I")
        self._text_ends, self._view_ends, self._row_ends = array("Q", [0]), array("I", [0]), array("I", [0])
        """where the texts end in _ids, the views among the texts, the rows among the views"""
        self._weights, self._flags = array("I"), array("B")
        self._asked, self._contents, self._sets = array("Q"), array("Q"), array("Q")
        self._options, self._option_ends, self._answers = array("Q"), array("I", [0]), array("Q")
        self._others, self._other_ends, self._other_sizes = array("Q"), array("I", [0]), array("B")
        self._row_keys = array("Q")

    def add(self, row: EvaluationRow) -> None:
        number = len(self._numbers)
        place = f"{row.task} ({row.dataset.path}, {row.dataset.name or 'default'}, {row.dataset.split}"
        if not self.places or self.places[-1] != place:
            self.places.append(place)
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
                self._text_ends.append(len(self._ids))
            self._view_ends.append(len(self._text_ends) - 1)
            self._weights.append(sum(weight(text.words) for text in view))
        self._row_ends.append(len(self._view_ends) - 1)
        self._flags.append((HAS_PASSAGE if len(passage) else 0) | (IS_RENDERED if is_rendered else 0))
        self._asked.append(key(*passage.words, "?", *question.words))
        self._contents.append(key(str(answer), *map(str, options)))
        self._sets.append(key(*map(str, options)) if options else 0)
        self._options.extend(options)
        self._option_ends.append(len(self._options))
        self._answers.append(answer)
        texts = list({text.key: text for view in views for text in view}.values())
        short = [name for text in texts if 4 <= len(text) <= SHORT for name in text.shortened()]
        self._names.add([*(text.key for text in texts), *short, self._row_keys[-1]], number)
        self._grams.add(sorted({int(gram) for text in texts for gram in np.sort(text.grams())[:SKETCH]}), number)
        self._options_to.add(options, number)

    def finish(self) -> tuple[Arrays, list[str]]:
        """The arrays of an EvaluationIndex, and the places of its splits."""
        flags = np.array(self._flags, dtype=np.uint8)
        sets, asked, answers = (np.array(found, dtype=np.uint64) for found in (self._sets, self._asked, self._answers))
        flags[_crowded(asked, np.array(self._contents, dtype=np.uint64))] |= IS_PHRASE
        flags[(sets == 0) | _crowded(sets, asked)] |= HAS_LABELS
        flags[_counts(answers) > COMMON] |= IS_LABEL
        others = np.array(self._others, dtype=np.uint64)
        sizes = np.array(self._other_sizes, dtype=np.uint8)
        witness = np.where((sizes >= 2) & (_counts(others) <= COMMON), WITNESS, NO_WITNESS).astype(np.uint8)
        witness[(witness == WITNESS) & (sizes >= LONG_OTHER)] = LONG_WITNESS
        arrays = {
            "starts": np.array(self._starts, dtype=np.uint32),
            "numbers": np.array(self._numbers, dtype=np.uint32),
            "ids": np.array(self._ids, dtype=np.uint32),
            "text_ends": np.array(self._text_ends, dtype=np.uint64),
            "view_ends": np.array(self._view_ends, dtype=np.uint32),
            "row_ends": np.array(self._row_ends, dtype=np.uint32),
            "weights": np.array(self._weights, dtype=np.uint32),
            "flags": flags,
            "options": np.array(self._options, dtype=np.uint64),
            "option_ends": np.array(self._option_ends, dtype=np.uint32),
            "answers": answers,
            "others": others,
            "other_ends": np.array(self._other_ends, dtype=np.uint32),
            "witness": witness,
            "row_keys": np.array(self._row_keys, dtype=np.uint64),
            **self._names.finish("names"),
            **self._options_to.finish("options_to"),
            **self._grams.finish("grams"),
        }
        arrays["sizes"] = np.bincount(arrays["grams_rows"], minlength=len(flags)).astype(np.uint32)
        return arrays, self.places


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
    own = [text for text in own if len(text) >= (MIN_PART if is_rendered else MIN_WORDS)] or own
    own = [text for text in own if not any(text is not other and _holds(other, text) for other in own)]
    if own and {text.key for text in own} != {text.key for text in rendered} and sum(map(len, own)) >= 3:
        yield own


def _holds(whole: Text, part: Text) -> bool:
    return len(part) < len(whole) and part.ids.tobytes() in whole.ids.tobytes()


def _counts(keys: Any) -> Any:
    """For each key, how often it is there."""
    _, inverse, num = np.unique(keys, return_inverse=True, return_counts=True)
    return num[inverse]


def _crowded(keys: Any, contents: Any) -> Any:
    """For each key, whether more than MAX_CONTENTS different contents stand behind it."""
    if not len(keys):
        return np.zeros(0, dtype=bool)
    pairs = np.unique(np.stack([keys, contents], axis=1), axis=0)
    found, num = np.unique(pairs[:, 0], return_counts=True)
    return num[np.searchsorted(found, keys)] > MAX_CONTENTS
