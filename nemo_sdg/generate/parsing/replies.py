"""Untrusted text of a model -> question or solution, or a fixed reason why not. Nothing is ever evaluated.

    parse_solution('```json\\n{"context": "…", "reasoning": "…", "answer": "(B)"}\\n```', …, options=["oxygen", "carbon
    dioxide"])
        -> {"context": "…", "reasoning": "…", "answer": "carbon dioxide"}

Tolerant of what models do around and inside the JSON (thinking tags, fences, chatter, single-backslash LaTeX, labels
in place of texts,
plain text that ends in "The answer is …"); strict in what comes out: every field there, non-empty, an option one of
those shown.
"""

import ast
import json
import re
from typing import Any

from nemo_sdg.generate.parsing.answer_text import last_said, match_option, tidy_answer, unboxed
from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.schemas import Schema, mismatch
from nemo_sdg.records import Kind

REASONS = (
    "empty_output",
    "cut_at_max_tokens",
    "invalid_json",
    "schema",
    "refused_by_engine",
    "no_answer",
    "not_a_number",
    "answer_not_an_option",
)

THINKING = re.compile(r"<(think|thinking|thought|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
OPEN_THINKING = re.compile(r"<(think|thinking)>(?!.*</\1>)", re.DOTALL | re.IGNORECASE)
# A backslash before one of these is LaTeX that was not escaped for JSON: `\frac` would be read as a form feed and
# `rac`.
LATEX_WORDS = (
    "frac|forall|flat|tfrac|times|text\\w*|theta|tan|tau|to|top|triangle|boxed|beta|binom|bar|begin|big\\w*|bmod|bot|backslash|because|"
    "right\\w*|rho|rangle|rceil|rfloor|neq?|nu|nabla|not|notin|nmid|newline|unlhd"
)
LATEX_IN_JSON = re.compile(rf"(?<!\\)((?:\\\\)*)\\(?=(?:{LATEX_WORDS})(?![A-Za-z]))")
INVALID_ESCAPE = re.compile(r'(?<!\\)((?:\\\\)*)\\(?![\\"/bfnrtu])|(?<!\\)((?:\\\\)*)\\(?=u(?![0-9a-fA-F]{4}))')
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
JSON_BEGUN = re.compile(r"\s*(?:```\w*\s*)?[{\[]")
SECTION = re.compile(
    r"^(?:[#*\s]*(context|reasoning|explanation|(?:final )?answer)[*\s]*[::]\**\s*|(?:#+|\*\*)\s*(context|reasoning|explanation|(?:final )?answer)[*\s]*$)",
    re.IGNORECASE | re.MULTILINE,
)
MATHEMATICAL = re.compile(
    r"\d|\\|[∞π¼-¾⅐-⅞〇一二三四五六七八九十百千万]|^[a-zA-Z]$|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|half|none|no solution|infinit\w+|undefined)\b",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？]")


def clean(text: str) -> str:
    """Text that JSON, a tokenizer and a terminal can hold: no lone surrogates, NULs or other controls; newlines are
    \\n.
    """
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8") if any("\ud800" <= c <= "\udfff" for c in text) else text
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _clean_all(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _clean_all(item) for key, item in value.items()}
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Numbers stay as written (1.50, 10**400): an answer is text.
_DECODER = json.JSONDecoder(strict=False, parse_float=str, parse_int=str, parse_constant=_no_constant)


def _objects(text: str) -> list[dict[str, Any]]:
    """All JSON objects that stand at top level in a text, in order."""
    found, position = [], text.find("{")
    attempts = 0
    while position != -1 and attempts < 20:
        attempts += 1
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            if isinstance(value, dict):
                found.append(value)
        position = text.find("{", end)
    return found


def _without_thinking(text: str) -> str:
    if "<" not in text:
        return text
    text = THINKING.sub("", text)
    if opened := OPEN_THINKING.search(text):
        return text[: opened.start()]
    return re.sub(r"^.*</think(?:ing)?>", "", text, flags=re.DOTALL | re.IGNORECASE)


def read_object(
    completion: Completion, schema: Schema, *, latex: bool = True
) -> tuple[dict[str, Any] | None, str | None, str | None]:
    """(object, None, None), or (None, reason, detail). The last object that follows the schema counts: earlier ones
    are drafts.

    Without `latex` a newline before a variable `u` or `e` stays a newline and is never the start of `\\nu` or `\\ne`:
    programs have such.
    """
    if completion.finish_reason == "refused":
        return None, "refused_by_engine", completion.detail
    text = _without_thinking(completion.text).strip()
    if not text:
        return None, "cut_at_max_tokens" if completion.finish_reason == "length" else "empty_output", None
    problem = None
    candidates = [text]
    if "\\" in text:
        mended = LATEX_IN_JSON.sub(r"\1\\\\", text) if latex else text
        candidates = [mended, INVALID_ESCAPE.sub(lambda match: f"{match.group(1) or match.group(2) or ''}\\\\", mended)]
    for candidate in dict.fromkeys(candidates):
        for value in reversed(_objects(candidate)):
            value = _typed(_clean_all(value), schema)
            if (problem := mismatch(value, schema)) is None:
                return {name: value[name] for name in schema["properties"]}, None, None
    if completion.finish_reason == "length":
        return None, "cut_at_max_tokens", None
    return (None, "schema", problem) if problem else (None, "invalid_json", None)


def _typed(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Gives fields their names whatever their case, and integers back to those whose allowed values are integers;
    other numbers stay text.
    """
    value = {**{key.strip().lower(): item for key, item in value.items()}, **value}
    for name, field in schema["properties"].items():
        if isinstance(field.get("enum", [""])[0], int) and isinstance(value.get(name), str) and value[name].isdigit():
            value[name] = int(value[name])
    return value


def at_bound(value: dict[str, Any], schema: Schema) -> list[str]:
    """Fields whose text fills its maxLength: a constrained output was closed there in the middle of a sentence."""
    bounded = {name: field["maxLength"] for name, field in schema["properties"].items() if "maxLength" in field}
    return [
        name for name, bound in bounded.items() if isinstance(value.get(name), str) and len(value[name]) >= bound - 1
    ]


def whole_sentences(text: str) -> str:
    """A text that was closed at its bound, up to its last full sentence; as it is where it has none."""
    ends = [found.end() for found in SENTENCE_END.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else text


def _plain_solution(text: str, kind: str) -> dict[str, str] | None:
    """Context, reasoning and answer out of plain text: by headings, a box, `####`, or a last sentence "The answer is
    …".
    """
    text = clean(text)
    marks = list(SECTION.finditer(text))
    sections = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        name = (mark.group(1) or mark.group(2)).lower().removeprefix("final ")
        sections["reasoning" if name == "explanation" else name] = text[
            mark.end() : following.start() if following else len(text)
        ].strip()
    answer: str | None = sections.get("answer")
    if kind not in (Kind.code, Kind.free_text):
        answer = unboxed(answer or "") or answer or unboxed(text)
        if not answer and "####" in text:
            answer = text.rsplit("####", 1)[1].strip().split("\n")[0]
        answer = answer or last_said(text)
    if not answer:
        return None
    return {
        "context": sections.get("context", ""),
        "reasoning": sections.get("reasoning", "" if sections else text),
        "answer": answer.strip(),
    }


def parse_solution(
    completion: Completion, schema: Schema, *, kind: str, options: list[str] | None = None
) -> tuple[dict[str, str] | None, str | None, str | None]:
    """(solution, None, None) or (None, reason, detail). `options` are the texts in the order in which they were
    shown.
    """
    loose = {**schema, "properties": {**schema["properties"], "answer": {"type": "string"}}}
    value, reason, detail = read_object(completion, loose, latex=kind != Kind.code)
    if value is None:
        text = _without_thinking(completion.text)
        # Half a reply, or JSON that does not close, holds no answer, though its reasoning may speak of one.
        if reason != "invalid_json" or JSON_BEGUN.match(text):
            return None, reason, detail
        value = _plain_solution(text, kind)
        if value is None:
            return None, reason, detail
    answer = tidy_answer(value["answer"], kind)
    if not answer:
        return None, "no_answer", None
    if kind == Kind.numeric and not MATHEMATICAL.search(answer):
        return None, "not_a_number", answer[:80]
    if options is not None:
        option = match_option(value["answer"], options)
        if option is None:
            return None, "answer_not_an_option", answer[:80]
        answer = option
    full = at_bound(value, schema)
    if "answer" in full and options is None:
        return None, "cut_at_max_tokens", "answer"
    fields = {name: whole_sentences(value[name]) if name in full else value[name] for name in ("context", "reasoning")}
    return {**fields, "answer": answer}, None, None


def called(tests: list[str]) -> list[str]:
    """The calls that tests make, without the results that they expect: what a solver may see of tests."""
    return [ast.unparse(call) for test in tests if (call := _call_of(test)) is not None]


def _call_of(test: str) -> ast.expr | None:
    """The call in `assert call == result`, `assert result == call`, `assert call` and `assert not call`."""
    try:
        tree = ast.parse(test.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            asked = (
                node.test.operand
                if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
                else node.test
            )
            sides = [asked.left, *asked.comparators] if isinstance(asked, ast.Compare) else [asked]
            return next((side for side in sides if isinstance(side, ast.Call)), None)
    return None
