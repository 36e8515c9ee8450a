"""Turns a question into comparable tokens, whether it is from a sample, a seed, an evaluation row or a user's file."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from nemo_sdg.text.normalize import is_spaceless, letters, tokens

LABELS = """yes, no, true, false, maybe, neither, both, none, unknown, correct, incorrect, positive, negative,
entailment, neutral, contradiction, not entailment, none of the above, all of the above, 0, 1, 2, a, b, c, d, e"""
LABEL_SET = {tuple(label.split()) for label in LABELS.replace("\n", " ").split(", ")}
"""answers that so many rows share that agreeing on one says nothing"""
NEGATIVE = re.compile(r"[\s$\\(]*[-−–]\s?\$?[\d\\]")
LONG_ANSWER = 12
"""words from which an answer is prose or code, of which there are many right ones: two that differ say nothing"""


class Agreement(Enum):
    same = "same"
    unknown = "unknown"
    """one side has no answer, or the answer is a mere label"""
    different = "different"


@dataclass(kw_only=True, slots=True)
class Item:
    """One question; every field as normalised tokens."""

    question: list[str]
    letters: str
    """the question's letters and digits alone"""
    passage: list[str]
    choices: frozenset[tuple[str, ...]]
    answers: frozenset[tuple[str, ...]]
    """the answer and its aliases"""
    rest: list[str]
    """context, reasoning and trace of a sample, where a question may hide as well"""

    def stream(self) -> list[str]:
        """All the text, in which an evaluation row's words are looked for."""
        options = [word for choice in sorted(self.choices) for word in choice]
        return [
            *self.passage,
            *self.question,
            *options,
            *(word for answer in sorted(self.answers) for word in answer),
            *self.rest,
        ]


def read_answer(text: str) -> tuple[str, ...]:
    """Tokens of an answer; a negative number keeps its sign."""
    words = tuple(tokens(text))
    return ("-", *words) if NEGATIVE.match(text) else words


def told_answer(record: dict[str, Any]) -> Any:
    """The answer of a sample or seed, {"text": …, "aliases": …}, or of an evaluation row, plain; None where there is
    none.
    """
    answer = record.get("answer")
    return answer.get("text") if isinstance(answer, dict) else answer


def read_item(record: dict[str, Any]) -> Item:
    """Takes a sample, a seed or an evaluation row as a dict; missing fields are empty, `text` stands in for
    `question`.
    """
    answer = record.get("answer")
    texts = [told_answer(record), *((answer.get("aliases") or []) if isinstance(answer, dict) else [])]
    read = [read_answer(str(text)) for text in texts if text is not None]
    choices = frozenset(read_answer(str(choice)) for choice in record.get("choices") or []) - {()}
    question = str(record.get("question") or record.get("text") or "")
    return Item(
        question=tokens(question),
        letters=letters(question),
        passage=tokens(str(record.get("passage") or "")),
        choices=choices,
        answers=frozenset(read) - {()},
        rest=tokens("\n".join(str(record.get(name) or "") for name in ("context", "reasoning", "trace"))),
    )


def num_words(words: list[str]) -> float:
    """Length of a text in words; a character of a script without spaces counts as half a word."""
    return sum(0.5 if is_spaceless(word) else 1.0 for word in words)


def agree(one: Item, other: Item) -> Agreement:
    """Whether two questions have the same answer, or, for multiple choice, the same options."""
    options = one.choices & other.choices
    if (
        len(options) >= 2
        and not options <= LABEL_SET
        and len(options) >= 0.5 * min(len(one.choices), len(other.choices))
    ):
        return Agreement.same
    if not one.answers or not other.answers:
        return Agreement.unknown
    common = one.answers & other.answers
    if common:
        return Agreement.unknown if common <= LABEL_SET else Agreement.same
    long = all(len(answer) >= LONG_ANSWER for answer in one.answers | other.answers)
    return Agreement.unknown if long else Agreement.different
