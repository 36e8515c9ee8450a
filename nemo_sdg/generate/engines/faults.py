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

from nemo_sdg.generate.engines.error_bodies import ServerError
from nemo_sdg.generate.engines.room import CONTEXT, TOO_LARGE, most_output


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
NOT_SERVED = {405, 406, 411, 415, 501, 505}
"""the address or the form of all requests; later, a page that stands in for a server that is away"""
OVERLOADED = re.compile(
    r"overload|rate.?limit|too many requests|(?:at|over|no|exceeded) capacity|throttl|too busy|high (?:traffic|demand)|"
    r"(?:try again|retry) (?:later|shortly|soon|momentarily|in (?:a|\d)|after)|wait (?:a |before |and )|"
    r"queue is full|engine is sleeping|resource.?exhausted|warming up|loading model|model is (?:currently )?loading|"
    r"still loading|稍[后後]|繁忙|并发|限流|过于频繁|请求过多",
    re.IGNORECASE,
)
AGAIN = re.compile(r"try again|please retry", re.IGNORECASE)
"""counts when nothing else is said, and asks for no patience ("reformat your input and try again")"""
UPSTREAM = re.compile(
    r"APIConnectionError|InternalServerError|ServiceUnavailable|APIError\b|BadGateway|Timeout"
    r"|upstream|connect(?:ion)? (?:error|refused|reset|aborted|closed|timed out)|cannot connect|failed to connect"
    r"|server disconnected|bad gateway|gateway time|service (?:temporarily )?unavailable|temporarily unavailable"
    r"|internal (?:server )?error|timed? ?out|(?:error|status)(?: code)?:? ?5\d\d\b|\b5(?:0[0234]|2[0-7])\b"
    r"|provider returned error|no healthy|out of memory|engine (?:is )?dead|EngineDeadError|ECONN|socket hang up"
    r"|name or service not known|dns|degraded function|has crashed|model unloaded",
    re.IGNORECASE,
)
ACCOUNT = re.compile(
    r"insufficient.{0,5}(?:quota|balance|credit|fund)|exceeded.{0,4}current.{0,7}quota|billing|payment|"
    r"out of credits|more credits|credits? (?:balance|are depleted|have expired)|account balance|"
    r"balance is (?:insufficient|not enough)|not enough (?:balance|credit)|spend(?:ing)? limit|budget (?:has been )?"
    r"exceeded|over.?budget|ExceededBudget|good standing|arrearage|"
    r"overdue.?(?:balance|payment|bill)|(?:account|payment|bill) ?(?:is )?overdue|(?:please|to) recharge|"
    r"specified API usage limits|set inference limit|free (?:allocation of|trial quota)|"
    r"(?:account|organization|project|team)(?: \S+)? (?:is |has been )?(?:deactivated|suspended|disabled|"
    r"restricted(?! to)|not active)|[余餘][额額]不足|[额額]度(?:不足|已)|欠费|充值|套餐已",
    re.IGNORECASE,
)
RATE = re.compile(
    r"\brate[-_ ]limit|token-limit|(?:try again|retry) (?:in|after) ~?\d|retryDelay|per-?(?:minute|day)|"
    r"(?:tokens|requests|queries) (?:per|a) (?:min|second|hour|day)|频率|频繁|速率|并发|每分钟|限流|稍[后後]",
    re.IGNORECASE,
)
"""providers name their billing page in rate limits too, and say "quota" of both (Gemini, DashScope)"""
KEY = re.compile(
    r"api[ _-]?key (?:is )?(?:not (?:valid|found)|invalid|missing|expired)|"
    r"(?:invalid|incorrect|missing|expired|revoked|no) (?:api|auth\w*|access)[ _-]?(?:key|token)|unauthori[sz]ed|"
    r"authentication|permission denied|not authorized",
    re.IGNORECASE,
)
NO_MODEL = re.compile(
    r"model.{0,120}(?:does not exist|not found|is not (?:supported|available|served|valid)|not exist|end of (?:its|"
    r"the) life|deprecated|decommissioned|no longer (?:supported|available|served)|terms acceptance|not_found_error)|"
    r"(?:invalid|unknown|unavailable|no such) model|unable to access (?:\S+ )?model|not activated the model|"
    r"(?:model_(?:not_\w+|decommissioned|terms_required)|unavailable_model)\b|no models? loaded|on-demand throughput|"
    r"no endpoints found|no allowed providers|not a valid model|"
    r"only supported in v1/|not a chat model|with the specified model|is not configured|LLM Provider NOT provided|"
    r"deployment.{0,60}does not exist|"
    r"模型.{0,12}(?:不存在|未开通|已下线|不可用|不支持)",
    re.IGNORECASE | re.DOTALL,
)
NO_ACCESS = re.compile(
    r"(?:access|allowed|permission|authorized|eligible).{0,60}model|model.{0,60}(?:access|permission|not allowed)",
    re.IGNORECASE | re.DOTALL,
)
"""of a 403: it is this account's model, not the text"""
PARAMETER = re.compile(
    r"extra.?(?:inputs?|fields?).{0,30}(?:not (?:permitted|allowed)|forbidden)|extra_forbidden|extraneous key|"
    r"(?:unsupported|unknown|unrecogni[sz]ed|unexpected|invalid)(?: request)? (?:parameter|argument|field|keyword|"
    r"name)|(?:argument|parameter|field)s? (?:is |are )?not supported|cannot both be specified|"
    r"does not support (?:the )?(?:parameter|response.format|system|setting)|response_format.{0,40}(?:not supported|"
    r"unavailable|invalid)|invalid schema for|schema.{0,60}not supported|"
    r"(?:system|developer).{0,20}role.{0,20}(?:not supported|invalid)|"
    r"unsupported value|roles must alternate|successive user or assistant|expected last role|chat template|"
    r"(?:instruction|mode|guided_\w+) is not (?:enabled|supported)|unknown variant|参数(?:有误|错误|无效)|"
    r"propert(?:y|ies) .{1,30} (?:is|are) (?:unsupported|not allowed)|only supports? stream|non-streaming calls|"
    r"location is not supported|sent to HTTPS port",
    re.IGNORECASE | re.DOTALL,
)
ADDRESS = re.compile(r"unexpected endpoint", re.IGNORECASE)
"""LM Studio answers 200 at any address"""
BLOCKED = re.compile(
    r"content[ _-](?:policy|filter|management|exists risk)|content.{0,20}(?:policy|filter|management)|moderation|"
    r"flagged|censor|content.{0,40}is blocked|inappropriate|data_?inspection|high risk|guardrail|敏感|不安全|违规",
    re.IGNORECASE,
)
"""the text of one request, whoever quotes it"""
POLICY = re.compile(
    r"content.{0,20}not allowed|safety|usage polic|not allowed to|sensitive|is not allowed|prohibited|harmful",
    re.IGNORECASE,
)
HOPELESS = re.compile(r"output limit was reached|required for long context", re.IGNORECASE)
"""a model that thinks fills max_tokens, and OpenAI gives a 400 in place of an empty reply; Anthropic's 429 for prompts
that an account may never send
"""


def meaning(error: ServerError, *, answered: bool) -> Meaning:
    """`answered`: whether the server ever gave a completion; before it does, a 404 is an address that is wrong."""
    status, said = error.status, error.said
    if status < 300:
        return Meaning.server
    if not answered and ADDRESS.search(said):
        return Meaning.configuration
    if status in (402, 407, 410) or (ACCOUNT.search(said) and not RATE.search(said)):
        return Meaning.configuration
    if status == 403 and (BLOCKED.search(said) or (POLICY.search(said) and not NO_ACCESS.search(said))):
        return Meaning.never
    if status in (401, 403):
        return Meaning.configuration
    if status < 400 or status in NOT_SERVED:
        return Meaning.server if answered else Meaning.configuration
    if status == 404:
        return Meaning.configuration if not answered or NO_MODEL.search(said) else Meaning.server
    if TOO_LARGE.search(said) and (status == 429 or (status == 413 and RATE.search(said))):
        return Meaning.context
    if HOPELESS.search(said):
        return Meaning.never
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
    return _of_a_refusal(error)


def _of_a_refusal(error: ServerError) -> Meaning:
    """Of a 400 or another 4xx without a meaning of its own, by its words alone."""
    said = error.said
    if OVERLOADED.search(said):
        return Meaning.busy
    if BLOCKED.search(said):
        return Meaning.never
    if NO_MODEL.search(said) or KEY.search(said) or error.fields or PARAMETER.search(said):
        return Meaning.configuration
    if UPSTREAM.search(said):
        return Meaning.server
    if POLICY.search(said):
        return Meaning.never
    return Meaning.server if AGAIN.search(said) else Meaning.unclear


def may_be_one_requests(error: ServerError) -> bool:
    """Whether an error that looks like one of the configuration may concern a single request: it refuses a field that
    the server accepted in other requests, or a firewall before the server takes the text for an attack.
    """
    said = error.said
    named = ACCOUNT.search(said) or NO_MODEL.search(said) or KEY.search(said) or NO_ACCESS.search(said)
    return error.status in (400, 403, 422) and not named


def names_the_key(error: ServerError) -> bool:
    """Whether a 401 or 403 is one of the key, and not of the account or the model."""
    said = error.said
    return error.status in (401, 403) and not (
        ACCOUNT.search(said) or (error.status == 403 and (NO_MODEL.search(said) or NO_ACCESS.search(said)))
    )


def what_to_change(error: ServerError, model: str) -> str:
    """The advice for an error of the account or the configuration."""
    if "max_tokens" in error.fields and "max_completion_tokens" in error.message:
        extra = "engine.extra_body={max_tokens: null, max_completion_tokens: 16384}"
        return f"give the limit under its other name with {extra}"
    if error.fields:
        return f"leave the field out with engine.extra_body={{{', '.join(f'{name}: null' for name in error.fields)}}}"
    if error.status in (402, 429) or ACCOUNT.search(error.said):
        return "top up the account, then run the same command again"
    if error.status in (400, 422) and re.search("response_format|schema|guided", error.said, re.IGNORECASE):
        return "set engine.structured to a form that the server takes (docs/engines.md)"
    return f"check engine.base_urls (http://host:port/v1), engine.model ({model}) and engine.extra_body"


CODES = {
    **dict.fromkeys(("rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "too_many_requests"), 429),
    **dict.fromkeys(("insufficient_quota", "billing_not_active", "insufficient_credits"), 402),
    **dict.fromkeys(("invalid_api_key", "authentication_error", "unauthenticated", "unauthorized"), 401),
    **dict.fromkeys(("permission_error", "permission_denied", "forbidden"), 403),
    **dict.fromkeys(("not_found_error", "model_not_found", "not_found"), 404),
    **dict.fromkeys(("invalid_request_error", "invalid_argument", "badrequesterror", "context_length_exceeded"), 400),
    **dict.fromkeys(("content_filter", "invalid_prompt", "data_inspection_failed"), 400),
    **dict.fromkeys(("overloaded_error", "unavailable", "service_unavailable_error"), 503),
}
"""words in the place of a status"""


def status_of(*codes: object) -> int:
    """The status that an error inside of a 200 stands for, by the first of its codes that is one; 500 where it gives
    none.
    """
    for code in codes:
        try:
            number = int(str(code))
        except ValueError:
            number = CODES.get(str(code).lower(), 0)
        if 300 <= number <= 599:
            return number
    return 500
