r"""lm-eval's Jinja environment, and templates as text in which holes stand for what they show of the row.

with_holes("Question: {{question}}\nAnswer:")     ("Question: <0>\nAnswer:", ["{{question}}"])     <0>: OPEN 0 CLOSE
"""

import re
from typing import Any

import jinja2

OPEN, CLOSE = chr(0xE000), chr(0xE001)
HOLE = re.compile(f"{OPEN}(\\d+){CLOSE}")
_BLOCKS = {"if", "for", "macro", "filter", "call", "with", "autoescape"}


def _regex_replace(string: str, pattern: str, repl: str, count: int = 0) -> str:
    return re.sub(pattern, repl, string, count=count)


def only_values(value: Any) -> Any:
    """Refuses a method or function where a value is to be shown: `{{table.values}}` finds the method of the mapping
    and would print its address, which differs from run to run. Bytes that are no text are refused too.
    """
    if isinstance(value, bytes):
        raise TypeError(f"the template shows bytes, not a text: {value[:20]!r}")
    if callable(value) and not isinstance(value, jinja2.Undefined):
        raise TypeError(
            f"the template shows a {type(value).__name__}, not a value; write {{{{x['values']}}}} for a key"
        )
    return value


environment = jinja2.Environment(
    loader=jinja2.BaseLoader(), undefined=jinja2.StrictUndefined, keep_trailing_newline=True, finalize=only_values
)
environment.filters["regex_replace"] = _regex_replace


def with_holes(source: str) -> tuple[str, list[str]]:
    """A template as text in which OPEN n CLOSE stands for its nth expression; a whole control structure is one hole."""
    flat, holes, current, depth, first_name, is_set = "", list[str](), "", 0, False, False
    for _, token, value in environment.lex(source):
        if token == "data" and depth == 0:
            flat += value
            continue
        current += value
        depth += (token == "raw_begin") - (token == "raw_end") + (token == "block_end" and is_set)
        is_set = is_set and token != "block_end" and value != "="  # {% set x %}text{% endset %}, without a sign
        if token == "block_begin":
            first_name = True
        elif first_name and token == "name":
            first_name, is_set = False, value == "set"
            depth += (value in _BLOCKS) - value.startswith("end")
        elif depth == 0 and token in ("block_end", "variable_end", "raw_end", "comment_end"):
            flat += f"{OPEN}{len(holes)}{CLOSE}"
            holes.append(current)
            current = ""
    return flat, holes


def single_expression(source: str) -> str | None:
    """The expression of a template that is nothing else than `{{ expression }}`."""
    flat, holes = with_holes(source)
    if not HOLE.fullmatch(flat) or not holes[0].startswith("{{"):
        return None
    return holes[0].removeprefix("{{").removeprefix("-").removesuffix("}}").removesuffix("-").strip()
