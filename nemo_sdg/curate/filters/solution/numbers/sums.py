"""Reader of sums: the sides of the equalities of a text that are plain arithmetic, and their exact values.

    sides_of("so (−2)² + 3 = 4 + 3 = 7.", "en")  ->  [[Side(7, …), Side(7, …), Side(7, …)]]

A side is read whole or not at all: one with a variable, a function, a percentage, a time, an ellipsis or a word that
may change its sense is None.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from nemo_sdg.curate.filters.phrases import word_list
from nemo_sdg.curate.filters.solution.numbers.expression import Reader, Token
from nemo_sdg.text.normalize import has_any

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
LATEX = (
    (re.compile(r"\\left(?![a-z])|\\right(?![a-z])|\\[,;!: ]|\\quad|[$&]|\\[()\[\]]"), " "),
    (re.compile(r"\\\\"), "\n"),
    (re.compile(r"\\(?:text|mathrm|textrm)\s*\{([^{}]*)\}"), r" \1"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\times(?![a-z])|\\cdot(?![a-z])"), "·"),
    (re.compile(r"\\div(?![a-z])"), "÷"),
    (re.compile(r"\^\s*\{([^{}]*)\}"), r"^(\1)"),
    (re.compile(r"(?<=\d)\s*\\[td]?frac"), r"¤\\frac"),  # a mixed number
    (re.compile(r"\\[td]?frac\s*(\d)\s*(\d)"), r"((\1)/(\2))"),
    *((re.compile(r"\\[td]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),) * 3,
    (re.compile(r"\\[A-Za-z]+"), "¤"),
)
PLAIN = (
    (
        "⁰¹²³⁴⁵⁶⁷⁸⁹",
        re.compile(r"(?<![^\W\d_])[⁺⁻]?[⁰¹²³⁴-⁹]+"),
        lambda match: f"^({match.group().translate(SUPERSCRIPTS)})",
    ),
    (["**"], re.compile(r"(?<=[\d)])\s?\*\*\s?(?=[\d(−-])"), "^"),
    (["**", "__"], re.compile(r"\*\*|__"), " "),
    ("xх", re.compile(r"(?<=[\d)]) ?[xх] ?(?=[\d(])"), "·"),
    ("-–•*", re.compile(r"(?m)^\s*[-–•*] "), "\n"),
    (["  "], re.compile(r" {2,}"), " "),
)
"""Each with the signs without one of which it finds nothing"""
TOKEN = re.compile(
    r"(?P<space>\s)(?<!\n)|(?P<time>\d{1,2}:[0-5]\d(?!\d))"
    r"|(?P<number>\d+(?:[.,]\d+)*(?:[ \u00a0\u202f]\d{3}(?![\d.,]))*(?:[.,]\d+)?)"
    r"|(?P<unknown>(?<=\d)[^\W\d_](?=\d)|\.{2,}|…|[=:<>!]=|[%‰!√∑∫|_¤π∞\[\]{}½¼¾⅐-⅞₀-₉#\\~±∓′″])"
    r"|(?P<ideograph>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])"
    r"|(?P<word>(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0dff])+(?:(?<=[^\W\d_]{2})[-'’][^\W\d_]{2,})*[²³]?(?:/[^\W\d_]+[²³]?)?|°[CF]?)"
    r"|(?P<money>[€£¥₹₽₺₩])"
    r"|(?P<equal>[=＝])"
    r"|(?P<break>(?:[.,;!?]|(?<!\s):)(?=\s|$|[^\x00-\u02ff])|[。，：；！？、؟؛।\n\"“”„«»「」『』]"
    r"|[<>≤≥≈≠≡→⇒∝⟹]|[–—] ?(?=\n))"
    r"|(?P<operator>[-+−–*×·⋅∙/÷:^])"
    r"|(?P<open>[(（])|(?P<close>[)）])"
    r"|(?P<other>.)"
)
PARTICLE = re.compile(r"[이은는가을를입]|(?![つこ])[\u3041-\u309f]")
"""What begins a particle behind a number, in Korean and Japanese, and no unit"""
LEADING_IDEOGRAPHS = frozenset("号第以和与與加减減乘除倍根のと의과와")
"""What stands before a sum that is a part of something else, in scripts without spaces"""


@dataclass(frozen=True)
class Side:
    """One side of an equality that is read whole."""

    values: tuple[Fraction, ...]
    """one value, two where `a / b · c` can be read in two ways"""
    error: Fraction
    """how far numbers written with decimals may be from what they stand for"""
    exact: bool
    """only whole numbers, added, subtracted and multiplied"""
    operators: str
    units: tuple[str, ...]
    """what stands behind its numbers, "" for nothing"""
    tokens: tuple[Token, ...]

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    def begins_with(self, value: Fraction, language: str) -> bool:
        """Whether a part of the side from its start on has a value: `3 + 4 = 7 · 2` goes on from its result."""
        parts = (_read(list(self.tokens[:size]), language) for size in range(1, len(self.tokens)))
        return any(part is not None and value in part.values for part in parts)

    def ends_with(self, value: Fraction, language: str) -> bool:
        """Whether the side has a value behind one of its signs: in `27 = 3 · 9 – 33 = 3 · 11` the sign is a dash, or
        the hyphen of a word for `and`, between two equalities.
        """
        parts = (
            _read(list(self.tokens[place + 1 :]), language)
            for place, token in enumerate(self.tokens)
            if token.kind == "operator"
        )
        return any(part is not None and value in part.values for part in parts)


def plain(text: str) -> str:
    """A text with the signs of LaTeX and of superscripts as plain ones."""
    if "\\" in text or "$" in text or "{" in text:
        for pattern, written in LATEX:
            text = pattern.sub(written, text)
    for signs, pattern, other in PLAIN:
        if has_any(text, signs):
            text = pattern.sub(other, text)
    return text


def sides_of(text: str, language: str) -> list[list[Side | None]]:
    """The chains of equalities of a plain text, as their sides in order; None for what is not read."""
    tokens = [token for part in _parts_with_equality(text) for token in part]
    equals = [place for place, token in enumerate(tokens) if token.kind == "equal"]
    chains: list[list[Side | None]] = []
    previous = None
    for number, place in enumerate(equals):
        first = _side_before(tokens, previous, place, language)
        following = equals[number + 1] if number + 1 < len(equals) else len(tokens)
        whole = tokens[place + 1 : following]
        ends = [at for at, token in enumerate(whole) if _is_break(whole, at)]
        if previous is None or first is not _JOINED:
            chains.append([None if first is _JOINED else first])
        head = whole[: ends[0]] if ends else whole
        chains[-1].append(
            _read(head, language, closes=bool(ends) or following == len(tokens))
            if not ends or _may_end(whole, ends[0])
            else None
        )
        previous = None if ends else place
    return chains


RATIOS = frozenset(["en", "fr", "zh", "ja", "ko", "ar", "hi", "sw", "vi"])
"""Languages whose colon is no sign of division"""
_JOINED = Side((), Fraction(0), False, "", (), ())
"""The side before an equality that is the one behind the equality before"""


def _side_before(tokens: list[Token], previous: int | None, place: int, language: str) -> Side | None:
    if previous is not None:
        return _JOINED
    start = place
    while start > 0 and tokens[start - 1].kind != "equal" and not _is_break(tokens, start - 1):
        start -= 1
    if start > 0 and tokens[start - 1].kind in ("word", "ideograph"):
        word = tokens[start - 1].text.lower().rstrip("₀₁₂₃₄₅₆₇₈₉")
        if (
            word in word_list("before_sums")
            or word in LEADING_IDEOGRAPHS
            or (word in word_list("between_numbers") and not _follows_equality(tokens, start - 1))
        ):
            return None
    if start > 0 and tokens[start - 1].kind == "equal":
        return None
    written = tokens[start:place]
    if start > 0 and tokens[start - 1].kind == "word" and (_is_range(written) or _is_remark(written)):
        return None
    side = _read(written, language, opens=True)
    return side if side is not None and side.operators else None


def _is_range(tokens: list[Token]) -> bool:
    """`1-2` behind a word, as in `weeks 1-2`."""
    kinds = [token.kind for token in tokens]
    return kinds == ["number", "operator", "number"] and tokens[1].text in "-–−" and not tokens[1].spaced


def _is_remark(tokens: list[Token]) -> bool:
    """Whether a side is one bracket behind a word: `the rest (5/3) = …`."""
    return bool(tokens) and tokens[0].kind == "open" and tokens[-1].kind == "close"


def _follows_equality(tokens: list[Token], at: int) -> bool:
    """Whether what stands before a word is the right side of an equality."""
    for place in range(at - 1, -1, -1):
        if tokens[place].kind == "equal":
            return True
        if _is_break(tokens, place):
            return False
    return True


def _parts_with_equality(text: str) -> Iterator[Iterator[Token]]:
    """The tokens of the lines, and in long ones of the sentences, that hold an equality: nothing is read across their
    ends.
    """
    start = 0
    for line in text.splitlines(keepends=True):
        if "=" in line or "＝" in line:
            begin = start
            for end in (*(start + match.end() for match in SENTENCE_END.finditer(line)), start + len(line)):
                if EQUAL.search(text, begin, end):
                    yield _tokens(text, begin, end)
                begin = end
        start += len(line)


EQUAL = re.compile("[=＝]")
SENTENCE_END = re.compile(r"[.?](?<!\.\.)(?=\s)")
"""Always a token of its own, at which a side ends"""


def _tokens(text: str, start: int, end: int) -> Iterator[Token]:
    spaced = True
    for match in TOKEN.finditer(text, start, end):
        kind = str(match.lastgroup)
        if kind == "space":
            spaced = True
            continue
        yield Token(kind, match.group(), match.start(), match.end(), spaced)
        spaced = False


def _is_break(tokens: list[Token], at: int) -> bool:
    """Whether a token ends a side: a mark, or a word that is no unit behind a number and no part of a formula."""
    token = tokens[at]
    if token.kind == "break":
        return True
    if token.kind == "ideograph":  # the first one behind a number is its unit
        return (
            at == 0
            or PARTICLE.match(token.text) is not None
            or tokens[at - 1].kind not in ("number", "close", "operator")
            or (at + 1 < len(tokens) and tokens[at + 1].kind == "ideograph" and tokens[at - 1].kind != "number")
        )
    if token.kind != "word":
        return False
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    ends = after is None or after.kind in ("operator", "equal", "break", "close")
    if before is not None and before.kind in ("number", "close", "money") and ends:
        return False  # a unit
    if before is not None and before.kind == "operator":
        return False  # a variable
    return not (after is not None and (after.kind == "operator" or (after.kind == "open" and not after.spaced)))


def _may_end(tokens: list[Token], at: int) -> bool:
    """Whether what ends a side leaves it as it is: `= 3 remainder 2`, `= 5?` and `= 101 (base 2)` do not."""
    token = tokens[at]
    if token.text in ("?", "？", "؟", "≡"):
        return False
    if token.kind == "break":
        return True
    while at + 1 < len(tokens) and token.kind == tokens[at + 1].kind == "ideograph" and not tokens[at + 1].spaced:
        at += 1
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    return after is None or after.kind not in ("number", "operator", "open", "time", "unknown")


def _read(tokens: list[Token], language: str, *, opens: bool = False, closes: bool = False) -> Side | None:
    """A side as it stands between its ends. The first one of a chain may open brackets that close elsewhere (`opens`),
    the last one may close some; a bracket that is open at the equality itself is one of a pair of numbers.
    """
    while opens and tokens and tokens[0].kind == "open" and _num_open(tokens) > 0:
        tokens = tokens[1:]
    while closes and tokens and tokens[-1].kind == "close" and _num_open(tokens) < 0:
        tokens = tokens[:-1]
    if not tokens or len(tokens) > 200 or (language in RATIOS and any(token.text == ":" for token in tokens)):
        return None
    values = []
    for loose in (False, True):
        reader = Reader(tokens, language, loose)
        try:
            value, error = reader.read()
        except (ValueError, RecursionError):
            return None
        values.append(value)
        if "/" not in reader.operators and ":" not in reader.operators:
            break
    exact = not reader.decimals and not set("/:÷") & set(reader.operators) and all(v.denominator == 1 for v in values)
    return Side(tuple(dict.fromkeys(values)), error, exact, reader.operators, tuple(reader.units), tuple(tokens))


def _num_open(tokens: list[Token]) -> int:
    return sum((token.kind == "open") - (token.kind == "close") for token in tokens)
