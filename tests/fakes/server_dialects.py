"""How the servers in use answer and refuse: the forms that nemo_sdg/generate/engines/servers.py lists, for the fake."""

from typing import Any

import orjson

SERVERS = (
    "llama.cpp",
    "vllm",
    "vllm-old",
    "sglang",
    "trtllm-serve",
    "nim",
    "litellm",
    "openrouter",
    "deepseek",
    "mistral",
)
SCHEMA_FIELDS = {
    "llama.cpp": {"json_schema", "json_object"},
    "vllm": {"json_schema", "structured_outputs"},
    "vllm-old": {"json_schema", "guided_json"},
    "sglang": {"json_schema"},
    "trtllm-serve": {"json", "json_schema"},
    "nim": {"nvext", "json_schema"},
    "litellm": {"json_schema"},
    "openrouter": {"json_schema"},
    "deepseek": {"json_object"},
    "mistral": {"json_schema"},
}


def message_of(server: str, text: str, thinking: str) -> dict[str, Any]:
    """A chat message in the form of a server; `text` may be empty."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    match server:
        case "vllm":
            message |= {"content": text or None, "reasoning": thinking or None, "tool_calls": []}
        case "vllm-old" | "llama.cpp" | "sglang" | "litellm" | "deepseek":
            message |= {"content": text or None, "reasoning_content": thinking or None}
        case "openrouter":
            details = [{"type": "reasoning.text", "text": thinking}] if thinking else []
            message |= {"reasoning": thinking or None, "reasoning_details": details, "refusal": None}
        case "nim":
            message["content"] = f"<think>\n{thinking}\n</think>\n\n{text}" if thinking else text
        case "trtllm-serve":
            # the opening tag stands in the prompt
            message["content"] = f"{thinking}\n</think>\n\n{text}" if thinking else text
        case "mistral" if thinking:
            parts: list[dict[str, Any]] = [{"type": "thinking", "thinking": [{"type": "text", "text": thinking}]}]
            message["content"] = [*parts, {"type": "text", "text": text}] if text else parts
    return message


def finish_of(server: str, reason: str) -> Any:
    """A finish reason in the words of a server."""
    if server == "sglang" and reason == "stop":
        return {"type": "stop", "matched": 151645}
    if server == "mistral" and reason == "length":
        return "model_length"
    if server == "litellm":
        return {"stop": "end_turn", "length": "max_tokens"}[reason]
    return reason


def served_name(server: str, model: str) -> str:
    """The name that the reply carries."""
    return {
        "llama.cpp": f"/models/{model}-Q4_K_M.gguf",
        "openrouter": f"vendor/{model}-04-28",
        "litellm": f"{model}:latest",
    }.get(server, model)


def error_body(server: str, status: int, message: str, kind: str = "BadRequestError") -> dict[str, Any]:
    if server in ("sglang", "trtllm-serve", "vllm-old", "mistral"):
        return {"object": "error", "message": message, "type": kind, "param": None, "code": status}
    if server == "openrouter":
        return {"error": {"message": message, "code": status, "metadata": {"provider_name": "x"}}, "user_id": "u"}
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}


def context_error(server: str, limit: int, prompt: int, max_tokens: int) -> str:
    total = prompt + max_tokens
    said = {
        "llama.cpp": "the request exceeds the available context size ({limit} tokens), try increasing it; "
        "{prompt} prompt tokens and {max_tokens} to predict",
        "vllm": "'max_tokens' or 'max_completion_tokens' is too large: {max_tokens}. This model's maximum context "
        "length is {limit} tokens and your request has {prompt} input tokens ({max_tokens} > {limit} - {prompt}).",
        "sglang": "Requested token count exceeds the model's maximum context length of {limit} tokens. You requested a "
        "total of {total} tokens: {prompt} tokens from the input messages and {max_tokens} tokens for the completion.",
        "trtllm-serve": "The sum of prompt length ({prompt}.0), query length (0) and max_tokens ({max_tokens}) should "
        "not exceed max_seq_len ({limit})",
        "openrouter": "This endpoint's maximum context length is {limit} tokens. However, you requested about {total} "
        "tokens ({prompt} of text input, {max_tokens} in the output).",
        "mistral": "Prompt contains {prompt} tokens and 0 draft tokens, too large with max_tokens {max_tokens} for "
        "model with {limit} maximum context length",
        "litellm": "litellm.ContextWindowExceededError: input length and `max_tokens` exceed context limit: {prompt} + "
        "{max_tokens} > {limit}, decrease input length or `max_tokens` and try again",
    }.get(
        server,
        "This model's maximum context length is {limit} tokens. However, you requested {total} tokens ({prompt} in the "
        "messages, {max_tokens} in the completion). Please reduce the length of the messages or completion.",
    )
    return said.format(limit=limit, prompt=prompt, max_tokens=max_tokens, total=total)


def takes_schema(server: str, body: dict[str, Any]) -> bool:
    """Whether the server knows the form in which a body asks for JSON."""
    form = (body.get("response_format") or {}).get("type")
    forms = {form} if form else set()
    forms |= {name for name in ("guided_json", "structured_outputs", "nvext") if name in body}
    return forms <= SCHEMA_FIELDS.get(server, forms)


def extra_forbidden(field: str) -> bytes:
    """NIM and Mistral validate bodies with pydantic."""
    row = {"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not permitted", "input": 1}
    return orjson.dumps({"detail": [row]})
