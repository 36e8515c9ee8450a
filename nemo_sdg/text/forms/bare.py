"""An answer without the words around it: `The answer is Paris.`, `es ist Paris`, `答えは東京です`, `in 1804`, `1804年`.

bare("It is photosynthesis.", "en")      ->  "photosynthesis"
year("im Jahr 1804")                     ->  "1804"
without_asked("Paris is the capital", "Paris", "What is the capital of France?", …)
"""

import functools
import re

from nemo_sdg.text.forms.framing import denies as says_no
from nemo_sdg.text.forms.lexicon import lexicon, listed

_LEADS = re.compile(
    r"(?:(?:so|thus|therefore|hence|also|daher|donc|por lo tanto)[, ]+)?(?:"
    r"(?:the\s+)?(?:(?:correct|right|final)\s+)?(?:answer|solution|result)(?:\s+(?:is|would be|was))?\s*[:=]?"
    r"|it(?:\s+is|\s+was|'s|’s)(?:\s+called)?|this is|that is|that's|they are|these are|he was|she was|he is|she is"
    r"|(?:die\s+)?(?:richtige\s+)?(?:antwort|lösung)(?:\s+(?:ist|lautet))?\s*:?|es (?:ist|war|sind|waren)|das "
    r"(?:ist|war)"
    r"|(?:la\s+)?(?:bonne\s+)?réponse(?:\s+est)?\s*:?|c['’](?:est|était)|il s['’]agit (?:de|d['’])"
    r"|(?:la\s+)?respuesta(?:\s+(?:correcta\s+)?es)?\s*:?|(?:se trata de|fue|era|es)"
    r"|(?:a\s+)?resposta(?:\s+(?:correta\s+)?é)?\s*:?|(?:trata-se de|foi|é)"
    r"|(?:la\s+)?risposta(?:\s+è)?\s*:?|(?:si tratta di|fu|è)"
    r"|(?:het\s+)?antwoord(?:\s+is)?\s*:?|(?:dat|het) is|svaret är\s*:?|det är|svaret er\s*:?|det er"
    r"|(?:правильный\s+)?ответ\s*[:—-]?|это(?:\s+был[аио]?)?|[^\W\d_]{3,20} рав(?:ен|на|но|ны)|"
    r"odpowiedź(?:\s+to)?\s*:?|jest to|to jest|cevap\s*:?|"
    r"الجواب(?:\s+هو|\s+هي)?\s*:?|الإجابة(?:\s+هي)?\s*:?|هو|هي|उत्तर(?:\s+है)?\s*:?|यह|jawabannya adalah|đáp án "
    r"là|câu trả lời là|là"
    r")\s+(?=\S)",
    re.IGNORECASE,
)
_CJK_LEADS = re.compile(
    r"(?:(?:正确)?(?:答案|作者|首都|答え|正解|정답은|답은|작가는|수도는)\s*(?:是|为|為|は|[:：])?|这是|這是|那是|它是|他是|她是|是|それは|これは|그것은)\s*(?=\S)"
)
_IN = re.compile(r"^(?:in|In|en|En|dans|Dans|im|Im|em|Em|nel|Nel|nella|Nella|в|В|во|w|W|at|At)\s+(?=[^\W\d_a-zà-ÿа-я])")
_ENDS = re.compile(
    r"(?:['’](?:d[ıiuü]r|t[ıiuü]r)|\s+tarihinde|\s+yılında|です|でした|である|だ|입니다|이다|이에요|예요|है|हैं|था|थे|थी)[。.]?$"
)
_YEAR = re.compile(
    r"(?:(?:in|during|the year|in the year|im jahre?|anno|en|en el año|en l['’]an|l['’]an|l['’]année|el año|no "
    r"ano de|em|nel|"
    r"nell['’]anno|в|у|w roku|år|i)\s+)*(?P<year>\d{3,4})"
    r"(?:\s*(?:年|년|год[ау]?|году|г\.|г|року|roku|r\.|yılı(?:nda)?|a\.?d\.?|c\.?e\.?|n\.\s?chr\.?|ap\.\s?j\.?-?c\.?|d\.\s?c\.?|ई\.?|م|ميلادي[ةا]?))?",
    re.IGNORECASE,
)
_BEFORE_CHRIST = re.compile(
    r"\s*(?:b\.?\s?c\.?(?:\s?e\.?)?|v\.\s?chr\.?|av\.\s?j\.?-?c\.?|a\.\s?c\.?|до н\.?\s?э\.?|p\.n\.e\.?|före "
    r"kr\.?|f\.\s?kr\.?|"
    r"ق\.?\s?م\.?|ईसा पूर्व)\s*$|^\s*(?:公元前|紀元前|기원전|mö|m\.ö\.)\s*",
    re.IGNORECASE,
)
_CONTRAST = frozenset(
    re.findall(
        r"\w+",
        "not no never none neither nor or and but only except without north south east west northern southern eastern "
        "western upper lower left right new old first second third last great little big small more less most least "
        "high low before after anti non pro half double nicht kein keine oder und aber ohne nur nord süd ost alt neu "
        "pas ni ou et mais sans nord sud est ouest ancien nouveau no ni o y pero sin norte sur este oeste não nem ou "
        "não e mas sem norte sul non né o e ma senza nord sud не ни или и но без северный южный 不 非 没 无 北 "
        "南 东 西 "
        "upper under over against both all some half left",
    )
)


COPULAS = listed("copulas")


def bare(text: str) -> str:
    """Without the words that lead to an answer or close a sentence around it; the text as it is where none stand."""
    text = text.strip()
    for lead in (_LEADS, _CJK_LEADS):
        if (found := lead.match(text)) is not None:
            text = text[found.end() :]
    if (end := _ENDS.search(text)) is not None and end.start() > 0:
        text = text[: end.start()]
    return _IN.sub("", text.strip(" :：,"))


_SUBJECT = re.compile(
    r"(?P<subject>[^。，,]{1,40}?)(?:是|为|為|叫做?|は|는|은|이름은)\s*(?P<said>[^。，,]{1,60})[。.]?$"
)


_OPPOSED = frozenset("大小多少高低长長短前后後东東西南北上下左右新旧舊早晚增减減正负負内外冷热熱轻輕重快慢男女")
"""Characters that turn a question into its opposite"""


def predicate(text: str, question: str) -> str | None:
    """What a Chinese, Japanese or Korean sentence says of what was asked: 水的化学式为H2O, to 水的化学式是什么?"""
    found = _SUBJECT.fullmatch(text.strip()) if not text.isascii() else None
    if found is None:
        return None
    if says_no(found["subject"]) and not says_no(question):
        return None
    if any(char in _OPPOSED and char not in question for char in found["subject"]):
        return None
    known = sum(char in question for char in found["subject"])
    return bare(found["said"]) if known >= 0.8 * len(found["subject"]) else None


_IN_THAI = re.compile(r"(?:ปี\s*)?([พค])\.\s?ศ\.?\s*(\d{3,4})")
"""พ.ศ. 2567, of the Buddhist era, is ค.ศ. 2024"""


def year(text: str) -> str | None:
    """The year that a whole text is, without words of time around it; a year before our era with a minus sign."""
    if (thai := _IN_THAI.fullmatch(text.strip())) is not None:
        return str(int(thai[2]) - 543 * (thai[1] == "พ"))
    text = text.strip().rstrip(".") if not text.strip().endswith(("г.", "r.")) else text.strip()
    stripped = _BEFORE_CHRIST.sub("", text)
    before = stripped != text
    found = _YEAR.fullmatch(stripped.strip())
    return None if found is None else ("-" if before else "") + found["year"]


@functools.cache
def _kinds() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    before, behind = (
        "|".join(sorted((re.escape(word.strip()) for word in lexicon()[key].split("|")), key=len, reverse=True))
        for key in ("kinds_before", "kinds_behind")
    )
    return (
        re.compile(rf"(?:the )?(?:{before})\.? (?=\S)"),
        re.compile(rf" (?:{behind})"),
        re.compile(rf"(?:{lexicon()['kinds_joined']})"),
    )


def without_kind(text: str) -> str:
    """A normalised text without the word for what it is: mount, lake, river, city of; 市, 江, 시 behind names."""
    before, behind, joined = _kinds()
    if (found := before.match(text)) is not None and len(text) - found.end() > 0:
        return text[found.end() :]
    for found in behind.finditer(text):
        if found.end() == len(text):
            return text[: found.start()]
    if len(text) > 2 and text[-1] > "\u2e7f" and (found := joined.search(text, max(2, len(text) - 3))) is not None:
        return text[: found.start()] if found.end() == len(text) else text
    return text


def asked_words_apart(short: list[str], long: list[str], asked: frozenset[str]) -> bool:
    """Whether a text of words is the other one without words of the question that stand before it, or that say of it
    what was asked, and says something that the question has not: `Seine`, `the river Seine` and `Seine is the river`
    answer `Which river flows through Paris?`. `Eiffel` is not the Eiffel Tower.
    """
    if not 0 < len(short) < len(long) or asked.issuperset(short):
        return False
    ends, begins = long[-len(short) :] == short, long[: len(short)] == short
    extra = long[: -len(short)] if ends else long[len(short) :]
    if not ends and not (begins and extra[0] in COPULAS):
        return False
    return not any(
        word not in asked or word in _CONTRAST or len(word) < 2 or any(map(str.isdigit, word)) for word in extra
    )
