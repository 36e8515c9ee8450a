"""`nemo-sdg check RUN`: checks each law on the files of a run, with code of its own.

It uses no verdict and no count of the pipeline. It reads every record again, counts again, hashes again, and asks
lm-eval's YAML files again which splits are evaluated on. The verdict on a law is *proved*, *VIOLATED* with what breaks
it, or *not seen* with what could not be looked at. It can be called from any folder: relative paths start from the
folder that the run was made in, which the ledgers name.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

from nemo_sdg.commands.check import corpora, evaluation, files, records
from nemo_sdg.commands.check.findings import CheckedRun, Verdict
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.execution.processes import quiet_libraries, worker_processes
from nemo_sdg.pipeline.order import STEPS, configured_steps
from nemo_sdg.records import visible
from nemo_sdg.storage import different_versions, require_run

Law = Callable[[CheckedRun, Verdict], None]
PACKED = "packed corpora hold the curated samples"
LARGE = 64 * 2**20
"""bytes of curated samples from which a second process is worth its start"""
LAWS: list[tuple[str, Law]] = [
    ("files are whole", files.files_are_whole),
    ("every step is finished and follows from the one before", files.steps_are_finished),
    ("inputs are what they were", files.inputs_are_unchanged),
    ("in = kept + dropped", records.nothing_vanishes),
    ("each step holds what the one before it gave", records.steps_follow),
    ("samples come from seeds", records.samples_have_seeds),
    ("seeds are rows of their training splits", evaluation.seeds_are_their_rows),
    ("no seed comes from a split that is evaluated on", evaluation.no_seed_is_evaluated_on),
    ("no evaluation row that can be read is a seed or a sample", evaluation.no_evaluation_row_is_repeated),
    (PACKED, corpora.packed_is_complete),
    ("the blend names the packed corpora", corpora.blend_names_the_corpora),
    ("the run is finished", files.run_is_finished),
]


def check(run_dir: Path) -> int:
    """Prints the verdict on each law; returns 1 if a law is violated, else 0."""
    import typer

    verdicts = prove(run_dir)
    for verdict in verdicts:
        for line in verdict.lines():
            typer.echo(visible(line))
    if versions := different_versions(run_dir, steps_of(run_dir)):
        typer.echo(versions)
    violated = any(verdict.violations for verdict in verdicts)
    if violated:
        typer.echo(f"`nemo-sdg run` with the same configuration repairs what is missing or damaged in {run_dir}")
    return int(violated)


def prove(run_dir: Path, only: str | None = None) -> list[Verdict]:
    """The verdicts on all laws, or on `only` one. Raises DataError if the folder is not a run directory.

    The law on packed corpora takes as long as the others together: for a large run it has a process of its own.
    """
    run_dir = run_dir.resolve()
    require_run(run_dir)
    run = CheckedRun(run_dir, steps_of(run_dir))
    directory = next((ledger.directory for ledger in run.ledgers.values() if Path(ledger.directory).is_dir()), None)
    names = [name for name, _ in LAWS if only in (None, name)]
    size = sum(path.stat().st_size for path in (run_dir / "curated").glob("shard-*.jsonl"))
    if only is not None or size < LARGE:
        return [prove_law(run, name, directory) for name in names]
    with worker_processes(1) as pool:
        beside = pool.submit(prove_apart, run_dir, run.steps, PACKED, directory)
        verdicts = {name: prove_law(run, name, directory) for name in names if name != PACKED}
        verdicts[PACKED] = beside.result()
    return [verdicts[name] for name in names]


def prove_apart(run_dir: Path, steps: list[str], name: str, directory: str | None) -> Verdict:
    """The verdict on one law, from the files again: for a process of its own."""
    quiet_libraries()
    return prove_law(CheckedRun(run_dir, steps), name, directory)


def prove_law(run: CheckedRun, name: str, directory: str | None) -> Verdict:
    """The verdict on one law, in the folder that the run was made in. A file that breaks the law's own code breaks the
    law.
    """
    verdict = Verdict(law=name)
    with contextlib.chdir(directory) if directory else contextlib.nullcontext():
        try:
            dict(LAWS)[name](run, verdict)
        except DataError as exc:
            verdict.violations.append(str(exc))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as exc:
            verdict.violations.append(f"a file is not what it should be ({type(exc).__name__}: {exc})")
    return verdict


def steps_of(run_dir: Path) -> list[str]:
    """The steps that the run's configuration asks for."""
    from nemo_sdg.config import load_recorded

    try:
        return configured_steps(load_recorded(run_dir))
    except (ConfigError, DataError):
        return STEPS
