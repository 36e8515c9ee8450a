"""Equality of expressions compared with math-verify, on the boxed answers of MATH, rewritten and in pairs.

If they differ, ours must be stricter: math-verify equates a set with its only member and an interval with a point, and
rounds.
"""

import json
import random
from pathlib import Path

import pytest

from nemo_sdg.text.boxes import last_box
from nemo_sdg.text.mathematics import equal

math_verify = pytest.importorskip("math_verify")


def theirs(a: str, b: str) -> bool:
    left, right = (math_verify.parse(f"${text}$", parsing_timeout=None) for text in (a, b))
    return bool(math_verify.verify(left, right, timeout_seconds=None))


@pytest.fixture(scope="module")
def answers(hub: Path) -> list[str]:
    files = sorted((hub / "EleutherAI" / "hendrycks_math").rglob("*train*.jsonl"))
    if not files:
        pytest.skip("no rows of MATH in the mirror")
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()[:400]]
    found = {box for row in rows if (box := last_box(row["solution"])) and len(box) < 60 and "text" not in box}
    return random.Random(0).sample(sorted(found), min(150, len(found)))


REWRITINGS = {
    "spaces": lambda text: text.replace("+", " + ").replace("=", " = "),
    "dfrac": lambda text: text.replace("\\frac", "\\dfrac"),
    "boxed": lambda text: f"\\boxed{{{text}}}",
    "dollars": lambda text: f"${text}$",
    "left and right": lambda text: text.replace("(", "\\left(").replace(")", "\\right)"),
}


@pytest.mark.parametrize("name", REWRITINGS)
def test_a_rewritten_answer_of_math_stays_the_same(answers: list[str], name: str) -> None:
    assert [text for text in answers if not equal(text, REWRITINGS[name](text))] == []


def test_answers_that_math_verify_tells_apart_are_told_apart(answers: list[str]) -> None:
    rng = random.Random(1)
    pairs = [tuple(rng.sample(answers, 2)) for _ in range(150)]
    assert [pair for pair in pairs if equal(*pair) and not theirs(*pair)] == []
    assert sum(equal(*pair) for pair in pairs) <= sum(theirs(*pair) for pair in pairs)
