"""The phases of deduplication, each a function from files to one file.

templates   which shingles a task's own template repeats, learnt from a sample of its seeds
sign        text, hashes and band keys of every question                       (signatures.py)
exact       the first question of every group with the same text
bands       for each band: pairs of questions that share its key                (candidates)
verify      the candidates whose exact Jaccard similarity reaches the threshold (edges)
resolve     who goes, for which reason, and who stays in its place              (resolve.py)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup.arrays import load_array, pack_pairs, save_arrays, unpack_pairs
from nemo_sdg.curate.dedup.question_text import question_text
from nemo_sdg.curate.dedup.resolve import Floats, resolve
from nemo_sdg.curate.dedup.shingles import Hashes, shingle, similarities
from nemo_sdg.curate.dedup.signatures import OWN, SIMILAR, SignedCorpus, Slice, read_slice, task_salt, write_part
from nemo_sdg.errors import DataError
from nemo_sdg.storage import read_json, write_json, write_jsonl

TEMPLATE_SAMPLE = 200
"""seeds of a task that are looked at, those of the smallest ids"""
TEMPLATE_MINIMUM = 30
"""with fewer seeds than this nothing is learnt: chance repetition would look like a template"""
TEMPLATE_SHARE = 0.5
"""a shingle in more than this share of the seeds is template"""

SMALL_BUCKET = 64
"""up to here every pair of a bucket is a candidate"""
WINDOW = 8
"""in larger buckets a question is paired with so many neighbours, in the order of the next band's keys: time stays
linear when thousands of questions share most of their wording; pairs that are truly alike meet in other bands (5 of 21
on average at 0.8)
"""
PAIRS_AT_ONCE = 1 << 11


def sample_seeds(slices: list[Slice], out: Path, config: CurateSection) -> None:
    """Writes {task: [[seed_id, main, passage], ...]}, the TEMPLATE_SAMPLE seeds of the smallest ids of each task."""
    chosen: dict[str, dict[str, dict[str, Any]]] = {}
    for piece in slices:
        for offset, record in read_slice(piece):
            identifier = record.get("seed_id")
            if not isinstance(identifier, str):
                raise DataError(f"{piece.path}, byte {offset}: the record has no seed_id")
            rows = chosen.setdefault(record.get("task") or "", {})
            rows[identifier] = record
            if len(rows) >= 2 * TEMPLATE_SAMPLE:
                chosen[record.get("task") or ""] = {key: rows[key] for key in sorted(rows)[:TEMPLATE_SAMPLE]}
    sampled = {}
    for task, rows in sorted(chosen.items()):
        texts = {
            key: question_text(rows[key], numbers_distinguish=config.numbers_distinguish)
            for key in sorted(rows)[:TEMPLATE_SAMPLE]
        }
        sampled[task] = [[key, text.main, text.passage] for key, text in texts.items()]
    write_json(out, sampled)


def learn_templates(samples: list[Path], out: Path) -> None:
    """Merges the seeds sampled from all parts and writes the sorted template hashes, each xor its task's salt."""
    merged: dict[str, list[list[str]]] = {}
    for path in samples:
        for task, rows in read_json(path).items():
            merged.setdefault(task, []).extend(rows)
    found: list[Hashes] = [np.zeros(0, dtype=np.uint64)]
    none = np.zeros(0, dtype=np.uint64)
    for task, rows in sorted(merged.items()):
        sample = sorted(rows)[:TEMPLATE_SAMPLE]
        if len(sample) < TEMPLATE_MINIMUM:
            continue
        zeros = np.zeros(len(sample), dtype=np.uint64)
        shingles = shingle([(main, passage) for _, main, passage in sample], salts=zeros, tasks=zeros, templates=none)
        sets = [
            np.unique(shingles.hashes[start:end])
            for start, end in zip(shingles.offsets[:-1], shingles.offsets[1:], strict=True)
        ]
        values, counts = np.unique(np.concatenate(sets), return_counts=True)
        found.append(values[counts > TEMPLATE_SHARE * len(sample)] ^ np.uint64(task_salt(task)))
    save_arrays(out, templates=np.unique(np.concatenate(found)))


def sign_part(slices: list[Slice], prefix: Path, config: CurateSection, templates: Path) -> None:
    """Writes the three files of a part."""
    write_part(slices, prefix, config, load_array(templates, "templates"))


def group_exact(prefixes: list[Path], out: Path) -> None:
    """Writes, for each question, the index of the first question with the same text and numbers, and which groups hold
    a sample.
    """
    corpus = SignedCorpus(prefixes)
    exact = corpus.column("exact")
    order = np.lexsort((exact[:, 1], exact[:, 0]))
    ordered = exact[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[np.flatnonzero(begins)][np.cumsum(begins) - 1]
    with_sample = np.zeros(len(order), dtype=bool)
    with_sample[first[np.isin(corpus.column("kind"), (SIMILAR, OWN))]] = True
    save_arrays(out, first=first, with_sample=with_sample)


def pair_band(prefixes: list[Path], groups: Path, band: int, num_bands: int, out: Path) -> None:
    """Writes the candidates of one band, packed and sorted; one of the two groups holds a sample."""
    corpus = SignedCorpus(prefixes)
    first, with_sample = load_array(groups, "first"), load_array(groups, "with_sample")
    members = np.flatnonzero(first == np.arange(len(first)))
    keys = corpus.band(band)[members]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    sizes = np.diff(np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])))
    large = np.repeat(sizes > SMALL_BUCKET, sizes)
    if large.any():
        crowd = order[large]
        following = corpus.band((band + 1) % num_bands)[members[crowd]]
        order[large] = crowd[np.lexsort((following, keys[crowd]))]
    pairs = []
    alive = np.arange(len(order))
    for step in range(1, SMALL_BUCKET):
        alive = alive[alive + step < len(order)]
        alive = alive[ordered[alive + step] == ordered[alive]]
        if step > WINDOW:
            alive = alive[~large[alive]]
        if not len(alive):
            break
        ends = np.sort(np.stack([members[order[alive]], members[order[alive + step]]]), axis=0)
        pairs.append(pack_pairs(ends[:, with_sample[ends].any(axis=0)]))
    save_arrays(out, pairs=np.unique(np.concatenate(pairs)) if pairs else np.zeros(0, dtype=np.uint64))


def verify_pairs(
    prefixes: list[Path], templates: Path, bands: list[Path], part: int, threshold: float, out: Path
) -> None:
    """Writes the candidates whose left question is in the part and whose similarity reaches the threshold."""
    corpus, words = SignedCorpus(prefixes), load_array(templates, "templates")
    bounds = corpus.starts[part : part + 2].astype(np.uint64) << np.uint64(32)
    found = [np.zeros(0, dtype=np.uint64)]
    for path in bands:
        pairs = load_array(path, "pairs")
        low, high = np.searchsorted(pairs, bounds)
        found.append(pairs[low:high])
    candidates = np.unique(np.concatenate(found))
    values = exact_similarities(corpus, words, candidates)
    save_arrays(out, pairs=candidates[values >= threshold], similarity=values[values >= threshold])


def exact_similarities(corpus: SignedCorpus, templates: Hashes, pairs: Hashes) -> Floats:
    """Jaccard similarity of each packed pair, read from disk some thousand questions at a time."""
    found = [np.zeros(0)]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        chunk = pairs[start : start + PAIRS_AT_ONCE]
        questions, place = np.unique(np.concatenate(unpack_pairs(chunk)), return_inverse=True)
        shingles = corpus.shingles(questions, templates)
        found.append(similarities(shingles, place[: len(chunk)], place[len(chunk) :]))
    return np.concatenate(found)


def write_table(
    prefixes: list[Path], groups: Path, edges: list[Path], senses: list[Path], max_per_template: int, out: Path
) -> None:
    """Writes the table of losses, sorted by the id's bytes in JSON. Raises DataError when two samples share an id."""
    corpus = SignedCorpus(prefixes)
    alike, of_one_sense = (
        [(load_array(path, "pairs"), load_array(path, "similarity")) for path in paths] for paths in (edges, senses)
    )
    losses = list(resolve(corpus, load_array(groups, "first"), alike, of_one_sense, max_per_template))
    gone = corpus.identifiers(np.array([loss.index for loss in losses], dtype=np.int64))
    stays = corpus.identifiers(np.array([loss.kept for loss in losses], dtype=np.int64))

    def rows() -> Iterator[dict[str, Any]]:
        for place in sorted(range(len(losses)), key=lambda place: orjson.dumps(gone[place])):
            loss, identifier, kept = losses[place], gone[place], stays[place]
            if kept == identifier:
                raise DataError(f"two samples have the id {identifier}: ids must be unique over all shards")
            yield {"id": identifier, "reason": loss.reason, "kept_id": kept, "detail": loss.detail}

    write_jsonl(out, rows())
