"""Removes characters that files, tokenizers and terminals cannot hold, and chatter around an answer."""

import re

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
OPENING_CHATTER = re.compile(
    r"\A(?:(?:sure|certainly|of course|absolutely|okay|ok|great|alright|gerne|natürlich|claro|"
    r"por supuesto|bien sûr|certo|"
    r"конечно|当然|好的|はい|물론)(?!\w)[^\n]{0,120}[!:.,！：。]\s*\n+|(?:here(?:'s| is| are)|hier ist|"
    r"aquí está|voici|ecco|вот|"
    r"以下是)[^\n]{0,120}[:：]\s*\n+)",
    re.IGNORECASE,
)
CLOSING_CHATTER = re.compile(
    r"\n+\s*(?:let me know\b|i hope (?:this|that)\b|hope (?:this|that) helps\b|feel free\b|if you (?:have|"
    r"need|would like)\b|"
    r"please let me know\b|is there anything else\b|would you like\b)[^\n]*\Z",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Text that JSON, a tokenizer and a terminal can hold: no lone surrogates, NULs or other controls; newlines are
    \\n.
    """
    if text.replace("\n", "").isprintable():  # most texts: no control, no surrogate, no \r
        return text.strip()
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


SPECIAL = re.compile(
    r"(?:<\|im_start\|>|<\|start_header_id\|>|<\|start\|>|<start_of_turn>)\s*(?:assistant|model)?\s*(?:<\|end_header_id\|>)?\s*|"
    r"<\|[a-z_]{2,24}\|>|<｜[^<>｜]{2,24}｜>|<(?:eos|bos|end_of_turn|pad)>",
    re.IGNORECASE,
)
ENDS_OF_SEQUENCE = re.compile(r"(<s>(?:(?!</?s>).)*</s>)|</?s>", re.IGNORECASE | re.DOTALL)
"""a pair within a text is HTML's element for struck-out text; a single one is a token"""
STRUCK_OUT = re.compile(r"(?<!~)~~(?!~)[^~\n]{1,200}(?<!~)~~(?!~)\s*")


def without_marks(text: str) -> str:
    """The text without special tokens of a chat template and without text that was struck out."""
    if "<" in text:
        text = SPECIAL.sub("", text).strip()
        pair = ENDS_OF_SEQUENCE.fullmatch(text)
        text = (
            text[len("<s>") : -len("</s>")]
            if pair and pair.group(1)
            else ENDS_OF_SEQUENCE.sub(lambda found: found.group(1) or "", text)
        )
    return STRUCK_OUT.sub("", text).strip() if "~~" in text else text.strip()


def without_chatter(text: str) -> str:
    """The text without phrases such as `Sure! Here is the solution:` and `Let me know if you need more!`."""
    text = text.strip()
    while True:
        opening = OPENING_CHATTER.match(text)
        shorter = text if opening is None else text[opening.end() :]
        if "\n" in shorter:
            shorter = CLOSING_CHATTER.sub("", shorter)
        if (shorter := shorter.strip()) == text:
            return text
        text = shorter
