"""Texts that strong models write around and in an answer, and the answer that a careful reader finds in them."""

import json
from pathlib import Path

import pytest

import nemo_sdg
from nemo_sdg.generate.parsing.cleaning import without_marks
from nemo_sdg.generate.parsing.json_replies import escape_latex
from nemo_sdg.generate.parsing.solutions import read_solution

GASES = ["oxygen", "carbon dioxide", "nitrogen", "helium"]
ROOT = Path(__file__).resolve().parents[4]
CASES = ROOT.parent.parent / "shared" / "cases" / "generate"
if not CASES.is_dir():
    CASES = ROOT.parent / "shared" / "cases" / "generate"
shared = pytest.mark.skipif(not CASES.is_dir(), reason=f"no shared cases at {CASES}")


def read(text: str, kind: str = "numeric", **more: object) -> str:
    """The answer, or the reason why there is none."""
    options = GASES if kind == "multiple_choice" else None
    found = nemo_sdg.read_solution(text, kind=kind, **{"options": options, **more})  # type: ignore[arg-type]
    return found["answer"] if isinstance(found, dict) else found[0]


@shared
def test_the_shared_replies_are_read_as_a_careful_reader_does() -> None:
    rows = [json.loads(line) for line in (CASES / "replies.jsonl").read_text().splitlines()]
    wrong = []
    for row in rows:
        found = nemo_sdg.read_solution(
            row["text"], kind=row["kind"], options=row.get("options"), finish_reason=row.get("finish_reason", "stop")
        )
        answer = found["answer"] if isinstance(found, dict) else None
        if answer != row["answer"]:
            wrong.append((row["name"], row["answer"], found))
    assert not wrong


@shared
@pytest.mark.parametrize("form", [r"We have $a \{} b$.", r"We have \(x\{}{{2}}\)", r"so x \{} 3 holds", r"$\{}$"])
def test_latex_commands_survive_json_with_single_backslashes(form: str) -> None:
    for command in json.loads((CASES / "latex_commands.json").read_text()):
        written = form.format(command)
        found = nemo_sdg.read_solution(
            '{"context": "c", "reasoning": "' + written + '", "answer": "4"}', kind="numeric"
        )
        assert isinstance(found, dict), command
        assert found["reasoning"] == written


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"Step 1.\nu = 3", "Step 1.\nu = 3"),
        (r"Then:\n\ne = 2", "Then:\n\ne = 2"),
        (r"First line.\nThe second.\tA tab.", "First line.\nThe second.\tA tab."),
        (r"list:\n- one\n- two", "list:\n- one\n- two"),
        (r"so it holds,\nno doubt.\nNow\ntwo", "so it holds,\nno doubt.\nNow\ntwo"),
        (r"2 \times 3 \neq \frac{5}{1}\nNext line", "2 \\times 3 \\neq \\frac{5}{1}\nNext line"),
        (r"as $\\alpha$ shows\nu is 3", "as $\\alpha$ shows\nu is 3"),
    ],
)
def test_a_newline_or_tab_before_a_letter_stays_one(written: str, meant: str) -> None:
    assert json.loads(f'"{escape_latex(written)}"') == meant


@pytest.mark.parametrize(
    "answer",
    [
        r"\begin{pmatrix}1\\2\end{pmatrix}",
        r"\left[\begin{array}{cc}a & b\\[2pt] c & d\end{array}\right]",
        r"\begin{cases}x & x > 0\\ \tau & x = 0\\\beta & x < 0\end{cases}",
    ],
)
def test_row_breaks_survive_json_with_single_and_with_double_backslashes(answer: str) -> None:
    for written in (answer, answer.replace("\\", "\\\\")):
        assert read('{"reasoning": "r", "answer": "' + written + '"}') == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("**Answer: 60**", "60"),
        ("**Final Answer:** 60.", "60"),
        ("### Answer\n\nThere are **42** apples left.", "42"),
        ("## Reasoning\n1 + 1\n\n## Answer\n$$\n\\boxed{2}\n$$", "2"),
        ("Step 1: 40.\nStep 2: 2.\n\n**Answer**: $42$", "42"),
        ("We compute 3*4 = 12.\n\nThe final answer is: $\\boxed{12}$.", "12"),
        ("因此答案为 \\boxed{12}。", "12"),
        ("Lösung: 3 + 4.\n\nAntwort: 7", "7"),
        ("Resposta final: 7", "7"),
        ("最终答案：7", "7"),
        ("【解析】3+4\n【答案】7", "7"),
        ("So 3 × 14 = 42.", "42"),
        ("<reasoning>3 + 4</reasoning>\n<answer>7</answer>", "7"),
        ("```markdown\n## Reasoning\n3 + 4\n## Answer\n7\n```", "7"),
        ("1. **Context**: a\n2. **Reasoning**: b\n3. **Answer**: 7", "7"),
        ("Answer: 12\n\nWait, I made a mistake. 3*5=15.\n\nAnswer: 15", "15"),
        ("**Final Answer:** 12\n\nLet me verify: 3*5 = 15.\n\n**Final Answer:** 15", "15"),
        ("The answer is 12. Actually, no: it is 3*5. The answer is 15.", "15"),
        ("Reasoning: I first thought the answer is 12. Actually it is 15.\nAnswer: 15", "15"),
        ("Reasoning: so the answer is 12.\nAnswer: 15", "contradictory_answers"),
        ("Final answer: 12\n\nFinal answer: 15", "contradictory_answers"),
        ("<think>The answer is 12", "empty_output"),
        ("<think>Answer: 12</think>", "empty_output"),
        ("<think>Answer: 12</think>Answer: 15", "15"),
        ("analysisMaybe Answer: 12assistantfinalAnswer: 15", "15"),
        ("I'm sorry, but I can't help with that.", "refused_by_model"),
        ("抱歉，我无法回答这个问题。", "refused_by_model"),
        ("Answer: I cannot determine this.", "refused_by_model"),
        ("<|im_start|>assistant\n3 + 4 = 7\n\n**Answer: 7**<|im_end|>", "7"),
        ("**Answer:** ~~64~~ **81**", "81"),
        ("**Answer: 15**\n\nOnly 4 remain, so 12.\n\n**Corrected answer: 12**", "12"),
        ("| Pen | 60 |\n\n**Total cost: 310**", "310"),
        ("3x = 9\n∴ x = 3", "x = 3"),
        ("<think>Many say 12.\n\n**Final Answer:** 15", "15"),
        ("<b>Answer:</b> 84", "84"),
        ("The final answer is:\n\n**5**", "5"),
        ("The answer is:\n```\n5\n```", "5"),
        ("The answers are:\n- 5\n- 7\n\nAnswer: 12", "12"),
        ("<p><strong>Answer:</strong> 84</p>", "84"),
        ("Answer: 84<br>", "84"),
        ("解答：12减去5等于7。\n\n答案：7个", "7个"),
        ("解答：7", "7"),
        ("Answer to part (a): 3\nFinal answer: 5", "5"),
        ("The limit does not exist.", "The limit does not exist"),
        ("Final answer: 12\n\nThis is correct.\n\nFinal answer: 15", "contradictory_answers"),
        ("| Section | Content |\n|---|---|\n| Reasoning | 3 + 4 |\n| **Answer** | 7 |", "7"),
        ("| Answer | Count |\n|---|---|\n| yes | 7 |\n| no | 8 |", "no_answer"),
        ("Thinking Process:\n1. **Draft answer:** 12?\n\nFinal Output:\n\n**15**", "15"),
    ],
)
def test_numbers(text: str, answer: str) -> None:
    assert read(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("B", "carbon dioxide"),
        ("B) carbon dioxide\n\nPlants take it in.", "carbon dioxide"),
        ("**Answer: B**", "carbon dioxide"),
        ("**Answer:** B. carbon dioxide (CO₂)", "carbon dioxide"),
        ("Answer:\n\n- B. carbon dioxide", "carbon dioxide"),
        ("Answer: Option (D): helium", "helium"),
        ("Answer: D — helium", "helium"),
        ("**Correct option: B) carbon dioxide**", "carbon dioxide"),
        ("The correct option is therefore C.", "nitrogen"),
        ("Die richtige Antwort ist B) carbon dioxide.", "carbon dioxide"),
        ("Donc la bonne réponse est (B).", "carbon dioxide"),
        ("Portanto, a alternativa correta é a B.", "carbon dioxide"),
        ("따라서 정답은 B입니다.", "carbon dioxide"),
        ("したがって、答えはBです。", "carbon dioxide"),
        ("综上所述，故选B。", "carbon dioxide"),
        ("Правильный ответ: B", "carbon dioxide"),
        ("The answer is B, because it is not A.", "carbon dioxide"),
        ("Answer: plants take in carbon dioxide", "carbon dioxide"),
        ('{"answer": {"label": "B", "text": "carbon dioxide"}, "reasoning": "x"}', "carbon dioxide"),
        ('{"final_answer": "B", "explanation": "x"}', "carbon dioxide"),
        ("{'context': 'It is air', 'reasoning': 'so', 'answer': 'B'}", "carbon dioxide"),
        ("The answer is A. Wait, that is wrong: plants give off oxygen. The answer is B.", "carbon dioxide"),
        ("**Answer: A**\n\nPlants …\n\n**Answer: B**", "contradictory_answers"),
        ("只有它被吸收。\n\n故选【B】。", "carbon dioxide"),
        ("The answer is $\\textbf{(B)}\\ \\text{carbon dioxide}$.", "carbon dioxide"),
        ("- A. oxygen ❌ given off\n- B. carbon dioxide ✅ built into sugar\n- C. nitrogen ❌", "carbon dioxide"),
        ("Leaves give off one of them. That leaves the gas of our breath: carbon dioxide.", "carbon dioxide"),
        ("<p>Answer: <strong>B</strong></p>", "carbon dioxide"),
        ("<output>B</output>", "carbon dioxide"),
        ("<output>\n## Reasoning\nAir.\n## Answer\nB\n</output>", "carbon dioxide"),
        ('{"response": {"context": "c", "reasoning": "r", "answer": "B"}}', "carbon dioxide"),
        ("{“context”: “c”, “reasoning”: “so “it” is”, “answer”: “B”}", "carbon dioxide"),
        ("Use `<answer>` tags.\n<answer>B</answer>", "carbon dioxide"),
        ("```xml\n<answer>B</answer>\n```\nThat is it.", "carbon dioxide"),
        ("Plants take in CO2, so option B is correct.", "carbon dioxide"),
        ("Oxygen is released.\n\nOption **B** is the correct answer.", "carbon dioxide"),
        ("Plants take in CO2. Hence B is the answer.", "carbon dioxide"),
        ("Plants take in CO2. Hence, B.", "carbon dioxide"),
        ("A is given off. C and D are inert. That leaves B.", "carbon dioxide"),
        ("Oxygen is released. So, carbon dioxide.", "carbon dioxide"),
        ("The correct answer is B. Oxygen is released.", "carbon dioxide"),
        ("La respuesta correcta es la opción B.", "carbon dioxide"),
        ("Portanto, a alternativa correta é a letra B.", "carbon dioxide"),
        ("Die richtige Antwort ist daher B.", "carbon dioxide"),
        ("Doğru cevap B şıkkıdır.", "carbon dioxide"),
        ("सही उत्तर (B) है।", "carbon dioxide"),
        ("پاسخ صحیح گزینه B است.", "carbon dioxide"),
        ("התשובה הנכונה היא B.", "carbon dioxide"),
        ("คำตอบที่ถูกต้องคือ B", "carbon dioxide"),
        ("คำตอบคือ ข้อ B", "carbon dioxide"),
        ("Άρα η σωστή απάντηση είναι η B.", "carbon dioxide"),
        ("\u200fالإجابة: \u200eB\u200e", "carbon dioxide"),
        ("The answer is A.\n\nPlants take in CO2. Hence, B.", "contradictory_answers"),
        ("**Answer:** A\n\nPlants take in CO2, so option B is correct.", "contradictory_answers"),
        ("A. oxygen\n\nPlants take in CO2, so option B is correct.", "no_answer"),
        ("So the right one is B.", "carbon dioxide"),
        ("Only B fits.", "carbon dioxide"),
        ("This matches option B.", "carbon dioxide"),
        ("A helyes válasz a B.", "carbon dioxide"),
        ("Верный вариант — B.", "carbon dioxide"),
        ("Jawaban yang tepat adalah pilihan B.", "carbon dioxide"),
        ("<analysis>A?</analysis>\n<final>B</final>", "carbon dioxide"),
        ("The correct answer is:\n\n**B**", "carbon dioxide"),
        ("This rules out B.", "no_answer"),
        ("Hence either A or B.", "no_answer"),
        ("Many students conclude: so A is correct.", "no_answer"),
        ("It is false that B is the answer.", "no_answer"),
        ("We reject answer B.", "no_answer"),
        ("The answer is vitamin B.", "answer_not_an_option"),
        ("Answer: A. carbon dioxide", "answer_not_an_option"),
        ("Answer: both A and B", "answer_not_an_option"),
        ("Answer: not oxygen", "answer_not_an_option"),
        ("Answer: neon", "answer_not_an_option"),
    ],
)
def test_options(text: str, answer: str) -> None:
    assert read(text, "multiple_choice") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Answer: Yes, because no fish nurses its young.", "yes"),
        ("Antwort: Yes, weil no fish so etwas tut.", "yes"),
        ("Whales are mammals. So, yes.", "yes"),
        ("Answer: Yes, no, yes.", "answer_not_an_option"),
        ("Answer: Yes or no, because both fit.", "answer_not_an_option"),
    ],
)
def test_the_reason_of_an_answer_names_no_other_option(text: str, answer: str) -> None:
    assert read(text, "classification", options=["yes", "no"]) == answer


LABELLIKE = ["Both A and B", "A only", "B only", "None"]


@pytest.mark.parametrize(
    ("text", "options", "answer"),
    [
        ("A only", LABELLIKE, "A only"),
        ("So A only.", LABELLIKE, "A only"),
        ("Only the first holds.\n\nHence, B only.", LABELLIKE, "B only"),
        ("Option A", ["Option B", "Option A"], "Option A"),
        ("Option 1", ["Option 2", "Option 1"], "Option 1"),
        ("Letter B", ["Letter B", "Letter A"], "Letter B"),
        ("A is correct", ["B is correct", "A is correct"], "A is correct"),
        ("So B is true.", ["B is true", "A is true"], "B is true"),
        ("Both hold. So C.", ["I only", "II only", "I and II", "Neither"], "I and II"),
        ("A holds, B fails. So A.", LABELLIKE, "no_answer"),
        ("No. Group A", ["Yes. Group A", "Group A", "No. Group A"], "No. Group A"),
        ("It falls. So B.", ["It rises. So A.", "Neither", "It falls. So B."], "It falls. So B."),
        ("Choice 2", ["Choice 2", "Choice 1"], "Choice 2"),
        ("보기 2", ["보기 2", "보기 1"], "보기 2"),
    ],
)
def test_an_option_that_reads_as_a_label_is_known_by_its_text(text: str, options: list[str], answer: str) -> None:
    assert read(text, "multiple_choice", options=options) == answer


@pytest.mark.parametrize(
    "rows", ["| Answer | 5 |\n", "<div>", "_", '<details type="reasoning">a</details>', "\\boxed{5} not "]
)
def test_a_looping_reply_is_read_in_little_time(rows: str) -> None:
    read(f"Answer: {rows * 2000}", "short_text")
    read(rows * 2000)


def test_sections_become_fields_and_chatter_goes() -> None:
    text = (
        "<think>Easy.</think>Sure! Here is the solution:\n\n**Context:** Leaves have pores.\n\n---\n\n"
        "**Reasoning:** Oxygen is given off.\n\nSo it is the other.\n\n**Answer:** B\n\nLet me know if you need more!"
    )
    assert nemo_sdg.read_solution(text, kind="multiple_choice", options=GASES) == {
        "answer": "carbon dioxide",
        "reasoning": "Oxygen is given off.\n\nSo it is the other.",
        "context": "Leaves have pores.",
        "trace": "Easy.",
    }


def test_a_trace_that_the_server_sent_apart_is_kept_and_never_read() -> None:
    found = nemo_sdg.read_solution("Answer: 15", kind="numeric", trace="Maybe the answer is 12.")
    assert isinstance(found, dict)
    assert (found["answer"], found["trace"]) == ("15", "Maybe the answer is 12.")
    cut = nemo_sdg.read_solution("", kind="numeric", finish_reason="length", trace="Maybe the answer is 12.")
    assert cut == ("cut_at_max_tokens", "thinking")


@pytest.mark.parametrize("finish_reason", ["length", "repetition"])
def test_a_reply_that_was_cut_has_no_answer_unless_it_was_closed_before(finish_reason: str) -> None:
    explained = nemo_sdg.read_solution(
        "**Answer: 60**\n\n**Explanation:** we add", kind="numeric", finish_reason=finish_reason
    )
    assert isinstance(explained, dict)
    assert (explained["answer"], explained["reasoning"]) == ("60", ""), "half an explanation is not kept"
    assert read('{"answer": "60", "reasoning": "we ad', finish_reason=finish_reason) == "60"
    assert read('{"reasoning": "we add", "answer": "6', finish_reason=finish_reason) == "cut_at_max_tokens"
    assert read("Answer: 6", finish_reason=finish_reason) == "cut_at_max_tokens"
    assert read("## Reasoning\n3 + 4\n## Answer\n7", finish_reason=finish_reason) == "cut_at_max_tokens"
    closed = '{"context": "c", "reasoning": "r", "answer": "60"}\n\nThis is'
    assert read(closed, finish_reason=finish_reason) == "60"
    assert read("<reasoning>r</reasoning><answer>60</answer> This", finish_reason=finish_reason) == "60"


DOUBLE = "def double(x):\n    return 2 * x"


@pytest.mark.parametrize(
    "text",
    [
        f"## Context\nDoubling.\n\n## Reasoning\nMultiply.\n\n## Answer\n```python\n{DOUBLE}\n```",
        f"Here is the function:\n\n```python\n{DOUBLE}\n```\n\nIt multiplies.",
        f"```python\ndef double(x):\n    return x\n```\nThat is wrong, corrected:\n```python\n{DOUBLE}\n```",
        f"<answer>\n```python\n{DOUBLE}\n```\n</answer>",
        f"{DOUBLE}\n",
        json.dumps({"reasoning": "Multiply.", "code": DOUBLE}),
    ],
)
def test_programs(text: str) -> None:
    assert read(text, "code") == DOUBLE


@pytest.mark.parametrize("tag", ["<answer>", "</answer>", "<reasoning>"])
@pytest.mark.parametrize("form", ["{}", "<reasoning>Use the tag.</reasoning>\n<answer>\n{}\n</answer>"])
def test_a_tag_inside_a_program_is_its_own(tag: str, form: str) -> None:
    program = f"def f(s):\n    return s.split(' {tag} ')[1]"
    assert read(form.format(f"```python\n{program}\n```"), "code") == program


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<b>Answer:</b> Paris", "Paris"),
        ("Answer: <b>Paris</b>", "<b>Paris</b>"),
        ("Answer: <br>", "<br>"),
        ("**Answer:** Paris", "Paris"),
        ("Paris", "Paris"),
        ("Answer: Paris (France)", "Paris"),
        ("The capital of France is **Paris**.", "Paris"),
        ("## Answer\n“Paris”.", "Paris"),
        ("Respuesta: París", "París"),
    ],
)
def test_short_texts(text: str, answer: str) -> None:
    assert read(text, "short_text") == answer


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        ("<s> a b </s>", "a b"),
        ("a b</s>", "a b"),
        ("<s>a b", "a b"),
        ("a <s>old</s> b", "a <s>old</s> b"),
        ("<s>a <S>old</S> b</s>", "a <S>old</S> b"),
        ("Write <s>old\nprice</s>", "Write <s>old\nprice</s>"),
        ("a b</s></s>", "a b"),
    ],
)
def test_text_struck_out_in_html_stays_and_ends_of_a_sequence_do_not(reply: str, seen: str) -> None:
    assert without_marks(reply).strip() == seen


@pytest.mark.parametrize("answer", ["knowledge", "- knowledge", "**knowledge**", "Theory", "proof", "Explanation"])
@pytest.mark.parametrize("marked", ["### {}\n", "**{}**\n", "{}:\n", "{}\n"])
def test_an_answer_that_has_the_name_of_a_section_is_the_answer(answer, marked):
    if answer.startswith("**") and marked.startswith("**"):
        marked = "**{}:**\n"
    heads = [marked.format(name) for name in ("Context", "Reasoning", "Answer")]
    text = f"{heads[0]}Sharing divides most things.\n\n{heads[1]}- wealth divides\n- knowledge\n\n{heads[2]}{answer}"
    found = read_solution(text, kind="short_text")
    assert (found["answer"], found["context"]) == (answer.strip("-* "), "Sharing divides most things.")
    assert found["reasoning"] == "- wealth divides\n- knowledge"


@pytest.mark.parametrize(
    "reasoning",
    [
        "It is a reaction.\n\n**Background:** heat is given off.\n\nSo it is gold.",
        "**Given:** iron.\n\n**Solution:**\nIt rusts.\n\n**Options:** one is left.\n\nSo it is gold.",
        "The letter says:\n\n> ## Answer\n> iron\n\nBut it is gold.",
        "### Theory\nIron rusts.\n\n### Analysis\nSo it is gold.",
    ],
)
def test_parts_of_a_reasoning_stay_in_it(reasoning):
    text = f"## Context\nMetals differ.\n\n## Reasoning\n{reasoning}\n\n## Answer\ngold"
    read = read_solution(text, kind="multiple_choice", options=["iron", "gold"])
    assert (read["context"], read["reasoning"], read["answer"]) == ("Metals differ.", reasoning, "gold")


def test_parts_of_a_reasoning_stay_in_it_under_bold_headings():
    reasoning = "It is heavy.\n\n*Background:* ores are rare.\n\nSo it is gold."
    text = f"**Context:** Metals differ.\n\n**Reasoning:** {reasoning}\n\n**Answer:** gold"
    read = read_solution(text, kind="multiple_choice", options=["iron", "gold"])
    assert (read["context"], read["reasoning"], read["answer"]) == ("Metals differ.", reasoning, "gold")


def test_an_answer_in_sentences_keeps_its_own_labels():
    answer = "Context: it decides how a word is read.\n\n**Explanation:** words have several senses."
    text = f"## Context\nWords.\n\n## Reasoning\nTwo terms.\n\n## Answer\n{answer}"
    read = read_solution(text, kind="free_text")
    assert (read["context"], read["reasoning"], read["answer"]) == ("Words.", "Two terms.", answer)


@pytest.mark.parametrize(
    ("answer", "kind", "options", "expected"),
    [
        ("Answer", "multiple_choice", ["Question", "Answer"], "Answer"),
        ("Antwort", "multiple_choice", ["Frage", "Antwort"], "Antwort"),
        ("The Answer", "short_text", None, "The Answer"),
        ("`**`", "multiple_choice", ["*", "**"], "**"),
        ("> gold", "multiple_choice", ["iron", "gold"], "gold"),
        ("> **Paris**", "short_text", None, "Paris"),
        ("> 5", "numeric", None, "> 5"),
        ("→", "short_text", None, "→"),
        ("__init__", "short_text", None, "__init__"),
        ("**kwargs", "short_text", None, "**kwargs"),
        ("__Paris__", "short_text", None, "Paris"),
        ("####", "short_text", None, "####"),
        ("✅ Paris", "short_text", None, "Paris"),
        ("$\\dfrac{1}{2}$", "multiple_choice", [r"$\frac{1}{2}$", r"$\frac{1}{3}$"], r"$\frac{1}{2}$"),
        ("```python\nprint(1)\n```\n\nIt prints 1.", "free_text", None, "```python\nprint(1)\n```\n\nIt prints 1."),
    ],
)
def test_an_answer_that_looks_like_its_form_is_read(answer, kind, options, expected):
    text = f"## Context\nMetals.\n\n## Reasoning\nIt follows.\n\n## Answer\n{answer}"
    read = read_solution(text, kind=kind, options=options)
    assert (read["context"], read["reasoning"], read["answer"]) == ("Metals.", "It follows.", expected)


def test_emoji_may_stand_behind_a_heading():
    read = read_solution("## Context 📘\nMetals.\n\n## Reasoning 🧠\nSo.\n\n## Answer ✅\ngold", kind="short_text")
    assert (read["context"], read["reasoning"], read["answer"]) == ("Metals.", "So.", "gold")


def test_a_reply_in_a_fence_may_follow_a_sentence():
    text = "Here is the solution:\n\n```markdown\n## Reasoning\nIt follows.\n\n## Answer\ngold\n```"
    assert read_solution(text, kind="short_text")["answer"] == "gold"


def test_a_program_behind_a_sentence_is_no_reply_in_sections():
    text = "Here is the code:\n```\nanswer = 5\nprint(answer)\n```"
    assert read_solution(text, kind="code")["answer"] == "answer = 5\nprint(answer)"


def test_an_explanation_under_an_empty_answer_is_none_where_another_answer_follows():
    read = read_solution("### Answer\n**Explanation**\nIt is heavy.\n\n**Final answer:** gold", kind="short_text")
    assert (read["reasoning"], read["answer"]) == ("It is heavy.", "gold")


@pytest.mark.parametrize("kind", ["short_text", "free_text"])
@pytest.mark.parametrize(
    "place", ["### Reasoning\nSo.\n\n{}\n\n### Answer\ngold", "### Reasoning\nSo.\n\n### Answer\ngold\n\n{}"]
)
def test_the_only_context_of_a_reply_counts_under_a_heading_of_another_form(kind, place):
    read = read_solution(place.format("**Context:** Metals."), kind=kind)
    assert (read["context"], read["reasoning"], read["answer"]) == ("Metals.", "So.", "gold")


@pytest.mark.parametrize(
    ("last", "answer"),
    [
        ("The answer Sunday is what one gets by forgetting a day. So they plant on Monday.", "Monday"),
        ("틀리기 쉬운 답은 다음과 같다. 하루를 빠뜨리면 일요일이 된다. 따라서 월요일에 심는다.", "월요일"),
        ("A hasty answer is the 4th floor, by counting the ground floor. She lives on the 3rd floor.", "3rd floor"),
    ],
)
def test_what_a_reasoning_says_of_other_answers_before_its_own_is_no_contradiction(last, answer):
    text = f"### Context\nA week has seven days.\n\n### Reasoning\nThey count on.\n\n{last}\n\n### Answer\n{answer}"
    assert read(text, "short_text") == answer


@pytest.mark.parametrize(
    ("stated", "answer"),
    [
        ("Ответ: А. С. Пушкин", "А. С. Пушкин"),
        ("Ответ: Дж. К. Роулинг", "Дж. К. Роулинг"),
        ("Ответ: г. Москва", "г. Москва"),
        ("Απάντηση: Α. Παπανδρέου", "Α. Παπανδρέου"),
        ("उत्तर: ए. पी. जे. अब्दुल कलाम", "ए. पी. जे. अब्दुल कलाम"),
        ("उत्तर: डॉ. अंबेडकर", "डॉ. अंबेडकर"),
        ("الجواب: د. طه حسين", "د. طه حسين"),
        ("Ответ: Пушкин. Он писал стихи.", "Пушкин"),
    ],
)
def test_initials_of_all_scripts_end_no_sentence(stated, answer):
    assert (
        read_solution(f"It follows from the dates.\n\nSo it is clear. {stated}", kind="short_text")["answer"] == answer
    )


def test_a_reasoning_that_states_another_answer_last_is_a_contradiction():
    for last in ("The answer is Sunday.", "The answer is Sunday. Therefore we are done."):
        text = f"### Context\nA week has seven days.\n\n### Reasoning\nNot Monday. {last}\n\n### Answer\nMonday"
        assert read_solution(text, kind="short_text")[0] == "contradictory_answers"


@pytest.mark.parametrize(
    "last",
    [
        "A common answer is Sunday, which forgets a day.",
        "Eine häufige Antwort ist Sunday, wenn man einen Tag vergisst.",
        "Частый ответ: Sunday, если забыть день.",
        "틀리기 쉬운 답은 Sunday이다.",
        "よくある答えはSundayである。",
    ],
)
def test_a_common_mistake_is_not_the_answer_of_a_reasoning(last):
    text = f"### Context\nA week has seven days.\n\n### Reasoning\nIt is Monday.\n\n{last}\n\n### Answer\nMonday"
    assert read(text, "short_text") == "Monday"
