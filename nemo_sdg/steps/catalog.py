"""The step `catalog`: the lm-eval tasks that the configuration selects, each with a verdict.

Reads lm-eval's YAML files and those of `seeds.include_path`; writes catalog/tasks.jsonl (eligible) and
catalog/refused.jsonl (refused, each with its reasons).
"""

import hashlib
import importlib.metadata
import re
from pathlib import Path

import orjson

from nemo_sdg.config import RunConfig, Verify
from nemo_sdg.errors import ConfigError
from nemo_sdg.execution.context import Context
from nemo_sdg.records import CatalogRow, Verdict
from nemo_sdg.storage import ContentHashes, Counts, Inputs, imported_files, read_jsonl, write_jsonl

SHAPES = ["seeds.tasks", "seeds.declared", "seeds.license_policy", "seeds.licenses", "guard"]
READS = ["seeds.include_path", "seeds.files"]
WITHOUT = ["guard.content", "guard.against", "guard.cache"]


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    """The facts of all tasks in lm-eval and in the folders of include_path, and the files of the selected tasks."""
    from nemo_sdg.catalog.own_rows import include_folders
    from nemo_sdg.catalog.selection import select
    from nemo_sdg.catalog.walk import build_catalog, default_cache_dir, lm_eval_tasks_folder, task_file

    rows, installed = build_catalog(config.seeds, config.guard), Path(lm_eval_tasks_folder()).resolve()
    folders = [
        Path(folder).resolve() for folder in [*include_folders(config.seeds, default_cache_dir()), str(installed)]
    ]
    said = orjson.dumps(rows)
    for folder in folders:  # the facts do not depend on the folders' paths
        said = said.replace(str(folder).encode(), b"")
    found = Inputs()
    found.content["lm-eval"] = importlib.metadata.version("lm-eval")
    found.content["what lm-eval says of all tasks"] = hashlib.sha256(said).hexdigest()
    for row in select(rows, config.seeds.wanted):
        for path in files_of_task(task_file(row.task, config.seeds), installed=installed):
            root = next((folder for folder in folders if path.is_relative_to(folder)), path.parent)
            found.add_file(f"tasks/{path.relative_to(root)}", path, hashes)
    return found


FUNCTION = re.compile(r"!function\s+['\"]?([\w.]+)\.\w+")


def files_of_task(path: Path, *, installed: Path) -> list[Path]:
    """A task's YAML file, the files that it includes, the Python files beside each of them and those that its
    `!function` names, and what these import from the folder. Of lm-eval's own tasks, below `installed`, the imports are
    known by its version.
    """
    from nemo_sdg.catalog.task_files import YamlTree

    files = [Path(file) for file in YamlTree().files_of(path)]
    code = {(file, file.parent) for folder in {file.parent for file in files} for file in folder.glob("*.py")}
    for file in files:
        for module in FUNCTION.findall(file.read_text(encoding="utf-8", errors="replace")):
            named = file.parent / f"{module.replace('.', '/')}.py"
            code |= {(named, file.parent)} if named.is_file() else set()
    found = {*files, *(file for file, _ in code)}
    for file, home in code:
        if not file.resolve().is_relative_to(installed):
            found |= set(imported_files(file, home))
    return sorted(found)


def run(context: Context) -> list[str]:
    from nemo_sdg.catalog.about.metadata import require_valid
    from nemo_sdg.catalog.selection import select
    from nemo_sdg.catalog.walk import build_catalog

    target = context.step_dir("catalog")
    if target.problem("catalog", inputs=[], full=context.config.run.verify is Verify.full) is None:
        return ["catalog"]
    seeds = context.config.seeds
    with context.progress.step("catalog", unit="tasks") as state:
        asked = select(build_catalog(seeds, context.config.guard), seeds.wanted)
        require_valid(asked)
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
    return ["catalog"]


def reason_word(row: CatalogRow) -> str:
    """The word of the first reason: `ring1_evaluated_split: test` is counted as `ring1_evaluated_split`."""
    return row.reasons[0].split(":")[0].strip() if row.reasons else "refused"


def load(context: Context) -> list[CatalogRow]:
    """The eligible rows that the step wrote."""
    return [CatalogRow(**record) for record in read_jsonl(context.step_dir("catalog").path / "tasks.jsonl")]
