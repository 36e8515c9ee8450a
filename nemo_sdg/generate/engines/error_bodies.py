"""Reads the body of an error, in any of the forms that servers use.

{error: {message, type, code, param, metadata: {raw}}}      OpenAI, OpenRouter
{error: text, code: sentence} {object: error, message}      xAI; vLLM, SGLang, Mistral
[{error: {code, message, status, details}}]                 Gemini
{detail: [{loc, msg, type}]}, also within a message         NIM, Mistral
{errors: [{code, message}]}                                 Cloudflare, watsonx
{Message: text}, {title, detail}, text, HTML, nothing       AWS, NVIDIA, proxies

A message may be such a body itself, as JSON in a string: proxies quote the provider behind them.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

SAID_AT_MOST = 300
"""characters of a message that a user sees"""
READ_AT_MOST = 4000
"""characters that are looked at: Gemini names the wait after 300, LiteLLM quotes three errors in one"""
PAGE_AT_MOST = 1 << 15
"""bytes of a page that are looked at"""
ROWS_AT_MOST = 8
DEEPEST = 6
"""levels of bodies in bodies"""
TEXTS = (
    *("message", "Message", "msg", "detail", "error", "errors", "error_description", "errorMessage", "raw"),
    *("metadata", "details", "description", "fieldViolations", "title"),
)
"""fields that hold what is said, or more of it, the plainest first"""
CODES = ("type", "code", "status", "reason", "error_type", "error_code", "errorCode", "__type", "param")
NOT_TAKEN = ("unsupported_parameter", "unsupported_value", "unknown_parameter")
FIELD = re.compile(
    r"(?:unknown (?:name|field|parameter:?)|extraneous key|unrecognized request argument supplied:"
    r"|not permitted, field:|property|does not support parameters:|'loc': \('body',) ?[\[\"'`]{0,2}([a-z][a-z0-9_]*)\b",
    re.IGNORECASE,
)
"""fields of a body, by the words of OpenAI, Gemini, Bedrock, Databricks, Fireworks, LiteLLM, vLLM"""
_WAITS = re.compile(r"(?:RateLimit-Reset|retryDelay|retry.after)", re.IGNORECASE)
_ECHO = re.compile(r", (?:['\"]input['\"]: |input_value=).*", re.DOTALL)
"""what pydantic repeats of the request: not the server's words"""
_INVISIBLE = re.compile(rb"<!--.*?(?:-->|\Z)|<(style|script|svg)\b.*?(?:</\1>|\Z)|<[^<>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ServerError:
    """A server's error in place of an answer."""

    status: int
    message: str
    """in one line of at most SAID_AT_MOST characters"""
    said: str
    """the message as a whole, with types and codes, in one line of at most READ_AT_MOST characters"""
    fields: tuple[str, ...] = ()
    """the fields of the body that it did not take, where it names them"""


def read_error(status: int, data: bytes) -> ServerError:
    """The error that a body holds; of one in an unknown form, its text."""
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _visible(text)
    reader = _Reader()
    reader.read(value)
    texts = list(dict.fromkeys(filter(None, map(_plain, reader.texts))))
    if not texts:
        texts = list(_leaves(value))
    message = _plain(" ".join(texts))
    said = " ".join([message, *(code for code in reader.codes if code not in message)])
    fields = [*reader.fields, *FIELD.findall(message)]
    return ServerError(
        status=status,
        message=one_line(message),
        said=_plain(said),
        fields=tuple(dict.fromkeys(name for name in fields if name.lower() == name)),
    )


class _Reader:
    """Walks through a body."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.codes: list[str] = []
        self.fields: list[str] = []

    def read(self, value: Any, depth: int = 0) -> None:
        if depth > DEEPEST:
            return
        if isinstance(value, str):
            inner = _parsed(value)
            if inner is None:
                self.texts.append(value)
            else:
                self.read(inner, depth + 1)
        elif isinstance(value, list):
            for row in value[:ROWS_AT_MOST]:
                self.read(row, depth + 1)
        elif isinstance(value, dict):
            self._read_fields(value, depth)

    def _read_fields(self, value: dict[str, Any], depth: int) -> None:
        if isinstance(value.get("loc"), list):
            place = [str(part) for part in value["loc"] if part != "body"]
            self.fields += place[:1]
            self.texts.append(f"{'.'.join(place)}: {value.get('type', '')} {value.get('msg', '')}".strip())
            return
        if value.get("code") in NOT_TAKEN and value.get("param"):
            self.fields.append(str(value["param"]))
        self.codes += [f"{name}: {item}" for name, item in _waits(value)]
        self.codes += [str(value[name]) for name in CODES if _is_code(value.get(name))]
        for name in TEXTS:
            if name == "title" and self.texts:
                break
            self.read(value.get(name), depth + 1)


def _leaves(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text and number of a body in an unknown form, with its name."""
    for name, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(item, dict | list):
            if depth < DEEPEST:
                yield from _leaves(item, depth + 1)
        elif item not in (None, ""):
            yield str(item) if isinstance(item, str) else f"{name} {item}"


def _is_code(value: Any) -> bool:
    """Whether a field holds a word such as `insufficient_quota`: numbers and whole sentences tell nothing."""
    return isinstance(value, str) and 3 < len(value) < 80 and not (" " in value or value.isdigit())


def _waits(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Waits that stand in the body: Gemini's retryDelay, the headers that OpenRouter repeats."""
    for holder in (value, value.get("headers")):
        for name, item in holder.items() if isinstance(holder, dict) else ():
            if _WAITS.search(name) and isinstance(item, str | int | float):
                yield name, str(item)


def _parsed(text: str) -> Any:
    """The JSON that a string is, else None."""
    if not text.lstrip().startswith(("{", "[{")):
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


def _visible(data: bytes) -> str:
    """A text, or what a reader sees of a page."""
    if data.startswith(b"<"):
        data = data[:PAGE_AT_MOST]
        data = html.unescape(_INVISIBLE.sub(b" ", data).decode("utf-8", "replace")).encode()
    return data[: 4 * READ_AT_MOST].decode("utf-8", "replace")


def _plain(text: str) -> str:
    return " ".join(_ECHO.sub("", text[: 4 * READ_AT_MOST]).split())[:READ_AT_MOST]


def one_line(text: str) -> str:
    return " ".join(text.split())[:SAID_AT_MOST]
