"""Equality of short answers: dates, times, years and numbers by what they say, all others by their words in any of the
forms that mean the same (`forms`), beside the words of the question.

    equal("Seine", "the river Seine", question="Which river flows through Paris?")   ->  True
    equal("3rd", "third place")                                                      ->  True
    equal("Georgia (country)", "Georgia (state)")                                    ->  False
"""

import re

from nemo_sdg.text import forms
from nemo_sdg.text.dates import is_short_for, read_date, read_time, weekday
from nemo_sdg.text.forms.numerals import in_digits, same_numerals
from nemo_sdg.text.numbers import numbers_equal, read_number
from nemo_sdg.text.numbers.spelled import base_language
from nemo_sdg.text.words import plain_words, same_words

_BULLET = re.compile(r"(?:^|\s*\n)\s*(?:[-*•]|\d\.)\s+")
_LISTED = re.compile(r"\s*[,;]\s*(?:and\s+|or\s+)?|\s+(?:and|or|und|oder|y|et|ou|och|og|&)\s+", re.IGNORECASE)


def equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool:
    """Whether two short answers say the same."""
    if " ".join(a.split()) == " ".join(b.split()):
        return True
    sure = _surely(a, b, question, language)
    if sure or (sure is False and not any(forms.framed(side, question, language) for side in (a, b))):
        return sure
    if _negated(a) != _negated(b):
        return False
    if (polarity := _same_polarity(a, b, question, language)) is not None:
        return polarity
    ones, others = (_allowed(side, question, language) for side in (a, b))
    lands = forms.in_land(a) and forms.in_land(b)
    alike = _within(*sorted((forms.frame_words(side, question, language) for side in (a, b)), key=len))
    for one, taken in ones.items():
        for other, off in others.items():
            # Georgia (country) is not Georgia (state), and a list in its order is no name turned round.
            if (
                "aside" in taken & off
                or taken & off & _TOLD_APART
                or (lands and "country" in taken | off)
                or ("frame" in taken | off and not alike)
                or ("tail" in taken & off and len(one.split()) > 2)
                or ("turned" in taken | off and forms.ASKS_ORDER.search(question))
            ):
                continue
            if (one, other) != (a, b) and _surely(one, other, question, language):
                return True
            named = forms.asks_who(question) and not (taken | off) & {"middle"}
            if _same_form(one, other, question, language) or (named and _same_bearer(one, other, language)):
                return True
    members, listed = _members(a), _members(b)
    if len(members) == len(listed) > 1 and not forms.ASKS_ORDER.search(question) and _is_unordered([*members, *listed]):
        joined = {_joiners(a), _joiners(b)} - {None}
        return len(joined) < 2 and _paired(members, listed, language)
    return False


def _within(few: tuple[str, ...], many: tuple[str, ...]) -> bool:
    """Whether the words of one frame are those of the other one, in their order, or some of them."""
    left = iter(many)
    return all(word in left for word in few)


_TURKISH_IS = re.compile(r"(?<=[^\W\d_]{3})['’]?[dt][ıiuü]r$")
_TURKISH_IN = re.compile(r"(?<=[^\W\d_]{2})['’][dt][ae]$")
"""the ending of a name that says where: Ankara'da"""
_TOLD_APART = frozenset(["other name", "middle", "company", "country"])
"""What two answers must not both lose: Алексей Николаевич Толстой is not Алексей Константинович Толстой"""


def _same_polarity(a: str, b: str, question: str, language: str) -> bool | None:
    """Whether an answer in one word, yes or no, is what the other one says; None where that is no yes nor no."""
    for one, other in ((a, b), (b, a)):
        said = forms.bare_polarity(one, question)
        if said is not None and (again := forms.said_polarity(other, question, language)) is not None:
            return said == again
    return None


def _allowed(text: str, question: str, language: str) -> dict[str, frozenset[str]]:
    """The variants of an answer. A name in brackets behind another one counts where the question has not said it:
    `Paris (France)` is not France.
    """
    found = dict(forms.variants(text))
    if (said := forms.framed(text, question, language)) is not None:
        if base_language(language) == "tr":
            said = _TURKISH_IS.sub("", said)
        name = forms.framed_name(text, question, language) or said
        found = {name: frozenset({"frame"})} | found
        found = {form: taken | {"frame"} for form, taken in forms.variants(said).items()} | found
    if (place := forms.in_asked_land(text, question)) is not None:
        found[place] = frozenset({"country"})
    if _ASKS_WHEN.search(question):
        found = {form: taken for form, taken in found.items() if "aside" not in taken or "(" in text}
    if not any("other name" in taken for taken in found.values()):
        return found
    asked = frozenset(plain_words(question, language).split())
    return {
        form: taken
        for form, taken in found.items()
        if "other name" not in taken or (question and asked.isdisjoint(plain_words(form, language).split()))
    }


def _surely(a: str, b: str, question: str, language: str) -> bool | None:
    """Equality of what both read as: dates, times, years, numbers; None where they do not."""
    first_date, second_date = read_date(a, language), read_date(b, language)
    if first_date is not None and second_date is not None:
        days = weekday(a), weekday(b)
        return first_date == second_date and (None in days or days[0] == days[1])
    if (time := read_time(a)) is not None and read_time(b) is not None:
        return time == read_time(b)
    if (moment := forms.year(a)) is not None and (other_moment := forms.year(b)) is not None:
        return moment == other_moment
    first, second = read_number(a, language), read_number(b, language)
    if first is not None and second is not None:
        alike = first.percent == second.percent and first.ordinal == second.ordinal
        named = bool(first.unit.dimensions) == bool(second.unit.dimensions)
        if alike and named and numbers_equal(first, second, question=question, language=language):
            return True
        if not alike or first.value != second.value:
            return False
    return None


def _same_form(a: str, b: str, question: str, language: str) -> bool:
    if same_words(a, b, language) or forms.same_substance(a, b) or forms.same_formula(a, b):
        return True
    if forms.same_species(a, b):
        return True
    left, right = (forms.unify(plain_words(side, language)) for side in (a, b))
    kinds = forms.without_kind(left), forms.without_kind(right)
    bare = [in_digits(kind, language) for kind in kinds]
    whole = [in_digits(side, language) for side in (left, right)]
    if (bare[0] == whole[1] or whole[0] == bare[1] or bare[0] == bare[1] != "") and _sorts(left, right, kinds):
        return True
    plural = base_language(language) == "en" and not _ASKS_NUMBER.search(question)
    if plural and forms.same_in_number(left, right) and not any(map(forms.is_acronym_in_s, (a, b))):
        return True
    if is_short_for(a, b, language) or is_short_for(b, a, language):
        return True
    if forms.surname_of(a, b, question) or forms.surname_of(b, a, question):
        return True
    untitled = [forms.without_title(side) for side in (left, right)]
    if in_digits(untitled[0], language) == in_digits(untitled[1], language):
        return bool(untitled[0])
    if same_numerals(untitled[0], untitled[1], language):
        return True
    if base_language(language) == "tr":
        one, other = (_TURKISH_IN.sub("", side.strip(" .")) for side in (a, b))
        if same_words(one, other, language):
            return True
    if not question:
        return False
    for side, other in ((a, b), (b, a)):
        said = forms.predicate(side, question)
        if said is not None and (same_words(said, other, language) or forms.same_formula(said, other)):
            return True
    if base_language(language) == "tr":
        left, right = (_TURKISH_IS.sub("", side) for side in (left, right))
    if any(forms.holds(*pair, question, language) for pair in ((left, right), (right, left))):
        return True
    if any(forms.holds_joined(*pair, question) for pair in ((a, b), (b, a))):
        return True
    return _adds_what_is_asked(left, right, question, language)


def _same_bearer(a: str, b: str, language: str) -> bool:
    """Whether two names that answer `who` are of one person, in full and in short."""
    if forms.same_bearer(a, b):
        return True
    if base_language(language) not in ("es", "pt", "ca"):
        return False
    for short, long in ((a, b), (b, a)):
        first = forms.without_second_surname(long)
        if first != long and (same_words(short, first, language) or forms.surname_of(short, first, "who")):
            return True
    return False


_ASKS_WHEN = re.compile(
    r"\bwhen\b|\byear\b|\bwann\b|\bjahr\b|quand|année|cuándo|\baño|quando|\banno\b|\bano\b|когда|год", re.IGNORECASE
)
_ASKS_NUMBER = re.compile(r"\bplural|\bsingular|\bspell|\bgrammar|\bform of\b|\bhow many\b", re.IGNORECASE)


def _sorts(left: str, right: str, kinds: tuple[str, str]) -> bool:
    """Whether what a word for its kind is left out of is a name still: longer than a letter, and the kind is not told
    apart (Lake Victoria, Mount Victoria).
    """
    if kinds[0] != left and kinds[1] != right:
        return left == right
    return len(min(kinds, key=len)) > 1


def _adds_what_is_asked(left: str, right: str, question: str, language: str) -> bool:
    asked = frozenset(forms.unify(plain_words(question, language)).split())
    short, long = sorted((left.split(), right.split()), key=len)
    before = long[: -len(short)] if short and long[-len(short) :] == short else []
    if len(before) > 1 and forms.turned_round(before, question, language):
        return False
    if forms.roles_changed(long, question, language):
        return False
    if len(short) == 1 and len(long) > 1 and forms.same_polarity(short[0], long[-1]):
        return forms.asked_words_apart(["-"], [*long[:-1], "-"], asked | forms.COPULAS)
    return forms.asked_words_apart(short, long, asked | forms.COPULAS)


def _negated(text: str) -> bool:
    """Whether a minus or a sign of negation stands before a lone letter or name: -a, ¬p."""
    return re.match(r"\s*[-−¬~!]\s?[^\W\d_](?![^\W\d_])", text) is not None


def _joiners(text: str) -> str | None:
    """`or` where a list is one of alternatives, `and` where it is named a sum; None where only commas part it."""
    if re.search(r"\s(?:or|oder|ou|o|или)\s", text, re.IGNORECASE):
        return "or"
    return "and" if re.search(r"\s(?:and|und|et|y|og|och|&|и)\s", text, re.IGNORECASE) else None


def _members(text: str) -> list[str]:
    text = _BULLET.sub(", ", text.strip()).lstrip(" ,").rstrip(".")
    if text[:1] in "([{" or re.search(r"\d,\d", text):
        return [text]
    return [member for member in _LISTED.split(text) if member]


def _is_unordered(members: list[str]) -> bool:
    """Whether a list may change its order: names and short phrases may, clauses and answers of yes and no may not."""
    polar = all(forms.bare_polarity(member, "") is not None for member in members)
    return not polar and all(len(member.split()) <= _LONGEST_MEMBER and not forms.says_no(member) for member in members)


_LONGEST_MEMBER = 6
"""words"""


def _paired(members: list[str], others: list[str], language: str) -> bool:
    rest = list(others)
    for member in members:
        match = next((other for other in rest if same_words(member, other, language)), None)
        if match is None:
            return False
        rest.remove(match)
    return True
