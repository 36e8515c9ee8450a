"""Reads the body of a 200 into a Completion. servers.py lists the forms that servers use.

If a body holds an answer, it is found in whichever field it stands. If it holds none, the result is an empty completion
when the model was done, and a TransportError when the server was at fault.
"""

import json
import math
from typing import Any

import orjson

from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.error_bodies import one_line
from nemo_sdg.generate.engines.servers import CUT, FAILED, KNOWN, LOOPED, is_withheld, known_reason
from nemo_sdg.generate.parsing.traces import separate
from nemo_sdg.generate.requests import Completion

Json = dict[str, Any]


class ErrorInReply(Exception):
    """A 200 whose body is an error: {error: {code, message}}, at the top or in the choice; {object: error, message};
    {success: false, errors}.
    """

    def __init__(self, codes: tuple[object, ...], body: bytes) -> None:
        super().__init__(codes, body)
        self.codes, self.body = codes, body


def read_reply(data: bytes) -> Completion:
    """Raises TransportError if it is not a completion, ErrorInReply if it is an error."""
    try:
        body = parse(data)
        if isinstance(body, list) and len(body) == 1:
            body = body[0]  # Vertex
        if not isinstance(body, dict):
            raise TypeError(f"a JSON {type(body).__name__}")
        _raise_error(body)
        return read_choice(body["choices"][0], body)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as exc:
        beginning = one_line(data[:80].decode("utf-8", "replace"))
        raise TransportError(f"not an OpenAI completion ({type(exc).__name__}): {beginning}", Fault.answer) from exc


def parse(data: bytes) -> Any:
    """JSON with what proxies do to it: a byte order mark, lone surrogates, line breaks in strings, server-sent events
    that nobody asked for.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").strip()
    if data.startswith((b"data:", b"event:", b":")):
        return _joined_events(data)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _without_surrogates(json.loads(data.decode("utf-8", "replace"), strict=False))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        # pairs become the character that they stand for, single ones a question mark
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _joined_events(data: bytes) -> Json:
    """A stream of chunks as one body."""
    whole: Json = {}
    message: Json = {}
    choice: Json = {"message": message, "finish_reason": None}
    ended = False
    for line in data.splitlines():
        payload = line.removeprefix(b"data:").strip()
        ended = ended or payload == b"[DONE]"
        if not line.startswith(b"data:") or not payload or payload == b"[DONE]":
            continue
        chunk = orjson.loads(payload)
        _raise_error(chunk)
        whole.update({name: value for name, value in chunk.items() if value is not None})
        for part in (part for part in chunk.get("choices") or () if not part.get("index")):
            delta = part.get("delta") or part.get("message") or {"content": part.get("text")}
            for name, value in delta.items():
                if isinstance(value, str) and name != "role":
                    message[name] = message.get(name, "") + value
            if isinstance(delta.get("content"), list):  # Mistral
                for name, value in zip(("content", "reasoning_content"), read_content(delta["content"]), strict=True):
                    message[name] = message.get(name, "") + value
            choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
    if not ended and not choice["finish_reason"]:
        raise ValueError("a stream that was cut")
    return {**whole, "choices": [choice]} if message or choice["finish_reason"] else {**whole, "choices": []}


def _raise_error(holder: Json) -> None:
    error, base = holder.get("error"), holder.get("base_resp")
    if not error and isinstance(base, dict) and base.get("status_code"):  # MiniMax, whose codes are its own
        raise ErrorInReply((400,), orjson.dumps({"error": {"message": str(base.get("status_msg") or base)}}))
    if not error and not holder.get("choices"):
        if holder.get("object") == "error" and holder.get("message"):
            error = {name: holder.get(name) for name in ("message", "type", "code")}
        elif errors := holder.get("errors"):
            error = errors[0] if isinstance(errors, list) else errors
    if not error:
        return
    codes = tuple(error.get(name) for name in ("code", "status", "type")) if isinstance(error, dict) else ()
    raise ErrorInReply(codes, json.dumps({"error": error}).encode())


def read_choice(choice: Json, body: Json) -> Completion:
    """The first choice; its message may be a chat's or, under `text`, a completion's."""
    _raise_error(choice)
    if choice.get("message") is None and choice.get("text") is None:
        raise KeyError("message")
    message = choice.get("message") or {}
    content, thinking = read_content(message.get("content") if message else None)
    if not content and isinstance(choice.get("text"), str):
        content = choice["text"]
    reason, matched = _reason(choice.get("finish_reason"))
    reason = reason if reason in KNOWN or is_withheld(reason) else known_reason(reason)
    counted = body.get("usage")
    usage: Json = counted if isinstance(counted, dict) else {}
    served = body.get("model")
    completion = Completion(
        text="",
        finish_reason="stop",
        prompt_tokens=_count(usage.get("prompt_tokens") or usage.get("input_tokens")),
        completion_tokens=_count(usage.get("completion_tokens") or usage.get("output_tokens")),
        reasoning_tokens=_reasoning_tokens(usage),
        model=served if isinstance(served, str) and served else None,
    )
    refusal = message.get("refusal") or _refused_part(message.get("content"))
    if is_withheld(reason) or (isinstance(refusal, str) and refusal and not content):
        completion.finish_reason = "refused"
        completion.detail = one_line(refusal) if isinstance(refusal, str) and refusal else reason
        return completion
    if reason in FAILED:
        raise TransportError(f"the server ended the request with finish_reason={one_line(matched)}", Fault.server)
    completion.finish_reason = "length" if reason in CUT else "repetition" if reason in LOOPED else "stop"
    content = content or _arguments(message.get("tool_calls") or [{"function": message.get("function_call")}])
    reasoning = thinking or _reasoning(message)
    completion.text, completion.trace = separate(content, reasoning, finish_reason=completion.finish_reason)
    if not completion.text and not completion.trace and (reason in ("", "null") or reason not in KNOWN):
        raise TransportError(f"a reply without a text and without a known finish_reason ({matched})", Fault.answer)
    if not completion.text and completion.finish_reason == "stop" and _is_of_no_tokens(usage):
        raise TransportError("a reply of no tokens", Fault.answer)
    if completion.finish_reason == "length" and completion.trace and not completion.text:
        completion.detail = f"thinking filled max_tokens ({completion.completion_tokens} tokens)"
    elif reason not in KNOWN:
        completion.detail = f"finish_reason={one_line(matched)}"
    return completion


def read_content(content: Any) -> tuple[str, str]:
    """(text, thinking) of a message's content: a string, null, or a list of parts."""
    if content is None or isinstance(content, str):
        return content or "", ""
    texts: list[str] = []
    thinking: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            texts.append(part)
            continue
        kind = str(part.get("type") or "text")
        if kind in ("thinking", "reasoning", "redacted_thinking", "reasoning_content"):
            thinking.append(_flat(part.get(kind) or part.get("thinking") or part.get("text") or part.get("summary")))
        else:
            texts.append(_flat(part.get("text") or part.get("content") or part.get("output_text")))
    return "".join(texts), "\n\n".join(filter(None, thinking))


def _refused_part(content: Any) -> str:
    parts = content if isinstance(content, list) else []
    return "".join(_flat(part.get("refusal")) for part in parts if isinstance(part, dict))


def _is_of_no_tokens(usage: Json) -> bool:
    """Whether nothing was generated, by the server's own counts: it had no room or no worker for the request. Models
    that end at once are counted with the token that ends them; Gemini counts thinking in the total alone.
    """
    prompt = _count(usage.get("prompt_tokens"))
    thought = _count(usage.get("total_tokens")) > prompt or bool(_reasoning_tokens(usage))
    return prompt > 0 and usage.get("completion_tokens") == 0 and not thought


def _flat(value: Any) -> str:
    """The text of a string, a part, or a list of them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_flat(item) for item in value)
    if isinstance(value, dict):
        return _flat(value.get("text") or value.get("thinking") or value.get("content") or value.get("summary"))
    return ""


def _reasoning(message: Json) -> str:
    """The field that holds the thinking; proxies send the same one under several names."""
    for name in (
        "reasoning_content",
        "reasoning",
        "thinking",
        "reasoning_text",
        "reasoning_details",
        "thinking_blocks",
    ):
        if (value := message.get(name)) and (text := _flat(value).strip()):
            return text
    return ""


def _arguments(tool_calls: Any) -> str:
    """Servers that turn a schema into a tool give the JSON as the arguments of its call."""
    if not isinstance(tool_calls, list) or not tool_calls or not isinstance(tool_calls[0], dict):
        return ""
    arguments = (tool_calls[0].get("function") or {}).get("arguments")
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode() if arguments else ""


def _reason(value: Any) -> tuple[str, str]:
    """(normalised word, as it was sent); SGLang's own form is a dict."""
    if isinstance(value, dict):
        value = value.get("type")
    word = "" if value is None else str(value)
    return word.strip().lower(), word


def _count(value: Any) -> int:
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        return 0
    return int(number) if math.isfinite(number) and number > 0 else 0


def _reasoning_tokens(usage: Json) -> int | None:
    details = usage.get("completion_tokens_details")
    value = details.get("reasoning_tokens") if isinstance(details, dict) else usage.get("reasoning_tokens")
    return None if value is None else _count(value)
