"""Finds copies of evaluation rows, unchanged or lightly edited.

The weight of an n-gram falls with the number of evaluation rows that hold it, and is 0 when hundreds do, so that "which
of the following" weighs nothing. A row is found when the n-grams that it shares with a sample make up most of its
weight. So one shared 13-gram is not a leak, and a question with one word changed still is. Rows with short questions
need a second witness, the answer or the options. Rows with a passage need the passage too, or else the answer. A
passage alone is not a leak, because the question is what must not be trained on.
"""

import numpy as np

from nemo_sdg.curate.decontaminate.by_words import ALIKE_PASSAGES, terms
from nemo_sdg.curate.decontaminate.evaluation_index import (
    BOILERPLATE,
    NUM_PARTS,
    PASSAGE_PART,
    QUESTION_PART,
    exact_keys,
    ngram_lengths,
    rarity_weight,
)
from nemo_sdg.curate.decontaminate.evaluation_rows import EvaluationRows
from nemo_sdg.curate.decontaminate.questions import LABEL_SET, Agreement, Item, agree, num_words
from nemo_sdg.text.normalize import jaccard, ngram_hashes, token_hashes

SHARE = 0.6
"""of a row's n-gram weight that a sample must hold"""
UNBROKEN = 0.85
"""the same for questions of fewer than LONG words without a second witness: one word put in changes what is asked"""
LONG = 26
DISTINCTIVE, DISTINCTIVE_EXACT = 13, 8
"""words from which a question needs no second witness: for an n-gram match, for an exact one"""
KEPT = 0.9
"""of a row's content words that must stand in the sample where there is no second witness; and all of its numbers"""


class Copies:
    """Finds the number of the row that an item copies."""

    def __init__(self, rows: EvaluationRows) -> None:
        self.rows = rows
        self._lengths = ngram_lengths(rows.stored.meta["ngram"])

    def find(self, item: Item) -> tuple[str, int] | None:
        """(exact | ngram, number of the row), or None."""
        for detector, search in (("exact", self.find_exact), ("ngram", self.find_by_ngrams)):
            number = search(item)
            if number is not None:
                return detector, number
        return None

    def find_exact(self, item: Item) -> int | None:
        """The row of which an item holds the whole question."""
        if not item.question:
            return None
        positions, counts = self.rows.stored.exact.find(exact_keys(item))
        numbers: list[int] = self.rows.stored.exact.gather(positions, np.minimum(counts, BOILERPLATE))[0].tolist()
        for number in numbers:
            row = self.rows.row_profile(number).item
            if int(counts.max()) > 1 and _other_passage(item, row):
                continue  # what a task asks of every passage
            agreement = agree(item, row)
            # a mere label will do: the same words with the same answer
            answered = not item.answers.isdisjoint(row.answers)
            distinctive = (
                (num_words(item.question) >= DISTINCTIVE_EXACT or answered)
                and not row.passage
                and int(counts.max()) == 1
            )
            same_passage = bool(row.passage) and row.passage == item.passage and agreement is not Agreement.different
            if distinctive or same_passage or agreement is Agreement.same:
                return number
        return None

    def find_by_ngrams(self, item: Item) -> int | None:
        """The row of whose n-grams an item holds most of the weight."""
        stream = item.stream()
        words, content = set(stream), terms(stream)
        asking, rest = terms([*item.question, *item.rest]), f" {' '.join(item.rest)} "
        for number, shares in self._shares(item).items():
            row = self.rows.row_profile(number).item
            agreement = agree(item, row)
            share = shares.get(QUESTION_PART, 0.0)
            asked = share >= SHARE or len(words & set(row.question)) >= KEPT * len(set(row.question))
            passage = PASSAGE_PART in shares
            same_passage = (
                passage
                and asked
                and (agreement is Agreement.same or (agreement is Agreement.unknown and _kept(row, asking)))
            )
            same_answer = (
                share >= SHARE
                and agreement is Agreement.same
                and (not item.answers.isdisjoint(row.answers) or _kept(row, asking))
            )
            same_answer = same_answer and not _other_passage(item, row)
            if (
                same_passage
                or same_answer
                or _intact(row, share, content)
                or (share >= SHARE and _quoted(row, rest, passage))
            ):
                return number
        return None

    def _shares(self, item: Item) -> dict[int, dict[int, float]]:
        """For rows with at least SHARE of a part's n-gram weight in the sample: row -> part -> share."""
        hashes = token_hashes(item.stream())
        positions, counts = self.rows.stored.grams.find(
            np.concatenate([ngram_hashes(hashes, length) for length in self._lengths])
        )
        positions, counts = positions[counts <= BOILERPLATE], counts[counts <= BOILERPLATE]
        needles, owner = self.rows.stored.grams.gather(positions, counts)
        found, inverse = np.unique(needles, return_inverse=True)
        shares = (
            np.bincount(inverse, weights=rarity_weight(self.rows.num_rows, counts)[owner])
            / self.rows.stored.gram_weights[found]
        )
        rows: dict[int, dict[int, float]] = {}
        for needle, share in zip(found[shares >= SHARE].tolist(), shares[shares >= SHARE].tolist(), strict=True):
            rows.setdefault(needle // NUM_PARTS, {})[needle % NUM_PARTS] = share
        return rows


def _other_passage(item: Item, row: Item) -> bool:
    """Whether both have a passage, and not the same one in about the same words."""
    if not item.passage or not row.passage or item.passage == row.passage:
        return False
    return jaccard(terms(item.passage), terms(row.passage)) < ALIKE_PASSAGES


def _intact(row: Item, share: float, content: set[str]) -> bool:
    """Whether a question without a second witness is long enough, and stands in the sample whole enough, to be a
    leak.
    """
    length = num_words(row.question)
    return (
        length >= DISTINCTIVE
        and not row.passage
        and share >= (SHARE if length >= LONG else UNBROKEN)
        and _kept(row, content)
    )


def _kept(row: Item, content: set[str]) -> bool:
    """Whether all numbers of a row's question and nearly all its content words are there."""
    wanted = terms(row.question)
    return {term for term in wanted if term.startswith("#")} <= content and len(wanted & content) >= KEPT * len(wanted)


def _quoted(row: Item, rest: str, passage: bool) -> bool:
    """Whether a question stands word by word in context or reasoning: a long one, or one with its passage (`passage`)
    or its answer.
    """
    before, found, after = rest.partition(f" {' '.join(row.question)} ")
    if not found:
        return False
    answered = any(f" {' '.join(answer)} " in f"{before} {after} " for answer in row.answers - LABEL_SET)
    return passage or (not row.passage and (answered or num_words(row.question) >= DISTINCTIVE_EXACT))
