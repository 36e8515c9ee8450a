"""Finds context, reasoning, answer and other parts of a reply by its headings, labels and tags.

    **Context:** Leaves have pores.        |  ## Answer      |  <answer>B</answer>      |  答案：B
    **Answer: B**                          |  B              |                          |

Names are recognised in many languages. Text in fenced code is not a heading.
"""

import bisect
import operator
import re
from dataclasses import dataclass, replace

from nemo_sdg.generate.parsing.headings import BULLET, SECTIONS, Heading, heading_of, is_option, trimmed

TAGGED = SECTIONS | {"final": "answer"}
"""names that tags have; as a heading, `final` may be a quantity"""
WORKINGS = {"解答"}
"""names of an answer that are names of the working where the reply has an answer by another name"""
FENCED = re.compile(
    r"^[ \t]*(`{3,}+|~{3,}+)(?P<language>[^\n`]*)\n?.*?(?:^[ \t]*\1(?P<closed>)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
MARKUP = ("", "xml", "html", "markdown", "md", "text", "txt")
"""languages of fences that may hold a reply and not a program"""
QUOTES = frozenset("\"'`“”‘’«»")
TAG = re.compile(r"<(?P<close>/)?(?P<name>[a-z][a-z _-]{2,30})>", re.IGNORECASE)
ROW = re.compile(
    r"^[ \t]*\|[ \t*_]*(?P<name>[^|\n]{2,40}?)[ \t*_:：]*\|[ \t]*(?P<text>[^|\n]*?)[ \t]*\|[ \t]*$", re.MULTILINE
)
LETTERS = r"(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0963\u0970-\u0e4e])++"
"""a word with its vowel signs"""
BARE = re.compile(rf"(?<=\n\n)(?:\*\*)?{LETTERS}(?:[ -]{LETTERS}){{0,2}}(?:\*\*)?(?=\n+[^\n])")
"""a line of a few words without a full stop below an empty line"""
MOST_ROWS = 20
"""a table with more rows that have names of sections is a loop or a listing, and no reply in sections"""
HEAD_ROW = re.compile(r"\n[ \t]*\|[ \t]*:?-{2,}")


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    """context, reasoning, answer, passage, question, options or tests"""
    text: str
    start: int
    end: int
    final: bool = False
    """whether the heading of an answer says that it is final"""
    closed: bool = False
    """whether the section has a closing tag, so it is complete"""


def find_sections(text: str, *, prose: bool = False) -> list[Section]:
    """The sections of a reply in order, by its tags if it has any, else by headings and labels. `prose`: the answer
    may have parts with labels of its own.
    """
    fences = [fence for fence in FENCED.finditer(text) if fence["closed"] is not None] if "<" in text else []
    programs = [fence for fence in fences if fence["language"].strip().casefold() not in MARKUP]
    if tagged := _tagged(text, fences):
        return tagged
    headed = _headed(text, prose=prose)
    if len({section.name for section in headed} & {"context", "reasoning", "answer"}) > 1:
        return headed  # tags in a fence under headings are an answer in XML
    return _tagged(text, programs) or headed or _tabled(text)


def preamble(text: str, sections: list[Section]) -> str:
    """The text before the first section."""
    return text[: sections[0].start].strip() if sections else text.strip()


def _tagged(text: str, fences: list[re.Match[str]]) -> list[Section]:
    """The sections of tags outside of fences."""
    if "<" not in text:
        return []
    found: list[Section] = []
    marks = _tags(text, fences)
    for number, (mark, section) in enumerate(marks):
        if mark["close"]:
            continue
        following = marks[number + 1] if number + 1 < len(marks) else None
        closed = following is not None and bool(following[0]["close"]) and following[1] == section
        end = following[0].start() if following else len(text)
        found.append(
            Section(
                section,
                trimmed(text[mark.end() : end]),
                mark.start(),
                following[0].end() if closed and following else end,
                final="final" in mark["name"].casefold(),
                closed=closed,
            )
        )
    return found


def _tags(text: str, fences: list[re.Match[str]]) -> list[tuple[re.Match[str], str]]:
    """The tags of sections, with the section of each: those outside of fences and not in quotes."""
    spans = [fence.span() for fence in fences]
    return [
        (mark, TAGGED[name])
        for mark in TAG.finditer(text)
        if (name := mark["name"].casefold().replace("_", " ").replace("-", " ")) in TAGGED
        and not is_within(spans, mark.start())
        and not {text[max(0, mark.start() - 1)], text[mark.end() : mark.end() + 1]} <= QUOTES
    ]


def is_within(spans: list[tuple[int, int]], place: int) -> bool:
    """Whether a place is in one of the spans, which stand in their order: a text may have thousands."""
    before = bisect.bisect_right(spans, place, key=operator.itemgetter(0))
    return before > 0 and place < spans[before - 1][1]


def _headed(text: str, *, prose: bool) -> list[Section]:
    fences = [found.span() for found in FENCED.finditer(text)] if "```" in text or "~~~" in text else []
    headings: list[Heading] = []
    start = 0
    last = ""
    for line in text.split("\n"):
        if line and not is_within(fences, start):
            heading = heading_of(line, start)
            if heading is not None and not is_option(line, heading, headings, last):
                headings.append(heading)
        start += len(line) + 1
        last = line
    found = []
    headings = _without_inner(_without_answers(text, headings), prose=prose)
    if any(heading.section == "answer" and heading.name not in WORKINGS for heading in headings):
        headings = [replace(one, section="reasoning") if one.name in WORKINGS else one for one in headings]
    for number, heading in enumerate(headings):
        end = headings[number + 1].start if number + 1 < len(headings) else len(text)
        end = _end_of_prose(text, heading, end) if prose and heading.section == "answer" else end
        found.append(Section(heading.section, heading.text(text, end), heading.start, end, final=heading.final))
    return _with_reasoning(text, headings, found)


def _end_of_prose(text: str, heading: Heading, end: int) -> int:
    """Where an answer ends under `## ANSWER`: at another heading in capitals with as many #, `## KEY TAKEAWAYS`."""
    own = text[heading.body : end].lstrip().startswith("#")  # the text has headings of its own
    if not heading.level or own or not text[heading.start : heading.body].isupper():
        return end
    for line in re.finditer(rf"^[ \t]*#{{{heading.level}}}[ \t]+[^#\n]+$", text[:end], re.MULTILINE):
        if line.start() > heading.body and line[0].isupper():
            return line.start()
    return end


def _with_reasoning(text: str, headings: list[Heading], sections: list[Section]) -> list[Section]:
    """The sections with a reasoning under a heading whose name is unknown: the first one between a context and an
    answer, where all three have as many #, or the only one, where all three are bare lines below empty ones.
    """
    if [section.name for section in sections] != ["context", "answer"]:
        return sections
    context, answer = headings
    found = None
    if context.level and context.level == answer.level:
        unknown = re.compile(rf"^[ \t]*#{{{context.level}}}[ \t]+[^#\s][^\n]*$", re.MULTILINE)
        found = unknown.search(text, context.body, answer.start)
    elif text[: answer.start].endswith("\n\n") and not (context.labelled or answer.labelled):
        forms = {_form(text[heading.start : heading.body].strip()) for heading in headings}
        lines = [line for line in BARE.finditer(text, context.body, answer.start) if {_form(line[0])} == forms]
        found = lines[0] if len(lines) == 1 else None
    if found is None or not text[context.body : found.start()].strip():
        return sections
    known = replace(sections[0], text=trimmed(text[context.body : found.start()]), end=found.start())
    reasoning = Section("reasoning", trimmed(text[found.end() : answer.start]), found.start(), answer.start)
    return [known, reasoning, sections[1]]


def _form(line: str) -> tuple[bool, bool, bool]:
    """The case and the marks of a heading on a line of its own."""
    return line.isupper(), line.startswith("**"), line.endswith("**")


def _without_inner(headings: list[Heading], *, prose: bool) -> list[Heading]:
    """The headings without those inside of a section: where reasoning and answer stand under headings of one level, or
    all three sections under bold ones, `*Background:*` between them, or a quotation, is a part of the reasoning. An
    answer stated on the way counts: it may contradict. So does a context, if the reply has no other. In `prose`, what
    follows under the answer is a part of it.
    """
    context, reasoning, answer = (
        {one.form for one in headings if one.section == section} for section in ("context", "reasoning", "answer")
    )
    levels = [form for form in reasoning & answer if form.startswith("#")]
    form = min(levels, key=len) if levels else "**" if "**" in context & reasoning & answer else None
    places = [number for number, one in enumerate(headings) if one.form == form]
    if form is None:
        return _without_outline(headings) if prose else headings
    last = max(number for number in places if headings[number].section == "answer")
    told = any(
        one.section == "context" and (one.form == form or number < places[0]) for number, one in enumerate(headings)
    )
    return [
        one
        for number, one in enumerate(headings)
        if one.form == form
        or (one.section == "context" and one.mark != ">" and not told)
        or number < places[0]
        or (number > last and not prose)
        or (number < last and one.section == "answer" and one.mark != ">")
    ]


def _without_outline(headings: list[Heading]) -> list[Heading]:
    """The headings without labels behind the last answer, where all three sections stand under bare lines: `Context:
    cities since 1950` is then a line of the answer.
    """
    bare = [not one.form and not one.labelled for one in headings]
    names = [one.section for one, is_bare in zip(headings, bare, strict=True) if is_bare]
    if not {"context", "reasoning", "answer"} <= set(names) or names[-1] != "answer":
        return headings
    last = max(number for number, is_bare in enumerate(bare) if is_bare)
    return [one for number, one in enumerate(headings) if number <= last or not one.labelled or one.final]


def _without_answers(text: str, headings: list[Heading]) -> list[Heading]:
    """The headings without those that are an answer or an item of a list: in `### Answer`, `knowledge`, the second
    line has the name of a section, but is the answer, since nothing else is.
    """
    kept: list[Heading] = []
    last = max((number for number, heading in enumerate(headings) if heading.section == "answer"), default=-1)
    for number, heading in enumerate(headings):
        end = headings[number + 1].start if number + 1 < len(headings) else len(text)
        body = text[heading.body : end].strip()
        if kept and not heading.labelled and "#" not in heading.mark and not (heading.section == "answer" and body):
            between = text[kept[-1].body : heading.start].strip()
            alone = not body or (heading.mark != kept[-1].mark and number > last)
            answers = kept[-1].section == "answer" and not between and alone
            item = heading.mark.startswith("-") and bool(BULLET.match(between.rpartition("\n")[2]))
            if answers or (item and (not body or BULLET.match(body))):
                continue
        kept.append(heading)
    return kept


def _tabled(text: str) -> list[Section]:
    """The sections of a table whose rows have a name and a text; the row of its heads is none."""
    rows = [row for row in ROW.finditer(text) if " ".join(row["name"].casefold().split()) in SECTIONS]
    found = [
        Section(SECTIONS[" ".join(row["name"].casefold().split())], row["text"], row.start(), row.end(), closed=True)
        for row in rows
        if not HEAD_ROW.match(text, row.end())
    ]
    named = any(section.name == "answer" for section in found)
    return found if named and len(found) <= MOST_ROWS else []
