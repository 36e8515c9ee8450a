"""The step `verified`: the majority on the answer's text, by numeric equality, normalised text, or tests in a sandbox.
Every drop has a reason.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from nemo_sdg.config import CurateSection, RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.records import Drop, Sample, SampleLicense, sample_from_dict, to_dict

SHAPES = ["verify", "engine.model_license"]


def run(context: Context) -> list[str]:
    source, target = context.before("verified"), context.step_dir("verified")
    inputs = {shard: [source.shard_path(shard)] for shard in source.shards()}
    todo = context.unfinished(target, inputs)
    if not todo:
        return list(inputs)
    num = source.num_kept(todo)
    context.expect_processes(len(todo), num, preload="nemo_sdg.pipeline.preload")
    from nemo_sdg.curate.passed import note_filters
    from nemo_sdg.execution.stages import ReadShard, RecordStage, WriteShard
    from nemo_sdg.steps.traces import make_attacher

    note_filters(target, afresh=len(todo) == len(inputs))
    answers, longest = context.step_dir("answers"), context.config.verify.trace_max_tokens
    stages = [
        ReadShard(source),
        RecordStage("verify", functools.partial(make_verifier, context.config)),
        RecordStage("kept_traces", functools.partial(make_attacher, answers, longest), by_shard=True),
        WriteShard(target, inputs=inputs.__getitem__),
    ]
    units = [[shard] for shard in todo]
    context.run_stages("verified", stages, units, target=target, total=len(inputs), records=num)
    return list(inputs)


def make_verifier(config: RunConfig) -> Callable[[dict[str, Any]], Sample | Drop]:
    """The function that verifies one sample and sets its licence from those of its seeds and models."""
    from nemo_sdg.catalog.about.licenses import effective
    from nemo_sdg.verify.votes import verify_sample

    passes = make_check()

    def verify(record: dict[str, Any]) -> Sample | Drop:
        result = verify_sample(sample_from_dict(record), config.verify, passes=passes)
        if not isinstance(result, Drop):
            license_ = result.license or SampleLicense(seeds=["unknown"], models=[config.engine.model_license])
            effective_ = effective(license_.seeds, license_.models)
            result.license = dataclasses.replace(license_, effective=effective_)
        return result

    return verify


def make_check() -> Callable[[Sample], bool]:
    """A check whether a sample passes the shipped filters at their shipped thresholds; it is noted in the sample. It
    does not depend on `curate.filters`, so a change there redoes only `curated`. Filters that need an embedder are left
    out.
    """
    from nemo_sdg.curate.passed import passes_shipped

    def check(sample: Sample) -> bool:
        passed = passes_shipped(to_dict(sample))
        if sample.verification is not None:
            sample.verification.passed = passed
        return passed

    return check


def make_question_check() -> Callable[[Sample], bool]:
    """The same check of a sample's question and answer, without context and reasoning."""
    from nemo_sdg.curate.filters.registry import apply_filters
    from nemo_sdg.curate.passed import SHIPPED

    of_questions = CurateSection(filters={**SHIPPED.filters, "length": False})
    return lambda sample: apply_filters({**to_dict(sample), "context": "", "reasoning": ""}, of_questions) is None
