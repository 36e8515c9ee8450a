"""Prompts that functions wrote are taken apart."""

from nemo_sdg.seeds.prompts.parts import _with_columns_as_holes


def test_which_of_two_equally_long_columns_is_a_hole_does_not_depend_on_the_process() -> None:
    firsts, seconds = [f"a{n}mid" for n in range(10, 30)], [f"mid{n}z" for n in range(10, 30)]
    text = " ".join(f"a{n}mid{n}z" for n in range(10, 30))
    _, holes = _with_columns_as_holes(text, {"x": seconds, "y": firsts})
    assert holes == firsts
