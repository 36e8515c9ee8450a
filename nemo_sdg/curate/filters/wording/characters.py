"""Filters of characters: what cannot be printed, and what was decoded with the wrong encoding."""

import re

from nemo_sdg.curate.filters.view import ALL, Finding, View, excerpt

CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
    # bidi overrides and isolates: they can show a text other than the one that is there
    "\u202d\u202e\u2066-\u2069"
    "\ufff9-\ufffb\ufffe\uffff\ue000-\uf8ff\U000e0000-\U000e007f]"
)
LOST = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-f]{2}|[^\W\d_]\?[a-zà-ÿ]{2}|&[A-Za-z]{4,6};")
"""Letters that were written out as escapes, or lost to a question mark in the middle of a word"""
MISREAD = re.compile(
    r"(?:(?<![^\W\d_])[À-ÿ]{4,}(?![^\W\d_])[\s,.;:!?-]+){2}"  # Cyrillic, Greek or Hebrew read as Latin-1
    r"|(?:(?<![^\W\d_])[а-яё][А-ЯЁ]{3,}(?![^\W\d_])[\s,.;:!?-]+){2}"  # KOI8-R read as windows-1251
    r"|(?:[縺繧繝][\u0080-\u9fff\uff61-\uff9f]){3}"  # Japanese UTF-8 read as Shift-JIS
    r"|锟斤拷|烫烫烫|屯屯屯"
)
"""Words that no language writes"""
MAY_BE_MISREAD = re.compile(r"[À-ÿа-яё縺繧繝锟烫屯](?:(?<=[À-ÿ])[À-ÿ]{3}|(?<=[а-яё])[А-ЯЁ]{3}|(?<=[縺繧繝锟烫屯]))")
MAY_BE_BAD = re.compile(r"[^\x00-\x7f](?:(?<=[\x80-\x9fÃÂŒœ])|.?[^\x00-\x7f])", re.DOTALL)
"""A text without a match is neither misread nor bad: ftfy needs two characters beyond ASCII, adjacent or with one
between them
"""
STANDS_ALONE = re.compile(r"(?<![^\s\"'“‘«„(])\ufffd+(?![^\s\"'”’».,;:)])")
"""Replacement characters that are spoken of"""
LOST_MARK = re.compile(r"[?\\&](?:(?<=\?)[a-zà-ÿ]{2}|(?<=\\)[ux]|(?<=&)[A-Za-z])")
ENCODING = re.compile(
    r"utf-?8|latin-?1|iso-?8859|windows-?125\d|encod|decod|charset|code ?page|mojibake|кодиров|"
    r"codific|kodier|编码|文字化け",
    re.IGNORECASE,
)
"""Of a question about encodings, damaged text is the subject."""


def control_characters(view: View) -> Finding | None:
    """Control, bidi-override, tag and private-use characters. Joiners and direction marks, which scripts need, are
    fine.
    """
    for name, text in view.texts(*ALL):
        match = None if text.isascii() and text.isprintable() else CONTROL.search(text)
        if match:
            return "control_characters", f"{name}: U+{ord(match.group()):04X} at {match.start()}"
    return None


def mojibake(view: View) -> Finding | None:
    """Text decoded with the wrong encoding (by ftfy's heuristic), or with replacement characters in it."""
    for name, text in view.texts(*ALL):
        lost = LOST.findall(text) if LOST_MARK.search(text) else []
        if (len(lost) > 1 or (lost and view.language != "en")) and not view.is_technical:
            return "mojibake", f"{name}: {excerpt(text, LOST.search(text).start())}"  # type: ignore[union-attr]
        if text.isascii():
            continue
        at = text.find("\ufffd")
        if at >= 0 and not (STANDS_ALONE.search(text) and ENCODING.search(view.asked)):
            return "mojibake", f"{name}: {excerpt(text, at)}"
        misread = MISREAD.search(text) if MAY_BE_MISREAD.search(text) else None
        at = misread.start() if misread else _bad_at(text) if MAY_BE_BAD.search(text) else -1
        if at >= 0 and not ENCODING.search(view.asked) and not _shows_damage(view.question):
            return "mojibake", f"{name}: {excerpt(text, at)}"
    return None


QUOTED = re.compile(r"(?:(?<!\w)['\"‘‚]|[“«„「『`])([^'\"“”«»„「」『』’`\n]{2,60})['\"”“»」』’`](?!\w)")


def _shows_damage(question: str) -> bool:
    """Whether a question shows damaged text between quotation marks, and beside it what it should read."""
    from ftfy import fix_encoding

    for match in QUOTED.finditer(question):
        mended = fix_encoding(match.group(1))
        if mended != match.group(1) and mended in question:
            return True
    return False


def _bad_at(text: str) -> int:
    """Where characters stand together that hardly do in a text. Signs without a letter (`¬¬Q`, `„5 €“`) may stand
    beside one another: they count only where ftfy can read them otherwise.
    """
    from ftfy import fix_encoding
    from ftfy.badness import BADNESS_RE

    signs = -1
    for match in BADNESS_RE.finditer(text):
        if any(sign.isalpha() or "\u2500" <= sign < "\u25a0" for sign in match.group()):  # of boxes: `caf├®`
            return match.start()
        signs = match.start() if signs < 0 else signs
    return signs if signs >= 0 and fix_encoding(text) != text else -1
