"""Makes text of models, servers and datasets safe to show: characters that control a terminal, change the direction of
text or are invisible are replaced by their numbers.

    visible("a\\x1b[2Jb")         ->  "a[U+001B][2Jb"
    visible_json('"a\\u202eb"')   ->  the same JSON value, with the character as the escape \\u202e
"""

import re
from typing import Any

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"  # direction marks and overrides, zero widths
    "\U000e0000-\U000e007f]"  # tags
)


def visible(value: Any) -> str:
    """The text of `value` with such characters as [U+001B]; tabs and line breaks are kept."""
    return HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", str(value))


def visible_json(text: str) -> str:
    """The same JSON value, with such characters as escapes."""
    return HIDDEN.sub(_escapes, text)


def _escapes(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
