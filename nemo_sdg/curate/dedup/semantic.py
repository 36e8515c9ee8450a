"""Near-duplicates by sense: questions whose sentence embeddings nearly coincide, for corpora where other words are not
enough of a difference.

    "How tall is Mount Fuji in metres?"  ~  "What is the height of Mount Fuji in metres?"      cosine 0.97

vectors/part-00000.npy    of each part's questions that stand for their exact group, int16 [questions, dimensions]
vectors/clusters.npy      centroids of k-means over an even sample, in the same whole numbers
near/part-00000.npy       the two nearest clusters of each question; only questions that share one are compared
sense/part-00000.npz      the pairs, from a share of the clusters

Vectors are unit vectors times 4,000 in whole numbers: every sum in a product of two is below 2**24, so float32 holds it
exactly, and the result is the same however many threads add it up.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup.arrays import load_array, pack_pairs, save_array, save_arrays, unpack_pairs
from nemo_sdg.curate.dedup.phases import exact_similarities
from nemo_sdg.curate.dedup.shingles import Hashes
from nemo_sdg.curate.dedup.signatures import SignedCorpus
from nemo_sdg.curate.embed import Embedder

Vectors = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

SCALE = 4000
TEXTS_AT_ONCE = 2048
CLUSTER_SIZE = 2000
"""questions in a cluster, about: comparing them all takes 2 ms a question"""
SAMPLE = 100_000
"""vectors that k-means looks at, at most"""
SAMPLE_OF_CLUSTER = 20
ROUNDS = 5
COMMON_WORDING = 0.1
"""Jaccard similarity that two wordings of one question have at least: 26 of 29 hand-written paraphrases of cosine 0.85
or more
"""
BLOCK = 1024
NUM_SHARES = 16
"""tasks that the clusters are dealt to"""


def embed_part(prefixes: list[Path], groups: Path, part: int, config: CurateSection, out: Path) -> None:
    """Writes the vectors of a part. One thread a process: with more, the last bits would depend on their number."""
    import torch

    torch.set_num_threads(1)
    corpus, embedder = SignedCorpus(prefixes), Embedder(config.embedder)
    members = part_members(corpus, load_array(groups, "first"), part)
    found = [np.zeros((0, 1), dtype=np.int16)]
    for begin in range(0, len(members), TEXTS_AT_ONCE):
        texts = [main.replace("\n", ". ") for _, main, _ in corpus.texts(members[begin : begin + TEXTS_AT_ONCE])]
        found.append(in_whole_numbers(embedder.encode(texts)))
    save_array(out, np.concatenate(found[1:] or found))


def part_members(corpus: SignedCorpus, first: npt.NDArray[np.int64], part: int) -> npt.NDArray[np.int64]:
    """The questions of a part that are the first of their exact group."""
    indices = np.arange(corpus.starts[part], corpus.starts[part + 1])
    members: npt.NDArray[np.int64] = indices[first[indices] == indices]
    return members


def in_whole_numbers(vectors: npt.NDArray[Any]) -> Vectors:
    length = np.maximum(np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True), 1e-12)
    whole: Vectors = np.rint(vectors / length * SCALE).astype(np.int16)
    return whole


def choose_clusters(vectors: list[Path], out: Path) -> None:
    """Spherical k-means (Dhillon and Modha, 2001) on an even sample, begun from every n-th of it."""
    stored = [np.load(path, mmap_mode="r") for path in vectors]
    stored = [part for part in stored if len(part)]
    total = sum(len(part) for part in stored)
    step = -(-total // SAMPLE) or 1
    sample = np.concatenate(
        [np.zeros((0, stored[0].shape[1] if stored else 1), dtype=np.int16), *(part[::step] for part in stored)]
    ).astype(np.float32)
    num = max(1, min(-(-total // CLUSTER_SIZE), len(sample) // SAMPLE_OF_CLUSTER))
    centroids = (
        sample[np.arange(num) * len(sample) // num] if len(sample) else np.zeros((1, sample.shape[1]), dtype=np.float32)
    )
    for _ in range(ROUNDS if num > 1 else 0):
        nearest = nearest_clusters(sample, centroids)[:, 0]
        order = np.argsort(nearest, kind="stable")
        used, begins = np.unique(nearest[order], return_index=True)
        centroids[used] = in_whole_numbers(np.add.reduceat(sample[order].astype(np.int64), begins, axis=0)).astype(
            np.float32
        )
    save_array(out, centroids.astype(np.int16))


def nearest_clusters(vectors: Floats, centroids: Floats) -> npt.NDArray[np.int32]:
    """The two nearest centroids of each vector; the lower number where two are equally near, and twice the same where
    there is one only.
    """
    found = np.zeros((len(vectors), 2), dtype=np.int32)
    for begin in range(0, len(vectors) if len(centroids) > 1 else 0, BLOCK):
        products = vectors[begin : begin + BLOCK] @ centroids.T
        for place in (0, 1):
            best = products.argmax(axis=1)
            found[begin : begin + BLOCK, place] = best
            products[np.arange(len(products)), best] = -np.inf
    return found


def assign_part(vectors: Path, clusters: Path, out: Path) -> None:
    """Writes the two nearest clusters of each question of a part."""
    save_array(out, nearest_clusters(np.load(vectors).astype(np.float32), np.load(clusters).astype(np.float32)))


def pair_clusters(
    prefixes: list[Path],
    groups: Path,
    templates: Path,
    vectors: list[Path],
    near: list[Path],
    share: int,
    threshold: float,
    out: Path,
) -> None:
    """Writes the pairs of a share of the clusters whose cosine reaches the threshold and that nothing else tells
    apart.
    """
    corpus, first, with_sample = SignedCorpus(prefixes), load_array(groups, "first"), load_array(groups, "with_sample")
    stored = [np.load(path, mmap_mode="r") for path in vectors]
    starts = np.concatenate([[0], np.cumsum([len(part) for part in stored])])
    question_of = np.concatenate([part_members(corpus, first, part) for part in range(len(prefixes))])
    assigned = np.concatenate([np.load(path) for path in near])
    pairs, cosines = [np.zeros(0, dtype=np.uint64)], [np.zeros(0)]
    for cluster in range(share, int(assigned.max(initial=-1)) + 1, NUM_SHARES):
        rows = np.flatnonzero((assigned == cluster).any(axis=1))
        part_of = np.searchsorted(starts, rows, side="right") - 1
        members = np.concatenate(
            [stored[part][rows[part_of == part] - starts[part]] for part in np.unique(part_of).tolist()]
            or [assigned[:0]]
        )
        for left, right, cosine in alike(members.astype(np.float32), threshold):
            ends = question_of[rows[np.stack([left, right])]]
            useful = with_sample[ends].any(axis=0)
            pairs.append(pack_pairs(ends[:, useful]))
            cosines.append(cosine[useful])
    found, place = np.unique(np.concatenate(pairs), return_index=True)
    same = nothing_else_differs(corpus, load_array(templates, "templates"), found)
    save_arrays(out, pairs=found[same], similarity=np.concatenate(cosines)[place][same])


def alike(members: Floats, threshold: float) -> Any:
    """(left, right, cosine) arrays of the pairs left < right, a block of rows at a time."""
    lengths = np.sqrt(np.einsum("ij,ij->i", members, members, dtype=np.float64))
    lengths[lengths == 0] = np.inf
    for begin in range(0, len(members), BLOCK):
        for after in range(begin, len(members), BLOCK):
            products = members[begin : begin + BLOCK] @ members[after : after + BLOCK].T
            cosines = products / lengths[begin : begin + BLOCK, None] / lengths[None, after : after + BLOCK]
            left, right = np.nonzero(cosines >= threshold)
            chosen = left + begin < right + after
            left, right = left[chosen], right[chosen]
            if len(left):
                yield left + begin, right + after, cosines[left, right]


def nothing_else_differs(corpus: SignedCorpus, templates: Hashes, pairs: Hashes) -> npt.NDArray[np.bool_]:
    """Whether two questions of the same sense have the same numbers, the same answer (where both have a short one, or
    options), the same passage, and some wording in common that is not their task's template.

    Embeddings see topics: `the capital of Chile` and `the capital of Peru`, or 3 and 5 apples, lie as near as two
    wordings of one question; and of a long instruction that a task repeats they see little else.
    """
    left, right = unpack_pairs(pairs)
    numbers, answers = corpus.column("numbers"), corpus.column("answer")
    same: npt.NDArray[np.bool_] = (numbers[left] == numbers[right]) & (
        (answers[left] == answers[right]) | (answers[left] == 0) | (answers[right] == 0)
    )
    rest = np.flatnonzero(same)
    same[rest] = exact_similarities(corpus, templates, pairs[rest]) >= COMMON_WORDING
    rest = np.flatnonzero(same)
    passages = [[passage for _, _, passage in corpus.texts(ends[rest])] for ends in (left, right)]
    same[rest] = [one == other for one, other in zip(*passages, strict=True)]
    return same
