"""Faults that show in how the fields of a sample stand to each other, in several languages; the samples are written for
the test.
"""

from typing import Any

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.registry import apply_filters
from nemo_sdg.curate.filters.view import View
from nemo_sdg.curate.filters.wording.rewording import reworded


def sample(kind: str, language: str, question: str, answer: str, reasoning: str, **more: Any) -> dict[str, Any]:
    choices = more.get("choices")
    label = "ABCDEFGHIJ"[choices.index(answer)] if choices else None
    frames = {"multiple_choice": "selection", "free_text": "explanation"}
    made: dict[str, Any] = {
        "sample_id": "a1",
        "seed_ids": ["s1"],
        "origin": "similar",
        "task": "toy",
        "family": "factual",
        "capability": "knowledge",
        "kind": kind,
        "frame": frames.get(kind, "generation"),
        "language": language,
        "question": question,
        "passage": None,
        "choices": None,
        "answer": {"text": answer, "label": label, "aliases": []},
        "tests": None,
        "context": None,
        "reasoning": reasoning,
    }
    return made | more


def choice(language: str, question: str, answer: str, reasoning: str, *choices: str, **more: Any) -> dict[str, Any]:
    return sample("multiple_choice", language, question, answer, reasoning, choices=list(choices), **more)


FISH = ("trout", "otter", "heron", "newt")
RIVERS = ("Oder", "Isar", "Weser", "Lahn")
SUMS = "Sums are worked out from left to right unless brackets say otherwise."

FOUND: list[tuple[str, dict[str, Any], str]] = [
    (
        "letter of another option behind the right words",
        choice(
            "en", "Which of these is a fish?", "trout", "A trout breathes by gills, so the right option is C.", *FISH
        ),
        "reasoning_contradicts_answer",
    ),
    (
        "letter that is chosen, Dutch",
        choice(
            "nl",
            "Welk dier is een vis?",
            "forel",
            "De forel heeft kieuwen, dus ik kies D.",
            "forel",
            "otter",
            "mus",
            "pad",
        ),
        "reasoning_contradicts_answer",
    ),
    (
        "letter that is chosen, Chinese",
        choice("zh", "下列哪种动物是鱼？", "鳟鱼", "只有鳟鱼用鳃呼吸，因此选D。", "鳟鱼", "水獭", "鹭", "蝾螈"),
        "reasoning_contradicts_answer",
    ),
    (
        "symbol of another element",
        sample(
            "short_text", "en", "What is the symbol of potassium?", "K", "The name begins so, hence the symbol is Po."
        ),
        "reasoning_lacks_answer",
    ),
    (
        "another form of the word that is asked about, Spanish",
        sample(
            "short_text", "es", "¿Cuál es el plural de «disfraz»?", "disfraces", "Se añade -es, y resulta «disfrazes»."
        ),
        "reasoning_lacks_answer",
    ),
    (
        "product of things that are counted, Polish",
        sample("numeric", "pl", "Ile krzeseł stoi w 12 rzędach po 15?", "190", "12 rzędów · 15 krzeseł = 190 krzeseł."),
        "wrong_arithmetic",
    ),
    (
        "product in LaTeX",
        sample("numeric", "en", "What is a quarter of 96?", "26", r"A quarter is $\frac{1}{4} \times 96 = 26$ in all."),
        "wrong_arithmetic",
    ),
    (
        "area in metres",
        sample(
            "short_text", "en", "What is the area of a square with sides of 4 m?", "16 m", "It is 4 · 4 = 16, so 16 m."
        ),
        "answer_of_other_quantity",
    ),
    (
        "energy in watts, Spanish",
        sample(
            "short_text",
            "es",
            "¿Cuánta energía gasta en 10 s una lámpara de 5 W?",
            "50 W",
            "5 por 10 da 50, o sea, 50 W.",
        ),
        "answer_of_other_quantity",
    ),
    (
        "context says the number with a half, Dutch",
        sample(
            "numeric",
            "nl",
            "Een kilo kost 3,50 euro. Hoeveel euro kosten 7 kilo?",
            "24,5",
            "7 keer 3,5 is 24,5.",
            context="Prijzen groeien met het gewicht: voor zeven kilo betaalt men vierentwintig en een half.",
        ),
        "context_gives_answer",
    ),
    (
        "statement that is asked again, Russian",
        sample(
            "short_text",
            "ru",
            "Столица Чили — Сантьяго. Какой город столица Чили?",
            "Сантьяго",
            "Это Сантьяго, как сказано.",
        ),
        "answer_in_question",
    ),
    (
        "number that is asked and told, Italian",
        sample("numeric", "it", "Quanti lati ha un poligono di nove lati?", "9", "Lo dice il testo: ha 9 lati."),
        "answer_in_question",
    ),
    (
        "options with spaces around signs",
        choice(
            "en",
            "Simplify 5a - 2a + 1.",
            "3a + 1",
            "Terms with a give 3a, so 3a + 1.",
            "3a+1",
            "3a + 1",
            "7a + 1",
            "3a",
        ),
        "choices_not_distinct",
    ),
    (
        "statement with options",
        choice(
            "en", "Trout and perch live in cold rivers of the north.", "trout", "Only the trout is a fish here.", *FISH
        ),
        "no_question",
    ),
    (
        "statement with options, Japanese",
        choice(
            "ja",
            "ますは冷たい川にすんでいます。",
            "ます",
            "えらで息をするのはますです。",
            "ます",
            "かわうそ",
            "さぎ",
            "いもり",
        ),
        "no_question",
    ),
    (
        "question that stops at an article",
        choice(
            "de",
            "Welcher dieser Flüsse mündet bei Bremerhaven in die",
            "Weser",
            "Die Oder mündet ins Haff, die Isar in die Donau. So bleibt die Weser.",
            *RIVERS,
        ),
        "question_cut_off",
    ),
    (
        "program that stops inside its fence",
        sample(
            "short_text",
            "en",
            "What is printed?\n```python\nfor x in (1, 2):\n    print(x *",
            "2 4",
            "Twice each: 2 4.",
        ),
        "question_cut_off",
    ),
    (
        "chart that is looked at, Spanish",
        sample(
            "numeric",
            "es",
            "Observa el gráfico de barras. ¿Cuántos libros se leyeron en mayo?",
            "12",
            "En mayo fueron 12.",
        ),
        "missing_figure",
    ),
    (
        "chart in a compound, German",
        sample(
            "numeric",
            "de",
            "Betrachte das Kreisdiagramm. Wie viele Kinder gehen zu Fuß?",
            "7",
            "Der Sektor zeigt 7 Kinder.",
        ),
        "missing_figure",
    ),
    (
        "tags around every option",
        choice(
            "en",
            "Which of these is a fish?",
            "<li>trout</li>",
            "The trout has gills.",
            *(f"<li>{x}</li>" for x in FISH),
        ),
        "residue",
    ),
    (
        "backslash that was an escape",
        sample("numeric", "en", "What is the product of 6 and 7?", "42", "Multiplying gives $6 \times 7 = 42$."),
        "latex_damaged",
    ),
    (
        "option in brackets, Polish",
        choice(
            "pl",
            "Które zwierzę jest rybą?",
            "pstrąg",
            "Pstrąg ma skrzela.",
            "pstrąg",
            "wydra",
            "[opcja C]",
            "[opcja D]",
        ),
        "placeholder",
    ),
    (
        "slot in capitals, Italian",
        sample(
            "short_text",
            "it",
            "Chi scrisse il «Decameron»?",
            "Boccaccio",
            "Nel <ANNO DI NASCITA> nacque Boccaccio, suo autore.",
        ),
        "placeholder",
    ),
    (
        "chat with a model, French",
        sample(
            "numeric", "fr", "Utilisateur : Combien font 6 fois 7 ?\nAssistant : Voyons.", "42", "6 fois 7 donne 42."
        ),
        "prompt_leak",
    ),
    (
        "given answer, Turkish",
        sample(
            "short_text",
            "tr",
            "Peru'nun başkenti neresidir?",
            "Lima",
            "Verilen doğru cevap Lima olduğu için yanıt Lima.",
        ),
        "prompt_leak",
    ),
    (
        "answer key, Japanese",
        sample(
            "short_text", "ja", "ペルーの首都はどこですか。", "リマ", "正解のキーによるとリマなので、答えはリマです。"
        ),
        "prompt_leak",
    ),
    (
        "question that is handed over, Portuguese",
        sample("numeric", "pt", "Aqui está a sua pergunta: quanto é 6 vezes 7?", "42", "6 vezes 7 são 42."),
        "prompt_leak",
    ),
    (
        "address of a shop in a question, Vietnamese",
        sample(
            "numeric",
            "vi",
            "6 nhân 7 bằng bao nhiêu? Mua rẻ tại http://gia-soc.example nhé!",
            "42",
            "6 nhân 7 bằng 42.",
        ),
        "advertising",
    ),
    (
        "home with a telephone number",
        sample(
            "numeric",
            "en",
            "What is 6 times 7?",
            "42",
            "6 times 7 is 42.",
            context=f"{SUMS} Ask Ada Quill, 14 Fern Hollow Road, Leeds, 415-555-0119, for more of such exercises.",
        ),
        "personal_data",
    ),
    (
        "words in no order",
        sample(
            "numeric",
            "en",
            "What is 6 times 7?",
            "42",
            "6 times 7 is 42.",
            context="Of because the between lamp sums the into green walking, of although seven the was spoon runs.",
        ),
        "word_salad",
    ),
]

KEPT: list[tuple[str, dict[str, Any]]] = [
    (
        "letters of options that are ruled out",
        choice(
            "en", "Which of these is a fish?", "trout", "Options B and C breathe by lungs. The trout does not.", *FISH
        ),
    ),
    (
        "letters that are denied",
        choice("de", "Welcher Fluss fließt durch München?", "Isar", "Es ist die Isar, also B und nicht A.", *RIVERS),
    ),
    (
        "letter that belongs to the matter",
        choice(
            "en",
            "Which vitamin do citrus fruits hold?",
            "vitamin C",
            "Oranges are rich in C.",
            "vitamin C",
            "vitamin A",
        ),
    ),
    (
        "inflected answer, Polish",
        sample(
            "short_text", "pl", "Jak nazywa się stolica Polski?", "Warszawa", "Rząd ma siedzibę w Warszawie nad Wisłą."
        ),
    ),
    (
        "squares and fractions in a sum",
        sample("numeric", "da", "Hvad er 3½ gange 20 plus 4²?", "86", "3½ · 20 = 70, og 70 + 4² = 86."),
    ),
    (
        "unknown that looks like a unit",
        sample("numeric", "en", "Solve 3t + 4 = 19 for t.", "5", "From 3t + 4 = 19 we get 3t = 15, so t = 5."),
    ),
    (
        "units that differ in one sum",
        sample("numeric", "en", "How many metres are 150 cm and 50 cm?", "2", "150 cm + 50 cm = 2 m, so 2."),
    ),
    (
        "area in square metres",
        sample(
            "short_text",
            "en",
            "What is the area of a square with sides of 4 m?",
            "16 m²",
            "It is 4 · 4 = 16, so 16 m².",
        ),
    ),
    (
        "number that comes back after changes",
        sample(
            "numeric", "en", "Tom has 5 pens. He loses 2 and finds 2. How many pens has Tom?", "5", "5 - 2 + 2 = 5."
        ),
    ),
    (
        "stem of a question",
        choice(
            "en", "The animal that breathes by gills is the", "trout", "Gills are a mark of fish: the trout.", *FISH
        ),
    ),
    (
        "gap of one line",
        choice(
            "en",
            "The trout fled from the otter because the _ was slow.",
            "otter",
            "The otter was slow.",
            "trout",
            "otter",
        ),
    ),
    (
        "imperative with vowel signs, Hindi",
        choice("hi", "मछली का नाम चुनिए।", "रोहू", "रोहू गलफड़ों से साँस लेती है।", "रोहू", "कबूतर", "मेंढक", "साँप"),
    ),
    (
        "tags that are asked about",
        choice(
            "en",
            "Which HTML element starts a list item?",
            "<li>",
            "Items of a list are marked by li, cells by td: <li>.",
            "<li>",
            "<p>",
            "<td>",
            "<hr>",
        ),
    ),
    (
        "title with two prepositions",
        sample(
            "short_text",
            "en",
            "What do we call the knowledge of and belief in many gods?",
            "polytheism",
            "Poly means many and theos god: polytheism.",
        ),
    ),
    (
        "dialogue that is asked about",
        sample(
            "short_text",
            "en",
            "User: Is Ben here?\nAssistant: His train is late.\nWho is late, by this dialogue?",
            "Ben",
            "The train is his, so Ben is late.",
        ),
    ),
]


@pytest.mark.parametrize(("name", "made", "reason"), FOUND, ids=[case[0] for case in FOUND])
def test_the_fault_is_found(name: str, made: dict[str, Any], reason: str) -> None:
    finding = apply_filters(made, CurateSection())
    assert finding is not None
    assert finding[0] == reason


@pytest.mark.parametrize(("name", "made"), KEPT, ids=[case[0] for case in KEPT])
def test_a_good_sample_is_kept(name: str, made: dict[str, Any]) -> None:
    assert apply_filters(made, CurateSection()) is None


def test_a_sentence_said_four_times_is_counted_among_others() -> None:
    said = [
        "The heavy river carries yellow sand towards the distant harbour.",
        "Towards the distant harbour the heavy river carries yellow sand.",
        "Yellow sand is what the heavy river carries towards the distant harbour.",
        "The river, heavy, carries yellow sand towards the distant harbour.",
    ]
    others = [
        f"The {word * 6} painted every {place * 7} beside {word}{place} {place * 5}."
        for word, place in zip("abcd", "efgh", strict=True)
    ]
    view = View(sample("short_text", "en", "What?", "sand", ""))
    assert reworded(view, " ".join(others[:2] + said + others[2:])) == 4
    assert reworded(view, " ".join(others[:2] + said[:3] + others[2:])) == 0
