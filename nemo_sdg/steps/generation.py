"""Code shared by all steps with models. A worker sends all its shards through the engines of the step's roles, with one
window of requests for each engine.

The unit of the Curator stage is a list of shards, so an engine never waits for the slowest request of a shard. Each
shard is written, with its receipt, as soon as its last record is finished. Journals are kept beside the shards: a lost
shard is rebuilt from them to the same bytes. They are compressed when their shard is finished.
"""

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nemo_sdg.generate
from nemo_sdg.config import EngineKind, EngineSection, Executor, Role, RunConfig
from nemo_sdg.config.engine import same_engine
from nemo_sdg.errors import ConfigError
from nemo_sdg.execution.context import Context
from nemo_sdg.execution.progress import WRITES_FILES, Progress, StepProgress
from nemo_sdg.execution.rates import TokenWork
from nemo_sdg.generate.requests import Ask, Completion, Flow, Outcome, Request
from nemo_sdg.steps.traces import traces_path, write_traces
from nemo_sdg.storage import ContentHashes, FileFacts, Inputs, StepDir, read_jsonl

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines
    from nemo_sdg.generate.scheduling.work import Trace

MakeFlow = Callable[["RoleEngines"], Flow]
"""takes the engines of the step's roles, not started; returns the flow"""


JOURNAL, REDONE = "journal", "redone"
LIMITED = ("limited", "learned_tokens", "full_tokens", "sent_again", "sent_again_tokens")
"""counters of learned limits, for progress.jsonl"""
LOST = "lost"
"""field of a receipt: how many of the shard's requests failed each time, while the engine answered others"""
SHIPPED_TEMPLATES = Path(nemo_sdg.generate.__path__[0]) / "prompts"


def generation_inputs(config: RunConfig, hashes: ContentHashes, purposes: list[str], roles: list[Role]) -> Inputs:
    """The templates of these purposes (`solve`, `judge/question`), the files that others share with them, and the
    models: a file by its content, a served model by its name. A user's template replaces the shipped one of its name,
    and may include files of any ending.
    """
    from nemo_sdg.generate.roles import open_roles

    found = Inputs()
    own = config.generate.prompts_dir
    for folder, files in [(SHIPPED_TEMPLATES, "*.jinja"), *([(Path(own), "*")] if own else [])]:
        for path in sorted(folder.rglob(files)):
            if path.is_file() and not is_for_others(path.relative_to(folder), purposes):
                name = f"templates/{path.relative_to(folder)}"
                found.content[name] = hashes.of(path)
                if folder is not SHIPPED_TEMPLATES:
                    found.places[name] = str(path.absolute())
    for role, players in open_roles(config, *roles).players.items():
        found.content[f"models of the {role.value}"] = ", ".join(player.engine.model for player in players)
    return found


def is_for_others(path: Path, purposes: list[str]) -> bool:
    """Whether a file among the templates, by its path in the folder, serves other purposes alone."""
    from nemo_sdg.generate.prompting import PURPOSES, TEMPLATES

    parts = path.with_suffix("").parts
    place = next((place for place, part in enumerate(parts) if part in PURPOSES), None)
    if place is None or parts[place] in purposes:
        return False
    name = "/".join(parts[place:])
    known = any(name in names for names in TEMPLATES.values())
    return name not in purposes if known else all(parts[place] != each.split("/")[0] for each in purposes)


def generate(
    context: Context, step: str, make_flow: MakeFlow, *roles: Role, moving: str = "requests", per_record: float = 1.0
) -> list[str]:
    """Sends every unfinished shard of the step before through the flow; returns the names of all shards of `step`.
    Only the engines of `roles` are opened. For the display, `moving` is a name for the requests, and `per_record` is an
    estimate of the requests per record.
    """
    from nemo_sdg.generate.scheduling.journal import compress_finished

    source, target = context.before(step), context.step_dir(step)
    shards = source.shards()
    mine = {shard: [source.shard_path(shard)] for shard in shards if is_of(shard, context.worker)}
    todo = context.unfinished(target, mine)
    compress_finished(target.path / JOURNAL, [shard for shard in mine if shard not in set(todo)])
    if not todo:
        return shards
    config = context.config
    if config.run.executor is Executor.local:
        num = source.num_kept(todo)
        with context.progress.step(step, num) as state:
            state.moving, state.work = moving, TokenWork(records=num, requests=per_record)
            make_worker(config, source, target, make_flow, roles, context.progress, state)(todo)
        return shards
    sections = [section for role in roles for section in config.engines(role)]
    replicas = min(max(section.replicas for section in sections), len(todo))
    gpus = float(num_gpus(sections))
    from nemo_sdg.execution.stages import UnitStage

    make = functools.partial(make_worker, config, source, target, make_flow, roles, None, None)
    context.run_stages(
        step,
        [UnitStage(step, make, cpus=1.0, gpus=gpus)],
        [todo[i::replicas] for i in range(replicas)],
        target=target,
        total=len(shards),
    )
    return shards


def moved(target: StepDir) -> bool:
    """Whether the step is redone, so that its records may be in other shards than their journals."""
    return (target.path / JOURNAL / REDONE).exists()


def mark_redone(target: StepDir) -> None:
    """Marks the step as redone: until it is finished, the journals of all shards are searched for each request."""
    if (target.path / JOURNAL).is_dir():
        (target.path / JOURNAL / REDONE).touch()


def unmark_redone(target: StepDir) -> None:
    (target.path / JOURNAL / REDONE).unlink(missing_ok=True)


def is_of(shard: str, worker: tuple[int, int]) -> bool:
    """Whether a worker of several does a shard."""
    index, num = worker
    return int(shard.rsplit("-", 1)[-1]) % num == index


def lost_requests(target: StepDir, worker: tuple[int, int]) -> dict[str, int]:
    """Shard -> its lost requests, for the worker's shards that have some."""
    receipts = ((shard, target.receipt(shard)) for shard in target.shards() if is_of(shard, worker))
    return {shard: int(receipt[LOST]) for shard, receipt in receipts if receipt and receipt.get(LOST)}


def ask_lost_again(target: StepDir, shards: Iterable[str]) -> None:
    """Makes shards unfinished; their journals hold all but the lost requests."""
    for shard in shards:
        target.receipt_path(shard).unlink()


def num_gpus(sections: list[EngineSection]) -> int:
    """Number of GPUs that one replica of a step's engines uses in this process; two roles of one engine count once."""
    own: list[EngineSection] = []
    for section in sections:
        if section.kind is EngineKind.trtllm and not any(same_engine(section, known) for known in own):
            own.append(section)
    return sum(
        int(section.options.get("tensor_parallel_size", 1)) * int(section.options.get("pipeline_parallel_size", 1))
        for section in own
    )


def counted(flow: Flow, work: TokenWork) -> Flow:
    """The flow, with the tokens of each record counted in `work`, which estimates the remaining tokens."""

    async def run(record: dict[str, Any], ask: Ask) -> Outcome:
        own = 0

        async def asking(request: Request) -> Completion:
            nonlocal own
            completion = await ask(request)
            own += completion.completion_tokens
            work.take(completion.completion_tokens)
            return completion

        work.open += 1
        try:
            outcome = await flow(record, asking)
        finally:
            work.open -= 1
        work.finished += 1
        work.finished_tokens += own
        return outcome

    return run


def describe_start(section: EngineSection) -> str:
    """Says what an engine does before its first completion."""
    if section.kind is EngineKind.batch:
        return WRITES_FILES
    if section.kind is EngineKind.openai:
        return f"asking {section.model}"
    return f"loading {'the embedded model' if section.embedded else Path(str(section.model)).name}"


def make_worker(
    config: RunConfig,
    source: StepDir,
    target: StepDir,
    make_flow: MakeFlow,
    roles: tuple[Role, ...],
    progress: Progress | None,
    state: StepProgress | None,
) -> Callable[[list[str]], None]:
    """The function that sends a list of shards through the engines of the step's roles."""
    from nemo_sdg.generate.roles import open_roles
    from nemo_sdg.generate.scheduling.batch import run_batch
    from nemo_sdg.generate.scheduling.journal import Journal
    from nemo_sdg.generate.scheduling.scheduler import run_flows
    from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork

    engines = open_roles(config, *roles)
    kinds = {section.kind.value for section in engines.sections}
    if "batch" in kinds and len(kinds) > 1:
        raise ConfigError(
            f"{target.step} uses {' and '.join(roles)}: engine.kind must be batch for all of them or for none, got "
            f"{', '.join(sorted(kinds))}"
        )
    flow = make_flow(engines)
    if state is not None and state.work is not None:
        flow = counted(flow, state.work)
        state.phase = " and ".join(dict.fromkeys(describe_start(section) for section in engines.sections))
    traces: dict[str, FileFacts] = {}
    lost: dict[str, int] = {}

    def write(shard: str, outcomes: list[Outcome]) -> None:
        with target.open_shard(shard, inputs=[source.shard_path(shard)]) as writer:
            for outcome in outcomes:
                for sample in outcome.kept:
                    writer.keep(sample.task, sample)
                for drop in outcome.dropped:
                    writer.drop(drop)
                    if state is not None:
                        state.dropped[drop.reason] = state.dropped.get(drop.reason, 0) + 1
            if shard in traces:
                writer.beside[target.relative(traces_path(target, shard))] = traces.pop(shard)
            if shard in lost:
                writer.extra[LOST] = lost.pop(shard)
        if state is not None:
            state.kept += writer.kept.rows

    def keep_traces(shard: str, found: "Iterator[Trace]") -> None:
        if (facts := write_traces(traces_path(target, shard), found)) is not None:
            traces[shard] = facts

    def notify(line: str) -> None:
        if progress is not None:
            progress.line(f"  {target.step}: {line}")

    def show(counters: FlowProgress) -> None:
        if state is not None:
            state.state(done=counters.records_done, kept=state.kept, dropped=state.dropped)
            state.set(
                requests=counters.requests_done,
                replayed=counters.replayed,
                in_flight=counters.in_flight,
                retries=counters.retries,
                prompt_tokens=counters.prompt_tokens,
                completion_tokens=counters.completion_tokens,
                thinking_tokens=counters.thinking_tokens,
                completion_tokens_per_s=round(
                    counters.completion_tokens / max(time.monotonic() - state.start, 1e-9), 1
                ),
                saturation=round(counters.saturation, 3),
            )
            if counters.limited:
                state.set(**{name: getattr(counters, name) for name in LIMITED})

    def work(shards: list[str]) -> None:
        run = run_flows
        if kinds == {"batch"}:
            run = functools.partial(run_batch, folder=target.path / "batch")
        run(
            (ShardWork(shard=shard, records=read_jsonl(source.shard_path(shard))) for shard in shards),
            flow,
            engines,
            Journal(target.path / JOURNAL, cache_dir=config.run.cache_dir, everywhere=moved(target)),
            write,
            FlowProgress(listener=show, notify=notify, lost_in=lost),
            on_traces=keep_traces,
        )

    return work
