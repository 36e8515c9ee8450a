"""The second stage of decontamination: a judge sees a sample beside the evaluation rows that it may reword.

    sample = Shown(sample={"question": "Add up 2 and 3."}, likely=[{"question": "What is 2 + 3?"}], near=[])
    verdicts = Verdicts(Path("curated/verdicts"), model="…")
    await judge([sample], ask, verdicts)     ->  [{0: True}]

Embeddings see topics; a language model that reads two questions tells a rewording from a neighbour (Yang et al., 2023,
"Rethinking Benchmark and Contamination for Language Models with Rephrased Samples"). Likely rows are shown one by one.
If none of them is the same question, all near rows are shown in one list, and those that the judge names are shown one
by one as well. A row is the same question only where the judge says so whichever of the two it reads first. A reply
that is cut, refused or unclear is no verdict (verdicts.py keeps and counts them).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from nemo_sdg.curate.decontaminate.questions import told_answer
from nemo_sdg.curate.decontaminate.verdicts import Verdicts
from nemo_sdg.records import content_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    text: str
    finish_reason: str = "stop"
    """of the engine; a text that did not end by itself is not read"""


Read = TypeVar("Read")
Ask = Callable[[str], Awaitable[Reply]]
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
NONE = re.compile(r"\b(none|no|neither|nothing)\b|\bnot (the same|any)\b|\[ *\]", re.IGNORECASE)
BARE_NONE = re.compile(r"\W*((final )?(answer|reply)\W+)?none\W*", re.IGNORECASE)
RANGE = re.compile(r"(?<![\d.])(\d{1,3})\s*(?:[-–—]|\.{2,3}|to|through)\s*(\d{1,3})(?![\d.]*\d)", re.IGNORECASE)
WHOLE = r"\b(?:(?:of|all|among|these|those)\s+(?:the|these|those|all)?|1\s*(?:[-–—]|to|through))\s*{num}\b"
"""the list as a whole, as in "none of the 12" """


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


def prompts_id(num_listed: int) -> str:
    """What all prompts have in common, with lists of `num_listed` rows."""
    return content_id(PROMPT, *([LIST_PROMPT, num_listed] if num_listed else []))


def read_verdict(reply: str) -> bool | None:
    """The last yes or no of a reply; None where there is neither."""
    found = YES_OR_NO.findall(reply)
    return found[-1].lower() == "yes" if found else None


def read_named(reply: str, num: int) -> list[int] | None:
    """The places (from 0) in a list of `num` rows that a reply names; None where it names none and does not say so.

    Numbers are read before the word none, on all lines: a row that is named is shown again beside the sample, so one
    too many costs a request, and one too few hides a leak. A last line that only says none is the answer.
    """
    lines = [line for line in reply.splitlines() if line.strip()]
    if not lines or BARE_NONE.fullmatch(lines[-1]):
        return [] if lines else None
    is_none = NONE.search(reply) is not None
    if is_none:
        reply = re.sub(WHOLE.format(num=num), " ", reply, flags=re.IGNORECASE)
    found = {int(word) for word in re.findall(r"\d+", reply)}
    for first, last in RANGE.findall(reply):
        found.update(range(int(first), min(int(last), num) + 1))
    named = sorted(number - 1 for number in found if 1 <= number <= num)
    return named if named or is_none or found == {0} else None


Said = dict[int, bool | None]
"""verdicts by the place of the row (Shown.pair); None = the reply could not be read. A row without one was not shown or
not named in the list
"""


async def look(
    shown: Shown,
    same: Callable[[JudgedPair], Awaitable[bool | None]],
    named: Callable[[Shown], Awaitable[list[int] | None]],
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
    for place in (await named(shown) or []) if shown.near else []:
        said[num + place] = await same(shown.pair(num + place))
        if said[num + place]:
            break
    return said


async def judge(samples: Sequence[Shown], ask: Ask, verdicts: Verdicts, *, in_flight: int = 64) -> list[Said]:
    """For each sample which of its rows ask the same."""
    slots = asyncio.Semaphore(in_flight)

    async def reply(prompt: str, read: Callable[[str], Read | None], key: str, sample: dict[str, Any]) -> Read | None:
        async with slots:
            said = await ask(prompt)
        found = read(said.text) if said.finish_reason == "stop" else None
        if found is None:
            why = "unclear" if said.finish_reason == "stop" else said.finish_reason
            verdicts.note_unread(key, sample.get("sample_id"), why)
        return found

    async def same(pair: JudgedPair) -> bool | None:
        key = content_id(verdicts.model, *pair.prompts())
        verdict = verdicts.find(key)
        if verdict is not None:
            return verdict
        for prompt in pair.prompts():  # one after the other: most pairs are decided by the first no
            verdict = await reply(prompt, read_verdict, key, pair.sample)
            if not verdict:
                break
        if verdict is not None:
            verdicts.keep(key, verdict)
        return verdict

    async def named(shown: Shown) -> list[int] | None:
        prompt = shown.list_prompt()
        key = content_id(verdicts.model, prompt)
        found = verdicts.find_named(key)
        if found is None:
            found = await reply(prompt, lambda text: read_named(text, len(shown.near)), key, shown.sample)
            if found is not None:
                verdicts.keep_named(key, found)
        return found

    return list(await asyncio.gather(*(look(shown, same, named) for shown in samples)))
