"""A prompt taken apart into passage and question: the words around them (`Question:`, `Answer:`) and the listed
options are left out.

    split_template("{{passage}}\\nQuestion: {{question}}\\nAnswer:", ...)     ("{{passage}}", "{{question}}")

A template is taken apart once, with each of its expressions as a hole that no rule looks into; a prompt that a
function wrote is taken apart row by row by the same rules.
"""

import functools
import itertools
import re
from dataclasses import dataclass, field

import jinja2.meta

from nemo_sdg.seeds.fields.options import CHOICE_COLUMNS, in_sequence
from nemo_sdg.seeds.prompts.labels import ANSWER, ANSWER_LABEL, OPTIONS, PASSAGE, QUESTION
from nemo_sdg.seeds.prompts.templates import CLOSE, HOLE, OPEN, environment, with_holes

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
_OPTIONS_LABEL = re.compile(rf"(?:\A|\n)[ \t#*]*(?:{OPTIONS})[ \t*]*[:：]?[ \t*]*(?=\n|\Z)", re.IGNORECASE)
_OPTIONS_BEFORE = rf"(?<!\w)(?:{OPTIONS})[ \t*]*[:：][ \t]*"
_OPTION = r"(?:\A|\n)[ \t]*(?:[-–*•]|[(\[]?[A-Ja-j1-9][)\].:])[ \t]*"
_OPTION_HOLE = re.compile(rf"{_OPTION}{OPEN}\d+{CLOSE}[ \t]*(?=\n|\Z)")
_LABELLED_HOLE = re.compile(rf"[(\[]?\b([A-Ja-j1-9])[)\].:][ \t]*{OPEN}(\d+){CLOSE}")
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
    holes: int = 0
    """expressions of the whole template"""


def split_template(source: str, *, has_choices: bool, is_code: bool, keep_cue: bool = False) -> TemplateParts:
    """`keep_cue`: the words at the end are all that asks (`French phrase:`)."""
    flat, holes = with_holes(source)
    columns = [jinja2.meta.find_undeclared_variables(environment.parse(hole)) for hole in holes]
    dropped = {index for index, names in enumerate(columns) if is_code and names & set(TEST_COLUMNS)}
    options: list[str] = []
    if has_choices:
        flat, listed = _without_listed(flat)
        options = [holes[index] for index in listed]
        dropped |= {
            index
            for index, hole in enumerate(holes)
            if index not in listed and _lists_choices(hole, columns[index], flat, index)
        }
        if len(_OPTION_HOLE.findall(flat)) > 1:
            flat = _OPTION_HOLE.sub("", flat)
    for index in dropped:
        flat = re.sub(rf"(?:[ \t]*{_OPTIONS_BEFORE})?{OPEN}{index}{CLOSE}", "", flat, flags=re.IGNORECASE)
    if has_choices and (dropped or options):
        flat = _OPTIONS_LABEL.sub("", flat)
    if keep_cue and without_cues(flat) != _ANSWER_LINE.sub("", flat.strip()):
        passage, question = None, _PASSAGE_LABEL.sub("", _ANSWER_LINE.sub("", flat).strip())
    else:
        passage, question = _split(
            flat, {index for index, names in enumerate(columns) if len(names) == 1 and names & _PASSAGE_COLUMNS}
        )
    fill = functools.partial(HOLE.sub, lambda match: holes[int(match[1])])
    return TemplateParts(
        passage=fill(passage) if passage else None, question=fill(question), options=options, holes=len(holes)
    )


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


def _lists_choices(hole: str, names: set[str], flat: str, index: int) -> bool:
    """Whether an expression shows the list of options: a loop over their column, or the column alone in its line."""
    choices = {name for name in names if name.lower().startswith(CHOICE_COLUMNS)}
    if hole.startswith("{%"):
        return bool(choices)
    label = rf"(?:(?:\A|\n)[ \t#*]*(?:(?:{OPTIONS})[ \t*]*[:：]?)?[ \t]*|{_OPTIONS_BEFORE})"
    alone = rf"{label}{OPEN}{index}{CLOSE}[ \t.]*(?=\n|\Z)"
    return bool(choices) and choices == names and re.search(alone, flat, re.IGNORECASE) is not None


def asks_something(source: str) -> bool:
    """Whether a prompt template carries a question of its own: a question label, or a question mark among its words."""
    flat, _ = with_holes(source)
    return _QUESTION_LABEL.search(flat) is not None or any(mark in flat for mark in "?？؟")


def instructs(source: str) -> bool:
    """Whether the fixed part of a prompt template is more than labels: `Give the antonym of: {{word}}`."""
    flat, _ = with_holes(source)
    fixed = HOLE.split(without_cues(flat))[::2]
    return any(
        len(line.split()) + len(_SPACELESS.findall(line)) // 2 >= _INSTRUCTION_WORDS
        for part in fixed
        for line in part.split("\n")
    )


def shows_question(source: str) -> bool:
    """Whether a prompt template shows a column that holds questions by its name."""
    return bool(jinja2.meta.find_undeclared_variables(environment.parse(source)) & _QUESTION_COLUMNS)


def writes_labels(source: str) -> bool:
    """Whether a template writes words such as `Question: ` from within its expressions, where they cannot be told from
    the row's text.
    """
    return any(
        token == "string" and any(mark in value for mark in ":：") for _, token, value in environment.lex(source)
    )


def split_prompt(text: str) -> tuple[str | None, str]:
    """A rendered prompt as passage (or None) and question."""
    return _split(text, set())


def is_whole_prompt(text: str) -> bool:
    """Whether a row's text is a prompt with its labels: `Q: Which sings?\\nA:`."""
    return _QUESTION_LABEL.match(text) is not None and _ANSWER_LINE.search(text.rstrip()) is not None


def _split(flat: str, passage_holes: set[int]) -> tuple[str | None, str]:
    flat = without_cues(flat)
    labels = list(_QUESTION_LABEL.finditer(flat))
    if labels and flat[labels[-1].end() :].strip():
        before, question = flat[: labels[-1].start()], flat[labels[-1].end() :]
        only_instruction = OPEN in flat and OPEN not in before
        passage = "" if only_instruction else _PASSAGE_LABEL.sub("", before).strip()
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
