"""The parts of scripts/gpu_acceptance.sh. Each ends with one line: PASS, FAIL or SKIP, the part, what was measured."""

import argparse
import asyncio
import importlib.util
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from nemo_sdg.config import CurateSection, Role, load_config
from nemo_sdg.curate.dedup.duplicates import find_duplicates
from nemo_sdg.curate.embed import Embedder
from nemo_sdg.errors import SdgError
from nemo_sdg.generate.requests import Request
from nemo_sdg.generate.roles import open_roles
from nemo_sdg.generate.schemas import mismatch, solution_schema
from nemo_sdg.pipeline import run as pipeline
from nemo_sdg.storage import read_jsonl, stored_files, write_jsonl

ROOT = Path(__file__).resolve().parent.parent
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
CONTAINER = "run it in TensorRT-LLM's release container, with nemo-sdg installed there"
NEMO = "run it in the NeMo Framework container, with nemo-sdg installed there"
NEEDS = {
    "generation": ("tensorrt_llm", CONTAINER),
    "hybrid": ("tensorrt_llm", CONTAINER),
    "guided": ("tensorrt_llm", CONTAINER),
    "dedup": ("cudf", "pip install 'nemo-sdg[gpu]'"),
    "embedding": ("sentence_transformers", "pip install 'nemo-sdg[embedded]'"),
    "ablation": ("transformers", "pip install 'nemo-sdg[nemo]'"),
    "recipe": ("megatron.bridge", NEMO),
    "training": ("megatron.bridge", NEMO),
}
Verdict = tuple[bool, str]


def trtllm(model: str) -> list[str]:
    return ["engine.kind=trtllm", f"engine.model={model}", "engine.max_in_flight=256", "engine.context_length=4096"]


def check_generation(run_dir: Path, engine: list[str]) -> Verdict:
    """The quickstart's tasks with another engine, up to the verdicts."""
    shutil.rmtree(run_dir, ignore_errors=True)
    config = load_config(
        QUICKSTART,
        [f"run.dir={run_dir}", "generate.max_tokens_question=512", "generate.max_tokens_answer=1024", *engine],
    )
    pipeline.run(config, until="verified")
    ended = [
        row
        for row in read_jsonl(run_dir / "progress.jsonl")
        if row.get("ended") and row["step"] in ("questions", "answers")
    ]
    requests, tokens, seconds = (
        sum(row[name] for row in ended) for name in ("requests", "completion_tokens", "seconds")
    )
    votes = [
        vote
        for path in stored_files(run_dir / "answers", "shard-*.jsonl")
        for sample in read_jsonl(path)
        for vote in sample["solutions"]
    ]
    share = sum(vote["answer"] is not None for vote in votes) / max(1, len(votes))
    said = (
        f"{config.engine.kind.value}, {requests} requests, {share:.0%} of {len(votes)} votes readable, "
        f"{tokens / seconds:,.0f} completion tokens/s"
    )
    return share >= 0.9, said


def check_guided(engine: list[str], num: int = 32) -> Verdict:
    """Outputs under a JSON schema, to a prompt that does not describe it."""
    schema = solution_schema(
        "multiple_choice", choices=["red", "green", "blue"], numeric=False, max_tokens=256, like="en"
    )
    asked = [
        Request(
            messages=[{"role": "user", "content": f"Which colour has the number {n}?"}],
            schema=schema,
            max_tokens=256,
            seed=n,
        )
        for n in range(num)
    ]

    async def ask() -> list[str]:
        engines = open_roles(load_config(QUICKSTART, engine), Role.solver)
        await engines.start()
        try:
            return [completion.text for completion in await asyncio.gather(*map(engines.ask, asked))]
        finally:
            await engines.close()

    problems = [(problem, text) for text in asyncio.run(ask()) if (problem := follows(text, schema)) is not None]
    said = f"{num - len(problems)} of {num} outputs follow their schema"
    return not problems, said if not problems else f"{said}; {problems[0][0]}: {problems[0][1][:80]!r}"


def follows(text: str, schema: dict[str, object]) -> str | None:
    try:
        return mismatch(orjson.loads(text), schema)
    except orjson.JSONDecodeError as exc:
        return str(exc)


def check_dedup(folder: Path, num: int = 20_000, *, gpu: bool = True) -> Verdict:
    """Questions of random words, one in five with a copy in which one word is another."""
    shutil.rmtree(folder, ignore_errors=True)
    draw = random.Random(0)
    vocabulary = ["".join(draw.choices("abcdefghijklmnoprstuvw", k=6)) for _ in range(5000)]
    rows, planted = [], 0
    for number in range(num):
        words = draw.sample(vocabulary, 40)
        for copy in range(2 if number % 5 == 0 else 1):
            words[20] = draw.choice(vocabulary)
            rows.append(
                {
                    "sample_id": f"{number:06d}-{copy}",
                    "origin": "similar",
                    "task": "t",
                    "question": " ".join(words),
                    "reasoning": "r",
                }
            )
            planted += copy
    folder.mkdir(parents=True)
    shards = [folder / f"shard-{start:05d}.jsonl" for start in range(4)]
    for start, shard in enumerate(shards):
        write_jsonl(shard, rows[start::4])
    found, wrong = {}, 0
    for name, on_gpu in (("cuDF", gpu), ("the CPU path", False)):
        table = find_duplicates(
            shards, seeds=[], work=folder / name.replace(" ", "_"), config=CurateSection(dedup_gpu=on_gpu), workers=2
        )
        dropped = {row["id"].split("-")[0] for row in read_jsonl(table)}
        wrong += sum(int(number) % 5 != 0 for number in dropped)
        found[name] = len(dropped)
    said = (
        f"cuDF finds {found['cuDF']:,} of {planted:,} planted near-duplicates, the CPU path {found['the CPU path']:,}"
    )
    return wrong == 0 and min(found.values()) >= 0.98 * planted, said + (
        f", {wrong} dropped that are none" if wrong else ""
    )


def check_embedding(num: int = 4096) -> Verdict:
    """The same vectors on the device that torch picks and on the CPU, and how fast."""
    import numpy as np

    draw = random.Random(0)
    vocabulary = ["".join(draw.choices("abcdefghijklmnoprstuvw", k=6)) for _ in range(5000)]
    texts = [" ".join(draw.sample(vocabulary, 40)) for _ in range(num)]
    embedder = Embedder(None)
    embedder.encode(texts[:64])
    begin = time.perf_counter()
    vectors = embedder.encode(texts)
    rate = num / (time.perf_counter() - begin)
    device = str(embedder.device)
    embedder.to("cpu")
    cosines = (vectors[:64] * embedder.encode(texts[:64])).sum(axis=1)
    said = f"{rate:,.0f} texts/s on {device}, least cosine to the CPU's vectors {cosines.min():.5f}"
    return bool(np.all(cosines > 0.999)), said


def check_ablation(folder: Path, engine: list[str], proxy: list[str]) -> Verdict:
    """Two corpora of the quickstart's tasks, the arms continued on them and scored; the training loss must fall."""
    from nemo_sdg.commands.ablate import ablate

    run = [f"run.dir={folder}", "seeds.limit_per_task=13", *engine]
    changed = [f"config={QUICKSTART}", f"overrides=[{', '.join(map(repr, run))}]", "evaluation.limit=4", *proxy]
    ablate(ROOT / "configs" / "ablation.yaml", changed)
    table = orjson.loads((folder / "ablation" / "comparison.json").read_bytes())
    said, fell = [], []
    for arm, training in table["training"].items():
        curve = list(read_jsonl(folder / "ablation" / "arms" / arm / "curve.jsonl"))
        fell.append(curve[-1]["train_loss"] < curve[0]["train_loss"])
        said.append(f"{arm} {curve[0]['train_loss']:.2f} to {curve[-1]['train_loss']:.2f} in {training['steps']} steps")
    return all(fell) and len(said) == 2, f"train loss {', '.join(said)}; {len(table['arms'])} arms scored"


def finished_run(folder: Path) -> Path:
    """The blend of a small finished run on the embedded model."""
    if not (folder / "manifest.json").is_file():
        pipeline.run(load_config(QUICKSTART, [f"run.dir={folder}", "seeds.limit_per_task=13"]))
    return folder / "blend" / "context.blend.json"


def check_recipe(folder: Path, base: str, recipe: str) -> Verdict:
    """The continued-pretraining recipe on a blend that the pipeline made, built with every override read back."""
    sys.path.insert(0, str(ROOT / "recipes"))
    from nemotron_bridge_cpt import cpt_config  # type: ignore[import-not-found]

    blend = finished_run(folder)
    tokenizer = orjson.loads((folder / "packed" / "tokenizer" / "tokenizer_config.json").read_bytes())["name"]
    config = cpt_config(
        model=recipe, blend=blend, base=Path(base), dir=folder / "checkpoints", tokens=1e10, tokenizer=tokenizer
    )
    num = len(orjson.loads(blend.read_bytes())["train"]) // 2
    return True, f"{config.train.train_iters} train_iters on {num} datasets, no mock data"


def check_training(folder: Path, base: str, recipe: str, gpus: int) -> Verdict:
    """One optimizer step under torchrun, from the base to a saved checkpoint."""
    blend = finished_run(folder)
    tokenizer = orjson.loads((folder / "packed" / "tokenizer" / "tokenizer_config.json").read_bytes())["name"]
    out = folder / "training"
    shutil.rmtree(out, ignore_errors=True)
    sizes = ["--seq-length", "4096", "--global-batch-size", str(gpus), "--tokens", str(4096 * gpus)]
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(gpus),
        str(ROOT / "recipes" / "nemotron_bridge_cpt.py"), "--model", recipe, "--blend", str(blend), "--base", base,
        "--dir", str(out), "--tokenizer", tokenizer, *sizes,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, check=False)
    saved = sorted(out.rglob("*.distcp"))
    return done.returncode == 0 and bool(saved), f"exit code {done.returncode}, {len(saved)} checkpoint files saved"


def missing(part: str, base: str) -> str | None:
    """Why a part cannot run here, or None."""
    package, hint = NEEDS[part]
    parent = package.split(".")[0]
    if importlib.util.find_spec(parent) is None or importlib.util.find_spec(package) is None:
        return f"no package {package} here: {hint}"
    if importlib.util.find_spec("torch") is None:
        return "no package torch here"
    import torch

    if not torch.cuda.is_available():
        return "torch sees no GPU here"
    if part in ("recipe", "training") and not Path(base or "/nowhere").is_dir():
        return f"BASE must be a folder with a checkpoint of RECIPE's model, got {base!r}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=list(NEEDS))
    parser.add_argument("--model", required=True)
    parser.add_argument("--hybrid", required=True)
    parser.add_argument("--base", default="")
    parser.add_argument("--recipe", default="nemotron_3_nano_4b")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    checks: dict[str, Callable[[], Verdict]] = {
        "generation": lambda: check_generation(options.out / "generation", trtllm(options.model)),
        "hybrid": lambda: check_generation(options.out / "hybrid", trtllm(options.hybrid)),
        "guided": lambda: check_guided(trtllm(options.model)),
        "dedup": lambda: check_dedup(options.out / "dedup"),
        "embedding": check_embedding,
        "ablation": lambda: check_ablation(options.out / "ablation", [], []),
        "recipe": lambda: check_recipe(options.out / "run", options.base, options.recipe),
        "training": lambda: check_training(options.out / "run", options.base, options.recipe, options.gpus),
    }
    if (absent := missing(options.part, options.base)) is not None:
        print(f"SKIP {options.part}: {absent}", flush=True)
        return 0
    try:
        passed, said = checks[options.part]()
    except (SdgError, ValueError) as exc:
        passed, said = False, str(exc)
    print(f"{'PASS' if passed else 'FAIL'} {options.part}: {said}", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
