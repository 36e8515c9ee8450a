"""Decides what a server's error means.

    never           this request can never succeed: one vote is lost and counted, with its reason
    busy, timeout,  the server cannot answer now: the run waits, longer each time, and sends the request again
    server
    configuration   this account or configuration cannot work: the run stops and says what to change
    context         prompt and max_tokens do not fit: the request is sent again with the tokens that are free
    unclear         a refusal in unknown words: the request is sent again before the refusal is believed

Status codes alone do not tell: proxies wrap a provider's 5xx into a 400, and a spent account is a 402, 403 or 429.
"""

import enum
import re
from dataclasses import dataclass
from typing import Any

import orjson


class Meaning(enum.Enum):
    never = "never"
    busy = "busy"
    timeout = "timeout"
    server = "server"
    configuration = "configuration"
    context = "context"
    unclear = "unclear"


BUSY = {409, 425, 429, 498, 503, 529}
TIMEOUT = {408, 499, 504, 522, 524}
CONTEXT = re.compile(
    r"context (?:length|window|size|limit)|maximum (?:context|sequence|model) length|max_seq_len|max_model_len"
    r"|max_num_tokens|token count exceeds|too many (?:input )?tokens|prompt is too long|prompt too long"
    r"|input (?:is )?too long|longer than the (?:maximum )?model"
    r"|exceeds? the (?:model'?s |maximum )?(?:context|allowed)"
    r"|max(?:_new|_completion)?_tokens['\"`]?(?: or ['\"`]?max_completion_tokens['\"`]?)? (?:is |are )?too large"
    r"|default_max_tokens|context_length_exceeded|reduce the length|max_new_tokens`? must be <="
    r"|input length (?:of|\()|exceeds? (?:the )?(?:max|maximum) (?:input|number of tokens|sequence)",
    re.IGNORECASE,
)
OVERLOADED = re.compile(
    r"overload|rate.?limit|too many requests|(?:at|over|no|exceeded) capacity|throttl|try again|retry (?:later|after)|"
    r"queue is full|resource.?exhausted|warming up|loading model|model is (?:currently )?loading|still loading",
    re.IGNORECASE,
)
UPSTREAM = re.compile(
    r"APIConnectionError|InternalServerError|ServiceUnavailable|APIError\b|BadGateway|Timeout"
    r"|upstream|connect(?:ion)? (?:error|refused|reset|aborted|closed|timed out)|cannot connect|failed to connect"
    r"|server disconnected|bad gateway|gateway time|service (?:temporarily )?unavailable|temporarily unavailable"
    r"|internal (?:server )?error|timed? ?out|(?:error|status)(?: code)?:? ?5\d\d\b|\b5(?:0[0234]|2[0-7])\b"
    r"|provider returned error|no healthy|out of memory|engine (?:is )?dead|EngineDeadError|ECONN|socket hang up"
    r"|name or service not known|dns",
    re.IGNORECASE,
)
ACCOUNT = re.compile(
    r"insufficient.{0,3}(?:quota|balance|credit|fund)|exceeded your current quota|billing|payment|out of credits|"
    r"more credits|credit balance|spend(?:ing)? limit|budget (?:has been )?exceeded|account (?:is )?(?:deactivated|"
    r"suspended|disabled|not active)",
    re.IGNORECASE,
)
RATE = re.compile(
    r"\brate limit|(?:try again|retry) (?:in|after) ~?\d|(?:tokens|requests|queries) (?:per|a) (?:min|second|hour|day)",
    re.IGNORECASE,
)
"""Of a 429: providers name their billing page in rate limits too"""
KEY = re.compile(
    r"api[ _-]?key (?:is )?(?:not valid|invalid|missing|expired)|"
    r"(?:invalid|incorrect|missing|expired|revoked|no) (?:api|auth\w*|access)[ _-]?(?:key|token)|unauthori[sz]ed|"
    r"authentication|permission denied|not authorized",
    re.IGNORECASE,
)
NO_MODEL = re.compile(
    r"model.{0,120}(?:does not exist|not found|is not (?:supported|available|served|valid)|not exist)|"
    r"(?:invalid|unknown|no such) model|model_not_found|no endpoints found|not a valid model|unable to access model|"
    r"deployment.{0,60}does not exist",
    re.IGNORECASE | re.DOTALL,
)
PARAMETER = re.compile(
    r"extra.?(?:inputs?|fields?).{0,30}(?:not (?:permitted|allowed)|forbidden)|extra_forbidden|"
    r"(?:unsupported|unknown|unrecogni[sz]ed|unexpected|invalid)(?: request)? (?:parameter|argument|field|keyword)|"
    r"does not support (?:the )?(?:parameter|response_format|system|setting)|response_format.{0,40}(?:not supported|"
    r"unavailable|invalid)|(?:system|developer).{0,20}role.{0,20}(?:not supported|invalid)|"
    r"unsupported value|roles must alternate|successive user or assistant|expected last role|chat template|"
    r"location is not supported",
    re.IGNORECASE | re.DOTALL,
)
OUTPUT = [
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), below)
    for pattern, below in (
        (r"range of max_(?:completion_)?tokens\D{0,20}\[\d+, ?(\d+)\]", 0),
        (r"at most (\d+) (?:completion|output) tokens", 0),
        (r"> (\d+), which is the maximum allowed number of output tokens", 0),
        (r"max_(?:completion_|output_)?tokens[`'\"]? must be (?:less than or equal to|<=|at most) [`'\"]?(\d+)", 0),
        (r"max_?output_?tokens.{0,80}range is from \d+ \(inclusive\) to (\d+) \(exclusive\)", 1),
        (r"maximum tokens you requested exceeds.{0,80}lower than (\d+)", 1),
    )
]
"""How providers say the most tokens that a reply may have, and whether it has to stay below that number"""
TOO_LARGE = re.compile(r"request too large|tokens must be reduced", re.IGNORECASE)
"""Of a 429: one request is over the rate of a minute; it would be refused for ever"""
POLICY = re.compile(
    r"content.{0,20}(?:policy|filter|not allowed|management)|moderation|flagged|safety|usage polic|not allowed to|"
    r"inappropriate|sensitive|content exists risk|is not allowed|prohibited|harmful",
    re.IGNORECASE,
)
SAID_AT_MOST = 300


@dataclass(frozen=True, kw_only=True)
class ServerError:
    """A server's error in place of an answer."""

    status: int
    message: str
    """in one line of at most SAID_AT_MOST characters"""
    fields: tuple[str, ...] = ()
    """the fields of the body that it did not take, where it names them"""


def read_error(status: int, data: bytes) -> ServerError:
    """Out of any of the forms that servers use: {error: {message, code}}, {error: text}, {object: error, message},
    {detail: [{loc, msg}]}, HTML, nothing.
    """
    try:
        value: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = data[: 4 * SAID_AT_MOST].decode("utf-8", "replace")
    fields: list[str] = []
    if isinstance(value, dict) and isinstance(value.get("detail"), list):
        parts = []
        for row in filter(lambda row: isinstance(row, dict), value["detail"]):
            place = [str(part) for part in row.get("loc") or [] if part != "body"]
            fields += place[:1]
            parts.append(f"{'.'.join(place)}: {row.get('type', '')} {row.get('msg', '')}".strip())
        value = "; ".join(parts)
    inner = value.get("error") if isinstance(value, dict) else None
    if isinstance(inner, dict) and inner.get("code") in ("unsupported_parameter", "unsupported_value"):
        fields += [str(inner["param"])] if inner.get("param") else []
    return ServerError(status=status, message=one_line(_message(value)), fields=tuple(fields))


def _message(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    inner = value.get("error", value)
    if not isinstance(inner, dict):
        return str(inner)
    message = inner.get("message") or inner.get("detail") or inner.get("msg") or ""
    metadata = inner.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    named = [str(inner[name]) for name in ("type", "code", "param") if inner.get(name) and not message]
    kind = inner.get("type") if isinstance(inner.get("type"), str) and "quota" in str(inner["type"]) else None
    return " ".join(str(part) for part in (message, kind, raw, *named) if part)


def one_line(text: str) -> str:
    return " ".join(text.split())[:SAID_AT_MOST]


def meaning(error: ServerError, *, answered: bool) -> Meaning:
    """`answered`: whether the server ever gave a completion; before it does, a 404 is an address that is wrong."""
    status, said = error.status, error.message
    if status < 300:
        return Meaning.server
    if status in (402, 405) or (ACCOUNT.search(said) and not (status == 429 and RATE.search(said))):
        return Meaning.configuration
    if status in (401, 403):
        return Meaning.never if status == 403 and POLICY.search(said) else Meaning.configuration
    if status < 400:
        return Meaning.server if answered else Meaning.configuration
    if status == 404:
        return Meaning.configuration if not answered or NO_MODEL.search(said) else Meaning.server
    if status == 429 and TOO_LARGE.search(said):
        return Meaning.context
    if status in BUSY:
        return Meaning.busy
    if status in TIMEOUT:
        return Meaning.timeout
    if CONTEXT.search(said) or most_output(said) is not None:
        return Meaning.context
    if status >= 500:
        # a grammar that does not compile fails each time; it is asked again like other refusals before it is believed
        return Meaning.unclear if re.search(r"grammar|guided|json.?schema", said, re.IGNORECASE) else Meaning.server
    if status == 424:
        return Meaning.server
    if status == 413:
        return Meaning.never
    if OVERLOADED.search(said):
        return Meaning.busy
    if NO_MODEL.search(said) or KEY.search(said) or error.fields or PARAMETER.search(said):
        return Meaning.configuration
    if UPSTREAM.search(said):
        return Meaning.server
    return Meaning.never if POLICY.search(said) else Meaning.unclear


def may_be_one_requests(error: ServerError) -> bool:
    """Whether an error that looks like one of the configuration may concern a single request: it refuses a field that
    the server accepted in other requests.
    """
    said = error.message
    return error.status in (400, 422) and not (ACCOUNT.search(said) or NO_MODEL.search(said) or KEY.search(said))


def what_to_change(error: ServerError, model: str) -> str:
    """The advice for an error of the account or the configuration."""
    if "max_tokens" in error.fields and "max_completion_tokens" in error.message:
        extra = "engine.extra_body={max_tokens: null, max_completion_tokens: 16384}"
        return f"give the limit under its other name with {extra}"
    if error.fields:
        return f"leave the field out with engine.extra_body={{{', '.join(f'{name}: null' for name in error.fields)}}}"
    if error.status in (402, 429) or ACCOUNT.search(error.message):
        return "top up the account, then run the same command again"
    if error.status in (400, 422) and re.search("response_format|schema|guided", error.message, re.IGNORECASE):
        return "set engine.structured to a form that the server takes (docs/engines.md)"
    return f"check engine.base_urls (http://host:port/v1), engine.model ({model}) and engine.extra_body"


def status_of(code: object) -> int:
    """The status that an error inside of a 200 stands for; 500 where it gives none."""
    try:
        number = int(str(code))
    except ValueError:
        return {"rate_limit_exceeded": 429, "insufficient_quota": 402}.get(str(code), 500)
    return number if 300 <= number <= 599 else 500


_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.0+)?(?![\w])")
_LIMITS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\d \+ \d[\d,]* > (\d[\d,]*)",
        r"must be <= (\d[\d,]*)",
        r"(\d[\d,]*) (?:tokens )?maximum context length",
        r"(?:context (?:length|window|size|limit)|maximum (?:model|sequence) length|max_(?:seq|model)_len"
        r"|max_num_tokens|maximum allowed (?:input )?length)\D{0,40}?(\d[\d,]*)",
        r"> (\d[\d,]*)",
    )
]


def most_output(said: str) -> int | None:
    """The most tokens that a provider gives in one reply, where an error says so."""
    for pattern, below in OUTPUT:
        if found := pattern.search(said):
            return int(found[1]) - below
    return None


def free_tokens(said: str, max_tokens: int) -> int | None:
    """How many tokens a context leaves for a reply, by an error's own numbers; None where they do not say it.

    "maximum context length is 4096 tokens. However, you requested 5200 tokens (2128 in the messages, 3072 in the
    completion)": 4096 - 2128.
    """
    if (bound := most_output(said)) is not None:
        return bound
    found = next(filter(None, (pattern.search(said) for pattern in _LIMITS)), None)
    if found is None:
        return None
    limit = _int(found.group(1))
    numbers = [_int(text) for text in _NUMBER.findall(said)]
    for total in numbers:
        if total - max_tokens in numbers and total > limit:
            return limit - (total - max_tokens)
    prompts = [number for number in numbers if number not in (limit, max_tokens) and number + max_tokens > limit]
    return limit - prompts[0] if prompts else None


def _int(text: str) -> int:
    return int(float(text.replace(",", "")))
