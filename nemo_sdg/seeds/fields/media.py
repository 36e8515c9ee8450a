"""Rows that cannot be answered from their text alone: they show an image, or play a sound."""

import re
from collections.abc import Mapping
from typing import Any

from nemo_sdg.seeds.fields.reading import Reading

_COLUMN = re.compile(
    r"(?:.*_)?(?:images?|imgs?|pictures?|photos?|figures?|audios?|sounds?|videos?|speech)(?:_(?:path|url|file|bytes|name|id|\d+))?|image\d+",
    re.IGNORECASE,
)
_IN_TEXT = re.compile(
    r"<(?:image|img|audio|video|figure|picture)(?:[ _-]?\d+)?>|<(?:img|audio|video)\s[^>]*>|!\[[^\]\n]*\]\([^)\n]+\)"
    r"|\[(?:IMAGE|IMG|AUDIO|VIDEO|FIGURE)(?:[ _]?\d+)?\]|\\includegraphics|data:image/"
)
_ENCODED = 300
"""characters without a space from which a text is encoded bytes"""
_FILE = re.compile(
    r"[^\n]{1,300}\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg|mp3|wav|flac|ogg|mp4|avi|mov)(?:\?\S*)?", re.IGNORECASE
)


def shows_media(reading: Reading, row: Mapping[str, Any] | None) -> str | None:
    """The media that a row shows besides its text, or None."""
    for text in (reading.question, reading.passage or "", *(reading.choices or [])):
        found = shown_media(text)
        if found is not None:
            return f"the text shows {found!r}"
    for column, value in (row or {}).items():
        if _holds_media(column, value):
            return f"the column {column} holds an image or a sound"
    return None


def shown_media(text: str) -> str | None:
    """The mark of an image or a sound in a text."""
    found = _IN_TEXT.search(text)
    return None if found is None else found[0][:60]


def _holds_media(column: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        path = str(value.get("path") or "")
        is_file = path != "" and value.keys() <= {"bytes", "path"}
        # both fields are the hub's form of a file that is not decoded; a path alone may be that of a text
        is_file = is_file and ("bytes" in value or _COLUMN.fullmatch(column) is not None or _is_media_file(path))
        return bool(value.get("bytes")) or is_file or ("array" in value and "sampling_rate" in value)
    if isinstance(value, list):
        return any(_holds_media(column, item) for item in value[:4])
    if isinstance(value, bytes):
        return bool(value) and _COLUMN.fullmatch(column) is not None
    if isinstance(value, str):
        is_encoded = len(value) > _ENCODED and not any(char.isspace() for char in value)
        return _COLUMN.fullmatch(column) is not None and (is_encoded or _is_media_file(value))
    return value is not None and type(value).__module__.startswith("PIL.")


def _is_media_file(name: str) -> bool:
    return _FILE.fullmatch(name.strip()) is not None
