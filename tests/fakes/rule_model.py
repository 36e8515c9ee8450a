"""What the fake server answers: a rule instead of a model, generic in the JSON schema that it is given.

A field `question` becomes the example's question in other words and with other numbers; an `answer` is the right one
where the prompt gives it ("Right answer: …"), otherwise one that depends on the words of the last message and not on
their order, so that votes with permuted options agree; one vote in five says something else. The same request always
gives the same text.
"""

import hashlib
import json
import random
import re
from dataclasses import dataclass
from typing import Any

import orjson

AGREE = 0.8
"""share of the votes that give the answer of the majority"""
OPENINGS = (
    "On a cold morning in a small harbour town,", "During a school trip to the mountains,",
    "After a long meeting about the new garden,",
    "In a village where two rivers meet,", "While the market was still closed,", "At the end of a quiet summer,",
    "Before the last train had left,",
    "In the workshop behind the old mill,", "On the first day of the festival,", "When the library opened again,",
    "Near the northern gate of the city,",
    "In a laboratory that works at night,",
)  # fmt: skip
CLOSINGS = (
    "Think of what you know about it.",
    "Give the one that fits best.",
    "Consider every part of it.",
    "Take care with the details.",
    "Use only what is said here.",
)
WORDS = [
    "lantern",
    "harbour",
    "basket",
    "meadow",
    "copper",
    "violin",
    "kettle",
    "orchard",
    "pebble",
    "saddle",
    "compass",
    "blanket",
    "chimney",
    "feather",
    "granite",
    "hammock",
    "island",
    "jacket",
    "ladder",
    "marble",
    "needle",
    "oyster",
    "pillow",
    "quarry",
    "ribbon",
    "shovel",
    "timber",
    "umbrella",
    "valley",
    "wagon",
    "yarn",
    "zinc",
    "anchor",
    "bridge",
    "candle",
    "dragon",
    "engine",
    "falcon",
    "guitar",
    "helmet",
]
RIGHT_ANSWER = re.compile(r"^(?:Right|Correct|Gold) answer: (.+)\Z", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"called like this: ([A-Za-z_]\w*)\(")


@dataclass
class Made:
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def complete(body: dict[str, Any]) -> Made:
    """The completion of a request body of /chat/completions or /completions."""
    messages = body.get("messages")
    said = [text_of(message["content"]) for message in messages or []]
    prompt = "\n".join(said) if messages else str(body["prompt"])
    last = said[-1] if messages else prompt.rsplit("### ", 2)[-2 if prompt.count("### ") > 1 else -1]
    schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
    draw = random.Random(hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest())
    text = write(schema, last, draw) if schema else under_headings(prompt, last, draw)
    for stop in body.get("stop") or []:
        text = text.split(stop, 1)[0]
    prompt_tokens, tokens, limit = len(prompt) // 4 + 1, len(text) // 4 + 1, int(body.get("max_tokens", 16))
    if tokens > limit:
        return Made(text[: limit * 4], "length", prompt_tokens, limit)
    return Made(text, "stop", prompt_tokens, tokens)


def text_of(content: str | list[dict[str, str]]) -> str:
    """A message's text, which some clients send as a list of parts."""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def under_headings(prompt: str, last: str, draw: random.Random) -> str:
    """A judge's groups or scores, a student's answer; a sentence where nothing of it is asked for."""
    if "## Groups" in prompt:
        numbers = re.findall(r'<answer number="(\d+)">', last)
        return "## Groups\n" + "\n".join(f"{number}: A" for number in numbers)
    if "## Scores" in prompt:
        names = re.findall(r"^(\w+): 5 - …$", prompt, re.MULTILINE)
        return "## Review\nFine.\n\n## Scores\n" + "\n".join(f"{name}: 5 - it is" for name in names)
    if "write the heading ## Answer" in prompt:
        return f"I thought.\n\n## Answer\n{sentence(last, draw)}"
    return sentence(last, draw)


def write(schema: dict[str, Any], last: str, draw: random.Random) -> str:
    """JSON that follows a schema of objects, arrays, strings, enums and numbers."""
    example = first_object(last)
    same = random.Random(" ".join(sorted(re.findall(r"\w+", last))))
    fields = schema["properties"]
    value: dict[str, Any] = {}
    order = sorted(fields, key=lambda name: name != "answer")
    for name in order:
        value[name] = fill(name, fields[name], example, last, value, draw, same)
    return json.dumps({name: value[name] for name in fields}, ensure_ascii=False)


def fill(
    name: str,
    field: dict[str, Any],
    example: dict[str, Any],
    last: str,
    before: dict[str, Any],
    draw: random.Random,
    same: random.Random,
) -> Any:
    if name == "answer":
        return answer(field, last, draw, same)
    if "enum" in field:
        return draw.choice(field["enum"])
    if field.get("type") in ("number", "integer"):
        return draw.randrange(1, 100)
    if field.get("type") == "array":
        return listed(name, field, example, draw)
    if name in ("question", "passage") and isinstance(example.get(name), str):
        text = rewrite(example[name], draw)
    elif name == "reasoning" and "answer" in before:
        text = (
            f"{sentence(last, draw)} This leads from the facts to one result, and nothing else that is said "
            f"speaks against it. Therefore the answer is {before['answer']}."
        )
    else:
        text = f"{sentence(last, draw)} {sentence(last, draw)}"
    return bounded(text, field)


def answer(field: dict[str, Any], last: str, draw: random.Random, same: random.Random) -> Any:
    gold = RIGHT_ANSWER.search(last)
    if gold is not None:
        text = gold.group(1).strip()
        return text if "enum" not in field or text in field["enum"] else field["enum"][0]
    agrees = draw.random() < AGREE
    if "enum" in field:
        best = min(
            field["enum"], key=lambda option: hashlib.sha256(f"{same.getstate()[1][0]}{option}".encode()).digest()
        )
        others = [option for option in field["enum"] if option != best]
        return best if agrees or not others else draw.choice(others)
    if call := CALL.search(last):
        return f"def {call.group(1)}(*arguments):\n    return {same.randrange(9) if agrees else draw.randrange(9, 99)}"
    if "pattern" in field or re.search(
        r"\bhow (?:many|much|long|far|old)\b|\d.*\d", last.rsplit("Question:", 1)[-1], re.IGNORECASE
    ):
        return str(same.randrange(2, 500) if agrees else draw.randrange(500, 900))
    words = [word for word in re.findall(r"\w+", last) if len(word) > 3] or WORDS
    start = (same if agrees else draw).randrange(len(words))
    return bounded(" ".join(words[start : start + 2]), field)


def listed(name: str, field: dict[str, Any], example: dict[str, Any], draw: random.Random) -> list[str]:
    num = field.get("minItems", 2)
    given = example.get(name)
    if name == "tests" and isinstance(given, list) and len(given) >= num:
        return given[: field.get("maxItems", num)]
    if name == "tests":
        return [f"assert solve({number}) == {number + 1}" for number in range(num)]
    return [bounded(f"the {word}", field.get("items", {})) for word in draw.sample(WORDS, num)]


def rewrite(text: str, draw: random.Random) -> str:
    """The text with other numbers, some other words, and a beginning and an end of its own."""
    changed = re.sub(r"\d+", lambda number: str(int(number.group()[:9]) + draw.randrange(1, 30)), text)
    changed = re.sub(
        r"\b[a-z]{5,}\b", lambda word: draw.choice(WORDS) if draw.random() < 0.3 else word.group(), changed
    )
    first = changed[:1].lower() + changed[1:] if changed[:1].isascii() and changed[1:2].islower() else changed
    closing = f" {draw.choice(CLOSINGS)}" if changed.rstrip().endswith((".", "?", "!")) and draw.random() < 0.5 else ""
    return f"{draw.choice(OPENINGS)} {first}{closing}"


def sentence(text: str, draw: random.Random) -> str:
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 3] or WORDS
    chosen = [words[draw.randrange(len(words))] for _ in range(3)]
    return draw.choice(
        (
            f"It is well known how {chosen[0]} and {chosen[1]} belong together.",
            f"People who know about {chosen[0]} also look at {chosen[1]} first.",
            f"What is said of {chosen[0]} holds for {chosen[1]} and for {chosen[2]} as well.",
            f"One can compare {chosen[0]} with {chosen[1]} before one decides.",
        )
    )


def bounded(text: str, field: dict[str, Any]) -> str:
    """Cut at a word, two characters below the schema's bound."""
    longest = field.get("maxLength")
    if longest is None or len(text) <= longest - 2:
        return text
    cut = text[: max(1, longest - 2)]
    return cut.rsplit(" ", 1)[0] or cut


def first_object(text: str) -> dict[str, Any]:
    start = text.find("{")
    while start != -1:
        try:
            value, _ = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            start = text.find("{", start + 1)
            continue
        return value if isinstance(value, dict) else {}
    return {}
