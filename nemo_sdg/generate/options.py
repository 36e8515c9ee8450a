"""Finds options that refer to each other or to their position, and orders the options for a solver."""

import functools
import random
import re

from nemo_sdg.text.options import speak_of_place

BLANK = re.compile(r"(?:^|\W)_+(?:\W|$)")


def speaks_of_place(options: list[str]) -> bool:
    """Whether an option refers to others ("both A and B", "all of the above"). Such a list is never permuted."""
    return _speak_of_place(tuple(options))


@functools.lru_cache(maxsize=4096)
def _speak_of_place(options: tuple[str, ...]) -> bool:
    """Each vote of a question asks twice."""
    return speak_of_place(options)


def shown_order(options: list[str], rng: random.Random) -> list[int]:
    """The order in which one vote is shown the options: a permutation of their indices."""
    order = list(range(len(options)))
    if not speaks_of_place(options):
        rng.shuffle(order)
    return order


def in_order(options: list[str] | None, order: list[int] | None) -> list[str] | None:
    """The options as one vote is shown them; None where there are none."""
    return [options[i] for i in order] if options and order is not None else None
