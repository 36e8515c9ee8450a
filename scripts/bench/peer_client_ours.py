"""Scheduler, engine, parser and journal of the step `answers`, with one vote per question; peer_clients.py starts it.

python peer_client_ours.py URL NUM FOLDER IN_FLIGHT     prints one JSON line; called again, its journal answers
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from client import SHARD, records, settings

from nemo_sdg.config import Role
from nemo_sdg.generate.roles import open_roles
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.steps.answers import make_flow


def main(url: str, num: int, folder: Path, in_flight: int) -> None:
    config = settings(url, in_flight, votes=1)
    engines = open_roles(config, Role.solver)
    source, kept = records(), 0
    shards = [
        ShardWork(shard=f"shard-{start // SHARD:05d}", records=itertools.islice(source, min(SHARD, num - start)))
        for start in range(0, num, SHARD)
    ]

    def take(shard: str, outcomes: list[Any]) -> None:
        nonlocal kept
        kept += sum(len(outcome.kept) for outcome in outcomes)

    run_flows(shards, make_flow(config, engines), engines, Journal(folder / "journal"), take, FlowProgress())
    print(json.dumps({"kept": kept}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
