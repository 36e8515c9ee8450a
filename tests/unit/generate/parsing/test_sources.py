"""Footnotes, references and ticks around an answer are no part of it."""

import pytest

import nemo_sdg
from nemo_sdg.generate.parsing.sources import without_sources

TEXT = "Tardigrades survive by drying out. Special proteins protect their cells."


@pytest.mark.parametrize(
    ("answer", "bare"),
    [
        ("dead pledge [1]\n\n[1] Oxford English Dictionary.", "dead pledge"),
        ("dead pledge[^1].\n\n[^1]: Oxford English Dictionary.", "dead pledge."),
        (f"It dries [1]. {TEXT} [2]\n\n[1] One.\n[2] Two.", f"It dries. {TEXT}"),
        (f"{TEXT}\n\nReferences\n1. Hesgrove, 2020.\n2. Jönsson, 2008.", TEXT),
        (f"{TEXT} [1]\n\n**Sources:**\n\n[1] Hesgrove, 2020.", TEXT),
        (f"{TEXT}\n\n## Quellen\n- Hesgrove, 2020.", TEXT),
        # no footnotes and no references
        (f"{TEXT} [3]", f"{TEXT} [3]"),
        ("The steps are:\n\n[1] Dry.\n[2] Wait.", "The steps are:\n\n[1] Dry.\n[2] Wait."),
        ("[1] Dry.\n[2] Wait.", "[1] Dry.\n[2] Wait."),
        ("Sources\n- the Nile\n- the Rhine", "Sources\n- the Nile\n- the Rhine"),
        (f"{TEXT}\n\nReferences\nThey lack.", f"{TEXT}\n\nReferences\nThey lack."),
        ("Three sources of light:\n- lamps\n- stars", "Three sources of light:\n- lamps\n- stars"),
    ],
)
def test_footnotes_and_references_go(answer: str, bare: str) -> None:
    assert without_sources(answer) == bare


@pytest.mark.parametrize("ticks", ["`", "``"])
def test_a_program_of_one_line_stands_without_its_backticks(ticks: str) -> None:
    pattern = r"^\d{4}-(0[1-9]|1[0-2])$"
    text = f"CONTEXT\nDates.\n\nREASONING\nMonths.\n\nANSWER\n{ticks}{pattern}{ticks}"
    found = nemo_sdg.read_solution(text, kind="code")
    assert isinstance(found, dict)
    assert found["answer"] == pattern
