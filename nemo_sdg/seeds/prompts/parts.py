"""A prompt taken apart into passage and question: the words around them (`Question:`, `Answer:`) and the listed
options are left out.

    split_template("{{passage}}\\nQuestion: {{question}}\\nAnswer:", ...)     ("{{passage}}", "{{question}}")

A template is taken apart once, with each of its expressions as a hole that no rule looks into; a prompt that a
function wrote is taken apart row by row by the same rules.
"""

import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2.meta

from nemo_sdg.seeds.content.texts import leaves
from nemo_sdg.seeds.fields.options import CHOICE_COLUMNS, in_sequence
from nemo_sdg.seeds.fields.reading import SCRIPT_LABEL
from nemo_sdg.seeds.prompts.holes import CLOSE, HOLE, OPEN, environment, with_holes
from nemo_sdg.seeds.prompts.labels import ANSWER, ANSWER_LABEL, INPUT, INSTRUCTION, OPTIONS, PASSAGE, QUESTION
from nemo_sdg.seeds.prompts.templates import names_column

_CUE = re.compile(rf"(?:\A|\n|(?<={CLOSE})[ .?]?)[^\n{OPEN}{CLOSE}.?!。？]{{0,60}}[:：][ \t]*\Z")
_ANSWER_LINE = re.compile(
    rf"(?:(?:\A|\n|(?<={CLOSE})|(?<=[.?!。？]))[ \t#*]*(?:{ANSWER_LABEL})[ \t*]*[:：][ \t*]*"
    rf"|(?:\A|\n)[ \t#*]*(?:{ANSWER})[ \t*]*[:：][^\n{OPEN}]*)\Z",
    re.IGNORECASE,
)
_QUESTION_LABEL = re.compile(
    rf"(?:\A|\n|(?<=[.!?।。？！]) ?|(?<={CLOSE}) ?)[ \t#*]*(?:{QUESTION})[ \t*]*[:：][ \t*]*\n?"
    rf"|(?:\A|\n)[ \t#*]*(?:User|Human|Instruction)[ \t*]*[:：][ \t*]*\n?(?={OPEN})",
    re.IGNORECASE,
)
_PASSAGE_LABEL = re.compile(rf"\A[ \t#*]*(?:{PASSAGE})[ \t*]*[:：][ \t*]*\n?", re.IGNORECASE)
_PASSAGE_AFTER = re.compile(rf"\n[ \t#*]*(?:{PASSAGE})[ \t*]*[:：][ \t]*({OPEN}\d+{CLOSE})\s*\Z", re.IGNORECASE)
_SECTIONS = re.compile(
    rf"(?:\A|\n)#+[ \t]*(?:{INSTRUCTION})[ \t]*[:：]?[ \t]*\n(?P<question>(?:(?!\n#+ )[\s\S])+)"
    rf"(?:\n#+[ \t]*(?:{INPUT})[ \t]*[:：]?[ \t]*\n(?P<passage>(?:(?!\n#+ )[\s\S])+))?"
    rf"(?:\n#+[ \t]*(?:{ANSWER})[ \t]*[:：]?[ \t]*)?\Z",
    re.IGNORECASE,
)
"""the sections of an instruction with its input, after which an answer is to be written"""
_A_LABEL = re.compile(rf"{QUESTION}|{PASSAGE}|{ANSWER}|{OPTIONS}|\d+", re.IGNORECASE)
_OPTIONS_LABEL = re.compile(rf"(?:\A|\n)[ \t#*]*(?:{OPTIONS})[ \t*]*[:：]?[ \t*]*(?=\n|\Z)", re.IGNORECASE)
_OPTIONS_BEFORE = rf"(?<!\w)(?:{OPTIONS})[ \t*]*[:：][ \t]*"
_MARK = rf"(?:[A-Ja-j1-9۱-۹١-٩]|{SCRIPT_LABEL})"
_OPTION = rf"(?:\A|\n)[ \t]*(?:[-–*•]|[(\[]?{_MARK}[)\].:、．：]|(?:{SCRIPT_LABEL})[-–—]|[①-⑩])[ \t]*"
_OPTION_HOLE = re.compile(rf"{_OPTION}{OPEN}\d+{CLOSE}[ \t]*(?=\n|\Z)")
_LABELLED_HOLE = re.compile(
    rf"[(\[]?(?<!\w)({_MARK})(?:[)\].:、．：]|(?<![A-Za-z0-9])[-–—]|(?<=[①-⑩])|(?<=\n\w)(?=[ \t\u3000]))"
    rf"[ \t\u3000]*{OPEN}(\d+){CLOSE}"
)
_PASSAGE_COLUMNS = {
    "passage",
    "context",
    "paragraph",
    "premise",
    "article",
    "story",
    "support",
    "text",
    "document",
    "background",
    "sentence1",
    "abstract",
}
_QUESTION_COLUMNS = {"question", "query", "problem", "question_stem", "stem", "prompt", "instruction", "goal", "qtext"}
TEST_COLUMNS = ("test_list", "tests", "test_cases", "asserts", "unit_tests", "test")
_DEFINITION = re.compile(r"\{%[-+]?\s*(?:set|macro)\s+(\w+)")
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff]")
_INSTRUCTION_WORDS = 4
"""words in a row that make the fixed part of a prompt more than a label"""


@dataclass(kw_only=True, slots=True)
class TemplateParts:
    """A prompt template's parts, each a template."""

    passage: str | None
    question: str
    options: list[str] = field(default_factory=list)
    """where the template lists options one by one: the expressions that stand behind the labels"""


def split_template(
    source: str, *, has_choices: bool, is_code: bool, keep_cue: bool = False, choice_column: str | None = None
) -> TemplateParts:
    """`keep_cue`: the words at the end are all that asks (`French phrase:`). `choice_column` holds the options,
    whatever its name.
    """
    flat, holes = with_holes(source)
    columns = [jinja2.meta.find_undeclared_variables(environment.parse(hole)) for hole in holes]
    dropped = {index for index, names in enumerate(columns) if is_code and names & set(TEST_COLUMNS)}
    options: list[str] = []
    if has_choices:
        flat, listed = _without_listed(flat)
        options = [_filled(holes, f"{OPEN}{index}{CLOSE}") for index in listed]
        dropped |= {
            index
            for index, hole in enumerate(holes)
            if index not in listed and _lists_choices(hole, columns[index], flat, index, choice_column)
        }
        if len(_OPTION_HOLE.findall(flat)) > 1:
            flat = _OPTION_HOLE.sub("", flat)
    for index in dropped:
        flat = re.sub(rf"(?:[ \t]*{_OPTIONS_BEFORE})?{OPEN}{index}{CLOSE}", "", flat, flags=re.IGNORECASE)
    if has_choices and (dropped or options):
        flat = _OPTIONS_LABEL.sub("", flat)
    if keep_cue and _ends_with_cue(flat):
        passage, question = None, _with_cue(flat)
    else:
        passage, question = _split(
            flat, {index for index, names in enumerate(columns) if len(names) == 1 and names & _PASSAGE_COLUMNS}
        )
    fill = functools.partial(_filled, holes)
    return TemplateParts(passage=fill(passage) if passage else None, question=fill(question), options=options)


def _filled(holes: list[str], part: str) -> str:
    """A part with its expressions again, and before it what the template defines for them outside of the part."""
    filled = HOLE.sub(lambda hole: holes[int(hole[1])], part)
    names, here = jinja2.meta.find_undeclared_variables(environment.parse(filled)), set(HOLE.findall(part))
    defined = [(_DEFINITION.match(hole), hole) for index, hole in enumerate(holes) if str(index) not in here]
    return "".join(hole for found, hole in defined if found is not None and found[1] in names) + filled


def _without_listed(flat: str) -> tuple[str, list[int]]:
    """The prompt without labelled holes in sequence (`A. {{a}}\\nB. {{b}}`, or in one line), and these holes."""
    found = list(_LABELLED_HOLE.finditer(flat))
    for start in range(len(found) - 1):
        for end in range(len(found), start + 1, -1):
            run = found[start:end]
            between = [flat[one.end() : two.start()] for one, two in itertools.pairwise(run)]
            if in_sequence([match[1] for match in run]) and not any(gap.strip(" \t\n,;/|") for gap in between):
                cut = f"{flat[: run[0].start()].rstrip(' ')}{flat[run[-1].end() :]}"
                return cut, [int(match[2]) for match in run]
    return flat, []


def _lists_choices(hole: str, names: set[str], flat: str, index: int, column: str | None) -> bool:
    """Whether an expression shows the list of options: a loop over their column, or the column alone in its line."""
    choices = {name for name in names if name.lower().startswith(CHOICE_COLUMNS) or name == column}
    if hole.startswith("{%"):
        return bool(choices)
    label = rf"(?:(?:\A|\n)[ \t#*]*(?:(?:{OPTIONS})[ \t*]*[:：]?)?[ \t]*|{_OPTIONS_BEFORE})"
    alone = rf"{label}{OPEN}{index}{CLOSE}[ \t.]*(?=\n|\Z)"
    return bool(choices) and choices == names and re.search(alone, flat, re.IGNORECASE) is not None


def asks_something(source: str) -> bool:
    """Whether a prompt template carries a question of its own: a question label, or a question mark among its words."""
    return _asks(with_holes(source)[0])


def _asks(flat: str) -> bool:
    return _QUESTION_LABEL.search(flat) is not None or any(mark in flat for mark in "?？؟")


def instructs(source: str) -> bool:
    """Whether the fixed part of a prompt template is more than labels: `Give the antonym of: {{word}}`."""
    return _instructs(with_holes(source)[0])


def _instructs(flat: str) -> bool:
    fixed = HOLE.split(without_cues(flat))[::2]
    return any(
        len(line.split()) + len(_SPACELESS.findall(line)) // 2 >= _INSTRUCTION_WORDS
        for part in fixed
        for line in part.split("\n")
    )


def columns_of(source: str) -> set[str]:
    """The columns that a prompt template shows; of one that is a column's name, that column."""
    return {source} if names_column(source) else jinja2.meta.find_undeclared_variables(environment.parse(source))


def words_around(source: str) -> str:
    """The words of a prompt template around what it shows of the row."""
    return " ".join(HOLE.split(with_holes(source)[0])[::2])


def has_sections(source: str) -> bool:
    """Whether a prompt template has a section for its instruction: `### Instruction:`."""
    return _SECTIONS.search(without_cues(with_holes(source)[0])) is not None


def asks_nothing(source: str) -> bool:
    """Whether a prompt template only shows the row: `{{text}}`, `Review: {{text}}\\nAnswer:`."""
    return _asks_nothing(with_holes(source)[0])


def _asks_nothing(flat: str) -> bool:
    return not (_asks(flat) or _instructs(flat) or _ends_with_cue(flat))


def _ends_with_cue(flat: str) -> bool:
    """Whether a prompt ends with words such as `Antonym:`, which are not only `Answer:`."""
    return without_cues(flat) != _ANSWER_LINE.sub("", flat.strip()).strip()


def _with_cue(flat: str) -> str:
    return _PASSAGE_LABEL.sub("", _ANSWER_LINE.sub("", flat.strip()).strip())


def split_written_prompt(text: str, row: Mapping[str, Any], *, keep_cue: bool) -> tuple[str | None, str, bool]:
    """As `split_prompt`, for a prompt that a function wrote about a row: what stands in the row is told from the words
    around it. The last value is whether it only shows the row and asks nothing.
    """
    flat, holes = _with_columns_as_holes(text, row)
    if keep_cue and not (_asks(flat) or _instructs(flat)) and _ends_with_cue(flat):
        passage, question = None, _with_cue(flat)
    else:
        passage, question = _split(flat, set())
    fill = functools.partial(HOLE.sub, lambda match: holes[int(match[1])])
    return fill(passage) if passage else None, fill(question), _asks_nothing(flat)


def _with_columns_as_holes(text: str, row: Mapping[str, Any]) -> tuple[str, list[str]]:
    """A prompt with a hole for each text of the row that stands in it."""
    holes: list[str] = []
    parts = {part for leaf in leaves(row) for part in (leaf, leaf.strip()) if len(part) > 1}
    for shown in sorted(parts, key=lambda part: (-len(part), part)):
        if shown in text and not _A_LABEL.fullmatch(shown):
            text = text.replace(shown, f"{OPEN}{len(holes)}{CLOSE}")
            holes.append(shown)
    return text, holes


def shows_question(source: str) -> bool:
    """Whether a prompt template shows a column that holds questions by its name."""
    return bool(jinja2.meta.find_undeclared_variables(environment.parse(source)) & _QUESTION_COLUMNS)


def writes_labels(source: str) -> bool:
    """Whether a template writes words such as `Question: ` from within its expressions or control structures, where
    they cannot be told from the row's text.
    """
    if any(token == "string" and any(mark in value for mark in ":：") for _, token, value in environment.lex(source)):
        return True
    structures = [hole for hole in with_holes(source)[1] if hole.startswith("{%")]
    written = ["".join(value for _, token, value in environment.lex(hole) if token == "data") for hole in structures]
    return any(_QUESTION_LABEL.search(text) or _ANSWER_LINE.search(text) for text in written)


def without_label(passage: str) -> str:
    """Without the word that introduces a passage, where a block of the template wrote it."""
    return _PASSAGE_LABEL.sub("", passage)


def split_prompt(text: str) -> tuple[str | None, str]:
    """A rendered prompt as passage (or None) and question."""
    return _split(text, set())


def is_whole_prompt(text: str) -> bool:
    """Whether a row's text is a prompt with its labels: `Q: Which sings?\\nA:`."""
    return _QUESTION_LABEL.match(text) is not None and _ANSWER_LINE.search(text.rstrip()) is not None


def _split(flat: str, passage_holes: set[int]) -> tuple[str | None, str]:
    flat = without_cues(flat)
    sections = _SECTIONS.search(flat)
    if sections is not None and sections["question"].strip():
        return _PASSAGE_LABEL.sub("", sections["passage"] or "").strip() or None, sections["question"].strip()
    labels = list(_QUESTION_LABEL.finditer(flat))
    if labels and flat[labels[-1].end() :].strip():
        before, question = flat[: labels[-1].start()], flat[labels[-1].end() :]
        only_instruction = OPEN in flat and OPEN not in before
        passage = "" if only_instruction else _PASSAGE_LABEL.sub("", before).strip()
        after = _PASSAGE_AFTER.search(question)
        if after is not None and not passage and OPEN in question[: after.start()]:
            passage, question = after[1], question[: after.start()]
        return passage or None, question.strip()
    first, label = HOLE.search(flat), _PASSAGE_LABEL.match(flat)
    start = label.end() if label else 0
    if first and first.start() == start and (label or int(first[1]) in passage_holes):
        rest = flat[first.end() :]
        if rest.startswith("\n") and rest.strip():
            return first[0], rest.strip()
    return None, flat[start:].strip()


def without_cues(flat: str) -> str:
    """Without the words at the end that ask to go on (`Answer:`, `Let's think step by step` after them)."""
    for _ in range(3):
        cut = _CUE.sub("", _ANSWER_LINE.sub("", flat.rstrip())).rstrip()
        if cut == flat or not cut:
            break
        flat = cut
    return flat
