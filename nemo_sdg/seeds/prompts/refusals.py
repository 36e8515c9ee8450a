"""Reports task files whose templates cannot give a question, in one line each."""

import re

import jinja2.meta

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.fields.media import shown_media
from nemo_sdg.seeds.prompts.holes import HOLE, environment, with_holes
from nemo_sdg.seeds.prompts.templates import TaskTemplates, names_column

_JINJA = re.compile(r"\{\{|\{%")
BRACED = re.compile(r"(?<![{\\$])\{([A-Za-z_]\w*)\}(?!\})")
"""a name in single braces, which Jinja does not see"""


def refuse_unreadable(templates: TaskTemplates) -> None:
    """Templates that show nothing of a row, or that stay unrendered. Raises DataError."""
    choices, prompt, task = templates.doc_to_choice, templates.doc_to_text, templates.task
    if isinstance(choices, list) and any(isinstance(choice, str) and _JINJA.search(choice) for choice in choices):
        raise DataError(
            f"task {task}: doc_to_choice lists {next(c for c in choices if _JINJA.search(str(c)))!r}, "
            "which lm-eval does not render; "
            'write one template that gives a list: "{{[a, b]}}"'
        )
    if not isinstance(prompt, str) or not prompt.strip() or names_column(prompt) or prompt.strip().isdigit():
        return
    target = templates.doc_to_target
    if (
        choices is None
        and isinstance(target, str)
        and not names_column(target)
        and not jinja2.meta.find_undeclared_variables(environment.parse(target))
    ) or (choices is None and isinstance(target, int | list)):
        raise DataError(
            f"task {task}: doc_to_target {str(target)[:60]!r} gives every row the same answer; name the column that "
            "holds it"
        )
    shown = shown_media(HOLE.sub("", with_holes(prompt)[0]))
    if shown is not None:
        raise DataError(f"task {task}: doc_to_text shows {shown!r}: its rows cannot be answered from their text alone")
    fixed_choices = choices is None or isinstance(choices, list | dict)
    if not with_holes(prompt)[1] and (fixed_choices or BRACED.search(prompt)):
        raise DataError(
            f"task {task}: doc_to_text {prompt[:60]!r} shows nothing of the row; name a column by Jinja: "
            "{{question}}"
        )
