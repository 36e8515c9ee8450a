"""Names of persons and places in full and in short: initials, surnames, patronymics, the country behind a city.

same_person("A. Einstein", "Albert Einstein")                          ->  True
surname_of("Einstein", "Albert Einstein")                              ->  True
without_patronymic("Александр Сергеевич Пушкин")                       ->  "Александр Пушкин"
without_country("paris france")                                        ->  "paris"
"""

import functools
import re

from nemo_sdg.text.forms.lexicon import lexicon, listed
from nemo_sdg.text.forms.spelling import is_polar, unmarked

_TITLES = listed("titles")
_SETTING = re.compile(r"\s+of\s+(?:england|france|spain|scotland|russia|prussia|germany|austria|great britain)$")
_PARTICLES = frozenset(
    ["von", "van", "de", "da", "di", "der", "den", "la", "le", "du", "v", "del", "dos", "bin", "ibn"]
)
_PATRONYMIC = re.compile(r"\s+[А-ЯЁ][а-яё]+(?:вич|вна|ична|инична|ьич|ич)(?=\s)")
_WHO = re.compile(
    r"\bwho(?:m|se)?\b|\bwer\b|\bwen\b|\bwem\b|\bqui\b|\bquién(?:es)?\b|\bchi\b|\bquem\b|\bwie\b|\bvem\b|\bhvem\b|\bкто\b|\bкого\b|\bхто\b|\bkdo\b|\bkuka\b|\bai\b|\bsiapa\b|"
    r"\bkto\b|\bkim\b|谁|誰|누구|누가|من هو|कौन|किसने|"
    r"\bwhich (?:\w+ ){0,2}(?:scientist|author|writer|poet|painter|artist|composer|president|king|queen|physicist|"
    r"chemist|mathematician|philosopher|inventor|explorer|leader|emperor|architect|playwright|astronaut|novelist)\b",
    re.IGNORECASE,
)
_JOINERS = frozenset(["and", "or", "und", "y", "et", "e", "&", "of", "the"])


@functools.cache
def _countries() -> frozenset[str]:
    """Countries, states of the United States and provinces of Canada."""
    return listed("countries", "|") | listed("states", "|")


def asks_who(question: str) -> bool:
    return _WHO.search(question) is not None


def without_title(text: str) -> str:
    """A normalised text without titles before it, nor the realm behind the name of a king."""
    text = re.sub(r" junior$", "", text)
    words = _SETTING.sub("", text).split() if re.search(r"\s[ivx]+\s+of\s", text) else text.split()
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    return " ".join(words)


def name_turned_round(text: str) -> str:
    """`Austen, Jane` as `Jane Austen`; other texts as they are."""
    name = re.fullmatch(r"\s*([^\W\d_][\w'’-]+)\s*,\s*([^\W\d_][\w'’. -]*?)\s*", text)
    if name is None or not (name[1][0].isupper() and name[2][0].isupper()) or is_polar(name[1].casefold()):
        return text
    given = name[2].casefold() in _GIVEN_LANDS and name[1].casefold() not in listed("namesakes", "|")
    if _is_land(name[2]) and not given:
        return text  # Paris, Texas
    return f"{name[2]} {name[1]}"


_GIVEN_LANDS = frozenset(["georgia", "virginia", "jordan", "israel", "chad", "tennessee", "indiana", "montana"])
"""Lands whose names people bear before their surnames"""
_CJK_TITLE = re.compile(
    r"^[\u4e00-\u9fff]{0,6}(?:作家|诗人|詩人|画家|畫家|科学家|科學家|物理学家|数学家|化学家|皇帝|国王|总统|總統|思想家|哲学家|"
    r"音乐家|小说家|文学家|政治家|发明家|作者|詩人|歌人|学者|物理学者)の?(?=[\u4e00-\u9fff]{2,4}$)|^[\uac00-\ud7af]{1,6}의\s+(?=[\uac00-\ud7af]{2,6}$)"
)


_CJK_RANK = re.compile(
    r"(?<=[\uac00-\ud7af]{2})\s?(?:대왕|여왕|황제|장군|대통령|박사|선생님?|교수|씨)$|(?<=[\u4e00-\u9fff]{2})(?:先生|女士|教授|博士|皇帝|氏|"
    r"さん|様)$"
)


def without_calling(text: str) -> str:
    """清代作家曹雪芹 as 曹雪芹: a name in Chinese, Japanese or Korean without what its bearer was."""
    return _CJK_RANK.sub("", _CJK_TITLE.sub("", text.strip()))


def without_patronymic(text: str) -> str:
    return _PATRONYMIC.sub("", text)


@functools.cache
def _given_names() -> frozenset[str]:
    return listed("given_names")


def surname_of(short: str, long: str, question: str = "") -> bool:
    """Whether a text is the surname of the person that the other one names in full: where the question asks who, or the
    full name begins with a common given name.
    """
    words = re.findall(r"[^\W\d_](?:[^\W\d_]|['’.-])*", name_turned_round(long))
    names = re.findall(r"[^\W\d_](?:[^\W\d_]|['’.-])*", short)
    names = _without_title_words(names)
    if not 0 < len(names) < len(words) or not 2 <= len(words) <= 6 or re.search(r"\d", long + short):
        return False
    if any(word.casefold() in _JOINERS for word in words) or not all(
        word[0].isupper() or word.casefold() in _PARTICLES for word in words
    ):
        return False
    given = words[0].casefold().strip(".")
    if len(names) == 1 and names[0].casefold() == given:
        return given in listed("mononyms", "|")
    named = given in _given_names() or len(given) == 1
    if not (named or asks_who(question)) or len(names[-1]) < 3:
        return False
    if _plainly(names) != _plainly(words[-len(names) :]):
        return False
    if not named and not (_is_personal(words) and names[-1][0].isupper()):
        return False
    return all(name.casefold() in _PARTICLES for name in names[:-1])


def _plainly(words: list[str]) -> list[str]:
    """In lower case and without marks: Dvořák, Dvorak."""
    return [unmarked(word).casefold() for word in words]


def _is_personal(words: list[str]) -> bool:
    """Whether a name in several words may be a person's: no place, rank, club nor substance. West Virginia, Vice
    President, Green Day, Sodium Chloride and Inter Milan are none.
    """
    first, last = words[0].casefold(), words[-1].casefold()
    if first in listed("modifiers") or last in listed("things"):
        return False
    return last not in _countries()


def without_country(text: str) -> str:
    """A place without its country or state behind a comma: `Paris, France`; the text as it is where there is none."""
    place, comma, country = text.rpartition(",")
    place = place.strip()
    if not comma or not place or "," in place or not _is_land(country):
        return text
    return text if _is_namesake(place, country) or _lists_lands(place, country) else place


def in_asked_land(text: str, question: str) -> str | None:
    """A place without the state behind its comma that the question names: Cambridge, Massachusetts."""
    place, _, land = text.rpartition(",")
    if not place.strip() or "," in place or not _is_land(land) or _lists_lands(place.strip(), land):
        return None
    return place.strip() if re.search(rf"\b{re.escape(land.strip(' .'))}\b", question) else None


def _is_land(text: str) -> bool:
    """Whether a text names a country, a state of the United States or a province of Canada."""
    bare = text.strip(" .").replace(".", "")
    return bare.casefold() in _countries() or _is_code(bare)


def _is_code(text: str) -> bool:
    """Whether a text is the code of a state, in capitals: TX."""
    return text.isupper() and text.casefold() in listed("state_codes", "|")


_BRITISH_LANDS = frozenset(["england", "scotland", "wales"])


def _lists_lands(place: str, land: str) -> bool:
    """Whether the two parts may be a list: of two countries that are not one in the other, or of what is shorter than
    a name before the code of a state.
    """
    first, tail = place.casefold(), land.strip(" .").replace(".", "")
    if _is_code(tail) and len(max(re.findall(r"[^\W\d_]+", place), key=len, default="")) < 4:
        return True
    if first not in _countries() and first not in listed("lands", "|"):
        return False
    tail = tail.casefold()
    if first == tail or (first, tail) == ("new york", "ny"):
        return False  # Singapore, Singapore
    if tail in _AMERICAN:
        return first not in listed("states", "|")
    return tail not in ("uk", "united kingdom", "great britain") or first not in _BRITISH_LANDS


_AMERICAN = frozenset(["usa", "us", "united states", "united states of america", "canada"])


def _is_namesake(place: str, land: str) -> bool:
    """Whether a place in America bears the name of a place elsewhere, for which the name alone stands: Paris, Texas."""
    tail = land.strip(" .").casefold().replace(".", "")
    american = tail in _AMERICAN or tail in listed("states", "|") or tail in listed("state_codes", "|")
    return american and place.casefold() in listed("namesakes", "|")


def in_land(text: str) -> bool:
    """Whether a place is named with its country or state behind a comma."""
    place, comma, land = text.rpartition(",")
    return bool(comma) and place.strip() != "" and _is_land(land)


@functools.cache
def _same_names() -> dict[str, int]:
    return {name: number for number, names in enumerate(lexicon()["same_names"]) for name in map(str, names)}


def same_known_name(left: str, right: str) -> bool:
    """Whether two normalised texts are names of one thing that the lexicon knows."""
    number = _same_names().get(left)
    return number is not None and number == _same_names().get(right)


_TOLD_APART = listed("told_apart", "|")
_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def same_bearer(a: str, b: str) -> bool:
    """Whether two full names are of one person, where the question asks who: one has no middle names (Nelson Mandela,
    Т. Г. Шевченко), or is the end of the other one (García Márquez). Two people who share their first and last names
    are told apart by the names between.
    """
    ones, others = (_without_title_words(_NAME.findall(name_turned_round(text))) for text in (a, b))
    if re.search(r"\d", a + b) or min(len(ones), len(others)) < 2 or len(ones) == len(others):
        return False
    short, long = sorted((ones, others), key=len)
    if len(long) > 6 or any(word.casefold() in _JOINERS or not _is_capital(word) for word in (*short, *long)):
        return False
    if _plainly(short) == _plainly(long[-len(short) :]):
        return long[0].casefold() in _given_names() or _is_personal(long)
    first, last = (short[0].casefold(), long[0].casefold()), (short[-1].casefold(), long[-1].casefold())
    if len(short) != 2 or last[0] != last[1] or f"{long[0]} {long[-1]}".casefold() in _TOLD_APART:
        return False
    return first[0] == first[1] or (min(map(len, first)) == 1 and first[0][0] == first[1][0])


def without_second_surname(text: str) -> str:
    """A Spanish or Portuguese name without its last surname: Miguel de Cervantes of Miguel de Cervantes Saavedra."""
    words = _NAME.findall(text)
    if sum(word.casefold() not in _PARTICLES for word in words) < 3 or not all(map(_is_capital, words)):
        return text
    return text[: text.rindex(words[-1])].strip()


def _without_title_words(words: list[str]) -> list[str]:
    while len(words) > 1 and words[0].casefold() in _TITLES:
        words = words[1:]
    return words


def _is_capital(word: str) -> bool:
    return word[0].isupper() or word.casefold() in _PARTICLES


def same_person(a: str, b: str) -> bool:
    """Whether two names agree where initials stand for given names: A. Einstein, Albert Einstein."""
    ones, others = (re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", name_turned_round(text)) for text in (a, b))
    if (
        re.search(r"\d", a + b)
        or not any(len(word) == 1 for word in (*ones, *others))
        or any(word[0].islower() and word not in _PARTICLES for word in (*ones, *others))
    ):
        return False
    if len(ones) > 1 and len(others) > 1 and len(ones[-1]) == 1 and len(ones[0]) > 1:
        ones = [*ones[1:], ones[0]]
    if len(others) > 1 and len(ones) > 1 and len(others[-1]) == 1 and len(others[0]) > 1:
        others = [*others[1:], others[0]]
    if len(ones) != len(others) or len(ones) < 2 or len(ones[-1]) == 1:
        return False
    return (
        all(
            one.casefold() == other.casefold()
            or (min(len(one), len(other)) == 1 and one[0].casefold() == other[0].casefold())
            for one, other in zip(ones, others, strict=True)
        )
        and ones[-1].casefold() == others[-1].casefold()
    )
