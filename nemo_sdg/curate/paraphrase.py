"""Reworded questions: which words, numbers and answers two questions share, weighed by how rare they are among the evaluation rows.

terms("How many rolls does the baker bake on 14 trays?")  ->  {"roll", "bak", "#14", "tray"}
"""

import regex

from nemo_sdg.curate.normalize import is_spaceless

FUNCTION_WORDS = """
a about after all also altogether am an and another answer any are as at be been before being best between both but by called can correct could did do
does done down during each either every example few find following for from function get give given had has have having he her here him his how i if
in into is it its just kind known likely many may me might more most mostly much must my name neither no nor not of off on only onto or other our out
over per question re return s same shall she should so some such t term than that the their them then there these they this those to total type under
up use used using very was we were what when where which who whom whose why will with without would write yes you your
"""
STOPWORDS = frozenset(FUNCTION_WORDS.split())
SUFFIX = regex.compile(r"(?<=\p{L}{3})(?:ations?|ating|ates?|ated|ions?|ings?|edly|ed|ies|ied|es|ers?|ors?|ly|ments?|ness|al|ally|ous|ity|e|y|s)$")
SAME = {"kilomet": "km", "kilometr": "km", "litr": "lit", "gram": "g", "twic": "#2", "doubl": "#2", "dozen": "#12", "tripl": "#3", "thric": "#3", "metr": "met"}


def stem(word: str) -> str:
    """The word without its English ending, at most its first seven letters: enough to bring evaporation and evaporates together."""
    cut = SUFFIX.sub("", SUFFIX.sub("", word))[:7]
    return SAME.get(cut, cut)


def terms(words: list[str]) -> set[str]:
    """Stems of the words that carry content, numbers as #n, and pairs of characters where a script has no spaces."""
    found: set[str] = set()
    previous = ""
    for word in words:
        if word[0].isdigit():
            found.add(f"#{word}")
        elif is_spaceless(word):
            if previous:
                found.add(previous + word)
            previous = word
            continue
        elif word not in STOPWORDS and word[0].isalpha():
            found.add(stem(word))
        previous = ""
    return found
