"""The step `packed`: curated samples as training text in Megatron indexed datasets, once for each variant."""

from nemo_sdg.config import RunConfig, Verify
from nemo_sdg.execution.context import Context, watch_receipts
from nemo_sdg.storage import ContentHashes, Inputs

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
    from nemo_sdg.export.packing.pack import pack_shards

    source, target, settings = context.before("packed"), context.step_dir("packed"), context.config.run
    with context.progress.step("packed", None, "packed shards") as state:
        state.poll = watch_receipts(target)
        pack_shards(
            [source.shard_path(shard) for shard in source.shards()],
            target,
            context.config.export,
            workers=settings.workers,
            dask_address=settings.dask_address,
            full=settings.verify is Verify.full,
        )
    return target.shards()
