"""Finds the texts of the options: in columns, or in the lines of the prompt that list them.

option_texts({"opa": "tin", "opb": "tea"}, 2)                       ["tin", "tea"]
listed_block("Which is a metal?\\nA. tin\\nB. tea\\nAnswer:")         [("A", "tin"), ("B", "tea")]
without_labels(["A) fig", "B) lime"])                               (["fig", "lime"], ["A", "B"])
read_list("['fig', 'lime']")                                        ["fig", "lime"]
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from nemo_sdg.records import LABELS
from nemo_sdg.seeds.fields.reading import (
    INVISIBLE,
    SCRIPT_LABEL,
    SCRIPTS,
    bare_labels,
    latin_labels,
    numbered_labels,
    plain_label,
    plain_labels,
    text_of,
)
from nemo_sdg.seeds.prompts.labels import OPTIONS
from nemo_sdg.text.options import speak_of_place

CHOICE_COLUMNS = ("choices", "options", "answers", "endings", "candidates", "choice", "opciones", "alternatives")
_NUMBERED = re.compile(r"([A-Za-z_]*?)[_ ]?([0-9]|[a-jA-J])")
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_OTHER = rf"{SCRIPT_LABEL}|[IVX]{{2,4}}|[ivx]{{2,4}}"
_LABEL = rf"[A-Za-z]|\d{{1,2}}|{_OTHER}"
_LABELLED = re.compile(
    rf"\s*(?:[(\[（【]({_LABEL})[)\]）】][.:：]?\s*|({_LABEL})(?:[).:]\s+|[）．、：]\s*|\s+[-–—]\s+)|({SCRIPT_LABEL})[-–—]\s+"
    rf"|([A-Z])[.)](?=[^\W\d])|([①-⑩])\s*)(?=\S)"
)
_LINE = re.compile(
    rf"[ \t]*(?:[(\[（]?([A-Ja-j]|\d{{1,2}}|{SCRIPT_LABEL})[)\].:、．：）]|({SCRIPT_LABEL})[-–—][ \t]|([①-⑩]))"
    r"[ \t]*(\S.*)"
)
_QUOTED = re.compile(r"'([^'\\\n]*)'|\"([^\"\\\n]*)\"")
_ARRAY = re.compile(rf"\[\s*(?:{_QUOTED.pattern})(?:\s+(?:{_QUOTED.pattern}))+\s*\]")
"""texts without commas between them, which Python would take for one text"""
_CUE_LINES = 1
"""lines that may follow a list of options: the words that ask for the answer"""


def option_texts(row: Mapping[str, Any], num: int | None) -> list[str] | None:
    """The texts behind option labels, from a list column or from numbered columns (option1, opa, ending0, A)."""
    fitting = (
        found
        for found in _candidates(row)
        if len(found) >= 2 and num in (None, len(found)) and not latin_labels(found) and not numbered_labels(found)
    )
    return next(fitting, None)


def labels_beside(row: Mapping[str, Any], texts: list[str]) -> list[str] | None:
    """The labels that a row keeps beside the texts of its options: {"text": [...], "label": ["A", "B"]}, or
    {"A": "...", "B": "..."}.
    """
    for value in row.values():
        if isinstance(value, Mapping) and list(value.values()) == texts and bare_labels(list(map(str, value))):
            return [str(key) for key in value]
        if isinstance(value, Mapping) and isinstance(value.get("text"), list):
            labels = value.get("label") or value.get("labels")
            if isinstance(labels, list) and len(labels) == len(texts) and [str(t) for t in value["text"]] == texts:
                return [str(label) for label in labels]
    return None


def _candidates(row: Mapping[str, Any]) -> Iterator[list[str]]:
    for column in sorted(row):
        if not column.lower().startswith(CHOICE_COLUMNS):
            continue
        value = row[column]
        if isinstance(value, str):
            value = read_list(value)
        if isinstance(value, Mapping):
            value = value["text"] if "text" in value else list(value.values())
        if isinstance(value, list):
            yield [_item_text(item) for item in value]
    families: dict[str, dict[str, str]] = {}
    for column, value in row.items():
        match = _NUMBERED.fullmatch(column)
        if match and isinstance(value, str):
            families.setdefault(match[1].lower(), {})[match[2].lower()] = value
    for _, family in sorted(families.items()):
        yield [family[key] for key in sorted(family)]


def _item_text(item: Any) -> str:
    if isinstance(item, Mapping):
        return next((value for value in item.values() if isinstance(value, str)), "")
    return text_of(item)


def read_list(text: str) -> list[Any] | dict[str, Any] | None:
    """A list or mapping that is written out in a text, in Python's or JSON's form, or as numpy prints texts
    (`['a' 'b']`); None where it is anything else.
    """
    stripped = text.strip()
    if (stripped[:1], stripped[-1:]) not in {("[", "]"), ("{", "}"), ("(", ")")}:
        return None
    if _ARRAY.fullmatch(stripped):
        return [one or other for one, other in _QUOTED.findall(stripped)]
    for read in (ast.literal_eval, json.loads):
        try:
            value = read(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, list | dict):
            return value
        return list(value) if isinstance(value, tuple) else None
    return None


def without_labels(texts: list[str]) -> tuple[list[str], list[str]] | None:
    """Options and their labels, where each option begins with its label and the labels are in sequence."""
    found = [_LABELLED.match(text) for text in texts]
    if len(texts) < 2 or not all(found):
        return None
    labels = [plain_label(next(filter(None, match.groups()))) for match in found if match]
    bare = [text[match.end() :].strip() for text, match in zip(texts, found, strict=True) if match]
    if not in_sequence(labels) or (not bare_labels(labels) and speak_of_place(bare)):
        return None  # `both 1 and 2` needs its numbers
    return bare, labels


def labels_in_disorder(texts: list[str]) -> tuple[list[str], list[str]] | None:
    """As `without_labels`, for options whose letters are not in sequence: `C. lime`, `A. fig`, `B. salt`."""
    found = [_LABELLED.match(text) for text in texts]
    labels = [plain_label(next(filter(None, match.groups()))) for match in found if match]
    if len(texts) < 2 or len(labels) < len(texts):
        return None
    if not any(sorted(labels) == sorted(script[: len(labels)]) for script in (LABELS, *SCRIPTS)):
        return None
    return [text[match.end() :].strip() for text, match in zip(texts, found, strict=True) if match], labels


def labelled_text(target: str, texts: list[str]) -> int | None:
    """The place of the option that a target names by its label and its text: `B) lime` of salt and lime."""
    match = _LABELLED.match(target)
    if match is None:
        return None
    text, label = target[match.end() :].strip(), next(filter(None, match.groups()))
    if text not in texts:
        return None
    at = texts.index(text)
    known = {str(at + 1), *(script[at] for script in (LABELS, *SCRIPTS) if at < len(script))}
    return at if plain_label(label) in known else None


def in_sequence(labels: list[str]) -> bool:
    """Whether labels are A, B, C, … or those of another script, numbers from 0 or 1, or Roman ones."""
    num, found = len(labels), list(map(plain_label, labels))
    numbers = [str(n) for n in range(num)], [str(n + 1) for n in range(num)]
    return found in numbers or any(found == list(script[:num]) for script in (LABELS, _ROMAN, *SCRIPTS))


def listed_block(prompt: str) -> list[tuple[str, str]]:
    """(label, text) of the lines that list options at the end of a prompt, before the words that ask for the answer."""
    lines = [line for line in prompt.rstrip().split("\n") if line.strip()]
    for skipped in range(_CUE_LINES + 1):
        block: list[tuple[str, str]] = []
        for line in reversed(lines[: len(lines) - skipped]):
            match = _LINE.fullmatch(line)
            if match is None:
                break
            block.insert(0, (match[1] or match[2] or match[3], match[4].strip()))
        for start in range(len(block) - 1):
            if in_sequence([label for label, _ in block[start:]]):
                return block[start:]
    return []


def inline_block(text: str, labels: list[str]) -> tuple[str, list[str]] | None:
    """What goes before options that stand in one line (`Which? A. oak B. tin`), and their texts."""
    num = len(labels)
    letters = [f"[{label}{label.lower()}]" if len(label) == 1 else label for label in plain_labels(labels)]
    before, wide = r"(?<![A-Za-z0-9])", r"(?:[.)]\s*(?=[^\x00-\u2e7f])|[．、：）]\s*)"
    styles = [[rf"(?<!\w){style.format(letter)}\s+" for letter in letters] for style in (r"\({}\)", r"{}\)", r"{}\.")]
    styles.append([rf"{before}[(（]?{letter}{wide}" for letter in letters])
    for marks in [*styles, [rf"{sign}\s*" for sign in "①②③④⑤⑥⑦⑧⑨⑩"[:num]]]:
        if len(marks) < num or not _stand_in_order(marks, text):
            continue
        pattern = "".join(
            rf"{mark}(\S[^\n]*?)[ ,;/；，]*" + ("" if at == num - 1 else r"(?:\s+|(?<=[；，]))")
            for at, mark in enumerate(marks)
        )
        match = re.search(rf"(?:\s|(?<=[?？。：:)）])){pattern}\s*\Z", text)
        if match is not None:
            return text[: match.start()].strip(), [group.strip() for group in match.groups()]
    return None


def _stand_in_order(marks: list[str], text: str) -> bool:
    """Whether a text has these marks one after another: without the last one, the whole pattern would be tried from
    every place of the others.
    """
    place = 0
    for mark in marks:
        if (found := re.compile(mark).search(text, place)) is None:
            return False
        place = found.end()
    return True


def remove_options(question: str, texts: list[str]) -> str:
    """The question without the list of its options, where all of them stand there in their order."""
    place = 0
    for text in texts:  # an expression for each row takes 15 ms to compile: not for those that cannot have the list
        found = question.find(text.strip(), place)
        if found < 0:
            return question
        place = found + len(text.strip())
    parts = [rf"[{INVISIBLE}]*{re.escape(text.strip())}[{INVISIBLE}]*" for text in texts]
    mark = rf"(?:[(\[（]?(?:[A-Ja-j]|\d{{1,2}}|{_OTHER})[)\].:）．、：]|(?:{SCRIPT_LABEL})[-–—]|[①-⑩])"
    label = rf"(?:{mark}?[ \t]*(?:[-–][ \t]*)?|(?:choice|option)[ \t]*:[ \t]*)"
    lines = "".join(rf"(?:\A|\n+)[ \t]*(?:[-–*•][ \t]*|{label})?{part}[ \t]*(?=\n|\Z)" for part in parts)
    cut = _without_last(lines, question)
    if cut is not None:
        return cut
    inline = r"[\s,;/|]*".join(rf"{mark}[ \t]*{part}" for part in parts)
    named = r"['\"]?[\s,;/|]*(?:(?:or|and)\s+)?['\"]?".join(parts)
    named = rf"(?:{OPTIONS})[ \t*]*[:：][ \t]*[\[(]?['\"]?{named}['\"]?[\])]?"
    cut = _without_last(rf"(?<!\w)(?:{inline}|{named})[ \t.]*(?=\n|\Z)", question)
    return question if cut is None else cut


def _without_last(pattern: str, question: str) -> str | None:
    found = list(re.finditer(pattern, question))
    if not found or len(question) - len(found[-1][0]) < 2:
        return None
    return question[: found[-1].start()] + question[found[-1].end() :]
