"""Reads the questions in a reply of a writer of style full: sections, one group of them per question.

### Plan
…
### Question
Which gas do plants take in?          ->   [{"question": "Which gas …", "options": ["oxygen", "carbon dioxide"]}]
### Options
- oxygen
- carbon dioxide

The headings of a reply are all of one form. A line of another form, such as `Question:` in an interview or `## Methods`
in an article, is a part of the passage or the question in which it stands.
"""

import ast
import bisect
import itertools
import re
import textwrap
from dataclasses import dataclass, field
from importlib.resources import files

import yaml

from nemo_sdg.generate.parsing.answers.programs import FENCE
from nemo_sdg.generate.parsing.cleaning import clean, without_marks
from nemo_sdg.generate.parsing.drafts import unfenced
from nemo_sdg.generate.parsing.headings import RULE, SECTIONS, Heading, heading_of, is_option
from nemo_sdg.generate.parsing.listed import read_options
from nemo_sdg.generate.parsing.sections import FENCED, find_sections, is_within
from nemo_sdg.generate.parsing.traces import split_trace
from nemo_sdg.text.programs import parse_program

_NAMES: dict[str, str] = yaml.safe_load((files(__package__) / "question_names.yaml").read_text("utf-8"))
NAMES = SECTIONS | {
    name.replace("_", " "): section for section, names in _NAMES.items() for name in names.casefold().split()
}
FIELDS = ("plan", "passage", "question", "options", "tests")
BREAK = re.compile(r"[ \t]*[*_`\\]{0,3}={4,}[*_`]{0,3}[ \t]*")
TAGS = re.compile(r"^[ \t]*<question>|</(?:passage|plan)>[ \t]*<question>", re.IGNORECASE | re.MULTILINE)
NUMBER = re.compile(r"(?<=[^\W\d])[ \t]*#?\d{1,2}(?=[ \t]*(?:[:：*]|$))")
CHATTER = re.compile(
    r"\n(?:-{3,})?[ \t]*\n\s*[*_]{0,3}(?:(?:please )?let me know if\b|"
    r"(?:i )?hope (?:this|these|that) (?:helps?|works?|meets?|questions?)\b|"
    r"feel free to\b|is there anything else\b|would you like (?:me|more|another)\b|"
    r"if you (?:have any|need (?:any|more|further|another)|would like (?:me|more|another|any))\b)[^\n]*\Z",
    re.IGNORECASE,
)
"""What a writer says last of its reply. A question may begin in nearly the same way: `If you have 12 eggs …`"""
LONGEST_END = 200
ASKS = re.compile(r"[?？؟;:：][\s*_]*\Z")
BULLET = re.compile(r"^[ \t]*(?:[-+*•–]|\d{1,2}[.)])[ \t]+`?(?=assert\b)")


@dataclass(slots=True)
class _Line:
    """A line that may be a heading of the form."""

    heading: Heading
    line: str
    before: str
    """the line before it"""
    numbered: bool
    """whether a number follows the name, as in `Question 2`"""
    is_title: bool = False
    """whether it only counts the questions: `# Question 2` above the headings of that question"""


@dataclass(slots=True)
class _Open:
    """The sections of one question as far as they are read."""

    fields: dict[str, str | list[str]] = field(default_factory=dict)
    last: Heading | None = None
    """the heading under which the text stands now; None where the text belongs to no field"""

    @property
    def section(self) -> str:
        return self.last.section if self.last is not None else ""

    def close(self, text: str, end: int) -> None:
        """Takes what stands between the last heading and `end` as the field of its name."""
        if self.last is not None:
            body = self.last.text(text, end)
            if self.section == "options":
                self.fields["options"] = read_options(body)
            elif self.section == "tests":
                self.fields["tests"] = read_tests(body)
            elif self.section != "plan" and body:
                self.fields[self.section] = body
        self.last = None


def read_questions(text: str) -> list[dict[str, str | list[str]]]:
    """The fields of each question that are present: passage, question, options, tests."""
    text = unfenced(without_marks(clean(split_trace(text)[0])))
    text = CHATTER.sub("", text)
    found = []
    for block in _blocks(text):
        found += _read_tags(block) if TAGS.search(block) else _read_block(block)
    return found


def _blocks(text: str) -> list[str]:
    """The parts of a reply between lines of equals signs. Such a line under a title, or in a program, parts nothing."""
    fences = _fences(text)
    blocks: list[str] = []
    begin = start = 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if BREAK.fullmatch(line) and not is_within(fences, start):
            before = lines[number - 1].strip() if number else ""
            if not before or RULE.fullmatch(before) or _begins_question(lines, number + 1):
                blocks.append(text[begin:start])
                begin = start + len(line)
        start += len(line) + 1
    return [*blocks, text[begin:]]


def _fences(text: str) -> list[tuple[int, int]]:
    return [fence.span() for fence in FENCED.finditer(text)] if "```" in text or "~~~" in text else []


def _begins_question(lines: list[str], number: int) -> bool:
    """Whether the first line of text from a line on is a heading of the form, or nothing follows."""
    while number < len(lines) and (not lines[number].strip() or RULE.fullmatch(lines[number])):
        number += 1
    heading = heading_of(NUMBER.sub("", lines[number]), 0, NAMES) if number < len(lines) else None
    return number == len(lines) or (heading is not None and heading.section in FIELDS)


def _read_tags(text: str) -> list[dict[str, str | list[str]]]:
    """The questions of a reply with tags, <question>…</question>."""
    found: list[dict[str, str | list[str]]] = [{}]
    for section in find_sections(text):
        if section.name in found[-1] and "question" in found[-1]:
            found.append({})
        if section.name in ("passage", "question") and section.text:
            found[-1][section.name] = section.text
        elif section.name == "options":
            found[-1]["options"] = read_options(section.text)
        elif section.name == "tests":
            found[-1]["tests"] = read_tests(section.text)
    return [fields for fields in found if "question" in fields]


def _read_block(text: str) -> list[dict[str, str | list[str]]]:
    lines = _lines(text)
    form = _form([one for one in lines if not one.is_title])
    of_form = {one.heading.section for one in lines if one.heading.form == form and not one.is_title}
    places = [one.heading.start for one in lines if one.heading.form == form and one.heading.section in FIELDS]
    found, now = [], _Open()
    for one in lines:
        heading = one.heading
        if one.is_title:
            if now.section != "passage":
                now.close(text, heading.start)
        elif heading.section not in FIELDS:
            following = bisect.bisect_right(places, heading.start)
            end = places[following] if following < len(places) else len(text)
            if _ends(text[heading.start : end], one, now, form):
                now.close(text, heading.start)
        elif _counts(one, now, form, of_form):
            now.close(text, heading.start)
            if "question" in now.fields and _begins(heading.section, now.fields, of_form):
                found.append(now.fields)
                now = _Open()
            now.last = heading
    now.close(text, len(text))
    return [fields for fields in [*found, now.fields] if "question" in fields]


def _begins(section: str, fields: dict[str, str | list[str]], of_form: set[str]) -> bool:
    """Whether a section begins another question, where that before it has these fields."""
    if section == "question":
        return "options" in fields or "options" not in of_form
    return section == "plan" or (section == "passage" and "passage" in fields)


def _lines(text: str) -> list[_Line]:
    """The lines outside of programs that have the name of a section."""
    fences = _fences(text)
    found: list[_Line] = []
    start, before = 0, ""
    for line in text.split("\n"):
        if line.strip() and not is_within(fences, start):
            bare = NUMBER.sub(lambda number: " " * len(number[0]), line, count=1)
            heading = heading_of(line, start, NAMES)
            numbered = heading is None and bare != line
            heading = heading_of(bare, start, NAMES) if numbered else heading
            if heading is not None and heading.mark != ">":
                found.append(_Line(heading, line, before, numbered))
        start += len(line) + 1
        before = line
    named = any(one.heading.section == "question" and not one.numbered for one in found)
    for one, following in itertools.pairwise(found if named else []):
        between = text[one.heading.body : following.heading.start]
        one.is_title = one.numbered and following.heading.form != one.heading.form and not between.strip(" \t\n*_#-=")
    return found


def _form(lines: list[_Line]) -> str:
    """What stands before the headings of the reply: the marks that most sections have, the first ones in a tie."""
    sections: dict[str, set[str]] = {}
    for one in lines:
        if one.heading.section in FIELDS:
            sections.setdefault(one.heading.form, set()).add(one.heading.section)
    marked = [form for form in sections if form.startswith("#") and "question" in sections[form]]
    return max(marked or sections, key=lambda form: len(sections[form]), default="")


def _counts(one: _Line, now: _Open, form: str, of_form: set[str]) -> bool:
    """Whether a line with the name of a field is a heading, and no part of the section in which it stands."""
    name = one.heading.section
    listed = form.startswith("-") and one.heading.form == form and one.heading.labelled  # `2. **Question:** Which?`
    if now.last is not None and not listed and is_option(one.line, one.heading, [now.last], one.before):
        return False
    if now.section == "passage" and name != "question":
        return False
    if one.heading.form == form:
        return True
    if name in of_form:
        return False
    return {
        "plan": not now.section,
        "passage": now.section in ("", "plan"),
        "question": now.section in ("", "plan", "passage"),
        "options": now.section in ("question", "options"),
        "tests": now.section in ("question", "options"),
    }[name]


def _ends(text: str, one: _Line, now: _Open, form: str) -> bool:
    """Whether a heading such as `Answer` or `Explanation` ends the section in which it stands: after options or tests;
    in a question only if it gives something away, and not if the question goes on after it. `text`: from the heading
    to the next one of the form.
    """
    if now.last is None or now.section in ("passage", "plan"):
        return False
    if now.section == "options":
        return not is_option(one.line, one.heading, [now.last], one.before)
    if now.section == "tests" or one.heading.form == form:
        return True
    return one.heading.section != "context" and ASKS.search(text[-LONGEST_END:].rstrip(" \t\n-=")) is None


def read_tests(text: str) -> list[str]:
    """The assert statements of a section, each with its further lines."""
    fenced = [textwrap.dedent(found["body"]) for found in FENCE.finditer(text)]
    body = "\n".join(fenced) if fenced else textwrap.dedent(text)
    tree = parse_program(body) if "assert" in body else None
    if tree is not None:
        lines = body.split("\n")
        return [
            textwrap.dedent("\n".join(lines[one.lineno - 1 : one.end_lineno])).rstrip() for one in _asserted(tree.body)
        ]
    tests: list[str] = []
    for line in body.split("\n"):
        listed = BULLET.sub("", line)
        line = listed.rstrip().removesuffix("`") if listed != line and "`" in line else listed
        if re.match(r"assert\b", line):
            tests.append(line.rstrip())
        elif tests and line.startswith((" ", "\t", ")", "]", "}")):
            tests[-1] += "\n" + line.rstrip()
    return tests


def _asserted(body: list[ast.stmt]) -> list[ast.Assert]:
    """The assert statements of a program, and of functions that hold nothing else."""
    found: list[ast.Assert] = []
    for one in body:
        if isinstance(one, ast.Assert):
            found.append(one)
        elif isinstance(one, ast.FunctionDef) and not one.args.args:
            inner = one.body[1:] if ast.get_docstring(one) is not None else one.body
            if all(isinstance(statement, ast.Assert) for statement in inner):
                found += _asserted(inner)
    return found
