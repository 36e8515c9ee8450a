"""The second stage of decontamination: a judge sees a suspicious sample beside the nearest evaluation rows, in both
orders.

    pair = JudgedPair(sample={"question": "Add up 2 and 3."}, row={"question": "What is 2 + 3?"})
    verdicts = Verdicts(Path("curated/verdicts"), model="…")
    await judge([pair], ask, verdicts)     ->  [True]

Embeddings see topics; a language model that reads two questions tells a rewording from a neighbour (Yang et al., 2023,
"Rethinking Benchmark and Contamination for Language Models with Rephrased Samples"). A pair is the same question only
where the judge says so whichever of the two it reads first. Verdicts are kept by the content of both questions, the
prompt and the model, so that none is paid for twice.
"""

import asyncio
import os
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.curate.decontaminate.questions import told_answer
from nemo_sdg.records import content_id
from nemo_sdg.storage import read_jsonl

Ask = Callable[[str], Awaitable[str]]
"""a prompt in, the judge's reply out"""

MAX_CHARACTERS = 6000
"""of a passage or question that the judge is shown"""
PROMPT = """\
Two exam questions follow. Decide whether they are the same question.

They are the same if one is the other in other words, translated, with its options reordered, reworded or left out, \
or with names and wording changed that do not change what has to be known or computed and what the answer is. They \
are not the same if they ask about other facts, numbers or passages, even where topic, form and wording are alike.

First question:
{first}

Second question:
{second}

Reply with one word, yes (the same) or no."""
YES_OR_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedPair:
    """A sample and an evaluation row that may be one question."""

    sample: dict[str, Any]
    row: dict[str, Any]

    def prompts(self) -> tuple[str, str]:
        """Both ways round."""
        one, other = as_text(self.sample), as_text(self.row)
        return PROMPT.format(first=one, second=other), PROMPT.format(first=other, second=one)


def as_text(record: dict[str, Any]) -> str:
    """A sample or an evaluation row as the judge reads it."""
    passage = str(record.get("passage") or "")[:MAX_CHARACTERS]
    question = str(record.get("question") or record.get("text") or "")[:MAX_CHARACTERS]
    options = [f"- {choice}" for choice in record.get("choices") or []]
    answer = told_answer(record)
    parts = [passage, question, *options, f"Answer: {str(answer)[:1000]}" if answer else ""]
    return "\n".join(part for part in parts if part)


def read_verdict(reply: str) -> bool | None:
    """The last yes or no of a reply; None where there is neither."""
    found = YES_OR_NO.findall(reply)
    return found[-1].lower() == "yes" if found else None


class Verdicts:
    """Stored verdicts in a folder of JSONL. Each process writes a file of its own and reads all files at its start."""

    def __init__(self, folder: Path, *, model: str) -> None:
        self.model = model
        self._path = folder / f"verdicts-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, bool | None] = {
            row["key"]: row["same"] for path in sorted(folder.glob("*.jsonl")) for row in read_jsonl(path)
        }

    def key(self, pair: JudgedPair) -> str:
        return content_id(self.model, *pair.prompts())

    def find(self, key: str) -> tuple[bool, bool | None]:
        """(whether it is known, the verdict)"""
        return key in self._known, self._known.get(key)

    def keep(self, key: str, same: bool | None) -> None:
        self._known[key] = same
        with open(self._path, "ab") as handle:
            handle.write(orjson.dumps({"key": key, "same": same}, option=orjson.OPT_APPEND_NEWLINE))


async def judge(pairs: Sequence[JudgedPair], ask: Ask, verdicts: Verdicts, *, in_flight: int = 64) -> list[bool | None]:
    """For each pair whether it is one question; None where the judge's reply is neither yes nor no."""
    slots = asyncio.Semaphore(in_flight)

    async def decide(pair: JudgedPair) -> bool | None:
        key = verdicts.key(pair)
        known, verdict = verdicts.find(key)
        if known:
            return verdict
        verdict = True
        for prompt in pair.prompts():  # one after the other: most pairs are decided by the first no
            async with slots:
                verdict = read_verdict(await ask(prompt))
            if verdict is not True:
                break
        verdicts.keep(key, verdict)
        return verdict

    return list(await asyncio.gather(*map(decide, pairs)))
