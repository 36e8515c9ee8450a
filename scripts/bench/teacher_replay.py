"""The runs of scripts/bench/teacher.py: from seeds to curated on recorded replies, and their requests."""

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
DATA = Path(__file__).parent / "data" / "teacher"
STEPS = ("questions", "screened", "answers", "graded", "verified", "curated")
ASKING = STEPS[:4]
MOST_STARTS = 12
"""maximum number of starts of the pipeline if replies are missing: each shows further requests"""
WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")

from nemo_sdg.config import RunConfig, load_config  # noqa: E402
from nemo_sdg.errors import Waiting  # noqa: E402
from nemo_sdg.pipeline import order as pipeline_order  # noqa: E402
from nemo_sdg.pipeline.run import run as run_pipeline  # noqa: E402
from nemo_sdg.storage import read_jsonl, stored_files  # noqa: E402

Json = dict[str, Any]
INDEX = "evaluation_index"
"""folder of the step `curated`; it takes most of the time of a run here, and is the same for both styles"""


@dataclass(kw_only=True)
class Replayed:
    """A finished run, and its requests."""

    run: Path
    asked: dict[str, int] = field(default_factory=dict)
    """custom_id -> tokens of its reply"""
    missing: set[str] = field(default_factory=set)

    def shards(self, step: str) -> list[Json]:
        return [row for path in stored_files(self.run / step, "shard-*.jsonl") for row in read_jsonl(path)]

    def drops(self) -> Iterator[Json]:
        for step in STEPS:
            for path in stored_files(self.run / step / "dropped"):
                yield from read_jsonl(path)


def replay(style: str, base: Path, hub: Path, recorded: dict[str, Json], seeds_of: Path | None = None) -> Replayed:
    """Runs the steps from seeds to curated on recorded replies. All replies are in each step's folder before it begins,
    as replies to one round, so the pipeline is started only once if no reply is missing.
    """
    run = base / style
    if seeds_of is not None and not run.exists():
        for folder in ("catalog", "seeds", f"curated/{INDEX}"):
            shutil.copytree(seeds_of / folder, run / folder)
    forget(run)
    config = load_config(DATA / f"{style}.yaml", [f"run.dir={run}", f"seeds.mirror={hub}"])
    replayed = Replayed(run=run)
    if not (run / "seeds").exists():
        started(config, until="seeds")
    asking = [step for step in ASKING if pipeline_order.why_skipped(step, config) is None]
    for step in asking:
        batch = run / step / "batch"
        batch.mkdir(parents=True, exist_ok=True)
        asks = [json.dumps({"custom_id": key, "body": {"max_tokens": 1 << 16}}) for key in recorded]
        (batch / "round-000.jsonl").write_text("".join(f"{line}\n" for line in asks))
        (batch / "recorded.jsonl").write_text("".join(f"{output(key, row)}\n" for key, row in recorded.items()))
    for _ in range(MOST_STARTS):
        if started(config, until="curated"):
            break
        for batch in (run / step / "batch" for step in asking):
            for path in sorted(batch.glob("round-*.jsonl"))[1:]:
                replayed.missing |= {row["custom_id"] for row in read_jsonl(path)}
            refusals = "".join(f"{output(key, None)}\n" for key in sorted(replayed.missing))
            (batch / "refused.jsonl").write_text(refusals)
    else:
        sys.exit(f"{style}: not finished after {MOST_STARTS} starts; {len(replayed.missing)} replies are missing")
    for step in asking:
        for path in stored_files(run / step / "journal", "shard-*.jsonl"):
            for row in read_jsonl(path):
                key = row["key"]
                replayed.asked[key] = num_tokens(recorded[key]) if key in recorded else 0
    return replayed


def forget(run: Path) -> None:
    """Removes the results of an earlier run in the same folder, so that the current parser reads the replies. Seeds and
    evaluation rows are kept.
    """
    for folder in [run / step for step in STEPS[:-1]] + list((run / "curated").glob("*")):
        if folder.is_dir() and folder.name != INDEX:
            shutil.rmtree(folder)
        elif folder.is_file():
            folder.unlink()


def started(config: RunConfig, *, until: str) -> bool:
    """Starts the pipeline without its output; returns whether it finished."""
    standard = sys.stdout, sys.stderr
    with open(os.devnull, "w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        try:
            run_pipeline(config, until=until, redo=True)
        except Waiting:
            return False
        finally:
            sys.stdout, sys.stderr = standard
    return True


def num_tokens(reply: Json) -> int:
    text = f"{reply['text']}{reply.get('trace') or ''}"
    wide = len(WIDE.findall(text))
    return math.ceil((len(text) - wide) / 4 + wide / 1.5)


def output(custom_id: str, reply: Json | None) -> str:
    """A line of a batch's output: the recorded message, or a refusal if no reply was recorded."""
    message: Json = {"role": "assistant", "content": reply["text"] if reply else ""}
    if reply and reply.get("trace"):
        message["reasoning_content"] = reply["trace"]
    choice = {"index": 0, "message": message, "finish_reason": "stop" if reply else "content_filter"}
    usage = {"prompt_tokens": 0, "completion_tokens": num_tokens(reply) if reply else 0}
    body = {"id": custom_id, "model": "recorded-strong-teacher", "choices": [choice], "usage": usage}
    return json.dumps({"custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None})
