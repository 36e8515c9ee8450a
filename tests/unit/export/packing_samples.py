"""A few samples, a tokenizer and a small packed step, for the tests of this room."""

import hashlib
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers

from nemo_sdg.export.packing.tokenizers import Tokenizer
from nemo_sdg.records import Answer, DatasetRow, Sample, Seed, to_dict
from nemo_sdg.storage import StepDir, write_jsonl

TASKS = {"sciq": "science", "arc_easy": "science", "gsm8k": "math"}


def byte_tokenizer(vocab_size: int = 257) -> Tokenizer:
    """One token a byte, id 256 ends a document."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Backend(
        models.BPE({**{character: number for number, character in enumerate(alphabet)}, "<eod>": 256}, [])
    )
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<eod>"])
    return Tokenizer(backend=backend, name="bytes", eod=256, vocab_size=vocab_size)


def make_seed(number: int) -> dict[str, Any]:
    task = sorted(TASKS)[number % len(TASKS)]
    return to_dict(
        Seed(
            seed_id=hashlib.md5(f"seed {number}".encode()).hexdigest(),
            task=task,
            tasks=[task],
            family=TASKS[task],
            capability="knowledge",
            kind="short_text",
            frame="generation",
            language="en",
            dataset=DatasetRow(path=f"org/{task}", name=None, split="train", revision="abc", row=number),
            license="MIT",
            question=f"seed question {number}",
            answer=Answer(text="yes"),
        )
    )


def make_sample(number: int, **fields: Any) -> dict[str, Any]:
    seed = make_seed(number // 3)
    plain: dict[str, Any] = {
        "sample_id": hashlib.md5(f"sample {number}".encode()).hexdigest(),
        "origin": "similar",
        "seed_ids": [seed["seed_id"]],
        **{name: seed[name] for name in ("task", "family", "capability", "kind", "frame", "language")},
        "question": f"What is number {number}?",
        "answer": Answer(text=f"It is {number}, 第{number}号."),
        "context": "Numbers count things. " * (1 + number % 4),
        "reasoning": "One looks at it.",
        "generator": {"model": "a model"},
        "license": {"seeds": ["MIT"], "models": ["Apache-2.0"], "effective": "MIT"},
    }
    return to_dict(Sample(**{**plain, **fields}))


def write_curated(run_dir: Path, samples: list[dict[str, Any]], *, shard_size: int = 20) -> list[Path]:
    """Curated shards and the seeds' shard of a small run."""
    paths = []
    for start in range(0, len(samples), shard_size):
        paths.append(run_dir / "curated" / f"shard-{start // shard_size:05d}.jsonl")
        write_jsonl(paths[-1], samples[start : start + shard_size])
    write_jsonl(run_dir / "seeds" / "shard-00000.jsonl", [make_seed(number) for number in range(1 + len(samples) // 3)])
    return paths


def packed_step(run_dir: Path) -> StepDir:
    return StepDir(run_dir=run_dir, step="packed", fingerprint="f1")
