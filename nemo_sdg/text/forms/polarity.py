"""Yes and no, in a word or in a sentence: `Yes, the statement is correct.`, `L'affirmation est fausse.`, `T`.

said_polarity("No, the statement is false.", "Is the statement correct?", "en")  ->  False
said_polarity("The claim is not true.", "True or false?", "en")                  ->  False
said_polarity("Yes, but only in winter.", "Is it cold?", "en")                   ->  None
"""

import re

from nemo_sdg.text.forms import aligning, framing
from nemo_sdg.text.forms.lexicon import listed
from nemo_sdg.text.numbers.spelled import VOWEL_SIGNS

_YES, _NO = listed("yes"), listed("no")
_SAID_TRUE, _SAID_FALSE = listed("said_true"), listed("said_false")
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{VOWEL_SIGNS}])*(?:['’]t\b)?")
_LED = re.compile(
    rf"\W*(?P<word>[^\W\d_](?:[^\W\d_]|[{VOWEL_SIGNS}])*)\**\s*(?:[,.;:!，。；：、،।—–]\**|\s-)\s*(?P<rest>\S.*)",
    re.DOTALL,
)
_HEDGED = re.compile(
    r"\b(?:but|only|except|unless|if|although|though|however|sometimes|partly|partially|usually|depends|may|might|aber|nur|"
    r"wenn|teilweise|außer|mais|seulement|sauf|si|parfois|pero|solo|sólo|excepto|salvo|a veces|ma|soltanto|tranne|mas|"
    r"apenas|exceto|maar|alleen|behalve|men|bara|kun|ale|tylko|но|только|если|иногда|але|тільки|ama|sadece|لكن|إلا|लेकिन|"
    r"tetapi|hanya|nhưng|chỉ)\b|但|只|除非|ただし|しかし|だけ|하지만|다만",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"(?:not|cannot|\w+n['’]t|nicht|kein\w*|pas|non|no|não|niet|geen|inte|ikke|nie|není|ei|не|değil|ليس|ليست|نहीं|नहीं|tidak|"
    r"bukan|không)",
    re.IGNORECASE,
)
_LETTERS = {
    re.compile(r"\btrue\b.*\bfalse\b", re.IGNORECASE | re.DOTALL): ("t", "f"),
    re.compile(
        r"\b(?:vrai|verdadero|verdadera|verdadeiro|vero)\b.*\bfals|\bvrai\b.*\bfaux", re.IGNORECASE | re.DOTALL
    ): ("v", "f"),
    re.compile(r"\bwahr\b.*\bfalsch", re.IGNORECASE | re.DOTALL): ("w", "f"),
    re.compile(r"\byes\b.*\bno\b", re.IGNORECASE | re.DOTALL): ("y", "n"),
}
"""Letters for the two answers, where a question offers both"""


def bare_polarity(text: str, question: str) -> bool | None:
    """Whether a text of one word is a yes or a no; None where it is neither."""
    word = text.strip().strip("*\"'`").rstrip(".。").casefold()
    if word in _YES or word in _NO:
        return word in _YES
    if len(word) == 1:
        for asks, letters in _LETTERS.items():
            if word in letters and asks.search(question):
                return word == letters[0]
    return None


def said_polarity(text: str, question: str, language: str) -> bool | None:
    """Whether a text says yes or no to a question; None where it says neither, or makes conditions."""
    if (bare := bare_polarity(text, question)) is not None:
        return bare
    if len(text) > framing.MAX_LENGTH or re.match(r"\s*[!¬~]", text):
        return None
    if (led := _LED.fullmatch(text.strip())) is not None and (lead := bare_polarity(led["word"], "")) is not None:
        if _HEDGED.search(led["rest"]):
            return None
        said = _of_sentence(led["rest"], question, language)
        return None if said is not None and said != lead else lead
    return _of_sentence(text, question, language)


def _of_sentence(text: str, question: str, language: str) -> bool | None:
    """What a sentence says that has only words of the question, of its frame, of affirmation and of denial."""
    outer, _, aside = text.partition("(")
    asked = {_based(word) for word in _WORD.findall(question)}
    asks = {_pole(word) for word in asked} - {None}
    neutral: list[str] = []
    said: set[bool] = set()
    negations = 0
    for word in (_based(found) for found in _WORD.findall(outer)):
        pole = _pole(word)
        if _NEGATION.fullmatch(word):
            negations += 1
        elif pole is not None and (word not in asked or len(asks) > 1):
            said.add(pole)
        else:
            neutral.append(word)
    rest = " ".join(neutral)
    if negations > 1 or len(said) > 1 or not framing.frame_alone(rest, question, language):
        return None
    if not said and (len(asks) > 1 or not framing.restates(rest, question, language) or framing.denies(question)):
        return None
    verdict = (next(iter(said), True)) != (negations == 1)
    if said and len(asks) == 1:  # `The statement is true` answers `Is it false?` with no
        verdict = verdict == next(iter(asks))
    again = bare_polarity(aside.rstrip(".) "), question) if aside else None
    return None if again is not None and again != verdict else verdict


def _based(word: str) -> str:
    return aligning.words(word)[0] if "가" <= word[0] <= "힣" else word.casefold()


def _pole(word: str) -> bool | None:
    true, false = word in _YES or word in _SAID_TRUE, word in _NO or word in _SAID_FALSE
    return None if true == false else true
