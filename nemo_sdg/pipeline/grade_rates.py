"""What judge and student took in a pilot: the step `graded` is replayed on its journals, request by request."""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from nemo_sdg.config import Role, load_recorded
from nemo_sdg.errors import SdgError
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.storage import read_jsonl, stored_files

REPLAYED = 300
"""number of questions that are replayed, evenly out of all shards"""
ONCE_MORE = re.compile(r"\.\d+$")
"""end of the tag of a request that is asked again, since its reply could not be read"""


@dataclass(kw_only=True)
class Taken:
    """Tokens of one kind of request."""

    requests: int = 0
    """those asked again are not counted; their tokens are"""
    prompt: int = 0
    completion: int = 0

    def add(self, request: Request, completion: Completion) -> None:
        self.requests += ONCE_MORE.search(request.tag) is None
        self.prompt += completion.prompt_tokens
        self.completion += completion.completion_tokens

    def each(self) -> tuple[float, float]:
        return self.prompt / self.requests, self.completion / self.requests


def kind_of(request: Request) -> str:
    """student | comparison (of answers in sentences) | grade (of a solution)"""
    if request.role is Role.student:
        return "student"
    return "comparison" if request.tag.startswith("agreement") else "grade"


def taken_by_kind(pilot: Path) -> dict[str, Taken]:
    """Tokens by kind of request, of the questions whose requests are all in the journals; {} where there are none, such
    as when the journals are gone or the templates have changed.
    """
    from nemo_sdg.pipeline.report import at_directory_of

    pilot = pilot.absolute()
    try:
        with at_directory_of(pilot):
            return asyncio.run(_replayed(pilot))
    except SdgError:
        return {}


async def _replayed(pilot: Path) -> dict[str, Taken]:
    from nemo_sdg.generate.roles import open_roles
    from nemo_sdg.generate.scheduling.cache import index_journals
    from nemo_sdg.generate.scheduling.journal_lines import decode
    from nemo_sdg.steps import graded
    from nemo_sdg.steps.generation import JOURNAL
    from nemo_sdg.steps.replay import NotInJournal

    config = load_recorded(pilot)
    roles = graded.configured(config)
    if not roles:
        return {}
    engines = open_roles(config, *roles)
    flow = graded.make_flow(config, engines)
    journal = index_journals(pilot / "graded" / JOURNAL)
    asked: list[tuple[Request, Completion]] = []

    async def ask(request: Request) -> Completion:
        line = journal.get(engines.key(request))
        row = decode(line) if line is not None else None
        if row is None:
            raise NotInJournal
        asked.append((request, row[1]))
        return row[1]

    taken: dict[str, Taken] = {}
    shards = stored_files(pilot / "answers", "shard-*.jsonl")
    for path in shards:
        for record, _ in zip(read_jsonl(path), range(-(-REPLAYED // len(shards))), strict=False):
            asked.clear()
            with contextlib.suppress(NotInJournal):
                await flow(record, ask)
                for request, completion in asked:
                    taken.setdefault(kind_of(request), Taken()).add(request, completion)
    return taken
