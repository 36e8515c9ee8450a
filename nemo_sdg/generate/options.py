"""Finds options that refer to each other or to their position, and orders the options for a solver."""

import functools
import random
import re

from nemo_sdg.text.options import IN_OTHER_SCRIPTS

COMPOSITE = re.compile(
    r"\b(?:all|none|both|neither|any|two|each) of (?:the )?(?:above|these|them|options|choices|following|previous)\b|"
    r"\b(?:all|none) (?:the )?above\b|"
    r"\b(?:both|either|neither|only)\s+\(?[A-J1-9]\)?\s+(?:and|or|nor|&)\s+\(?[A-J1-9]\)?(?!\w)|"
    r"^\W*\(?[A-J]\)?\s*(?:,\s*\(?[A-J]\)?\s*)*(?:and|&|or)\s+\(?[A-J]\)?(?:\s+only)?\W*$|"
    r"\boptions? [A-J]\b|\b(?:alle|keine|beide)s? (?:der|von) (?:genannten|oben|den)|\balle antworten\b|"
    r"\b(?:todas|ninguna) (?:de )?las (?:anteriores|opciones)|"
    r"\b(?:toutes|aucune) (?:de )?(?:ces|les) (?:réponses|options)|"
    r"\b(?:tutte|nessuna) (?:le|delle) (?:precedenti|risposte)|"
    r"\b(?:todas|nenhuma) (?:as|das) (?:anteriores|alternativas)|"
    r"(?:все|ни один из|ничего из) (?:вышеперечисленно|перечисленн|вариант)|"
    r"以上(?:都|皆|均|全|所有)|以上のすべて|上記のすべて|위의 모두|모두 (?:옳|맞)|"
    rf"{IN_OTHER_SCRIPTS}",
    re.IGNORECASE,
)
BLANK = re.compile(r"(?:^|\W)_+(?:\W|$)")


def speaks_of_place(options: list[str]) -> bool:
    """Whether an option refers to others ("both A and B", "all of the above"). Such a list is never permuted."""
    return _speak_of_place(tuple(options))


@functools.lru_cache(maxsize=4096)
def _speak_of_place(options: tuple[str, ...]) -> bool:
    """Each vote of a question asks twice."""
    return any(map(COMPOSITE.search, options))


def shown_order(options: list[str], rng: random.Random) -> list[int]:
    """The order in which one vote is shown the options: a permutation of their indices."""
    order = list(range(len(options)))
    if not speaks_of_place(options):
        rng.shuffle(order)
    return order


def in_order(options: list[str] | None, order: list[int] | None) -> list[str] | None:
    """The options as one vote is shown them; None where there are none."""
    return [options[i] for i in order] if options and order is not None else None
