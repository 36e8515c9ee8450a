"""Reads a completion: an object that follows a schema, or a vote; otherwise a fixed reason why it has none.

The parser accepts additions around and in the JSON (thinking, fences, chatter, LaTeX with single backslashes). It is
strict in its results: every field is present and has text. A field that the grammar closed at its bound counts as cut
off.
"""

import re
from typing import Any

from nemo_sdg.generate.parsing.cleaning import clean
from nemo_sdg.generate.parsing.json_replies import read_objects
from nemo_sdg.generate.parsing.solutions import CUT, REASONS, WITHOUT_REPLY, read_solution
from nemo_sdg.generate.parsing.traces import split_trace
from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.schemas import Schema, mismatch

__all__ = ["REASONS", "at_bound", "read_object", "read_vote", "whole_sentences"]

SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？]")


def read_object(completion: Completion, schema: Schema) -> tuple[dict[str, Any] | None, str | None, str | None]:
    """(object, None, None), or (None, reason, detail). The last object that follows the schema counts: earlier ones
    are drafts.
    """
    if completion.finish_reason in WITHOUT_REPLY:
        return None, WITHOUT_REPLY[completion.finish_reason], completion.detail
    text, _ = split_trace(completion.text)
    cut = completion.finish_reason in CUT
    if not text:
        return None, "cut_at_max_tokens" if cut else "empty_output", None
    problem = None
    for value in reversed(read_objects(text, set(schema["properties"]))):
        value = _typed(_clean_all(value), schema)
        if (problem := mismatch(value, schema)) is None:
            return {name: value[name] for name in schema["properties"]}, None, None
    if cut:
        return None, "cut_at_max_tokens", None
    return (None, "schema", problem) if problem else (None, "invalid_json", None)


def read_vote(
    completion: Completion, *, kind: str, options: list[str] | None = None, schema: Schema | None = None
) -> tuple[dict[str, str] | None, str | None, str | None]:
    """(solution, None, None) or (None, reason, detail). `options` are the texts in the order in which they were shown;
    with a schema, texts that reach their bounds are cut after their last full sentence.
    """
    read = read_solution(
        completion.text, kind=kind, options=options, finish_reason=completion.finish_reason, trace=completion.trace
    )
    if isinstance(read, tuple):
        reason, detail = read
        return None, reason, detail or completion.detail
    full = at_bound(read, schema) if schema is not None else []
    if "answer" in full and options is None:
        return None, "cut_at_max_tokens", "answer"
    return {name: whole_sentences(text) if name in full else text for name, text in read.items()}, None, None


def at_bound(value: dict[str, Any], schema: Schema) -> list[str]:
    """Fields whose text has its maxLength: the grammar closed the text there, in the middle of a sentence."""
    found = []
    for name, field in schema["properties"].items():
        item, bound = value.get(name), field.get("maxLength")
        texts = [item] if isinstance(item, str) else []
        if field.get("type") == "array" and isinstance(item, list):
            texts, bound = item, field["items"].get("maxLength")
        if bound is not None and any(len(text) >= bound - 1 for text in texts):
            found.append(name)
    return found


def whole_sentences(text: str) -> str:
    """A text that was closed at its bound, up to its last full sentence; unchanged if it has no full sentence."""
    ends = [found.end() for found in SENTENCE_END.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else text


def _clean_all(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _clean_all(item) for key, item in value.items()}
    return value


def _typed(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Matches the names of fields regardless of case, and converts values to integers where the allowed values are
    integers; other numbers stay text.
    """
    value = {**{key.strip().lower(): item for key, item in value.items()}, **value}
    for name, field in schema["properties"].items():
        if isinstance(field.get("enum", [""])[0], int) and isinstance(value.get(name), str) and value[name].isdigit():
            value[name] = int(value[name])
    return value
