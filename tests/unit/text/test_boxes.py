import pytest

from nemo_sdg.text.boxes import find_boxes, last_box, without_boxes


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
