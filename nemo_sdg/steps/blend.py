"""The step `blend`: weights of the families, and the blend files that the trainers read."""

from pathlib import Path

from nemo_sdg.config import RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.export.blend.base_datasets import check_share, prefixes_of, read_base
from nemo_sdg.storage import ContentHashes, Inputs, file_facts

SHAPES = ["mixture", "export.budget", "blend.base"]
FILES = ["mixture.json"]
"""files whose bytes do not depend on the run's folder; the files for the trainers hold absolute paths and are written
each time
"""


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    """The user's datasets, identified by their index files, since the .bin files may hold terabytes."""
    found = Inputs()
    for source in config.blend.base:
        path = Path(source.blend) if source.blend is not None else Path(f"{source.prefix}.idx")
        found.add_file(f"base/{path}", path, hashes)
        if source.blend is not None:
            for prefix in prefixes_of(path):
                found.add_file(f"base/{prefix}.idx", Path(f"{prefix}.idx"), hashes)
    return found


def preflight(config: RunConfig) -> None:
    """Raises ConfigError for base datasets that are incomplete, and for a share that leaves no room for them."""
    check_share(config.blend, config.mixture.synthetic_share)
    read_base(config.blend.base)


def run(context: Context) -> list[str]:
    from nemo_sdg.export.blend.write import plan_blend, write_blend

    config, packed, target = context.config, context.before("blend"), context.step_dir("blend")
    with context.progress.step("blend", unit="files"):
        mixture = plan_blend(packed, config.export, config.mixture)
        write_blend(target, mixture, config.export, config.blend, packed=packed)
        outputs = {f"blend/{name}": file_facts(target.path / name) for name in FILES}
        target.write_receipt(
            "blend", outputs, packed.counts(), inputs=[packed.receipt_path(name) for name in packed.shards()]
        )
    return ["blend"]
