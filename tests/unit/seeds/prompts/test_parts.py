"""Prompts and their templates are taken apart."""

import pytest

from nemo_sdg.seeds.prompts.holes import with_holes
from nemo_sdg.seeds.prompts.parts import _with_columns_as_holes, split_template
from nemo_sdg.seeds.prompts.templates import text_reader


def test_which_of_two_equally_long_columns_is_a_hole_does_not_depend_on_the_process() -> None:
    firsts, seconds = [f"a{n}mid" for n in range(10, 30)], [f"mid{n}z" for n in range(10, 30)]
    text = " ".join(f"a{n}mid{n}z" for n in range(10, 30))
    _, holes = _with_columns_as_holes(text, {"x": seconds, "y": firsts})
    assert holes == firsts


@pytest.mark.parametrize(
    "hole",
    [
        "{% raw %}{{x}}{% endraw %}",
        "{% set x %}a{% endset %}",
        "{% set x = question %}",
        "{% with x = question %}{{x}}{% endwith %}",
        "{%- if x -%}{% set y %}b{% endset %}{% endif %}",
    ],
)
def test_a_control_structure_is_one_hole_whatever_it_is(hole: str) -> None:
    assert with_holes(f"Question:{hole} {{{{question}}}}")[1] == [hole, "{{question}}"]


def test_what_a_template_defines_is_known_in_each_of_its_parts() -> None:
    parts = split_template(
        "{% set q = stem.strip() %}{{passage}}\nQuestion: {{q}}\nAnswer:", has_choices=False, is_code=False
    )
    assert text_reader(parts.passage or "")({"passage": "It rains.", "stem": " Is it wet? "}) == "It rains."
    assert text_reader(parts.question)({"passage": "It rains.", "stem": " Is it wet? "}) == "Is it wet?"
