"""`nemo-sdg check RUN`: checks each law on the files of a run, with code of its own.

It uses no verdict and no count of the pipeline. It reads every record again, counts again, hashes again, and asks
lm-eval's YAML files again which splits are evaluated on. The verdict on a law is *proved*, *VIOLATED* with what breaks
it, *not yet* with the steps that the run has still to finish, or *not seen* with what could not be looked at. It can be
called from any folder: relative paths start from the folder that the run was made in, which the ledgers name.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.commands.check import evaluation, files, records, rows
from nemo_sdg.commands.check.findings import CheckedRun, Verdict, recorded
from nemo_sdg.commands.check.packed import blend, corpora
from nemo_sdg.commands.check.shards import BROKEN, Shard, Taken
from nemo_sdg.commands.check.unfinished import to_do, waits_for
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.execution.processes import quiet_libraries, worker_processes
from nemo_sdg.pipeline.order import STEPS, configured_steps
from nemo_sdg.records import visible
from nemo_sdg.storage import different_versions, require_run

Law = Callable[[CheckedRun, Verdict], None]
PACKED = "packed corpora hold the curated samples"
WHOLE = "files are whole"
LARGE = 64 * 2**20
"""bytes of curated samples from which further processes are worth their start"""
UNFINISHED = 3
"""exit code for a run that is not finished, and in which nothing violates a law"""
PROCESSES = 4
"""at most so many processes read a run: each holds up to 300 MB"""
LAWS: list[tuple[str, Law]] = [
    (WHOLE, files.files_are_whole),
    ("every step is finished and follows from the one before", files.steps_are_finished),
    ("inputs are what they were", files.inputs_are_unchanged),
    ("in = kept + dropped", records.nothing_vanishes),
    ("each step holds what the one before it gave", records.steps_follow),
    ("samples come from seeds", records.samples_have_seeds),
    ("seeds are rows of their training splits", rows.seeds_are_their_rows),
    ("no seed comes from a split that is evaluated on", evaluation.no_seed_is_evaluated_on),
    ("no evaluation row that can be read is a seed or a sample", evaluation.no_evaluation_row_is_repeated),
    (PACKED, corpora.packed_is_complete),
    ("the blend names the packed corpora", blend.blend_names_the_corpora),
    ("the run is finished", files.run_is_finished),
]
PARTS: list[Callable[[Shard], Any]] = [
    records.count_again,
    records.follow,
    records.ids_of,
    records.find_seeds,
    rows.rows_of,
    evaluation.splits_of,
    evaluation.questions_of,
    corpora.texts_of,
]
"""what the laws ask of each shard"""


def check(run_dir: Path) -> int:
    """Prints the verdict on each law; returns 1 if a law is violated, UNFINISHED if the run has still something to do,
    else 0.
    """
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
        return 1
    if any(verdict.unfinished for verdict in verdicts):
        typer.echo(f"{run_dir} is not finished; what is there violates no law")
        return UNFINISHED
    return 0


def prove(run_dir: Path, only: str | None = None) -> list[Verdict]:
    """The verdicts on all laws, or on `only` one. Raises DataError if the folder is not a run directory.

    For all laws each file is read once. The shards of a large run are read by several processes, then its packed
    shards, while this one reads evaluation rows.
    """
    run_dir = run_dir.resolve()
    require_run(run_dir)
    steps = steps_of(run_dir)
    todo = to_do(run_dir, steps)
    run = CheckedRun(run_dir, [step for step in steps if step not in todo.steps], todo)
    directory = next((ledger.directory for ledger in run.ledgers.values() if Path(ledger.directory).is_dir()), None)
    if only is not None:
        return [prove_law(run, only, directory)]
    size = sum(path.stat().st_size for path in (run_dir / "curated").glob("shard-*.jsonl"))
    with contextlib.ExitStack() as stack:
        if size >= LARGE:
            run.do = stack.enter_context(processes(run, directory))
        with contextlib.suppress(*BROKEN):  # the laws find it again
            run.begin(take_shard)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) if size >= LARGE else None
            run.begun["packed"] = corpora.begin_packed(run, folder)
        verdicts = {name: prove_law(run, name, directory) for name, _ in LAWS if name not in (PACKED, WHOLE)}
        verdicts |= {name: prove_law(run, name, directory) for name in (PACKED, WHOLE)}  # most of it was read by then
    return [verdicts[name] for name, _ in LAWS]


@contextlib.contextmanager
def processes(run: CheckedRun, directory: str | None) -> Iterator[Callable[..., Iterable[Any]]]:
    """Processes that read the run's files. Gives a `map` of a function whose first argument is the run."""
    num = min(PROCESSES, len(os.sched_getaffinity(0)))
    arguments = (run.dir, run.steps, directory)
    with worker_processes(num, start=_open_run, arguments=arguments, preload=("nemo_sdg.commands.check.laws",)) as pool:
        yield lambda function, *columns: pool.map(_apply, *_with(function, columns))


def _with(function: Callable[..., Any], columns: tuple[Iterable[Any], ...]) -> list[list[Any]]:
    lists = [list(column) for column in columns]
    return [[function] * len(lists[0]), *lists]


_run: CheckedRun


def _open_run(run_dir: Path, steps: list[str], directory: str | None) -> None:
    global _run
    quiet_libraries()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the others have the cores
    if directory:
        os.chdir(directory)
    _run = CheckedRun(run_dir, steps)


def _apply(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(_run, *arguments)


def take_shard(run: CheckedRun, name: str) -> Taken:
    """What all laws need of a shard, or what stopped them."""
    shard = Shard(run, name)
    parts = dict[str, Any]()
    for take in PARTS:
        try:
            parts[take.__name__] = take(shard)
        except BROKEN as exc:
            parts[take.__name__] = exc
    return Taken(shard=name, hashes=shard.hashes, parts=parts)


def prove_law(run: CheckedRun, name: str, directory: str | None) -> Verdict:
    """The verdict on one law, in the folder that the run was made in. A file that breaks the law's own code breaks the
    law; one that this user may not read says nothing, and ends the check.
    """
    verdict = Verdict(law=name)
    with contextlib.chdir(directory) if directory else contextlib.nullcontext():
        try:
            if not waits_for(run, name, verdict):
                dict(LAWS)[name](run, verdict)
        except DataError as exc:
            verdict.violations.append(str(exc))
        except PermissionError:
            raise
        except BROKEN as exc:
            verdict.violations.append(f"a file is not what it should be ({type(exc).__name__}: {exc})")
    return verdict


def steps_of(run_dir: Path) -> list[str]:
    """The steps that the run's configuration asks for."""
    try:
        return configured_steps(recorded(run_dir))
    except (ConfigError, DataError):
        return STEPS
