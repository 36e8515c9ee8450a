"""Answers of several lines, boxes or bullets, and answers in a fence."""

import pytest

import nemo_sdg
from nemo_sdg.generate.parsing.answers.dress import tidy_answer


@pytest.mark.parametrize(
    ("answer", "kind", "tidy"),
    [
        ("```\n5\n```", "short_text", "5"),
        ("```\n5\n```\n\nSince 2 + 3 = 5.", "numeric", "5"),
        ("```math\n\\frac{1}{2}\n```", "numeric", "\\frac{1}{2}"),
        ("```python\n[1, 2]\n```", "short_text", "[1, 2]"),
        ("The output is:\n```\n1\n2\n```", "short_text", "1\n2"),
        ("~~~text\na\n\nb\n~~~", "short_text", "a\n\nb"),
        ("````\na\n```\nb\n````", "short_text", "a\n```\nb"),
        ("```5```", "numeric", "5"),
    ],
)
def test_a_fenced_answer_is_what_the_fence_holds(answer: str, kind: str, tidy: str) -> None:
    assert tidy_answer(answer, kind) == tidy


@pytest.mark.parametrize(
    ("answer", "kind", "tidy"),
    [
        ("- $x = 2$\n- $x = -3$", "numeric", "$x = 2$, $x = -3$"),
        ("x = 2\ny = -3", "numeric", "x = 2, y = -3"),
        ("(a) 3\n(b) 5", "numeric", "3, 5"),
        ("- 2\n- 3", "numeric", "2, 3"),
        ("\\[\nx = 2\n\\]\n\\[\nx = -3\n\\]", "numeric", "\\[ x = 2 \\], \\[ x = -3 \\]"),
        ("1\n2", "short_text", "1, 2"),
        ("x = 2\n\ny = -3", "numeric", "x = 2, y = -3"),
        ("- red\n\n- blue", "short_text", "red, blue"),
        ("Rhine,\nRed River", "short_text", "Rhine, Red River"),
        ("3 cm\n5 cm", "numeric", "3 cm, 5 cm"),
        ("1. red\n2. blue\n3. green", "short_text", "red, blue, green"),
        ("The colours are:\n\n• red\n  - like blood\n• blue", "short_text", "red, blue"),
        ("1、红\n2、蓝", "short_text", "红, 蓝"),
        ("A. red\nB. blue", "short_text", "red, blue"),
        ("`a`,\n`b`", "short_text", "`a`, `b`"),
        ("① 赤\n② 青", "short_text", "赤, 青"),
        ("red\nblue\n\nThe flag has these two, one beside the other.", "short_text", "red, blue"),
        (r"$\boxed{2}$ and $\boxed{-3}$", "numeric", "2, -3"),
        ("\\[\\boxed{2}\\]\n\\[\\boxed{3}\\]", "numeric", "2, 3"),
        (r"$x = \boxed{2}$. $y = \boxed{3}$.", "numeric", "2, 3"),
    ],
)
def test_all_of_several_values_are_kept(answer: str, kind: str, tidy: str) -> None:
    assert tidy_answer(answer, kind) == tidy


@pytest.mark.parametrize(
    ("answer", "kind", "tidy"),
    [
        ("84\n\nSo 7 boxes hold 84 eggs.", "numeric", "84"),
        ("84\n12 × 7", "numeric", "84"),
        ("x = 5\n2(5) + 3 = 13 ✓", "numeric", "x = 5"),
        ("84\n84", "numeric", "84"),
        ("$$\n42\n$$\n\nSince 6 · 7 = 42.", "numeric", "42"),
        ("Paris\n\nIt is the seat of the government.", "short_text", "Paris"),
        ("Paris\nThe capital of France", "short_text", "Paris"),
        ("Hamlet\n(by Shakespeare)", "short_text", "Hamlet"),
        ("Paris\n\n---\n*Note: it is in France.*", "short_text", "Paris"),
        ("- Paris\n- It has been the capital of France for long.", "short_text", "Paris"),
        ("1. FC Köln", "short_text", "1. FC Köln"),
        ("Paris\n\nHope this helps", "short_text", "Paris"),
        ("Paris\nEND", "short_text", "Paris"),
        ("Paris\nConfidence high", "short_text", "Paris"),
        ("Rhine\n\nSource 3", "short_text", "Rhine"),
        ("red\n\nblue", "short_text", "red"),
        ("1945\n100% sure", "short_text", "1945"),
        ("12 cm\n3", "numeric", "12 cm"),
        ("a, b\nc", "short_text", "a, b"),
        ("\\frac{1}{2}\n\\text{Done}", "numeric", "\\frac{1}{2}"),
        ("巴黎\nParis", "short_text", "巴黎"),
        ("3\n\nStep 2", "numeric", "3"),
        ("3\nStep 2", "numeric", "3"),
        ("\n".join(map(str, range(500))), "numeric", "0"),
        (", ".join(f"\\boxed{{{number}}}" for number in range(400)), "numeric", "399"),
        ("\\boxed{3}.\n\n\\boxed{6}", "numeric", "6"),
        ("$\\boxed{3}$\n\n$$\\boxed{6}$$", "numeric", "6"),
        ("\\boxed{12}\n\n\\boxed{12 \\text{ cm}}", "numeric", "12 \\text{ cm}"),
        ("\\boxed{12} and \\boxed{12 \\text{ cm}}", "numeric", "12 \\text{ cm}"),
        (r"Area: \boxed{12}. Then the volume is \boxed{84}.", "numeric", "84"),
        (r"\boxed{4}, so again \boxed{4}", "numeric", "4"),
    ],
)
def test_a_value_with_an_explanation_is_the_value_alone(answer: str, kind: str, tidy: str) -> None:
    assert tidy_answer(answer, kind) == tidy


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"So $x=\boxed{2}$ or $x=\boxed{-3}$.", "2, -3"),
        (r"So $x=\boxed{2}$. Wait, that is wrong. $x=\boxed{-3}$.", "-3"),
        (r"So it is $\boxed{2}$ (not $\boxed{3}$).", "2"),
        (r"Twice \boxed{3}, which is \boxed{6}.", "6"),
    ],
)
def test_boxes_in_prose(text: str, answer: str) -> None:
    found = nemo_sdg.read_solution(text, kind="numeric")
    assert isinstance(found, dict)
    assert found["answer"] == answer


def test_two_boxed_options_are_no_answer() -> None:
    found = nemo_sdg.read_solution(r"\boxed{A} or \boxed{B}", kind="multiple_choice", options=["tin", "zinc"])
    assert found == ("answer_not_an_option", "A, B")
