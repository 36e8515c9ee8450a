"""Rows per second from a mirror's file to seeds, compared with lm-eval's doc_to_text/doc_to_choice/doc_to_target loop
on the same rows.

    .venv/bin/python scripts/bench/render.py [--quick]

Both run in this process and one thread, in turn. CPU time is measured, since other load on the machine disturbs it less
than wall time, and the best round of each counts. lm-eval's rows are in memory before its clock starts; ours are read
from disk, parsed, rendered, checked and given their ids within the time. The bench also prints the peak memory for
10,000 and for many rows, which must not differ. Rows come from NEMO_SDG_TEST_HUB, else ../shared/hub.
"""

import argparse
import itertools
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

TASKS = ["gsm8k", "sciq", "commonsense_qa"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds, under 50 s")
    quick = parser.parse_args().quick
    hub = Path(os.environ.get("NEMO_SDG_TEST_HUB") or ROOT.parent / "shared" / "hub")
    if not hub.is_dir():
        sys.exit(
            f"no rows to measure on: {hub} is missing; set NEMO_SDG_TEST_HUB to a mirror with gsm8k, sciq "
            "and commonsense_qa"
        )
    rows, rounds = (250, 2) if quick else (1200, 5)
    with tempfile.TemporaryDirectory() as folder:
        leaves = catalog_rows(folder)
        for task in TASKS:
            measure(leaves[task], hub, Path(folder), rows, rounds)
        memory(leaves["gsm8k"], hub, Path(folder), 50_000 if quick else 1_000_000)


def catalog_rows(mirror: str) -> dict[str, Any]:
    from nemo_sdg.catalog.selection import select
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.config import GuardSection, SeedsSection

    return {row.task: row for row in select(build_catalog(SeedsSection(mirror=mirror), GuardSection()), TASKS)}


def measure(row: Any, hub: Path, folder: Path, num: int, rounds: int) -> None:
    from nemo_sdg.catalog.walk import task_config
    from nemo_sdg.config import SeedsSection
    from nemo_sdg.records import Seed
    from nemo_sdg.seeds.build import plan_sources, render_source

    task, seeds = row.task, SeedsSection(tasks=[row.task], mirror=str(folder))
    file = Path(row.dataset["path"], row.dataset["name"] or "default", "train.jsonl")
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    with open(hub / file, "rb") as source, open(folder / file, "wb") as target:
        target.writelines(itertools.islice(source, num))
    docs = [json.loads(line) for line in (folder / file).read_bytes().splitlines()]
    theirs = lm_eval_task(task_config(task, seeds), docs)
    (ours,) = plan_sources([row], seeds)

    def render_theirs() -> int:
        for doc in docs:
            theirs.doc_to_text(doc)
            if theirs.config.doc_to_choice is not None:
                theirs.doc_to_choice(doc)
            theirs.doc_to_target(doc)
        return len(docs)

    def render_ours() -> int:
        for _ in render_source(ours, seeds, 0):
            pass
        return len(docs)

    kept = sum(isinstance(record, Seed) for record in render_source(ours, seeds, 0))
    assert kept >= 0.95 * len(docs), f"{task}: only {kept} of {len(docs)} rows became seeds"
    best = {"ours": 0.0, "theirs": 0.0}
    for _ in range(rounds):
        for name, render in (
            ("theirs", render_theirs),
            ("ours", render_ours),
            ("ours", render_ours),
            ("ours", render_ours),
        ):
            best[name] = max(best[name], rate(render))
    report(f"rows_per_s_{task}", best["ours"], "rows/s")
    report(f"rows_per_s_lm_eval_{task}", best["theirs"], "rows/s")
    report(f"ratio_to_lm_eval_{task}", best["ours"] / best["theirs"], "ratio")


def lm_eval_task(config: dict[str, Any], docs: list[dict[str, Any]]) -> Any:
    """lm-eval's task object on these rows, without the download."""
    import datasets
    from lm_eval.api.task import ConfigurableTask

    splits = {config.get(f"{role}_split") for role in ("training", "validation", "test", "fewshot")} - {None}

    class Offline(ConfigurableTask):
        def download(self, dataset_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
            self.dataset = datasets.DatasetDict({split: datasets.Dataset.from_list(docs) for split in splits})

    return Offline(config=config)


def rate(render: Callable[[], int]) -> float:
    start = time.process_time()
    num = render()
    return num / (time.process_time() - start)


def memory(row: Any, hub: Path, folder: Path, num: int) -> None:
    """Peak memory after 10,000 rows and after `num` rows, which are gsm8k's rows repeated."""
    from nemo_sdg.config import SeedsSection
    from nemo_sdg.seeds.build import plan_sources, render_source

    lines = (hub / "openai/gsm8k/main/train.jsonl").read_bytes().splitlines(keepends=True)
    seeds = SeedsSection(tasks=["gsm8k"], mirror=str(folder))
    (source,) = plan_sources([row], seeds)
    for rows in (10_000, num):
        with open(folder / "openai/gsm8k/main/train.jsonl", "wb") as handle:
            handle.writelines(itertools.islice(itertools.cycle(lines), rows))
        for _ in render_source(source, seeds, 0):
            pass
        report(f"max_rss_bytes_{rows}_rows", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "bytes")


def report(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": unit}), flush=True)


if __name__ == "__main__":
    main()
