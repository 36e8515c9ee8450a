"""Who did it to whom, by the order of words and by particles, in sentences that restate a question.

turned_round(["churchill", "succeeded"], "Who succeeded Churchill?", "en")  ->  True
"""

import re

from nemo_sdg.text.forms.aligning import frame_of, is_among, tokens_of
from nemo_sdg.text.numbers.spelled import base_language

_SUBJECT_FIRST = {
    "en": (
        r"(?:who|what|which \S+)\b"
        r"(?!.*\b(?:do|does|did|will|can|could|should|would|is|was|are|were|be|been)\b)",
        "is was are were be been being by",
    ),
    "fr": (r"(?:qui|quel(?:le)?s? \S+)\b(?!.*(?:est-ce|-(?:il|elle|t-)))", "est était sont étaient fut furent été par"),
    "vi": (r"ai\b", "là bởi do"),
    "id": (r"siapa\b", "adalah ialah oleh"),
    "es": (r"(?:quién|quiénes)\b", "lo la los las se es era fue fueron por está"),
    "it": (r"chi\b(?!.*\b(?:è|era|fu)\b)", "è era fu stato stata da dal dalla dall dallo dai"),
    "pt": (r"quem\b", "é era foi foram sido por pelo pela"),
    "de": (r"(?:wer|welche[rs]? \S+)\b", ""),
    "nl": (r"(?:wie|welke? \S+)\b", ""),
    "sv": (r"(?:vem|vilke[nt] \S+)\b", ""),
    "da": (r"hvem\b", ""),
    "no": (r"hvem\b", ""),
}
"""Languages in which a subject that is asked for stands first: its question, and the words that may stand before it"""
_GERMANIC = ("de", "nl", "sv", "da", "no")
"""Languages whose object may stand first; a bare name that stands first is taken for the subject"""
_AUXILIARY = re.compile(r"\b(?:do|does|did)\b", re.IGNORECASE)
_PASSIVE = frozenset(["is", "was", "are", "were", "be", "been", "being", "by"])
_ASKED_PARTICLE = re.compile("(?:誰|だれ|何|なに|どこ|どれ|どの\S{1,4}?)(?P<particle>[がをにへと])")
_OBJECT_OF = re.compile("(?:को|से)")


def turned_round(before: list[str], question: str, language: str) -> bool:
    """Whether what stands last was done to: `Churchill succeeded Attlee` does not say who succeeded Churchill."""
    tongue = base_language(language)
    asks, allowed = _SUBJECT_FIRST.get(tongue, ("", ""))
    if not asks or re.match(asks, question.strip(" ¿«\"'").casefold(), re.DOTALL) is None:
        return False
    frame = frame_of(language)
    if tongue in _GERMANIC:
        return bool(before) and frame.isdisjoint(before)
    if tongue == "es" and before and before[-1] == "a":
        return True
    return not frame.issuperset(before) and set(allowed.split()).isdisjoint(before)


def roles_changed(words: list[str], question: str, language: str) -> bool:
    """Whether the subject of an English question with `did` stands behind other words of it in an active sentence:
    `Poland invaded Germany` does not say which country Germany invaded.
    """
    aux = _AUXILIARY.search(question) if base_language(language) == "en" else None
    if aux is None or not _PASSIVE.isdisjoint(words):
        return False
    frame = frame_of(language)
    after = [token.word for token in tokens_of(question[aux.end() :]) if token.word not in frame]
    if len(after) < 2 or after[0] not in words:
        return False
    others = frozenset(after[1:])
    return any(is_among(word, others, language) for word in words[: words.index(after[0])])


def other_particle(short: str, long: str, question: str) -> bool:
    """Whether an answer stands in a Japanese sentence with another particle than the question word: 花子に, to 誰が."""
    asked = _ASKED_PARTICLE.search(question)
    behind = long[long.find(short) + len(short) :][:1]
    return asked is not None and behind in "がをにへと" and behind not in ("", asked["particle"])


def other_case(behind: str, question: str) -> bool:
    """The same in Hindi: रावण को, to किसने."""
    after = behind.split()[:1]
    return bool(after) and (
        ("किसने" in question and _OBJECT_OF.fullmatch(after[0]) is not None)
        or (("किसे" in question or "किसको" in question) and after[0] == "ने")
    )
