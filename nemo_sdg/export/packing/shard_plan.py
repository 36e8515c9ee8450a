"""Plans which curated rows go into which packed shard, before anything is tokenised, so that workers share nothing.

A unit is one packed shard of one task and split (and band of difficulty, with export.difficulty_bands), for all
variants at once, because a document that is too long in one variant leaves both. One task, because a blend weighs
datasets: the share of a task can only be held when it has prefixes of its own. Rows are byte offsets into curated
shards: 2M rows are 16 MB, and no text is held.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from nemo_sdg.config import ExportSection, Form, fingerprint
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.blend.difficulty import band_of
from nemo_sdg.export.documents import render_text
from nemo_sdg.export.packed_shards import is_family
from nemo_sdg.export.packing.tokenizers import Tokenizer
from nemo_sdg.records.lines import SampleLine

CALIBRATION_ROWS = 64
MOST_TOKENS, BESIDE = 4, 10_000
"""tokens of a character at most, and characters that a text has beside those that are counted (its template, tests of
code): a group that fits into one shard even so is not tokenised to find that out
"""
TEXT_FIELDS = ("passage", "question", "context", "reasoning")

if TYPE_CHECKING:
    Integers = array[int]
else:
    Integers = array
Group = tuple[str, str, str, str]
"""family, split, task, band of difficulty ("" where all are packed together)"""


@dataclass(slots=True)
class Rows:
    """Rows of one group in one curated shard: where each begins (bytes), its characters of text, its seed's number."""

    offsets: Integers = field(default_factory=lambda: array("Q"))
    lengths: Integers = field(default_factory=lambda: array("Q"))
    seeds: Integers = field(default_factory=lambda: array("Q"))

    def by_seed(self) -> "Rows":
        """The same rows, siblings together, seeds in the order in which they are first met."""
        first = {seed: place for place, seed in reversed(list(enumerate(self.seeds)))}
        order = sorted(range(len(self.seeds)), key=lambda place: (first[self.seeds[place]], place))
        columns = (self.offsets, self.lengths, self.seeds)
        return Rows(*(array("Q", [column[place] for place in order]) for column in columns))


@dataclass(kw_only=True, slots=True)
class PackUnit:
    """The rows of one packed shard, in the order of its documents."""

    family: str
    split: str
    task: str
    index: int
    """within family and split"""
    band: str = ""
    """of difficulty, where bands are packed apart"""
    rows: list[tuple[Path, Integers]]
    """curated shard, and where its rows begin (bytes)"""

    @property
    def name(self) -> str:
        """Name of the receipt."""
        return f"{self.family}-{self.split}-{self.index:05d}"

    @property
    def inputs(self) -> list[Path]:
        return [path for path, _ in self.rows]

    def rows_id(self) -> str:
        """Identity of the choice of rows: curated shards may be the same and yet be cut elsewhere."""
        return fingerprint([[path.name, hashlib.sha256(offsets.tobytes()).hexdigest()] for path, offsets in self.rows])

    def samples(self) -> Iterator[SampleLine]:
        for path, offsets in self.rows:
            yield from read_rows(path, offsets)


def read_rows(path: Path, offsets: Iterable[int]) -> Iterator[SampleLine]:
    """The samples of a curated shard that begin at these bytes."""
    with open(path, "rb") as handle:
        for offset in offsets:
            handle.seek(offset)
            yield orjson.loads(handle.readline())


def seed_of(sample: SampleLine) -> str:
    """The seed whose siblings a sample belongs to."""
    return str(sample["seed_ids"][0]) if sample["seed_ids"] else str(sample["sample_id"])


def split_of(sample: SampleLine, valid_share: float) -> str:
    """`train` or `valid`, by the hash of the first seed's id: nothing written after one seed straddles the two."""
    return _split_of_seed(seed_of(sample), valid_share)


def straddles(sample: SampleLine, valid_share: float) -> bool:
    """Whether a sample was written after seeds of both splits: in either of them it would carry something of the
    other.
    """
    return len(sample["seed_ids"]) > 1 and len({_split_of_seed(seed, valid_share) for seed in sample["seed_ids"]}) > 1


def _split_of_seed(seed_id: str, valid_share: float) -> str:
    position = _seed_number(seed_id) / 2**64
    return "valid" if position < valid_share else "train"


def _seed_number(seed_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(seed_id.encode(), digest_size=8).digest(), "big")


def scan_shard(
    path: Path, valid_share: float, text_fields: tuple[str, ...] = TEXT_FIELDS, bands: bool = False
) -> dict[Group, Rows]:
    """The rows of each group. Raises DataError on a damaged line."""
    found: dict[Group, Rows] = {}
    offset = 0
    with open(path, "rb") as handle:
        for number, line in enumerate(handle, 1):
            try:
                sample = orjson.loads(line)
                seed = _seed_number(seed_of(sample))
                band = band_of(sample) if bands else ""
                group = sample["family"], split_of(sample, valid_share), sample["task"], band
                length = sum(len(sample[name]) for name in text_fields if sample.get(name)) + sum(
                    map(len, sample["choices"] or ())
                )
            except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
                raise DataError(
                    f"{path}, line {number} is not a sample ({type(exc).__name__}: {exc}); run the step curated again"
                ) from exc
            rows = found.setdefault(group, Rows())
            rows.offsets.append(offset)
            rows.lengths.append(length + len((sample["answer"] or {}).get("text") or ""))
            rows.seeds.append(seed)
            offset += len(line)
    return found


def plan_packing(
    shards: Iterable[Path],
    export: ExportSection,
    tokenizer: Tokenizer,
    *,
    map_shards: Callable[..., Iterable[dict[Group, Rows]]] = map,
) -> list[PackUnit]:
    """Cuts each task and split into shards of nearly equal size, about `export.shard_tokens` tokens.

    Sizes are estimated from characters, with the tokens per character of rows spread over the task. `map_shards` is
    `map` or a pool's `map`. In form `siblings` the samples of a seed, which lie in one curated shard, stay together.
    """
    paths = sorted(shards)
    fields = (*TEXT_FIELDS, "trace") if "trace" in export.variants else TEXT_FIELDS
    groups: dict[Group, list[tuple[Path, Rows]]] = {}
    num, bands = len(paths), export.difficulty_bands
    scanned = map_shards(scan_shard, paths, [export.valid_share] * num, [fields] * num, [bands] * num)
    for path, found in zip(paths, scanned, strict=True):
        for group, rows in found.items():
            groups.setdefault(group, []).append((path, rows.by_seed() if export.form is Form.siblings else rows))
    units: list[PackUnit] = []
    for family, split, task, band in sorted(groups):
        if not is_family(family):
            raise ConfigError(
                f"a family's name becomes a folder: letters, digits, _ and - only, got {family!r}; rename it"
            )
        first = units[-1].index + 1 if units and (units[-1].family, units[-1].split) == (family, split) else 0
        for number, cut in enumerate(_cut(groups[family, split, task, band], export, tokenizer)):
            units.append(PackUnit(family=family, split=split, task=task, index=first + number, band=band, rows=cut))
    return units


def _cut(
    parts: list[tuple[Path, Rows]], export: ExportSection, tokenizer: Tokenizer
) -> list[list[tuple[Path, Integers]]]:
    """The rows of a group in pieces of about `export.shard_tokens` tokens, none of them empty."""
    total = max(1, sum(sum(rows.lengths) for _, rows in parts))
    num_rows = sum(len(rows.offsets) for _, rows in parts)
    if MOST_TOKENS * (total + BESIDE * num_rows) <= export.shard_tokens:
        num_pieces = 1
    else:
        num_pieces = max(1, round(total * tokens_per_character(parts, export, tokenizer) / export.shard_tokens))
    together = export.form is Form.siblings
    pieces: dict[int, list[tuple[Path, Integers]]] = {}
    passed, number, last = 0, 0, None
    for path, rows in parts:
        for offset, length, seed in zip(rows.offsets, rows.lengths, rows.seeds, strict=True):
            if not together or seed != last:
                number = min(num_pieces - 1, passed * num_pieces // total)
            piece = pieces.setdefault(number, [])
            if not piece or piece[-1][0] != path:
                piece.append((path, array("Q")))
            piece[-1][1].append(offset)
            passed, last = passed + length, seed
    return list(pieces.values())


def tokens_per_character(parts: list[tuple[Path, Rows]], export: ExportSection, tokenizer: Tokenizer) -> float:
    """Tokens of the longest variant per character of the sample, over rows spread evenly over all of them."""
    num_rows = sum(len(rows.offsets) for _, rows in parts)
    stride = max(1, num_rows // CALIBRATION_ROWS)
    characters, texts, first = 0, list[str](), 0
    for path, rows in parts:
        chosen = range(-first % stride, len(rows.offsets), stride)
        samples = read_rows(path, [rows.offsets[position] for position in chosen])
        for position, sample in zip(chosen, samples, strict=True):
            characters += rows.lengths[position]
            texts.append(max((render_text(sample, variant) for variant in export.variants), key=len))
        first += len(rows.offsets)
    return sum(map(len, tokenizer.encode(texts))) / max(characters, 1)
