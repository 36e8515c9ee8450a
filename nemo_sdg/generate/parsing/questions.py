"""Reads the questions in a reply of a writer of style full: blocks of sections, one block per question.

### Plan
…
### Question
Which gas do plants take in?          ->   [{"question": "Which gas …", "options": ["oxygen", "carbon dioxide"]}]
### Options
- oxygen
- carbon dioxide
"""

import re

from nemo_sdg.generate.parsing.answers.programs import FENCE
from nemo_sdg.generate.parsing.cleaning import clean, without_marks
from nemo_sdg.generate.parsing.sections import find_sections
from nemo_sdg.generate.parsing.traces import split_trace

BREAK = re.compile(r"^[ \t]*={4,}[ \t]*$", re.MULTILINE)
BULLET = re.compile(r"^\s*(?:[-*•–]\s+|\(?[A-Za-z1-9][0-9]?[.)]\s+)")
TICKED = re.compile(
    r"\s*(?:[✅✔☑✓]\ufe0f?|\((?:correct|right|richtig|correcta?)\)|\*\*\(correct\)\*\*)\s*$", re.IGNORECASE
)


def read_questions(text: str) -> list[dict[str, str | list[str]]]:
    """The fields of each question that are present: passage, question, options, tests."""
    text = without_marks(clean(split_trace(text)[0]))
    found = []
    for block in BREAK.split(text):
        fields: dict[str, str | list[str]] = {}
        for section in find_sections(block):
            if section.name in ("passage", "question") and section.text.strip():
                fields[section.name] = section.text.strip()
            elif section.name == "options":
                fields["options"] = read_options(section.text)
            elif section.name == "tests":
                fields["tests"] = read_tests(section.text)
        if "question" in fields:
            found.append(fields)
    return found


def read_options(text: str) -> list[str]:
    """The options, one per line, without bullet, letter or a mark on the right one. If the others have bullets, a line
    without a bullet continues the option before it.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    bulleted = sum(bool(BULLET.match(line)) for line in lines) >= 2
    options: list[str] = []
    for line in lines:
        if bulleted and not BULLET.match(line) and options:
            options[-1] += "\n" + line.strip()
        else:
            options.append(BULLET.sub("", line, count=1).strip() if bulleted else line.strip())
    tidy = [TICKED.sub("", option).strip() for option in options]
    return [option[2:-2] if option.startswith("**") and option.endswith("**") else option for option in tidy]


def read_tests(text: str) -> list[str]:
    """The assert statements of a section, each with its further lines."""
    fenced = FENCE.search(text)
    tests: list[str] = []
    for line in (fenced["body"] if fenced else text).split("\n"):
        if line.startswith("assert "):
            tests.append(line.rstrip())
        elif tests and line.startswith((" ", "\t", ")", "]", "}")):
            tests[-1] += "\n" + line.rstrip()
    return tests
