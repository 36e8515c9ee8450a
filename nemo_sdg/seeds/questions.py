"""The questions that the tasks on a split ask of its rows: each different question once, however often it is worded."""

from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.catalog.walk import built_in_like, task_config
from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import Drop, content_id
from nemo_sdg.seeds.golds.numbering import GoldNumbers
from nemo_sdg.seeds.render import Renderer
from nemo_sdg.seeds.sources.splits import Source, plainest_first

STEP = "seeds"


@dataclass(kw_only=True)
class Question:
    """A question that one task, or several in other words, ask of each row."""

    renderer: Renderer
    tasks: list[str]
    """the plainest name first"""
    numbers: GoldNumbers = field(default_factory=GoldNumbers)


def questions_of(source: Source, seeds: SeedsSection, run_seed: int) -> tuple[list[Question], list[Drop]]:
    """What the source's tasks ask of a row, each question once, and a drop for each task whose functions or templates
    cannot be had while others on the split can.

    Tasks of lm-eval's type multiple_choice come first: a chat or t5 wording of the same rows shows its options as text.
    Raises DataError where no task can be had.
    """
    found: dict[Any, Question] = {}
    failures: list[tuple[str, DataError]] = []
    configs = {leaf.task: task_config(leaf.task, seeds) for leaf in source.leaves}
    for leaf in sorted(
        source.leaves,
        key=lambda leaf: (configs[leaf.task].get("output_type") != "multiple_choice", plainest_first(leaf.task)),
    ):
        config = configs[leaf.task]
        try:
            renderer = Renderer(leaf, config, run_seed=run_seed, like=built_in_like(config, seeds))
        except DataError as exc:
            failures.append((leaf.task, exc))
            continue
        if renderer.asks in found:
            found[renderer.asks].tasks.append(leaf.task)
        else:
            found[renderer.asks] = Question(renderer=renderer, tasks=[leaf.task])
    if not found:
        raise failures[0][1]
    for question in found.values():
        question.tasks.sort(key=plainest_first)
    refused = [
        Drop(
            task=task,
            id=content_id(source.split.path, source.split.name, source.split.split, task),
            step=STEP,
            reason="unreadable_task",
            detail=str(exc),
        )
        for task, exc in failures
    ]
    return list(found.values()), refused
