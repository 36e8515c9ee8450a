"""Signs that tell answers apart although their words are the same: brackets, layout of programs, a bare share."""

import pytest

from nemo_sdg.text.answers import same_answer


@pytest.mark.parametrize("kind", ["multiple_choice", "short_text", "numeric"])
@pytest.mark.parametrize(
    ("one", "other"), [("[1, 2)", "[1, 2]"), ("(1, 2]", "[1, 2)"), ("]1, 2[", "]1, 2]"), ("(-∞, 3)", "(-∞, 3]")]
)
def test_an_open_end_is_not_a_closed_one(kind: str, one: str, other: str) -> None:
    assert not same_answer(one, other, kind=kind)
    assert not same_answer(other, one, kind=kind)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("{1}", "[1]", False),
        ("f[1]", "f(1)", False),
        ("5!", "5", False),
        ("1 / 2", "1 . 2", False),
        ("(5)", "5", True),
        ("(a, b)", "(a,b)", True),
        ("$[1,2)$", "[1, 2)", True),
        ("H2O (l)", "H2O(l)", True),
        ("CO₂", "CO2", True),
        ("$10^{-3}$ m", "10^-3 m", True),
        ("No!", "No", True),
        ("¡Sí!", "Sí", True),
        ("是！", "是", True),
        ("Go: up", "Go up", True),
        ("5 (cm)", "5 cm", True),
        ("n!", "n", False),
        ("3:4", "3 4", False),
    ],
)
def test_options_without_words_differ_by_their_signs(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other, kind="multiple_choice") is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("(3, 7)", "$(3,7)$", True),
        ("(3, 7)", "(7, 3)", False),
        ("[1; 2[", "[1, 2)", True),
        ("y = 2x + 1", "2x - y + 1 = 0", True),
        ("y = 2x + 1", "y = 2x - 1", False),
        ("x + y = 3", "2x + 2y = 6", True),
        ("[No, No]", "[no, no]", True),
        ("[Na, Cl]", "(Na, Cl)", True),
        ("[он, я]", "[Он, я]", True),
    ],
)
def test_intervals_points_and_lines_among_short_texts_are_mathematics(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other, kind="short_text") is same


@pytest.mark.parametrize(("bare", "same"), [("0.5", False), ("0.6", False), ("60", True), ("0.006", False)])
def test_a_bare_number_below_one_may_be_a_share_or_a_percentage(bare: str, same: bool) -> None:
    assert same_answer("60%", bare, kind="numeric", question="What percentage is it?") is same
    assert not same_answer("0.5%", "0.5", kind="numeric", question="What percentage is it?")


LOOP = "for i in x:\n    a(i)\n    b(i)"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (LOOP, "for i in x:\n    a(i)\nb(i)", False),
        (LOOP, "for i in x:\n  a(i)\n  b(i)", True),
        ("print('a  b')", "print('a b')", False),
        (LOOP, f"```python\n{LOOP}\n```", True),
        ("1", "`1`", True),
        ("x = 1", "`x = 1`", True),
        ("SELECT name FROM users;", "select name\nfrom users", True),
        ("SELECT name FROM users WHERE id = 'A'", "select name from users where id='a'", False),
        ("if x then\n  y\nend\nz", "if x then\n  y\n  z\nend", False),
        ("main = do\n  a\n  b", "main = do\n  a\nb", False),
        ("int f() {\n  return 1;\n}", "int f() {\n\treturn 1;\n}", True),
        ("int f() {\n  return 1;\n}", "int f()\n{\n    return 1;\n}", True),
        ("if [ 1 ]; then\n  ls\nfi", "if [ 1 ]; then\n    ls\nfi", True),
        ("<ul>\n <li>a</li>\n</ul>", "<ul>\n   <li>a</li>\n</ul>", True),
        ("```\n```", "x = 1", False),
        ("```\n```", "```python\n\n```", True),
    ],
)
def test_the_layout_of_a_program_counts_where_its_language_says_so(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other, kind="code") is same
    assert same_answer(other, one, kind="code") is same


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("열네 개", "14개", "ko"),
        ("열아홉", "19", "ko"),
        ("5 nautical miles", "9.26 km", "en"),
        ("2 海里", "3.704 km", "zh"),
        ("10 millas náuticas", "18,52 km", "es"),
    ],
)
def test_numerals_and_miles(one: str, other: str, language: str) -> None:
    assert same_answer(one, other, kind="numeric", language=language)
    assert not same_answer("5 nautical miles", "5 miles", kind="numeric")
