"""Step 8: weights of the families, and the blend files that the trainers read."""

from nemo_sdg.errors import ConfigError
from nemo_sdg.execution.context import Context
from nemo_sdg.storage import StepDir, file_facts

FILES = ["mixture.json"]
"""the file whose bytes do not depend on where the run lies; the trainers' own forms carry absolute paths and are
written each time
"""


def run(context: Context) -> None:
    from nemo_sdg.export.blend import write_blend
    from nemo_sdg.export.mixture import plan_mixture

    config, packed, target = context.config, context.step_dir("packed"), context.step_dir("blend")
    with context.progress.step("blend", unit="files"):
        available = packed_tokens(packed, config.export.variants[0])
        mixture = plan_mixture(available, config.mixture)
        write_blend(
            target,
            mixture.weights,
            config.export,
            config.blend,
            packed=packed,
            task_weights=mixture.task_weights,
            synthetic_share=config.mixture.synthetic_share,
            train_tokens=config.mixture.train_tokens,
            explanation=mixture.as_dict(),
        )
        outputs = {f"blend/{name}": file_facts(target.path / name) for name in FILES}
        target.write_receipt(
            "blend", outputs, packed.counts(), inputs=[packed.receipt_path(name) for name in packed.shards()]
        )


def packed_tokens(packed: StepDir, variant: str) -> dict[str, dict[str, int]]:
    """Tokens of the train split per family and task, {family: {task: tokens}}."""
    tokens: dict[str, dict[str, int]] = {}
    for name in packed.shards():
        receipt = packed.receipt(name) or {}
        sizes = receipt.get("variants", {}).get(variant)
        if sizes and receipt["split"] == "train":
            family = tokens.setdefault(receipt["family"], {})
            family[receipt["task"]] = family.get(receipt["task"], 0) + sizes["tokens"]
    if not tokens:
        raise ConfigError(
            "no family has a document in the split train; look at curated/dropped and packed/dropped for the reasons"
        )
    return tokens
