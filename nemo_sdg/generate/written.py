"""A question that a model wrote, and the checks of its form and of whether it is new."""

import difflib
import re
import unicodedata
from dataclasses import dataclass

from nemo_sdg.generate.options import BLANK, speaks_of_place
from nemo_sdg.generate.parsing.answers.dress import fold
from nemo_sdg.generate.parsing.answers.programs import called
from nemo_sdg.records import Kind, Seed

SIMILAR = 0.9
"""minimum share of words in the same order of a question and its copy; two random gsm8k questions have 0.1 to 0.4"""


COPY_REASONS = ("copy_of_seed", "copy_of_example", "copy_of_sibling")


@dataclass(kw_only=True, slots=True)
class Written:
    """A question that a model wrote."""

    question: str
    passage: str | None = None
    choices: list[str] | None = None
    tests: list[str] | None = None


def words_of(question: str, passage: str | None) -> list[str]:
    """The words of passage and question, by which questions are compared, without differences of width, case and
    punctuation.
    """
    text = fold(f"{passage or ''} {question}")
    if not text.isascii() and not re.search(r"\s", text):
        return list(text)
    return re.findall(r"\w+|[^\w\s]", unicodedata.normalize("NFKC", text))


def is_copy(words: list[str], other: list[str]) -> bool:
    """Whether two questions are equal after normalisation, or nearly equal."""
    if words == other:
        return True
    matcher = difflib.SequenceMatcher(None, words, other, autojunk=False)
    return matcher.real_quick_ratio() >= SIMILAR and matcher.quick_ratio() >= SIMILAR and matcher.ratio() >= SIMILAR


def problem_of(written: Written, seed: Seed, num_choices: int) -> tuple[str | None, str | None]:
    """Why a written question does not have the requested form, as (reason, detail), or (None, None)."""
    if written.choices is not None:
        choices = written.choices
        if len(choices) != num_choices:
            reason = "too_few_choices" if len(choices) < num_choices else "too_many_choices"
            return reason, f"{len(choices)} for {num_choices}"
        if len({fold(choice) for choice in choices}) < num_choices:
            return "duplicate_choices", None
        if speaks_of_place(choices) and not speaks_of_place(seed.choices or []):
            return "composite_choice", None
    if seed.kind == Kind.code and len({call.split("(")[0] for call in called(written.tests or [])}) != 1:
        return "tests_unusable", None
    if BLANK.search(seed.question) and not BLANK.search(written.question):
        return "blank_lost", None
    return None, None


class Known:
    """The questions that a new one must not copy."""

    def __init__(self, seed: Seed, shown: list[Seed]) -> None:
        self.words = {
            "copy_of_seed": [words_of(seed.question, seed.passage)],
            "copy_of_example": [words_of(shot.question, shot.passage) for shot in shown],
            "copy_of_sibling": [],
        }
        self.written: list[str] = []

    def copies(self, written: Written) -> str | None:
        """What a question is a copy of, or None; a new question is remembered."""
        words = words_of(written.question, written.passage)
        for reason, others in self.words.items():
            if any(is_copy(words, other) for other in others):
                return reason
        self.words["copy_of_sibling"].append(words)
        self.written.append(written.question)
        return None
