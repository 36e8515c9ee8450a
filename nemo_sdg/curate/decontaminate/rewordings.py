"""Finds evaluation rows that a sample asks in other words: ByWords without an embedder, BySense with one.

A sample and a row with different passages are never rewordings of each other.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.curate.decontaminate import by_sense, by_words, closer
from nemo_sdg.curate.decontaminate.by_words import ALIKE_PASSAGES, Profile, shared_passage
from nemo_sdg.curate.decontaminate.evaluation_rows import EvaluationRows
from nemo_sdg.curate.decontaminate.questions import Agreement, Item, agree
from nemo_sdg.curate.embed import Embedder, Vectors, nearest
from nemo_sdg.records import content_id

NEIGHBOURS = 4
"""evaluation rows that a sample may ask in other words: so many by shared words, and as many by embedding"""
FURTHER_NEIGHBOURS = 8
"""rows next in cosine after the candidates: what is usual among questions of the sample's topic"""
LISTED_COSINE = 0.3
"""rows that are less alike are not shown to a judge in a list. With 12 rows and no limit as many of 304 reworded
questions have their row in it as with this one: 0.977
"""
LEAST_COSINE = 0.4
"""rows that are less alike are not candidates by embedding; they may still be candidates by shared words"""
USUAL_COSINE = 0.5
"""other rows of a topic count as at least this much alike: where there are few, they show too little of what is asked
about it
"""
COPY = 0.95
"""cosine from which two evaluation rows are the same question, as it stands in another task"""


class ByWords:
    def __init__(self, rows: EvaluationRows, threshold: float) -> None:
        self.rows = rows
        self.threshold = threshold

    def find(self, samples: list[dict[str, Any]], items: list[Item]) -> list[int | None]:
        """For each item the row that it asks in other words, by the words, numbers and answers that they share."""
        numbers: list[int | None] = []
        for item in items:
            sample, best, found = self.rows.profile(item), self.threshold, None
            for number in sorted(self.rows.sharing_words(sample, NEIGHBOURS)):
                row = self.rows.row_profile(number)
                chance = by_words.score(by_words.witnesses(sample, row))
                if chance >= best and (
                    not row.passage
                    or shared_passage(sample, row) >= ALIKE_PASSAGES
                    or agree(item, row.item) is Agreement.same
                ):
                    best, found = chance, number
            numbers.append(found)
        return numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A sample, by its place among those at hand, and an evaluation row that is near it."""

    place: int
    row: int
    cosine: float
    stands_out: float
    """the cosine less the mean cosine of the sample's further neighbours"""
    leads: float
    """the same, less the cosine of the nearest other row"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspects:
    """Evaluation rows that a sample may ask in other words, by number."""

    likely: list[tuple[float, int]]
    """with the chance of it, the likeliest first"""
    near: list[int]
    """those nearest by embedding, in the order of their numbers: an order by cosine could depend on its last bits"""


def _rounded(cosine: Any) -> float:
    """The last bits depend on batch size and thread count; a verdict hardly ever does, once they are off."""
    return round(float(cosine), 3)


class BySense:
    def __init__(
        self, rows: EvaluationRows, threshold: float, embedder: Embedder, vectors: npt.NDArray[np.float16]
    ) -> None:
        self.rows = rows
        self.threshold = threshold
        self.embedder = embedder
        self.vectors = vectors

    def find(self, samples: list[dict[str, Any]], items: list[Item]) -> list[int | None]:
        """For each sample the row that it asks in other words, by sentence embeddings as well."""
        best: dict[int, tuple[float, int]] = {}
        for pair, found in self.looked_at_closer(samples, [self.rows.profile(item) for item in items]):
            chance = closer.score(found)
            if chance >= self.threshold:
                best[pair.place] = min(best.get(pair.place, (0.0, 0)), (-chance, pair.row))
        return [best[place][1] if place in best else None for place in range(len(samples))]

    def looked_at_closer(
        self, samples: list[dict[str, Any]], profiles: list[Profile]
    ) -> list[tuple[Pair, list[float]]]:
        """Those of looked_at() that may be the same question, with the features of closer.WEIGHTS."""
        pairs = [
            (pair, found)
            for pair, found in self.looked_at(samples, profiles)
            if by_sense.score(found) >= closer.LEAST_CHANCE
        ]
        mine = {place: closer.told(samples[place], profiles[place]) for place in {pair.place for pair, _ in pairs}}
        theirs = {
            row: closer.told(self.rows.row(row), self.rows.row_profile(row)) for row in {pair.row for pair, _ in pairs}
        }
        wanted = [closer.texts(mine[pair.place], theirs[pair.row]) for pair, _ in pairs]
        vectors = self.embedder.vectors_of(sorted(set().union(*wanted)))
        return [
            (
                pair,
                closer.witnesses(
                    profiles[pair.place],
                    self.rows.row_profile(pair.row),
                    mine[pair.place],
                    theirs[pair.row],
                    found,
                    vectors,
                ),
            )
            for pair, found in pairs
        ]

    def suspects(self, samples: list[dict[str, Any]], items: list[Item], *, num_near: int = 0) -> list[Suspects]:
        """For each sample the rows that it may ask in other words, and the `num_near` nearest ones."""
        if not samples:
            return []
        profiles = [self.rows.profile(item) for item in items]
        vectors = self._embedded(samples)
        near = self._near(vectors, num_near)
        likely: list[list[tuple[float, int]]] = [[] for _ in samples]
        for pair, found in self._looked_at(samples, profiles, vectors, near):
            likely[pair.place].append((by_sense.score(found), pair.row))
        return [
            Suspects(
                likely=sorted(likely[place], key=lambda row: (-row[0], row[1])),
                near=self._listed(profile, vectors[place], near[place], num_near),
            )
            for place, profile in enumerate(profiles)
        ]

    def looked_at(self, samples: list[dict[str, Any]], profiles: list[Profile]) -> list[tuple[Pair, list[float]]]:
        """Samples paired with their nearest rows that may be the same question, and the features of each pair
        (by_sense.WEIGHTS).
        """
        if not samples:
            return []
        vectors = self._embedded(samples)
        return self._looked_at(samples, profiles, vectors, self._near(vectors, 0))

    def _embedded(self, samples: list[dict[str, Any]]) -> Vectors:
        return self.embedder.encode([by_sense.whole_text(sample) for sample in samples])

    def _near(self, vectors: Vectors, num: int) -> list[list[int]]:
        """The rows nearest to each vector, best first: enough for features, and for a list of `num` different rows."""
        enough = max(NEIGHBOURS + FURTHER_NEIGHBOURS, 2 * num)  # some are one row in two forms
        return nearest(vectors, self.vectors, enough, LISTED_COSINE if num else LEAST_COSINE)

    def _listed(self, sample: Profile, vector: Vectors, near: list[int], num: int) -> list[int]:
        """The `num` nearest of `near` that may be the same question, each question of a dataset's row in one form."""
        if not num or not near:
            return []
        # in double precision, so that copies of a row stay in the order of their numbers whatever the batch
        exact = self.vectors[near].astype(np.float64) @ vector.astype(np.float64)
        cosines = dict(zip(near, np.round(exact, 6).tolist(), strict=True))
        found: dict[str, int] = {}
        for number in sorted(near, key=lambda number: (-cosines[number], number)):
            row = self.rows.row_profile(number)
            other_passage = sample.passage and row.passage and shared_passage(sample, row) < by_sense.LEAST_PASSAGE
            if row.item.question and not other_passage:
                # several questions may be made of one row, so the row alone does not tell what is asked
                found.setdefault(content_id(self.rows.row(number)["dataset"], row.item.letters), number)
        return sorted(list(found.values())[:num])

    def _looked_at(
        self, samples: list[dict[str, Any]], profiles: list[Profile], vectors: Vectors, nearest_rows: list[list[int]]
    ) -> list[tuple[Pair, list[float]]]:
        near = [rows[: NEIGHBOURS + FURTHER_NEIGHBOURS] for rows in nearest_rows]
        pairs: list[Pair] = []
        for place, profile in enumerate(profiles):
            rows = sorted({*self.rows.sharing_words(profile, NEIGHBOURS), *near[place][:NEIGHBOURS]})
            found = self._pairs(place, rows, vectors[place], near[place])
            pairs += [
                pair
                for pair in found
                if by_sense.worth_a_look(profile, self.rows.row_profile(pair.row), pair.stands_out)
            ]
        return list(zip(pairs, self._witnesses(samples, profiles, vectors, pairs), strict=True))

    def _pairs(self, place: int, rows: list[int], vector: Vectors, near: list[int]) -> list[Pair]:
        """`near`: the rows nearest to the sample, best first. Those that say just what a row says, as another task's
        copy, are no others.
        """
        around, own = self._vectors(near), self._vectors(rows)
        cosines, pairs = around @ vector, []
        asked_for = NEIGHBOURS + FURTHER_NEIGHBOURS
        beyond = USUAL_COSINE if len(near) < asked_for else max(USUAL_COSINE, float(cosines[-1]))
        passages = [self.rows.row_profile(number).item.passage for number in near]
        for row, cosine, alike in zip(rows, own @ vector, own @ around.T, strict=True):
            passage = self.rows.row_profile(row).item.passage
            copies = [_rounded(alike[n]) >= COPY and passages[n] == passage for n in range(len(near))]
            others = [
                max(USUAL_COSINE, float(cosines[n])) for n, number in enumerate(near) if number != row and not copies[n]
            ]
            others += [beyond] * asked_for
            usual = math.fsum(others[NEIGHBOURS - 1 :][:FURTHER_NEIGHBOURS]) / FURTHER_NEIGHBOURS
            pairs.append(
                Pair(
                    place=place,
                    row=row,
                    cosine=_rounded(cosine),
                    stands_out=_rounded(cosine - usual),
                    leads=_rounded(cosine - others[0]),
                )
            )
        return pairs

    def _witnesses(
        self, samples: list[dict[str, Any]], profiles: list[Profile], vectors: Vectors, pairs: list[Pair]
    ) -> list[list[float]]:
        rows = {pair.row: self.rows.row(pair.row) for pair in pairs}
        mine = {
            place: by_sense.answer_text(samples[place], profiles[place].item)
            for place in {pair.place for pair in pairs}
        }
        theirs = {number: by_sense.answer_text(row, self.rows.row_profile(number).item) for number, row in rows.items()}
        bare = {
            pair.row: by_sense.whole_text({**rows[pair.row], "choices": None})
            for pair in pairs
            if self._leaves_options_out(profiles[pair.place], pair)
        }
        embedded = self.embedder.vectors_of(
            text for text in (*mine.values(), *theirs.values(), *bare.values()) if text is not None
        )
        # A sample without options is compared with its rows without theirs: each then comes closer, and one that does
        # so alone gains a lead.
        closer = [0.0] * len(pairs)
        for number, pair in enumerate(pairs):
            if self._leaves_options_out(profiles[pair.place], pair):
                closer[number] = max(0.0, _rounded(vectors[pair.place] @ embedded[bare[pair.row]]) - pair.cosine)
        found = []
        for number, pair in enumerate(pairs):
            answers = mine[pair.place], theirs[pair.row]
            answer = (
                None
                if answers[0] is None or answers[1] is None
                else _rounded(embedded[answers[0]] @ embedded[answers[1]])
            )
            rivals = (
                [closer[n] for n, other in enumerate(pairs) if other.place == pair.place and n != number]
                if closer[number]
                else []
            )
            found.append(
                by_sense.witnesses(
                    profiles[pair.place],
                    self.rows.row_profile(pair.row),
                    stands_out=pair.stands_out + closer[number],
                    leads=pair.leads + closer[number] - max(rivals, default=0.0),
                    answer=answer,
                )
            )
        return found

    def _leaves_options_out(self, sample: Profile, pair: Pair) -> bool:
        return not sample.item.choices and bool(self.rows.row_profile(pair.row).item.choices)

    def _vectors(self, numbers: list[int]) -> Vectors:
        vectors: Vectors = self.vectors[numbers].astype(np.float32)
        return vectors
