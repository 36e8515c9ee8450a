"""Replies of rare forms: YAML, a draft before the final version, outlines, headings of unknown names."""

import pytest

import nemo_sdg
from nemo_sdg.generate.parsing.yaml_replies import read_fields

OUTLINE = (
    "Outline:\n\nI. Introduction\n   Context: sprawl.\nII. Body\n   Reasoning: density.\n   Answer to critics: ok."
)
DRAFT = "CONTEXT: Rivers. REASONING: The Danube? ANSWER: Danube."
FINAL = "CONTEXT\nSeas.\n\nREASONING\nThe Volga is longer.\n\nANSWER\nVolga"


def parts(text: str, kind: str = "short_text") -> tuple[str, ...]:
    """Context, reasoning and answer, or the reason why there is none."""
    found = nemo_sdg.read_solution(text, kind=kind)
    return (found["context"], found["reasoning"], found["answer"]) if isinstance(found, dict) else found[:1]


@pytest.mark.parametrize(
    "text",
    [
        '```yaml\ncontext: "Type systems."\nreasoning: "It\'s the ownership."\nanswer: Rust\n```',
        "```yml\ncontext: Type systems.\nreasoning: >\n  It's the\n  ownership.\nanswer: 'Rust'\n```",
        'context: "Type systems."\nreasoning: |\n  It\'s the ownership.\nanswer: Rust',
        "---\ncontext: Type systems.\nreasoning: |-\n  It's the ownership.\n\nanswer: >-\n  Rust",
    ],
)
def test_yaml_is_read_as_sections(text: str) -> None:
    assert parts(text) == ("Type systems.", "It's the ownership.", "Rust")


def test_a_program_in_yaml_keeps_its_lines() -> None:
    text = "```yaml\ncontext: Sums.\nreasoning: Add.\nanswer: |\n  def f(a):\n      b = a\n\n      return b\n```"
    assert parts(text, "code") == ("Sums.", "Add.", "def f(a):\n    b = a\n\n    return b")


def test_latex_in_quoted_yaml_is_no_control_character() -> None:
    text = '```yaml\ncontext: "Halves."\nreasoning: "It is \\frac{1}{2}."\nanswer: "\\frac{1}{2}"\n```'
    assert parts(text, "numeric") == ("Halves.", "It is \\frac{1}{2}.", "\\frac{1}{2}")


@pytest.mark.parametrize(
    "text",
    [
        "```yaml\nreasoning: r\nanswer: !!python/object/apply:os.getcwd []\n```",
        "```yaml\nreasoning: &a [r, r]\nanswer: [*a, *a]\n```",
        "```yaml\nreasoning: r\nanswer: " + "[" * 5000 + "\n```",
    ],
)
def test_yaml_makes_nothing_but_texts(text: str) -> None:
    assert read_fields(text, {"reasoning", "answer"}) is None


def test_two_answers_in_yaml_are_not_chosen_from() -> None:
    assert parts('reasoning: "r"\nanswer: "Rome"\nanswer: "Oslo"') == ("contradictory_answers",)


def test_inline_labels_behind_bare_headings_are_a_part_of_the_text() -> None:
    text = f"CONTEXT\nEssays have parts.\n\nREASONING\nFour paragraphs.\n\nANSWER\n{OUTLINE}"
    assert parts(text, "free_text") == ("Essays have parts.", "Four paragraphs.", OUTLINE)


def test_a_label_behind_the_answer_counts_where_a_section_lacks() -> None:
    text = "CONTEXT\nEssays have parts.\n\nANSWER\nWrite four paragraphs today.\n\nReasoning: Four are enough."
    assert parts(text, "free_text") == ("Essays have parts.", "Four are enough.", "Write four paragraphs today.")


@pytest.mark.parametrize(
    "text", [f"Draft:\n{DRAFT}\n\nFinal version:\n\n{FINAL}", f"**First draft**\n\n{DRAFT}\n\nIt is wrong.\n\n{FINAL}"]
)
def test_the_version_behind_a_draft_counts_alone(text: str) -> None:
    assert parts(text) == ("Seas.", "The Volga is longer.", "Volga")


def test_a_second_version_that_corrects_nothing_contradicts() -> None:
    assert parts(f"{FINAL.replace('Volga', 'Danube')}\n\n{FINAL}") == ("contradictory_answers",)


@pytest.mark.parametrize(
    "heads", ["السياق الخطوات الجواب", "संदर्भ सोच उत्तर", "Contexto Reflexión Respuesta", "CONTEXT THINKING ANSWER"]
)
@pytest.mark.parametrize("mark", ["", "**"])
def test_a_bare_heading_of_an_unknown_name_is_that_of_the_reasoning(heads: str, mark: str) -> None:
    one, two, three = (f"{mark}{head}{mark}" for head in heads.split())
    assert parts(f"{one}\nFacts.\n\n{two}\nBecause.\n\n{three}\nLima") == ("Facts.", "Because.", "Lima")


@pytest.mark.parametrize("line", ["River Thames", "**THINKING**", "THE LONG RIVER THAMES", "THINK."])
def test_a_line_of_another_form_is_no_heading(line: str) -> None:
    context = f"Facts.\n\n{line}\nBecause."
    assert parts(f"CONTEXT\n{context}\n\nANSWER\nLima") == (context, "", "Lima")


def test_of_two_unknown_headings_none_is_chosen() -> None:
    context = "Facts.\n\nTHINKING\nBecause.\n\nRIVERS\nThey flow."
    assert parts(f"CONTEXT\n{context}\n\nANSWER\nLima") == (context, "", "Lima")
