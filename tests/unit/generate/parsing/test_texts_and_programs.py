"""What is the answer in a text with remarks around it, in several blocks of code, and in a quantity said twice."""

import pytest

import nemo_sdg

REPLY = "CONTEXT\nFacts.\n\nREASONING\nA thought.\n\nANSWER\n"


def read(answer: str, kind: str, reply: str = REPLY) -> str:
    found = nemo_sdg.read_solution(reply + answer, kind=kind)
    return found["answer"] if isinstance(found, dict) else found[0]


@pytest.mark.parametrize(
    "after",
    [
        "*(Word count: 39)*",
        "(120 words)",
        "---\nConfidence: medium. The evidence is mixed.",
        "**Confidence:** 0.9",
        "*(字数：20)*",
        "Lass mich wissen, ob du mehr brauchst!",
        "N'hésitez pas à me demander.",
        "¡Espero que esto te ayude!",
        "希望这对您有帮助！",
        "ご不明な点があればお知らせください。",
        "Если у вас есть вопросы, пишите.",
    ],
)
def test_a_text_ends_before_remarks_about_it(after: str) -> None:
    assert read(f"A text of two sentences. It ends here.\n\n{after}", "free_text") == (
        "A text of two sentences. It ends here."
    )


@pytest.mark.parametrize(
    "text",
    ["Dear Sir,\n\nI hope this finds you well.\n\nYours,\nBob", "Spell these.\n\nWords: dog, cat", "> q\n\nan aside"],
)
def test_the_last_lines_of_a_text_stay(text: str) -> None:
    assert read(text, "free_text") == text


def test_a_text_that_is_quoted_as_a_whole_is_written_out() -> None:
    assert read("> A text\n> of two lines.\n\n*(Word count: 6)*", "free_text") == "A text\nof two lines."


def test_a_text_ends_at_another_heading_in_capitals() -> None:
    reply = "## {0}\nA.\n\n## {1}\nB.\n\n## {2}\nA long text.\n\n## {3}\n- x"
    capitals = ("CONTEXT", "REASONING", "ANSWER", "KEY TAKEAWAYS")
    assert read(reply.format(*capitals), "free_text", "") == "A long text."
    assert read(reply.format("Context", "Reasoning", "Answer", "Part two"), "free_text", "").endswith("- x")
    own = "## CONTEXT\nA.\n\n## REASONING\nB.\n\n## ANSWER\n## TITLE\nA text.\n\n## PART TWO\nMore."
    assert read(own, "free_text", "").endswith("More.")


@pytest.mark.parametrize(
    ("answer", "program"),
    [
        ("```js\nfunction f(a) { return a; }\n```\n\nUsage:\n\n```js\nf(3)\n```", "function f(a) { return a; }"),
        (
            "```js\nconst add = (a, b) => a + b;\n```\nThen call it:\n```js\nadd(1, 2);\n```",
            "const add = (a, b) => a + b;",
        ),
        (
            "```go\nfunc f(a int) int { return a }\n```\n**Example:**\n```go\nf(3)\n```",
            "func f(a int) int { return a }",
        ),
        (
            "```cpp\nint f(int a) {\n  return a;\n}\n```\nAufruf:\n```cpp\nint x = f(3);\n```",
            "int f(int a) {\n  return a;\n}",
        ),
        ("```rust\nfn f() -> i32 { 1 }\n```\nBetter:\n```rust\nfn f() -> i32 { 2 }\n```", "fn f() -> i32 { 2 }"),
        ("```ruby\ndef f(x)\n  x\nend\n```\n\n```ruby\nputs f(1)\n```", "def f(x)\n  x\nend"),
        ("用法：\n```js\nf(1)\n```\n实现：\n```js\nfunction f(x) { return x }\n```", "function f(x) { return x }"),
        ("```sql\nSELECT 1\n```\nOutput:\n```\n1\n```", "SELECT 1"),
        ("First:\n```sql\nSELECT 1\n```\nBetter:\n```sql\nSELECT 2\n```", "SELECT 2"),
    ],
)
def test_the_program_is_the_block_that_defines_and_not_the_one_that_uses(answer: str, program: str) -> None:
    assert read(answer, "code") == program


@pytest.mark.parametrize(
    ("answer", "quantity"),
    [
        ("5 m (500 cm)", "5 m"),
        ("5 m（500 cm）", "5 m"),
        ("90 km/h (25 m/s)", "90 km/h"),
        (r"$5\ \mathrm{m} \quad (500\ \mathrm{cm})$", r"5\ \mathrm{m}"),
        ("5 m (501 cm)", "5 m (501 cm)"),
        ("2 (x+1)", "2 (x+1)"),
        ("12 (mod 5)", "12 (mod 5)"),
        ("(3, 4)", "(3, 4)"),
    ],
)
def test_a_quantity_said_again_in_another_unit_is_said_once(answer: str, quantity: str) -> None:
    assert read(answer, "numeric") == quantity


def test_a_named_approximation_is_its_value() -> None:
    for name in (r"\lambda \approx ", r"\lambda_{\max} \approx ", "x ≈ ", r"\approx "):
        assert nemo_sdg.same_answer(rf"{name}5.0 \times 10^{{-7}}\ \mathrm{{m}}", "500 nm", kind="numeric")


@pytest.mark.parametrize(
    ("answer", "program"),
    [
        ("def f(x):\n    return x\n\nThis works because x is kept.", "def f(x):\n    return x"),
        ("Here it is:\n\ndef f(x):\n    y = x\n\n    return y", "def f(x):\n    y = x\n\n    return y"),
        ("Es geht so:\n\ndef f(x):\n    return x\n\nFertig ist es.", "def f(x):\n    return x"),
        ("```bash\necho hi\n```", "echo hi"),
        ("```yaml\ncontext: a\nanswer: b\n```", "context: a\nanswer: b"),
        ('```json\n{"answer": 1}\n```', '{"answer": 1}'),
        ("echo hi\n\necho there", "echo hi\n\necho there"),
    ],
)
def test_a_program_has_no_prose_and_no_fence_around_it(answer: str, program: str) -> None:
    assert read(answer, "code") == program


def test_json_under_headings_gives_the_answer_and_they_the_rest() -> None:
    found = nemo_sdg.read_solution(REPLY + '```json\n{"answer": 5}\n```', kind="numeric")
    assert isinstance(found, dict)
    assert (found["answer"], found["reasoning"], found["context"]) == ("5", "A thought.", "Facts.")
