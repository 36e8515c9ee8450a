"""Ring 3: training rows that stand in an evaluation split.

    guard = ContentGuard(evaluation_rows)
    guard.match(seed, leaves(row))       "question of mbpp (google-research-datasets/mbpp, full, test, row 17)", or None

A training row is compared by all its strings, in whichever column they stand, and by the seed that was made of it. It
is a leak when it holds everything that an evaluation row asks (question and passage, or the strings that they are made
of):
- word for word, if that is too long to be a common phrase, or if the answer or the options are the same too, or if it
  is all that both ask, with options, and no more than two evaluation rows ask it;
- with words dropped, added or changed, if the answer or the options are the same, or if it is long and the answers do
  not differ; of several short strings one may be changed, if the others and the answer are the same.
A question that more than two different evaluation rows ask ("Which of the following is true?") is a leak only with its
options. Another number, formula or sign makes another question. A passage alone is not a leak, because the question is
what must not be trained on. So the stem "thermometers" alone is not a leak; with the same four options it is.
"""

import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nemo_sdg.records import EvaluationRow, Seed
from nemo_sdg.seeds.content.align import MIN_COMMON, Found, Stream
from nemo_sdg.seeds.content.builder import SHORT, row_key
from nemo_sdg.seeds.content.index import EvaluationIndex, Row
from nemo_sdg.seeds.content.texts import Ids, Text, key, words
from nemo_sdg.text.normalize import Hashes

MIN_QUESTION = 40
"""weight from which a question stands for itself, about eight English words"""
MIN_WITH_ANSWER = 20
"""weight from which a question within a longer text does together with its answer, and one that is asked in the same
words does without: of 23,975 honest rows, two are lost by it, which both ask what an evaluation row asks
"""
LONG = 13
"""words from which a question with a few words changed stands for itself, where the answers do not differ; twice as
many where they do
"""
MIN_SHORT = 6
"""words of a text from which words may be missing where nothing else speaks for it"""
MIN_ALONE = 4
"""words of a whole question that stands for itself with its answer, where its passage is left out"""
MIN_OPTIONS = 3
"""options from which all of them, the answer and most words of a question are not a coincidence"""
MAX_CANDIDATES = 48
MAX_STRINGS = 400
"""of a row; the longest are compared one by one, and all of them joined"""


class _Said:
    """The content of one training row."""

    def __init__(self, seed: Seed, texts: list[str]) -> None:
        read = functools.lru_cache(maxsize=None)(words)
        answers = [seed.answer.text, *seed.answer.aliases]
        own = [seed.question, seed.passage or "", *(seed.choices or []), *answers]
        columns = [tuple(read(text)) for text in texts]
        found: dict[tuple[str, ...], Text] = {}
        for text in [*columns, *(tuple(read(text)) for text in own)]:
            if text and text not in found:
                found[text] = Text(text)
        held = {text for text in columns if text}
        self.joined = Text.joined([found[text] for text in columns if text])
        self.texts = list(found.values())
        self.rendered = [text for said, text in found.items() if said not in held]
        """what stands in the seed and in no column: its columns' n-grams are those of all of them joined"""
        if len(self.texts) > MAX_STRINGS:
            self.texts = sorted(self.texts, key=len, reverse=True)[:MAX_STRINGS]
        self.keys = {text.key for text in self.texts}
        self.answers = {key(*read(answer)) for answer in answers}
        self.has_passage = bool(seed.passage)
        self.num_options = len(seed.choices or [])
        self.row_key = row_key(columns)
        self.asked = found[tuple(read(seed.question))].ids if read(seed.question) else self.joined.ids[:0]

    @functools.cached_property
    def streams(self) -> list[Stream]:
        """All strings, and all columns joined, the shortest first."""
        found = {text.ids.tobytes(): Stream(text.ids) for text in [*self.texts, self.joined] if len(text)}
        return sorted(found.values(), key=lambda stream: len(stream.ids))

    @functools.cached_property
    def all(self) -> Stream:
        return Stream(np.concatenate([stream.ids for stream in self.streams]))

    def names(self) -> Hashes:
        shortened = [name for text in self.texts if 3 <= len(text) <= SHORT + 1 for name in text.shortened()]
        return np.array(sorted({*self.keys, *shortened, self.row_key}), dtype=np.uint64)

    def grams(self) -> Hashes:
        found: Hashes = np.unique(np.concatenate([text.grams() for text in [self.joined, *self.rendered]]))
        return found

    def find(self, part: Ids) -> Found:
        """How a text stands in the row: the best over its strings and all of them joined."""
        if self.all.share(part) < MIN_COMMON:
            return Found.no
        best = Found.no
        for stream in self.streams:
            if len(stream.ids) >= MIN_COMMON * len(part) and (best < Found.inside or len(stream.ids) == len(part)):
                best = max(best, stream.find(part))
        return best


class ContentGuard:
    """Compares training rows with all evaluation rows that could be read."""

    def __init__(self, rows: Iterable[EvaluationRow] = (), *, index: EvaluationIndex | None = None) -> None:
        self._index = EvaluationIndex.build(rows) if index is None else index

    @classmethod
    def open(cls, folder: Path) -> "ContentGuard":
        """Over an index that was saved: its pages are shared by all processes of a machine. Raises DataError where it
        is damaged.
        """
        return cls(index=EvaluationIndex.open(folder))

    @property
    def num_rows(self) -> int:
        return self._index.num_rows

    def match(self, seed: Seed, texts: Iterable[str] = ()) -> str | None:
        """Which part of a seed stands in which evaluation row, or None; `texts` are the strings of its row."""
        if not self.num_rows:
            return None
        said = _Said(seed, list(texts))
        keys: Hashes = np.array(sorted(said.keys), dtype=np.uint64)
        candidates = self._index.near(said.names(), keys, said.grams())
        if candidates:
            candidates = self._index.holding(candidates, said.all.words, keys, MIN_COMMON)
        for number in candidates[:MAX_CANDIDATES]:
            part = _leak(said, self._index.row(number))
            if part is not None:
                return f"{part} of {self._index.place(number)}"
        return None


def _leak(said: _Said, row: Row) -> str | None:
    """The part of an evaluation row that the training row repeats, if that makes it a leak."""
    num_shared, num_others = len(said.keys & set(row.options)), len(said.keys & row.others)
    same_options = num_shared >= max(2, len(row.options) - 1)
    if row.options and num_others >= 2 and 2 * num_others > len(row.others):
        same_options = True  # the row's own strings are the options, with labels or otherwise
    if row.row_key and (row.row_key == said.row_key or (len(row.strings) > 1 and row.strings <= said.keys)):
        return "row"
    same_others = 2 * num_others > len(row.others) or not said.keys.isdisjoint(row.long_others)
    same_answer = same_others or row.answer in said.answers
    if not row.is_label and said.num_options == 0:
        same_answer = same_answer or row.answer in said.keys
    other_answer = bool(row.answer or row.others) and not same_answer
    is_sure = same_others or same_options or (same_answer and not row.is_label)
    other_options = bool(row.options) and said.num_options > 0 and not same_options
    witness = "options" if same_options else "answer"
    for number, (view, weight) in enumerate(zip(row.views, row.weights, strict=True)):
        is_own = number > 0 or not row.is_rendered
        what = "row" if is_own else "passage and question" if row.has_passage else "question"
        is_phrase = row.is_phrase and not is_own
        found = []
        for part in view:
            found.append(said.find(part))
            if found[-1] == Found.no:
                break
        if row.has_passage and not is_own and len(found) == 2 and found[1] == Found.no and not said.has_passage:
            found, what = found[:1], "question"
            if found[0] == Found.whole and len(view[0]) >= MIN_ALONE and same_answer and not row.is_label:
                return "question and answer"
            if found[0] < Found.inside or len(view[0]) < LONG:
                continue
        worst, length = min(found), sum(len(part) for part, _ in zip(view, found, strict=False))
        if worst == Found.no:
            continue
        if worst >= Found.inside:
            if same_options:
                return f"{what} and options"
            is_whole = worst == Found.whole or not other_answer or length >= 2 * LONG
            asks_the_same = worst == Found.whole and view[0].tobytes() == said.asked.tobytes() and other_options
            if is_whole and not is_phrase and weight >= (MIN_WITH_ANSWER if asks_the_same else MIN_QUESTION):
                return what
            if (weight >= MIN_WITH_ANSWER or worst == Found.whole) and same_answer and not is_phrase:
                return f"{what} and answer"
            continue
        short = min(len(part) for part, how in zip(view, found, strict=False) if how < Found.inside)
        verbatim = sum(len(part) for part, how in zip(view, found, strict=False) if how >= Found.inside)
        is_long = length >= LONG and not is_phrase and not other_options
        if other_answer:
            if is_long and worst == Found.gaps and short >= 2 * LONG:
                return f"{what} with a few words changed"
        elif same_options or (is_sure and length >= MIN_SHORT):
            return f"{what} and {witness} with a few words changed"
        elif (is_own and same_answer and short >= MIN_SHORT and MIN_SHORT <= verbatim <= 2 * LONG) or (
            worst == Found.gaps and same_answer and len(view) > 1 and length >= 2 * short
        ):
            return f"{what} and answer with a few words changed"
        elif is_long and short >= (LONG if worst == Found.changed else MIN_SHORT):
            return f"{what} with a few words changed"
    has_all_options = num_shared == len(row.options) >= MIN_OPTIONS and same_answer and row.is_rendered
    if has_all_options and said.all.share(row.views[0][0]) >= MIN_COMMON:
        return "question and options in another order of words"
    return None
