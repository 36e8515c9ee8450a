"""Texts that speak of options by their place or letter: the options must keep their order, or show their letters.

    speak_of_place(["tin", "zinc", "both A and B"])       True
    speak_of_place(["whale", "bat", "all of the above"])  True
    speak_of_place(["tin", "zinc", "sulphur"])            False
    speaks_of_letters("B is too heavy, so (C) is right.", 4)  True
    speaks_of_letters("A whale is no fish, as I said.", 4)    False

Keeping an order that could have been changed costs nothing, a changed one makes a right answer wrong. So the rules are
wide: what looks like a reference to other options counts as one.
"""

import functools
import re
from collections.abc import Iterable

IN_OTHER_SCRIPTS = (
    r"(?:جميع|كل) (?:ما (?:سبق|ذكر)|الإجابات|الخيارات)|لا شيء مما|^\W*(?:[أابجد]\W*و\W*)+[بجد]\W*$"
    r"|همه[\u200cی ]*(?:موارد|گزینه)|هیچ[\u200c ]?(?:کدام|یک)|گزینه[\u200cهای ]*(?:الف|[بجد]|[1-4۱-۴])(?!\w)"
    r"|^\W*(?:(?:الف|[بجد])\W*و\W*)+[بجد]\W*$|هر (?:دو|سه) (?:مورد|گزینه)"
    r"|(?:כל|אף) (?:ה?תשובות|ה?אפשרויות|תשובה|אפשרות|הנ[\"״]ל)|תשובות [א-ד]\W* ו|^\W*[א-ד]\W*\sו\W*[א-ד]\W*$"
    r"|उपर्युक्त|उपरोक्त|इनमें से (?:कोई|सभी)|^\W*[क-ङ]\W+और\W+[क-ङ]\W*$|উপরের (?:সব|কোন)|উপরোক্ত|পূর্বোক্ত"
    r"|(?:ถูก|ผิด)ทุกข้อ|ไม่มีข้อ(?:ใด)?ถูก|ข้อ ?[ก-ง] ?(?:และ|กับ) ?(?:ข้อ ?)?[ก-ง]"
    r"|όλα τα παραπάνω|κανένα (?:από|εκ)|^\W*(?:τ[οα] )?[α-δ]\W+και\W+(?:το )?[α-δ]\W*$"
    r"|(?:оба|все|ни один|верны) (?:вариант|ответ|утвержден|оба)|(?:варианты?|ответы?) [а-д] и [а-д](?!\w)"
    r"|^\W*(?:только )?[а-д]\W+и\W+[а-д]\W*$"
    r"|[A-D甲乙丙丁][和与與、と및][A-D甲乙丙丁](?:都|均|皆|の|\W*$)|上記の|該当なし|위의? (?:모두|보기)|모두 정답"
    r"|tất cả (?:đều|các (?:đáp án|ý|câu|phương án))|^\W*cả [a-d]\W+và [a-d]|(?:đáp án|câu|ý) [a-d] và [a-d](?!\w)"
    r"|không (?:có )?(?:đáp án|câu|ý|phương án) nào|^\W*(?:hepsi|hiçbiri)\W*$|yukarıdaki"
    r"|^\W*(?:yalnız )?[a-e] ve [a-e]\W*$"
    r"|\b(?:yote|zote|hakuna)\b.{0,15}\b(?:hapo juu|jibu)"
)
"""what options say of other options, in languages beside those of western Europe; to be read without case"""
_LETTER = r"[(\[]?(?:[A-J]|[a-j](?=[)\]]))[)\]]?"
_AND = r"(?:,?\s*(?:and|or|nor|&|und|oder|y|o|e|et|ou|и|или|i|en|og|och|ja|və|ve|和|或|と|및|,|/))"
_REFERENCES = re.compile(
    rf"(?:^|\b(?i:both|neither|either|only|options?|choices?|answers?|statements?)\s+){_LETTER}(?:{_AND}\s*{_LETTER})+(?:\W|$)"
    rf"|^(?i:only|both|neither)\s+{_LETTER}(?:\W|$)"
    rf"|\b(?i:options?)\s+{_LETTER}(?:\W|$)|^(?i:choices?|answers?)\s+{_LETTER}(?:\W|$)"
)
_ROMAN = r"[(\[]?(?:I{1,3}|IV|V)[)\]]?"
_NUMBER = rf"(?:[(\[]?[1-9][)\]]?|{_ROMAN})"
_NUMBERED = re.compile(
    rf"^(?i:both|neither|either|only|options?|choices?|answers?|statements?)\s+{_NUMBER}(?:{_AND}\s*{_NUMBER})+(?:\W|$)"
    rf"|^{_NUMBER}(?:{_AND}\s*{_NUMBER})+\s+(?i:only|both)$|^{_ROMAN}(?:{_AND}\s*{_ROMAN})+$"
)
_WORDS = re.compile(
    r"\b(?:all|none|both|neither|either|any|each|some|two|three|most|more than one|one)\s+(?:of\s+)?(?:the\s+)?"
    r"(?:(?:answers?|choices?|options?|statements?|others?)\s+)?"
    r"(?:(?:above|below|other (?:answers?|choices?|options?))\b(?!-)"
    r"|(?:others|these|those)(?:$| (?:answers?|choices?|options?|statements?)\b"
    r"| (?:is|are) (?:(?:all|not) )?(?:right|correct|true|wrong|incorrect|false)\b)"
    r"|(?:preceding|previous|following)(?:$| (?:answers?|choices?|options?|statements?)\b))"
    r"|\b(?:all|none|both|neither|any|each|two) of (?:them|(?:the )?(?:answers|choices|options))\b"
    r"|\b(?:first|last|previous|above|preceding)\s+(?:two\s+|three\s+)?(?:answers?|choices?|options?)\b"
    r"|\b(?:tod[oa]s|ningun[oa]|ambas|nenhuma?)\s+(?:(?:de\s+)?(?:l[oa]s|[ao]s)\s+|d[ao]s\s+)?"
    r"(?:(?:respuestas|opciones|opções|alternativas|respostas)\s+)?(?:anteriores|acima|mencionad[ao]s|opciones|alternativas)\b"
    r"|\b(?:toutes|aucune)\b.{0,25}\b(?:ci-dessus|précédentes|réponses|propositions|options)"
    r"|\b(?:alle|keine[rs]?|beide)\b.{0,25}\b(?:oben|genannten|vorherigen|antworten|aussagen)\b"
    r"|^(?:alle|keine[rs]?|beide) von (?:den|ihnen)$"
    r"|\b(?:tutte|nessuna|entrambe)\b.{0,25}\b(?:precedenti|risposte|sopra)\b"
    r"|\b(?:все|ни одно|ни один|ничего)\b.{0,25}(?:вышеперечисленн|перечисленн|вариант|ответ|из них)"
    r"|\b(?:alle|ingen|inget|begge|båda)\b.{0,15}\b(?:over|ovenfor|ovan|ovenstående)"
    r"|\b(?:wszystkie|żadn[ae])\b.{0,15}\b(?:powyższ|odpowiedz)|\b(?:hepsi|hiçbiri)\b"
    r"|\b(?:semua|tidak ada)\b.{0,15}\b(?:di atas|benar)\b|\b(?:tất cả|không)\b.{0,15}\b(?:trên|đáp án)"
    r"|(?<!\w)以上|上述|上記|前述|いずれも|すべて正しい|위의\s*(?:모두|보기)|모두 (?:옳|맞|정답)|위\s*모두"
    rf"|{IN_OTHER_SCRIPTS}",
    re.IGNORECASE,
)


def speak_of_place(options: Iterable[str]) -> bool:
    """Whether one of the options refers to others by their letter or number or by where they stand."""
    return any(
        _REFERENCES.search(option.strip())
        or _NUMBERED.search(option.strip(" ."))
        or _WORDS.search(option.strip(" .。!\n\t"))
        for option in options
    )


_BRACKETED = r"[(（\[「]{letter}[)）\]」]|(?:^|\s)\**{letter}\**[)）]"
_ALONE = r"(?<![A-Za-z0-9_'’.\-]){letter}(?![A-Za-z0-9_'’\-+#])"
_ARTICLE_OR_PRONOUN = (
    r"(?<![A-Za-z0-9_'’.\-])[AI](?=\s+[a-z])"
    r"(?!\s+(?:is|was|and|or|are|has|does|fits|alone|nor|ist|est|es|è|y|et|und|oder)\b)"
)
_AFTER_WORD = (
    r"\b(?i:options?|choices?|answers?|statements?|letters?|alternatives?)\W{1,3}(?:[A-Ib-h]\b|a\b(?!\s+[a-z]))"
)


def speaks_of_letters(text: str, num_options: int) -> bool:
    """Whether a text may name one of so many options by its letter, in whatever language: a letter in brackets, or a
    capital that stands alone and is not the article `A` or the pronoun `I`.
    """
    return bool(num_options) and _letters(min(num_options, 26)).search(text) is not None


def refer_to_letters(options: Iterable[str]) -> bool:
    """Whether one of the options names others by their letters (`both A and B`)."""
    return any(_REFERENCES.search(option.strip()) for option in options)


@functools.cache
def _letters(num_options: int) -> re.Pattern[str]:
    last = chr(ord("A") + num_options - 1)
    capital = f"[A-{last}]"
    either = f"[A-{last}a-{last.lower()}]"
    return re.compile(
        f"{_BRACKETED.format(letter=either)}|(?!{_ARTICLE_OR_PRONOUN}){_ALONE.format(letter=capital)}|{_AFTER_WORD}",
        re.MULTILINE,
    )


_IN_BRACKETS = re.compile(r"\(([^()\[\]{},;]*)\)")
_WORD_IN_BRACKETS = re.compile(r"(?<=\s)\([^\W\d_]+\)(?!\S)")
_SIGN = re.compile(r"[()\[\]/]|(?<![_^])\{|(?:(?<=[\d)\]])|(?<=\b[A-Za-z]))\s?[!:]|(?<=\s)\.(?=\s)")
"""not the braces of an index in LaTeX, nor marks that end a word"""


def signs(option: str) -> list[str]:
    """The signs of an option without words that its words do not hold: [1, 2) is not [1, 2], and 5! is not 5. No! is no
    factorial, and a unit in brackets is that unit.
    """
    if re.search(r"(?<![\\A-Za-z])[^\W\d_]{3,}", option):
        return []
    bare = _IN_BRACKETS.fullmatch(option)
    return [sign.strip() for sign in _SIGN.findall(_WORD_IN_BRACKETS.sub("", option) if bare is None else bare[1])]
