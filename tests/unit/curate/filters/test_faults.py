"""Faults by kind, each beside a sample that only looks like it; every sample here is written for the test."""

from typing import Any

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.phrases import phrases, with_tokens, word_list
from nemo_sdg.curate.filters.registry import apply_filters
from nemo_sdg.text.normalize import tokens
from tests.unit.curate.filters.test_kinds import CHOICE, FREE, GERMAN, NUMERIC, SHORT


def answer(text: str, label: str | None = None, *aliases: str) -> dict[str, Any]:
    return {"text": text, "label": label, "aliases": list(aliases)}


INEQUALITY = SHORT | {
    "question": "Solve the inequality 5 - 2x < 11.",
    "answer": answer("x > -3"),
    "context": "The same number may be taken from both sides. A factor may turn the relation round.",
    "reasoning": "Taking 5 away leaves -2x < 6. Division by a negative number turns the relation, so x > -3.",
}
POWER = SHORT | {
    "question": "A motor does 900 J of work in 6 s. What is its power?",
    "answer": answer("150 W"),
    "context": "Power tells how fast work is done; it is the quotient of work and time.",
    "reasoning": "In 6 s it does 900 J of work, and 900 / 6 = 150. The motor has a power of 150 W.",
}
PROGRAM = SHORT | {
    "kind": "code",
    "family": "code",
    "question": "Write a Python function `tall(heights, low)` that keeps the heights of at least low.",
    "answer": answer("def tall(heights, low):\n    return [h for h in heights if h >= low]"),
    "tests": ["assert tall([1, 5, 3], 3) == [5, 3]"],
    "context": "A comprehension can select elements by a condition.",
    "reasoning": "Heights of at least the bound stay, so the condition is `h >= low`.",
}
YES_NO = CHOICE | {
    "language": "tr",
    "frame": "classification",
    "question": "Van Gölü, Tuz Gölü'nün doğusunda mı yer alır?",
    "choices": ["evet", "hayır"],
    "answer": answer("evet", "A"),
    "context": "Göller kapalı havzalarda da bulunur. Bir yerin konumu boylam dereceleriyle gösterilir.",
    "reasoning": "Van ülkenin doğu ucundadır, Tuz Gölü ise Orta Anadolu'dadır. Bu nedenle yanıt evet.",
}
SPEEDS = CHOICE | {
    "question": "A cyclist rides 6 km in 20 minutes. How fast is she on average?",
    "choices": ["18 km/h", "12 km/h", "36 km/h", "2 m/s"],
    "answer": answer("18 km/h", "A"),
    "context": "Mean speed is the way divided by the time; a factor of 3.6 leads to metres and seconds.",
    "reasoning": "Three times twenty minutes are one hour, and 3 times 6 km are 18 km: 18 km/h.",
}
READING = SHORT | {
    "question": "What did Ida leave on the train?",
    "passage": "Ida got off the train with her suitcase and her hat. On the platform the rain "
    "began. Only when she wanted "
    "to open it did she notice that her umbrella still stood in the corner of the carriage.",
    "answer": answer("her umbrella", None, "the umbrella"),
    "context": "Railways collect what travellers leave in a carriage, on a platform or in a waiting room. Rain makes "
    "people look for hats and coats, and a suitcase is missed at once, other things much later.",
    "reasoning": "She has the suitcase and the hat. When it rains she misses the umbrella, which "
    "stands in the carriage.",
}
HUNGARIAN = SHORT | {
    "language": "hu",
    "question": "Melyik fém van a legtöbb háztartási kábel vékony drótjaiban?",
    "answer": answer("réz"),
    "context": "A vezetők kis ellenállással engedik át az elektronokat, és a puhák könnyen szállá húzhatók.",
    "reasoning": "Az ezüst vezet a legjobban, de túl drága, az acél pedig rosszul vezet. Marad a réz.",
}

CASES: list[tuple[str, dict[str, Any], str | None]] = [
    ("inequality", INEQUALITY, None),
    (
        "inequality the other way round",
        INEQUALITY | {"reasoning": "Taking 5 away leaves -2x < 6. Dividing by -2 gives the result: x < -3."},
        "reasoning_contradicts_answer",
    ),
    (
        "interval with another bracket",
        INEQUALITY
        | {"answer": answer("[2, 7)"), "reasoning": "The lower end belongs to it and the upper does not: (2, 7]."},
        "reasoning_contradicts_answer",
    ),
    (
        "interval in LaTeX",
        INEQUALITY
        | {"answer": answer("[2, 7)"), "reasoning": "The lower end belongs to it, so it is $\\left[2,7\\right)$."},
        None,
    ),
    ("power", POWER, None),
    (
        "unit of another size",
        POWER | {"reasoning": "It does 900 J in 6 s, and 900 / 6 = 150. The motor has a power of 150 kW."},
        "reasoning_contradicts_answer",
    ),
    (
        "unit of another quantity",
        POWER | {"reasoning": "It does the work in 6 s, and 900 / 6 = 150. The motor therefore reaches 150 N."},
        "reasoning_contradicts_answer",
    ),
    ("program", PROGRAM, None),
    (
        "comparison that the program has not",
        PROGRAM | {"reasoning": "Heights of at least the bound stay, so the condition is `h < low`."},
        "reasoning_contradicts_answer",
    ),
    ("yes", YES_NO, None),
    (
        "no at the very end",
        YES_NO | {"reasoning": "Van ülkenin batı ucundadır. Bu nedenle Tuz Gölü'nün doğusunda değildir; yanıt hayır."},
        "reasoning_ends_elsewhere",
    ),
    (
        "alias that no number is read from",
        NUMERIC
        | {
            "language": "id",
            "question": "Seorang pedagang menjual 30 kg beras seharga Rp12.000 per kg. Berapa rupiah ia terima?",
            "answer": answer("360000", None, "Rp360.000"),
            "context": "Pendapatan adalah hasil kali antara banyaknya barang dan harga satuannya.",
            "reasoning": "Tiap kilogram berharga sama. Pendapatan: 30 × Rp12.000 = Rp360.000.",
        },
        None,
    ),
    ("speeds", SPEEDS, None),
    (
        "the same speed in other units",
        SPEEDS | {"choices": ["18 km/h", "12 km/h", "36 km/h", "5 m/s"]},
        "choices_not_distinct",
    ),
    (
        "ranges inside each other",
        SPEEDS
        | {
            "question": "How long does a hen sit on her eggs?",
            "choices": ["between 20 and 22 days", "between 19 and 23 days", "two months", "half a year"],
            "answer": answer("between 20 and 22 days", "A"),
            "reasoning": "Chicks need three weeks in the shell, so it is between 20 and 22 days.",
        },
        "choices_not_distinct",
    ),
    ("reading", READING, None),
    (
        "context says the passage again",
        READING
        | {
            "context": "Ida got off the train with suitcase and hat. On the platform the rain began, and she "
            "noticed that something still stood in the corner of the carriage."
        },
        "context_restates_passage",
    ),
    (
        "passage in a loop",
        READING
        | {
            "passage": "Ida got off the train. "
            + "It rained and it rained and it rained. " * 4
            + "The umbrella stood there."
        },
        "repetition",
    ),
    (
        "one thought said four times",
        FREE
        | {
            "reasoning": "The shape of the hull displaces enough water for the weight. In other "
            "words, enough water for "
            "the weight is displaced by the shape of the hull. So the hull's shape displaces enough water for its "
            "weight. Again, enough water for the weight is what the shape of the hull displaces."
        },
        "repetition",
    ),
    (
        "terms of a sum",
        NUMERIC
        | {
            "question": "A box weighs 4 kg. How much do seven such boxes weigh, in kg?",
            "answer": answer("28"),
            "reasoning": "Seven boxes: four kg + four kg + four kg + four kg + four kg + four kg + four kg = 28 kg.",
        },
        None,
    ),
    ("Hungarian", HUNGARIAN, None),
    (
        "chatter in Hungarian",
        HUNGARIAN | {"reasoning": HUNGARIAN["reasoning"] + " Remélem, ez segít!"},
        "assistant_chatter",
    ),
    ("answer alone in Hungarian", HUNGARIAN | {"reasoning": "Réz. A helyes válasz: réz."}, "reasoning_restates_answer"),
    (
        "table in Romanian",
        HUNGARIAN
        | {
            "language": "ro",
            "question": "Care metal are prețul cel mai mare în tabelul de mai jos?",
            "answer": answer("cupru"),
            "context": "Prețurile metalelor se schimbă zilnic la bursă, după cerere și ofertă.",
            "reasoning": "Fierul și zincul stau mai jos în listă. Cel mai scump rămâne cupru.",
        },
        "missing_figure",
    ),
    ("question that has only begun", FREE | {"question": "Why do"}, "question_cut_off"),
    (
        "question that stops behind its words",
        NUMERIC | {"question": "A train covers 240 km in 3 hours. It stops twice. How much time does"},
        "question_cut_off",
    ),
    (
        "stem that stops before whole sentences",
        CHOICE
        | {
            "question": "Think of an animal that lowers its temperature in winter. In spring, when the nights",
            "choices": ["It needs less food.", "It grows faster.", "It flies further.", "It sees better."],
            "answer": answer("It needs less food.", "A"),
            "reasoning": "A cold body neither grows nor moves and uses little: It needs less food.",
        },
        "question_cut_off",
    ),
    ("letter for a reasoning", CHOICE | {"reasoning": "A."}, "reasoning_restates_answer"),
    (
        "question for a reasoning",
        CHOICE
        | {
            "question": "Which small mammal of gardens and hedges sleeps through the winter under heaps of leaves?",
            "reasoning": "The question asks which small mammal of gardens and hedges sleeps through winter under heaps "
            "of leaves. So one has to say which mammal sleeps under leaves.",
        },
        "reasoning_restates_question",
    ),
    (
        "clause in another script",
        GERMAN | {"context": GERMAN["context"] + " Сплавы проводят ток хуже, weil sie stören."},
        "language_mixed",
    ),
    (
        "clause in English",
        HUNGARIAN
        | {
            "language": "zh",
            "question": "家用电线的细丝大多由哪种金属制成？",
            "answer": answer("铜"),
            "context": "导体让电子几乎无阻力地通过，柔软的金属容易拉成细丝。",
            "reasoning": "银的导电性最好，可是价格太贵，家里用不起；铁和钢的电阻又太大，"
            "and so they get hot，所以只剩下铜。",
        },
        "language_mixed",
    ),
    (
        "name in its own script",
        GERMAN
        | {
            "context": GERMAN["context"]
            + " Das griechische Wort für Bernstein (ήλεκτρον) gab den Elektronen den Namen."
        },
        None,
    ),
    ("Cyrillic read as Latin-1", GERMAN | {"passage": "Ìåäü î÷åíü õîðîøî ïðîâîäèò òîê è ëåãêî ãí¸òñÿ"}, "mojibake"),
    ("lost backslash", NUMERIC | {"reasoning": "The speed is rac{240}{3} = 80 km/h."}, "latex_damaged"),
    ("fence as answer", SHORT | {"answer": answer('```json\n{"answer": "copper"}\n```', None)}, "prompt_leak"),
    (
        "number spelled out",
        NUMERIC
        | {
            "question": "How many teeth does a grown person with all wisdom teeth have?",
            "answer": answer("32"),
            "context": "Each quarter of a mouth has two incisors, a canine, two premolars and three molars, "
            "altogether thirty-two for both jaws.",
            "reasoning": "Each quarter has 2 + 1 + 2 + 3 = 8, and 4 quarters have 32.",
        },
        "context_gives_answer",
    ),
    (
        "right option in other words",
        CHOICE
        | {
            "question": "May a tenant be given notice only because the house was sold?",
            "choices": [
                "Yes, at any time",
                "Yes, after three months",
                "No, save for urgent personal need",
                "No, never",
            ],
            "answer": answer("No, save for urgent personal need", "C"),
            "context": "A lease follows the house to its new owner. Where a house was sold the "
            "tenant stays, and notice is "
            "open to a buyer with an urgent personal need.",
            "reasoning": "Sale does not end a lease, so the first two are out, and the last goes "
            "too far: No, save for urgent "
            "personal need.",
        },
        "context_gives_answer",
    ),
    (
        "answer behind a namely",
        SHORT
        | {
            "question": "What is the chemical symbol of sodium, that is to say Na?",
            "answer": answer("Na"),
            "reasoning": "Its Latin name is natrium, and two letters of it are taken: Na.",
            "context": "Symbols of elements often come from Latin names; the first letter is a capital.",
        },
        "answer_in_question",
    ),
    (
        "how the sample was made",
        SHORT | {"context": SHORT["context"] + " This question was generated at medium length."},
        "prompt_leak",
    ),
    (
        "person with date of birth",
        NUMERIC
        | {
            "question": "Mrs Dorit Falk, Ahornweg 12, geb. 03.05.1981, drives 240 km in 3 hours. "
            "What is her speed in km/h?"
        },
        "personal_data",
    ),
    (
        "numbers to choose from",
        CHOICE
        | {
            "question": "A film needs a phone number that belongs to nobody. Which one is kept free for that?",
            "choices": ["415-555-0132", "415-431-2770", "415-922-4466", "415-386-9018"],
            "answer": answer("415-555-0132", "A"),
            "context": "Film makers use an exchange that telephone companies hold back for stories.",
            "reasoning": "Only the first has the exchange that is held back: 415-555-0132.",
        },
        None,
    ),
    (
        "refusal that is translated",
        SHORT
        | {
            "question": "Translate into English: « Désolé, mais je ne peux pas vous aider ce soir. »",
            "answer": answer("I'm sorry, but I can't help you tonight."),
            "context": "French puts the pronoun before the verb, and the negation around the auxiliary.",
            "reasoning": "Désolé opens the apology; ce soir is tonight. Together: I'm sorry, but I "
            "can't help you tonight.",
        },
        None,
    ),
]


@pytest.mark.parametrize(("sample", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_fault(sample: dict[str, Any], reason: str | None) -> None:
    finding = apply_filters(sample, CurateSection())
    assert (finding[0] if finding else None) == reason, finding


@pytest.mark.parametrize("name", ["common", "filler"])
def test_words_of_a_list_are_found_among_tokens(name: str) -> None:
    known = word_list(name)
    assert all(written[0] in known for written in map(tokens, known) if len(written) == 1)


def test_what_a_turkish_question_asks_with_says_nothing_of_its_subject() -> None:
    assert {"nasıl", "nasil"} <= with_tokens(phrases("asks", "tr"))


@pytest.mark.parametrize(
    ("context", "gives"),
    [
        (
            "The days of the week are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, in this order.",
            False,
        ),
        ("The week has Monday, Tuesday, Wednesday, Thursday and more. Meetings two days late fall on Thursday.", True),
        ("Meetings that are moved are often held on Thursday, in the same room, by the same people.", True),
    ],
)
def test_a_list_of_all_its_like_does_not_give_an_answer_away(context: str, gives: bool) -> None:
    sample = SHORT | {
        "question": "On which day of the week is the meeting held?",
        "passage": "The meeting was planned for Tuesday, but it was put off by two days.",
        "answer": answer("Thursday"),
        "context": context,
        "reasoning": "It was planned for Tuesday. Two days later comes Thursday, so it is held on Thursday.",
    }
    found = apply_filters(sample, CurateSection())
    assert (found is not None and found[0] == "context_gives_answer") is gives, found


@pytest.mark.parametrize(
    ("context", "gives"),
    [
        ("Words that two texts share are therefore no proof of a claim. Names are often explained by habits.", False),
        ("A 'no' stands for what a text denies; silence therefore leads to the same. Names tell of habits.", False),
        ("Names are often explained by habits. It was given by his father, so the label is no.", True),
    ],
)
def test_a_no_that_is_not_the_last_word_is_no_label(context: str, gives: bool) -> None:
    sample = CHOICE | {
        "frame": "classification",
        "question": "Is the name explained by a habit?",
        "passage": "His father gave him the name of an uncle.",
        "choices": ["yes", "no"],
        "answer": answer("no", "B"),
        "context": context,
        "reasoning": "The passage says that the father gave him the name of an uncle, so it is not explained so: no.",
    }
    found = apply_filters(sample, CurateSection())
    assert (found is not None and found[0] == "context_gives_answer") is gives, found


def test_a_seed_that_the_question_could_be_about_is_no_talk_of_the_prompt() -> None:
    sample = SHORT | {
        "question": "Which part of the fruit does the bird carry away?",
        "answer": answer("stone"),
        "context": "Cherries are eaten by birds, which cannot digest all parts of a fruit.",
        "reasoning": "The bird eats the flesh. It cannot digest the seed, which is hard: it carries the stone.",
    }
    assert apply_filters(sample, CurateSection()) is None
    leak = sample | {"reasoning": sample["reasoning"] + " Like the seed question, it asks for a part."}
    assert (apply_filters(leak, CurateSection()) or ("",))[0] == "prompt_leak"
