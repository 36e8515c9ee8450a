"""Questions as the deduplication keeps them on disk: one part per about 32 MB of JSONL, written once, read at random.

part-00000.meta.npy    one fixed row a question: where its text ends, exact hash, salts, kind, quality
part-00000.text        `id NUL main NUL passage` of each question, one after the other
part-00000.keys.npy    band keys, shape (bands, questions); written last: its presence means that the part is whole
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.question_text import question_text
from nemo_sdg.curate.shingles import Hashes, Shingles, choose_bands, shingle, sign
from nemo_sdg.errors import DataError
from nemo_sdg.records import Origin
from nemo_sdg.store import atomic_file

SIMILAR, OWN, SEED, CORPUS = range(4)
"""kinds of documents: a sample after seeds, a seed's own question as a sample, a seed, a row of a corpus one has already"""

META = np.dtype([("end", "<u8"), ("exact", "<u8", 2), ("numbers", "<u8"), ("task", "<u8"), ("kind", "u1"), ("agreement", "<f8"), ("length", "<u4")])
PART_BYTES = 32 << 20
BATCH_CHARACTERS = 1 << 18
"""of one vectorised step: 2 MB an array, which stays in cache"""


@dataclass(slots=True, frozen=True)
class Slice:
    """Whole lines of a JSONL file: those that begin in [start, end)."""

    path: str
    start: int
    end: int
    role: int
    """SIMILAR stands for samples of either origin"""


def plan_parts(files: list[tuple[Path, int]], part_bytes: int = PART_BYTES) -> list[list[Slice]]:
    """Cuts (file, role) lists into parts of about `part_bytes`; depends on names, order and sizes only, never on the workers."""
    parts: list[list[Slice]] = []
    room = 0
    for path, role in files:
        size = os.path.getsize(path)
        for start in range(0, size, part_bytes):
            piece = Slice(str(path), start, min(start + part_bytes, size), role)
            if piece.end - piece.start > room:
                parts.append([])
                room = part_bytes
            parts[-1].append(piece)
            room -= piece.end - piece.start
    return parts


def read_slice(piece: Slice) -> Iterator[tuple[int, dict[str, Any]]]:
    """(byte offset, record) of every line that begins within the slice. Raises DataError naming file and offset of a damaged line."""
    with open(piece.path, "rb") as handle:
        if piece.start:
            handle.seek(piece.start - 1)
            handle.readline()
        offset = handle.tell()
        while offset < piece.end:
            line = handle.readline()
            if not line:
                return
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError as exc:
                raise DataError(f"{piece.path}, byte {offset} does not begin a line of valid JSON ({exc})") from exc
            if not isinstance(record, dict):
                raise DataError(f"{piece.path}, byte {offset} does not begin a JSON object")
            yield offset, record
            offset += len(line)


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") if text else 0


def task_salt(task: str) -> int:
    return _hash64(f"task {task}")


def describe(piece: Slice, offset: int, record: dict[str, Any]) -> tuple[int, str, float, int]:
    """(kind, id, agreement, reasoning length) of a record; agreement and length rank samples and are 0 for all else."""
    if piece.role == CORPUS:
        return CORPUS, f"{piece.path}@{offset}", 0.0, 0
    name = "seed_id" if piece.role == SEED else "sample_id"
    identifier = record.get(name)
    if not isinstance(identifier, str):
        raise DataError(f"{piece.path}, byte {offset}: the record has no {name}")
    if piece.role == SEED:
        return SEED, identifier, 0.0, 0
    votes = record.get("votes") or {}
    agreement = votes["agree"] / votes["n"] if votes.get("n") else 0.0
    return OWN if record.get("origin") == Origin.seed.value else SIMILAR, identifier, agreement, len(record.get("reasoning") or "")


def write_part(slices: list[Slice], prefix: Path, config: CurateSection, templates: Hashes) -> None:
    """Reads a part's records and writes its three files."""
    bands, rows = choose_bands(config.near_duplicate_threshold)
    meta: list[npt.NDArray[np.void]] = []
    keys: list[Hashes] = [np.zeros((bands, 0), dtype=np.uint64)]
    end = 0
    with atomic_file(f"{prefix}.text") as text:
        for batch in _batches(slices, config):
            data = np.zeros(len(batch), dtype=META)
            texts = []
            for index, (kind, identifier, agreement, length, record, parts) in enumerate(batch):
                encoded = "\0".join([identifier, *parts[:2]]).encode()
                end += len(encoded)
                texts.append(encoded)
                digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
                exact = (int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little"))
                data[index] = (end, exact, _hash64(parts[2]), task_salt(record.get("task") or ""), kind, agreement, length)
            text.write(b"".join(texts))
            meta.append(data)
            pairs = [(parts[0], parts[1]) for *_, parts in batch]
            keys.append(sign(shingle(pairs, salts=data["numbers"], tasks=data["task"], templates=templates), bands=bands, rows=rows))
    _save(f"{prefix}.meta.npy", np.concatenate(meta) if meta else np.zeros(0, dtype=META))
    _save(f"{prefix}.keys.npy", np.concatenate(keys, axis=1))


def _batches(slices: list[Slice], config: CurateSection) -> Iterator[list[tuple[int, str, float, int, dict[str, Any], tuple[str, str, str]]]]:
    batch: list[tuple[int, str, float, int, dict[str, Any], tuple[str, str, str]]] = []
    size = 0
    for piece in slices:
        for offset, record in read_slice(piece):
            try:
                compared = question_text(record, numbers_distinguish=config.numbers_distinguish)
            except DataError as exc:
                raise DataError(f"{piece.path}, byte {offset}: {exc}") from exc
            parts = (compared.main, compared.passage, compared.numbers)
            batch.append((*describe(piece, offset, record), {"task": record.get("task")}, parts))
            size += len(compared.main) + len(compared.passage)
            if size >= BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _save(path: str, array: npt.NDArray[Any]) -> None:
    with atomic_file(path) as handle:
        np.save(handle, array)


class SignedCorpus:
    """All parts as one sequence of questions; what is read of it is read on demand."""

    def __init__(self, prefixes: list[Path]) -> None:
        self.prefixes = prefixes
        self._metas = [np.load(f"{prefix}.meta.npy", mmap_mode="r") for prefix in prefixes]
        self.starts = np.concatenate([[0], np.cumsum([len(meta) for meta in self._metas])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def column(self, name: str) -> npt.NDArray[Any]:
        """One field of all questions, in memory."""
        return np.concatenate([np.asarray(meta[name]) for meta in self._metas])

    def band(self, band: int) -> Hashes:
        return np.concatenate([np.load(f"{prefix}.keys.npy", mmap_mode="r")[band] for prefix in self.prefixes])

    def texts(self, indices: npt.NDArray[np.int64]) -> Iterator[list[str]]:
        """[id, main, passage] of the questions, in the order asked for."""
        part_of = np.searchsorted(self.starts, indices, side="right") - 1
        handle = lru_cache(maxsize=64)(lambda part: open(f"{self.prefixes[part]}.text", "rb"))  # noqa: SIM115
        for part, index in zip(part_of.tolist(), (indices - self.starts[part_of]).tolist(), strict=True):
            ends = self._metas[part]["end"]
            start = int(ends[index - 1]) if index else 0
            yield os.pread(handle(part).fileno(), int(ends[index]) - start, start).decode().split("\0")

    def identifiers(self, indices: npt.NDArray[np.int64]) -> list[str]:
        return [text[0] for text in self.texts(indices)]

    def shingles(self, indices: npt.NDArray[np.int64], templates: Hashes) -> Shingles:
        pairs = [(main, passage) for _, main, passage in self.texts(indices)]
        part_of = np.searchsorted(self.starts, indices, side="right") - 1
        salts = np.zeros((2, len(indices)), dtype=np.uint64)
        for part in np.unique(part_of).tolist():
            here = part_of == part
            rows = self._metas[part][indices[here] - self.starts[part]]
            salts[0, here], salts[1, here] = rows["numbers"], rows["task"]
        return shingle(pairs, salts=salts[0], tasks=salts[1], templates=templates)
