"""Finds a solution in running text: a box, `####`, a last sentence that states the answer, or only an answer."""

import re

from nemo_sdg.generate.parsing.answers.dress import CONCLUDES, find_said, without_said
from nemo_sdg.generate.parsing.answers.options import concluded_option, match_option
from nemo_sdg.generate.parsing.answers.programs import FENCE, program_of
from nemo_sdg.generate.parsing.answers.refusals import is_refusal
from nemo_sdg.generate.parsing.answers.statements import joined
from nemo_sdg.generate.parsing.drafts import CORRECTS, SUPPOSES, Draft, unfenced
from nemo_sdg.records import Kind
from nemo_sdg.text.boxes import find_boxes, last_boxes
from nemo_sdg.text.programs import is_other_program

MATHEMATICAL = re.compile(
    r"\d|\\|[∞π¼-¾⅐-⅞〇一二三四五六七八九十百千万]|^[a-zA-Z]$|\b(?:zero|one|two|three|four|five|six|seven|"
    r"eight|nine|ten|"
    r"eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|half|none|no solution|infinit\w+|undefined|dne)\b|"
    r"\b(?:does not exist|doesn['’]t exist|diverges)\W*$",
    re.IGNORECASE,
)
EQUALS_LAST = re.compile(r"=\s*(?P<value>[^=\n]{1,40}?)\s*[.。]?\s*$")
TICK = re.compile(r"\s*[✅✔☑✓]\ufe0f?\s*")
ASSIGNS = re.compile(r"^[*$\\(]*[A-Za-z]\w?\s*=[^=]*$")


def from_prose(text: str, kind: str, options: list[str] | None) -> Draft | None:
    """A draft from a reply without sections: a box, `####`, a last sentence that states the answer, or all of it."""
    text = unfenced(text)
    if kind == Kind.code:
        program = program_of(text)
        if not FENCE.search(text):
            return Draft(answer=text) if _is_program(text) else None
        return Draft(answer=program, reasoning=FENCE.sub("", text).strip())
    if kind == Kind.free_text:
        return None if is_refusal(text) or len(text.split()) < 4 else Draft(answer=text)
    said = [found for found in find_said(text) if not SUPPOSES.search(text[max(0, found.start - 100) : found.start])]
    if boxes := last_boxes(text):
        draft, box = Draft(answer=joined(boxes, kind), reasoning=text), find_boxes(text)[-1]
        later = [found for found in said if found.start > box.end]
        draft.rivals = [found.rest for found in later if not CORRECTS.search(text[box.end : found.start])][-1:]
        return draft
    if "\\boxed" in text:
        return None  # cut off inside the box
    if "####" in text and (last := text.rsplit("####", 1)[1].strip().split("\n")[0]):
        return Draft(answer=last, reasoning=text.rsplit("####", 1)[0].strip())
    if said:
        draft = Draft(answer=said[-1].rest, reasoning=without_said(text, said[-1]))
        last = text.rstrip().rsplit("\n", 1)[-1]
        if options is not None and (option := concludes_with(last, options)) is not None:
            draft.rivals += [] if CORRECTS.search(text[said[-1].start :]) else [option]
        if len(said) > 1 and not CORRECTS.search(text[said[-2].start : said[-1].start]):
            draft.rivals.append(said[-2].rest)
        return draft
    return _bare(text, kind, options)


def _bare(text: str, kind: str, options: list[str] | None) -> Draft | None:
    """A draft from a reply whose first or last line is only an answer."""
    if is_refusal(text):
        return None
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if options is not None:
        ticked = [line for line in lines if TICK.search(line)]
        if len(ticked) == 1 and (option := match_option(TICK.sub(" — ", ticked[0]).lstrip("-*• "), options)):
            return Draft(answer=option, reasoning=text)
        if (option := concludes_with(lines[-1], options)) is not None:
            first = match_option(lines[0], options, in_sentence=False)
            if first not in (None, option) and not CORRECTS.search(text):
                return None
            return Draft(answer=option, reasoning=text if len(lines) == 1 else "\n".join(lines[:-1]))
        named = [(place, option) for place in (0, -1) if (option := match_option(lines[place], options)) is not None]
        if not named:
            last = re.split(r"(?<=[.!?。])\s+", lines[-1])[-1]
            option = match_option(last, options)
            return Draft(answer=option, reasoning=text) if option is not None else None
        if len({option for _, option in named}) > 1:
            return None
        place, option = named[0]
        rest = lines[1:] if place == 0 else lines[:-1]
        return Draft(answer=option, reasoning="\n".join(rest))
    equal = EQUALS_LAST.search(lines[-1])
    if kind == Kind.numeric and equal and re.search(r"\d", equal["value"]):
        last = CONCLUDES.sub("", lines[-1])
        return Draft(answer=last if ASSIGNS.match(last) else equal["value"], reasoning=text)
    alone = len(lines) == 1 and not lines[0].endswith("?")
    if alone and kind == Kind.short_text and len(lines[0].split()) <= 12:
        return Draft(answer=lines[0])
    if alone and kind == Kind.numeric and len(lines[0].split()) <= 6 and MATHEMATICAL.search(lines[0]):
        return Draft(answer=lines[0])
    if kind == Kind.numeric:
        bold = re.findall(r"\*\*([^*\n]+)\*\*", lines[-1])
        if len(bold) == 1 and re.search(r"\d", bold[0]):
            return Draft(answer=bold[0], reasoning=text)
    return None


def concludes_with(line: str, options: list[str]) -> str | None:
    """The option that a line concludes with, if its last sentence is no supposition."""
    return None if SUPPOSES.search(line.rstrip(" .!*。")) else concluded_option(line, options)


def _is_program(text: str) -> bool:
    return is_other_program(text) or bool(
        re.search(
            r"^\s*(?:async\s+)?(?:def|class)\s+\w+|^\w+\s*=\s*lambda\b|^(?:from|import)\s+\w+", text, re.MULTILINE
        )
    )
