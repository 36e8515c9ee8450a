"""Which steps a run has still to finish: laws look at the steps before them, and call what lacks there a violation.

A run without manifest.json is unfinished: it was interrupted, or another process works on it. Of such a run a step is
finished when its ledger follows from the one before, names exactly the receipts that are there, and was made under
config.yaml. Where the manifest is there and nobody is at work, every step should be finished, and what lacks is damage.
"""

import contextlib
from pathlib import Path
from typing import Any

from nemo_sdg.commands.check.findings import CheckedRun, ToDo, Verdict
from nemo_sdg.config import recorded_settings
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.pipeline.order import BY_SHARD
from nemo_sdg.storage import Ledger, StepDir, at_work, read_ledger, stored_files

NEEDED = {
    "in = kept + dropped": ("seeds", "curated"),
    "each step holds what the one before it gave": ("seeds", "curated"),
    "samples come from seeds": ("curated", "curated"),
    "seeds are rows of their training splits": ("seeds", "seeds"),
    "no seed comes from a split that is evaluated on": ("seeds", "seeds"),
    "no evaluation row that can be read is a seed or a sample": ("seeds", "curated"),
    "packed corpora hold the curated samples": ("packed", "packed"),
    "the blend names the packed corpora": ("blend", "blend"),
}
"""law -> the step without which nothing of it can be looked at, and the last step that it speaks of"""


def to_do(run_dir: Path, steps: list[str]) -> ToDo:
    """What the run has still to do of these steps."""
    who = at_work(run_dir)
    if (run_dir / "manifest.json").exists() and who is None:
        return ToDo()
    config: dict[str, dict[str, Any]] | None = None  # where it is damaged, the ledgers alone tell
    with contextlib.suppress(OSError, ConfigError):
        config = recorded_settings(run_dir)
    before: dict[str, str] = {}
    for place, step in enumerate(steps):
        try:
            ledger = read_ledger(run_dir, step)
        except DataError:  # ledgers are written whole: it is damaged, as its law says
            before = {}
            continue
        if ledger is None or (before and ledger.before != before) or not _is_sealed(run_dir, ledger, config):
            redone = [later for later in steps[place:] if (run_dir / later / "ledger.json").exists()]
            return ToDo(steps=steps[place:], redone=redone, who=who)
        before = {step: ledger.identity}
    return ToDo(who=who)


def _is_sealed(run_dir: Path, ledger: Ledger, config: dict[str, Any] | None) -> bool:
    """Whether the receipts are the ledger's, and config.yaml says what it says."""
    try:
        if StepDir(run_dir=run_dir, step=ledger.step, fingerprint="").receipt_hashes() != ledger.receipts:
            return False
    except OSError:  # a receipt was replaced meanwhile
        return False
    parts = [name.partition(".") for name in ledger.configuration]
    return config is None or all(
        ledger.configuration[f"{section}.{name}"] == config.get(section, {}).get(name)
        for section, _, name in parts
        if section != "roles"
    )


def begun_files(run: CheckedRun, verdict: Verdict) -> dict[str, dict[str, Any]]:
    """The files that receipts of unfinished steps name. A step that is redone replaces its files before their receipts,
    so nothing is said of its files.
    """
    named: dict[str, dict[str, Any]] = {}
    for step in run.todo.steps:
        if step in run.todo.redone:
            verdict.unfinished.append(f"{step} is to be redone: its files were not looked at")
            continue
        named |= {name: facts for one in run.receipts_of([step]).values() for name, facts in one["outputs"].items()}
        files = stored_files(run.dir / step, "shard-*.jsonl")
        if num := sum(str(path.relative_to(run.dir)) not in named for path in files):
            verdict.unfinished.append(f"{step}: {num} shards have no receipt yet")
    return named


def waits_for(run: CheckedRun, law: str, verdict: Verdict) -> bool:
    """Notes the step that a law waits for; whether nothing of it can be looked at before."""
    first, last = NEEDED.get(law, ("", ""))
    if last in run.todo.steps:
        verdict.unfinished.append(f"{last} is not finished")
    return first in run.todo.steps


def progress_of(run: CheckedRun) -> list[str]:
    """How far the first unfinished step is, the steps after it, and who is at work."""
    if not run.todo.steps:
        return []
    step, *later = run.todo.steps
    num = len(StepDir(run_dir=run.dir, step=step, fingerprint="").shards())
    of = f" of {len(run.shards(run.steps[-1]))}" if step in BY_SHARD else ""
    redone = f", {', '.join(run.todo.redone)} to be redone" if run.todo.redone else ""
    return [
        f"{step} is not finished: {num}{of} shards{redone}",
        *([f"still to do after it: {', '.join(later)}"] if later else []),
        f"at work: {run.todo.who}"
        if run.todo.who
        else "nobody is at work: `nemo-sdg run` with the same configuration goes on",
    ]
