import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.generate.parsing.answers import dress
from nemo_sdg.generate.parsing.answers import options as option_names
from nemo_sdg.generate.parsing.answers.programs import program_of
from nemo_sdg.generate.parsing.cleaning import clean

GASES = ["oxygen", "carbon dioxide", "helium"]


@pytest.mark.parametrize(
    "answer",
    [
        "carbon dioxide", "Carbon Dioxide.", "B", "b", "(B)", "(b)", "[B]", "B)", "B.", "B. carbon dioxide",
        "B: carbon dioxide", "B - carbon dioxide", "(B) carbon dioxide",
        "B (carbon dioxide)", "carbon dioxide (B)", "Option B", "option (B)", "Option B: carbon dioxide", "Choice B",
        "The answer is B.", "The correct answer is carbon dioxide.",
        "Therefore, the correct option is B.", "It is (B)", "**B**", "**(B) carbon dioxide**", "$B$", r"\boxed{B}",
        r"\boxed{\text{B}}", r"$\boxed{\textbf{(B)}}$", "`B`", "'B'",
        "“carbon dioxide”", "（Ｂ）", "Ｂ：carbon dioxide", "答えはBです。", "答案是B", "Die richtige Antwort ist B.",
        "La respuesta correcta es (B).", "Réponse : B", "carbon dioxide!", "B is correct.",
        "Option B is the correct answer.", "carbon dioxide is right", "(B) because plants need it.",
        "B, since A is given off", "la letra B", "l'option B", "вариант B", "B şıkkı", "الخيار B", "گزینه B است",
        "विकल्प B है", "ข้อ B", "η B.", "B项", "B选项", "B번", "daher B.", "I choose B.", "B ist richtig", "B正确",
        "B est la bonne réponse", "the option (B) is the right answer", "option 2", "②", "Б", "Β", "ב", "ب", "ख",
        "\u200eB\u200e", "（B）二氧化碳", "B. Oxygen is released.", "B. Plants release oxygen.",
        "B. Options A and C are wrong.",
    ],
)  # fmt: skip
def test_an_option_is_known_by_its_text_or_label(answer: str) -> None:
    assert option_names.match_option(answer, GASES) == "carbon dioxide"


@pytest.mark.parametrize(
    ("answer", "options", "found"),
    [
        ("7", ["٥", "٦", "٧"], "٧"),
        ("۷", ["5", "6", "7"], "7"),
        ("१,२००", ["1,100", "1,200"], "1,200"),
        ("کتاب", ["كتاب", "روزنامه"], "كتاب"),
        ("ايران", ["ایران", "عراق"], "ایران"),
        ("सही।", ["गलत", "सही"], "सही"),
        ("درست۔", ["غلط", "درست"], "درست"),
        ("7", ["٧", "۷"], None),
        ("8", ["٥", "٦", "٧"], None),
    ],
)
def test_an_option_is_known_in_other_digits_and_letters(answer: str, options: list[str], found: str | None) -> None:
    assert option_names.match_option(answer, options) == found


@pytest.mark.parametrize(
    "answer",
    [
        "neon", "D", "A. helium", "(C) carbon dioxide", "carbon dioxide (A)", "A or B", "A, B", "(A) and (B)",
        "not B", "It is not B", "carbon", "carbon dioxide or helium",
        "carbon dioxide and water", "all of the above", "", " ", "()", "Bob", "2", "...", "Option", "The answer is",
        "B. ?", "D is correct", "A B", "A dog of one kind is here", "A and B because both fit", "I because it is so",
        "vitamin B", "hepatitis B",
        "B is wrong", "B is not the answer", "Antwort B ist falsch", "So B?", "B. oxygen", "B. Oxygen gas",
        "B. Oxygen, which plants release", "B. Oxygen is also right.", "B. Option C is right.", "В", "option 7", "ज",
    ],
)  # fmt: skip
def test_what_names_no_option_or_two_is_none(answer: str) -> None:
    assert option_names.match_option(answer, GASES) is None


@pytest.mark.parametrize(
    ("answer", "options", "option"),
    [
        ("bb", ["BB", "Bb", "bb"], "bb"),
        ("BB", ["BB", "Bb", "bb"], "BB"),
        ("bB", ["BB", "Bb", "bb"], None),
        ("A", ["B", "A", "C"], "A"),
        ("x²", ["x2", "x²"], "x²"),
        ("x2", ["x2", "x²"], "x2"),
        ("-2", ["2", "-2"], "-2"),
        ("2", ["5", "6"], None),
        ("A dog", ["A dog", "a cat"], "A dog"),
        ("a dog", ["the cat", "A dog."], "A dog."),
        ("The answer is no", ["no", "yes"], "no"),
        ("answer: yes", ["no", "yes"], "yes"),
        ("\\frac{1}{3}", ["$\\frac{1}{2}$", "$\\frac{1}{3}$"], "$\\frac{1}{3}$"),
        ("\\(2x\\)", ["$x^2$", "$2x$"], "$2x$"),
        ("\\$20", ["$10", "$20"], "$20"),
        ("−5", ["-5", "5"], "-5"),
        ("1939-1945", ["1939–1945", "1914–1918"], "1939–1945"),
        ("1000", ["1,000", "10,000"], "1,000"),
        ("Sao Paulo", ["São Paulo", "Rio"], "São Paulo"),
        ("Bye", ['"Hi"', '"Bye"'], '"Bye"'),
        ("pàpa", ["papá", "papa"], None),
        ("B. F. Skinner", ["Skinner", "Pavlov"], None),
        ("В) азот", ["кислород", "углекислый газ", "азот"], "азот"),
        ("В) кислород", ["кислород", "углекислый газ", "азот"], None),
        ("option 2", ["2", "1"], "2"),
        ("Hence the answer is B.", ["O", "A", "B", "AB"], "B"),
        ("not the king", ["Not the king", "The king"], "Not the king"),
        ("same", ["same", "same", "other"], "same"),
    ],
)
def test_options_that_look_alike_are_told_apart(answer: str, options: list[str], option: str | None) -> None:
    assert option_names.match_option(answer, options) == option


@settings(deadline=None)
@given(st.text(max_size=80), st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8))
def test_any_answer_is_read_without_error_and_gives_an_option_or_none(answer: str, options: list[str]) -> None:
    assert option_names.match_option(answer, options) in (*options, None)
    for kind in ("multiple_choice", "numeric", "short_text", "free_text", "code"):
        assert isinstance(dress.tidy_answer(answer, kind), str)


@given(
    st.lists(
        st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip())),
        min_size=1,
        max_size=8,
        unique_by=str.strip,
    )
)
def test_every_option_written_verbatim_is_found(options: list[str]) -> None:
    assert [option_names.match_option(option, options) for option in options] == options


@pytest.mark.parametrize(
    ("answer", "kind", "tidy"),
    [
        ("**42**", "numeric", "42"),
        ("The final answer is 42.", "numeric", "42"),
        ("$\\frac{1}{2}$", "numeric", "\\frac{1}{2}"),
        ("Die Antwort lautet 42.", "numeric", "42"),
        ("答えは東京です。", "short_text", "東京"),
        ('"Hamlet"', "short_text", "Hamlet"),
        ("The Answer Is You", "short_text", "The Answer Is You"),
        ("The answer is Paris", "short_text", "Paris"),
        ("The answer", "short_text", "The answer"),
        ("Paris, because it is the seat of government.", "short_text", "Paris"),
        ("Paris — the capital of France", "short_text", "Paris"),
        ("In cold water, where it is darker, because light fades", "short_text", None),
        ("1914 – 1918", "short_text", "1914 – 1918"),
        ("नई दिल्ली।", "short_text", "नई दिल्ली"),
        ("北京。", "short_text", "北京"),
        ("\\(x = 2\\) and \\(x = -3\\)", "numeric", "\\(x = 2\\) and \\(x = -3\\)"),
        ("**2** and **3**", "numeric", "2 and 3"),
        ('"a" and "b"', "short_text", '"a" and "b"'),
        ("'it's red'", "short_text", "it's red"),
    ],
)
def test_the_wrapping_goes_and_the_answer_stays(answer: str, kind: str, tidy: str | None) -> None:
    assert dress.tidy_answer(answer, kind) == (answer if tidy is None else tidy)


DOUBLE = "def double(x):\n    return 2 * x"


@pytest.mark.parametrize(
    "text",
    [
        DOUBLE,
        f"```python\n{DOUBLE}\n```",
        f"```\n{DOUBLE}\n```\n",
        f"~~~py\n{DOUBLE}\n~~~",
        f"Here it is:\n\n```python\n{DOUBLE}\n```\n\nIt works.",
        f"```python\n{DOUBLE}\n```\nUse it:\n```python\nprint(double(2))\n```",
        f"```bash\npip install x\n```\n```python\n{DOUBLE}\n```",
        f"The program:\n```python\n{DOUBLE}",
        f"````python\n{DOUBLE}\n````",
        f"```python\nx = double(4)\n```\n```python\n{DOUBLE}\n```",
        f"```python\nx = 3\n```\n```python\n{DOUBLE}\n```",
    ],
)
def test_the_program_is_found_among_prose_and_fences(text: str) -> None:
    assert program_of(text) == DOUBLE


def test_imports_and_constants_in_blocks_of_their_own_stay_with_the_definitions_that_use_them() -> None:
    use = "def area(r):\n    return TAU * r * r / 2"
    blocks = ["import math", "TAU = 2 * math.pi", "import json", use, "print(area(2))"]
    text = "\n\nThen:\n\n".join(f"```python\n{block}\n```" for block in blocks)
    assert program_of(text) == f"import math\n\n\nTAU = 2 * math.pi\n\n\n{use}"


def test_fences_inside_a_program_are_its_own() -> None:
    program = "def f():\n    return '''\n```python\nx\n```\n'''"
    assert program_of(program) == program


@pytest.mark.parametrize(
    "sentence",
    [
        "The likeliest wrong answer is geology, which has the same ending.",
        "The proposed answer is a fact of the passage.",
        "Die falsche Antwort ist Geologie.",
        "错误的答案是地质学。",
    ],
)
def test_another_answer_than_the_writers_own_is_not_said(sentence: str) -> None:
    assert dress.find_said(f"It is astronomy. {sentence}") == []


@pytest.mark.parametrize(
    "sentence",
    ["The most likely answer is geology.", "The correct answer is geology.", "For the nightingale answer: geology."],
)
def test_the_writers_own_answer_is_said(sentence: str) -> None:
    assert [said.rest for said in dress.find_said(f"It is a science. {sentence}")] == ["geology"]


@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\r\n\t\x00\x7f\u00a0\ufffe\ud800 aé")), max_size=20)
)
def test_clean_takes_out_the_same_whether_a_text_is_plain_or_not(text: str) -> None:
    thorough = clean(text + "\x00")  # a control, so that the text is looked at letter by letter
    assert clean(text) == thorough


@given(st.lists(st.sampled_from(["a", "b ", " b", "**b**", "Paris", ""]), min_size=1, max_size=5))
def test_an_option_as_it_was_written_is_that_option(options: list[str]) -> None:
    for option in options:
        same = {other for other in options if other.strip() == option.strip()}
        assert len(same) > 1 or option_names.match_option(option, options) == option
