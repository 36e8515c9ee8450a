"""How long a server asks to wait, in any of the forms that servers and providers use.

retry-after-ms: 2500                                           Azure
Retry-After: 12 | Wed, 21 Oct 2026 07:28:00 GMT                RFC 9110; a date is by the server's clock
"Please try again in 1m30s."                                   in the message: OpenAI, Groq, Gemini
x-ratelimit-remaining-requests: 0
x-ratelimit-reset-requests: 6m0s                               OpenAI, Groq, Together; also as seconds
X-RateLimit-Remaining: 0, X-RateLimit-Reset: 1792567680000     OpenRouter: ms since 1970; others: seconds
anthropic-ratelimit-tokens-reset: 2026-10-21T07:28:00Z         with -remaining: 0
"""

import datetime
import email.utils
import math
import re
import time
from typing import Any

_IN_MESSAGE = re.compile(
    r"(?:try again|retry) (?:in|after) ~?(?=\d)(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?) ?(ms|minutes?)?)?",
    re.IGNORECASE,
)
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_LIMITS = [
    *((f"x-ratelimit-remaining{of}", f"x-ratelimit-reset{of}") for of in ("", "-requests", "-tokens")),
    *((f"anthropic-ratelimit-{of}-remaining", f"anthropic-ratelimit-{of}-reset") for of in ("requests", "tokens")),
    ("ratelimit-remaining", "ratelimit-reset"),
]
"""(what is left, when it is full again)"""
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
    found = _IN_MESSAGE.search(said)
    if found is None:
        return None
    hours, minutes, number, unit = found.groups()
    scale = {"ms": 1e-3, "mi": 60.0}.get((unit or "")[:2].lower(), 1.0)
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + scale * float(number or 0)


def _until_reset(headers: Any) -> float | None:
    """Of the limits of which nothing is left, the one that lasts longest."""
    waits = [
        wait
        for left, reset in _LIMITS
        if headers.get(left) is not None and _number(headers[left]) == 0
        if (wait := _reset(headers.get(reset) or "")) is not None
    ]
    return max(waits, default=None)


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
