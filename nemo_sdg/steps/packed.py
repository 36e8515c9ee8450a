"""The step `packed`: curated samples as training text in Megatron indexed datasets, once for each variant."""

import functools
from collections.abc import Callable

from nemo_sdg.config import RunConfig, Verify
from nemo_sdg.execution.context import Context
from nemo_sdg.storage import ContentHashes, Inputs, StepDir

SHAPES = [
    "export.variants",
    "export.form",
    "export.difficulty_bands",
    "export.bos",
    "export.shard_tokens",
    "export.max_document_tokens",
    "export.valid_share",
]
READS = ["export.tokenizer"]


PACKAGES = ["pyarrow"]


def preflight(config: RunConfig) -> None:
    """Raises ConfigError for a tokenizer that does not exist or has no end-of-sequence id."""
    from nemo_sdg.export.packing.tokenizers import load_tokenizer
    from nemo_sdg.seeds.sources.hub_models import require_model

    require_model("export.tokenizer", config.export.tokenizer)
    load_tokenizer(config.export.tokenizer, bos=config.export.bos)


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    """The tokenizer, identified by its behaviour."""
    from nemo_sdg.export.packing.tokenizers import load_tokenizer

    return Inputs(content={"tokenizer": load_tokenizer(config.export.tokenizer, bos=config.export.bos).digest})


def run(context: Context) -> list[str]:
    from nemo_sdg.execution.stages import UnitStage

    source, target = context.before("packed"), context.step_dir("packed")
    make = functools.partial(make_packer, context.config, source, target)
    context.run_stages("packed", [UnitStage("pack", make)], [["all"]], target=target, total=None, unit="packed shards")
    return target.shards()


def make_packer(config: RunConfig, source: StepDir, target: StepDir) -> Callable[[list[str]], None]:
    """The function that packs the unfinished shards, in `run.workers` processes, or with Dask."""
    from nemo_sdg.export.packing.pack import pack_shards

    def pack(_: list[str]) -> None:
        shards = [source.shard_path(shard) for shard in source.shards()]
        pack_shards(
            shards,
            target,
            config.export,
            workers=config.run.workers,
            dask_address=config.run.dask_address,
            full=config.run.verify is Verify.full,
        )

    return pack
