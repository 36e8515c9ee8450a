"""The order of the steps; the only place that knows it.

catalog > seeds > questions > answers > verified > curated > packed > blend, then the report and the manifest
"""

import contextlib
import fcntl
import importlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg import config as configuration
from nemo_sdg.config import RunConfig
from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.execution.context import Context
from nemo_sdg.execution.processes import quiet_libraries
from nemo_sdg.execution.progress import Progress, format_seconds
from nemo_sdg.execution.tracking import open_trackers
from nemo_sdg.storage import remove_temporaries, write_bytes

STEPS = ["catalog", "seeds", "questions", "answers", "verified", "curated", "packed", "blend"]


def steps_between(*, only: str | None = None, start: str | None = None, until: str | None = None) -> list[str]:
    """The steps to run, in order. Raises ConfigError for a name that is no step."""
    for name in (only, start, until):
        if name is not None and name not in STEPS:
            raise ConfigError(f"no step {name!r}; the steps are {', '.join(STEPS)}")
    if only is not None:
        return [only]
    return STEPS[STEPS.index(start or STEPS[0]) : STEPS.index(until or STEPS[-1]) + 1]


def run(
    config: RunConfig,
    *,
    only: str | None = None,
    start: str | None = None,
    until: str | None = None,
    worker: tuple[int, int] = (0, 1),
) -> None:
    """Runs the steps that are not done yet. Calling it again after any interruption goes on where the files end."""
    names = steps_between(only=only, start=start, until=until)
    if "curated" in names:
        importlib.import_module("nemo_sdg.steps.curated").preflight(config.curate)
    with open_run(config, worker=worker) as context:
        for name in names:
            require_previous(context, name)
            begin = time.monotonic()
            importlib.import_module(f"nemo_sdg.steps.{name}").run(context)
            context.progress.line(step_line(context, name, time.monotonic() - begin))
        if names[-1] == STEPS[-1]:
            from nemo_sdg.pipeline import finish as summary

            summary.finish(context, STEPS)


@contextlib.contextmanager
def open_run(config: RunConfig, *, worker: tuple[int, int] = (0, 1)) -> Iterator[Context]:
    """Opens or continues the run in `run.dir`: checks its identity, holds its lock.

    Raises ConfigError when the folder holds a run of another configuration, SdgError when another process works on it.
    """
    run_dir = Path(config.run.dir)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        lock = open(run_dir / ".lock", "a")  # noqa: SIM115
    except OSError as exc:
        raise SdgError(
            f"run.dir={run_dir} cannot be written: {exc.strerror or exc}; choose another with run.dir=..."
        ) from exc
    with lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_SH if worker[1] > 1 else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as exc:
            raise SdgError(f"another process is working on {run_dir}; wait for it, or end it") from exc
        fingerprint = claim(run_dir, config)
        if worker[1] == 1:
            remove_temporaries(run_dir)
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        quiet_libraries()
        name = f"{worker[0]}/{worker[1]}" if worker[1] > 1 else None
        trackers = open_trackers(config.run.trackers, run_dir)
        progress = Progress(run_dir / "progress.jsonl", every=config.run.progress_every, worker=name, trackers=trackers)
        try:
            yield Context(config=config, run_dir=run_dir, fingerprint=fingerprint, progress=progress, worker=worker)
        finally:
            for tracker in trackers:
                tracker.close()


def claim(run_dir: Path, config: RunConfig) -> str:
    """Writes config.yaml of a new run, or holds the configuration against an old run's; returns the fingerprint."""
    import yaml

    identity = configuration.identity(config)
    path = run_dir / "config.yaml"
    if path.is_file():
        try:
            old = yaml.safe_load(path.read_text())
        except yaml.YAMLError as exc:
            raise SdgError(f"{path} is damaged ({exc}); restore it or choose another run.dir") from exc
        changes = configuration.differences(old, identity)
        if changes:
            shown = "; ".join(changes[:5]) + (f" and {len(changes) - 5} more" if len(changes) > 5 else "")
            raise ConfigError(
                f"{run_dir} holds a run of another configuration ({shown}); choose another run.dir, or "
                "delete the folder"
            )
    else:
        write_bytes(path, yaml.safe_dump(identity, sort_keys=False, allow_unicode=True).encode())
    return configuration.fingerprint(identity)


def require_previous(context: Context, name: str) -> None:
    """A step needs the one before it on disk."""
    position = STEPS.index(name)
    if position and not context.step_dir(STEPS[position - 1]).shards():
        raise SdgError(
            f"step {name} needs {STEPS[position - 1]}/, which {context.run_dir} does not hold yet; run "
            "without --only/--from first"
        )


def step_line(context: Context, name: str, seconds: float) -> str:
    """One line for a finished step: what it holds, what it dropped."""
    counts = context.step_dir(name).counts()
    kept = sum(row["kept"] for row in counts.values())
    dropped: dict[str, int] = {}
    for row in counts.values():
        for reason, num in row["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + num
    reasons = ", ".join(
        f"{reason} {num}" for reason, num in sorted(dropped.items(), key=lambda item: (-item[1], item[0]))[:6]
    )
    text = f"{name:<10} {kept:>9,} kept {sum(dropped.values()):>8,} dropped  {format_seconds(seconds):>7}"
    return f"{text}  ({reasons})" if reasons else text


def parse_worker(text: str) -> tuple[int, int]:
    """`2/4` is the worker with index 2 of 4. Raises ConfigError."""
    parts: Any = text.split("/")
    if len(parts) != 2 or not all(part.isdigit() for part in parts) or not 0 <= int(parts[0]) < int(parts[1]):
        raise ConfigError(f"--worker must be INDEX/NUMBER with 0 <= INDEX < NUMBER, got {text!r}")
    return int(parts[0]), int(parts[1])
