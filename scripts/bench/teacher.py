"""What strong teachers' replies to the prompts of style full become: parsed, kept, gold reached, words, diversity.

    .venv/bin/python scripts/bench/teacher.py [--quick] [--hub MIRROR]

60 seeds of the hub mirror and of the project's own tasks, over six kinds of request and five languages, are taken
through the pipeline with engine.kind=batch. The replies are recorded in data/teacher/: replies of a large language
model to exactly these prompts, question by question and vote by vote, written by readers that saw a rendered prompt
and nothing of the parser, with a form (thinking or none, in tags or in a field, style of headings, decoration of the
answer) that was drawn for each request beforehand. A reply is found by the hash of its request: where a template or a
seed has changed, it counts as missing_replies, and has to be recorded again. --quick is the same: it takes seconds.

Printed, one JSON object a line: parsed (replies that a question or an answer could be read from), kept (samples that
every filter kept), each reason of a drop, gold_reached (seeds' own questions whose majority is the gold),
context_words and reasoning_words (median), distinct_2 of the questions, completion tokens per kept sample.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
DATA = Path(__file__).parent / "data" / "teacher"
STEPS = ("questions", "answers")
MOST_ROUNDS = 8

from nemo_sdg.config import load_config  # noqa: E402
from nemo_sdg.errors import Waiting  # noqa: E402
from nemo_sdg.pipeline import order as pipeline  # noqa: E402
from nemo_sdg.storage import read_jsonl  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="the same")
    parser.add_argument("--hub", type=Path, help="mirror of the hub's rows")
    options = parser.parse_args()
    hub = options.hub or Path(os.environ.get("NEMO_SDG_TEST_HUB") or ROOT.parent / "shared" / "hub")
    if not hub.is_dir():
        sys.exit(f"no rows to measure on: {hub} is missing; set NEMO_SDG_TEST_HUB to a mirror of the hub")
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        asked, missing = replay(run, hub)
        report(run, asked, missing)


def replay(run: Path, hub: Path) -> tuple[int, int]:
    """Runs seeds to curated on recorded replies; returns how many requests were asked, and how many had no reply."""
    config = load_config(DATA / "config.yaml", [f"run.dir={run}", f"seeds.mirror={hub}"])
    replies = {row["custom_id"]: row for row in read_jsonl(DATA / "replies.jsonl")}
    asked, missing = set[str](), set[str]()
    for _ in range(MOST_ROUNDS):
        try:
            with open(os.devnull, "w") as nowhere:
                standard, sys.stderr = sys.stderr, nowhere
                try:
                    pipeline.run(config, until="curated")
                finally:
                    sys.stderr = standard
            break
        except Waiting:
            found = []
            for batch in (run / step / "batch" for step in STEPS):
                for path in sorted(batch.glob("round-*.jsonl")):
                    for row in read_jsonl(path):
                        if row["custom_id"] in asked:
                            continue
                        asked.add(row["custom_id"])
                        missing |= set() if row["custom_id"] in replies else {row["custom_id"]}
                        reply = replies.get(row["custom_id"])
                        found.append((batch, output(row["custom_id"], reply)))
            for number, (batch, line) in enumerate(found):
                with open(batch / "recorded.jsonl", "a" if number else "w") as handle:
                    handle.write(line + "\n")
    return len(asked), len(missing)


def output(custom_id: str, reply: dict[str, Any] | None) -> str:
    """A line of a batch's output: the recorded message, or a refusal where nothing was recorded."""
    message: dict[str, Any] = {"role": "assistant", "content": reply["text"] if reply else ""}
    if reply and reply.get("trace"):
        message["reasoning_content"] = reply["trace"]
    words = len(f"{reply['text']} {reply.get('trace') or ''}".split()) if reply else 0
    choice = {"index": 0, "message": message, "finish_reason": "stop" if reply else "content_filter"}
    usage = {"prompt_tokens": 0, "completion_tokens": words * 4 // 3}
    body = {"id": custom_id, "model": "recorded", "choices": [choice], "usage": usage}
    return json.dumps({"custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None})


def report(run: Path, asked: int, missing: int) -> None:
    samples = [row for path in sorted((run / "curated").glob("shard-*.jsonl")) for row in read_jsonl(path)]
    drops = [
        drop
        for step in ("questions", "answers", "verified", "curated")
        for path in sorted((run / step / "dropped").glob("*.jsonl"))
        for drop in read_jsonl(path)
    ]
    written = [row for path in sorted((run / "questions").glob("shard-*.jsonl")) for row in read_jsonl(path)]
    answered = [row for path in sorted((run / "answers").glob("shard-*.jsonl")) for row in read_jsonl(path)]
    verified = [row for path in sorted((run / "verified").glob("shard-*.jsonl")) for row in read_jsonl(path)]
    votes = [vote for row in answered for vote in row["solutions"] or []]
    unread = sum(vote.get("error") not in (None, "question_flawed") for vote in votes)
    lost = sum(drop["step"] == "questions" for drop in drops)
    own = [row for row in written if row["origin"] == "seed"]
    reached = sum(row["origin"] == "seed" and row.get("guidance") != "guided" for row in verified)
    attempts = len(written) + lost

    def show(name: str, value: float, unit: str, **more: Any) -> None:
        print(json.dumps({"name": name, "value": value, "unit": unit, **more}), flush=True)

    show("replies", asked - missing, "replies")
    show("missing_replies", missing, "requests", of=asked)
    total = len(votes) + attempts - len(own)
    show("parsed", round(1 - (unread + lost) / max(1, total), 4), "share", of=total)
    show("kept", round(len(samples) / max(1, attempts), 4), "share", of=attempts)
    for (step, reason), num in Counter((drop["step"], drop["reason"]) for drop in drops).most_common():
        show(f"dropped_{step}_{reason}", num, "records")
    contradictions = sum("contradict" in drop["reason"] for drop in drops)
    show("contradictions", contradictions, "records")
    show("gold_reached", round(reached / max(1, len(own)), 4), "share", of=len(own))
    for name in ("context", "reasoning"):
        words = [len(str(row[name]).split()) for row in samples if row["language"] not in ("zh", "ja")]
        show(f"{name}_words", statistics.median(words) if words else 0, "words", of=len(words))
    show("distinct_2", round(distinct_2([row["question"] for row in samples if row["origin"] == "similar"]), 4), "share")
    tokens = sum(row["usage"]["completion_tokens"] for row in answered if row.get("usage"))
    show("tokens_per_kept", round(tokens / max(1, len(samples)), 1), "tokens")


def distinct_2(texts: list[str]) -> float:
    """Different word pairs over all word pairs of the texts (Li et al., 2016)."""
    pairs = [pair for text in texts for words in [text.lower().split()] for pair in zip(words, words[1:], strict=False)]
    return len(set(pairs)) / max(1, len(pairs))


if __name__ == "__main__":
    main()
