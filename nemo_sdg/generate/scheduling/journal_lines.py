"""Lines of the journal: a completion each.

{"key": "9f…", "text": "…", "finish_reason": "stop", "prompt_tokens": 211, "trace": "eJz…", …}
{"key": "9f…", "void": true}      the completion of this request before this line does not count
"""

import base64
import zlib

import orjson

from nemo_sdg.generate.requests import Completion

COMPRESSION = 3
"""zlib's level: 4,000 tokens of thinking take 0.3 ms and shrink to a third, level 6 takes twice the time for 5% less"""

VOID = b',"void":true}\n'
"""end of a line that takes a completion back"""


def encode(key: str, completion: Completion) -> bytes:
    """One line of the journal."""
    row = {
        "key": key,
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "reasoning_tokens": completion.reasoning_tokens,
        "model": completion.model,
        "detail": completion.detail,
    }
    if completion.trace:
        packed = zlib.compress(completion.trace.encode("utf-8", "replace"), COMPRESSION)
        row["trace"] = base64.b64encode(packed).decode()
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # lone surrogates
        whole = {name: _whole(value) if isinstance(value, str) else value for name, value in row.items()}
        return orjson.dumps(whole, option=orjson.OPT_APPEND_NEWLINE)


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def decode(line: bytes) -> tuple[str, Completion] | None:
    """Key and completion of a line, or None when the line is torn or is not a journal line."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = orjson.loads(line)
        key, packed = row.pop("key"), row.pop("trace", None)
        completion = Completion(**row)
        if packed is not None:
            completion.trace = zlib.decompress(base64.b64decode(packed)).decode()
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError, zlib.error):
        return None
    return key, completion


def void_line(key: str) -> bytes:
    """The line that takes a completion back."""
    return orjson.dumps({"key": key, "void": True}, option=orjson.OPT_APPEND_NEWLINE)


def voided(line: bytes) -> str | None:
    """The key that a line takes back; None for any other line."""
    if not line.endswith(VOID):
        return None
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row["key"] if isinstance(row, dict) and isinstance(row.get("key"), str) else None
