"""Packing compared with the tokenizer alone, datatrove and NeMo Curator, on the same texts, cores and tokenizer.

    python scripts/bench/pack.py [--quick] [--samples N] [--workers 2] [--memory]

Prints one JSON object per line. Our clock runs from the first byte read to the last receipt written, with planning.
Processes are started before, like the imports of the peers (`seconds_to_start` is this time). The tokenizer alone is
`encode_batch_fast` on all texts with as many threads as we have processes; the ratios per CPU second are affected less
by other load of the machine. datatrove 0.10.1 (MegatronDocumentTokenizer) runs in the environment of peers.py,
Curator's MegatronTokenizerWriter in that of the project, both with two processes; if a peer is not available, its ratio
is null with the reason. --memory packs 100k and 2M short documents instead, each in a new process, and prints the
largest resident set.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers import DATATROVE, PeersUnavailable, peers_python

ROOT = Path(__file__).resolve().parents[2]
SHARD_SAMPLES = 2_000
SHORT_TEXT = 100
"""characters; short enough to pack 2M documents in minutes"""
CHUNK = 2_000
"""number of texts in one call of encode_batch_fast: enough to keep all threads busy"""


def show(name: str, value: float | str | None, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}), flush=True)


def sentences() -> tuple[str, list[str]]:
    """Real texts: strings of 20 to 600 characters from the mirror's rows, or from the project's tasks if there is no
    mirror.
    """
    hub = Path(os.environ.get("NEMO_SDG_TEST_HUB", ROOT.parent / "shared" / "hub"))
    folder = hub if hub.is_dir() else ROOT / "configs" / "quickstart_tasks"
    found: dict[str, None] = {}
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open() as lines:
            for line in lines:
                found |= dict.fromkeys(text.strip() for text in strings(json.loads(line)) if 20 <= len(text) <= 600)
    texts = sorted(found, key=lambda text: hashlib.md5(text.encode()).digest())
    return folder.name, texts


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def write_corpus(run_dir: Path, num: int, texts: list[str]) -> list[Path]:
    """Curated shards of `num` samples with fields from the texts, of three families in turn."""
    from nemo_sdg.records import Generator, ModelUse, Sample, SampleLicense, VoteCounts, to_dict
    from nemo_sdg.storage import write_jsonl

    plain = to_dict(
        Sample(
            sample_id="",
            origin="similar",
            seed_ids=[],
            task="",
            family="",
            capability="knowledge",
            kind="short_text",
            frame="generation",
            language="en",
            question="",
            votes=VoteCounts(planned=8, n=8, agree=7, tally={"one": 7, "another": 1}),
            generator=Generator(
                model="none", solvers=[ModelUse(engine="none", model="none", license="MIT", prompt="short_text")]
            ),
            license=SampleLicense(seeds=["MIT"], models=["MIT"], effective="MIT"),
        )
    )

    def sample(number: int) -> dict[str, Any]:
        family = ("science", "math", "reading_comprehension")[number // SHARD_SAMPLES % 3]
        question, answer, context, reasoning = (texts[(number * 5 + place * 7919) % len(texts)] for place in range(4))
        return {
            **plain,
            "sample_id": hashlib.md5(f"sample {number}".encode()).hexdigest(),
            "seed_ids": [hashlib.md5(f"seed {number // 3}".encode()).hexdigest()],
            "task": f"{family}_task",
            "family": family,
            "question": question,
            "answer": {"text": answer[:40].strip(), "label": None, "aliases": []},
            "context": context,
            "reasoning": reasoning,
        }

    shards = []
    for start in range(0, num, SHARD_SAMPLES):
        shards.append(run_dir / "curated" / f"shard-{start // SHARD_SAMPLES:05d}.jsonl")
        write_jsonl(shards[-1], (sample(number) for number in range(start, min(num, start + SHARD_SAMPLES))))
    return shards


def export_section() -> Any:
    from nemo_sdg.config import ExportSection

    return ExportSection(shard_tokens=1_000_000, max_document_tokens=8192)


def pack(run_dir: Path, shards: list[Path], workers: int) -> dict[str, float]:
    from nemo_sdg.export.packing.pack import open_pool, pack_units
    from nemo_sdg.export.packing.tokenizers import load_tokenizer
    from nemo_sdg.storage import StepDir

    step = StepDir(run_dir=run_dir, step="packed", fingerprint="bench")
    begin = time.monotonic()
    tokenizer = load_tokenizer(None)
    with open_pool(tokenizer, workers) as map_units:
        list(map_units(time.sleep, [0.5] * workers))  # each process takes one: all of them are up
        cpu = cpu_seconds(map_units, workers)
        start = time.monotonic()
        receipts = pack_units(shards, step, export_section(), tokenizer, map_units)
        seconds = time.monotonic() - start
        cpu = cpu_seconds(map_units, workers) - cpu
        peak = max((usage[1] for usage in usages(map_units, workers)), default=0)
    num_tokens = sum(size["tokens"] for receipt in receipts for size in receipt["variants"].values())
    tokens = {"tokens": num_tokens, "tokens_per_s": num_tokens / seconds, "tokens_per_cpu_s": num_tokens / cpu}
    return {"seconds": seconds, **tokens, "seconds_to_start": start - begin, "worker_bytes": peak}


def usages(map_units: Any, workers: int) -> list[tuple[int, int, float]]:
    """For each worker: process id, largest resident set in bytes, CPU seconds so far."""
    return sorted(set(map_units(usage_of_worker, [0.5] * workers))) if workers > 1 else []


def usage_of_worker(seconds: float) -> tuple[int, int, float]:
    time.sleep(seconds)  # meanwhile each other worker takes one
    used = resource.getrusage(resource.RUSAGE_SELF)
    return os.getpid(), used.ru_maxrss * 1024, used.ru_utime + used.ru_stime


def cpu_seconds(map_units: Any, workers: int) -> float:
    return time.process_time() + sum(cpu for _, _, cpu in usages(map_units, workers))


def encode_alone(texts_path: Path, threads: int) -> tuple[float, float]:
    """Tokens per second and per CPU second of encode_batch_fast on the texts, in a separate process with `threads`
    threads.
    """
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "true", "RAYON_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, __file__, "--encode", str(texts_path)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    per_second, per_cpu_second = map(float, done.stdout.split())
    return per_second, per_cpu_second


def encode_texts(path: Path) -> None:
    from nemo_sdg.export.packing.tokenizers import load_tokenizer

    texts = [json.loads(line)["text"] for line in path.read_bytes().splitlines()]
    backend = load_tokenizer(None).backend
    backend.encode_batch_fast(texts[:CHUNK], add_special_tokens=False)
    start, cpu = time.monotonic(), time.process_time()
    num_tokens = sum(
        len(encoding)
        for at in range(0, len(texts), CHUNK)
        for encoding in backend.encode_batch_fast(texts[at : at + CHUNK], add_special_tokens=False)
    )
    print(num_tokens / (time.monotonic() - start), num_tokens / (time.process_time() - cpu))


def write_texts(run_dir: Path, shards: list[Path]) -> Path:
    """Writes both variants of all samples for the peers: JSONL with `text`, in two files for datatrove's two tasks."""
    from nemo_sdg.export.documents import render_text
    from nemo_sdg.storage import read_jsonl, write_jsonl

    variants = export_section().variants
    for variant in variants:
        rows = (
            {"id": sample["sample_id"], "text": render_text(sample, variant)}
            for shard in shards
            for sample in read_jsonl(shard)
        )
        write_jsonl(run_dir / "texts" / f"{variant}.jsonl", rows)
    path = run_dir / "all.jsonl"
    path.write_bytes(b"".join((run_dir / "texts" / f"{variant}.jsonl").read_bytes() for variant in variants))
    return path


def datatrove(run_dir: Path) -> dict[str, float] | str:
    """The figures of datatrove on the texts, or why it cannot be measured."""
    from nemo_sdg.export.packing.tokenizers import load_tokenizer

    try:
        python = peers_python("datatrove", *DATATROVE)
    except PeersUnavailable as exc:
        return f"unavailable: {exc}"
    tokenizer = load_tokenizer(None)
    eos = tokenizer.backend.id_to_token(tokenizer.eod)
    return run_peer(
        python, "peer_datatrove_pack.py", run_dir / "datatrove", run_dir / "tokenizer" / "tokenizer.json", eos
    )


def curator(run_dir: Path) -> dict[str, float] | str:
    """The figures of Curator on the texts, or why it cannot be measured."""
    return run_peer(sys.executable, "peer_curator_pack.py", run_dir / "curator", run_dir / "tokenizer")


def run_peer(python: str, script: str, out: Path, *more: Path | str) -> dict[str, float] | str:
    arguments = [python, str(Path(__file__).with_name(script)), str(out.parent / "texts"), str(out), *map(str, more)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"unavailable: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'the peer failed'}"
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def bench(num: int, workers: int) -> None:
    from nemo_sdg.export.packing.tokenizers import load_tokenizer

    source, texts = sentences()
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder)
        shards = write_corpus(run_dir, num, texts)
        path = write_texts(run_dir, shards)
        before = encode_alone(path, workers)
        ours = pack(run_dir, shards, workers)
        after = encode_alone(path, workers)
        alone, alone_per_cpu = ((one + other) / 2 for one, other in zip(before, after, strict=True))
        facts = {"samples": num, "texts": source, "workers": workers}
        show(
            "tokens_per_s",
            round(ours["tokens_per_s"]),
            "tokens/s",
            tokens=ours["tokens"],
            seconds=round(ours["seconds"], 2),
            **facts,
        )
        show("seconds_to_start", round(ours["seconds_to_start"], 2), "s")
        show(
            "ratio_to_encode_batch_fast",
            round(ours["tokens_per_s"] / alone, 3),
            "x",
            peer_tokens_per_s=[round(before[0]), round(after[0])],
        )
        show(
            "ratio_to_encode_batch_fast_per_cpu_second",
            round(ours["tokens_per_cpu_s"] / alone_per_cpu, 3),
            "x",
            peer_tokens_per_cpu_s=round(alone_per_cpu),
        )
        load_tokenizer(None).save(run_dir / "tokenizer")
        for name, peer in (("datatrove", datatrove(run_dir)), ("curator", curator(run_dir))):
            if isinstance(peer, str):
                show(f"ratio_to_{name}", None, "x", reason=peer)
                continue
            for end, rate in (("", "tokens_per_s"), ("_per_cpu_second", "tokens_per_cpu_s")):
                if rate in peer:  # datatrove's processes are no children of its script
                    told = {f"peer_{rate}": round(peer[rate])}
                    show(f"ratio_to_{name}{end}", round(ours[rate] / peer[rate], 3), "x", **told)


def measure_memory(documents: int, workers: int) -> None:
    """Packs in a new process; prints the largest resident set of it and its workers. A sample is two documents."""
    texts = [text for text in sentences()[1] if len(text) <= SHORT_TEXT]
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(Path(folder), documents // 2, texts)
        done = subprocess.run(
            [sys.executable, __file__, "--rss", folder, "--workers", str(workers)],
            capture_output=True,
            text=True,
            check=True,
        )
    facts = json.loads(done.stdout)
    show(f"max_rss_bytes_{documents}_documents", facts.pop("bytes"), "bytes", **facts)


def pack_for_memory(run_dir: Path, workers: int) -> None:
    packed = pack(run_dir, sorted((run_dir / "curated").glob("*.jsonl")), workers)
    own, worker = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, packed["worker_bytes"]
    print(
        json.dumps(
            {
                "bytes": max(own, worker),
                "own": own,
                "largest_worker": worker,
                "seconds": round(packed["seconds"]),
                "tokens": packed["tokens"],
            }
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--rss", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--encode", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.encode:
        encode_texts(options.encode)
    elif options.rss:
        pack_for_memory(options.rss, options.workers)
    elif options.memory:
        for size in (100_000, 2_000_000):
            measure_memory(size, options.workers)
    else:
        bench(options.samples or (10_000 if options.quick else 40_000), options.workers)
