"""Python in texts is parsed and never run."""

from nemo_sdg.text.programs import parse_expression, parse_program


def test_what_is_no_python_is_told_without_running_it() -> None:
    assert parse_program("def f(): pass")
    assert not parse_program("def f(")
    assert not parse_program("(" * 10000)
    assert not parse_program("x = '\\0" + chr(0) + "'")
    assert parse_expression("a < b") is not None
    assert parse_expression("a = b") is None
