"""Simulates a generation array on a cluster: the share of GPU time without generation, and how long the next step waits
for the slowest workers, by the number of shards per worker and by the way in which shards are assigned.

    python scripts/bench/cluster_simulation.py [--quick] [--workers 512] [--journal FILE ...] [--table]

No work is run: workers, losses and limits are random. Lengths of replies come from `--journal` (the journal of a run,
compressed or not), or are drawn with a median of 1,500 tokens and a long tail up to 16,384. A worker keeps a window
of requests in flight; its speed is that of the window times that of its node. Its shards share one window, which runs
empty once, at the end of its list. Shards differ: those of one task have similar lengths. Nodes are lost sometimes, and
their requests in flight are sent again after the job has restarted; at the time limit, requests in flight end first.
Prints one JSON object per line, or Markdown with --table.

`by_index` is `nemo-sdg run --worker INDEX/NUMBER`: every NUMBER-th shard. `next_free`, for comparison, is a queue of
shards: each worker takes the next one when its window has room.
"""

import argparse
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nemo_sdg.generate.scheduling.journal_lines import decode
from nemo_sdg.storage import SUFFIX, content_lines

SHARDS_A_WORKER = (1, 2, 4, 8, 16, 32)
LIMITS = (4.0, 1.0, 2.0, 8.0, 24.0)
"""time limits in hours; the first is used for the comparison"""
TOTAL_HOURS = 12.0
"""hours of one worker, if all were equal and without losses"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Assumptions on the cluster and the engine, in hours unless stated otherwise."""

    start: float = 0.15
    """start of a job: container, weights of the model, first compilations"""
    queue: float = 0.1
    """wait of a requeued job for a node"""
    limit: float = 4.0
    drain: float = 0.05
    """time for requests in flight to end before the limit"""
    between_losses: float = 1_000.0
    """hours between two losses of one node"""
    slow_nodes: float = 0.03
    slow_speed: float = 0.6
    in_flight: int = 256
    tokens_per_s: float = 40.0
    """tokens/s of one request in a full window"""
    task_spread: float = 0.3
    """sigma of the logarithm of a task's mean length"""
    shards_a_task: int = 8


def lengths(journals: list[Path], rng: np.random.Generator) -> Any:
    """Tokens of replies."""
    if journals:
        plain = sorted({path.with_name(path.name.removesuffix(SUFFIX)) for path in journals})
        rows = (decode(line) for path in plain for _, line in content_lines(path))
        return np.array([row[1].completion_tokens for row in rows if row is not None], dtype=float)
    return np.minimum(rng.lognormal(np.log(1_500), 0.9, 20_000), 16_384)


@dataclass
class Worker:
    """One task of the array, from its first start to the end of its list."""

    speed: float
    allocated: float = 0.0
    """hours of its node"""
    now: float = 0.0
    """hours since the array began, with waits in the queue"""
    busy: float = 0.0
    """hours of these with a full window whose replies were kept"""
    session_left: float = 0.0


class Simulation:
    def __init__(self, site: Site, tokens: Any, num_workers: int, rng: np.random.Generator) -> None:
        self.site, self.tokens, self.rng, self.num = site, tokens, rng, num_workers
        slow = rng.random(num_workers) < site.slow_nodes
        self.speeds = np.where(slow, site.slow_speed, 1.0) * rng.normal(1.0, 0.02, num_workers)

    def shard_hours(self, num_shards: int) -> Any:
        """Hours of a full window for each shard; their sum does not depend on the number of shards."""
        num_tasks = max(1, num_shards // self.site.shards_a_task)
        of_task = self.rng.lognormal(0.0, self.site.task_spread, num_tasks)
        hours = of_task[np.minimum(np.arange(num_shards) // self.site.shards_a_task, num_tasks - 1)]
        return hours / hours.sum() * TOTAL_HOURS * self.num

    def begin(self, worker: Worker, *, again: bool) -> None:
        site = self.site
        worker.now += site.start + (site.queue if again else 0.0)
        worker.allocated += site.start
        worker.session_left = site.limit - site.start - site.drain

    def work(self, worker: Worker, hours: float) -> None:
        """Adds hours of a full window, with losses and limits in between."""
        left = hours / worker.speed
        while left > 0:
            until_loss = self.rng.exponential(self.site.between_losses)
            step = min(left, worker.session_left, until_loss)
            worker.now, worker.allocated = worker.now + step, worker.allocated + step
            worker.busy, worker.session_left = worker.busy + step, worker.session_left - step
            left -= step
            if left <= 0:
                return
            if until_loss <= step:
                # on average half of each reply in flight is lost with the node
                lost = 0.5 * float(self.tokens.mean()) / self.site.tokens_per_s / 3600
                left, worker.busy = left + lost, worker.busy - lost
            else:
                self.empty(worker, self.site.drain)
            self.begin(worker, again=True)

    def empty(self, worker: Worker, longest: float = float("inf")) -> None:
        """The window runs empty, for as long as its last reply takes, or at most `longest`."""
        rest = self.rng.choice(self.tokens, self.site.in_flight) * self.rng.random(self.site.in_flight)
        hours = min(longest, float(rest.max()) / self.site.tokens_per_s / 3600 / worker.speed)
        worker.now, worker.allocated = worker.now + hours, worker.allocated + hours

    def run(self, num_shards: int, dealing: str) -> dict[str, float]:
        workers = [Worker(speed=float(speed)) for speed in self.speeds]
        for worker in workers:
            self.begin(worker, again=False)
        hours = self.shard_hours(num_shards)
        if dealing == "by_index":
            for number, worker in enumerate(workers):
                self.work(worker, float(hours[number :: self.num].sum()))
        else:
            order = [(worker.now, number) for number, worker in enumerate(workers)]
            heapq.heapify(order)
            for shard in hours:
                worker = workers[order[0][1]]
                self.work(worker, float(shard))
                heapq.heapreplace(order, (worker.now, order[0][1]))
        for worker in workers:
            self.empty(worker)
        allocated = sum(worker.allocated for worker in workers)
        ends = [worker.now for worker in workers]
        return {
            "idle": 1 - sum(worker.busy for worker in workers) / allocated,
            "waiting": max(ends) / (sum(ends) / len(ends)) - 1,
            "hours": max(ends),
        }


def results(num_workers: int, journals: list[Path], repeats: int) -> Iterator[dict[str, Any]]:
    """Numbers of shards per worker and ways of assignment at a limit of 4 hours; then other limits."""
    settings = [(num, dealing, LIMITS[0]) for num in SHARDS_A_WORKER for dealing in ("by_index", "next_free")]
    settings += [(SHARDS_A_WORKER[-2], "next_free", limit) for limit in LIMITS[1:]]
    for num, dealing, limit in settings:
        found = []
        for repeat in range(repeats):
            rng = np.random.default_rng(repeat)
            simulation = Simulation(Site(limit=limit), lengths(journals, rng), num_workers, rng)
            found.append(simulation.run(num * num_workers, dealing))
        mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        yield {"shards_a_worker": num, "dealing": dealing, "limit": limit, **mean}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="once instead of ten times")
    parser.add_argument("--workers", type=int, default=512)
    parser.add_argument("--journal", type=Path, nargs="+", default=[], help="lengths of these replies")
    parser.add_argument("--table", action="store_true", help="Markdown instead of JSON")
    options = parser.parse_args()
    if options.table:
        print("| shards a worker | handed out | limit | time without work | last worker | hours |")
        print("|---|---|---|---|---|---|")
    for row in results(options.workers, options.journal, 1 if options.quick else 10):
        shares = f"{row['idle']:.1%} | {row['waiting']:.0%} later"
        if options.table:
            dealt = row["dealing"].replace("_", " ")
            print(f"| {row['shards_a_worker']} | {dealt} | {row['limit']:g} h | {shares} | {row['hours']:.1f} |")
            continue
        name = f"{row['dealing']}_{row['shards_a_worker']}_{row['limit']:g}h"
        for figure in ("idle", "waiting"):
            facts = {"workers": options.workers, "hours": round(row["hours"], 2)}
            print(json.dumps({"name": f"{figure}_{name}", "value": round(row[figure], 4), "unit": "share", **facts}))


if __name__ == "__main__":
    main()
