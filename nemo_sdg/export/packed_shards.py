"""The packed shards of a run, as the receipts in packed/receipts/ say. Whoever counts packed tokens reads them here."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nemo_sdg.errors import DataError
from nemo_sdg.records.lines import FileFactsLine, PackedReceipt
from nemo_sdg.storage import name_outside, read_json, total_kept

PREFIX_SUFFIX = "_text_document"
TEXT_SUFFIX = ".text.parquet"

FamilyTokens = dict[str, dict[str, int]]
"""family -> task -> tokens"""


@dataclass(kw_only=True, slots=True)
class VariantSize:
    """What a shard holds in one variant."""

    documents: int = 0
    tokens: int = 0
    unknown_tokens: int = 0
    """characters, or runs of them, without a token"""
    changed_documents: int = 0
    """documents that the tokenizer does not give back as they were written"""
    without_trace: int = 0
    """variant trace: samples that have none"""

    def __add__(self, other: "VariantSize") -> "VariantSize":
        names = [entry.name for entry in dataclasses.fields(self)]
        return VariantSize(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(kw_only=True, slots=True)
class PackedShard:
    """One packed shard in all its variants."""

    family: str
    split: str = ""
    """train | valid"""
    task: str = ""
    band: str | None = None
    """of difficulty; None where bands were not packed apart"""
    kept: int = 0
    """samples"""
    variants: dict[str, VariantSize] = field(default_factory=dict)
    """without those for which it holds no document"""
    outputs: dict[str, FileFactsLine] = field(default_factory=dict)
    """path relative to the run -> what it holds"""

    def prefix(self, variant: str) -> str:
        """The Megatron dataset, relative to the run: its path without .bin and .idx."""
        (name,) = (name for name in self._files(variant) if name.endswith(f"{PREFIX_SUFFIX}.bin"))
        return name.removesuffix(".bin")

    def texts(self, variant: str) -> list[str]:
        """The files of its texts, relative to the run."""
        return sorted(name for name in self._files(variant) if name.endswith(TEXT_SUFFIX))

    def _files(self, variant: str) -> Iterator[str]:
        return (name for name in self.outputs if Path(name).parts[1] == variant)


def packed_shards(run_dir: Path) -> list[PackedShard]:
    """All packed shards, by the names of their receipts. Raises DataError for a damaged receipt."""
    return [_shard(path) for path in sorted((run_dir / "packed" / "receipts").glob("*.json"))]


def is_family(name: str) -> bool:
    """Whether a name can be a family's: it becomes a folder."""
    return bool(name) and all(character.isalnum() or character in "_-" for character in name)


def _shard(path: Path) -> PackedShard:
    receipt: PackedReceipt = read_json(path)
    try:
        outside = receipt["family"] if not is_family(receipt["family"]) else name_outside(receipt.get("outputs", {}))
        if outside is not None:  # somebody else may have made the run, and its files are published under these names
            raise DataError(f"{path} is not the receipt of a packed shard: {outside!r} is no name of a file in the run")
        return PackedShard(
            family=receipt["family"],
            split=receipt.get("split", ""),
            task=receipt.get("task", ""),
            band=receipt.get("band"),
            kept=total_kept(receipt.get("counts", {})),
            variants={name: VariantSize(**size) for name, size in receipt["variants"].items()},
            outputs=receipt.get("outputs", {}),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise DataError(f"{path} is not the receipt of a packed shard ({exc}); run with --from packed") from exc


def variant_size(shards: Iterable[PackedShard], variant: str) -> VariantSize:
    """The sum over all shards."""
    return sum((shard.variants[variant] for shard in shards if variant in shard.variants), VariantSize())


def family_sizes(shards: Iterable[PackedShard]) -> dict[str, dict[str, VariantSize]]:
    """variant -> family -> size, over both splits."""
    sizes: dict[str, dict[str, VariantSize]] = {}
    for shard in shards:
        for variant, size in shard.variants.items():
            families = sizes.setdefault(variant, {})
            families[shard.family] = families.get(shard.family, VariantSize()) + size
    return sizes


def train_tokens(shards: Iterable[PackedShard], variants: Iterable[str]) -> dict[str, FamilyTokens]:
    """Tokens of the train split, {variant: {family: {task: tokens}}}."""
    tokens: dict[str, FamilyTokens] = {variant: {} for variant in variants}
    for shard in shards:
        for variant in tokens.keys() & shard.variants.keys() if shard.split == "train" else ():
            tasks = tokens[variant].setdefault(shard.family, {})
            tasks[shard.task] = tasks.get(shard.task, 0) + shard.variants[variant].tokens
    return tokens


def band_tokens(
    shards: Iterable[PackedShard], variants: Iterable[str]
) -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    """Tokens of the train split, {variant: {family: {task: {band of difficulty: tokens}}}}. Raises DataError where the
    bands were not packed apart.
    """
    tokens: dict[str, dict[str, dict[str, dict[str, int]]]] = {variant: {} for variant in variants}
    for shard in shards:
        if shard.band is None:
            raise DataError(
                "mixture.difficulty needs bands, and the corpus was packed without export.difficulty_bands: run with "
                "--from packed"
            )
        for variant in tokens.keys() & shard.variants.keys() if shard.split == "train" else ():
            bands = tokens[variant].setdefault(shard.family, {}).setdefault(shard.task, {})
            bands[shard.band] = bands.get(shard.band, 0) + shard.variants[variant].tokens
    return tokens
