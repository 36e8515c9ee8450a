"""Step 1: the lm-eval tasks asked for, each with a verdict.

Reads lm-eval's YAML files and those of `seeds.include_path`; writes catalog/tasks.jsonl (eligible) and
catalog/refused.jsonl (refused, each with its reasons).
"""

from nemo_sdg.errors import ConfigError
from nemo_sdg.execution.context import Context
from nemo_sdg.records import CatalogRow, Verdict
from nemo_sdg.storage import Counts, read_jsonl, write_jsonl


def run(context: Context) -> None:
    from nemo_sdg.catalog.walk import build_catalog, select

    target = context.step_dir("catalog")
    if target.problem("catalog", inputs=[]) is None:
        return
    seeds = context.config.seeds
    with context.progress.step("catalog", unit="tasks") as state:
        asked = select(build_catalog(seeds, context.config.guard), seeds.tasks)
        eligible = [row for row in asked if row.verdict == Verdict.eligible]
        refused = [row for row in asked if row.verdict != Verdict.eligible]
        counts = Counts()
        for row in eligible:
            counts.keep(row.task)
        for row in refused:
            counts.drop(row.task, reason_word(row))
        state.advance(len(asked), kept=len(eligible))
        if not eligible:
            examples = "; ".join(f"{row.task}: {', '.join(row.reasons)}" for row in refused[:3])
            raise ConfigError(
                f"seeds.tasks={seeds.tasks} gives no eligible task ({examples}); see `nemo-sdg tasks --refused`"
            )
        outputs = {}
        for name, rows in (("tasks.jsonl", eligible), ("refused.jsonl", refused)):
            outputs[f"catalog/{name}"] = write_jsonl(target.path / name, rows)
        target.write_receipt("catalog", outputs, counts.as_dict())


def reason_word(row: CatalogRow) -> str:
    """The first reason's fixed word: `ring1_evaluated_split: test` is counted as `ring1_evaluated_split`."""
    return row.reasons[0].split(":")[0].strip() if row.reasons else "refused"


def load(context: Context) -> list[CatalogRow]:
    """The eligible rows as the step wrote them."""
    return [CatalogRow(**record) for record in read_jsonl(context.step_dir("catalog").path / "tasks.jsonl")]
