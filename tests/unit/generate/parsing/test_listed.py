"""Options as a reply lists them: labels are those that follow each other; initials and numbers of a name are none."""

import pytest

from nemo_sdg.generate.parsing.listed import read_options


@pytest.mark.parametrize(
    "listed",
    [
        "- A. iron\n- B. gold\n- C. lead",
        "A) iron\nB) gold\nC) lead",
        "**A)** iron\n**B)** gold\n**C)** lead",
        "(1) iron\n(2) gold\n(3) lead",
        "А) iron\nБ) gold\nВ) lead",
        "أ) iron\nب) gold\nج) lead",
        "ア. iron\nイ. gold\nウ. lead",
        "①iron\n②gold\n③lead",
        "- [ ] iron\n- [x] gold\n- [ ] lead",
        "- iron\n- **gold** (correct answer)\n- lead",
        "- iron\n\n- gold\n\n- lead\n\n*(The right one is gold.)*",
        "— iron\n— gold\n— lead",
        "- iron **[correct]**\n- gold\n- lead",
        "i. iron\nii. gold\niii. lead",
        "> - iron\n> - gold\n> - lead",
    ],
)
def test_labels_and_marks_are_left_out(listed: str) -> None:
    assert read_options(listed) == ["iron", "gold", "lead"]


@pytest.mark.parametrize(
    "options",
    [
        ["E. coli", "S. aureus", "B. cereus"],
        ["B. Franklin", "A. Lincoln", "C. Darwin"],
        ["1. FC Köln", "1. FC Nürnberg", "2. Bundesliga"],
        ["3. Oktober 1990", "9. November 1989", "17. Juni 1953"],
        ["2) and 3)", "1) and 2)", "1) alone"],
        ["A is older than B", "B is older than A"],
        ["-5", "+5", "5"],
        ["1:30", "2:30", "3:30"],
        ["1.5", "2.5", "3.5"],
    ],
)
@pytest.mark.parametrize("bullet", ["- ", ""])
def test_what_belongs_to_an_option_stays(options: list[str], bullet: str) -> None:
    assert read_options("\n".join(bullet + option for option in options)) == options


def test_lines_of_an_option_stay_together() -> None:
    assert read_options("- Tom sat.\n  He ate.\n- He ate.\n  Tom sat.") == ["Tom sat.\nHe ate.", "He ate.\nTom sat."]
    assert read_options("- ```\n  a\n\n  b\n  ```\n- c") == ["```\na\nb\n```", "c"]
