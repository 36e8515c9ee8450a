"""Good samples whose subject looks like a fault: a map that is a function, a variable of the shell, a strand of DNA,
numbers in a list without spaces.
"""

from typing import Any

import pytest

from nemo_sdg import filter_sample
from tests.unit.curate.filters.test_kinds import CHOICE, NUMERIC, SHORT

GOOD: dict[str, dict[str, Any]] = {
    "a map that is a function": SHORT
    | {
        "question": "Is the following map T of the plane to itself linear: T(x, y) = (x + 1, y)?",
        "answer": {"text": "not linear", "label": None, "aliases": ["no"]},
        "context": "Functions between vector spaces that respect sums and multiples send zero to zero.",
        "reasoning": "T sends (0, 0) to (1, 0), and every linear function sends zero to zero. So T is not linear.",
    },
    "a variable of the shell": SHORT
    | {
        "question": "What does the shell put in place of $HOME in `cd $HOME/bin`?",
        "answer": {"text": "the home directory of the user", "label": None, "aliases": ["the user's home directory"]},
        "context": "A shell replaces names behind a dollar sign before it runs a command, from the environment.",
        "reasoning": "HOME is set at login. `$HOME` becomes the home directory of the user, and /bin is added to it.",
    },
    "a strand of DNA": SHORT
    | {
        "question": "A strand of DNA reads 5'-GATTACAGATTACA-3'. How does the complementary strand read from 5' to 3'?",
        "answer": {"text": "TGTAATCTGTAATC", "label": None, "aliases": []},
        "context": "A pairs with T and C with G, and the two strands of a helix run in opposite directions.",
        "reasoning": "The complement is CTAATGTCTAATGT from 3' to 5'. Read from 5' to 3' it is TGTAATCTGTAATC.",
    },
    "a list without spaces": CHOICE
    | {
        "question": "Which list holds the composite numbers among 3, 4, 6, 7, 14 and 15?",
        "choices": ["4,6,14,15", "4,6,7,15", "3,4,6,14", "6,7,14,15"],
        "answer": {"text": "4,6,14,15", "label": "A", "aliases": []},
        "context": "A prime has two divisors, one and itself; every other whole number above one has more.",
        "reasoning": "3 and 7 are prime. 4, 6, 14 and 15 have further divisors, so the list is 4,6,14,15.",
    },
    "a list without spaces as answer": SHORT
    | {
        "question": "Name the composite numbers among 3, 4, 6, 7, 14 and 15, in order.",
        "answer": {"text": "4,6,14,15", "label": None, "aliases": ["4, 6, 14, 15"]},
        "context": "A prime has two divisors, one and itself; every other whole number above one has more.",
        "reasoning": "3 and 7 are prime, and the others have further divisors. The answer is 4, 6, 14, 15.",
    },
    "a decimal comma": NUMERIC
    | {
        "language": "de",
        "question": "Ein Zug fährt in 2 Stunden 7 km weit. Wie viele km sind das in einer Stunde?",
        "answer": {"text": "3,5", "label": None, "aliases": []},
        "context": "Eine mittlere Geschwindigkeit ist der ganze Weg durch die ganze Zeit.",
        "reasoning": "Die Hälfte von 7 ist 3,5. Die Antwort lautet 3,5.",
    },
}


@pytest.mark.parametrize("name", GOOD)
def test_a_subject_that_looks_like_a_fault_is_kept(name: str) -> None:
    assert filter_sample(GOOD[name]) is None
