import pytest

from nemo_sdg.text.boxes import find_boxes, last_box, last_boxes, without_boxes


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"So \boxed{2}, or rather \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed 5", "5"),
        (r"\boxed{ 5 }", "5"),
        (r"\fbox{7}", "7"),
        (r"\boxed{\boxed{3}}", "3"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{a}{b}", "a"),
        (r"\boxed{5", None),
        (r"\boxed{2} no, \boxed{5", None),
        (r"\boxedtext{5}", None),
        ("no box", None),
    ],
)
def test_the_last_box_is_read_to_its_own_brace(text: str, content: str | None) -> None:
    assert last_box(text) == content


def test_boxes_give_way_to_what_they_hold() -> None:
    assert without_boxes(r"x = \boxed{5} m and \fbox{\boxed{6}}") == "x = 5 m and 6"
    assert [box.content for box in find_boxes(r"\boxed{1} + \boxed{2}")] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        (r"x = \boxed{2} or x = \boxed{3}", ["2", "3"]),
        (r"(i) \boxed{2}, (iv) y_1' = \boxed{3}", ["2", "3"]),
        (r"e. \boxed{2} und e = \boxed{3}", ["2", "3"]),
        ("\\[\\boxed{2}\\]\n\n\\[y = \\boxed{3}\\]", ["2", "3"]),
        ("\\boxed{2}\n\nand\n\n\\boxed{3}", ["2", "3"]),
        ("\\boxed{2}.\n\n\\boxed{3}", ["3"]),
        (r"\boxed{1} and \boxed{12}", ["1", "12"]),
        (r"\boxed{2}" + r" not \boxed{3}" * 1500, ["2"]),
        *((rf"\boxed{{5}}{mark * 2000} Q \boxed{{6}}", ["6"]) for mark in (" i.", " e.", " v.", " -  ", " (a)")),
        (", ".join([r"\boxed{5}"] * 3 + [r"\boxed{6}"] * 400), ["6"]),
    ],
)
def test_the_boxes_of_one_answer_are_read_together_and_in_linear_time(text: str, contents: list[str]) -> None:
    assert last_boxes(text) == contents
