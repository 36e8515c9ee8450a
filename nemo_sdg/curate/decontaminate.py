"""Finds evaluation rows in the corpus: exactly, by n-grams, and reworded.

    build_index([Path("evaluation/gsm8k.jsonl")], Path("index"), config)     once
    index = open_index(Path("index"))
    index.find({"question": "Janet's ducks lay sixteen eggs per day. …", "answer": {"text": "18"}})
    Finding(detector="exact", reason="evaluation_exact", detail="gsm8k test row 0 (openai/gsm8k main)")

An n-gram counts the less the more evaluation rows hold it, and not at all when hundreds do, so that "which of the following" weighs
nothing. A row is found when the n-grams that it shares with a sample make up most of its weight: one shared 13-gram is no leak, and a
question with one word changed still is one. Rows with short questions need a second witness, the answer or the options; rows with a
passage need the passage as well, or else the answer; where sample and row have passages that differ, they are never each other's wording.
A passage alone is no leak: it is the question that is not to be trained on.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nemo_sdg.curate import paraphrase, sense
from nemo_sdg.curate.embed import Embedder, Vectors, nearest
from nemo_sdg.curate.evaluation_index import (
    BOILERPLATE,
    NUM_PARTS,
    PASSAGE_PART,
    QUESTION_PART,
    StoredIndex,
    build_index,
    describe,
    exact_keys,
    ngram_lengths,
    rarity_weight,
)
from nemo_sdg.curate.items import LABEL_SET, Agreement, Item, agree, num_words, read_item
from nemo_sdg.curate.normalize import ngram_hashes, token_hashes
from nemo_sdg.curate.paraphrase import Profile, answer_terms, shared_passage, terms

__all__ = ["Finding", "Index", "build_index", "open_index"]

SHARE = 0.6
"""of a row's n-gram weight that a sample must hold"""
UNBROKEN = 0.85
"""the same for questions of fewer than LONG words without a second witness: one word put in changes what is asked"""
LONG = 26
DISTINCTIVE, DISTINCTIVE_EXACT = 13, 8
"""words from which a question needs no second witness: for an n-gram match, for an exact one"""
KEPT = 0.9
"""of a row's content words that must stand in the sample where there is no second witness; and all of its numbers"""
NEIGHBOURS = 4
"""evaluation rows that a sample may ask in other words: so many by shared words, and as many by embedding"""

FURTHER_NEIGHBOURS = 8
"""rows next in cosine after the candidates: what is usual among questions of the sample's topic"""
LEAST_COSINE = 0.4
"""rows less alike are no candidates by embedding; shared words make candidates all the same"""
USUAL_COSINE = 0.5
"""other rows of a topic count as at least this much alike: where there are few, they show too little of what is asked about it"""
COPY = 0.95
"""cosine from which two evaluation rows are the same question, as it stands in another task"""
AT_ONCE = 256
"""samples that are embedded and compared together"""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Which evaluation row a sample repeats, and which detector says so."""

    detector: str
    """exact | ngram | paraphrase"""
    reason: str
    """evaluation_exact | evaluation_ngram | evaluation_paraphrase"""
    detail: str
    """task, split and row of the evaluation row"""


def open_index(out: Path) -> "Index":
    """Opens the index that was built last under `out`. Raises DataError when there is none or a file of it is damaged."""
    return Index(StoredIndex(out))


class Index:
    """Memory-mapped; opening it costs milliseconds, and workers on one machine share its pages."""

    def __init__(self, stored: StoredIndex) -> None:
        self.stored = stored
        self.num_rows = stored.num_rows
        self.threshold: float = stored.paraphrase_threshold
        self._lengths = ngram_lengths(stored.meta["ngram"])
        self._embedder = Embedder(stored.meta["embedder"]) if stored.vectors is not None else None
        self.row_profile = lru_cache(maxsize=1 << 14)(self._row_profile)

    def find(self, sample: dict[str, Any]) -> Finding | None:
        """The evaluation row that a sample repeats, or None; takes seeds and plain {"question": …} dicts as well."""
        return self.find_batch([sample])[0]

    def find_batch(self, samples: list[dict[str, Any]]) -> list[Finding | None]:
        """As find, for many samples at once: the embedder is several times as fast on batches."""
        return [finding for begin in range(0, len(samples), AT_ONCE) for finding in self._find_some(samples[begin : begin + AT_ONCE])]

    def _find_some(self, samples: list[dict[str, Any]]) -> list[Finding | None]:
        if not self.num_rows:
            return [None] * len(samples)
        items = [read_item(sample) for sample in samples]
        findings = [self.find_copy(item) for item in items]
        undecided = [number for number, finding in enumerate(findings) if finding is None and items[number].question]
        reworded = self._find_by_words if self._embedder is None else self._find_by_sense
        found = reworded([samples[number] for number in undecided], [items[number] for number in undecided])
        for number, finding in zip(undecided, found, strict=True):
            findings[number] = finding
        return findings

    def find_copy(self, item: Item) -> Finding | None:
        """The evaluation row of which an item is a copy or a lightly edited one."""
        return self._find_exact(item) or self._find_ngrams(item)

    def _finding(self, detector: str, number: int) -> Finding:
        return Finding(detector=detector, reason=f"evaluation_{detector}", detail=describe(self.stored.row(number)))

    def _find_exact(self, item: Item) -> Finding | None:
        if not item.question:
            return None
        positions, counts = self.stored.exact.find(exact_keys(item))
        for number in self.stored.exact.gather(positions, np.minimum(counts, BOILERPLATE))[0].tolist():
            row = self.row_profile(number).item
            if row.passage and item.passage and int(counts.max()) > 1 and not alike_passages(item, row):
                continue  # what a task asks of every passage
            agreement = agree(item, row)
            answered = not item.answers.isdisjoint(row.answers)  # a mere label will do: the same words with the same answer
            distinctive = (num_words(item.question) >= DISTINCTIVE_EXACT or answered) and not row.passage and int(counts.max()) == 1
            same_passage = bool(row.passage) and row.passage == item.passage and agreement is not Agreement.different
            if distinctive or same_passage or agreement is Agreement.same:
                return self._finding("exact", number)
        return None

    def _find_ngrams(self, item: Item) -> Finding | None:
        words, content, asking, rest = set(item.stream()), terms(item.stream()), terms([*item.question, *item.rest]), f" {' '.join(item.rest)} "
        for number, shares in self._shares(item).items():
            row = self.row_profile(number).item
            agreement = agree(item, row)
            share = shares.get(QUESTION_PART, 0.0)
            asked = share >= SHARE or len(words & set(row.question)) >= KEPT * len(set(row.question))
            passage = PASSAGE_PART in shares
            same_passage = passage and asked and (agreement is Agreement.same or (agreement is Agreement.unknown and _kept(row, asking)))
            other_passage = bool(row.passage and item.passage) and not alike_passages(item, row)
            same_answer = (
                share >= SHARE and agreement is Agreement.same and not other_passage and (not item.answers.isdisjoint(row.answers) or _kept(row, asking))
            )
            if same_passage or same_answer or _intact(row, share, content) or (share >= SHARE and _quoted(row, rest, passage)):
                return self._finding("ngram", number)
        return None

    def _shares(self, item: Item) -> dict[int, dict[int, float]]:
        """For rows with at least SHARE of a part's n-gram weight in the sample: row -> part -> share."""
        hashes = token_hashes(item.stream())
        positions, counts = self.stored.grams.find(np.concatenate([ngram_hashes(hashes, length) for length in self._lengths]))
        positions, counts = positions[counts <= BOILERPLATE], counts[counts <= BOILERPLATE]
        needles, owner = self.stored.grams.gather(positions, counts)
        found, inverse = np.unique(needles, return_inverse=True)
        shares = np.bincount(inverse, weights=rarity_weight(self.num_rows, counts)[owner]) / self.stored.gram_weights[found]
        rows: dict[int, dict[int, float]] = {}
        for needle, share in zip(found[shares >= SHARE].tolist(), shares[shares >= SHARE].tolist(), strict=True):
            rows.setdefault(needle // NUM_PARTS, {})[needle % NUM_PARTS] = share
        return rows

    def _rarity(self, names: Iterable[str]) -> dict[str, float]:
        ordered = sorted(names)
        counts = self.stored.terms.count(token_hashes(ordered))
        return dict(zip(ordered, (np.log((self.num_rows + 1) / np.maximum(counts, 1)) / np.log(self.num_rows + 1)).tolist(), strict=True))

    def profile(self, item: Item) -> Profile:
        """The item with the rarity of its terms among the evaluation rows."""
        return Profile(
            item=item,
            question=self._rarity(terms(item.question)),
            answers=self._rarity(answer_terms(item)),
            answer_words=self._rarity(terms(word for answer in sorted(item.answers) for word in answer)),
            passage=terms(item.passage),
        )

    def _row_profile(self, number: int) -> Profile:
        return self.profile(read_item(self.stored.row(number)))

    def lexical_neighbours(self, sample: Profile, num: int) -> list[int]:
        """The evaluation rows that share most of their rare words, answers and options with the sample, best first."""
        positions, counts = self.stored.terms.find(token_hashes(sorted(sample.question.keys() | sample.answers.keys())))
        positions, counts = positions[counts <= BOILERPLATE], counts[counts <= BOILERPLATE]
        rows, owner = self.stored.terms.gather(positions, counts)
        found, inverse = np.unique(rows, return_inverse=True)
        shared = np.bincount(inverse, weights=rarity_weight(self.num_rows, counts)[owner], minlength=len(found))
        likeness = shared / np.sqrt(self.stored.term_weights[found] + np.log(self.num_rows + 1))
        neighbours: list[int] = found[np.lexsort((found, -likeness))[:num]].tolist()
        return neighbours

    def _find_by_words(self, samples: list[dict[str, Any]], items: list[Item]) -> list[Finding | None]:
        """For each item the row that it asks in other words, by the words, numbers and answers that they share."""
        findings: list[Finding | None] = []
        for item in items:
            sample, best, found = self.profile(item), self.threshold, None
            for number in sorted(self.lexical_neighbours(sample, NEIGHBOURS)):
                row = self.row_profile(number)
                chance = paraphrase.score(paraphrase.witnesses(sample, row))
                if chance >= best and (not row.passage or shared_passage(sample, row) >= SHARE or agree(item, row.item) is Agreement.same):
                    best, found = chance, number
            findings.append(None if found is None else self._finding("paraphrase", found))
        return findings

    def _find_by_sense(self, samples: list[dict[str, Any]], items: list[Item]) -> list[Finding | None]:
        """For each sample the row that it asks in other words, by sentence embeddings as well."""
        best: dict[int, tuple[float, int]] = {}
        for pair, found in self.looked_at(samples, [self.profile(item) for item in items]):
            chance = sense.score(found)
            if chance >= self.threshold and chance > best.get(pair.place, (0.0, 0))[0]:
                best[pair.place] = chance, pair.row
        return [self._finding("paraphrase", best[place][1]) if place in best else None for place in range(len(samples))]

    def looked_at(self, samples: list[dict[str, Any]], profiles: list[Profile]) -> list[tuple["Pair", list[float]]]:
        """Samples with the rows next to them that may be the same question, and what sense.py says of them, in the order of sense.WITNESSES."""
        if not samples:
            return []
        assert self._embedder is not None
        assert self.stored.vectors is not None
        vectors = self._embedder.encode([sense.whole_text(sample) for sample in samples])
        near = nearest(vectors, self.stored.vectors, NEIGHBOURS + FURTHER_NEIGHBOURS, LEAST_COSINE)
        pairs: list[Pair] = []
        for place, profile in enumerate(profiles):
            rows = sorted({*self.lexical_neighbours(profile, NEIGHBOURS), *near[place][:NEIGHBOURS]})
            found = self._pairs(place, rows, vectors[place], near[place])
            pairs += [pair for pair in found if sense.worth_a_look(profile, self.row_profile(pair.row), pair.stands_out)]
        return list(zip(pairs, self._witnesses(samples, profiles, vectors, pairs), strict=True))

    def _pairs(self, place: int, rows: list[int], vector: Vectors, near: list[int]) -> list["Pair"]:
        """`near`: the rows nearest to the sample, best first. Those that say just what a row says, as another task's copy, are no others."""
        around, own = self._vectors(near), self._vectors(rows)
        cosines, pairs = around @ vector, []
        asked_for = NEIGHBOURS + FURTHER_NEIGHBOURS
        beyond = USUAL_COSINE if len(near) < asked_for else max(USUAL_COSINE, float(cosines[-1]))
        passages = [self.row_profile(number).item.passage for number in near]
        for row, cosine, alike in zip(rows, own @ vector, own @ around.T, strict=True):
            passage = self.row_profile(row).item.passage
            copies = [_rounded(alike[n]) >= COPY and passages[n] == passage for n in range(len(near))]
            others = [max(USUAL_COSINE, float(cosines[n])) for n, number in enumerate(near) if number != row and not copies[n]]
            others += [beyond] * asked_for
            usual = math.fsum(others[NEIGHBOURS - 1 :][:FURTHER_NEIGHBOURS]) / FURTHER_NEIGHBOURS
            pairs.append(Pair(place=place, row=row, cosine=_rounded(cosine), stands_out=_rounded(cosine - usual), leads=_rounded(cosine - others[0])))
        return pairs

    def _witnesses(self, samples: list[dict[str, Any]], profiles: list[Profile], vectors: Vectors, pairs: list["Pair"]) -> list[list[float]]:
        assert self._embedder is not None
        rows = {pair.row: self.stored.row(pair.row) for pair in pairs}
        mine = {place: sense.answer_text(samples[place], profiles[place].item) for place in {pair.place for pair in pairs}}
        theirs = {number: sense.answer_text(row, self.row_profile(number).item) for number, row in rows.items()}
        bare = {pair.row: sense.whole_text({**rows[pair.row], "choices": None}) for pair in pairs if self._leaves_options_out(profiles[pair.place], pair)}
        embedded = self._embedder.vectors_of(text for text in (*mine.values(), *theirs.values(), *bare.values()) if text is not None)
        # A sample without options is compared with its rows without theirs: each then comes closer, and one that does so alone gains a lead.
        closer = [0.0] * len(pairs)
        for number, pair in enumerate(pairs):
            if self._leaves_options_out(profiles[pair.place], pair):
                closer[number] = max(0.0, _rounded(vectors[pair.place] @ embedded[bare[pair.row]]) - pair.cosine)
        found = []
        for number, pair in enumerate(pairs):
            answers = mine[pair.place], theirs[pair.row]
            answer = None if answers[0] is None or answers[1] is None else _rounded(embedded[answers[0]] @ embedded[answers[1]])
            rivals = [closer[n] for n, other in enumerate(pairs) if other.place == pair.place and n != number] if closer[number] else []
            found.append(
                sense.witnesses(
                    profiles[pair.place],
                    self.row_profile(pair.row),
                    stands_out=pair.stands_out + closer[number],
                    leads=pair.leads + closer[number] - max(rivals, default=0.0),
                    answer=answer,
                )
            )
        return found

    def _leaves_options_out(self, sample: Profile, pair: "Pair") -> bool:
        return not sample.item.choices and bool(self.row_profile(pair.row).item.choices)

    def _vectors(self, numbers: list[int]) -> Vectors:
        assert self.stored.vectors is not None
        vectors: Vectors = self.stored.vectors[numbers].astype(np.float32)
        return vectors


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


def _rounded(cosine: Any) -> float:
    """The last bits depend on batch size and thread count; a verdict hardly ever does, once they are off."""
    return round(float(cosine), 3)


def alike_passages(one: Item, other: Item) -> bool:
    mine, theirs = terms(one.passage), terms(other.passage)
    return one.passage == other.passage or len(mine & theirs) >= SHARE * max(1, len(mine | theirs))


def _intact(row: Item, share: float, content: set[str]) -> bool:
    """Whether a question without a second witness is long enough, and stands in the sample whole enough, to be a leak."""
    length = num_words(row.question)
    return length >= DISTINCTIVE and not row.passage and share >= (SHARE if length >= LONG else UNBROKEN) and _kept(row, content)


def _kept(row: Item, content: set[str]) -> bool:
    """Whether all numbers of a row's question and nearly all its content words are there."""
    wanted = terms(row.question)
    return {term for term in wanted if term.startswith("#")} <= content and len(wanted & content) >= KEPT * len(wanted)


def _quoted(row: Item, rest: str, passage: bool) -> bool:
    """Whether a question stands word by word in context or reasoning: a long one, or one with its passage (`passage`) or its answer."""
    before, found, after = rest.partition(f" {' '.join(row.question)} ")
    if not found:
        return False
    answered = any(f" {' '.join(answer)} " in f"{before} {after} " for answer in row.answers - LABEL_SET)
    return passage or (not row.passage and (answered or num_words(row.question) >= DISTINCTIVE_EXACT))
