"""Decides which duplicates are dropped, for which reason, and which sample stays instead.

Two questions are one where their wording is alike (edges) and their answers agree: `the trophy does not fit because
it is too large` and `… too small` are two, and so are the capital of Chile and the capital of Peru. An answer that is
long, or missing, agrees with any.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nemo_sdg.curate.dedup.arrays import unpack_pairs
from nemo_sdg.curate.dedup.shingles import Hashes, Indices
from nemo_sdg.curate.dedup.signatures import CORPUS, OWN, SEED, SIMILAR, SignedCorpus

Floats = npt.NDArray[np.float64]
Edges = list[tuple[Hashes, Floats]]
Flags = npt.NDArray[np.bool_]
SEMANTIC = "semantic_duplicate"
TEMPLATE = "template_repeated"


@dataclass(slots=True)
class Loss:
    """A sample that goes."""

    index: int
    reason: str
    kept: int
    """who is or was there already"""
    similarity: float
    """exact Jaccard similarity to `kept`, cosine for a semantic_duplicate"""

    @property
    def detail(self) -> str:
        return f"{'cosine' if self.reason == SEMANTIC else 'similarity'} {self.similarity:.3f}"


class Neighbours:
    """The edges of every question, both ways, the most alike first."""

    def __init__(self, num: int, edges: Edges) -> None:
        pairs = np.concatenate([np.zeros(0, dtype=np.uint64), *(pair for pair, _ in edges)])
        values = np.concatenate([np.zeros(0), *(value for _, value in edges)])
        self.left, self.right = unpack_pairs(pairs)
        here, there = np.concatenate([self.left, self.right]), np.concatenate([self.right, self.left])
        both = np.concatenate([values, values])
        order = np.lexsort((there, -both, here))
        self._there, self._values = there[order], both[order]
        self._begins = np.searchsorted(here[order], np.arange(num + 1))

    def of(self, question: int) -> Iterator[tuple[int, float]]:
        """(question, similarity)"""
        begin, end = self._begins[question : question + 2]
        return zip(self._there[begin:end].tolist(), self._values[begin:end].tolist(), strict=True)


def resolve(corpus: SignedCorpus, first: Indices, edges: Edges, senses: Edges, max_per_template: int) -> Iterator[Loss]:
    """Decides by the wording (`edges`), then, among the samples that still stand, by the sense (`senses`)."""
    gone = np.zeros(len(corpus), dtype=bool)
    for found, by_sense in ((edges, False), (senses, True)):
        for loss in _resolve_edges(corpus, first, found, gone, 0 if by_sense else max_per_template) if found else ():
            gone[loss.index] = True
            if by_sense:
                loss.reason = SEMANTIC
            yield loss


def _resolve_edges(
    corpus: SignedCorpus, first: Indices, edges: Edges, gone: Flags, max_per_template: int
) -> Iterator[Loss]:
    """In this order: rows of an existing corpus and seeds push out what is the same as they; of what remains, the
    better sample pushes out the worse. `gone` is up to date when the next loss is asked for.
    """
    kind, answers = corpus.column("kind"), corpus.column("answer")
    neighbours = Neighbours(len(first), edges)
    for role, reason, kinds in ((CORPUS, "in_existing_corpus", (SIMILAR, OWN)), (SEED, "copy_of_seed", (SIMILAR,))):
        holder = np.full(len(kind), -1, dtype=np.int64)
        members = np.flatnonzero(kind == role)[::-1]
        holder[first[members]] = members
        touched = holder >= 0
        touched[neighbours.left[holder[neighbours.right] >= 0]] = True
        touched[neighbours.right[holder[neighbours.left] >= 0]] = True
        for index in np.flatnonzero(np.isin(kind, kinds) & ~gone & touched[first]).tolist():
            group = int(first[index])
            if holder[group] >= 0:
                yield Loss(index, reason, int(holder[group]), 1.0)
                continue
            alike = (
                (int(holder[other]), value)
                for other, value in neighbours.of(group)
                if holder[other] >= 0 and _agree(answers, index, int(holder[other]))
            )
            for kept, value in alike:
                yield Loss(index, reason, kept, value)
                break
    yield from _resolve_samples(
        corpus, first, np.isin(kind, (SIMILAR, OWN)) & ~gone, answers, neighbours, max_per_template
    )


def _agree(answers: Hashes, one: int, other: int) -> bool:
    return bool(answers[one] == answers[other] or answers[one] == 0 or answers[other] == 0)


def _resolve_samples(
    corpus: SignedCorpus,
    first: Indices,
    standing: Flags,
    answers: Hashes,
    neighbours: Neighbours,
    max_per_template: int,
) -> Iterator[Loss]:
    """From the best sample on (the highest agreement of the votes, then the longest reasoning, then the smallest id)
    each one stays that is not the same as one that stays already: being alike one that went is no reason to go.

    Samples of one wording but other answers stay too, up to `max_per_template` of a connected group (0: all of them).
    """
    samples = np.flatnonzero(standing)
    occupied = np.zeros(len(first), dtype=bool)
    occupied[first[samples]] = True
    linked = occupied[neighbours.left] & occupied[neighbours.right]
    label = _components(len(first), neighbours.left[linked], neighbours.right[linked])[first[samples]]
    _, place, counts = np.unique(label, return_inverse=True, return_counts=True)
    crowded = samples[counts[place] > 1]
    label_of = dict(zip(samples.tolist(), label.tolist(), strict=True))
    identifiers = np.array(corpus.identifiers(crowded), dtype="S")
    agreement, length = corpus.column("agreement")[crowded], corpus.column("length")[crowded].astype(np.int64)
    stays: dict[int, int] = {}
    """of a wording: the sample that has it, or that pushed it out"""
    survivors: dict[int, list[int]] = {}
    """of a connected group"""
    for index in crowded[np.lexsort((identifiers, -length, -agreement))].tolist():
        group = int(first[index])
        if group in stays:
            yield Loss(index, "exact_duplicate", stays[group], 1.0)
            continue
        kept = next(
            (
                (stays[other], value)
                for other, value in neighbours.of(group)
                if other in stays and first[stays[other]] == other and _agree(answers, index, stays[other])
            ),
            None,
        )
        template = survivors.setdefault(label_of[index], [])
        if kept is not None:
            stays[group] = kept[0]
            yield Loss(index, "near_duplicate", *kept)
        elif max_per_template and len(template) >= max_per_template:
            others = ((stays[other], value) for other, value in neighbours.of(group) if other in stays)
            stays[group], value = next(others, (template[0], 0.0))
            yield Loss(index, TEMPLATE, stays[group], value)
        else:
            stays[group] = index
            template.append(index)


def _components(num: int, left: Indices, right: Indices) -> Indices:
    """The number of the connected group of each question."""
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(num, num))
    labels: Indices = connected_components(graph, directed=False)[1]
    return labels
