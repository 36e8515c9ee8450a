"""The second stage of decontamination: a judge sees a sample beside the evaluation rows that it may reword.

    sample = Shown(sample={"question": "Add up 2 and 3."}, likely=[{"question": "What is 2 + 3?"}], near=[])
    verdicts = Verdicts(Path("curated/verdicts"), model="…")
    await judge([sample], ask, verdicts)     ->  [{0: True}]

Embeddings see topics; a language model that reads two questions tells a rewording from a neighbour (Yang et al., 2023,
"Rethinking Benchmark and Contamination for Language Models with Rephrased Samples"). Likely rows are shown one by one.
If none of them is the same question, all near rows are shown in one list, and those that the judge names are shown one
by one as well. A row is the same question only where the judge says so whichever of the two it reads first. Replies are
kept by the prompt and the model, so that none is paid for twice.
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
LISTED_PASSAGE, LISTED_CHARACTERS = 400, 1200
"""characters of a row's passage, and of the rest of it, in a list; a row that is named there is then shown in full"""
LIST_PROMPT = """\
An exam question follows, and after it a numbered list of other exam questions. Decide which of the list are the same \
question as the first.

They are the same if one is the other in other words, translated, with its options reordered, reworded or left out, \
or with names and wording changed that do not change what has to be known or computed and what the answer is. They \
are not the same if they ask about other facts, numbers or passages, even where topic, form and wording are alike.

Question:
{question}

List:
{rows}

Reply with the numbers of those that are the same, separated by commas, or with the word none."""
YES_OR_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
NONE = re.compile(r"\b(none|no)\b(?!\.? *\d)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedPair:
    """A sample and an evaluation row that may be one question."""

    sample: dict[str, Any]
    row: dict[str, Any]

    def prompts(self) -> tuple[str, str]:
        """Both ways round."""
        one, other = as_text(self.sample), as_text(self.row)
        return PROMPT.format(first=one, second=other), PROMPT.format(first=other, second=one)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A sample with the evaluation rows that the judge is shown."""

    sample: dict[str, Any]
    likely: list[dict[str, Any]]
    """shown one by one, the likeliest first"""
    near: list[dict[str, Any]]
    """shown in one list, if none of the likely ones is the same question"""

    def pair(self, place: int) -> JudgedPair:
        """The sample with a row, by its place among the likely ones and then the near ones."""
        return JudgedPair(sample=self.sample, row=[*self.likely, *self.near][place])

    def list_prompt(self) -> str:
        rows = [f"[{number}]\n{_in_short(row)}" for number, row in enumerate(self.near, 1)]
        return LIST_PROMPT.format(question=as_text(self.sample), rows="\n\n".join(rows))


def as_text(record: dict[str, Any]) -> str:
    """A sample or an evaluation row as the judge reads it."""
    passage = str(record.get("passage") or "")[:MAX_CHARACTERS]
    question = str(record.get("question") or record.get("text") or "")[:MAX_CHARACTERS]
    options = [f"- {choice}" for choice in record.get("choices") or []]
    answer = told_answer(record)
    parts = [passage, question, *options, f"Answer: {str(answer)[:1000]}" if answer else ""]
    return "\n".join(part for part in parts if part)


def _in_short(row: dict[str, Any]) -> str:
    passage, rest = str(row.get("passage") or "")[:LISTED_PASSAGE], as_text({**row, "passage": None})
    return "\n".join(part for part in (passage, rest[:LISTED_CHARACTERS]) if part)


def read_verdict(reply: str) -> bool | None:
    """The last yes or no of a reply; None where there is neither."""
    found = YES_OR_NO.findall(reply)
    return found[-1].lower() == "yes" if found else None


def read_named(reply: str, num: int) -> list[int]:
    """The places (from 0) in a list of `num` rows that a reply names in its last line; none where it cannot be read,
    so that these rows count as not the same.
    """
    lines = [line for line in reply.splitlines() if line.strip()]
    if not lines or NONE.search(lines[-1]):
        return []
    return sorted({int(word) - 1 for word in re.findall(r"\d+", lines[-1]) if 1 <= int(word) <= num})


class Verdicts:
    """Stored verdicts in a folder of JSONL: of a pair {"key": …, "same": …}, of a list {"key": …, "named": [places]}.
    Each process writes a file of its own and reads all files at its start.
    """

    def __init__(self, folder: Path, *, model: str) -> None:
        self.model = model
        self._path = folder / f"verdicts-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        rows = [row for path in sorted(folder.glob("*.jsonl")) for row in read_jsonl(path)]
        self._known: dict[str, bool | None] = {row["key"]: row["same"] for row in rows if "same" in row}
        self._named: dict[str, list[int]] = {row["key"]: row["named"] for row in rows if "named" in row}

    def key(self, pair: JudgedPair) -> str:
        return content_id(self.model, *pair.prompts())

    def find(self, key: str) -> tuple[bool, bool | None]:
        """(whether it is known, the verdict)"""
        return key in self._known, self._known.get(key)

    def find_named(self, key: str) -> list[int] | None:
        """The places that the judge named in a list; None where it was not asked."""
        return self._named.get(key)

    def keep(self, key: str, same: bool | None) -> None:
        self._known[key] = same
        self._write({"key": key, "same": same})

    def keep_named(self, key: str, named: list[int]) -> None:
        self._named[key] = named
        self._write({"key": key, "named": named})

    def _write(self, row: dict[str, Any]) -> None:
        with open(self._path, "ab") as handle:
            handle.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


Said = dict[int, bool | None]
"""verdicts by the place of the row (Shown.pair); None = neither yes nor no. A row without one was not shown, or was not
named in the list
"""


async def look(
    shown: Shown, same: Callable[[JudgedPair], Awaitable[bool | None]], named: Callable[[Shown], Awaitable[list[int]]]
) -> Said:
    """Asks about a sample's rows in turn, until one is the same question: `same` about one row, `named` about the
    list.
    """
    said: Said = {}
    num = len(shown.likely)
    for place in range(num):
        said[place] = await same(shown.pair(place))
        if said[place]:
            return said
    for place in await named(shown) if shown.near else []:
        said[num + place] = await same(shown.pair(num + place))
        if said[num + place]:
            break
    return said


async def judge(samples: Sequence[Shown], ask: Ask, verdicts: Verdicts, *, in_flight: int = 64) -> list[Said]:
    """For each sample which of its rows ask the same."""
    slots = asyncio.Semaphore(in_flight)

    async def reply(prompt: str) -> str:
        async with slots:
            return await ask(prompt)

    async def same(pair: JudgedPair) -> bool | None:
        key = verdicts.key(pair)
        known, verdict = verdicts.find(key)
        if known:
            return verdict
        verdict = True
        for prompt in pair.prompts():  # one after the other: most pairs are decided by the first no
            verdict = read_verdict(await reply(prompt))
            if verdict is not True:
                break
        verdicts.keep(key, verdict)
        return verdict

    async def named(shown: Shown) -> list[int]:
        prompt = shown.list_prompt()
        key = content_id(verdicts.model, prompt)
        found = verdicts.find_named(key)
        if found is None:
            found = read_named(await reply(prompt), len(shown.near))
            verdicts.keep_named(key, found)
        return found

    return list(await asyncio.gather(*(look(shown, same, named) for shown in samples)))
