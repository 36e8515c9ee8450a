"""The hand-written difficult replies of the verification bench, and one rewriting of each rule, with the pipeline's
parser and verdict.
"""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "bench"))
import verify as bench
import verify_nasty
import verify_rewriting

SCIENCE = {
    "question": "What gas do plants take in?",
    "choices": ["oxygen", "carbon dioxide", "helium", "neon"],
    "gold": "carbon dioxide",
}
ROWS = {
    "multiple_choice": [SCIENCE],
    "numeric": [{"question": "How many are left?", "gold": gold} for gold in ("18", "1,250", "-3")]
    + [{"question": "What share is left?", "gold": "\\frac{3}{4}"}],
    "short_text": [{"question": "Which river?", "gold": "the Rhine", "aliases": ["Rhein"]}],
}


@pytest.mark.parametrize("kind", sorted(verify_nasty.NASTY))
def test_every_nasty_reply_is_judged_rightly(kind: str) -> None:
    judge = bench.Bench(kind, misses=False).judge
    wrongly = []
    for number, (case, text, right, finish_reason) in enumerate(verify_nasty.NASTY[kind]):
        accepted, seen = judge(
            bench.record(kind, number, case), verify_rewriting.Rewriting(text, right, "nasty", finish_reason)
        )
        if accepted != right:
            wrongly.append((case["gold"], text, right, seen))
    assert wrongly == []


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_every_rule_of_rewriting_is_judged_rightly(kind: str) -> None:
    judge = bench.Bench(kind, misses=False).judge
    wrongly = []
    for number, row in enumerate(ROWS[kind]):
        sample = bench.record(kind, number, row)
        right, wrong = verify_rewriting.ANSWERS[kind](sample, random.Random(0))
        for is_right, answers in ((True, right), (False, wrong)):
            for name, answer in answers:
                text: str | Callable[[list[str]], Any] = (
                    (lambda shown, answer=answer: verify_rewriting.plain_json(answer(shown)))
                    if callable(answer)
                    else verify_rewriting.plain_json(answer)
                )
                accepted, seen = judge(sample, verify_rewriting.Rewriting(text, is_right, name))
                if accepted != is_right:
                    wrongly.append((row["gold"], name, seen))
    assert wrongly == []
