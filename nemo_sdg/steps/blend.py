"""Step 8: weights of the families, and the blend files that the trainers read."""

from nemo_sdg.execution.context import Context
from nemo_sdg.storage import file_facts

FILES = ["mixture.json"]
"""the file whose bytes do not depend on where the run lies; the trainers' own forms carry absolute paths and are
written each time
"""


def run(context: Context) -> None:
    from nemo_sdg.export.blend import plan_blend, write_blend

    config, packed, target = context.config, context.step_dir("packed"), context.step_dir("blend")
    with context.progress.step("blend", unit="files"):
        mixture = plan_blend(packed, config.export, config.mixture)
        write_blend(target, mixture, config.export, config.blend, packed=packed)
        outputs = {f"blend/{name}": file_facts(target.path / name) for name in FILES}
        target.write_receipt(
            "blend", outputs, packed.counts(), inputs=[packed.receipt_path(name) for name in packed.shards()]
        )
