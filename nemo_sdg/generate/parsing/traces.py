"""Separates a model's thinking from its final text: `split_trace(text)` gives (text, trace).

    <think>…</think>final          Qwen, DeepSeek, Nemotron, GLM, MiniMax; also <thinking>, <thought>
    …</think>final                 the opening tag is in the prompt (DeepSeek R1, QwQ)
    [THINK]…[/THINK]final          Magistral
    <seed:think>…</seed:think>     Seed-OSS
    ◁think▷…◁/think▷final          Kimi
    <|think|>…<|end|><|begin|>assistant<|content|>final     Solar
    <details type="reasoning">…</details>final             as some interfaces show it
    <|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>final<|return|>     gpt-oss
    analysis…assistantfinal…       the same with its special tokens left out
    <reasoning>…</reasoning>final  gpt-oss of Bedrock: final has headings, a reasoning of its own, or is JSON

A tag that the text only mentions (in a line of JSON, in quotes, in backticks) is part of the text.
"""

import re

_NAMES = r"(?:[a-z]{1,12}[:_-])?(?:think|thinking|thoughts?)|scratchpad"
_BEGIN, _END = (rf"<[|｜]{word}[_▁ ](?:of[_▁ ])?(?:thought|thinking)[|｜]>" for word in ("(?:begin|start)", "end"))
OPENING = re.compile(
    rf"<(?:{_NAMES})(?:\s[^<>]{{0,80}})?>|\[THINK\]|◁think▷|{_BEGIN}|<\|(?:inner_prefix|think_start|think)\|>|"
    r"<\|channel>thought\n?|Here is my thought process:",
    re.IGNORECASE,
)
CLOSING = re.compile(
    rf"</(?:{_NAMES})>|\[/THINK\]|◁/think▷|{_END}|<\|(?:inner_suffix|think_end)\|>|"
    r"<\|end\|>\s*(?:<\|begin\|>\s*assistant\s*)?<\|content\|>|<channel\|>|Here is my response:",
    re.IGNORECASE,
)
_SHELL_BEGIN = re.compile(r"\s*<\|(?:begin_of_solution|START_RESPONSE)\|>")
_SHELL_END = re.compile(r"<\|(?:end_of_solution|END_RESPONSE|return|end|im_end|eot_id)\|>\Z")
_LONGEST_END = len("<|end_of_solution|>")
_HARMONY = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>(.*?)"
    r"(?=<\|end\|>|<\|return\|>|<\|call\|>|<\|start\|>|<\|channel\|>|\Z)",
    re.DOTALL,
)
_STRIPPED_HARMONY = re.compile(r"\A\s*analysis(?=[A-Z\"'{\[(\n])")
_FINAL = "assistantfinal"
_QUOTES = "\"'`“”‘’«»"


_DETAILS = re.compile(
    r"<details\s[^<>]*type=[\"']?reasoning[^<>]*>(?P<thinking>.*?)</details>\s*", re.DOTALL | re.IGNORECASE
)
_CLOSED_DETAILS = re.compile(r"</details>\s*+", re.IGNORECASE)
_BEDROCK = re.compile(
    r"\s*<reasoning>(?P<thinking>(?:(?!</?reasoning>).)*)</reasoning>\s*"
    r"(?=\{|```json|#{1,4} \w|.*?(?:<reasoning>|(?:^|(?<=</reasoning>))[#*\s]{0,8}reasoning\b[*\s]*(?::|$)))",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
"""thinking in the tag that is also that of a section: only where a reply with a reasoning of its own follows"""


def split_trace(text: str) -> tuple[str, str]:
    """(final text, thinking), both stripped. If thinking never ends, the text is ''."""
    blocks, end = list[str](), 0
    while (block := _BEDROCK.match(text, end)) is not None:
        blocks.append(block["thinking"].strip())
        end = block.end()
    if end:
        final, inner = split_trace(text[end:])
        return final, "\n\n".join(filter(None, (*blocks, inner)))
    if "<|channel|>" in text:
        return _harmony(text)
    if (stripped := _STRIPPED_HARMONY.match(text)) is not None:
        thinking, found, final = text[stripped.end() :].rpartition(_FINAL)
        return (final.strip(), thinking.strip()) if found else ("", final.strip())
    if "<details" in text and "</details" in text:
        thoughts: list[str] = []
        while details := list(_DETAILS.finditer(text, 0, end := _end_of_details(text))):
            thoughts += [found["thinking"].strip() for found in details]
            text = _DETAILS.sub("", text[:end]) + text[end:]
        if thoughts:
            final, thinking = split_trace(text)
            return final, "\n\n".join(filter(None, (*thoughts, thinking)))
    # a fast check first: most texts have no tag
    low = text.lower()
    if not ("think" in low or "thought" in low or "scratchpad" in low or "inner_" in low or "channel" in low):
        return text.strip(), ""
    return _tagged(text)


def separate(content: str, reasoning: str = "", *, finish_reason: str = "stop") -> tuple[str, str]:
    """(text, trace) from a server's reply: its content and, if the server sends one, its reasoning field.

    In a finished reply without text, the answer is searched in the thinking: some servers leave it in the reasoning
    field, and some models never close their thinking.
    """
    text, inner = split_trace(content)
    trace = "\n\n".join(filter(None, (reasoning.strip(), inner)))
    if not text and trace and finish_reason == "stop":
        text, trace = answer_in_trace(trace)
    return text, trace


def _end_of_details(text: str) -> int:
    """Where the last closing tag ends: from each opening one after it, a search would read on to the end."""
    return max((found.end() for found in _CLOSED_DETAILS.finditer(text)), default=0)


def _harmony(text: str) -> tuple[str, str]:
    final: list[str] = []
    thinking: list[str] = []
    first = text.find("<|channel|>")
    # some servers leave out the first special tokens, so the text begins inside a channel
    if (head := text[:first].removesuffix("<|start|>assistant").removesuffix("<|end|>").strip()) and (
        head != "<|start|>assistant"
    ):
        thinking.append(head.removeprefix("analysis").removeprefix("<|message|>"))
    for channel, content in _HARMONY.findall(text):
        (final if channel == "final" else thinking).append(content.strip())
    return (final[-1] if final else ""), "\n\n".join(filter(None, thinking)).strip()


def _tagged(text: str) -> tuple[str, str]:
    """(final text, thinking). Marks are paired from the left. An opening mark counts at the start of the text, or if a
    closing one follows. A closing mark without an opening one ends thinking that began with the text.
    """
    marks = sorted(
        [(m.start(), m.end(), True) for m in OPENING.finditer(text) if not _is_mention(text, m)]
        + [(m.start(), m.end(), False) for m in CLOSING.finditer(text) if not _is_mention(text, m)]
    )
    kept: list[str] = []
    thinking: list[str] = []
    position, opened = 0, None
    last_closing = max((start for start, _, opens in marks if not opens), default=-1)
    begun = len(text) - len(text.lstrip())
    for start, end, opens in marks:
        if opens:
            if opened is None and (last_closing > start or start <= begun):
                kept.append(text[position:start])
                opened = position = end
            continue
        if opened is not None:
            thinking.append(text[opened:start])
            opened = None
        else:
            # everything up to here was thinking, also what was kept as text
            thinking.append("".join(kept) + text[position:start])
            kept.clear()
        position = end
    if opened is not None:
        thinking.append(text[opened:])
    else:
        kept.append(text[position:])
    trace = "\n\n".join(filter(None, (OPENING.sub("", part).strip() for part in thinking)))
    return _without_shell("".join(kept)), trace


def _without_shell(text: str) -> str:
    """A text without the marks around it, stripped; in linear time, however many marks a loop has written."""
    begin, end = 0, len(text.rstrip())
    while (mark := _SHELL_BEGIN.match(text, begin)) is not None:
        begin = mark.end()
    while (mark := _SHELL_END.search(text, max(begin, end - _LONGEST_END), end)) is not None:
        end = mark.start()
        while end > begin and text[end - 1].isspace():
            end -= 1
    return text[begin:end].strip()


def _is_mention(text: str, mark: "re.Match[str]") -> bool:
    """Whether a tag is only mentioned, in quotes or backticks."""
    before, after = text[mark.start() - 1 : mark.start()], text[mark.end() : mark.end() + 1]
    return bool(before) and before in _QUOTES and bool(after) and after in _QUOTES


_TAGGED_TAIL = re.compile(r"<(?P<name>context|reasoning|answer|question)>(?:(?!<(?P=name)>).)*</\w+>\s*\Z", re.DOTALL)


def answer_in_trace(trace: str) -> tuple[str, str]:
    """(answer, thinking before it) if a reply that never ended its thinking ends with a JSON object or tagged sections;
    otherwise ("", trace), since a draft is not an answer.
    """
    stripped = trace.rstrip()
    if stripped.endswith(("}", "```")):
        body = stripped.removesuffix("```").rstrip()
        if body.endswith("}") and (begin := _start_of_object(body)) is not None:
            return body[begin:], trace[:begin].rstrip().removesuffix("```json").removesuffix("```").strip()
    if stripped.endswith(">") and (tail := _TAGGED_TAIL.search(stripped)) is not None:
        return stripped[tail.start() :], trace[: tail.start()].strip()
    return "", trace


def _start_of_object(text: str) -> int | None:
    """The position at which the JSON object begins whose closing brace ends the text; None if there is none."""
    depth, in_string = 0, False
    for place in range(len(text) - 1, -1, -1):
        char = text[place]
        if char == '"' and not _escaped(text, place):
            in_string = not in_string
        elif not in_string:
            if char == "}":
                depth += 1
            elif char == "{":
                depth -= 1
                if depth == 0:
                    return place
    return None


def _escaped(text: str, place: int) -> bool:
    backslashes = 0
    while place - backslashes > 0 and text[place - backslashes - 1] == "\\":
        backslashes += 1
    return backslashes % 2 == 1
