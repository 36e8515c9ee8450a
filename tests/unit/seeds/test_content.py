"""Ring 3: which texts are leaks of an evaluation row, and which are only common strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.errors import DataError
from nemo_sdg.records import Answer, DatasetRow, EvaluationRow, Seed
from nemo_sdg.seeds.content.guard import ContentGuard
from nemo_sdg.seeds.content.index import EvaluationIndex
from nemo_sdg.seeds.content.texts import weight, words

OPTIONS = ["a cold drink", "measure temperature", "a sunny day", "weigh flour"]


def evaluation(
    question: str,
    *,
    passage: str | None = None,
    choices: list[str] | None = None,
    answer: str | None = None,
    row: int = 0,
    task: str = "quiz",
) -> EvaluationRow:
    return EvaluationRow(
        task=task,
        dataset=DatasetRow(path="own/quiz", name=None, split="test", revision="local", row=row),
        kind="short_text",
        question=question,
        passage=passage,
        choices=choices,
        answer=answer,
    )


def seed(
    question: str,
    *,
    passage: str | None = None,
    choices: list[str] | None = None,
    answer: str = "x",
    aliases: list[str] | None = None,
) -> Seed:
    return Seed(
        seed_id="0",
        task="quiz",
        tasks=["quiz"],
        family="science",
        capability="knowledge",
        kind="short_text",
        frame="generation",
        language="en",
        dataset=DatasetRow(path="own/quiz", name=None, split="train", revision="local", row=0),
        license="MIT",
        question=question,
        passage=passage,
        choices=choices,
        answer=Answer(text=answer, aliases=aliases or []),
    )


LONG = "A farmer has 17 sheep and buys 8 more at the market; how many sheep does the farmer have?"


def test_a_copied_question_is_found_whatever_its_case_and_punctuation():
    guard = ContentGuard(
        [evaluation("Some other question that is long enough to count here", row=3), evaluation(LONG, row=4)]
    )
    assert (
        guard.match(seed("  a FARMER has 17 sheep, and buys 8 more at the market: how many sheep does the farmer have"))
        == "question of quiz (own/quiz, default, test, row 4)"
    )


@pytest.mark.parametrize(
    ("tested", "trained"),
    [
        ("يملك سعيد 15 قلما أعطى منها 6 لأخته. كم بقي معه؟", "يملك سعيد ١٥ قلما أعطى منها ٦ لأخته. كم بقي معه؟"),
        ("सीता के पास 12 किताबें थीं, 4 दान कर दीं। कितनी बचीं?", "सीता के पास १२ किताबें थीं, ४ दान कर दीं। कितनी बचीं?"),
        ("แม่มีเงิน 1,200 บาท ใช้ไป 450 บาท เหลือกี่บาท", "แม่มีเงิน ๑,๒๐๐ บาท ใช้ไป ๔๕๐ บาท เหลือกี่บาท"),
        ("کودکان هر روز در کدام پارک شهر بازی می‌کنند؟", "كودكان هر روز در كدام پارك شهر بازي مي‌كنند؟"),
        ("ما عاصمة فرنسا وأكبر مدنها من حيث السكان؟", "مَا عَاصِمَةُ فَرَنْسَا وَأَكْبَرُ مُدُنِهَا مِنْ حَيْثُ السُّكَّانِ؟"),
        ("ما عاصمة فرنسا وأكبر مدنها من حيث السكان؟", "ما عاصـــمة فرنسا وأكبر مدنها من حيث السكـان؟"),
        ("איזו עיר היא בירת צרפת וגם העיר הגדולה בה?", "אֵיזוֹ עִיר הִיא בִּירַת צָרְפַת וְגַם הָעִיר הַגְּדוֹלָה בָּהּ?"),
    ],
)
def test_a_copied_question_is_found_in_other_digits_and_spellings(tested: str, trained: str) -> None:
    assert ContentGuard([evaluation(tested, answer="7")]).match(seed(trained, answer="7")) is not None


@pytest.mark.parametrize(
    "changed",
    [
        LONG.replace("buys 8 more at", "buys 8 at"),
        LONG.replace("at the market", "at the old market"),
        LONG.replace("farmer has 17", "farmer keeps 17"),
        f"Problem: {LONG}",
        f"Solve this step by step. {LONG} Explain your answer.",
    ],
)
def test_a_word_dropped_added_or_changed_hides_nothing(changed):
    assert ContentGuard([evaluation(LONG, answer="25")]).match(seed(changed, answer="25")) is not None


def test_another_number_makes_another_question():
    guard = ContentGuard([evaluation(LONG, answer="25")])
    assert guard.match(seed(LONG.replace("17", "18"), answer="26")) is None
    assert guard.match(seed(LONG.replace("17", "18"), answer="25")) is None
    assert guard.match(seed("How many sheep does the farmer have?", answer="25")) is None


@pytest.mark.parametrize(
    "respelled",
    [
        r"Find the value of $\dfrac{3}{4} x + 2 y$ when $x = 8$ and $y = 1$.",
        r"Find the value of \(\frac34x+2y\) when \(x=8\) and \(y=1\).",
        r"Find the value of $\tfrac{3}{4}\,x + 2\,y$ when $x=8$ and $\left(y=1\right)$.",
    ],
)
def test_latex_spelled_otherwise_is_the_same(respelled):
    question = r"Find the value of $\frac{3}{4}x+2y$ when $x=8$ and $y=1$."
    assert ContentGuard([evaluation(question, answer="8")]).match(seed(respelled, answer="8")) is not None


def test_a_row_is_compared_by_its_strings_in_whichever_column():
    guard = ContentGuard([evaluation(LONG, answer="25")])
    other = seed("What does the text ask?", answer="something")
    assert guard.match(other, ["a", LONG, "b"]) is not None
    half = LONG.index("at the market")
    assert guard.match(other, [LONG[:half], LONG[half:]]) is not None, "split over two columns"
    assert guard.match(other, ["a", "b"]) is None


def test_an_item_that_stands_as_passage_is_compared_by_itself():
    asked = "Is the sentence above acceptable?"
    rows = []
    for number, text in enumerate(
        ["The boys has eaten all of the cake.", "Mary sang.", "Him saw she.", "I left early."]
    ):
        row = evaluation(asked, passage=text, choices=["no", "yes"], answer="no", row=number)
        row.texts = [text, "0"]
        rows.append(row)
    guard = ContentGuard(rows)
    copied = seed("Good or bad?", passage="The boys has eaten all of the cake.", answer="bad")
    assert guard.match(copied, ["own", "The boys has eaten all of the cake.", "0"]) is not None
    copied = seed("Mary sang. Good or bad?", answer="bad")
    assert guard.match(copied, ["Mary sang.", "0"]) == "row of quiz (own/quiz, default, test, row 1)"
    assert guard.match(seed("Good or bad?", passage="The girls have baked a cake.", answer="bad"), []) is None


def test_one_option_changed_and_options_permuted():
    guard = ContentGuard([evaluation("Thermometers", choices=OPTIONS, answer=OPTIONS[1])])
    changed = ["a hot drink", *OPTIONS[1:]]
    assert guard.match(seed("Thermometers", choices=changed[::-1], answer=OPTIONS[1])) is not None
    assert guard.match(seed("Thermometers", choices=["a", "b", *OPTIONS[2:]], answer=OPTIONS[2])) is None


def test_the_words_of_a_question_in_another_order_with_all_its_options():
    options = ["iron", "mercury", "gold", "tin"]
    guard = ContentGuard([evaluation("Which metal is liquid at room temperature?", choices=options, answer="mercury")])
    other = "At room temperature, which metal is liquid?"
    assert guard.match(seed(other, choices=options[::-1], answer="mercury")) is not None
    assert guard.match(seed("Which metal rusts in wet air?", choices=options, answer="iron")) is None
    assert guard.match(seed(other, choices=["lead", "mercury"], answer="mercury")) is None


def test_a_longer_question_that_holds_a_short_one_is_another_where_the_answers_differ():
    question = "Write a function that matches a word containing z."
    guard = ContentGuard([evaluation(question, answer="def match(text): return 'z' in text")])
    longer = seed(f"{question[:-1]}, not at the start of the word.", answer="def middle(text): return 'z' in text[1:]")
    assert guard.match(longer) is None
    assert guard.match(seed(f"Task: {question}", answer="def match(text): return 'z' in text")) is not None


@given(st.lists(st.sampled_from(["river", "stone", "7", "green", "=", "x", "12", "walks", "über", "猫"]), max_size=40))
def test_a_row_offered_again_is_always_found(parts):
    row = evaluation(" ".join(parts), answer="a green stone")
    row.texts = [" ".join(parts), "a green stone"]
    asked = words(row.question)
    found = ContentGuard([row]).match(seed(row.question or "?", answer="a green stone"), row.texts)
    assert found is not None or not asked


def test_signs_tell_formulas_apart():
    guard = ContentGuard([evaluation("Compute the value of the expression $12 + 30 - 4$ and simplify it", answer="38")])
    assert guard.match(seed("Compute the value of the expression $12 * 30 - 4$ and simplify it")) is None
    assert guard.match(seed("Compute the value of the expression $12 + 30 + 4$ and simplify it")) is None
    assert guard.match(seed("Compute the value of the expression $12 + 30 - 4$ and simplify it")) is not None


def test_a_short_stem_is_no_leak_but_the_whole_short_row_is():
    guard = ContentGuard([evaluation("Thermometers", choices=OPTIONS, answer=OPTIONS[1])])
    assert (
        guard.match(
            seed("Thermometers", choices=["read heat", "make heat", "store heat", "cool heat"], answer="read heat")
        )
        is None
    )
    assert (
        guard.match(seed("thermometers", choices=OPTIONS[::-1], answer=OPTIONS[1]))
        == "question and options of quiz (own/quiz, default, test, row 0)"
    )


def test_a_short_question_in_the_same_words_is_a_leak_whatever_its_options():
    guard = ContentGuard(
        [evaluation("Which light metal floats?", choices=["lithium", "iron", "tin"], answer="lithium")]
    )
    other = {"choices": ["Li (lithium)", "Fe (iron)"], "answer": "Li (lithium)"}
    assert guard.match(seed("which light metal floats", **other)) is not None
    assert guard.match(seed("Which light metal floats best of all?", **other)) is None
    assert guard.match(seed("Which is hard?", choices=["Which light metal floats?", "glass"], answer="glass")) is None
    one_word = ContentGuard([evaluation("Thermometers", choices=OPTIONS, answer=OPTIONS[1])])
    assert one_word.match(seed("Thermometers", choices=["are tools", "are toys"], answer="are tools")) is None


def test_a_phrase_that_many_rows_ask_is_no_leak():
    phrase = "Which of the following statements about the passage above is true?"
    rows = [
        evaluation(phrase, choices=[f"{subject} is a planet", f"{subject} is a star"], row=row)
        for row, subject in enumerate(["Mars", "Venus", "Sirius"])
    ]
    guard = ContentGuard(rows)
    assert guard.match(seed(phrase, choices=["Pluto is a planet", "Pluto is a star"])) is None
    assert (
        guard.match(seed(phrase, choices=["Venus is a star", "Venus is a planet"]))
        == "question and options of quiz (own/quiz, default, test, row 1)"
    )


def test_a_fixed_label_set_alone_does_not_make_short_questions_leaks():
    labels = ["yes", "no"]
    rows = [
        evaluation(text, choices=labels, answer="yes", row=row)
        for row, text in enumerate(["good film", "dull film", "fine film", "The tall boy read an old book"])
    ]
    guard = ContentGuard(rows)
    assert guard.match(seed("good film", choices=labels, answer="no")) is None
    assert guard.match(seed("good film", choices=labels, answer="yes")) is not None, "nothing tells the two rows apart"
    assert guard.match(seed("The tall boy read an old book", choices=labels, answer="no")) is None
    assert (
        guard.match(seed("The tall boy read an old book", choices=labels, answer="yes"))
        == "question and answer of quiz (own/quiz, default, test, row 3)"
    )


def test_the_same_question_on_another_passage_is_no_leak():
    question = "Which team scored the first touchdown of the game that the text describes?"
    guard = ContentGuard([evaluation(question, passage="The Bears met the Lions in Chicago.", answer="Bears")])
    assert guard.match(seed(question, passage="The Colts met the Jets in Boston.", answer="Bears")) is None
    assert (
        guard.match(seed(question, passage="the bears met the lions in chicago", answer="Lions"))
        == "passage and question of quiz (own/quiz, default, test, row 0)"
    )
    assert guard.match(seed(question, answer="Bears")) is not None


def test_a_short_question_whose_passage_was_left_out_is_a_leak_with_its_answer():
    guard = ContentGuard(
        [evaluation("What is a copy of an organism called?", passage="A clone is a copy.", answer="clone")]
    )
    copied = "What is a copy of an organism called?"
    assert guard.match(seed(copied, answer="Clone")) == "question and answer of quiz (own/quiz, default, test, row 0)"
    assert guard.match(seed(copied, answer="a twin")) is None
    assert guard.match(seed(copied, passage="Twins are born together.", answer="clone")) is None
    often = [evaluation("Is it said so?", passage=f"Text {row} says it.", answer="yes", row=row) for row in range(20)]
    assert ContentGuard(often).match(seed("Is it said so?", answer="yes")) is None, "many rows have the answer"


def test_short_questions_without_options_need_their_answer_or_an_alias():
    guard = ContentGuard([evaluation("who wrote the song yesterday", answer="Paul McCartney")])
    assert guard.match(seed("Who wrote the song Yesterday?", answer="a songwriter")) is None
    assert (
        guard.match(seed("Who wrote the song Yesterday?", answer="McCartney", aliases=["Paul McCartney"])) is not None
    )


def test_ideographs_weigh_more_than_letters():
    assert weight(words("農夫が羊を十七頭飼っています。市場で")) >= 40 > weight(words("seventeen sheep"))
    guard = ContentGuard([evaluation("農夫は羊を17頭飼っていて、市場でさらに8頭買いました。全部で何頭ですか。")])
    assert guard.match(seed("農夫は羊を17頭飼っていて、市場でさらに8頭買いました。全部で何頭ですか")) is not None


def test_no_evaluation_rows_means_no_leaks():
    guard = ContentGuard([])
    assert guard.num_rows == 0
    assert guard.match(seed(LONG, choices=OPTIONS)) is None


def test_the_first_of_two_equal_evaluation_rows_is_named():
    guard = ContentGuard([evaluation(LONG, row=7, task="first"), evaluation(LONG, row=2, task="second")])
    assert guard.match(seed(LONG)) == "question of first (own/quiz, default, test, row 7)"


PAIR = ("The law came into force in answer to events abroad.", "His answers have become slow with age.")


def pair(first: str, second: str, *, number: int = 0) -> EvaluationRow:
    asked, shown = "Is the word used in the same way in both?", f"Sentence 1: {first}\nSentence 2: {second}"
    row = evaluation(asked, passage=shown, choices=["no", "yes"], answer="no", row=number)
    row.texts = [first, second, "31", "37", "4", "11"]
    return row


def test_of_two_sentences_one_may_be_changed_where_the_other_and_the_answer_stand() -> None:
    others = [pair(f"A {name} crossed the wide road at noon.", f"They crossed {name}s in June.", number=number)
              for number, name in enumerate(["goat", "hare", "crow", "wolf"] * 5, 1)]  # fmt: skip
    guard = ContentGuard([pair(*PAIR), *others])
    changed = "The law came into effect in answer to events abroad."
    texts = [changed, PAIR[1], "31", "37", "4", "11"]
    asked = {"passage": f"Sentence 1: {changed}\nSentence 2: {PAIR[1]}", "choices": ["no", "yes"]}
    assert guard.match(seed("Is it?", answer="no", **asked), texts) is not None
    assert guard.match(seed("Is it?", answer="yes", **asked), texts) is None
    other = [changed, "Her answer came late in the day.", "31", "37", "4", "11"]
    assert guard.match(seed("Is it?", answer="no", passage=" ".join(other[:2]), choices=["no", "yes"]), other) is None


def test_numbers_in_other_columns_hide_no_row() -> None:
    """Rows whose options are the same numbers are many; they must not push the row that is repeated off the list."""
    sums = [
        evaluation(f"What is {a} plus {b} less {c}?", choices=["31", "37", "4", "11"], answer="31", row=number)
        for number, (a, b, c) in enumerate((a, b, c) for a in range(4) for b in range(4) for c in range(4))
    ]
    guard = ContentGuard([*sums[:60], pair(*PAIR, number=99)])
    texts = [f"{PAIR[0]} Think.", PAIR[1], "31", "37", "4", "11"]
    found = guard.match(seed("Is it?", passage=" ".join(texts[:2]), choices=["no", "yes"], answer="no"), texts)
    assert found is not None
    assert "row 99" in found


def test_a_word_put_into_an_unspaced_script_is_several_characters() -> None:
    asked = "克莱尔每天早上用三颗鸡蛋做一份煎蛋饼当早餐，四周内她一共能吃掉多少打鸡蛋？"
    guard = ContentGuard([evaluation(asked, answer="7")])
    assert guard.match(seed(asked.replace("早上用", "早上在家里高兴地用"), answer="7")) is not None
    assert (
        guard.match(
            seed("他每天晚上在公园里和朋友们一起跑步，然后回家看书、写信，四周内她一共能吃掉多少打鸡蛋？", answer="7")
        )
        is None
    )


def test_an_index_that_was_saved_says_the_same(tmp_path) -> None:
    rows = [
        evaluation(LONG, answer="25"),
        evaluation("Is it?", passage="Ann ran.", choices=["a b", "c d"], answer="a b"),
    ]
    index = EvaluationIndex.build(rows)
    index.save(tmp_path)
    opened = ContentGuard.open(tmp_path)
    found = opened.match(seed(LONG, answer="25"))
    assert found is not None
    assert found == ContentGuard(rows).match(seed(LONG, answer="25"))
    assert opened.match(seed("Who sings at night in the wood?")) is None
    (tmp_path / "ids.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"ids\.npy has not the size that meta\.json says"):
        ContentGuard.open(tmp_path)
