"""Questions as the deduplication keeps them on disk: one part per about 32 MB of JSONL, written once, read at random.

part-00000.meta.npy    one fixed row a question: where its text ends, exact hash, salts, kind, quality
part-00000.text        `id NUL main NUL passage` of each question, one after the other
part-00000.keys.npy    band keys, shape (bands, questions); written last: its presence means that the part is whole
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.questions import told_answer
from nemo_sdg.curate.dedup.arrays import save_array
from nemo_sdg.curate.dedup.question_text import QuestionText, question_text, read_text
from nemo_sdg.curate.dedup.shingles import Hashes, Shingles, choose_bands, shingle, sign
from nemo_sdg.errors import DataError
from nemo_sdg.records import Origin
from nemo_sdg.storage import atomic_file, content_size, open_content
from nemo_sdg.text.numbers import read_number

SIMILAR, OWN, SEED, CORPUS = range(4)
"""kinds of documents: a sample after seeds, a seed's own question as a sample, a seed, a row of a corpus one has
already
"""

META = np.dtype(
    [
        ("end", "<u8"),
        ("exact", "<u8", 2),
        ("numbers", "<u8"),
        ("task", "<u8"),
        ("kind", "u1"),
        ("agreement", "<f8"),
        ("length", "<u4"),
        ("answer", "<u8"),
    ]
)
SHORT_ANSWER = 80
"""characters up to which an answer without options is one right thing; of longer ones there are many, and two that
differ say nothing
"""
PART_BYTES = 32 << 20
BATCH_CHARACTERS = 1 << 18
"""of one vectorised step: 2 MB an array, which stays in cache"""


@dataclass(slots=True, frozen=True)
class Slice:
    """Whole lines of a JSONL file: those that begin in [start, end) of its content."""

    path: str
    start: int
    end: int
    role: int
    """SIMILAR stands for samples of either origin"""


def plan_parts(files: list[tuple[Path, int]]) -> list[list[Slice]]:
    """Cuts (file, role) lists into parts of about PART_BYTES; depends on names, order and sizes only, never on the
    workers.
    """
    parts: list[list[Slice]] = []
    room = 0
    for path, role in files:
        size = content_size(path)
        for start in range(0, size, PART_BYTES):
            piece = Slice(str(path), start, min(start + PART_BYTES, size), role)
            if piece.end - piece.start > room:
                parts.append([])
                room = PART_BYTES
            parts[-1].append(piece)
            room -= piece.end - piece.start
    return parts


def read_slice(piece: Slice) -> Iterator[tuple[int, dict[str, Any]]]:
    """(byte offset, record) of every line that begins within the slice. Raises DataError naming file and offset of a
    damaged line.
    """
    with open_content(piece.path) as handle:
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


def _hash(data: bytes, size: int) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()


@lru_cache(maxsize=4096)
def _task_bytes(task: str) -> bytes:
    return _hash(f"task {task}".encode(), 8)


def task_salt(task: str) -> int:
    return int.from_bytes(_task_bytes(task), "little")


def describe(piece: Slice, offset: int, record: dict[str, Any]) -> tuple[str, int, float, int]:
    """(id, kind, agreement, reasoning length) of a record; agreement and length rank samples and are 0 for all else."""
    if piece.role == CORPUS:
        return f"{piece.path}@{offset}", CORPUS, 0.0, 0
    name = "seed_id" if piece.role == SEED else "sample_id"
    identifier = record.get(name)
    if not isinstance(identifier, str):
        raise DataError(f"{piece.path}, byte {offset}: the record has no {name}")
    if piece.role == SEED:
        return identifier, SEED, 0.0, 0
    votes = record.get("votes") or {}
    agreement = votes["agree"] / votes["n"] if votes.get("n") else 0.0
    return (
        identifier,
        OWN if record.get("origin") == Origin.seed.value else SIMILAR,
        agreement,
        len(record.get("reasoning") or ""),
    )


NO_ANSWER = bytes(8)


def answer_hash(record: dict[str, Any]) -> bytes:
    """Of a short answer, or one of the options, however it is written; zeros for a long one or none. Numbers are their
    values: `1,000`, `1000` and `1000 eggs` are one answer.
    """
    text = told_answer(record)
    if not isinstance(text, str) or not text.strip() or (len(text) > SHORT_ANSWER and not record.get("choices")):
        return NO_ANSWER
    number = read_number(text, record.get("language") or "en") if any(map(str.isdigit, text)) else None
    if number is not None:
        return _hash(f"{number.value}{'%' if number.percent else ''}".encode(), 8)
    line, numbers = read_text(text)
    return _hash(f"{line}\0{' '.join(numbers)}".encode(), 8)


@dataclass(slots=True)
class Batch:
    """Questions in the columns of META, before they become arrays."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    exact: list[bytes] = field(default_factory=list)
    numbers: list[bytes] = field(default_factory=list)
    tasks: list[bytes] = field(default_factory=list)
    ranks: list[tuple[int, float, int]] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(
        self, identifier: str, rank: tuple[int, float, int], task: str, compared: QuestionText, answer: bytes
    ) -> None:
        body = f"{compared.main}\0{compared.passage}"
        numbers = compared.numbers.encode()
        self.pairs.append((compared.main, compared.passage))
        self.texts.append(f"{identifier}\0{body}".encode())
        self.exact.append(_hash(f"{body}\0{compared.numbers}".encode(), 16))
        self.numbers.append(_hash(numbers, 8) if numbers else bytes(8))
        self.tasks.append(_task_bytes(task))
        self.ranks.append(rank)
        self.answers.append(answer)
        self.size += len(body)

    def meta(self, end: int) -> npt.NDArray[np.void]:
        """The rows; `end` is where the text of the batch begins."""
        rows = np.zeros(len(self.texts), dtype=META)
        rows["end"] = end + np.cumsum([len(text) for text in self.texts])
        rows["exact"] = np.frombuffer(b"".join(self.exact), dtype="<u8").reshape(-1, 2)
        rows["numbers"] = np.frombuffer(b"".join(self.numbers), dtype="<u8")
        rows["task"] = np.frombuffer(b"".join(self.tasks), dtype="<u8")
        rows["answer"] = np.frombuffer(b"".join(self.answers), dtype="<u8")
        rows["kind"], rows["agreement"], rows["length"] = zip(*self.ranks, strict=True)
        return rows


def write_part(slices: list[Slice], prefix: Path, config: CurateSection, templates: Hashes) -> None:
    """Reads a part's records and writes its three files."""
    bands, rows = (0, 0) if config.dedup_gpu else choose_bands(config.near_duplicate_threshold)
    metas = [np.zeros(0, dtype=META)]
    keys: list[Hashes] = [np.zeros((bands, 0), dtype=np.uint64)]
    end = 0
    with atomic_file(f"{prefix}.text") as text:
        for batch in _batches(slices, config):
            meta = batch.meta(end)
            end = int(meta["end"][-1])
            text.write(b"".join(batch.texts))
            metas.append(meta)
            shingles = shingle(batch.pairs, salts=meta["numbers"], tasks=meta["task"], templates=templates)
            keys.append(sign(shingles, bands=bands, rows=rows) if bands else np.zeros((0, len(meta)), dtype=np.uint64))
    save_array(Path(f"{prefix}.meta.npy"), np.concatenate(metas))
    save_array(Path(f"{prefix}.keys.npy"), np.concatenate(keys, axis=1))


def _batches(slices: list[Slice], config: CurateSection) -> Iterator[Batch]:
    batch = Batch()
    for piece in slices:
        for offset, record in read_slice(piece):
            try:
                compared = question_text(record, numbers_distinguish=config.numbers_distinguish)
            except DataError as exc:
                raise DataError(f"{piece.path}, byte {offset}: {exc}") from exc
            identifier, kind, agreement, length = describe(piece, offset, record)
            batch.add(identifier, (kind, agreement, length), record.get("task") or "", compared, answer_hash(record))
            if batch.size >= BATCH_CHARACTERS:
                yield batch
                batch = Batch()
    if batch.pairs:
        yield batch


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
