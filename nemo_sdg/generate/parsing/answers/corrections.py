r"""An answer that its writer takes back in the same breath: what it is in the end.

corrected("B) oxygen\n\nWait, I mixed up the letters. So the answer is C.", "multiple_choice", options)  ->  options[2]
corrected("42\n\nCorrection: 48", "numeric", None)                             ->  "48"
corrected("42\n\nHold on, I forgot the second tray.", "numeric", None)         ->  None    (none that could be read)
corrected("42\n\nWait, let me check: 6 * 7 = 42.", "numeric", None)            ->  the text as it is
"""

import re

from nemo_sdg.generate.parsing.answers.clauses import option_of
from nemo_sdg.generate.parsing.answers.dress import find_said, tidy_answer
from nemo_sdg.generate.parsing.answers.options import GRANTS, REJECTS, concluded_option, match_option, names_another
from nemo_sdg.records import LABELS, Kind

_CALLS = (
    r"wait|hold on|correction|oops|whoops|sorry|(?:my )?apologies|my mistake|edit|update|erratum|"
    r"(?:scratch|strike) that|"
    r"moment(?: mal)?|halt|warte|stopp?|korrektur|berichtigung|entschuldigung|attends|attendez|pardon|erreur|"
    r"rectification|espera|espere|perdón|corrección|rectificación|aspetta|scusa|correzione|errata|correção|desculpe|"
    r"retificação|wacht|correctie|vänta|rättelse|rettelse|korjaus|korekta|chwila|oprava|javítás|corectură|"
    r"подожди(?:те)?|стоп|поправка|исправление|исправляюсь|ошибка|зачекай(?:те)?|виправлення|поправко|"
    r"bekle|düzeltme|tunggu|koreksi|ralat|khoan(?: đã)?|đính chính|sửa lại|subiri|sahihisho|διόρθωση|περίμενε|"
    r"انتظر|تصحيح|תיקון|रुकिए|सुधार|সংশোধন|"
    r"等等|等一下|更正|修正|纠正|糾正|不对|不對|訂正|待って(?:ください)?|すみません|잠깐만?(?:요)?|정정|수정"
)
"""words of a correction where a comma, a colon or an end follows"""
_PHRASES = (
    r"(?:wait,? )?(?:that(?:['’]s| is| was) (?:wrong|incorrect|not right)|"
    r"i (?:made (?:an?|the) (?:\w+ )?(?:mistake|error|slip)|"
    r"mis(?:read|label\w*|count\w*|calculat\w*|typed|spoke|stated|wrote)|meant|was wrong|mixed up|swapped))|"
    r"on (?:second thoughts?|reflection)|let me (?:correct|reconsider|redo|recompute|recalculate|fix|revise)|"
    r"ich habe mich (?:vertan|geirrt|verrechnet|verschrieben)|ich meinte|je me suis tromp|je voulais dire|"
    r"me (?:he )?equivo|quise decir|me enganei|quis dizer|mi sono sbagliat|volevo dire|ik heb me vergist|"
    r"я ошиб|я имел|pomyliłem|pomyliłam|我(?:算|看|写|寫|搞|弄)错|間違えま"
)
_WEAKLY = r"actually|hmm+|en fait|eigentlich|tatsächlich|en realidad|na verdade|in realtà|実は|其实|실은"
"""words that may begin a correction or a remark"""
_ENDS = r"[*_]*\s*(?=[,.:;!…—–，、：。！])"
_FOLLOWS = r"[\s,.:;!…—–，、：。！*_]+"
CORRECTION = re.compile(
    rf"(?:(?<=\n)|(?<=[.!?)*;—–-]\s)|(?<=[。！？]))[ \t*_>(\[]*"
    rf"(?:(?:(?P<weak>{_WEAKLY})|{_CALLS}){_ENDS}|(?:{_PHRASES}))",
    re.IGNORECASE,
)
"""how a line or a sentence begins that takes back what stands before it"""
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n+")
_CALLED = re.compile(
    rf"[\s*_>(\[]*(?:(?:(?:{_WEAKLY}|{_CALLS}){_ENDS}|(?:{_WEAKLY})(?=\s)|i mean[t]?){_FOLLOWS})+(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_LETTER = re.compile(r"(?<![\w'’])(?:[B-Z]|A(?!\s[a-z]))(?![\w'’])")
_CONFIRMS = re.compile(
    r"\b(?:yes|right|correct|confirmed|stands|holds|ja|richtig|stimmt|oui|juste|sí|correcto|sim|correto|sì|corretto|да|верно)\b"
    r"|正确|正確|正しい|没错|맞",
    re.IGNORECASE,
)
_LONGEST_VALUE = 4
"""words"""


def corrected(answer: str, kind: str, options: list[str] | None) -> str | None:
    """What an answer is once its writer has corrected it; None where the correction states no answer. An answer that is
    not corrected, or that the correction confirms, is returned as it is.
    """
    if any(CORRECTION.search(f"\n{option}") for option in options or ()):
        return answer  # an option of a dialogue: `Sorry, I am late.`
    lines_only = kind == Kind.short_text and options is None  # `Hi. Sorry, I am late` is one text
    places = (at for at in CORRECTION.finditer(answer) if not lines_only or answer[at.start() - 1] == "\n")
    if (found := next(places, None)) is None:
        return answer
    first, tail = answer[: found.start()].strip(), answer[found.start() :]
    sentences = [part for part in _SENTENCES.split(tail) if part.strip()]
    if options is not None:
        if stated := _stated_last(sentences, options):
            return stated
        own = option_of(first, options)
        return own if own is not None and _confirms(tail, own, options, weakly=bool(found["weak"])) else None
    if said := find_said(tail):
        return said[-1].rest
    called = _CALLED.match(tail) if len(sentences) == 1 else None
    rest = called["rest"].strip() if called else ""
    if (
        rest
        and len(rest.split()) <= _LONGEST_VALUE
        and not re.search(rf",|[?]$|{REJECTS.pattern}|{GRANTS.pattern}", rest)
    ):
        return rest
    return answer if found["weak"] or _holds(sentences[-1], tidy_answer(first, kind)) else None


def _stated_last(sentences: list[str], options: list[str]) -> str | None:
    """The option that the last sentence states which speaks of options."""
    for sentence in reversed(sentences):
        if option := _stated(sentence, options):
            return option
        spoken = {LABELS.index(letter) for letter in _LETTER.findall(sentence)}
        if min(spoken, default=len(options)) < len(options) or names_another(sentence, "", options):
            return None
    return None


def _stated(sentence: str, options: list[str]) -> str | None:
    """The option that a sentence of a correction states; what it rejects is none."""
    if said := find_said(sentence):
        return option_of(said[-1].rest, options)
    called = _CALLED.match(sentence)
    bare = (called["rest"] if called else sentence).strip()
    if not bare or bare.endswith(("?", "？")) or REJECTS.search(bare):
        return None
    if (option := option_of(bare, options) or concluded_option(bare, options)) is not None:
        return option
    letters = _LETTER.findall(bare)
    last = bare.rstrip(" .!。)*_")[-1:]
    return match_option(last, options, in_sentence=False) if letters == [last] else None


def _confirms(tail: str, own: str, options: list[str], *, weakly: bool) -> bool:
    """Whether a correction speaks of no option but `own`, and of that one well, or `weakly` of none."""
    letter = LABELS[options.index(own)]
    letters = {each for each in _LETTER.findall(tail) if LABELS.index(each) < len(options)}
    if letters - {letter} or names_another(tail, own, options) or REJECTS.search(tail):
        return False
    return weakly or letter in letters or own.casefold() in tail.casefold() or _CONFIRMS.search(tail) is not None


def _holds(sentence: str, value: str) -> bool:
    """Whether a sentence ends in a value, perhaps with a word behind it."""
    place = sentence.rfind(value) if value else -1
    before, after = sentence[:place], sentence[place + len(value) :] if place >= 0 else ""
    return place >= 0 and not before[-1:].isalnum() and not after[:1].isalnum() and not re.search(r"\d", after)


def is_corrected(text: str) -> bool:
    """Whether a text begins with a correction."""
    found = CORRECTION.search("\n" + text.lstrip())
    return found is not None and found.start() <= 1
