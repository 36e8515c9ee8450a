"""Law of the packed corpora: they hold exactly the curated samples, with their texts, and the tokens of those texts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from nemo_sdg.commands.check.findings import CheckedRun, Ids, Verdict
from nemo_sdg.commands.check.packed.compare import Compared, CuratedTexts, PackedFiles, compare_shard
from nemo_sdg.commands.check.shards import Shard
from nemo_sdg.commands.check.takers import Texts
from nemo_sdg.errors import DataError
from nemo_sdg.export.packing.indexed_dataset import DTYPES
from nemo_sdg.storage import total_dropped
from nemo_sdg.storage.regular import open_regular

ENCODED_TOKENS = 50_000_000
"""tokens up to which every document is tokenised again; in a larger corpus, documents spread evenly over it are"""
DOCS = ".docs.parquet"


@dataclass(kw_only=True)
class Packed:
    """The comparison of the packed shards with the curated texts; other processes may be at it."""

    texts: CuratedTexts
    files: list[PackedFiles]
    found: Iterable[Compared]


def packed_is_complete(run: CheckedRun, verdict: Verdict) -> None:
    """Every curated sample is packed once per variant, or counted as left out; the texts are those of the samples, the
    tokens those of the texts.
    """
    import numpy as np

    if "packed" not in run.ledgers:
        verdict.violations.append("nothing is packed")
        return
    packed: Packed = run.begun.pop("packed", None) or begin_packed(run)
    variants, curated = packed.texts.variants, packed.texts.ids
    held = {variant: Ids() for variant in variants}
    order: dict[str, dict[str, bytes]] = {variant: {} for variant in variants}
    seeds: dict[str, list[Any]] = defaultdict(list)
    num_tokens = num_encoded = 0
    stopped: Exception | None = None
    for files, found in zip(packed.files, packed.found, strict=True):
        verdict.violations += found.violations
        run.hashes |= found.hashes
        stopped = stopped or found.error
        num_tokens, num_encoded = num_tokens + found.num_tokens, num_encoded + found.num_encoded
        if found.ids is not None:
            held[files.variant].add(found.ids)
            order[files.variant][files.shard] = found.order
            seeds[files.split].append(found.seeds)
    if stopped is not None:
        raise stopped
    num_left_out = sum(
        total_dropped(receipt["counts"]).total()
        for name, receipt in run.receipts.items()
        if name.startswith("packed/receipts/")
    )
    for variant, ids in held.items():
        if ids.num_twins() or not np.isin(ids.sorted, curated).all():
            verdict.violations.append(f"packed/{variant} holds a sample twice, or one that is not curated")
        if ids.num + num_left_out != len(curated):
            verdict.violations.append(
                f"packed/{variant} holds {ids.num} samples and leaves out {num_left_out}, curated are {len(curated)}"
            )
    if any(digests != order[variants[0]] for digests in order.values()):
        verdict.violations.append("the variants do not hold the same samples in the same order")
    train, valid = (
        np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *seeds[split]])) for split in ("train", "valid")
    )
    if len(both := np.intersect1d(train, valid, assume_unique=True)):
        verdict.violations.append(f"samples of seed {int(both[0]):016x}… stand in train and in valid")
    verdict.detail = f"{num_tokens:,} tokens in {len(held)} variants, {num_encoded:,} of them tokenised again"


def begin_packed(run: CheckedRun, folder: Path | None = None) -> Packed:
    """Begins to compare every packed shard with the curated samples. With `folder`, other processes do it, which find
    the hashes of the texts there.
    """
    variants: list[str] = run.ledgers["packed"].configuration["export.variants"]
    texts = CuratedTexts.of([part for _, part in run.each_shard(texts_of) if part is not None], variants)
    if folder is not None:
        texts.save(folder)
    files = [
        PackedFiles(prefix=output.removesuffix(DOCS), variant=Path(output).parts[1], split=Path(output).parts[3])
        for name, receipt in sorted(run.receipts.items())
        if name.startswith("packed/receipts/")
        for output in sorted(receipt["outputs"])
        if output.endswith(DOCS)
    ]
    passed = accumulate(num_tokens(run.dir, each) for each in files)
    strides = [1 + num // ENCODED_TOKENS for num in passed]
    # the largest first, so that processes which share them end together
    work = sorted(zip(files, strides, strict=True), key=lambda each: -num_tokens(run.dir, each[0]))
    files, strides = [files for files, _ in work], [stride for _, stride in work]
    found = run.do(compare_shard, files, [folder or texts] * len(files), strides)
    return Packed(texts=texts, files=files, found=found)


def texts_of(shard: Shard) -> tuple[Any, Any, Any] | None:
    """Ids of a shard's curated samples, hashes and lengths of their training texts; None where nothing is packed."""
    import numpy as np

    if "curated" not in shard or "packed" not in shard.run.ledgers:
        return None
    texts = shard.of("curated", Texts)
    ids, hashes, lengths = (np.array(column, dtype=np.uint64) for column in (texts.ids, texts.hashes, texts.lengths))
    return ids, hashes, lengths


def num_tokens(run_dir: Path, files: PackedFiles) -> int:
    """Tokens of a packed shard by the size of its .bin and the type in its .idx; 0 where one of them is damaged."""
    import numpy as np

    try:
        with open_regular(run_dir / files.idx) as handle:
            width = np.dtype(DTYPES[handle.read(18)[17]]).itemsize
        return (run_dir / files.bin).stat().st_size // width
    except (DataError, OSError, LookupError):
        return 0
