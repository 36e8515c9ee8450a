"""What servers send and take. The reader of replies and the fake server in the tests follow this table.

| server           | thinking stands in                   | finish reasons beside   | a JSON schema goes as           |
|                  |                                      | stop and length         |                                 |
|------------------|--------------------------------------|-------------------------|---------------------------------|
| llama.cpp        | reasoning_content                    |                         | json_schema                     |
| vLLM             | reasoning, earlier reasoning_content | abort, error,           | json_schema, structured_outputs |
|                  | (content null when cut in it)        | repetition              | (guided_json before 0.12)       |
| SGLang           | reasoning_content                    | abort; a dict {type}    | json_schema                     |
| trtllm-serve 1.2 | reasoning_content, or in the text    |                         | json, json_schema               |
| NIM              | reasoning_content, or in the text    |                         | nvext, json_schema              |
| LiteLLM          | reasoning_content                    | any provider's          | json_schema                     |
| OpenRouter       | reasoning                            | error, in the choice    | json_schema                     |
| DeepSeek         | reasoning_content                    | content_filter,         | json_object                     |
|                  |                                      | insufficient_system_…   |                                 |
| Mistral          | content as a list of parts           | model_length, error     | json_schema                     |

| server           | errors                                                                                        |
|------------------|-----------------------------------------------------------------------------------------------|
| llama.cpp        | {error: {code, message, type}}; 503 while it loads; 400 with n_prompt_tokens and n_ctx        |
| vLLM             | {error: {…}}, earlier {object: error, message}; 400 "maximum context length is N tokens"      |
| SGLang           | {object: error, message}; 400 "Requested token count exceeds"                                 |
| trtllm-serve 1.2 | {object: error, message, code}; 400 "default_max_tokens (-52) must be greater than 0"         |
| NIM              | 422 {detail: [{type: extra_forbidden, loc: [body, seed], msg}]}                               |
| LiteLLM          | 400 around a provider's 5xx: "litellm.APIConnectionError: …"                                  |
| OpenRouter       | 200 {error: {code, message}}; 402 without credits; 403 by moderation                          |
| Groq             | 413 for one request over the tokens of a minute, with a link to the billing page              |
| Gemini           | [{error: {…, details}}]; 429 "current quota", with retryDelay in the details                  |
| NIM in the cloud | {title, detail}; 400 "DEGRADED function"; 410 for a model that is gone                        |
| Zhipu, DashScope | {error: {code, message}} in Chinese; 429 for a spent account; 400 data_inspection_failed      |
| DeepSeek         | 402 "Insufficient Balance"; 503 when overloaded; empty content where JSON mode fails          |
| Mistral          | {object: error, message, type}; 422 {detail: […]}; 429                                        |

Others were seen with end_turn, max_tokens (Anthropic through proxies), STOP, MAX_TOKENS, safety, recitation (Gemini),
sensitive (GLM), eos, null and nothing at all.
"""

import re
from typing import Any

from nemo_sdg.config import Structured
from nemo_sdg.generate.requests import Request

STOPPED = {
    *("stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "tool_calls", "tool_use"),
    *("function_call", "complete", "completed", "done", "end", "finish", "finished", "null", ""),
    *("normal", "end_of_text", "endoftext"),
}
CUT = {
    *("length", "max_tokens", "model_length", "max_length", "max_output_tokens", "model_context_window_exceeded"),
    *("context_length_exceeded", "token_limit", "time_limit", "error_limit", "maximum_tokens"),
}
LOOPED = {"repetition", "repetition_detected", "loop"}
KNOWN = STOPPED | CUT | LOOPED
WITHHELD = {
    *("content_filter", "content-filter", "safety", "recitation", "sensitive", "refusal", "blocklist"),
    *("prohibited_content", "spii", "guardrail_intervened", "guardrails", "moderation", "error_toxic"),
    *("content_filtered", "model_armor", "language"),
}
FAILED = {
    *("error", "abort", "aborted", "cancelled", "canceled", "timeout", "network_error"),
    *("insufficient_system_resource", "malformed_function_call", "user_cancel", "load", "unload"),
}


LIKELY = (
    (
        re.compile(r"malformed|error|fail|abort|cancel|timeout|unavailable|overload|rate_limit|interrupt|preempt"),
        "error",
    ),
    (re.compile(r"filter|safety|policy|moderat|guard|prohibit|blocked|refus"), "content_filter"),
    (re.compile(r"length|max_|limit|truncat|context|incomplete|cut.?off"), "length"),
)


def known_reason(reason: str) -> str:
    """A finish reason that is in none of the sets above, as the one that its words are nearest to; else as it is. Half
    a reply must not be taken for a whole one.
    """
    if reason in KNOWN or reason in FAILED or reason in WITHHELD:
        return reason
    return next((word for pattern, word in LIKELY if pattern.search(reason)), reason)


def is_withheld(reason: str) -> bool:
    """Whether a reply was held back for its content: `content_filter`, or `content_filter: RECITATION` of a proxy."""
    return reason in WITHHELD or (":" in reason and not WITHHELD.isdisjoint(re.split(r"[:\s]+", reason)))


def build_body(request: Request, model: str) -> dict[str, Any]:
    """The body of a prepared request in the OpenAI form."""
    body: dict[str, Any] = {
        "model": model,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "min_p": request.min_p,
        "presence_penalty": request.presence_penalty,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "stop": request.stop or None,
    }
    if request.messages is not None:
        body["messages"] = request.messages
    else:
        body["prompt"] = request.prompt
    if request.schema is not None:
        body |= schema_fields(request.schema, request.structured)
    body |= request.extra_body
    return {name: value for name, value in body.items() if value is not None}


def schema_fields(schema: dict[str, Any], structured: Structured) -> dict[str, Any]:
    """The fields of a body that ask for output in a JSON schema."""
    match structured:
        case Structured.json_schema:
            named = {"name": "output", "schema": schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case Structured.json_object:
            return {"response_format": {"type": "json_object"}}
        case Structured.json:
            return {"response_format": {"type": "json", "schema": schema}}
        case Structured.guided_json:
            return {"guided_json": schema}
        case Structured.structured_outputs:
            return {"structured_outputs": {"json": schema}}
        case Structured.nvext:
            return {"nvext": {"guided_json": schema}}
        case Structured.none:
            return {}


_SUFFIX = re.compile(
    r"(?:[-_.@](?:fp8|fp16|bf16|int[48]|awq|gptq|nvfp4|mxfp4|fp4|w\d+a\d+|i?q\d\w*|gguf|[48]bit|dynamic|turbo|latest|"
    r"preview|20\d\d(?:-?\d\d){0,2}|\d\d-\d\d|\d{4})|:[\w.-]+)$"
)


def same_model(served: str, asked: str) -> bool:
    """Whether two names are one model's: a path that ends in it, a file of it, a dated or quantised version, a tag."""
    return _plain_name(served) == _plain_name(asked) != ""


def _plain_name(name: str) -> str:
    name = name.rstrip("/").rsplit("/", 1)[-1].lower().removesuffix(".gguf")
    while (shorter := _SUFFIX.sub("", name)) != name:
        name = shorter
    return name
