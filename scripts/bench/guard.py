"""The content ring of the guard: how many evaluation rows it finds when they are offered as training rows, and how many
honest training rows it drops.

    python scripts/bench/guard.py [--quick | --rows N] [--hub FOLDER] [--half a|b] [--keep FILE]

Every evaluation split of a mirror of real data is offered in three ways: as files in other formats and column orders,
read by lm-eval's task file with the builder `json`, `csv` or `parquet`; the same with the longest text of the question
edited; and as rows of a simple user's task (question, passage, choices, answer). A row counts if it would otherwise
become a seed. The tasks of half a were used while the rules were written; half b is also printed separately. Rows come
from --hub, else NEMO_SDG_TEST_HUB, else ../shared/hub.

--rows takes so many rows of each evaluation split, spread by the hash of their number; --quick takes 30. Each variant
of each split is a line on standard error, with its rows and seconds. With --keep, the counts of each finished split are
added to a file, from which a later call with the same code, data and options goes on. An interrupted bench prints what
it has, with `"partial": true`, and ends with exit code 130.

Prints one JSON object per line: recall_<variant> and recall_<variant>_half_b (share of rows found),
false_positive_rate (share of honest training rows that are dropped and do not have an evaluation row's question word
for word), train_rows_in_evaluation (share of training rows that have one), cpu_seconds.
"""

import argparse
import dataclasses
import hashlib
import heapq
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml
from guard_offers import EDITS, FORMATS, OWN, Row, as_lines, edited_rows, own_task

from nemo_sdg.catalog.walk import build_catalog, task_file
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import CatalogRow, Seed, Verdict
from nemo_sdg.seeds.build import plan_sources, render_source
from nemo_sdg.seeds.content.guard import ContentGuard
from nemo_sdg.seeds.content.texts import words
from nemo_sdg.seeds.evaluation_rows.cache import code_hash
from nemo_sdg.seeds.evaluation_rows.render import render_evaluation
from nemo_sdg.seeds.sources.rows import mirrored
from nemo_sdg.seeds.sources.splits import EvaluationSource, Source, evaluation_sources, open_source

QUICK_ROWS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows a split")
    parser.add_argument("--rows", type=int, help="rows of each evaluation split, by the hash of their number")
    parser.add_argument("--half", choices=["a", "b"], help="only the tasks of this half")
    parser.add_argument("--show", type=int, default=0, help="rows that were not found to print of each variant")
    parser.add_argument("--keep", type=Path, help="file for the counts of each finished split, to go on from")
    parser.add_argument("--variants", nargs="+", help="only these, such as word_changed latex")
    default = Path(os.environ.get("NEMO_SDG_TEST_HUB") or Path(__file__).parents[3] / "shared" / "hub")
    parser.add_argument("--hub", type=Path, default=default)
    arguments = parser.parse_args()
    if not arguments.hub.is_dir():
        sys.exit(f"no rows to measure on: {arguments.hub} is missing; name a mirror by --hub or NEMO_SDG_TEST_HUB")
    rows = arguments.rows or (QUICK_ROWS if arguments.quick else None)
    unknown = set(arguments.variants or []) - {*FORMATS, *EDITS, *OWN}
    if unknown:
        parser.error(f"no variant is called {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bench = Bench(arguments.hub.resolve(), rows, arguments.half, arguments.show, arguments.variants, arguments.keep)
    is_whole = False
    try:
        bench.prepare()
        with tempfile.TemporaryDirectory() as folder:
            bench.offer_all(Path(folder))
        bench.count_honest_rows()
        is_whole = True
    except KeyboardInterrupt:
        note("interrupted")
    about: dict[str, Any] = {"rows_per_split": rows or "all"} | ({} if is_whole else {"partial": True})
    for name, (value, num) in bench.values().items():
        line = {"name": name, "value": round(value, 5), "unit": "share", "rows": num, **about}
        print(orjson.dumps(line).decode(), flush=True)
    line = {"name": "cpu_seconds", "value": round(time.process_time(), 1), "unit": "s", **about}
    print(orjson.dumps(line).decode(), flush=True)
    sys.exit(0 if is_whole else 130)


def note(text: str) -> None:
    print(f"{time.process_time():7.1f} s  {text}", file=sys.stderr, flush=True)


@dataclass(kw_only=True)
class Offer:
    """The rows of one evaluation split in one variant, as a training split."""

    variant: str
    source: EvaluationSource
    half: str


class Bench:
    def __init__(
        self, hub: Path, limit: int | None, half: str | None, show: int, variants: list[str] | None, keep: Path | None
    ) -> None:
        self.hub, self.limit, self.half, self.show, self.keep = hub, limit, half, show, keep
        self.variants = variants or [*FORMATS, *EDITS, *OWN]
        self.seeds = SeedsSection(mirror=str(hub))
        self.offered: Counter[tuple[str, str]] = Counter()
        self.missed: Counter[tuple[str, str]] = Counter()
        self.honest: Counter[str] = Counter()
        self.done: dict[str, dict[str, Any]] = {}

    def prepare(self) -> None:
        self.catalog = build_catalog(self.seeds, GuardSection())
        self.sources = evaluation_sources(self.catalog, self.seeds).reachable
        note(f"{len(self.sources)} evaluation splits")
        self.rendered = {id(source): list(render_evaluation(source, self.seeds)) for source in self.sources}
        num = sum(map(len, self.rendered.values()))
        note(f"{num} evaluation rows rendered")
        self.guard = ContentGuard(row for rows in self.rendered.values() for row in rows)
        note("index built")
        self.key = self.identity()
        if self.keep is not None and self.keep.is_file():
            kept = [orjson.loads(line) for line in self.keep.read_bytes().splitlines()]
            self.done = {line["split"]: line for line in kept if line["key"] == self.key}
            note(f"{len(self.done)} splits are finished in {self.keep}")

    def identity(self) -> str:
        """Of all that the counts of a split depend on."""
        code = [Path(__file__).with_name(name).read_bytes() for name in ("guard.py", "guard_offers.py")]
        rows = [orjson.dumps(rows) for rows in self.rendered.values()]
        asked = [code_hash(), repr((self.limit, self.variants))]
        return hashlib.blake2b(b"".join([*code, *rows, *map(str.encode, asked)]), digest_size=16).hexdigest()

    def add(self, split: str, half: str, offered: dict[str, int], missed: dict[str, int]) -> None:
        self.offered.update({(name, half): num for name, num in offered.items()})
        self.missed.update({(name, half): num for name, num in missed.items()})
        if self.keep is not None and split not in self.done:
            line = {"key": self.key, "split": split, "half": half, "offered": offered, "missed": missed}
            with self.keep.open("ab") as file:
                file.write(orjson.dumps(line) + b"\n")

    def offer_all(self, folder: Path) -> None:
        """All splits stand in one folder of tasks: lm-eval's 14,000 task files are read once."""
        offers: dict[str, Offer] = {}
        for source in self.sources:
            half, split = half_of(source.tasks[0]), str(source.split)
            if self.half not in (None, half):
                continue
            if split in self.done:
                self.add(split, half, self.done[split]["offered"], self.done[split]["missed"])
                continue
            for variant, (file, data, config) in self.offers_of(source).items():
                task = f"offered_{len(offers)}"
                offers[task] = Offer(variant=variant, source=source, half=half)
                write_task(folder / task, task, source.leaves[0], file, data, config)
        note(f"{len(offers)} training files written")
        if not offers:
            return
        seeds = SeedsSection(include_path=[str(folder)], hub=False)
        leaves = {row.task: row for row in build_catalog(seeds, GuardSection()) if row.task in offers}
        note("catalog of the offered tasks")
        for source in self.sources:
            tasks = [task for task, offer in offers.items() if offer.source is source]
            if not tasks:
                continue
            offered, missed = Counter[str](), Counter[str]()
            for task in tasks:
                name = offers[task].variant
                leaves[task] = dataclasses.replace(leaves[task], verdict=Verdict.eligible)
                start = time.process_time()
                offered[name], missed[name] = self.count(name, leaves[task], seeds)
                seconds = time.process_time() - start
                rows = f"{offered[name]:5} rows, {missed[name]} missed, {seconds:.1f} s"
                note(f"{offers[task].half}  {source.tasks[0]}  {name}: {rows}")
            self.add(str(source.split), offers[tasks[0]].half, dict(offered), dict(missed))

    def offers_of(self, source: EvaluationSource) -> dict[str, tuple[str, bytes, dict[str, Any]]]:
        """Variant -> file name, its bytes, and what the task file says."""
        found = {number: row for number, row in open_source(source, self.seeds) if isinstance(row, dict)}
        chosen = found if self.limit is None else heapq.nsmallest(self.limit, found, key=lambda number: rank(number))
        rows: dict[int, Row] = {number: found[number] for number in sorted(chosen)}
        evaluated = [row for row in self.rendered[id(source)] if row.dataset.row in rows]
        offers: dict[str, tuple[str, bytes, dict[str, Any]]] = {}
        task = source.leaves[0].task
        for name in self.variants:
            config = {"include": str(task_file(task, self.seeds)), "dataset_path": "json"}
            if name in FORMATS:
                file, builder, write = FORMATS[name]
                offers[name] = (file, write(list(rows.values())), config | {"dataset_path": builder})
            elif name in EDITS:
                edited = list(edited_rows(rows, evaluated, EDITS[name], f"{task}:{name}"))
                if edited:
                    offers[name] = ("rows.jsonl", as_lines(edited), config)
            else:
                own = [made for row in evaluated if (made := OWN[name](row, random.Random(f"{name}:{row.question}")))]
                if own:
                    offers[name] = ("rows.jsonl", as_lines(own), own_task("choices" in own[0]))
        return offers

    def count(self, name: str, leaf: CatalogRow, seeds: SeedsSection) -> tuple[int, int]:
        """The rows that are seeds or stand in an evaluation split, and the seeds among them."""
        offered = missed = 0
        for source in plan_sources([leaf], seeds):
            try:
                for record in render_source(source, seeds, 0, self.guard):
                    if isinstance(record, Seed):
                        missed += 1
                        if missed <= self.show:
                            print(name, orjson.dumps(record).decode()[:1500], file=sys.stderr)
                    elif record.reason != "in_evaluation_split":
                        continue
                    offered += 1
            except DataError as exc:
                note(f"{name} {leaf.dataset}: {exc}")
        return offered, missed

    def count_honest_rows(self) -> None:
        exact = {tuple(words(row.question)) for rows in self.rendered.values() for row in rows}
        for source in plan_sources(self.catalog, self.seeds):
            if source.split.data_files or not mirrored(source.split, str(self.hub)):
                continue
            start, before = time.process_time(), self.honest.copy()
            self.count_honest_rows_of(source, exact)
            counts, seconds = self.honest - before, time.process_time() - start
            note(f"honest  {source.tasks[0]}: {counts.total():5} rows, {counts['lost']} lost, {seconds:.1f} s")

    def count_honest_rows_of(self, source: Source, exact: set[tuple[str, ...]]) -> None:
        for record in render_source(source, self.seeds, 0, self.guard):
            if isinstance(record, Seed):
                self.honest["kept"] += 1
            elif record.reason == "in_evaluation_split":
                is_exact = tuple(words(record.record["question"])) in exact
                self.honest["exact" if is_exact else "lost"] += 1
                if self.show and not is_exact:
                    print("lost", record.detail, orjson.dumps(record.record).decode()[:1500], file=sys.stderr)

    def values(self) -> dict[str, tuple[float, int]]:
        found: dict[str, tuple[float, int]] = {}
        for name in self.variants:
            for halves, suffix in (("ab", ""), ("b", "_half_b")):
                num = sum(self.offered[name, half] for half in halves)
                missed = sum(self.missed[name, half] for half in halves)
                if num:
                    found[f"recall_{name}{suffix}"] = (1 - missed / num, num)
        num = self.honest.total()
        if num:
            found["false_positive_rate"] = (self.honest["lost"] / num, num)
            found["train_rows_in_evaluation"] = (self.honest["exact"] / num, num)
        return found


def write_task(place: Path, task: str, leaf: CatalogRow, file: str, data: bytes, config: dict[str, Any]) -> None:
    """A user's task file in a folder of its own, with its training file beside it."""
    place.mkdir()
    (place / file).write_bytes(data)
    facts = {"family": leaf.family, "capability": leaf.capability, "kind": leaf.kind, "frame": leaf.frame}
    if "include" not in config:
        is_choice = "doc_to_choice" in config
        facts["kind"] = "multiple_choice" if is_choice else "short_text"
        facts["frame"] = "selection" if is_choice else "generation"
    language = (leaf.languages or ["en"])[0]
    whole = {
        "task": task,
        **config,
        "dataset_kwargs": {"data_files": {"train": file}},
        "dataset_name": None,
        "training_split": "train",
        "validation_split": None,
        "test_split": None,
        "fewshot_split": None,
        "tag": None,
        "metadata": {"version": 1, "nemo_sdg": {**facts, "language": language, "license": "MIT"}},
    }
    (place / "task.yaml").write_text(yaml.safe_dump(whole))


def half_of(task: str) -> str:
    return "ab"[hashlib.blake2b(task.encode()).digest()[0] & 1]


def rank(number: int) -> bytes:
    return hashlib.blake2b(b"%d" % number, digest_size=8).digest()


if __name__ == "__main__":
    main()
