"""JSON schemas of what a model is to write, one per purpose and kind; the order of the properties is the order of
writing.

    solution: {"context": …, "reasoning": …, "answer": …}      the answer comes last, after the evidence
    question: {"passage": …, "question": …, "choices": […]}    passage and choices where the seed has them

Strings are bounded so that a constrained output closes within max_tokens. The bounds are left out above MAX_BOUND
characters: grammars grow with them, and a text of that length is cut by max_tokens in the rare case only.
"""

from typing import Any

from nemo_sdg.records import Kind

MAX_BOUND = 2000
NUMBER_PATTERN = r"^-?[0-9]{1,12}([.,/][0-9]{1,6})?%?$"
SHORTEST_CONTEXT = 60
"""characters that a constrained context has at least: small models say the question again in fewer"""
Schema = dict[str, Any]


def characters(max_tokens: int, like: str) -> int:
    """Characters that surely fit into a budget of tokens, with room for the JSON around them, for text in the script
    of `like`.

    English has about 4 characters a token, other Latin scripts 2.5, the rest down to 0.5 with a small English
    vocabulary.
    """
    letters = [] if like.isascii() else [char for char in like if char.isalpha()]
    ascii_share = sum(char.isascii() for char in letters) / len(letters) if letters else 1.0
    per_token = 3.2 if ascii_share > 0.995 else 2.0 if ascii_share > 0.6 else 0.6
    return max(24, int((max_tokens - 12) * per_token))


def _text(bound: int, *, least: int = 1) -> Schema:
    schema: Schema = {"type": "string", "minLength": least}
    if bound <= MAX_BOUND:
        schema["maxLength"] = max(bound, 8)
    return schema


def _object(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def question_schema(kind: str, *, passage: bool, num_choices: int | None, max_tokens: int, like: str) -> Schema:
    """A new question. `num_choices` is None where the options are not to be written: no options, or a label set fixed
    by the task.
    """
    room = characters(max_tokens, like)
    properties: dict[str, Schema] = {}
    if passage:
        properties["passage"] = _text(room // 2)
        room //= 2
    properties["question"] = _text(room // 2)
    if num_choices is not None:
        properties["choices"] = {
            "type": "array",
            "items": _text(room // 2 // num_choices),
            "minItems": num_choices,
            "maxItems": num_choices,
        }
    if kind == Kind.code:
        properties["tests"] = {"type": "array", "items": _text(min(160, room // 6)), "minItems": 2, "maxItems": 3}
    return _object(properties)


def solution_schema(kind: str, *, choices: list[str] | None, numeric: bool, max_tokens: int, like: str) -> Schema:
    """Context, reasoning, answer. With choices the answer is one of them, verbatim; `numeric` holds it to a plain
    number.
    """
    room = characters(max_tokens, like)
    if choices:
        room = max(24, room - max(map(len, choices)))
        answer: Schema = {"enum": list(choices)}
        shares = (0.4, 0.6)
    elif kind == Kind.numeric:
        answer = {"type": "string", "pattern": NUMBER_PATTERN} if numeric else _text(min(200, room // 5))
        shares = (0.25, 0.5)
    elif kind == Kind.short_text:
        answer = _text(min(120, room // 5))
        shares = (0.4, 0.4)
    else:
        answer = _text(room // 2)
        shares = (0.2, 0.3)
    context = _text(int(room * shares[0]), least=min(SHORTEST_CONTEXT, room // 8))
    return _object({"context": context, "reasoning": _text(int(room * shares[1])), "answer": answer})


def mismatch(value: Any, schema: Schema) -> str | None:
    """Why a parsed value does not follow a schema of this module, or None. Lengths above maxLength pass: max_tokens
    bounds them.
    """
    if "enum" in schema:
        return None if value in schema["enum"] and not isinstance(value, bool) else "not one of the allowed values"
    if schema["type"] == "string":
        if not isinstance(value, str):
            return "not a string"
        return None if value.strip() else "empty string"
    if schema["type"] == "array":
        if not isinstance(value, list):
            return "not a list"
        return next((problem for item in value if (problem := mismatch(item, schema["items"]))), None)
    if not isinstance(value, dict):
        return "not an object"
    for name in schema["required"]:
        if name not in value:
            return f"{name} is missing"
        if problem := mismatch(value[name], schema["properties"][name]):
            return f"{name}: {problem}"
    return None
