"""Options, labels and golds as rows of other scripts have them."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.catalog.task_files import FunctionRef
from nemo_sdg.errors import DataError
from nemo_sdg.records import Seed
from nemo_sdg.seeds.fields.media import shows_media
from nemo_sdg.seeds.fields.options import inline_block
from nemo_sdg.seeds.fields.reading import Reading, Unrenderable, position
from nemo_sdg.seeds.golds.targets import read_number
from tests.unit.seeds.golds.test_targets import reason_of, seed_of


def asked(seed: Seed) -> tuple[str, list[str] | None, str]:
    return seed.question, seed.choices, seed.answer.text


LISTED = {"doc_to_text": "Question: {{q}}\n{{o|join('\\n')}}\nAnswer:", "doc_to_choice": "o", "doc_to_target": "k"}


@pytest.mark.parametrize(
    ("options", "gold", "texts", "answer"),
    [
        (["الف) تهران", "ب) قم", "ج) یزد"], "الف", ["تهران", "قم", "یزد"], "تهران"),
        (["الف) تهران", "ب) قم", "ج) یزد"], "ج", ["تهران", "قم", "یزد"], "یزد"),
        (["۱) تهران", "۲) قم", "۳) یزد"], "۱", ["تهران", "قم", "یزد"], "تهران"),
        (["۱) تهران", "۲) قم", "۳) یزد"], "1", ["تهران", "قم", "یزد"], "تهران"),
        (["أ- قلم", "ب- كتاب"], "ب", ["قلم", "كتاب"], "كتاب"),
        (["أ. قلم", "ب. كتاب", "ج. باب", "د. نهر", "هـ. جبل"], "هـ", ["قلم", "كتاب", "باب", "نهر", "جبل"], "جبل"),
        (["α) νερό", "β) φωτιά", "γ) γη"], "β", ["νερό", "φωτιά", "γη"], "φωτιά"),
        (["а) вода", "б) огонь", "в) земля"], "в", ["вода", "огонь", "земля"], "земля"),
        (["A．铁", "B．铜", "C．金"], "Ｂ", ["铁", "铜", "金"], "铜"),
        (["A、铁", "B、铜", "C、金"], "C、", ["铁", "铜", "金"], "金"),
        (["Γ. γη", "Α. νερό", "Β. φωτιά"], "Α", ["γη", "νερό", "φωτιά"], "νερό"),
        (["铁", "铜", "金"], "Ｃ", ["铁", "铜", "金"], "金"),
    ],
)
def test_labels_of_other_scripts_are_read(options: list[str], gold: str, texts: list[str] | None, answer: str) -> None:
    seed = seed_of(LISTED, {"q": "?? 1", "o": options, "k": gold})
    assert asked(seed) == ("?? 1", texts or options, answer)


@pytest.mark.parametrize(
    ("labels", "gold", "place"),
    [
        (["А", "Б", "В"], "B", None),  # the second by its place, the third by its look
        (["A", "B", "C"], "В", None),
        (["A", "B", "C"], "С", 2),
        (["А", "Б", "В"], "A", 0),
        (["Α", "Β", "Γ"], "B", 1),
        (["А", "Б", "В"], "В", 2),
    ],
)
def test_a_letter_that_looks_like_a_label_of_another_script(labels: list[str], gold: str, place: int | None) -> None:
    assert position(gold, ["one", "two", "three"], labels) == place


def test_texts_are_compared_composed_and_floats_are_positions() -> None:
    choices = [unicodedata.normalize("NFD", "Όμηρος"), "Ησίοδος"]
    assert position(unicodedata.normalize("NFC", "Όμηρος"), choices) == 0
    assert position("1.0", choices) == 1
    assert position("1.0", ["2.0", "1.0"]) == 1
    assert position("2.0", choices) is None
    assert position("सही।", ["गलत", "सही"]) == 1
    assert position("はい。", ["いいえ", "はい"]) == 1
    assert position("?", ["!", "."]) is None


def test_labels_that_a_function_makes_stand_for_the_texts_in_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "u.py").write_text(
        "K = ['أ', 'ب', 'ج', 'د']\n"
        "def text(d):\n    listed = '\\n'.join(f'{k}. {o}' for k, o in zip(K, d['o']))\n"
        "    return f'سؤال: {d[\"q\"]}\\n{listed}\\nإجابة:'\n"
        "def choice(d):\n    return K[:len(d['o'])]\n"
    )
    config: dict[str, Any] = {
        "doc_to_text": FunctionRef(str(tmp_path), "u.text"),
        "doc_to_choice": FunctionRef(str(tmp_path), "u.choice"),
        "doc_to_target": "k",
    }
    seed = seed_of(config, {"q": "ما لون السماء؟", "o": ["\u200fأزرق", "أحمر\u200f"], "k": 0})
    assert asked(seed) == ("ما لون السماء؟", ["أزرق", "أحمر"], "أزرق")


def test_letters_that_the_row_gives_stay_options() -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "{{names}}", "doc_to_target": "k"}
    seed = seed_of(config, {"q": "甲说谎，乙诚实。谁说谎？", "names": ["甲", "乙"], "k": 0})
    assert asked(seed) == ("甲说谎，乙诚实。谁说谎？", ["甲", "乙"], "甲")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("다음 중 새는?\n① 참새\n② 상어", "①②"),
        ("다음 중 새는? ① 참새 ② 상어", "①②"),
        ("다음 중 새는?\n①참새 ②상어", "①②"),
        ("다음 중 새는？A．참새 B．상어", "AB"),
        ("다음 중 새는?\nA、참새；B、상어", "AB"),
        ("다음 중 새는?\nA.참새 B.상어", "AB"),
        ("다음 중 새는?\n（A）참새\n（B）상어", "AB"),
    ],
)
def test_options_in_the_text_of_the_question(text: str, labels: str) -> None:
    config = {"doc_to_text": "{{t}}\n정답:", "doc_to_choice": list(labels), "doc_to_target": "{{k}}"}
    question, choices, answer = asked(seed_of(config, {"t": text, "k": labels[0]}))
    assert (question.rstrip("?？"), choices, answer) == ("다음 중 새는", ["참새", "상어"], "참새")


def test_options_listed_by_the_template_behind_signs_and_small_letters() -> None:
    row = {"q": "Ποιο είναι ζώο;", "o": ["πέτρα", "σκύλος"], "k": 1}
    for labels in (["α", "β"], ["①", "②"]):
        after = ")" if labels == ["α", "β"] else ""
        text = f"{{{{q}}}}\n{labels[0]}{after} {{{{o[0]}}}}\n{labels[1]}{after} {{{{o[1]}}}}\nΑπάντηση:"
        config = {"doc_to_text": text, "doc_to_choice": labels, "doc_to_target": "k"}
        assert asked(seed_of(config, row)) == ("Ποιο είναι ζώο;", ["πέτρα", "σκύλος"], "σκύλος")


def test_a_list_of_options_is_left_out_whatever_its_column_is_called() -> None:
    config = {"doc_to_text": "Soru: {{s}}\nSeçenekler:\n{{sik}}\nCevap:", "doc_to_choice": "sik", "doc_to_target": "c"}
    assert asked(seed_of(config, {"s": "Hangisi?", "sik": "['elma', 'taş']", "c": 1})) == (
        "Hangisi?",
        ["elma", "taş"],
        "taş",
    )


def test_a_label_before_an_empty_text_is_no_passage() -> None:
    config = {"doc_to_text": "Apyrašas: {{p}}\nQuestion: {{q}}\nAnswer:", "doc_to_target": "a"}
    short: dict[str, Any] = {"kind": "short_text", "frame": "generation"}
    assert seed_of(config, {"p": "", "q": "Who?", "a": "Ann"}, **short).passage is None
    assert seed_of(config, {"p": None, "q": "Who?", "a": "Ann"}, **short).passage is None
    assert seed_of(config, {"p": "Ann sang.", "q": "Who?", "a": "Ann"}, **short).passage == "Apyrašas: Ann sang."
    asking = {"doc_to_text": "Is this claim true: {{p}}?", "doc_to_choice": ["no", "yes"], "doc_to_target": 0}
    assert reason_of(asking, {"p": ""}, frame="classification") == "empty_question"


def test_an_empty_text_is_not_labelled() -> None:
    config = {
        "description": "احساس متن زیر چیست؟",
        "doc_to_text": "متن: {{t}}\nاحساس:",
        "doc_to_choice": ["منفی", "مثبت"],
        "doc_to_target": "k",
    }
    assert reason_of(config, {"t": "", "k": 1}, frame="classification") == "empty_question"
    assert seed_of(config, {"t": "عالی بود", "k": 1}, frame="classification").passage == "عالی بود"


def test_several_right_options_make_no_seed() -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "o", "doc_to_target": "k"}
    row = {"q": "哪些是质数？", "o": ["2", "4", "5x"]}
    assert reason_of(config, {**row, "k": [0, 2]}) == "several_golds"
    assert seed_of(config, {**row, "k": [0, 0]}).answer.text == "2"


def test_a_mapping_is_no_answer() -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_target": "{{a}}"}
    short: dict[str, Any] = {"kind": "short_text", "frame": "generation"}
    assert reason_of(config, {"q": "Who?", "a": {"text": ["Ann"]}}, **short) == "no_gold"


def test_an_image_that_is_a_file_elsewhere_is_media() -> None:
    reading = Reading(question="Which circuit is it?")
    assert shows_media(reading, {"image": {"bytes": None, "path": "figures/12.png"}}) is not None
    assert shows_media(reading, {"image": {"bytes": None, "path": None}}) is None
    assert shows_media(reading, {"scan": {"path": "figures/12.png"}}) is not None
    assert shows_media(reading, {"source": {"path": "docs/12.md"}}) is None


def test_a_number_in_markup_and_in_sentences_without_blanks() -> None:
    assert read_number("<b>60</b>", "ru").answer == "60"  # type: ignore[union-attr]
    found = read_number("最初は5個。5＋6＝11。答えは11です。", "ja")
    assert found is not None
    assert found.answer == "11"
    with pytest.raises(Unrenderable):
        read_number("最初は5個。あとで6個。", "ja")


def test_a_lost_character_makes_no_seed_unless_it_stands_in_the_passage() -> None:
    config = {"doc_to_text": "Passage: {{p}}\nQuestion: {{q}}\nAnswer:", "doc_to_target": "a"}
    row = {"p": "太郎は京\ufffdで生まれた。", "q": "太郎はどこで生まれたか。", "a": "京都"}
    short: dict[str, Any] = {"kind": "short_text", "frame": "generation"}
    assert seed_of(config, row, **short).answer.text == "京都"
    assert reason_of(config, {**row, "a": "京\ufffd"}, **short) == "mojibake"
    assert reason_of(config, {**row, "q": "太\ufffdはどこ"}, **short) == "mojibake"


def test_null_that_a_function_writes_out_is_no_question(tmp_path: Path) -> None:
    (tmp_path / "n.py").write_text("def text(d):\n    return f'Question: {d[\"q\"]}\\nAnswer:'\n")
    config = {"doc_to_text": FunctionRef(str(tmp_path), "n.text"), "doc_to_target": "a"}
    short: dict[str, Any] = {"kind": "short_text", "frame": "generation"}
    assert reason_of(config, {"q": None, "a": "x"}, **short) == "empty_question"
    assert reason_of(config, {"q": float("nan"), "a": "x"}, **short) == "empty_question"


def test_options_that_are_null_are_none() -> None:
    assert reason_of({"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": 0}, {"q": "?", "c": None}) == (
        "no_choices"
    )


@pytest.mark.parametrize("broken", ["{{q|καθαρό}}", "{{q", "{% if q %}{{q}}", "{{q is αριθμός}}"])
@pytest.mark.parametrize("key", ["doc_to_text", "doc_to_choice", "doc_to_target"])
def test_a_template_that_does_not_compile_is_told_in_one_line(key: str, broken: str) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "{{c}}", "doc_to_target": "{{k}}", key: broken}
    with pytest.raises(DataError) as caught:
        seed_of(config, {"q": "?", "c": ["a", "b"], "k": 0})
    assert "\n" not in str(caught.value)
    assert "made_up" in str(caught.value)
    assert key in str(caught.value)


def test_a_row_without_a_column_does_not_give_the_column_s_name_as_its_answer() -> None:
    short: dict[str, Any] = {"kind": "short_text", "frame": "generation"}
    for column in ("उत्तर", "คำตอบที่", "پاسخ", "đáp án"):
        config = {"doc_to_text": "Question: {{q}}\nAnswer:", "doc_to_target": column}
        assert seed_of(config, {"q": "Who?", column: "Ann"}, **short).answer.text == "Ann"
        assert reason_of(config, {"q": "Who?"}, **short) == "missing_column"


@pytest.mark.parametrize("labels", [["(A)", "(B)"], ["A.", "B."], ["A", "B"], ["1", "2"]])
@pytest.mark.parametrize("shown", ["(A) oak (B) tin", "A. oak B. tin"])
def test_labels_in_brackets_name_options_within_the_question(tmp_path: Path, labels: list[str], shown: str) -> None:
    (tmp_path / "w.py").write_text("def text(d):\n    return d['q']\n")
    config = {"doc_to_text": FunctionRef(str(tmp_path), "w.text"), "doc_to_choice": labels, "doc_to_target": 1}
    assert asked(seed_of(config, {"q": f"Which is wood? {shown}"})) == ("Which is wood?", ["oak", "tin"], "tin")


def test_marks_without_the_last_one_are_no_list_and_cost_little() -> None:
    assert inline_block("Which? " + "A. oak B. tin C. lime " * 700, list("ABCD")) is None


@pytest.mark.parametrize("labels", ["アイウ", "ABC", "123", "абв"])
def test_labels_with_a_blank_alone_list_options(labels: str) -> None:
    columns = ["x", "y", "z"]
    listed = "\n".join(f"{label} {{{{{column}}}}}" for label, column in zip(labels, columns, strict=True))
    config = {"doc_to_text": f"{{{{q}}}}\n{listed}\nAnswer:", "doc_to_choice": list(labels), "doc_to_target": "k"}
    row = {"q": "Which is it?", "x": "salt", "y": "lime", "z": "ham", "k": 1}
    assert asked(seed_of(config, row)) == ("Which is it?", ["salt", "lime", "ham"], "lime")
