r"""Mathematical answers out of the words around them, and in one notation of functions.

readings("The solution set is $\{3\}$.", question, "en")         ->  [r"\{3\}"]
readings("y = 2(x-2), i.e. y = 2x - 4", question, "en")          ->  ["y = 2(x-2)", "y = 2x - 4"]   (said twice)
readings("x^2 + c, where c is a constant", question, "en")       ->  ["x^2 + C"]
readings("All real numbers except x = 1", question, "en")        ->  [r"x \neq 1"]
functions("2·cos 2x + exp(x)")                                   ->  r"2·\cos 2x + e^{x}"
"""

import functools
import re
from fractions import Fraction

from nemo_sdg.text.forms import framing
from nemo_sdg.text.forms.lexicon import lexicon, listed
from nemo_sdg.text.latex import plain
from nemo_sdg.text.numbers import is_hedged, read_number

_AGAIN = re.compile(
    r"\s*[,;]?\s+(?:i\.\s?e\.|that is(?: to say)?|or equivalently|equivalently|which (?:is|equals|simplifies to)|"
    r"in other words|d\.\s?h\.|das heißt|also|c['’]est-à-dire|soit|es decir|o sea|ou seja|isto é|"
    r"cioè|ossia|ovvero|dus|oftewel|"
    r"alltså|dvs\.?|"
    r"altså|то есть|т\.\s?е\.|czyli|tj\.|yani|tức là|yaitu)(?!\w),?\s*|\s*[,，]\s*(?:即|也就是|つまり|즉)\s*",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"\s*[,(]\s*(?:where|wobei|mit|où|avec|donde|con|dove|onde|com|waarbij|där|где|gdzie|de)\s+[^()]*"
    r"\b(?:constant\w*|konstant\w*|constante|costante|logarithm\w*|logarithme|logaritmo|integration\w*|констант\w*|постоянн\w*|"
    r"stał\w*)\b[^()]*\)?$",
    re.IGNORECASE,
)
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_IF_DEFINED = re.compile(
    r"\s*[,(]?\s*(?:for|where|if|provided|with|für|falls|pour|si|para|per|se|при)\s+(?:all\s+)?\$?[a-z]\s*(?:\\neq?|≠)"
    r"\s*[^,;]+\)?$"
)
_NATURAL = re.compile(r"natural\s+log|natürliche[rn]?\s+log|logarithme\s+n|logaritmo\s+n|натуральн", re.IGNORECASE)
_CONSTANT = re.compile(r"\+\s*(?:c|k|C|K)$")
_ASKS_INTEGRAL = re.compile(
    r"integra|antiderivative|stammfunktion|primitiv|первообразн|całk|积分|不定積分", re.IGNORECASE
)
_ASIDE = re.compile(r"\s+\((?=[^()]*(?<![A-Za-z\\])[^\W\d_]{3,}\s[^()]*\)$)[^()\\]*\)$")
_EXCEPT = re.compile(
    r"(?:\\mathbb\s*\{?R\}?|"
    r"(?:all|every|any|alle|tous les|todos os|todos los|tutti i|все)\s+(?:(?:real|reellen?|réels?|reales?|"
    r"reais|numeri|números|nombres|действительные)\s*)*"
    r"(?:numbers?|zahlen|reals|reali|reais|reales|числа|x|values)?(?:\s+of x)?)\s*"
    r"(?:\\setminus|\\backslash|except(?: for)?|other than|but|außer|sauf|excepto|salvo|exceto|eccetto|tranne|кроме)\s*"
    r"(?:\\?\{)?\s*(?:[a-z]\s*=\s*)?(?P<point>-?\\?[\w./{}]+?)\s*(?:\\?\})?",
    re.IGNORECASE,
)
_FUNCTION = re.compile(
    r"(?<![A-Za-z\\])(arc(?:sin|cos|tan)|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|ln|log)(?=\s*[\^_({|\\\d]|\s+[^\W_]|[a-z](?![a-z]))"
)
_EXP = re.compile(r"\\?(?<![A-Za-z])exp\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_SQRT = re.compile(r"(?<![A-Za-z\\])sqrt\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_BEGINS = re.compile(
    r"\\(?!text|mathrm|mbox)[A-Za-z{]|[\d(\[{|]|[-+]\s?[\w\\(]|(?:[^\W\d_]|\b[A-Z])(?:'|_\{?\w+\}?)*(?:\([a-z]\))?\s*(?:=|\\?[<>≤≥≠^]|\\[lgn]eq?)"
)
_JOINED_LEAD = re.compile(
    r"[导導微积積数數函原方程根解答案结結果值域坐标座標等式的集]{1,8}\s*(?:是|为|為|は|：)\s*(?=[-\d\\(\[{a-zA-Z])"
)
_SET_NAME = re.compile(r"^[A-Z](?:\s*\\(?:cap|cup|setminus)\s*[A-Z])+\s*=\s*(?=\\?\{)")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_STOPS = listed("functions")
_RATIO_LABEL = re.compile(r"(?P<one>[^\W\d_]+)\s*(?::|to|zu)\s*(?P<other>[^\W\d_]+)\s*(?:=|is)\s*(?=\d)", re.IGNORECASE)


@functools.lru_cache(maxsize=1 << 13)
def readings(text: str, question: str, language: str) -> tuple[str, ...]:
    """What an answer states, once for each time it says it; the text as it is where nothing is around it."""
    if len(text) > 400:
        return (text,)
    text = _IF_DEFINED.sub("", _BOLD.sub(r"\1", plain(re.sub("(?<=[A-Za-z])′", "'", text))))
    natural = _NATURAL.search(text) is not None
    text = _ASIDE.sub("", _WHERE.sub("", text))
    if natural:
        text = re.sub(r"\\?log(?![a-z])", r"\\ln", text)
    if _ASKS_INTEGRAL.search(question):
        text = _CONSTANT.sub("+ C", text)
    text = _without_rounding(text, language)
    parts = [part.strip(" ,;$") for part in _AGAIN.split(text)]
    if not 1 < len(parts) < 4 or not all(re.search(r"[\d\\=]|^[a-zA-Z]$", part) for part in parts):
        parts = [text]
    return tuple(_stated(part, question, language) for part in parts)


def _without_rounding(text: str, language: str) -> str:
    """`1/221 ≈ 0.45%` without the decimal, where it is the exact value rounded; the text as it is where it is not."""
    exact, sign, decimal = text.rpartition("≈" if "≈" in text else "\\approx")
    left, right = (read_number(side.strip(" ()$"), language) for side in (exact.rpartition("=")[2], decimal))
    if not sign or left is None or right is None or not right.places or left.unit != right.unit:
        return text
    share = 100 if right.percent and not left.percent else 1
    near = abs(left.value * share - right.value) * 2 <= Fraction(1, 10**right.places)
    return exact.strip(" ($") if near else text


def _stated(text: str, question: str, language: str) -> str:
    text = _without_words(text, question, language)
    if (but := _EXCEPT.fullmatch(text)) is not None:
        return rf"x \neq {but['point']}"
    if (ratio := _RATIO_LABEL.match(text)) is not None and _in_order(ratio, question):
        return text[ratio.end() :]
    return text


def _in_order(ratio: re.Match[str], question: str) -> bool:
    """Whether a ratio names its sides in the order of the question."""
    asked = question.casefold()
    one, other = asked.find(ratio["one"].casefold()), asked.find(ratio["other"].casefold())
    return 0 <= one < other


def _without_words(text: str, question: str, language: str) -> str:
    """Mathematics without words before it that say no more than the question, and that it is the solution."""
    if (joined := _JOINED_LEAD.match(text)) is not None and not framing.denies(joined[0]):
        return re.sub(r"\s*(?:です|이다|입니다|である)?[。.]?$", "", text[joined.end() :])
    text = _SET_NAME.sub("", text)
    begins = _BEGINS.search(text)
    if begins is None or begins.start() == 0:
        return text
    start = begins.start()
    while start > 0 and text[start - 1] in "$€£¥₹":
        start -= 1
    words, rest = text[:start], text[start:]
    named = _WORDS.findall(words)
    if (
        not named
        or is_hedged(words)
        or any(word.casefold() in _STOPS for word in named)
        or re.search(r"[\d\\=]", words)
    ):
        return text
    if _WORDS.search(re.sub(r"\\[A-Za-z]+", "", rest)) and not re.fullmatch(r"[^.]*[\d)}\]]\s+[^\W\d_]+\.?", rest):
        return text
    return rest if framing.frame_alone(words, question + " " + _NOUNS, language) else text


_NOUNS = str(lexicon()["mathematical_nouns"])
"""what a sentence of mathematics calls its result"""


def functions(text: str) -> str:
    """Functions that are written as words as LaTeX commands, for math-verify."""
    text = _EXP.sub(r"e^{\1}", text)
    text = re.sub(r"\\sqrt\s*(\d+|[A-Za-z](?![A-Za-z]))", r"\\sqrt{\1}", text)
    text = _SQRT.sub(r"\\sqrt{\1}", text)
    return _FUNCTION.sub(r"\\\1 ", text)
