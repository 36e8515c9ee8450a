"""Readers of what a prompt shows of a row.

read = part_reader("Text: {{text}}", needs_row=True)
read({"text": "It rains."})     "Text: It rains."
read({"text": ""})              ""
"""

from collections.abc import Callable
from typing import Any

from nemo_sdg.seeds.prompts.holes import HOLE, single_expression, with_holes
from nemo_sdg.seeds.prompts.templates import Row, names_column, text_reader


def part_reader(part: str, *, needs_row: bool) -> Callable[[Row], str]:
    """A part of a prompt. With `needs_row` it is empty where it shows nothing of the row: of `Text: {{text}}`, the word
    before an empty text.
    """
    read = text_reader(part)
    flat, holes = with_holes(part)
    words = HOLE.sub(" ", flat).split()
    if not needs_row or not holes or not words:
        return read
    most = len(" ".join(words)) + 4 * (len(holes) + 1)

    def shown(row: Row) -> str:
        text = read(row)
        return "" if len(text) <= most and text.split() == words else text

    return shown


def choice_column(choices: Any) -> str | None:
    """The column that doc_to_choice names, by itself or as `{{column}}`."""
    if not isinstance(choices, str):
        return None
    return choices if names_column(choices) else single_expression(choices)
