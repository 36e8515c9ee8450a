"""Kinds of faults that the filters find in several languages; every sample here is written for the test."""

from typing import Any

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.code import code_parses, code_tests
from nemo_sdg.curate.filters.registry import apply_filters
from nemo_sdg.curate.filters.view import View

SHORT: dict[str, Any] = {
    "sample_id": "a1",
    "origin": "similar",
    "seed_ids": ["s1"],
    "task": "toy",
    "family": "factual",
    "capability": "knowledge",
    "kind": "short_text",
    "frame": "generation",
    "language": "en",
    "question": "Which metal is drawn into the thin wires of most household cables?",
    "passage": None,
    "choices": None,
    "answer": {"text": "copper", "label": None, "aliases": []},
    "tests": None,
    "context": "Conductors carry electrons with little resistance, and soft ones are easily drawn into thin strands.",
    "reasoning": "Silver conducts best but costs too much, and steel resists too much. What remains is copper.",
}
CHOICE: dict[str, Any] = SHORT | {
    "kind": "multiple_choice",
    "frame": "selection",
    "question": "Which animal sleeps through the winter?",
    "choices": ["the hedgehog", "the swallow", "the fox", "the magpie"],
    "answer": {"text": "the hedgehog", "label": "A", "aliases": []},
    "context": "Small mammals that live on insects find little food in the cold months and lower their temperature.",
    "reasoning": "Swallows fly south, foxes hunt in the snow and magpies eat what they find. That leaves the hedgehog.",
}
GERMAN = SHORT | {
    "language": "de",
    "question": "Welches Metall steckt in den dünnen Drähten der meisten Hauskabel?",
    "answer": {"text": "Kupfer", "label": None, "aliases": []},
    "context": "Leiter lassen Elektronen mit wenig Widerstand fließen, und weiche lassen sich leicht zu Fäden ziehen.",
    "reasoning": "Silber leitet am besten, ist aber zu teuer, und Stahl leitet schlecht. Es bleibt Kupfer.",
}
NUMERIC = SHORT | {
    "kind": "numeric",
    "question": "A train covers 240 km in 3 hours. What is its mean speed in km/h?",
    "answer": {"text": "80", "label": None, "aliases": []},
    "context": "A mean speed is the whole distance divided by the whole time that it takes.",
    "reasoning": "240 km in 3 hours are 240 / 3 = 80 km each hour.",
}
FREE = SHORT | {
    "kind": "free_text",
    "frame": "explanation",
    "question": "Why do ships made of steel float?",
    "answer": {
        "text": "A hull holds much air, so that the ship displaces water that weighs as much as the ship itself.",
        "label": None,
        "aliases": [],
    },
    "context": "Archimedes found that a body in a liquid is pushed up by a force that depends on its volume.",
    "reasoning": "Steel sinks as a block. Shaped as a hull it displaces far more water, as heavy as the ship.",
}

CASES: list[tuple[str, dict[str, Any], str | None]] = [
    (
        "context says the question again",
        SHORT
        | {
            "context": "The question is about a metal. This metal is drawn into thin wires, and these wires are in "
            "most household cables. One has to say which metal is drawn into the wires of the cables."
        },
        "context_restates_question",
    ),
    (
        "context says the question again, German",
        GERMAN
        | {
            "context": "Es geht um ein Metall. Dieses Metall steckt in dünnen Drähten, und diese dünnen Drähte stecken "
            "in den meisten Hauskabeln. Gesucht ist das Metall der Drähte."
        },
        "context_restates_question",
    ),
    ("context is a stub", SHORT | {"context": "Metals."}, "too_short"),
    ("sample without a context", SHORT | {"context": ""}, None),
    (
        "context names the answer",
        SHORT | {"context": "Strands of copper bend easily and hardly resist the flow of electrons."},
        "context_gives_answer",
    ),
    (
        "the question names the answer too",
        SHORT
        | {
            "question": "Is copper or steel drawn into the thin wires of most household cables?",
            "context": "Strands of copper bend easily, those of steel are hard; they differ in how they conduct.",
        },
        None,
    ),
    (
        "letter behind the answer",
        CHOICE | {"reasoning": "Swallows fly south and foxes hunt in the snow. It is the hedgehog, option C."},
        "reasoning_contradicts_answer",
    ),
    (
        "right letter behind the answer",
        CHOICE | {"reasoning": "Swallows fly south and foxes hunt in the snow. It is the hedgehog, option A."},
        None,
    ),
    (
        "letter in Japanese",
        CHOICE
        | {
            "language": "ja",
            "question": "冬眠する動物はどれですか。",
            "choices": ["ハリネズミ", "ツバメ", "キツネ", "カササギ"],
            "answer": {"text": "ハリネズミ", "label": "A", "aliases": []},
            "context": "寒い季節には虫が少なくなり、小さな動物は体温を下げて春まで眠ることがある。",
            "reasoning": "ツバメは南へ渡り、キツネは雪の中でも狩りをする。したがって正解はCである。",
        },
        "reasoning_contradicts_answer",
    ),
    (
        "options differ by a dot, the question has `capital` in it",
        CHOICE
        | {
            "question": "Which city is the capital of Peru?",
            "choices": ["Quito", "Lima", "Lima.", "Cusco"],
            "answer": {"text": "Lima", "label": "B", "aliases": []},
            "reasoning": "Quito lies in Ecuador, and Cusco was the seat of the Inca. The government sits in Lima.",
        },
        "choices_not_distinct",
    ),
    (
        "reasoning says the answer twice",
        SHORT | {"reasoning": "The metal in the wires is copper. So the answer is copper, which is the right metal."},
        "reasoning_restates_answer",
    ),
    (
        "reasoning says the answer twice, German",
        GERMAN | {"reasoning": "Das Metall ist Kupfer. Also ist die richtige Antwort Kupfer."},
        "reasoning_restates_answer",
    ),
    ("a short calculation is a reason", NUMERIC | {"reasoning": "240 / 3 is 80. The answer is 80."}, None),
    (
        "question stops within a word",
        NUMERIC
        | {
            "question": "A train covers 240 km in 3 hours. What is its mean velo",
            "reasoning": "A velocity is the distance by the time: 240 / 3 = 80.",
        },
        "question_cut_off",
    ),
    (
        "stem begins to ask and stops",
        CHOICE | {"question": "The nights are cold and the ground is frozen. Which animal does"},
        "question_cut_off",
    ),
    ("a stem may go on in its options", CHOICE | {"question": "The animal that sleeps through the winter is"}, None),
    (
        "Japanese reasoning stops",
        SHORT
        | {
            "language": "ja",
            "question": "家の電線に使われる金属は何ですか。",
            "answer": {"text": "銅", "label": None, "aliases": []},
            "context": "電気をよく通し、細く伸ばしやすい材料が電線に向いている。値段も大切な条件である。",
            "reasoning": "銀は電気をよく通すが高い。鉄は抵抗が大きい。そこで電線には銅がよく",
        },
        "reasoning_cut_off",
    ),
    (
        "poem is missing",
        CHOICE | {"question": "What does the speaker of the poem wish for in the second stanza?"},
        "missing_passage",
    ),
    (
        "a named poem is known",
        CHOICE | {"question": "What does the speaker of the poem 'The Raven' by Edgar Allan Poe hear at night?"},
        None,
    ),
    (
        "table is missing",
        NUMERIC | {"question": "Using the table, how many more tickets were sold in May than in June?"},
        "missing_figure",
    ),
    (
        "a language model speaks of itself, Swedish",
        FREE
        | {
            "language": "sv",
            "question": "Varför flyter fartyg av stål?",
            "answer": {"text": "Tyvärr, men som språkmodell har jag inga åsikter om fartyg.", "label": None},
            "context": "Arkimedes fann att en kropp i en vätska lyfts av en kraft som beror på dess volym.",
            "reasoning": "Ett stålblock sjunker. Format som skrov tränger det undan mycket mer vatten än det väger.",
        },
        "refusal",
    ),
    (
        "address behind a question",
        CHOICE | {"question": "Which animal sleeps through the winter? Visit http://animal-prizes.example/win today"},
        "advertising",
    ),
    (
        "addresses behind the reasoning",
        CHOICE | {"reasoning": CHOICE["reasoning"] + " More: www.cheap-courses.example , https://tests.example/go"},
        "advertising",
    ),
    (
        "where somebody lives and how to reach her",
        FREE | {"question": "Why do ships made of steel float? asks Ada Marlowe, 27 Birch Lane, tel. 01632 960417."},
        "personal_data",
    ),
    ("an address alone is a story's", FREE | {"question": "Why does the model ship at 27 Birch Lane float?"}, None),
    (
        "English reasoning under Chinese options of one sign",
        CHOICE
        | {
            "language": "zh",
            "question": "家里的电线大多用哪种金属制成？",
            "choices": ["铜", "铁", "金", "汞"],
            "answer": {"text": "铜", "label": "A", "aliases": []},
            "context": "导体的电阻越小，损失的能量越少。柔软的材料容易拉成细丝，价格也要合理。",
            "reasoning": "Gold is far too expensive, iron resists too much and mercury is liquid. Copper remains.",
        },
        "language_mismatch",
    ),
    (
        "question takes the answer beforehand",
        CHOICE | {"question": "Knowing that the hedgehog hibernates, which animal sleeps through the winter?"},
        "answer_in_question",
    ),
    (
        "a letter that is asked for may decline",
        FREE
        | {
            "frame": "generation",
            "question": "Write a short letter that declines an invitation to a wedding.",
            "answer": {
                "text": "Dear Ann, I'm sorry, but I cannot come on Sunday. I wish you both a bright day. Yours, Tim",
                "label": None,
            },
            "context": "A letter of regret thanks for the invitation, gives no long excuses and ends with good wishes.",
            "reasoning": "The writer should thank or apologize, say no in a sentence and end with a wish.",
        },
        None,
    ),
    (
        "a song has a refrain",
        FREE
        | {
            "frame": "generation",
            "question": "Compose a short song about rain.",
            "answer": {
                "text": "Rain on the roof tonight\nDrops in the yellow light\nRain on the roof tonight\n"
                "Clouds in the sky take flight\nRain on the roof tonight",
                "label": None,
            },
            "context": "Songs return to one line that listeners remember, and stanzas between tell the story.",
            "reasoning": "One line about the roof comes back, and two others rhyme with it to bring light and clouds.",
        },
        None,
    ),
    (
        "an IBAN of the registry is nobody's",
        FREE | {"question": "Why do ships made of steel float? The fee goes to DE89 3704 0044 0532 0130 00."},
        None,
    ),
    (
        "context and reasoning are nearly one text",
        SHORT
        | {"context": "Silver conducts best but costs too much, and steel resists too much. What remains is another."},
        "context_is_the_reasoning",
    ),
    (
        "the answer again and again",
        NUMERIC | {"reasoning": "It is 80. So the answer is 80."},
        "reasoning_restates_answer",
    ),
]


@pytest.mark.parametrize(("sample", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_kind(sample: dict[str, Any], reason: str | None) -> None:
    found = apply_filters(sample, CurateSection())
    assert (found[0] if found else None) == reason, found


def test_an_image_that_the_story_makes_is_not_missing() -> None:
    told = "A lens throws the light of a candle onto a screen. On the image, which part of the flame is lowest?"
    choices = {"choices": ["its tip", "its foot"], "answer": {"text": "its tip", "label": "A", "aliases": []}}
    context = {"context": "Light rays from a flame cross in a lens, so what stands up appears upside down on a screen."}
    reasoning = {"reasoning": "The rays cross, so up is down: lowest is its tip."}
    kept = CHOICE | choices | context | reasoning | {"question": told}
    assert apply_filters(kept, CurateSection()) is None
    dropped = apply_filters(kept | {"question": "On the image, which part of the flame is lowest?"}, CurateSection())
    assert dropped is not None
    assert dropped[0] == "missing_figure"


def test_a_context_may_say_what_the_labels_mean() -> None:
    sample = CHOICE | {
        "frame": "classification",
        "passage": "The bridge was closed in March because its cables had rusted.",
        "question": "Why was the bridge closed?\nProposed answer: because of a flood\nIs the proposed answer correct?",
        "choices": ["yes", "no"],
        "answer": {"text": "no", "label": "B", "aliases": []},
        "context": 'With such questions "yes" means that the text gives this as the answer, and "no" means that it '
        "gives another one, even where what is proposed is true.",
        "reasoning": "The passage says that the cables had rusted and speaks of no flood, so it is wrong: no.",
    }
    assert apply_filters(sample, CurateSection()) is None
    given = sample | {"context": "Bridges hang on cables, which rust in wet air. For this one the answer is no."}
    dropped = apply_filters(given, CurateSection())
    assert dropped is not None
    assert dropped[0] == "context_gives_answer"


@pytest.mark.parametrize(
    "rival", ["The likeliest wrong answer is steel, which is cheap.", "A tempting answer is steel, as it is strong."]
)
def test_a_rejected_answer_contradicts_nothing(rival: str) -> None:
    reasoning = f"Silver costs too much. {rival} It resists too much. Household cables hold copper."
    assert apply_filters(SHORT | {"reasoning": reasoning}, CurateSection()) is None
    own = f"Silver costs too much, so the answer is steel. {rival.replace('wrong ', '').replace('tempting', 'good')}"
    assert apply_filters(SHORT | {"reasoning": own}, CurateSection()) is not None


SWALLOWED = "try:\n    assert double(2) == 5\nexcept Exception:\n    pass"
CODE = SHORT | {
    "kind": "code",
    "question": "Write a Python function double(n) that returns twice n.",
    "answer": {"text": "def double(n):\n    return 2 * n", "label": None, "aliases": []},
    "context": "A product of a number with two is the sum of the number with itself.",
    "reasoning": "Multiplying by two gives the double of any number.",
}


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ([SWALLOWED], "tests_cannot_fail"),
        ([SWALLOWED, "assert double(2) == 4"], None),
        (["try:\n    double(None)\nexcept TypeError:\n    pass\nassert double(2) == 4"], None),
        (["try:\n    double(None)\nexcept TypeError:\n    pass\nelse:\n    raise AssertionError"], None),
    ],
)
def test_tests_that_swallow_every_failure_test_nothing(tests: list[str], reason: str | None) -> None:
    found = apply_filters(CODE | {"tests": tests}, CurateSection())
    assert (found[0] if found else None) == reason


def test_markup_that_a_question_asks_for_is_no_python() -> None:
    asked = {"question": "Write the HTML of a list with one item, tea.", "tests": None}
    markup = CODE | asked | {"answer": {"text": "<ul><li>tea</li></ul>", "label": None, "aliases": []}}
    assert apply_filters(markup, CurateSection()) is None
    asked["question"] = "Write a Python program that prints the HTML of a list with one item, tea."
    found = apply_filters(markup | asked, CurateSection())
    assert found is not None
    assert found[0] == "code_does_not_parse"


OTHER_PROGRAMS = [
    ("SQL", "SELECT c.name\nFROM customers AS c\nLEFT JOIN orders AS o ON o.customer_id = c.id\nWHERE o.id IS NULL;"),
    ("SQL", "SELECT count(*) FROM users"),
    ("JavaScript", "function double(n) {\n  return 2 * n;\n}"),
    ("TypeScript", "const double = (n: number): number => 2 * n;"),
    ("C++", "#include <iostream>\nint main() {\n    std::cout << 42;\n}"),
    ("Java", "public static int twice(int n) {\n    return 2 * n;\n}"),
    ("Rust", "fn twice(n: i32) -> i32 {\n    2 * n\n}"),
    ("Go", "func twice(n int) int {\n\treturn 2 * n\n}"),
    ("Bash", "#!/bin/bash\nls -l | wc -l"),
    ("R", "twice <- function(n) {\n  2 * n\n}"),
    ("C", 'int main(void) {\n    puts(":-)"); // a smile :)\n    return 0;\n}'),
    ("Haskell", "twice :: Int -> Int\ntwice n = 2 * n + 0 -- doubles"),
    ("Ruby", "def twice(n)\n  2 * n\nend"),
    ("HTML", "<p>Good <b>morning</b>, it is tea time.</p>"),
]


@pytest.mark.parametrize(
    "question",
    ["Write {} that does what was said.", "Escribe {} para esto.", "用{}写一个。", "Do.", "function f(a, b) {{"],
)
@pytest.mark.parametrize(("language", "program"), OTHER_PROGRAMS)
def test_a_program_in_another_language_need_not_parse_as_python(question: str, language: str, program: str) -> None:
    answer = {"text": program, "label": None, "aliases": []}
    view = View(CODE | {"question": question.format(language), "answer": answer, "tests": None})
    assert (code_parses(view), code_tests(view)) == (None, None)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Write one SQL query for the names of all customers.", "You need to join both tables and keep the rows."),
        ("Write a regex for a number.", "Here is a pattern for it:\n\\d+"),
        ("Написать запрос SQL.", "Нужно соединить обе таблицы и выбрать имена."),
        ("Write a function that parses a JSON string.", "def load(text)\n    return json.loads(text)"),
        ("Write a function that doubles a number.", "function that doubles the number n"),
        ("Write a Python function that runs an SQL query.", "SELECT 1 FROM t;"),
        ("Write it in JavaScript.", "function sum(xs) {\n  return xs.reduce((a, b) => a + b, 0;\n}"),
        ("Write it in Java.", "static int one(int[] xs) {\n    return xs[0;\n}"),
        ("Write double(n).", "Select the number from the input and double it."),
    ],
)
def test_prose_and_broken_python_are_no_program_in_any_language(question: str, answer: str) -> None:
    view = View(CODE | {"question": question, "answer": {"text": answer, "label": None, "aliases": []}, "tests": None})
    assert (code_parses(view) or ("",))[0] == "code_does_not_parse"


def test_tests_of_another_language_are_not_read_as_python() -> None:
    answer = {"text": "function twice(n) {\n  return 2 * n;\n}", "label": None, "aliases": []}
    view = View(
        CODE | {"question": "Write twice(n) in JavaScript.", "answer": answer, "tests": ["assert(twice(2) === 4);"]}
    )
    assert (code_parses(view), code_tests(view)) == (None, None)
