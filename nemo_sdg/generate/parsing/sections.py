"""Finds context, reasoning, answer and other parts of a reply by its headings, labels and tags.

    **Context:** Leaves have pores.        |  ## Answer      |  <answer>B</answer>      |  答案：B
    **Answer: B**                          |  B              |                          |

Names are recognised in many languages. Text in fenced code is not a heading.
"""

import bisect
import operator
import re
from dataclasses import dataclass, replace
from importlib.resources import files

import yaml

NAMES: dict[str, str] = yaml.safe_load((files(__package__) / "section_names.yaml").read_text("utf-8"))
SECTIONS = {name.replace("_", " "): section for section, names in NAMES.items() for name in names.casefold().split()}
TAGGED = SECTIONS | {"final": "answer"}
"""names that tags have; as a heading, `final` may be a quantity"""
FINAL = re.compile(
    r"\bfinal\b|\bcorrected\b|\brevised\b|\bupdated\b|korrigiert|修正|訂正|수정|"
    r"\bendgültig|\bfinale\b|最终|最終|окончательн|итогов|النهائ|最后|최종|nihai|cuối cùng|akhir|अंतिम|চূড়ান্ত"
)
WORKINGS = {"解答"}
"""names of an answer that are names of the working where the reply has an answer by another name"""
HEAD = re.compile(
    r"[ \t]*+(?P<mark>(?:(?:\#{1,6}+|>|[-+•*](?=[ \t])|\d{1,2}+[.)](?=[ \t])|"
    r"[^\w\s<*_#\"'`\\$(\[{【「«|=&^%@])[ \t]*+){0,4}+)"
    r"(?P<open>\*{1,3}+|_{1,2}+|【|\[|「)?(?:\d{1,2}+[.)][ \t]++)?(?:[Ss]tep[ \t]++\d++[:.][ \t]++)?"
    r"(?P<name>[^\W\d_][^:：=*【】\[\]「」()#<>$\\]{0,47}+)(?:\((?P<aside>[^()]{0,40}+)\)[ \t]*+)?"
    r"(?P<tail>[:：=][ \t]*+(?:\*{1,3}+|_{1,2}+(?=\s|$)|】|\]|」)?|】[ \t]*+[:：]?|"
    r"(?:\*{1,3}+|\]|」)[ \t]*+(?:[:：]|[-–—]++[ \t]|$|(?=\S))|$)"
)
"""the head of a line; quantifiers are possessive, so matching is fast for every line"""
BULLET = re.compile(r"[ \t]*(?:[-+*•–][ \t]|\d{1,2}[.)][ \t])")
DASH = re.compile(r"\s[-–—]+\s")
LONGEST_HEAD = 140
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
MOST_ROWS = 20
"""a table with more rows that have names of sections is a loop or a listing, and no reply in sections"""
HEAD_ROW = re.compile(r"\n[ \t]*\|[ \t]*:?-{2,}")
RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,}|={3,})[ \t]*$", re.MULTILINE)


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
    return _tagged(text) or _headed(text, prose=prose) or _tabled(text)


def preamble(text: str, sections: list[Section]) -> str:
    """The text before the first section."""
    return text[: sections[0].start].strip() if sections else text.strip()


def _tagged(text: str) -> list[Section]:
    if "<" not in text:
        return []
    found: list[Section] = []
    fences = [fence for fence in FENCED.finditer(text) if fence["closed"] is not None]
    programs = [fence for fence in fences if fence["language"].strip().casefold() not in MARKUP]
    marks = _tags(text, fences) or _tags(text, programs)
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


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that begins a section, or that would begin one in a reply of another form."""

    name: str
    section: str
    start: int
    body: int
    """position at which its text begins"""
    opened: str
    """emphasis that its label opens and does not close"""
    aside: str
    final: bool
    mark: str
    """what stands before the name: -, with emphasis or brackets; # for Markdown's headings, > in a quotation; or
    nothing"""
    labelled: bool
    """whether a colon or the like follows the name"""
    level: int
    """number of # before the name; 0 without, or in a quotation"""

    @property
    def form(self) -> str:
        return "#" * self.level or self.mark

    def text(self, text: str, end: int) -> str:
        """What stands under the heading, up to `end`."""
        body = text[self.body : end]
        return trimmed(_without_mark(body, self.opened) if self.opened else body) or self.aside


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
        found.append(Section(heading.section, heading.text(text, end), heading.start, end, final=heading.final))
    return found


def is_option(line: str, heading: Heading, headings: list[Heading], last: str) -> bool:
    """Whether a line that could be a heading is one of the options that are being listed: `- knowledge`, or
    `- Theory: what explains many facts`. An option has the bullet that the heading of the list does not have. Without
    bullets, it follows another one (`last` is the line before) and is nothing but a name.
    """
    if not headings or headings[-1].section != "options":
        return False
    if BULLET.match(line):
        return not headings[-1].mark.startswith("-") and not (heading.section == "answer" and heading.labelled)
    bare = not heading.labelled and not heading.mark
    return bare and heading.section != "answer" and bool(last.strip()) and not BULLET.match(last)


def _without_inner(headings: list[Heading], *, prose: bool) -> list[Heading]:
    """The headings without those inside of a section: where reasoning and answer stand under headings of one level, or
    all three sections under bold ones, `*Background:*` between them, or a quotation, is a part of the reasoning. An
    answer stated on the way counts: it may contradict. In `prose`, what follows under the answer is a part of it.
    """
    context, reasoning, answer = (
        {one.form for one in headings if one.section == section} for section in ("context", "reasoning", "answer")
    )
    levels = [form for form in reasoning & answer if form.startswith("#")]
    form = min(levels, key=len) if levels else "**" if "**" in context & reasoning & answer else None
    places = [number for number, one in enumerate(headings) if one.form == form]
    if form is None:
        return headings
    last = max(number for number in places if headings[number].section == "answer")
    return [
        one
        for number, one in enumerate(headings)
        if one.form == form
        or number < places[0]
        or (number > last and not prose)
        or (number < last and one.section == "answer" and one.mark != ">")
    ]


def _without_answers(text: str, headings: list[Heading]) -> list[Heading]:
    """The headings without those that are an answer or an item of a list: in `### Answer`, `knowledge`, the second
    line has the name of a section, but is the answer, since nothing else is.
    """
    kept: list[Heading] = []
    for number, heading in enumerate(headings):
        end = headings[number + 1].start if number + 1 < len(headings) else len(text)
        body = text[heading.body : end].strip()
        if kept and not heading.labelled and "#" not in heading.mark and not (heading.section == "answer" and body):
            between = text[kept[-1].body : heading.start].strip()
            answers = kept[-1].section == "answer" and not between and (not body or heading.mark != kept[-1].mark)
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


def heading_of(line: str, start: int, names: dict[str, str] = SECTIONS) -> Heading | None:
    """The heading that a line is, by the names of the sections; `start` is the position of the line."""
    head = HEAD.match(line[:LONGEST_HEAD])
    if head is None:
        return None
    name, body, tail = head["name"].strip(" \t_"), head.end(), head["tail"].strip(" \t*_")
    dash = DASH.search(head["name"])
    if dash is not None:
        name, body, tail = name[: dash.start()], head.start("name") + dash.end(), "-"
    name = " ".join(name.casefold().replace("’", "'").replace("_", " ").split())
    section = names.get(name)
    if section is None:
        return None
    marked = bool(head["mark"].strip(" \t-+•*>") or head["open"])
    if tail[:1] in ("=", "-", "–", "—"):
        if section != "answer" and not head["open"]:
            return None
    elif not tail and not (marked or section in ("context", "reasoning", "answer")):
        return None  # a heading without a colon needs a mark, or must be one of the three main names
    opened = head["open"] or ""
    if not tail and len(line) > body and not opened:
        return None
    return Heading(
        name=name,
        section=section,
        start=start,
        body=start + body,
        opened="" if opened in head["tail"] else opened,
        aside=(head["aside"] or "").strip(),
        final=bool(FINAL.search(name)),
        mark=_mark_of(line, head),
        labelled=bool(tail),
        level=0 if ">" in head["mark"] else head["mark"].count("#"),
    )


def _mark_of(line: str, head: re.Match[str]) -> str:
    if ">" in head["mark"]:
        return ">"
    return "#" if "#" in head["mark"] else f"{'-' if BULLET.match(line) else ''}{head['open'] or ''}"


def _without_mark(body: str, mark: str) -> str:
    """The body without the closing mark of an emphasis that was opened before its label: `60**` becomes `60`."""
    closing = {"【": "】", "[": "]", "「": "」"}.get(mark, mark)
    place = body.find(closing)
    return body if place == -1 else body[:place] + body[place + len(closing) :]


def trimmed(text: str) -> str:
    """The text without horizontal rules at its ends."""
    lines = text.strip().split("\n")
    while lines and (RULE.fullmatch(lines[-1]) or not lines[-1].strip()):
        lines.pop()
    while lines and (RULE.fullmatch(lines[0]) or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines).strip()
