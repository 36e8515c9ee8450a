"""Finds the option that an answer names in two ways which agree, or by its words behind another word.

option_agreed("la terza: 100 canti", ["33", "99", "100", "34"])  ->  "100"
option_agreed("Type O", ["A", "B", "AB", "O"])                   ->  "O"
option_begun("B. Hydrog", ["oxygen", "hydrogen"])                ->  "hydrogen"    a reply that was cut
"""

import re

from nemo_sdg.generate.parsing.answers.dress import fold, undressed, without_lead
from nemo_sdg.generate.parsing.answers.labels import named_label, ordinal_place
from nemo_sdg.generate.parsing.answers.leads import ARTICLES
from nemo_sdg.generate.parsing.answers.options import ALSO, DENIES, WORD
from nemo_sdg.records import LABELS

LONGEST = 120
MOST_WORDS = 3
"""maximum number of words beside an option's own"""
PLACED = re.compile(r"(?P<place>[^:：,(（–—]{1,40})\s*[:：,(（–—]\s*(?P<rest>[^\n]+)")
BEGUN = re.compile(r"[*(\[]*(?P<label>[A-Z])[*)\]]*[ \t]*[.:)\]–—-][ \t*]*(?P<rest>[^\s*][^\n]+)")
ONLY_WORDS = re.compile(r"[^\W\d_]+(?:[\s-]+[^\W\d_]+)*")
REFUSES = re.compile(r"\b(?:but|than|besides|excluding|or|any|all|none)\b", re.IGNORECASE)
ORDINAL = re.compile(rf"(?:(?:{ARTICLES})\s+)?(?P<word>\w+)", re.IGNORECASE)


def option_agreed(answer: str, options: list[str]) -> str | None:
    """The option that an answer of one line names by its place and its words, `Option 2 (the value 3)`, or at the end
    of a few words, `Type O`; None where the words deny, compare or name a second option.
    """
    if len(answer) > LONGEST or "\n" in answer.strip():
        return None
    text = undressed(without_lead(undressed(answer)), quotes=True).rstrip(" .。")
    if (found := PLACED.fullmatch(text)) is not None:
        option = _named(found["rest"], options)
        head = undressed(found["place"], quotes=True)
        places = named_label(head) or _ordinal(head)
        return option if option is not None and options.index(option) in places else None
    if ONLY_WORDS.fullmatch(text) is None:
        return None
    option = _named(text, options)
    return option if option is not None and text.endswith(f" {option.strip()}") else None


def _ordinal(text: str) -> set[int]:
    found = ORDINAL.fullmatch(text)
    place = None if found is None else ordinal_place(found["word"])
    return set() if place is None else {place - 1}


def _named(text: str, options: list[str]) -> str | None:
    """The one option whose words a text has, in the same case, with at most MOST_WORDS others, which neither deny nor
    compare.
    """
    words = re.findall(WORD, text)
    joined = f" {' '.join(words)} "
    found = {option: own for option in options if (own := re.findall(WORD, option)) and f" {' '.join(own)} " in joined}
    if len(found) != 1:
        return None
    option, own = found.popitem()
    others = joined.replace(f" {' '.join(own)} ", " ", 1)
    doubtful = any(map(str.isdigit, others)) or any(sign.search(others) for sign in (DENIES, REFUSES, ALSO))
    return option if len(others.split()) <= MOST_WORDS and not doubtful else None


def option_begun(answer: str, options: list[str]) -> str | None:
    """The option whose label and the beginning of whose words end a reply that was cut."""
    found = BEGUN.fullmatch(answer.strip())
    place = len(options) if found is None else LABELS.index(found["label"])
    if found is None or place >= len(options):
        return None
    return options[place] if fold(options[place]).startswith(fold(found["rest"])) else None
