"""What the steps `questions` and `answers` share: a worker's whole list of shards goes through one engine in one window.

The Curator stage's unit is a list of shards, so that the engine never waits for the slowest request of one of them; each
shard is written, with its receipt, as soon as its last record is finished. Journals stay beside the shards: a lost shard
is rebuilt from them to the same bytes.
"""

import functools
from collections.abc import Callable
from typing import Any

from nemo_sdg.config import EngineKind, Executor, RunConfig
from nemo_sdg.context import Context
from nemo_sdg.generate.requests import Flow, Outcome
from nemo_sdg.progress import Progress, StepProgress
from nemo_sdg.store import Counts, StepDir

MakeFlow = Callable[[dict[str, Any]], Flow]
"""Facts about the engine (engine, model, model_license) in; the flow out."""


def generate(context: Context, step: str, source: StepDir, make_flow: MakeFlow) -> None:
    """Sends every unfinished shard of `source` through the flow and writes the shards of `step`."""
    from nemo_sdg.stages import UnitStage

    target = context.step_dir(step)
    inputs = {shard: [source.shard_path(shard)] for shard in source.shards()}
    index, num = context.worker
    todo = [shard for number, shard in enumerate(context.unfinished(target, inputs)) if num == 1 or int(shard.rsplit("-", 1)[-1]) % num == index]
    if not todo:
        return
    config = context.config
    if config.run.executor is Executor.local:
        with context.progress.step(step, unit="requests") as state:
            make_worker(config, source, target, make_flow, context.progress, state)(todo)
        return
    replicas = min(config.engine.replicas, len(todo))
    gpus = float(config.engine.options.get("tensor_parallel_size", 1)) if config.engine.kind is EngineKind.trtllm else 0.0
    make = functools.partial(make_worker, config, source, target, make_flow, None, None)
    context.run_stages(step, [UnitStage(step, make, cpus=1.0, gpus=gpus)], [todo[i::replicas] for i in range(replicas)], target=target, total=len(inputs))


def make_worker(
    config: RunConfig, source: StepDir, target: StepDir, make_flow: MakeFlow, progress: Progress | None, state: StepProgress | None
) -> Callable[[list[str]], None]:
    """The function that carries a list of shards through one engine."""
    from nemo_sdg.generate.engines.base import open_engine

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
        target.write_shard(shard, kept, dropped, counts, inputs=[source.shard_path(shard)])

    def work(shards: list[str]) -> None:
        run_worker(config, engine, source, target, shards, flow, write, progress, state)

    return work


def run_worker(
    config: RunConfig,
    engine: Any,
    source: StepDir,
    target: StepDir,
    shards: list[str],
    flow: Flow,
    write: Callable[[str, list[Outcome]], None],
    progress: Progress | None,
    state: StepProgress | None,
) -> None:
    raise NotImplementedError
