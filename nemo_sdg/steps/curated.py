"""Step 6: filters, decontamination, deduplication.

verified/ > curated/filtered/   filters and decontamination, per shard
          > curated/dedup/      duplicates across all shards, tasks and seeds
          > curated/shard-*     the kept samples; curated/dropped/ has the drops of all three
"""

import asyncio
import atexit
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import CurateSection, EngineKind, Role, RunConfig, Verify, fingerprint
from nemo_sdg.errors import DataError, MissingDependencyError
from nemo_sdg.execution.context import Context
from nemo_sdg.records import drop_sample
from nemo_sdg.steps.evaluation_splits import evaluation_files
from nemo_sdg.steps.generation import num_gpus
from nemo_sdg.storage import ContentHashes, Inputs, StepDir, file_facts, jsonl_files, sha256_file, write_json

if TYPE_CHECKING:
    from nemo_sdg.curate.decontaminate.find import Judge

SHAPES = ["curate"]
JUDGE_TOKENS = 4096
"""max_tokens of a verdict: a reasoning model thinks before it answers yes or no"""
EXTRA, AGAINST = "curate.evaluation_extra", "curate.against"
READS = [EXTRA, AGAINST, "curate.embedder", "curate.judged_rows"]
"""the last shapes what the judge is shown: it is part of the judge's identity, and of none where there is no judge"""


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    """Sources of the user's filters, the user's corpora and evaluation rows, the embedder, and the judge."""
    from nemo_sdg.curate.embed import embedder_identity
    from nemo_sdg.curate.filters.registry import filter_sources, filters_identity
    from nemo_sdg.curate.own_code import stage_sources

    found = Inputs()
    curate = config.curate
    found.content["filters"] = fingerprint(filters_identity(curate))
    for name, path in filter_sources(curate).items():
        found.add_file(f"filters/{name}", path, hashes)
    for name, path in stage_sources(curate).items():
        found.add_file(f"stages/{name}", path, hashes)
    for number, path in enumerate(jsonl_files(curate.evaluation_extra, EXTRA)):
        found.add_file(f"evaluation_extra/{number}/{path.name}", path, hashes)
    for number, path in enumerate(jsonl_files(curate.against, AGAINST)):
        found.add_file(f"against/{number}/{path.name}", path, hashes)
    if curate.paraphrase or curate.semantic_dedup:
        found.content["embedder"] = embedder_identity(curate.embedder)
    if judge := judge_identity(config):
        found.content["judge"] = judge
    return found


def run(context: Context) -> list[str]:
    source, target = context.before("curated"), context.step_dir("curated")
    filtered = context.step_dir("curated", "filtered")
    filter_shards(context)
    shards = source.shards()
    filtered.keep_only(shards)
    duplicates = find_duplicates(context)
    inputs = {shard: [filtered.shard_path(shard), filtered.dropped_path(shard), duplicates] for shard in shards}
    if todo := context.unfinished(target, inputs):
        from nemo_sdg.execution.stages import ReadShard, RecordStage, WriteShard

        stages = [
            ReadShard(filtered, with_drops=True),
            RecordStage("deduplicate", functools.partial(make_deduplicator, duplicates)),
            WriteShard(target, inputs=inputs.__getitem__),
        ]
        context.run_stages("curated", stages, [[shard] for shard in todo], target=target, total=len(shards))
    write_health(context)
    return shards


def preflight(config: RunConfig) -> None:
    """Raises an SdgError, before the first step runs, if filters, folders or packages of this step are missing."""
    from nemo_sdg.curate.embed import require_embedder
    from nemo_sdg.curate.filters.registry import filters_identity
    from nemo_sdg.curate.fluency import at_hand
    from nemo_sdg.curate.own_code import load_stages
    from nemo_sdg.seeds.sources.hub_models import require_model

    curate = config.curate
    filters_identity(curate)
    load_stages(curate)
    jsonl_files(curate.evaluation_extra, EXTRA)
    jsonl_files(curate.against, AGAINST)
    if curate.paraphrase or curate.semantic_dedup:
        require_embedder(curate.embedder)
        require_model("curate.embedder", curate.embedder)
    if curate.filters.get("context_off_topic") is not False:
        require_embedder(None, field="curate.filters.context_off_topic")
    if curate.filters.get("fluency", False) is not False and (missing := at_hand()):
        raise MissingDependencyError(f"curate.filters.wording.fluency needs the embedded model, but {missing}")


def filter_shards(context: Context) -> None:
    """Runs the per-sample checks. The index of evaluation rows is built once and memory-mapped by every worker.

    A change of the index's content, or of the source of a user's filter, redoes the shards.
    """
    from nemo_sdg.curate.decontaminate.find import build_index
    from nemo_sdg.curate.filters.registry import filters_identity
    from nemo_sdg.curate.own_code import load_stages, stage_sources

    source, target = context.before("curated"), context.step_dir("curated")
    filtered = context.step_dir("curated", "filtered")
    config, index, filters = context.config.curate, target.path / "evaluation_index", target.path / "filters.json"
    shared = context.config.run.cache_dir
    with context.progress.step("evaluation index", unit="rows") as state:

        def told(phase: str, num: int, total: int | None) -> None:
            if phase != state.phase:
                state.enter(phase, total=total)
            state.advance(num - state.done)

        build_index(
            [*evaluation_files(context), *jsonl_files(config.evaluation_extra, EXTRA)],
            index,
            config,
            shared=Path(shared) / "evaluation_index" if shared else None,
            told=told,
        )
    own = {name: sha256_file(path) for name, path in stage_sources(config).items()}
    write_json(filters, {"filters": filters_identity(config), "stages": own})
    inputs = {shard: [source.shard_path(shard), index / "current.json", filters] for shard in source.shards()}
    todo = context.unfinished(filtered, inputs)
    if not todo:
        return
    num = None if judging(context.config) else source.num_kept(todo)  # a judge's engine may be in the process
    context.expect_processes(len(todo), num, preload="nemo_sdg.pipeline.preload")
    from nemo_sdg.execution.stages import ReadShard, RecordStage, WriteShard

    judge_gpus = float(num_gpus(context.config.engines(Role.judge))) if judging(context.config) else 0.0
    stages = [
        ReadShard(source),
        RecordStage("filters", functools.partial(make_filter, config, source)),
        *load_stages(config),
        RecordStage(
            "decontaminate",
            functools.partial(make_decontaminator, index, judging(context.config), target.path / "verdicts"),
            whole=True,
            cpus=1.0 if config.paraphrase else 0.25,
            gpus=(config.embedder_gpus if config.paraphrase else 0.0) + judge_gpus,
        ),
        WriteShard(filtered, inputs=inputs.__getitem__, once=bool(config.stages)),
    ]
    for shard in todo:
        filtered.receipt_path(shard).unlink(missing_ok=True)
    units, first = [[shard] for shard in todo], "loading filters"
    context.run_stages("filtered", stages, units, target=filtered, total=len(inputs), first=first, records=num)
    if lost := next((shard for shard in todo if filtered.receipt(shard) is None), None):
        raise DataError(
            f"curated: a stage of curate.stages gives no batch for {lost}; where it takes out all rows, it must give "
            "an empty batch"
        )


def write_health(context: Context) -> None:
    """Writes curated/health.json from seeds, verified and curated samples, unless their files are unchanged."""
    from nemo_sdg.curate.decontaminate.verdicts import unread, unread_files
    from nemo_sdg.curate.health import measure_health

    seed_files, before, after = (
        [folder.shard_path(shard) for shard in folder.shards()]
        for folder in (context.step_dir("seeds"), context.before("curated"), context.step_dir("curated"))
    )
    record, path = context.step_dir("curated", "health"), context.step_dir("curated").path / "health.json"
    verdicts, judge = context.step_dir("curated").path / "verdicts", judge_identity(context.config)
    inputs = [*seed_files, *before, *after, *unread_files(verdicts, judge)]
    if record.problem("health", inputs=inputs, full=context.config.run.verify is Verify.full) is not None:
        with context.progress.step("health"):
            not_judged = unread(verdicts, judge)
            health = measure_health(seeds=seed_files, before=before, after=after, not_judged=not_judged)
            write_json(path, health)
        for note in (note for note in health["notes"] if note["group"] == "judge"):
            context.progress.line(f"{'curated':<10} {note['detail']}")
        record.write_receipt("health", {record.relative(path): file_facts(path)}, {}, inputs=inputs)


def find_duplicates(context: Context) -> Path:
    from nemo_sdg.curate.dedup import duplicates as dedup

    source, filtered, seed_shards = (
        context.before("curated"),
        context.step_dir("curated", "filtered"),
        context.step_dir("seeds"),
    )
    num = filtered.num_kept(source.shards())
    with context.progress.step("duplicates") as state:
        state.phase = f"comparing {num:,} samples"
        return dedup.find_duplicates(
            [filtered.shard_path(shard) for shard in source.shards()],
            seeds=[seed_shards.shard_path(shard) for shard in seed_shards.shards()],
            work=context.step_dir("curated").path / "dedup",
            config=context.config.curate,
            workers=context.config.run.workers,
            dask_address=context.config.run.dask_address,
        )


def make_filter(config: CurateSection, source: StepDir) -> Callable[[dict[str, Any]], Any]:
    from nemo_sdg.curate.passed import RemainingFilters

    filters = RemainingFilters(config, source)

    def check(record: dict[str, Any]) -> Any:
        rejected = filters.find(record)
        return record if rejected is None else drop_sample(record, "curated", *rejected)

    return check


def judging(config: RunConfig) -> RunConfig | None:
    """The configuration, if a judge decides which samples reword evaluation rows; else None, and paraphrase_threshold
    decides. A judge of kind batch cannot decide, since each worker needs its verdicts at once.
    """
    wanted = config.curate.judge and config.curate.paraphrase and config.roles.judge is not None
    return config if wanted and config.engines(Role.judge)[0].kind is not EngineKind.batch else None


def judge_identity(config: RunConfig) -> str | None:
    """Its model, its prompts and the length of its lists; None where no judge decides."""
    from nemo_sdg.curate.decontaminate.judged import prompts_id
    from nemo_sdg.generate.roles import open_roles

    if judging(config) is None:
        return None
    return f"{open_roles(config, Role.judge).model_use(Role.judge).model} {prompts_id(config.curate.judged_rows)}"


def make_decontaminator(
    index_path: Path, judging: RunConfig | None, verdicts: Path
) -> Callable[[list[dict[str, Any]]], list[Any]]:
    from nemo_sdg.curate.decontaminate.find import open_index

    judge = make_judge(judging, verdicts) if judging else None
    index = open_index(index_path, judge, judged_rows=judging.curate.judged_rows if judging else 0)

    def check(records: list[dict[str, Any]]) -> list[Any]:
        findings = zip(records, index.find_batch(records), strict=True)
        return [
            record if finding is None else drop_sample(record, "curated", finding.reason, finding.detail)
            for record, finding in findings
        ]

    return check


def make_judge(config: RunConfig, folder: Path) -> "Judge":
    """The judge for decontamination: one event loop for the life of the worker, an engine that starts at the first
    sample, retries of lost requests. Raises EngineError if the judge cannot be reached.
    """
    from nemo_sdg.curate.decontaminate.judged import Reply, Said, Shown, judge
    from nemo_sdg.curate.decontaminate.verdicts import Verdicts
    from nemo_sdg.generate.requests import Request
    from nemo_sdg.generate.roles import open_roles

    engines = open_roles(config, Role.judge)
    verdicts = Verdicts(folder, model=engines.model_use(Role.judge).model, judge=judge_identity(config))
    runner = asyncio.Runner()
    started = False

    async def ask(prompt: str) -> Reply:
        messages = [{"role": "user", "content": prompt}]
        request = Request(messages=messages, role=Role.judge, temperature=0.0, max_tokens=JUDGE_TOKENS)
        said = await engines.ask_again(request)
        return Reply(text=said.text, finish_reason=said.finish_reason)

    async def decide(samples: list[Shown]) -> list[Said]:
        nonlocal started
        if samples and not started:
            await engines.start()
            started = True
            atexit.register(lambda: runner.run(engines.close()))
        return await judge(samples, ask, verdicts, in_flight=engines.section(Role.judge).max_in_flight)

    return lambda samples: runner.run(decide(samples))


def make_deduplicator(duplicates: Path) -> Callable[[dict[str, Any]], Any]:
    from nemo_sdg.curate.dedup.duplicates import Duplicates

    found = Duplicates(duplicates)

    def check(record: dict[str, Any]) -> Any:
        rejected = found.find(record["sample_id"])
        return record if rejected is None else drop_sample(record, "curated", *rejected)

    return check
