"""How many tokens are free for a reply, by the words of an error: prompt and reply do not fit into the context, or the
reply may not be as long as was asked for.
"""

import re

CONTEXT = re.compile(
    r"context[ _](?:length|window|size|limit)|maximum (?:context|sequence|model|prompt|input) length|max_seq_len"
    r"|max_model_len|max_num_tokens|token count (?:exceeds|is \d)|too many (?:input )?tokens|prompt is too long"
    r"|prompt too long|tokens?[ _]too[ _]long|input (?:is )?too long|longer than the (?:maximum )?model"
    r"|larger than the model|exceed(?:s|ed)? (?:the )?(?:model'?s? |maximum )?(?:context|allowed|token limit)"
    r"|max(?:_new|_completion)?_tokens['\"`]?(?: or ['\"`]?max_completion_tokens['\"`]?)? (?:is |are )?too large"
    r"|default_max_tokens|max_tokens must be at least|reduce the length|max_new_tokens`? must be <="
    r"|input length (?:of|\()|range of input length|number of input tokens|must have less than \d+ tokens"
    r"|exceeds? (?:the )?(?:max|maximum) (?:input|message|number of tokens|sequence)"
    r"|超长|(?:上下文|输入|提示词).{0,8}(?:长度|过长)|超[过出].{0,12}(?:长度|token)",
    re.IGNORECASE,
)
TOO_LARGE = re.compile(r"request too large|tokens must be reduced", re.IGNORECASE)
"""Of a 413 or 429: one request is over the rate of a minute; it would be refused for ever"""
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
LEAST_ROOM = 16
"""a request is not sent when fewer tokens are left for its reply"""
MOST_TRIES = 5
"""errors of the context after which a request is given up: of max_tokens a thirtieth is left"""
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.0+)?(?![\w])")
_LIMITS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\d \+ \d[\d,]* > (\d[\d,]*)",
        r"must be <= (\d[\d,]*)",
        r"(\d[\d,]*) (?:tokens )?maximum context length",
        r"(?:context (?:length|window|size|limit)|maximum (?:model|sequence|prompt) length|max_(?:seq|model)_len"
        r"|max_num_tokens|maximum allowed (?:input )?length|tokens? limit|length limit|model only supports"
        r"|less than|limit is|cannot exceed|tokens allowed|\(TPM\): limit)\D{0,40}?(\d[\d,]*)",
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


def next_max_tokens(said: str, max_tokens: int, tries: int) -> int:
    """The max_tokens to ask with after an error of the context, the `tries`-th of this request; below LEAST_ROOM there
    is none.

    Numbers cannot be relied on. Some servers count no further than one token over their limit (vLLM 0.15): each answer
    would take one token more, so from the second on at least half goes. Others give prompt and reply as one number, or
    take max_tokens off the limit that they name (vLLM 0.15 too): a prompt that seems too long is sent once as if so.
    """
    if tries > MOST_TRIES:
        return 0
    room = free_tokens(said, max_tokens)
    if room is not None and room < LEAST_ROOM and tries == 1:
        room = None if TOO_LARGE.search(said) and room + max_tokens < LEAST_ROOM else room + max_tokens
    if room is None or room >= max_tokens:
        room = max_tokens // 2
    if "about" in said:
        room -= max(8, room // 50)
    return room if tries == 1 else min(room, max_tokens // 2)


def _int(text: str) -> int:
    return int(float(text.replace(",", "")))
