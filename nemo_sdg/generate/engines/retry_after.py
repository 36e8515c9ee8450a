"""How long a server asks to wait, in any of the forms that servers and providers use.

retry-after-ms: 2500                                           Azure
Retry-After: 12 | Wed, 21 Oct 2026 07:28:00 GMT                RFC 9110; a date is by the server's clock
"Please try again in 1m30s.", "wait 5 minutes", "resets in ~30s"  in the message: OpenAI, Groq, GitHub, Replicate
retryDelay: 26s, X-RateLimit-Reset: 1792567680000              in the body: Gemini, OpenRouter
x-ratelimit-remaining-requests: 0
x-ratelimit-reset-requests: 6m0s                               OpenAI, Groq, Together; also as seconds
X-RateLimit-Remaining: 0, X-RateLimit-Reset: 1792567680000     OpenRouter: ms since 1970; others: seconds
x-ratelimit-remaining-tokens-minute: 0, x-ratelimit-reset-tokens-minute: 12.5        Cerebras
anthropic-ratelimit-input-tokens-reset: 2026-10-21T07:28:00Z   with -remaining: 0
ratelimit: limit=100, remaining=0, reset=30                    drafts of the IETF
"""

import datetime
import email.utils
import math
import re
import time
from typing import Any

_IN_MESSAGE = re.compile(
    r"(?:(?:try again|retry(?:ing)?|wait|resets?) (?:in |after |for )?~?|(?:retryDelay|retry.after\w*)\W{1,6})(?=\d)"
    r"(?:(\d+)h(?![or]))?(?:(\d+)m(?![si]))?(?:(\d+(?:\.\d+)?) ?(ms|milli|min|hour|day)?)?",
    re.IGNORECASE,
)
_POINT_IN_MESSAGE = re.compile(r"ratelimit-reset: (\d{10,13})\b", re.IGNORECASE)
_SCALES = {"ms": 1e-3, "milli": 1e-3, "min": 60.0, "hour": 3600.0, "day": 86400.0}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?) ?s(?:ec(?:ond)?s?)?")
_IN_ONE_FIELD = re.compile(r"\b(?:remaining|r)=0\b.*?\b(?:reset|t)=(\d+)")
_SINCE_1970 = 1e9
"""a larger number is no duration"""


def wait_asked_for(headers: Any, said: str = "") -> float | None:
    """Seconds from now; None where the server does not say, or what it says makes no sense."""
    asked = _in_header(headers)
    if asked is None:
        asked = _in_message(said)
    return _until_reset(headers) if asked is None else asked


def _in_header(headers: Any) -> float | None:
    value = headers.get("Retry-After")
    if value is not None and (found := _SECONDS.fullmatch(value.strip())):
        value = found[1]
    for text, scale in ((headers.get("retry-after-ms"), 1e-3), (value, 1.0)):
        if text is not None and (seconds := _number(text)) is not None:
            return max(0.0, seconds * scale)
    when = _date(value)
    if when is None:
        return None
    now = _date(headers.get("Date"))
    return max(0.0, when - (time.time() if now is None else now))


def _date(text: str | None) -> float | None:
    try:
        return None if text is None else email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _in_message(said: str) -> float | None:
    if (point := _POINT_IN_MESSAGE.search(said)) is not None:
        return _reset(point[1])
    found = _IN_MESSAGE.search(said)
    if found is None:
        return None
    hours, minutes, number, unit = found.groups()
    scale = _SCALES.get((unit or "").lower(), 1.0)
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + scale * float(number or 0)


def _until_reset(headers: Any) -> float | None:
    """Of the limits of which nothing is left, the one that lasts longest. `-remaining-` and `-reset-` make a pair."""
    fields = {name.lower(): value for name, value in headers.items() if "ratelimit" in name.lower()}
    waits = [
        _reset(fields.get(name.replace("remaining", "reset")) or "")
        for name, left in fields.items()
        if "remaining" in name and _number(left) == 0
    ]
    waits += [_reset(found[1]) for left in fields.values() if (found := _IN_ONE_FIELD.search(left.replace(";", " ")))]
    return max((wait for wait in waits if wait is not None), default=None)


def _reset(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        if number > _SINCE_1970:
            number = (number / 1e3 if number > 1e3 * _SINCE_1970 else number) - time.time()
        return max(0.0, number)
    if text and (found := _DURATION.fullmatch(text)):
        return sum(scale * float(part or 0) for part, scale in zip(found.groups(), (3600, 60, 1, 1e-3), strict=True))
    try:
        return max(0.0, datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() - time.time())
    except ValueError:
        return None
