"""Deduplication of synthetic questions with planted near-duplicates, compared with datatrove's MinHash.

    python scripts/bench/dedup.py [--quick] [--documents N ...] [--workers 2]

Prints one JSON object per line. The clock runs from the first byte read to the last kept record written, with the start
of processes; `cpu_seconds` is the sum over all processes, for machines with other load. datatrove runs in the
environment of peers.py; if that is not available, ratio_to_datatrove is null with the reason.
"""

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import hub_rows
import orjson
import psutil
from peers import DATATROVE, PeersUnavailable, peers_python

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup.duplicates import Duplicates, find_duplicates
from nemo_sdg.curate.dedup.question_text import QuestionText, question_text
from nemo_sdg.storage import atomic_file, read_jsonl, write_jsonl

SHARD_DOCUMENTS = 10_000
ONSETS, VOWELS, CODAS = (
    [
        "b",
        "br",
        "c",
        "cl",
        "d",
        "dr",
        "f",
        "g",
        "gl",
        "h",
        "k",
        "l",
        "m",
        "n",
        "p",
        "pr",
        "r",
        "s",
        "st",
        "t",
        "tr",
        "v",
        "w",
    ],
    ["a", "e", "i", "o", "u", "ai", "ea", "io"],
    ["", "n", "r", "s", "l", "nt", "ck"],
)
TAILS = [
    "what is the most likely reason for this?",
    "how many are left at the end?",
    "which of the following explains the result best?",
    "what would change if the first step were left out?",
    "why does the second group behave in another way?",
    "who was right, and what follows from it?",
]


def make_words(rng: random.Random, num: int) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < num:
        words[
            "".join(rng.choice(part) for _ in range(rng.choice((1, 2, 2, 3))) for part in (ONSETS, VOWELS, CODAS))
        ] = None
    return list(words)


class Corpus:
    """Questions of about 300 characters: random ones, copies with a few words replaced (planted), and copies with other
    numbers (twins).
    """

    def __init__(self) -> None:
        self.words = make_words(random.Random("words"), 20_000)
        self.weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(self.words))))

    def question(self, rng: random.Random) -> dict[str, Any]:
        words = rng.choices(self.words, cum_weights=self.weights, k=38)
        words[rng.randrange(38)] = str(rng.randrange(2, 1000))
        choices = [" ".join(rng.choices(self.words, cum_weights=self.weights, k=2)) for _ in range(4)]
        return {"words": words, "tail": rng.choice(TAILS), "choices": choices}

    def copy(self, rng: random.Random, question: dict[str, Any]) -> dict[str, Any]:
        words = list(question["words"])
        for place in rng.sample(range(len(words)), rng.randint(0, 6)):
            if not words[place].isdigit():
                words[place] = rng.choice(self.words)
        return {**question, "words": words, "choices": rng.sample(question["choices"], 4)}

    def twin(self, question: dict[str, Any]) -> dict[str, Any]:
        return {**question, "words": [str(int(word) + 1) if word.isdigit() else word for word in question["words"]]}

    def records(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        """Every 11th document is a planted copy of one shortly before it, every 101st a twin."""
        rng, recent = random.Random(f"corpus {start}"), []
        for number in range(start, end):
            origin = None
            if number % 11 == 10 and recent:
                kind, (origin, question) = "planted", rng.choice(recent)
                question = self.copy(rng, question)
            elif number % 101 == 100 and recent:
                kind, (origin, question) = "twin", rng.choice(recent)
                question = self.twin(question)
            else:
                kind, question = "random", self.question(rng)
            identifier = hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()
            if kind == "random":
                recent = [*recent[-500:], (identifier, question)]
            yield {
                "sample_id": identifier,
                "origin": "similar",
                "seed_ids": [kind, origin],
                "task": "bench",
                "question": " ".join(question["words"]) + ": " + question["tail"],
                "passage": None,
                "choices": question["choices"],
                "reasoning": " ".join(rng.choices(self.words, k=30)),
                "votes": {"n": 4, "agree": rng.randint(2, 4), "tally": {}},
            }


def _write_shard(folder: Path, number: int, num: int) -> None:
    start = number * SHARD_DOCUMENTS
    records = list(Corpus().records(start, min(num, start + SHARD_DOCUMENTS)))
    write_jsonl(folder / f"shard-{number:05d}.jsonl", records)
    texts = [
        {"id": record["sample_id"], "text": "\n".join([record["question"], *record["choices"]])} for record in records
    ]
    write_jsonl(folder / "texts" / f"shard-{number:05d}.jsonl", texts)


def write_corpus(folder: Path, num: int) -> list[Path]:
    numbers = range((num + SHARD_DOCUMENTS - 1) // SHARD_DOCUMENTS)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_write_shard, itertools.repeat(folder), numbers, itertools.repeat(num)))
    return [folder / f"shard-{number:05d}.jsonl" for number in numbers]


def write_kept(shard: Path, table: Path, out: Path) -> int:
    """Writes the kept records; returns their number."""
    duplicates, num = Duplicates(table), 0
    with open(shard, "rb") as lines, atomic_file(out / shard.name) as kept:
        for line in lines:
            if duplicates.find(orjson.loads(line)["sample_id"]) is None:
                kept.write(line)
                num += 1
    return num


class Usage(threading.Thread):
    """Usage of this process and its child processes, sampled 5 times per second: the largest sum of resident sizes
    (shared pages count each time), and CPU seconds since the start.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.done = 0, threading.Event()
        self._seconds: dict[tuple[int, float], float] = {}
        self._look()
        self._before = sum(self._seconds.values())
        self.peak = 0

    def _look(self) -> None:
        me, total = psutil.Process(), 0
        for process in [me, *me.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                self._seconds[process.pid, process.create_time()] = times.user + times.system
                total += process.memory_info().rss
        self.peak = max(self.peak, total)

    def run(self) -> None:
        while not self.done.wait(0.2):
            self._look()

    def end(self) -> float:
        """Stops measuring; returns the CPU seconds."""
        self.done.set()
        self.join()
        self._look()
        return sum(self._seconds.values()) - self._before


def jaccard(left: QuestionText, right: QuestionText) -> float:
    """Exact Jaccard similarity by Python sets; 0 if the numbers differ."""
    if left.numbers != right.numbers:
        return 0.0
    a, b = ({text.main[i : i + 5] for i in range(len(text.main) - 4)} for text in (left, right))
    return len(a & b) / len(a | b)


def measure_quality(shards: list[Path], table: Path) -> dict[str, float]:
    """Recall over all planted pairs, and correctness over all rows of the table, by brute force."""
    kept = {row["id"]: row["kept_id"] for row in read_jsonl(table)}
    texts, pairs, twins = {}, [], []
    for shard in shards:
        for record in read_jsonl(shard):
            kind, origin = record["seed_ids"]
            texts[record["sample_id"]] = question_text(record, numbers_distinguish=True)
            if kind != "random":
                (pairs if kind == "planted" else twins).append((origin, record["sample_id"]))

    def together(a: str, b: str) -> bool:
        return kept.get(a, a) == kept.get(b, b)

    alike = [pair for pair in pairs if jaccard(texts[pair[0]], texts[pair[1]]) >= 0.8]
    return {
        "recall_jaccard_0.8": sum(together(*pair) for pair in alike) / len(alike),
        "pairs_jaccard_0.8": len(alike),
        "false_edges_below_0.5": sum(jaccard(texts[a], texts[b]) < 0.5 for a, b in kept.items()) / len(kept),
        "edges": len(kept),
        "number_twins_joined": sum(together(*pair) for pair in twins) / max(1, len(twins)),
    }


def say(name: str, value: Any, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}), flush=True)


def bench_real_rows(folder: Path, hub: Path, num_per_task: int, workers: int) -> None:
    """Deduplicates training rows of the hub mirror: how many are dropped, and how many of those have another gold
    answer than the row that is kept. Code is left out: its answers do not show whether two questions are the same.
    """
    rows = [
        {
            **row,
            "sample_id": f"{name}-{number:05d}",
            "origin": "seed",
            "seed_ids": [],
            "reasoning": "",
            "votes": {"n": 1, "agree": 1, "tally": {}},
        }
        for name, task in hub_rows.TASKS.items()
        if task.kind != "code"
        for number, row in enumerate(hub_rows.training_rows(hub, name)[:num_per_task])
    ]
    write_jsonl(folder / "real" / "shard-00000.jsonl", rows)
    table = find_duplicates(
        [folder / "real" / "shard-00000.jsonl"],
        seeds=[],
        work=folder / "real-work",
        config=CurateSection(),
        workers=workers,
    )
    gold = {row["sample_id"]: str(row["answer"]["text"]).strip().casefold() for row in rows}
    lost = list(read_jsonl(table))
    for reason in ("exact_duplicate", "near_duplicate", "template_repeated"):
        here = [row for row in lost if row["reason"] == reason]
        other = sum(gold[row["id"]] != gold[row["kept_id"]] for row in here)
        say(f"real_rows_{reason}", len(here), "rows", documents=len(rows), with_another_gold=other)


def run_datatrove(python: str, texts: Path, out: Path) -> float:
    """datatrove's documents/s."""
    script = Path(__file__).with_name("peer_datatrove_dedup.py")
    done = subprocess.run([python, str(script), str(texts), str(out)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeersUnavailable((done.stderr.strip().splitlines() or ["no word why"])[-1])
    return float(json.loads(done.stdout.splitlines()[-1])["documents_per_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="12,000 documents")
    parser.add_argument("--documents", type=int, nargs="+", default=[300_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-peer", action="store_true")
    hub = Path(os.environ.get("NEMO_SDG_TEST_HUB", Path(__file__).parents[3] / "shared" / "hub"))
    parser.add_argument("--hub", type=Path, default=hub)
    arguments = parser.parse_args()
    if arguments.hub.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            bench_real_rows(Path(folder), arguments.hub, 40 if arguments.quick else 400, arguments.workers)
    for num in [12_000] if arguments.quick else arguments.documents:
        with tempfile.TemporaryDirectory() as folder:
            bench(Path(folder), num, arguments.workers, peer=not arguments.no_peer)


def bench(folder: Path, num: int, workers: int, *, peer: bool) -> None:
    shards = write_corpus(folder / "corpus", num)
    usage = Usage()
    usage.start()
    start = time.perf_counter()
    table = find_duplicates(shards, seeds=[], work=folder / "work", config=CurateSection(), workers=workers)
    found = time.perf_counter() - start
    with ProcessPoolExecutor(workers) as pool:
        num_kept = sum(pool.map(write_kept, shards, itertools.repeat(table), itertools.repeat(folder / "kept")))
    seconds, seconds_cpu = time.perf_counter() - start, usage.end()
    say(
        "documents_per_s",
        num / seconds,
        "documents/s",
        documents=num,
        kept=num_kept,
        workers=workers,
        seconds=seconds,
        seconds_to_table=found,
        cpu_seconds=seconds_cpu,
    )
    say("max_rss_bytes", usage.peak, "bytes", documents=num)
    quality = measure_quality(shards, table)
    say("recall_jaccard_0.8", quality["recall_jaccard_0.8"], "share", documents=num, pairs=quality["pairs_jaccard_0.8"])
    say("false_edges_below_0.5", quality["false_edges_below_0.5"], "share", documents=num, edges=quality["edges"])
    say("number_twins_joined", quality["number_twins_joined"], "share", documents=num)
    if peer:
        try:
            python = peers_python("datatrove", *DATATROVE)
            usage = Usage()
            usage.start()
            theirs = run_datatrove(python, folder / "corpus" / "texts", folder / "datatrove")
            theirs_cpu = usage.end()
        except PeersUnavailable as exc:
            say("ratio_to_datatrove", None, "ratio", unavailable=str(exc))
        else:
            say(
                "datatrove_documents_per_s",
                theirs,
                "documents/s",
                documents=num,
                cpu_seconds=theirs_cpu,
                max_rss_bytes=usage.peak,
            )
            say(
                "ratio_to_datatrove",
                num / seconds / theirs,
                "ratio",
                documents=num,
                ratio_of_cpu_seconds=theirs_cpu / seconds_cpu,
            )


if __name__ == "__main__":
    main()
