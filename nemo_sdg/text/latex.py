r"""Mathematical text without the dress that means nothing.

plain(r"$\left(\dfrac{1}{2},\; 3\right)$")  ->  r"(\frac{1}{2}, 3)"
fold("１２−٣")                               ->  "12-3"   (one character for one: spans stay right)
"""

import functools
import re
import unicodedata

from nemo_sdg.text.boxes import without_boxes
from nemo_sdg.text.normalize import BEYOND_LATIN

ROW = "\ue000"
"""What parts the rows of a matrix, once `plain` has read it"""
MARKS = re.compile(r"\\[A-Za-z]|[\^{}√π∞≤≥\[\]]")
"""what marks a text as mathematics: a LaTeX command, a bracket or a symbol"""
_MINUS = "−–‒﹣－⁃"
_APOSTROPHES = "’ʼ‘＇`´"
_RAISED = re.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹]+|[ⁿ]")
_LOWERED = re.compile(r"[₀-₉]+")
_VULGAR = re.compile(r"(?<=\d)\s*(?=[¼-¾⅐-⅞])")
_SYMBOLS = {
    "∞": r"\infty ", "π": r"\pi ", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "√": r"\sqrt ", "÷": "/",
    "≤": r"\leq ", "≥": r"\geq ",
    "≠": r"\neq ", "→": r"\to ", "±": r"\pm ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ", "∈": r"\in ",
    "θ": r"\theta ",
}  # fmt: skip
_SYMBOL = re.compile(f"[{''.join(_SYMBOLS)}]")
_SPACING = re.compile(
    r"\\(?:left|right|big[lr]?|Big[lr]?|displaystyle|textstyle|quad|qquad|mathstrut)(?![A-Za-z])\.?|\\[,;!:>]|\\ |~"
)
_TEXT = re.compile(r"\\(?:text\w*|ce|math(?:rm|bf|sf|it|cal)|mbox|operatorname)\s*\{([^{}]*)\}")
_WRAPPED = re.compile(r"\s*(?:\$\$?([^$]+)\$\$?|\\\((.+)\\\)|\\\[(.+)\\\])\s*\.?", re.DOTALL)


_BEYOND_ASCII = re.compile("[^\x00-_a-\x7f]+")
"""a backquote among them, which is an apostrophe"""


@functools.cache
def _folded(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if char in _MINUS:
        return "-"
    if char in _APOSTROPHES:
        return "'"
    if category in ("Zs", "Cf"):
        return " "
    if char in "⁄∕":
        return "/"
    plain = {"٫": ".", "٬": ",", "٪": "%", "、": "、"}.get(char)
    if plain is not None:
        return plain
    if "！" <= char <= "～":
        return unicodedata.normalize("NFKC", char)
    return char


def fold(text: str) -> str:
    """Digits of any script, full width, minus signs, spaces and apostrophes as in ASCII. The length stays the same."""
    if text.isascii():
        return text
    if BEYOND_LATIN.search(text) is None:  # few of its characters are beyond ASCII
        return _BEYOND_ASCII.sub(lambda found: "".join(map(_folded, found[0])), text)
    return "".join(map(_folded, text))


@functools.lru_cache(maxsize=1 << 15)
def plain(text: str) -> str:
    r"""Without dollars, boxes, \left, thin spaces and \text; symbols as LaTeX commands, superscripts as powers."""
    if not text.isascii():
        if "\u0305" in text:
            text = re.sub("(?:\\d\u0305)+", lambda found: "\\overline{" + found[0].replace("\u0305", "") + "}", text)
        text = re.sub("[\u200b-\u200f\u061c\u2060\ufeff]", "", text)
        text = _RAISED.sub(lambda found: "^{" + unicodedata.normalize("NFKC", found[0]).replace("−", "-") + "}", text)
        text = _LOWERED.sub(lambda found: "_{" + unicodedata.normalize("NFKC", found[0]) + "}", text)
        text = fold(_VULGAR.sub(" ", text))
        text = unicodedata.normalize("NFKC", text.replace("℃", "°C")).replace("\u2044", "/")
        text = _SYMBOL.sub(lambda found: _SYMBOLS[found[0]], text)
    if "\\" in text:
        if "\\begin" in text:
            text = text.replace("\\\\", ROW)
        text = without_boxes(text)
        text = re.sub(r"(?<=\d)\\[,!;: ](?=\d{3}(?!\d))", "", text)
        text = _SPACING.sub(" ", text).replace(r"\!", "")
        text = _TEXT.sub(lambda found: f" {found[1]} " if found[1].strip() else " ", text)
        text = (
            re.sub(r"\\[dtc]frac", r"\\frac", text)
            .replace("\\%", "%")
            .replace("\\$", "$")
            .replace("\\lbrace", "\\{")
            .replace("\\rbrace", "\\}")
        )
        text = re.sub(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)", "°", text).replace("\\degree", "°").replace("\\circ", "°")
        text = re.sub(r"\\(leq?|geq?|neq?)(?![A-Za-z])", lambda found: "\\" + found[1].rstrip("q") + "q", text)
    text = re.sub(r"\{(,)\}", r"\1", text.strip()).strip("*`").strip()
    while (inner := _WRAPPED.fullmatch(text)) is not None:
        text = next(group for group in inner.groups() if group is not None).strip()
    if "$" in text:
        text = re.sub(r"^\$(-?[\d.,]+)\$ ", r"\1 ", text)
        text = re.sub(r"\$([^$]*[\\^_=][^$]*)\$", r"\1", text)
    text = re.sub(r"\s+", " ", text).strip().rstrip("。").strip()
    return text if text.endswith("..") else text.rstrip(".").strip()
