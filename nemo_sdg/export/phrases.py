"""The few words that training text puts between a sample's own texts, per language: phrases.yaml."""

import functools
from dataclasses import dataclass
from pathlib import Path

from nemo_sdg.text.tables import read_table


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrases:
    """A language without an entry gets none of them: its text is laid out by paragraphs alone, never in another
    language's words.
    """

    question: str = ""
    answer: str = ""
    passage: str = ""
    options: str = ""
    explanation: str = ""
    background: str = ""
    problem: str = ""
    solution: str = ""
    final: str = ""
    """leads to the answer after the reasoning"""
    tests: str = ""


@functools.cache
def phrases_of(language: str) -> Phrases:
    return Phrases(**read_table(Path(__file__).with_name("phrases.yaml")).get(language, {}))
