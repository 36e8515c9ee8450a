"""Where the sections of a reply begin and end, whatever their headings are called and however they are set."""

import pytest

import nemo_sdg

PARTS = {"answer": "5", "reasoning": "B.", "context": "A."}


@pytest.mark.parametrize(
    "reply",
    [
        "## ПРЕДЫСТОРИЯ\nA.\n\n## ХОД РЕШЕНИЯ\nB.\n\n## ОТВЕТ\n5",
        "### Контекст\nA.\n\n### Ход рассуждений\nB.\n\n### Ответ\n5",
        "**Marco teórico:** A.\n\n**Desarrollo:** B.\n\n**Respuesta final:** 5",
        "**BỐI CẢNH:** A.\n\n**LẬP LUẬN:** B.\n\n**TRẢ LỜI:** 5",
        "**배경 설명**\nA.\n**사고 과정**\nB.\n**최종 정답**\n5",
        "**📚 Kontext:** A.\n\n**🧠 Begründung:** B.\n\n**✅ Antwort:** 5",
        "**📚 Context**\n\nA.\n\n**🧩 Reasoning**\n\nB.\n\n**🎯 Answer**\n\n5\n\n---\n\nWould you like more?",
        "### 📚 **Contexte**\nA.\n\n### 🧠 **Raisonnement**\nB.\n\n### ✅ **Réponse**\n5",
        "### Kontext\nA.\n\n### Gedanken dazu\nB.\n\n### Antwort\n5",
        "=== CONTEXT ===\nA.\n=== REASONING ===\nB.\n=== ANSWER ===\n5",
        "--- Kontext ---\nA.\n--- Begründung ---\nB.\n--- Antwort ---\n5",
        "`CONTEXT`\nA.\n\n`REASONING`\nB.\n\n`ANSWER`\n5",
        "\\section*{Context}\nA.\n\\section*{Reasoning}\nB.\n\\section*{Answer}\n5",
        "Part 1: Context\nA.\n\nPart 2: Reasoning\nB.\n\nPart 3: Answer\n5",
        "::CONTEXT::\nA.\n::REASONING::\nB.\n::ANSWER::\n5",
        "CONTEXT - A.\nREASONING - B.\nANSWER - 5",
        "## Context\nA.\n\n## How it is found\nB.\n\n## Answer\n5",
    ],
)
def test_sections_are_found_by_names_signs_and_their_order(reply: str) -> None:
    found = nemo_sdg.read_solution(reply, kind="numeric")
    assert isinstance(found, dict)
    assert {name: found[name] for name in PARTS} == PARTS


def test_an_inner_heading_of_another_level_is_no_reasoning() -> None:
    found = nemo_sdg.read_solution("## Context\nA.\n\n### A law\nB.\n\n## Answer\n5", kind="numeric")
    assert isinstance(found, dict)
    assert found["context"] == "A.\n\n### A law\nB."


@pytest.mark.parametrize("language", ["xml", "html", ""])
def test_tags_of_a_program_under_headings_are_no_sections(language: str) -> None:
    document = "<quiz>\n  <context>Rivers</context>\n  <answer>Nile</answer>\n</quiz>"
    reply = f"CONTEXT\nA.\n\nREASONING\nB.\n\nANSWER\n```{language}\n{document}\n```"
    found = nemo_sdg.read_solution(reply, kind="code")
    assert isinstance(found, dict)
    assert (found["answer"], found["reasoning"], found["context"]) == (document, "B.", "A.")


def test_tags_in_a_fence_that_is_the_reply_are_sections() -> None:
    inner = "<context>A.</context><reasoning>B.</reasoning><answer>5</answer>"
    for lead in ("", "Here you go:\n", "Answer:\n"):
        found = nemo_sdg.read_solution(f"{lead}```xml\n{inner}\n```", kind="numeric")
        assert isinstance(found, dict)
        assert {name: found[name] for name in PARTS} == PARTS


@pytest.mark.parametrize(
    "reasoning", ["The heading ANSWER: in the poem counts.", "The word answer is short.", "Das Wort Antwort ist kurz."]
)
def test_a_heading_that_is_spoken_of_states_no_answer(reasoning: str) -> None:
    found = nemo_sdg.read_solution(f"REASONING\n{reasoning}\n\nANSWER: LUCY", kind="short_text")
    assert isinstance(found, dict)
    assert found["answer"] == "LUCY"
