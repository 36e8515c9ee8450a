"""Targets become answers: whole numbers and expressions, lists only if the row has one, nothing guessed."""

from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.records import CatalogRow, DatasetRow, Seed
from nemo_sdg.seeds.fields.reading import Unrenderable, position
from nemo_sdg.seeds.golds.conflicts import ConflictingGolds, Conflicts, SplitQuestions, conflicts_across, question_key
from nemo_sdg.seeds.golds.targets import boxed, is_number_or_expression, read_number, without_contradictions
from nemo_sdg.seeds.render import Renderer, to_seed

QUESTION = {"doc_to_text": "Question: {{question}}\nAnswer:"}


def seed_of(
    config: dict[str, Any], row: dict[str, Any], *, number: int = 0, language: str = "en", **fields: Any
) -> Seed:
    leaf = CatalogRow(
        **{
            "task": "made_up",
            "dataset": {"path": "made/up", "name": None, "splits": {"training": "train"}},
            "kind": "multiple_choice",
            "frame": "selection",
            "family": "science",
            "capability": "knowledge",
            "languages": [language],
            "license": {"id": "MIT"},
            "verdict": "eligible",
            **fields,
        }
    )
    place = DatasetRow(path="made/up", name=None, split="train", revision="local", row=number)
    reading = Renderer(leaf, config).read(row)
    return to_seed(reading, leaf, [leaf.task], place, ordinal=0, run_seed=0, row=row)


def reason_of(config: dict[str, Any], row: dict[str, Any], **fields: Any) -> str:
    with pytest.raises(Unrenderable) as caught:
        seed_of(config, row, **fields)
    return caught.value.reason


WHOLE = r"""1,234 | $80,000 | -$5.50 | 50% | 3/4 | −3 | 1e5 | 6.02 × 10^23 | 12 km | 3 1/2 | ½ | ٣٤ | $1.5 million
12:30 | 3:1 | 10-20 | 2x+1 | (3, 4) | [1, 2] | 1 000 000 | 1'000 | 0x1F | √2 | 5'11" | 1.0e-3 | ∞ | \frac{1}{3}
\dfrac{22}{7} | $\frac{3}{4}$ | \{1, 2\} | (-\infty, 3] | 7 apples | 20°C | eight
2<x or x>3 | -1<x\text{ or }x>5"""


@pytest.mark.parametrize("target", [target.strip() for line in WHOLE.splitlines() for target in line.split("|")])
def test_a_target_that_is_one_number_or_expression_is_taken_whole(target: str) -> None:
    seed = seed_of({**QUESTION, "doc_to_target": "a"}, {"question": "How much?", "a": target}, kind="numeric")
    assert seed.answer.text == target


@pytest.mark.parametrize(
    ("language", "target"), [("de", "1.234,56"), ("de", "€1.000,50"), ("fr", "1 234,5"), ("zh", "五")]
)
def test_numbers_are_read_in_the_language_of_the_task(language: str, target: str) -> None:
    assert is_number_or_expression(target, language)


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("5+7=12\n#### 1,000", "1,000"),
        ("#### 3/4", "3/4"),
        ("#### $1,250", "$1,250"),
        (r"$\boxed{-\frac{1}{2}}$", r"-\frac{1}{2}"),
        ("The answer is 7.", "7"),
        ("Roger has 5 and buys 6. 5 + 6 = 11. The answer is 11.", "11"),
        ("100.", "100"),
        ("a) 5", "5"),
    ],
)
def test_marked_numbers_and_sentences(target: str, answer: str) -> None:
    found = read_number(target, "en")
    assert found is not None
    assert found.answer == answer


@pytest.mark.parametrize("target", ["It was 1999, so 12 of them", "I have 3. They have 5"])
def test_a_sentence_with_several_numbers_is_no_gold(target: str) -> None:
    with pytest.raises(Unrenderable, match="ambiguous_gold"):
        read_number(target, "en")


def test_what_is_no_number_gives_none() -> None:
    assert [read_number(text, "en") for text in ("no", "True", "")] == [None, None, None]


def test_several_boxes_of_one_sentence_are_one_answer() -> None:
    assert boxed(r"Hence $x = \boxed{3}$ or $x = \boxed{-3}$.") == "3, -3"
    assert boxed(r"Then $a = \boxed{2}$. At last $b = \boxed{5}$.") == "5"
    assert boxed(r"$\boxed{7}$, that is \boxed{7}") == "7"


def test_golds_of_a_list_column_must_agree() -> None:
    config = {**QUESTION, "doc_to_target": "a"}
    assert seed_of(config, {"question": "How much?", "a": ["0.5", "1/2"]}, kind="numeric").answer.text == "0.5"
    assert reason_of(config, {"question": "How much?", "a": [7, 8]}, kind="numeric") == "ambiguous_gold"


def test_a_text_in_brackets_is_a_text_and_a_list_gives_aliases() -> None:
    config = {**QUESTION, "doc_to_target": "{{a}}"}
    text = seed_of(config, {"question": "What does sorted([2, 1]) return?", "a": "[1, 2]"}, kind="short_text")
    listed = seed_of(config, {"question": "Who?", "a": ["O'Neill", "E. O'Neill"]}, kind="short_text")
    assert (text.answer.text, text.answer.aliases) == ("[1, 2]", [])
    assert (listed.answer.text, listed.answer.aliases) == ("O'Neill", ["E. O'Neill"])


def test_aliases_that_contradict_the_answer_are_left_out() -> None:
    assert without_contradictions(["Yes", "No", "yes"]) == ["Yes", "yes"]
    assert without_contradictions(["1955", "unanswerable", "in 1955"]) == ["1955", "in 1955"]
    assert without_contradictions(["the Danube", "Danube"]) == ["the Danube", "Danube"]


def test_a_label_wins_over_an_option_that_is_written_like_it() -> None:
    blood = ["B", "O", "A", "AB"]
    config = {
        "doc_to_text": "Question: {{question}}\nA. {{opa}}\nB. {{opb}}\nC. {{opc}}\nD. {{opd}}\nAnswer:",
        "doc_to_choice": ["A", "B", "C", "D"],
        "doc_to_target": "key",
    }
    row = {
        "question": "Which has neither antigen?",
        **dict(zip(("opa", "opb", "opc", "opd"), blood, strict=True)),
        "key": "B",
    }
    assert seed_of(config, row).answer.text == "O"
    assert position("3", ["3", "1", "4", "2"], ["1", "2", "3", "4"]) == 2
    mapping = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "key"}
    assert seed_of(mapping, {"question": "Q?", "choices": {"A": "B", "B": "O"}, "key": "B"}).answer.text == "O"
    parallel = {**QUESTION, "doc_to_choice": "{{c.text}}", "doc_to_target": "key"}
    assert (
        seed_of(parallel, {"question": "Q?", "c": {"text": ["B", "A"], "label": ["A", "B"]}, "key": "A"}).answer.text
        == "B"
    )


def test_a_truth_value_is_found_among_the_texts_first() -> None:
    assert position(True, ["True", "False"]) == 0
    assert position(True, ["no", "yes"]) == 1


def test_a_number_that_may_be_text_or_place_is_no_gold() -> None:
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "{{a}}"}
    row = {"question": "One plus one?", "choices": ["1", "2", "3"], "a": "2"}
    assert reason_of(config, row) == "ambiguous_gold"
    assert reason_of({**config, "doc_to_target": "a"}, {**row, "choices": [1, 2, 3], "a": 2}) == "ambiguous_gold"
    assert seed_of({**config, "doc_to_target": "a"}, {**row, "choices": [3, 4, 5], "a": 1}).answer.text == "4"


@pytest.mark.parametrize("written", ["['fig', 'lime']", '["fig", "lime"]', "('fig', 'lime')"])
def test_a_list_that_a_column_writes_out_is_read(written: str) -> None:
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "label"}
    assert seed_of(config, {"question": "Which is sour?", "choices": written, "label": 1}).answer.text == "lime"


def test_a_text_is_never_read_letter_by_letter() -> None:
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "label"}
    assert reason_of(config, {"question": "Which is sour?", "choices": "lime|fig", "label": 1}) == "no_choices"


def test_options_lose_their_labels_and_white_space() -> None:
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "label"}
    seed = seed_of(config, {"question": "Which is sour?", "choices": ["A) fig ", "B) lime\n"], "label": "B"})
    assert (seed.choices, seed.answer.text) == (["fig", "lime"], "lime")


def test_two_equal_options_make_no_question() -> None:
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "label"}
    assert (
        reason_of(config, {"question": "Which?", "choices": ["lime", "lime ", "fig"], "label": 1})
        == "duplicate_choices"
    )


def conflicting(seeds: list[Seed]) -> set[int]:
    golds = ConflictingGolds()
    for seed in seeds:
        golds.add(seed)
    found = golds.find(lambda: seeds)
    return {seed.dataset.row for seed in seeds if found.why(seed)}


def test_all_rows_that_answer_one_question_differently_conflict() -> None:
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "label"}
    rows = [
        {"question": "Is the sky blue?", "choices": ["yes", "no"], "label": 0},
        {"question": "is the sky blue ?", "choices": ["no", "yes"], "label": 0},
        {"question": "Is the sky blue?", "choices": ["yes", "no"], "label": 0},
        {"question": "Is snow blue?", "choices": ["yes", "no"], "label": 1},
    ]
    assert conflicting([seed_of(config, row, number=number) for number, row in enumerate(rows)]) == {0, 1, 2}


def test_of_many_rows_that_conflict_two_are_held() -> None:
    rows = [
        {"question": "Is it so?", "passage": "x" * 1000, "label": n % 2, "choices": ["yes", "no"]} for n in range(9)
    ]
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "label"}
    conflicts = Conflicts()
    seeds = [seed_of(config, row, number=number) for number, row in enumerate(rows)]
    for seed in seeds:
        key = question_key(seed)
        assert key is not None
        conflicts.add(key, seed)
    assert [conflicts.why(seed) for seed in seeds[:3]] == [
        "row 1 answers 'no' to the same question",
        "row 0 answers 'yes' to the same question",
        "row 1 answers 'no' to the same question",
    ]
    held = [*conflicts._first.values(), *conflicts._other.values()]
    assert [(seed.dataset.row, seed.choices) for seed in held] == [(0, None), (1, None)]


def test_answers_that_agree_do_not_conflict() -> None:
    config = {**QUESTION, "doc_to_target": "a"}
    rows = [
        {"question": "Which river?", "a": ["the Danube", "Donau"]},
        {"question": "Which river?", "a": "Danube"},
        {"question": "How many?", "a": "1,000"},
        {"question": "How many?", "a": "1000"},
    ]
    kinds = ["short_text", "short_text", "numeric", "numeric"]
    seeds = [
        seed_of(config, row, number=number, kind=kind)
        for number, (row, kind) in enumerate(zip(rows, kinds, strict=True))
    ]
    assert conflicting(seeds) == set()


def test_splits_of_one_data_set_that_answer_one_question_differently_conflict(tmp_path: Path) -> None:
    config = {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "label"}

    def split(name: str, dataset: str, *labels: int) -> SplitQuestions:
        rows = [{"question": f"Is it {n}?", "choices": ["yes", "no"], "label": label} for n, label in enumerate(labels)]
        seeds = [seed_of(config, row, number=number) for number, row in enumerate(rows)]
        for seed in seeds:
            seed.dataset.split, seed.seed_id = name, f"{name}-{seed.dataset.row}"
        golds = ConflictingGolds()
        for seed in seeds:
            golds.add(seed)
        golds.save(tmp_path / f"{dataset}-{name}")
        return SplitQuestions(dataset=dataset, keys=tmp_path / f"{dataset}-{name}", seeds=lambda: seeds)

    train, extra, foreign = split("train", "own", 0, 1, 0), split("extra", "own", 0, 0), split("other", "foreign", 1, 1)
    found = conflicts_across([train, extra, foreign])
    assert found == {
        "train-1": "row 1 of extra answers 'yes' to the same question",
        "extra-1": "row 1 of train answers 'no' to the same question",
    }
    extra.keys.unlink()
    assert conflicts_across([train, extra, foreign]) == found
    assert conflicts_across([train, foreign]) == {}


@pytest.mark.parametrize("target", ["{{k|int}}", "{{k | int}} ", "{{(k|int) - 0}}"])
@pytest.mark.parametrize("label", [None, "", "x"])
def test_a_row_without_a_label_has_not_the_first_option_for_its_gold(target: str, label: str | None) -> None:
    config = {**QUESTION, "doc_to_choice": "c", "doc_to_target": target}
    row = {"question": "Which is it?", "c": ["salt", "lime"], "k": label}
    assert reason_of(config, row) == "no_gold"
    assert seed_of(config, {**row, "k": "1"}).answer.text == "lime"
    assert seed_of({**config, "doc_to_target": "{{k|int(1)}}"}, row).answer.text == "lime", "as the task says"
