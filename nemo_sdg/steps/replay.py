"""Counts the requests that a generation step would send: its flow is replayed on the journals, and requests without a
reply there are counted.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import Role
from nemo_sdg.execution.context import Context
from nemo_sdg.generate.requests import Completion, Flow, Request
from nemo_sdg.steps.generation import JOURNAL, MakeFlow
from nemo_sdg.storage import read_jsonl

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines
    from nemo_sdg.generate.scheduling.journal import Journal

SAMPLED = 20
"""number of shards that are replayed; the count is scaled to all shards"""


@dataclass(kw_only=True)
class Cost:
    """Requests of a step for its current records."""

    known: int = 0
    """requests answered by the journals or the shared cache"""
    asked: int = 0
    """minimum of requests to the engine: requests that depend on its replies are not counted"""


class NotInJournal(Exception):
    """The journals have no reply to a request: the replay of that record ends there."""


def count_requests(context: Context, name: str, make_flow: MakeFlow, roles: list[Role]) -> Cost:
    from nemo_sdg.generate.roles import open_roles
    from nemo_sdg.generate.scheduling.journal import Journal

    config, source, target = context.config, context.before(name), context.step_dir(name)
    shards = source.shards()
    sampled = shards[:: max(1, len(shards) // SAMPLED)]
    engines = open_roles(config, *roles)
    flow = make_flow(engines)
    journal = Journal(target.path / JOURNAL, cache_dir=config.run.cache_dir)
    cost = Cost()
    for shard in sampled:
        records = list(read_jsonl(source.shard_path(shard)))
        asyncio.run(_replay(flow, records, journal, shard, engines, cost))
    journal.close()
    share = len(shards) / max(1, len(sampled))
    return Cost(known=round(cost.known * share), asked=round(cost.asked * share))


async def _replay(
    flow: Flow, records: list[dict[str, Any]], journal: "Journal", shard: str, engines: "RoleEngines", cost: Cost
) -> None:
    held = journal.open(shard)

    async def ask(request: Request) -> Completion:
        key = engines.key(request)
        completion = held.get(key) or journal.lookup(key)
        if completion is None:
            cost.asked += 1
            raise NotInJournal
        cost.known += 1
        return completion

    for record in records:
        (result,) = await asyncio.gather(flow(record, ask), return_exceptions=True)
        if isinstance(result, BaseException) and not isinstance(result, NotInJournal):
            raise result
    held.close()
