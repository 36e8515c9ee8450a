"""Which of several right solutions is kept: the one whose reasoning and context are worth most to a reader."""

from nemo_sdg.records import Kind, Sample, Vote
from nemo_sdg.text import words as text
from nemo_sdg.text.latex import plain
from nemo_sdg.text.mathematics import is_expression
from nemo_sdg.text.numbers import find_numbers, read_number

TAIL = 160
"""Characters at the end of a reasoning in which its result is looked for"""


def names_answer(written: str, answer: str, sample: Sample) -> bool:
    """Whether a text holds an answer: a number by its value, words after normalisation, an option also by most of its
    words.
    """
    language = sample.language
    number = read_number(answer, language) if sample.kind == Kind.numeric else None
    if number is not None:
        return any(found.number.value == number.value for found in find_numbers(written, language))
    wanted, found = text.normalize(answer, language), text.normalize(written, language)
    if (wanted and wanted in found) or (is_expression(answer) and _squeezed(answer) in _squeezed(written)):
        return True
    parts = [word for word in wanted.split() if len(word) > 3]
    return len(parts) > 2 and sum(word in found for word in parts) >= 0.75 * len(parts)


def _squeezed(expression: str) -> str:
    return "".join(plain(expression).replace("$", "").split())


def adds_knowledge(context: str, sample: Sample) -> bool:
    """Whether a context has at least three words that question, passage and options do not have."""
    known = " ".join((sample.question, sample.passage or "", *(sample.choices or [])))
    return (
        len(set(text.normalize(context, sample.language).split()) - set(text.normalize(known, sample.language).split()))
        >= 3
    )


def rank(solution: Vote, sample: Sample) -> tuple[bool, bool, bool, bool, int, int]:
    """Best first: complete, reasoning that ends in the answer, context that adds knowledge and does not name the
    answer, most distinct
    words (a loop of words earns nothing), lowest index."""
    complete = bool(solution.reasoning.strip()) and bool(solution.context.strip())
    named = sample.kind in (Kind.code, Kind.free_text)
    return (
        not complete,
        not (named or names_answer(solution.reasoning[-TAIL:], solution.answer or "", sample)),
        not adds_knowledge(solution.context, sample),
        not named and names_answer(solution.context, solution.answer or "", sample),
        -len(set(text.normalize(solution.reasoning, sample.language).split())),
        solution.index,
    )
