"""Filters of form: fields and their agreement, lengths, LaTeX that closes what it opens."""

import re
from typing import Any

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.records import LABELS, Kind

REQUIRED = ("sample_id", "task", "family", "kind", "language", "question")
PHRASE = re.compile(r"[^\W\d_]{3,}")
LATEX_WORD = re.compile(r"\\[a-zA-Z]+")

MAX_ANSWER = {"multiple_choice": 2000, "numeric": 200, "short_text": 1000, "free_text": 8000, "code": 20_000}


def schema(view: View) -> Finding | None:
    """Drops samples that lack a field of their kind or contradict themselves: an option twice, an answer that is not an
    option, a wrong label, no number.
    """
    sample = view.sample
    for name in REQUIRED:
        if not isinstance(sample.get(name), str) or not sample[name].strip():
            return "missing_field", name
    answer = sample.get("answer")
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str) or not answer["text"].strip():
        return "missing_field", "answer.text"
    for name in ("passage", "context", "reasoning"):
        if not isinstance(sample.get(name), str | None):
            return "missing_field", f"{name} is not text"
    kind = sample["kind"]
    if kind not in Kind.__members__:
        return "missing_field", f"kind {kind!r}"
    if kind == Kind.multiple_choice:
        return _choices(sample.get("choices"), answer)
    if kind == Kind.numeric and not looks_numeric(answer["text"]):
        return "answer_not_numeric", excerpt(answer["text"])
    return None


def _choices(choices: Any, answer: dict[str, Any]) -> Finding | None:
    if (
        not isinstance(choices, list)
        or len(choices) < 2
        or not all(isinstance(choice, str) and choice.strip() for choice in choices)
    ):
        return "missing_field", "choices"
    if len({" ".join(choice.split()) for choice in choices}) < len(choices):
        return "choices_not_distinct", excerpt(" | ".join(choices))
    if answer["text"] not in choices:
        return "answer_not_among_choices", excerpt(answer["text"])
    index, label = choices.index(answer["text"]), answer.get("label")
    if label is not None and (index >= len(LABELS) or label != LABELS[index]):
        return "label_mismatch", f"label {label}, but the answer is option {index + 1}"
    return None


def looks_numeric(text: str) -> bool:
    """A number or a formula: it has a digit or LaTeX, or at least no word of three letters."""
    return any(letter.isdigit() for letter in text) or bool(LATEX_WORD.search(text)) or not PHRASE.search(text)


def length(
    view: View,
    *,
    min_question: int = 3,
    max_question: int = 8000,
    max_passage: int = 40_000,
    min_reasoning: int = 1,
    max_reasoning: int = 20_000,
    min_context: int = 8,
    max_context: int = 12_000,
    max_answer: dict[str, int] = MAX_ANSWER,
) -> Finding | None:
    """Bounds in characters; the answer's by kind. An option counts as an answer. A sample without a context passes:
    `min_context` is for one that is there.
    """
    bounds = {
        "question": (min_question, max_question),
        "passage": (0, max_passage),
        "reasoning": (min_reasoning, max_reasoning),
        "context": (min_context, max_context),
    }
    for name, (low, high) in bounds.items():
        size = len((view.sample.get(name) or "").strip())
        if size < low and not (name == "context" and size == 0):
            return "too_short", f"{name} has {size} characters, at least {low} are asked for"
        if size > high:
            return "too_long", f"{name} has {size} characters, at most {high} are allowed"
    for name, text in view.texts("answer", "choices"):
        most = max_answer[view.kind]
        if len(text) > most:
            return "too_long", f"{name} has {len(text)} characters, at most {most} are allowed for {view.kind}"
    return None


ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^{}]*)\}")
SIZED = re.compile(r"\\(left|right)(?![a-zA-Z])")
OPENERS = re.compile(r"(?<!\\)(?:\\\\)*\\([()\[\]])")
COMMAND = re.compile(r"\\[a-zA-Z]{2,}")
CURRENCY = re.compile(r"\$\s?\d[\d,.]*(?![\d,.]*\s*[\\$+*/=^_<>])")
ESCAPES = re.compile(
    r"\blatex\b|\btex\b|regex|regular expression|compil|printf|\bshell\b|\bbash\b|backslash|"
    r"escape (?:sequence|character)|"
    r"string literal|\bpython\b|\bjava|\bjinja|\btemplate engine|源代码|正则",
    re.IGNORECASE,
)
"""Of questions where a backslash, a brace or a dollar may stand for itself"""
FENCE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def latex_balance(view: View) -> Finding | None:
    """Text with LaTeX commands closes its braces, environments, \\left and dollars. Code and plain dollars of money
    are left alone.
    """
    if view.kind == Kind.code:
        return None
    for name, text in view.texts("question", "passage", "choices", "answer", "context", "reasoning"):
        if not text.isprintable() and (eaten := EATEN_BACKSLASH.search(text)) is not None and not view.is_technical:
            return "latex_damaged", f"{name}: {excerpt(text, eaten.start())}"
        lost = LOST_BACKSLASH.search(text) if "{" in text or "$" in text else None
        if lost and not view.is_technical:
            return "latex_damaged", f"{name}: {excerpt(text, lost.start())}"
        if "\\" not in text or not COMMAND.search(text) or ESCAPES.search(view.asked):
            continue
        problem = latex_problem(FENCE.sub(" ", text))
        if problem:
            return "latex_unbalanced", f"{name}: {problem}"
    return None


LOST_BACKSLASH = re.compile(
    r"(?<![\\a-zA-Z])(?:rac|frac|dfrac|tfrac|sqrt|qrt|binom|inom|boxed|oxed|overline|mathrm|mathbb|egin|begin)\s?\{"
    r"|\$[^$]*(?<![\\a-zA-Z])(?:cdot|leq|geq|neq|infty|rightarrow|lfloor|rfloor)(?![a-zA-Z])"
)
"""A command that has lost its backslash, or its first letter to an escape (`\\frac` read as a form feed and `rac`)"""
EATEN_BACKSLASH = re.compile(
    r"\t(?:heta|imes|frac|ext|au|an|anh|riangle|herefore|o|ilde|op)(?![a-z])(?=[^$\n]*\$)"
    r"|[\r\n](?:ightarrow|abla|otin)(?![a-z])(?=[^$\n]*\$)"
    r"|\t(?:heta|imes|frac|ext\{)|[\x07\x08\x0b\x0c](?:lpha|eta|ar|egin|inom|oxed|ec|arphi|rac|orall)"
)
"""A command whose backslash and first letter were read as an escape: `\\theta` as a tab and `heta`"""


def latex_problem(text: str) -> str | None:
    """The first bracket or environment that a LaTeX text opens without closing it, or None."""
    plain = text.replace("\\\\", "  ")
    opened: list[str] = []
    for kind, environment in ENVIRONMENT.findall(plain):
        if kind == "begin":
            opened.append(environment)
        elif not opened or opened.pop() != environment:
            return f"\\end{{{environment}}} without its \\begin"
    if opened:
        return f"\\begin{{{opened[-1]}}} without its \\end"
    sized = SIZED.findall(plain)
    if sized.count("left") != sized.count("right"):
        return f"{sized.count('left')} \\left, {sized.count('right')} \\right"
    brackets = OPENERS.findall(text)
    for left, right in ("()", "[]"):
        if brackets.count(left) != brackets.count(right):
            return f"{brackets.count(left)} \\{left}, {brackets.count(right)} \\{right}"
    plain = re.sub(r"\\[{}$]", "  ", plain)
    if plain.count("{") != plain.count("}"):
        return f"{plain.count('{')} opening and {plain.count('}')} closing braces"
    dollars = plain.replace("$$", "  ")
    if dollars.count("$") % 2 and CURRENCY.sub(" ", dollars).count("$") % 2:
        return f"{dollars.count('$')} dollar signs"
    return None
