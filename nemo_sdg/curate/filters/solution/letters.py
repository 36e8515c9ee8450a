"""The option that a last sentence chooses by its place: by a letter of any alphabet, or by a number."""

import re

from nemo_sdg.curate.filters.meta import UNSPACED
from nemo_sdg.curate.filters.solution.conclusion import LETTER, OPTION_WORD, denies, speaks_of_letters
from nemo_sdg.curate.filters.view import View, contains

PLACE_WORD = (
    rf"{OPTION_WORD}|case|alternative|alternativet|variante?|variant\w*|lettre|letra|lettera|buchstabe|litera|písmeno|"
    r"букв\w|harf\w*|seçeneğ\w*|şıkk\w*|bokstav\w*|kirjain|γράμμα|huruf|herufi|الحرف|अक्षर|字母|글자|기호|記号"
)
ALPHABETS = {
    "ru": "абвгде",
    "uk": "абвгде",
    "bg": "абвгде",
    "ar": "أبجده",
    "fa": "الفبجد",
    "hi": "कखगघङ",
    "ja": "アイウエオ",
    "ko": "가나다라마",
    "el": "αβγδε",
    "he": "אבגדה",
}
"""By which options are called where they have no Latin letters"""
LOOK_ALIKE = {"а": "A", "в": "B", "е": "E", "α": "A", "β": "B", "ε": "E"}
"""Letters that may be meant as Latin ones"""
NUMBER = re.compile(
    rf"(?:{PLACE_WORD})\s?(?:no\.?|nr\.?|n[º°]|№|number|nummer)?\s?\(?([1-9])\)?(?![\w.,/%°]*\w)", re.IGNORECASE
)
LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
CLAUSES = re.compile(r"[,;:،؛，；、]\s*|\s[–—]\s")


def other_place(view: View, last: str) -> bool:
    """Whether the last clause of a reasoning that names options by their places chooses another one than the answer,
    where neither question nor options have such letters or numbers of their own.
    """
    index = view.choices.index(view.answer) if view.answer in view.choices else -1
    if index < 0:
        return False
    clauses = [clause for clause in CLAUSES.split(last.rstrip(" .。!।*")) if clause.strip()]
    named = [(clause, places) for clause in clauses if (places := _places(view, clause))]
    if not named or len({place for _, places in named for place in places}) > 1 + (len(named) > 1):
        return False
    clause, places = named[-1]
    if len(places) != 1 or index in places or denies(view, clause if len(named) > 1 else last):
        return False
    said = view.tokens(last)
    return not contains(said, view.tokens(view.answer)) or _beside(view, last)


def _places(view: View, clause: str) -> set[int]:
    """The places of the options, from 0, that a clause names."""
    found = _latin(view, clause) or _own_alphabet(view, clause) or _numbers(view, clause)
    return {place for place in found if place < len(view.choices)}


def _latin(view: View, clause: str) -> set[int]:
    letters = list(LETTER.finditer(clause))
    if not letters or speaks_of_letters(view):
        return set()
    foreign = view.language in {*ALPHABETS, "zh", "th", "bn", "ka"} and LATIN_WORD.search(clause) is None
    return {
        ord(match.group(1)) - ord("A")
        for match in letters
        if foreign or (BEFORE.search(clause[: match.start()]) and _is_letter(match.group(1), clause[match.end() :]))
    }


BEFORE = re.compile(rf"(?<![^\W\d_])(?:{PLACE_WORD})\s*[\"'“«„「『(（*:]*$", re.IGNORECASE)


def _is_letter(letter: str, after: str) -> bool:
    """Whether what stands behind a capital leaves it the name of an option: `choice I made` has none."""
    return letter != "I" or not re.match(r"\s[a-z]", after)


def _own_alphabet(view: View, clause: str) -> set[int]:
    alphabet = ALPHABETS.get(view.language)
    if alphabet is None:
        return set()
    joined = "" if view.language in UNSPACED else r"(?!\w)"
    pattern = re.compile(
        rf"(?:{PLACE_WORD}|[はが은는])\s?(?:هو|هي|है|является|[はが은는])?\s?[\"'“«„「(（]?([{alphabet}]){joined}[\"'”»“」)）]?"
    )
    bracketed = re.compile(rf"[(（]([{alphabet}])[)）]")
    lowered = clause.lower()
    letters = [match.group(1) for one in (pattern, bracketed) for match in one.finditer(lowered)]
    if not letters or any(bracketed.search(text.lower()) for text in (view.question, view.passage, *view.choices)):
        return set()
    if letters[-1] in LOOK_ALIKE and ord(LOOK_ALIKE[letters[-1]]) - ord("A") != alphabet.index(letters[-1]):
        return set()
    return {alphabet.index(letters[-1])}


def _numbers(view: View, clause: str) -> set[int]:
    """Options that are numbered (`option 3`) where none of them and no number of the question is one."""
    match = NUMBER.search(clause)
    if match is None or any(map(str.isdigit, "".join((view.question, *view.choices)))):
        return set()
    return {int(match.group(1)) - 1}


def _beside(view: View, last: str) -> bool:
    """Whether a letter of an option stands right beside the answer: `option C, the pancreas`, `the pancreas (C)`."""
    answer = re.escape(view.answer.strip(" ."))
    letter = r"[(（]?(?<![A-Za-z])[A-J](?![A-Za-z])[)）]?"
    return (
        re.search(
            rf"{letter}[\s,.:–—-]{{1,3}}(?:[a-z]{{1,3}} )?{answer}(?!\w)|{answer}[\s,–—]{{0,3}}[(（][A-J][)）]", last
        )
        is not None
    )


NAMED = rf"(?:{OPTION_WORD})\s?(?-i:([A-HJ]))(?![\w'’.-]*\w)"
LETTERED = re.compile(rf"(?<!\w){NAMED}", re.IGNORECASE)


def wrong_letter(view: View) -> str | None:
    """Where the reasoning names an option by a letter that none of them has (`option E` of four), or the answer by
    another one than its own (`the prosecution, option C`).
    """
    if not view.label or speaks_of_letters(view):
        return None
    for match in LETTERED.finditer(view.reasoning):
        if ord(match.group(1)) - ord("A") >= len(view.choices):
            return match.group()
    answer = view.answer.strip(" .")
    beside = re.compile(rf"(?<!\w){re.escape(answer)}(?:, | ?[(（]){NAMED}(?=[,.;)）])", re.IGNORECASE)
    found = {match.group(1): match.group() for match in beside.finditer(view.reasoning)}
    return next(iter(found.values())) if len(found) == 1 and view.label not in found else None


BRACKETED = re.compile(r"[(（]([A-J])[)）]")


def mislabelled(view: View) -> str | None:
    """Where the reasoning puts another letter in brackets behind an option (`Lima (H)` for the fourth of four).

    Three options or more have letters, which follow one another in the alphabet: `calciferol (D)` has a symbol, and
    letters that are mostly initials (`cytosine (C)`) are symbols too.
    """
    if not BRACKETED.search(view.reasoning) or speaks_of_letters(view):
        return None
    found: list[tuple[int, re.Match[str]]] = []
    for place, choice in enumerate(view.choices):
        pattern = rf"(?<!\w){re.escape(choice.strip(' .'))}\s?[(（]((?-i:[A-J]))[)）]"
        match = re.search(pattern, view.reasoning, re.IGNORECASE)
        if match is not None:
            found.append((place, match))
    named = sorted(ord(match.group(1)) - ord("A") for _, match in found)
    if len(found) < 3 or named != list(range(named[0], named[0] + len(named))):
        return None
    if 2 * sum(_is_initial(match.group(1), view.choices[place]) for place, match in found) >= len(found):
        return None
    return next((match.group() for place, match in found if ord(match.group(1)) - ord("A") != place), None)


def _is_initial(letter: str, option: str) -> bool:
    """Whether a letter in brackets may be a symbol of what stands before it: `carbon (C)`."""
    return any(word[:1].upper() == letter for word in option.split())
