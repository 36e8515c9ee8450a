"""Other methods to find evaluation rows in a corpus, for comparison. Each gives a sample a score, which is higher for a
likelier leak.

NgramRule     any common 13-gram (Brown et al., 2020)
FieldNgrams   5-grams weighted by rarity, separately for passage, question and answer, as described for AI2's decon
Embedding     cosine to the nearest evaluation row, of question with options and answer, by the index's embedder
Ours          1 for a copy, else the probability of the likeliest row after the closer look, by which it is decided
Suspects      the same before the closer look, by which rows are shown to a judge
"""

import math
import re
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.curate.decontaminate import closer
from nemo_sdg.curate.decontaminate.by_sense import whole_text
from nemo_sdg.curate.decontaminate.find import Index
from nemo_sdg.curate.decontaminate.questions import Item, read_item, told_answer
from nemo_sdg.curate.decontaminate.rewordings import BySense
from nemo_sdg.curate.embed import nearest

Row = dict[str, Any]
Scores = npt.NDArray[np.float64]
AT_ONCE = 256


def _words(text: Any) -> list[str]:
    return re.findall(r"\w+", str(text or "").lower())


def _ngrams(words: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[begin : begin + length]) for begin in range(max(1, len(words) - length + 1))] if words else []


class NgramRule:
    LENGTH = 13

    def __init__(self, evaluation: list[Row]) -> None:
        self.known = {
            gram
            for row in evaluation
            for gram in _ngrams(_words(row["question"]), self.LENGTH)
            if len(gram) == self.LENGTH
        }

    def scores(self, samples: list[Row]) -> Scores:
        return np.array(
            [float(not self.known.isdisjoint(_ngrams(_words(sample["question"]), self.LENGTH))) for sample in samples]
        )


class FieldNgrams:
    LENGTH = 5
    QUESTION, ANSWER, PASSAGE = 0.6, 0.25, 0.15
    """weight of each field, among the fields that the evaluation row has"""

    def __init__(self, evaluation: list[Row]) -> None:
        self.rows = [
            {name: Counter(_ngrams(_words(row.get(name)), self.LENGTH)) for name in ("question", "passage")}
            for row in evaluation
        ]
        self.answers = [set(_words(told_answer(row))) for row in evaluation]
        seen = Counter(gram for row in self.rows for gram in row["question"])
        self.rarity = {gram: math.log(1 + len(self.rows) / count) for gram, count in seen.items()}
        self.holders: dict[tuple[str, ...], list[int]] = {}
        for number, row in enumerate(self.rows):
            for gram in row["question"]:
                self.holders.setdefault(gram, []).append(number)

    def scores(self, samples: list[Row]) -> Scores:
        return np.array([self._score(sample) for sample in samples])

    def _score(self, sample: Row) -> float:
        asked = set(_ngrams(_words(sample["question"]), self.LENGTH))
        passage = set(_ngrams(_words(sample.get("passage")), self.LENGTH))
        told = {
            *_words(told_answer(sample)),
            *(word for choice in sample.get("choices") or [] for word in _words(choice)),
        }
        near = {
            number for gram in asked if len(self.holders.get(gram, ())) < 200 for number in self.holders.get(gram, ())
        }
        return max((self._likeness(number, asked, passage, told) for number in near), default=0.0)

    def _likeness(self, number: int, asked: set[Any], passage: set[Any], told: set[str]) -> float:
        row, answer = self.rows[number], self.answers[number]
        weight = sum(self.rarity[gram] for gram in row["question"])
        parts = [(self.QUESTION, sum(self.rarity[gram] for gram in row["question"] if gram in asked) / weight)]
        if answer:
            parts.append((self.ANSWER, len(answer & told) / len(answer)))
        if row["passage"]:
            parts.append((self.PASSAGE, len(row["passage"].keys() & passage) / len(row["passage"])))
        return sum(share * part for share, part in parts) / sum(share for share, _ in parts)


class Embedding:
    def __init__(self, index: Index) -> None:
        assert isinstance(index.rewordings, BySense)
        self.embedder, self.vectors = index.rewordings.embedder, index.rewordings.vectors

    def scores(self, samples: list[Row]) -> Scores:
        found = []
        for begin in range(0, len(samples), AT_ONCE):
            vectors = self.embedder.encode([whole_text(sample) for sample in samples[begin : begin + AT_ONCE]])
            for vector, near in zip(vectors, nearest(vectors, self.vectors, 1), strict=True):
                found.append(float(vector @ self.vectors[near[0]].astype(np.float32)))
        return np.array(found)


class Suspects:
    def __init__(self, index: Index) -> None:
        assert isinstance(index.rewordings, BySense)
        self.index, self.rewordings = index, index.rewordings

    def scores(self, samples: list[Row]) -> Scores:
        found = []
        for begin in range(0, len(samples), AT_ONCE):
            some = samples[begin : begin + AT_ONCE]
            items = [read_item(sample) for sample in some]
            copied = [self.index.copies.find(item) is not None for item in items]
            found += [1.0 if copy else chance for copy, chance in zip(copied, self.chances(some, items), strict=True)]
        return np.array(found)

    def chances(self, samples: list[Row], items: list[Item]) -> list[float]:
        """Of each sample, to repeat its likeliest row."""
        suspects = self.rewordings.suspects(samples, items)
        return [one.likely[0][0] if one.likely else 0.0 for one in suspects]


class Ours(Suspects):
    def chances(self, samples: list[Row], items: list[Item]) -> list[float]:
        best = [0.0] * len(samples)
        profiles = [self.index.rows.profile(item) for item in items]
        for pair, found in self.rewordings.looked_at_closer(samples, profiles):
            best[pair.place] = max(best[pair.place], closer.score(found))
        return best
