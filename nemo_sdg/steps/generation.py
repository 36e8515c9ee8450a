"""What the steps `questions` and `answers` share: a worker's whole list of shards goes through one engine in one
window.

The Curator stage's unit is a list of shards, so that the engine never waits for the slowest request of one of them;
each
shard is written, with its receipt, as soon as its last record is finished. Journals stay beside the shards: a lost
shard
is rebuilt from them to the same bytes.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

from nemo_sdg.config import EngineKind, Executor, RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.execution.progress import Progress, StepProgress
from nemo_sdg.generate.requests import Flow, Outcome
from nemo_sdg.records import ModelUse
from nemo_sdg.storage import Counts, StepDir, read_jsonl

MakeFlow = Callable[[dict[str, Any]], Flow]
"""Facts about the engine (engine, model, model_license) in; the flow out."""


def model_use(facts: dict[str, Any]) -> ModelUse:
    """What samples say of an engine's model."""
    return ModelUse(engine=facts["engine"], model=facts["model"], license=facts["model_license"])


def generate(context: Context, step: str, source: StepDir, make_flow: MakeFlow) -> None:
    """Sends every unfinished shard of `source` through the flow and writes the shards of `step`."""
    from nemo_sdg.execution.stages import UnitStage

    target = context.step_dir(step)
    inputs = {shard: [source.shard_path(shard)] for shard in source.shards()}
    index, num = context.worker
    todo = [
        shard
        for number, shard in enumerate(context.unfinished(target, inputs))
        if num == 1 or int(shard.rsplit("-", 1)[-1]) % num == index
    ]
    if not todo:
        return
    config = context.config
    if config.run.executor is Executor.local:
        with context.progress.step(step, sum(num_records(source, shard) for shard in todo)) as state:
            make_worker(config, source, target, make_flow, context.progress, state)(todo)
        return
    replicas = min(config.engine.replicas, len(todo))
    gpus = (
        float(config.engine.options.get("tensor_parallel_size", 1)) if config.engine.kind is EngineKind.trtllm else 0.0
    )
    make = functools.partial(make_worker, config, source, target, make_flow, None, None)
    context.run_stages(
        step,
        [UnitStage(step, make, cpus=1.0, gpus=gpus)],
        [todo[i::replicas] for i in range(replicas)],
        target=target,
        total=len(inputs),
    )


def num_records(source: StepDir, shard: str) -> int:
    receipt = source.receipt(shard) or {"counts": {}}
    return sum(row["kept"] for row in receipt["counts"].values())


def make_worker(
    config: RunConfig,
    source: StepDir,
    target: StepDir,
    make_flow: MakeFlow,
    progress: Progress | None,
    state: StepProgress | None,
) -> Callable[[list[str]], None]:
    """The function that carries a list of shards through one engine."""
    from nemo_sdg.generate.engines import open_engine
    from nemo_sdg.generate.scheduling.journal import Journal
    from nemo_sdg.generate.scheduling.scheduler import FlowProgress, ShardWork, run_flows

    engine = open_engine(config.engine)
    flow = make_flow({"engine": engine.name, "model": engine.model, "model_license": config.engine.model_license})

    def write(shard: str, outcomes: list[Outcome]) -> None:
        counts = Counts()
        kept = [sample for outcome in outcomes for sample in outcome.kept]
        dropped = [drop for outcome in outcomes for drop in outcome.dropped]
        for sample in kept:
            counts.keep(sample.task)
        for drop in dropped:
            counts.drop(drop.task, drop.reason)
            if state is not None:
                state.dropped[drop.reason] = state.dropped.get(drop.reason, 0) + 1
        if state is not None:
            state.kept += len(kept)
        target.write_shard(shard, kept, dropped, counts, inputs=[source.shard_path(shard)])

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
                completion_tokens_per_s=round(
                    counters.completion_tokens / max(time.monotonic() - state.start, 1e-9), 1
                ),
                saturation=round(counters.saturation, 3),
            )

    def work(shards: list[str]) -> None:
        run_flows(
            (ShardWork(shard=shard, records=read_jsonl(source.shard_path(shard))) for shard in shards),
            flow,
            engine,
            Journal(target.path / "journal", cache_dir=config.run.cache_dir),
            config.engine,
            write,
            FlowProgress(listener=show, notify=notify),
        )

    return work
