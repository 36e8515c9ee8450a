"""Compares one packed shard with the curated samples, and its tokens with its texts. Memory: a batch of texts, and 20
bytes for each document of the shard.
"""

import functools
import hashlib
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.commands.check.packed.tokens import Tokens
from nemo_sdg.commands.check.shards import BROKEN, first_halves
from nemo_sdg.commands.check.takers import BESIDE, BETWEEN, NOTHING
from nemo_sdg.commands.check.texts import hash_of_bytes
from nemo_sdg.errors import DataError
from nemo_sdg.records import content_id
from nemo_sdg.storage import sha256_file

if TYPE_CHECKING:
    from nemo_sdg.commands.check.findings import CheckedRun

BATCH = 4096
"""documents whose texts are held at once"""
OFFSETS = {"string": "<i4", "large_string": "<i8"}
"""how Arrow writes where the texts of an array end"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackedFiles:
    """The files of one packed shard in one variant."""

    prefix: str
    """path in the run without the endings"""
    variant: str
    split: str

    @property
    def shard(self) -> str:
        """The same for all variants."""
        return self.prefix.replace(f"/{self.variant}/", "/", 1)

    @property
    def docs(self) -> str:
        return f"{self.prefix}.docs.parquet"

    @property
    def text(self) -> str:
        return f"{self.prefix}.text.parquet"

    @property
    def bin(self) -> str:
        return f"{self.prefix}_text_document.bin"

    @property
    def idx(self) -> str:
        return f"{self.prefix}_text_document.idx"


@dataclass(kw_only=True)
class Compared:
    """What the comparison of a packed shard found."""

    violations: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    """file, by its path in the run -> SHA-256"""
    ids: Any = None
    """uint64: the samples' ids, in order; None where the files do not belong together"""
    seeds: Any = None
    """uint64: the samples' seeds"""
    order: bytes = b""
    """digest of the samples' ids in order"""
    num_tokens: int = 0
    num_encoded: int = 0
    """tokens of documents that were tokenised again"""
    error: Exception | None = None
    """what stopped the comparison"""


class CuratedTexts:
    """What the text of each curated sample is in each variant, as 8-byte hashes and lengths in bytes of UTF-8."""

    COLUMNS = ("ids", "hashes", "lengths")

    def __init__(self, variants: list[str], ids: Any, hashes: Any, lengths: Any) -> None:
        self.variants = variants
        self.ids, self.hashes, self.lengths = ids, hashes, lengths
        """uint64 (samples), sorted; uint64 (samples, variants and BESIDE)"""

    @classmethod
    def of(cls, parts: list[tuple[Any, Any, Any]], variants: list[str]) -> "CuratedTexts":
        """Joins the columns of shards: ids, hashes and lengths, the last two with one for each variant in turn, and for
        what stands beside the texts.
        """
        import numpy as np

        nothing = np.empty(0, dtype=np.uint64)
        ids, *columns = (np.concatenate([nothing, *column]) for column in zip(*parts, (nothing,) * 3, strict=True))
        order = np.argsort(ids, kind="stable")
        return cls(
            variants, ids[order], *(column.reshape(-1, len(variants) + len(BESIDE))[order] for column in columns)
        )

    def save(self, folder: Path) -> None:
        import numpy as np

        for name in self.COLUMNS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "variants").write_text("\n".join(self.variants))

    @classmethod
    @functools.lru_cache(maxsize=1)
    def load(cls, folder: Path) -> "CuratedTexts":
        """What another process saved; the columns are mapped, not read."""
        import numpy as np

        columns = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in cls.COLUMNS)
        return cls((folder / "variants").read_text().split("\n"), *columns)

    def of_samples(self, ids: Any, variant: str) -> tuple[Any, Any, Any]:
        """For an array of ids: which are known, and the hash and length of each one's text in the variant, or of what
        stands beside it.
        """
        import numpy as np

        column = [*self.variants, *BESIDE].index(variant)
        if not len(self.ids):
            return np.zeros(len(ids), dtype=bool), *(np.zeros(len(ids), dtype=np.uint64),) * 2
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return self.ids[places] == ids, self.hashes[places, column], self.lengths[places, column]


def compare_shard(run: "CheckedRun", files: PackedFiles, known: CuratedTexts | Path, stride: int) -> Compared:
    """Compares a packed shard with the hashes of the curated texts; every `stride`-th document is tokenised again."""
    texts = CuratedTexts.load(known) if isinstance(known, Path) else known
    found = Compared()
    try:
        _compare(run, files, texts, stride, found)
    except BROKEN as exc:
        found.error = exc
    return found


def _compare(run: "CheckedRun", files: PackedFiles, texts: CuratedTexts, stride: int, found: Compared) -> None:
    import numpy as np
    import pyarrow.parquet as parquet

    for name in (files.docs, files.text, files.bin, files.idx):
        if (run.dir / name).exists():  # a pipe is refused here, before pyarrow waits for it
            found.hashes[name] = sha256_file(run.dir / name)
    with parquet.ParquetFile(run.dir / files.docs) as docs_file:  # `read_table` would import pandas
        docs = docs_file.read(columns=["document", "sample_id", "num_tokens", *BESIDE["docs"]])
    sample_ids = docs["sample_id"].to_pylist()
    documents = numbers(docs["document"])
    with parquet.ParquetFile(run.dir / files.text) as text_file:
        uuids = text_file.read(columns=["uuid"])["uuid"].to_pylist()
        single = np.array_equal(documents, np.arange(len(documents)))
        members = None if single else documents_of(documents.tolist(), sample_ids)
        if uuids != (sample_ids if members is None else [_uuid(names) for names in members]):
            found.violations.append(f"{files.prefix}: .docs.parquet and .text.parquet hold other samples")
            return
        found.ids = first_halves(sample_ids)
        found.order = hashlib.blake2b("".join(sample_ids).encode()).digest()
        found.seeds = np.unique(first_halves(docs["seed_ids"].combine_chunks().flatten().to_pylist()))
        sizes = numbers(docs["num_tokens"])[np.unique(documents, return_index=True)[1]]
        wanted = WantedTexts(texts, files.variant, found.ids, sample_ids, members)
        found.violations += said_otherwise(files, texts, found.ids, "docs", docs)
        del docs, documents, uuids
        tokens = None
        try:
            tokens = Tokens(run.tokenizer(), run.dir, files.prefix, sizes)
            found.num_tokens = tokens.num
        except DataError as exc:
            found.violations.append(str(exc))
        number = 0
        for batch in text_file.iter_batches(BATCH, columns=["text", *BESIDE["text"]]):
            held = text_bytes(batch["text"])
            if members is None:
                ids = found.ids[number : number + len(held)]
                found.violations += said_otherwise(files, texts, ids, "text", batch)
            found.violations += [
                f"{files.prefix}: the text of {name} is not that of the curated sample"
                for name in wanted.foreign(number, held)
            ]
            if tokens is not None and (odd := tokens.odd(number, held, stride)):
                found.violations += odd
                tokens = None
            number += len(held)
            found.num_encoded = tokens.num_encoded if tokens is not None else 0


def said_otherwise(files: PackedFiles, texts: CuratedTexts, ids: Any, beside: str, rows: Any) -> list[str]:
    """What the rows of these samples say beside the text that is not so of the curated samples; the first is named."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as compute

    columns = [rows[name] for name in BESIDE[beside]]
    columns = [each.combine_chunks() if isinstance(each, pa.ChunkedArray) else each for each in columns]
    columns = [compute.binary_join(each, ",") if pa.types.is_list(each.type) else each for each in columns]
    said = compute.binary_join_element_wise(*columns, BETWEEN, null_handling="replace", null_replacement=NOTHING)
    hashes = np.fromiter(map(hash_of_bytes, text_bytes(said)), dtype=np.uint64, count=len(said))
    known, wanted, _ = texts.of_samples(ids, beside)
    odd = ids[known & (wanted != hashes)]
    name = f"{files.prefix}.{beside}.parquet"
    return [f"{name}: the columns of {each:016x}… are not those of the curated sample" for each in odd[:1].tolist()]


def numbers(column: Any) -> Any:
    """An Arrow column as a numpy array. `to_numpy` would import pandas, for whole numbers too."""
    import numpy as np
    import pyarrow as pa

    plain = len(column) and not column.null_count and pa.types.is_integer(column.type)
    return np.from_dlpack(column.combine_chunks()) if plain else column.to_numpy()


def text_bytes(column: Any) -> list[memoryview]:
    """The texts of an Arrow array of strings, as UTF-8. Raises ValueError if one is null."""
    import numpy as np

    if column.null_count:
        raise ValueError("a text is null")
    if not len(column):
        return []
    if str(column.type) not in OFFSETS:
        raise ValueError(f"texts are of type {column.type}")
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, dtype=OFFSETS[str(column.type)])[column.offset : column.offset + len(column) + 1]
    view = memoryview(data) if data is not None else memoryview(b"")
    return [view[begin:end] for begin, end in itertools.pairwise(ends.tolist())]


def documents_of(documents: list[int], sample_ids: list[str]) -> list[list[str]]:
    """The samples of each document, in order; rows of one document stand together, numbered from 0."""
    members: list[list[str]] = []
    for document, sample_id in zip(documents, sample_ids, strict=True):
        if document == len(members):
            members.append([])
        if document != len(members) - 1:
            return []
        members[-1].append(sample_id)
    return members


def _uuid(names: list[str]) -> str:
    return names[0] if len(names) == 1 else content_id(*names)


class WantedTexts:
    """The texts that the documents of a packed shard must have."""

    def __init__(
        self, texts: CuratedTexts, variant: str, ids: Any, sample_ids: list[str], members: list[list[str]] | None
    ) -> None:
        self.known, self.hashes, self.lengths = texts.of_samples(ids, variant)
        self.sample_ids, self.members = sample_ids, members
        """members: None where each document is one sample"""
        self._passed = 0

    def foreign(self, first: int, texts: list[memoryview]) -> list[str]:
        """The ids whose text is another one than the curated sample's, of the documents from `first` on."""
        import numpy as np

        if self.members is not None:
            return self._foreign_siblings(self.members[first : first + len(texts)], texts)
        part = slice(first, first + len(texts))
        found = b"".join([hashlib.blake2b(text, digest_size=8).digest() for text in texts])
        same = self.known[part] & (self.hashes[part] == np.frombuffer(found, dtype="<u8"))
        return [self.sample_ids[first + place] for place in np.flatnonzero(~same).tolist()]

    def _foreign_siblings(self, members: list[list[str]], texts: list[memoryview]) -> list[str]:
        """The same for documents of several samples, which stand apart by SIBLINGS_APART."""
        from nemo_sdg.export.documents import SIBLINGS_APART

        odd = []
        for names, text in zip(members, texts, strict=True):
            rest = bytes(text)
            for number, sample_id in enumerate(names):
                place = self._passed
                self._passed += 1
                length = int(self.lengths[place]) if self.known[place] else len(rest)
                own, rest = rest[:length], rest[length:]
                apart = SIBLINGS_APART.encode() if number < len(names) - 1 else b""
                digest = int.from_bytes(hashlib.blake2b(own, digest_size=8).digest(), "little")
                if not self.known[place] or int(self.hashes[place]) != digest or not rest.startswith(apart):
                    odd.append(sample_id)
                rest = rest[len(apart) :]
            if rest and names[-1] not in odd:
                odd.append(names[-1])
        return odd
