"""Small tasks made from public reports, if they are available: each row of their README gives its right value, or a
counted drop.

One run without the content ring reads all folders, since their rows repeat each other; a second run with it reads the
two folders about evaluation rows.
"""

import logging
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from nemo_sdg.catalog.selection import select
from nemo_sdg.catalog.walk import build_catalog
from nemo_sdg.config import GuardSection, SeedsSection, load_config
from nemo_sdg.pipeline.run import run as run_steps
from nemo_sdg.records import Seed
from nemo_sdg.seeds.build import plan_sources, render_source
from nemo_sdg.storage import read_json, read_jsonl

OF_WORKING_DIRECTORY = {
    "f1_files": ["f.jsonl"],
    "g1_abs_vs_rel": ["items.jsonl"],
    "g2_glob": ["rows-1.jsonl", "rows-2.jsonl"],
}
"""files that some of a folder's tasks name from the working directory"""
WRONG_METADATA = ("k2_meta", "k3_meta_shapes", "t1_family_path", "t4_badkind")
OTHER_MIRRORS = ("h1_override", "h2_override_eval", "l1_hub_layout", "l9_alias")

# The answer of each row, in order; what begins with a dash is the reason of a drop.
ANSWERS: dict[str, dict[str, list[str]]] = {
    "a2_label_text": {"b_let_cols": ["O", "AB", "A", "B"], "b_let_labels": ["K", "C"], "b_num_labels": ["3", "2", "2"]},
    "a3_onebased": {
        task: ["-no_gold", "-one_based_gold", "-one_based_gold", "-one_based_gold"]
        for task in ("o_int", "o_jinja_str", "o_str")
    },
    "b1_choices": {
        "c_dup": ["-duplicate_choices"],
        "c_ints_target_int": ["-ambiguous_gold"],
        "c_numstr_jinja": ["-ambiguous_gold"],
        "c_null_last": ["-empty_choice"],
        "c_one": ["-no_choices"],
        "c_prefix": ["lime"],
        "c_ws": ["lime"],
        "c_ints": ["4"],
        "c_column_json": ["lime"],
    },
    "b2_string_choices": {
        "s_mmmu": ["lime"],
        "s_repr": ["lime", "lime"],
        "s_repr_jinja": ["lime"],
        "s_semi": ["lime"],
        "s_word": ["-no_choices"],
    },
    "c1_prompts": {
        "p_digits": ["-digits_as_prompt"] * 3,
        "p_method": ["-unreadable_row"],
        "p_list": ["-no_text"],
        "p_null": ["Homer", "Homer"],
    },
    "d1_numeric": {
        "n_text": [
            "1,234",
            "$80,000",
            "-$5.50",
            "50%",
            "3/4",
            "-3",
            "−3",
            "0.50",
            "1e5",
            "6.02 × 10^23",
            "12 km",
            "-12",
            "1,000",
            "033",
            "3 1/2",
            "1.234,56",
            "1.234",
            "½",
            "٣٤",
            "五",
            "$1.5 million",
            "12:30",
            "2x+1",
            "$\\frac{3}{4}$",
            "-\\frac{1}{2}",
            "42",
            "7",
            "-ambiguous_gold",
            "(3, 4)",
            "[1, 2]",
            "10-20",
            "£3.50",
            "7 apples",
            "eight",
            "1 000 000",
            "1'000",
            "0x1F",
            "∞",
            "x = 5",
            "100",
            "5",
            "−0.5",
            "+4",
            "€1.000,50",
            ".5",
            "3:1",
            "1,5",
            "12,50",
            "14",
            "2nd",
            "-ambiguous_gold",
            "-1/2",
            "\\frac{1}{3}",
            "\\dfrac{22}{7}",
            "√2",
            "3.14159...",
            "-no_gold",
            "20°C",
            "5'11\"",
            "1/3 cup",
            "3/4",
            "$1,250",
            "5 apples",
            "5",
            "1.0e-3",
        ],
        "n_types": [
            *("5", "-5", "5.0", "2.5", "0.1", "1e+22", "12345678901234567", "-no_gold", "-no_gold", "7"),
            *("-ambiguous_gold", "-no_gold", "0", "-0.0"),
        ],
        "n_big": [
            *("15511210043330985984000000", str(2**64), str(2**64 - 1), "0.12345678901234568"),
            *("-no_gold", "-damaged_line"),
        ],
        "n_big_short": ["15511210043330985984000000", str(2**70)],
        "s_listlike": ["[1, 2, 3]", "[aeiou]", "['a', 'b']", "[]"],
        "s_listlike_col": ["[1, 2, 3]"],
    },
    "e2_bytes": {"x_bom": ["yes", "yes"], "x_crlf": ["yes", "no"], "x_latin1": ["-damaged_line", "yes"]},
    "f1_files": {
        "f_csv_na": ["Na", "NA", "NULL", "None", "null", "nan", "n/a"],
        "f_csv_na_kept": ["Na", "NA", "NULL", "None", "null", "nan", "n/a"],
        "f_csv_zero": ["007", "030", "1984"],
        "f_csv_floatlabel": ["no", "yes", "-no_gold"],
        "f_squad": ["-no_text"],
        "f_tsv": ["carbon dioxide", "green"],
        "f_gz": ["carbon dioxide", "green"],
        "f_mixtype": ["8", "none", "2", "-unreadable_row", "-no_gold", "1.5", "True"],
    },
    "f2_gz_types": {
        **{task: ["2016-07-01", "2016-07-02 10:00:00", "1999-12-31"] for task in ["y_dates_plain", "y_dates_gz"]},
        **{task: ["2016-07-01 00:00:00", "2016-07-02 10:30:00"] for task in ["y_dates2_plain", "y_dates2_gz"]},
        **{task: ["8", "none"] for task in ["y_mixed_plain", "y_mixed_gz"]},
        **{task: ["2", "3"] for task in ["y_mixed2_plain", "y_mixed2_gz"]},
    },
    "f3_gated_msg": {"z": [str(number) if number < 403 else "x" for number in range(500)]},
    "g3_two_folders": {"g3_a": ["the Danube"]},
    "i2_exit": {"i_exit": ["-unreadable_row"] * 3},
    "i4_shared": {"aa": ["-process_docs_failed"] * 3, "bbbb": ["1", "2", "3"]},
    "l20_abs": {"l20": ["granite 0", "granite 1", "granite 2"]},
    "o1_conflict": {"o_conf": ["-conflicting_gold"] * 4, "o_mc": ["-conflicting_gold"] * 3},
    "p1_media": {"p_markdown": ["-media"], "p_placeholder": ["-media"], "p_scienceqa": ["-media", "quartz"]},
    "q1_answers": {
        "a_qasper": ["Yes"],
        "a_list": ["Jupiter", "-no_gold", "x"],
        "a_squad": ["300 m", "-no_gold"],
        "a_squad_if": ["unanswerable"],
        "a_apos": ["O'Neill's play"],
    },
    "r1_shared_rows": {
        "r_mc": ["yes", "no"],
        "r_to_french": ["le chat dort", "le chien court"],
        "r_to_english": ["the cat sleeps", "the dog eats"],
    },
    "r3_choices_in_prompt": {
        "x_1234": ["tin"],
        "x_inline": ["tin"],
        "x_options_line": ["tin"],
        "x_inrow": ["tin", "tin"],
        "x_passage_list": ["2"],
    },
    "s1_position": {"s1": ["both A and B", "all of the above"]},
}
# (question, passage) of a task's first row: what is asked stands in the seed, labels and options do not
ASKED: dict[str, tuple[str, str | None]] = {
    "d_short": ("Give the antonym of the word.", "hot"),
    "d_num": ("Convert from Fahrenheit to Celsius.", "212"),
    "d_mc": ("Choose the word that means the opposite.", "hot"),
    "d_trans": ("English phrase: the cat\nFrench phrase:", None),
    "d_suffix": ("hot\nThe antonym of this word is", None),
    "d_suffixcolon": ("hot\nAntonym:", None),
    "d_intext": ("Give the antonym of: hot", None),
    "d_class": ("Say whether the review is positive or negative.", "I loved every minute."),
    "d_free": ("Summarise the text.", "A long text about rivers that flow."),
    "d_ro": ("Care este capitala României?", None),
    "d_hu": ("Mi Magyarország fővárosa?", None),
    "d_zh": ("中国的首都是哪里？", None),
    "p_desc": ("Translate into French.", "the cat"),
    "p_cloze": ("The opposite of hot is", None),
    "p_shots_qa": ("How many legs do three cats have?", None),
    "p_jinja_in_row": ("What does {{ 7*7 }} print in Jinja, and {% raw %}?", None),
    "x_inline": ("Which is a metal?", None),
    "x_options_line": ("Which is a metal?", None),
    "x_passage_list": (
        "How many steps come before the pasta goes in?",
        "Steps:\n1. Boil water.\n2. Add salt.\n3. Add pasta.\n4. Drain.",
    ),
}
OPTIONS = {
    "c_prefix": {"lemon", "lime", "plum"},
    "c_ws": {"lemon", "lime", "plum"},
    "s_repr": {"fig", "lime"},
    "s_mmmu": {"fig", "lime", "plum"},
    "x_passage_list": {"1", "2", "3", "4"},
}
IN_ORDER = {"s1": ["tin", "zinc", "both A and B", "sulphur"]}
UNREAD = {
    "c_py_list_tpl": "doc_to_choice lists '{{a}}', which lm-eval does not render",
    "p_single_brace": "shows nothing of the row",
    "p_constant": "shows nothing of the row",
    "a_word": "lacks a column that the task reads",
    "f_zst": "f.jsonl.zst has no rows",
    "f_missing": "data file nothere.jsonl of split train is missing",
    "x_nolf": "is cut off in its last line",
}
REFUSED = {
    "aime24": "evaluated_elsewhere",
    "g1_train": "evaluated_elsewhere",
    "g1_train_cwd": "evaluated_elsewhere",
    "g1_train_rel": "evaluated_elsewhere",
    "g2_own": "own_evaluation_split",
    "g2_own_cwd": "own_evaluation_split",
    "p_img": "not_text",
    "p_audio": "not_text",
    # what a task says of itself is looked at where it is read
    "m_kind": "metadata",
    "m_lang2": "metadata",
    "m_lic_list": "metadata",
    "q_str": "metadata",
    "t_slash": "metadata",
    "t_typo": "metadata",
}
WARNED = [
    "c_bool_yaml.yaml: doc_to_choice holds yes, no, true or false without quotes, which is shown as False",
    "z_dup.yaml repeats the name n_a of",
    "e.yaml repeats the name n_tag of a tag",
    "b.yml is passed over: lm-eval reads only files that end in .yaml",
    "the task n_inl_child is written within the group n_inline; write it to a separate file",
]


@dataclass(kw_only=True)
class Outcome:
    """What a run over the folders gave."""

    rows: dict[str, dict[int, Any]] = field(default_factory=dict)
    """task: row number: seed or drop"""
    unread: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def of(self, task: str) -> list[str]:
        rows = self.rows.get(task, {})
        return [f"-{row['reason']}" if "reason" in row else row["answer"]["text"] for _, row in sorted(rows.items())]


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shared = Path(os.environ.get("NEMO_SDG_TEST_CASES", root.parent / "shared" / "cases")) / "seeds"
    if not shared.is_dir():
        pytest.skip(f"no cases at {shared}; name their folder by NEMO_SDG_TEST_CASES")
    copy = tmp_path_factory.mktemp("cases") / "seeds"
    shutil.copytree(shared, copy)
    for file in copy.rglob("*"):
        if file.is_file() and file.suffix in (".yaml", ".py"):
            file.chmod(0o644)
            place = copy / file.relative_to(copy).parts[0]
            file.write_bytes(file.read_bytes().replace(b"@HERE@", str(place).encode()))
    return copy


@pytest.fixture(scope="module")
def include_path(folder: Path) -> list[str]:
    found = []
    for case in sorted(folder.iterdir()):
        if (case / "c.yaml").is_file():
            written = yaml.safe_load((case / "c.yaml").read_text())["seeds"]["include_path"]
            found += [str(case / part) for part in written]
    return found


@pytest.fixture(scope="module")
def whole(folder: Path, include_path: list[str]) -> Outcome:
    """One run over all folders, from a working directory that holds what some tasks look for there."""
    wanted = []
    work = folder.parent / "work"
    (work / "tasks").mkdir(parents=True)
    for case in sorted(folder.iterdir()):
        if (case / "c.yaml").is_file() and case.name not in (*WRONG_METADATA, *OTHER_MIRRORS):
            wanted += yaml.safe_load((case / "c.yaml").read_text())["seeds"]["tasks"]
        for name in OF_WORKING_DIRECTORY.get(case.name, []):
            (work / "tasks" / name).symlink_to(case / "tasks" / name)
    seeds = {"hub": False, "include_path": include_path, "tasks": [*wanted, "aime24"]}
    return outcome(work, seeds, {"content": False})


@pytest.fixture(scope="module")
def compared(folder: Path, include_path: list[str]) -> Outcome:
    """The tasks whose evaluation rows count, with the content ring."""
    seeds = {"hub": False, "include_path": include_path, "tasks": ["g5", "n1"]}
    (folder.parent / "compared").mkdir()
    return outcome(folder.parent / "compared", seeds, {"against": ["own"]})


def outcome(work: Path, seeds: dict[str, Any], guard: dict[str, Any]) -> Outcome:
    engine = {"kind": "llama", "model_license": "Apache-2.0"}
    whole = {"run": {"dir": "r", "workers": 1, "shard_size": 5000}, "seeds": seeds, "guard": guard, "engine": engine}
    (work / "c.yaml").write_text(yaml.safe_dump(whole))
    found, before = Outcome(), Path.cwd()
    heard = logging.Handler()
    heard.emit = lambda record: found.warnings.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("nemo_sdg").addHandler(heard)
    os.chdir(work)
    try:
        config = load_config("c.yaml")
        run_steps(config, until="seeds")
        for row in build_catalog(config.seeds, config.guard):
            found.reasons[row.task] = row.reasons
    finally:
        os.chdir(before)
        logging.getLogger("nemo_sdg").removeHandler(heard)
    for record in [record for file in sorted((work / "r/seeds").glob("shard-*.jsonl")) for record in read_jsonl(file)]:
        for task in record["tasks"]:
            found.rows.setdefault(task, {})[record["dataset"]["row"]] = record
    for drop in [drop for file in sorted((work / "r/seeds/dropped").glob("*.jsonl")) for drop in read_jsonl(file)]:
        rows = found.rows.setdefault(drop["task"], {})
        seen = drop["record"] or {}
        rows[seen["dataset"]["row"] if "dataset" in seen else seen.get("row", 1000 + len(rows))] = drop
    for row in read_json(work / "r/seeds/unread.json"):
        found.unread[row["why"].partition(":")[0].removeprefix("task ")] = row["why"]
    return found


@pytest.mark.parametrize("case", sorted(ANSWERS))
def test_every_row_has_its_right_answer_or_is_a_counted_drop(folder: Path, whole: Outcome, case: str) -> None:
    if not (folder / case).is_dir():
        pytest.skip(f"no case {case}")
    damaged_last = {
        task: sorted(rows, key=lambda answer: answer == "-damaged_line") for task, rows in ANSWERS[case].items()
    }
    assert {task: whole.of(task) for task in ANSWERS[case]} == damaged_last


def test_what_is_asked_stands_in_the_seed(whole: Outcome) -> None:
    found = {task: (whole.rows[task][0]["question"], whole.rows[task][0]["passage"]) for task in ASKED}
    assert found == ASKED


def test_options_are_texts_without_labels(whole: Outcome) -> None:
    assert {task: set(whole.rows[task][0]["choices"]) for task in OPTIONS} == OPTIONS
    assert {task: sorted(whole.rows[task][0]["choices"][:2]) for task in IN_ORDER} == {"s1": ["tin", "zinc"]}


def test_options_that_speak_of_their_place_keep_it(folder: Path, whole: Outcome) -> None:
    written = list(read_jsonl(folder / "s1_position" / "tasks" / "s1_train.jsonl"))
    assert [whole.rows["s1"][number]["choices"] for number in range(len(written))] == [
        row["choices"] for row in written
    ]


def test_aliases_do_not_contradict_the_answer(whole: Outcome) -> None:
    assert whole.rows["a_qasper"][0]["answer"]["aliases"] == []
    assert whole.rows["a_alias"][0]["answer"]["aliases"] == ["J. Austen"]


@pytest.mark.parametrize("task", UNREAD)
def test_what_cannot_be_read_is_named_with_the_reason(whole: Outcome, task: str) -> None:
    assert UNREAD[task] in whole.unread[task]
    assert "gated" not in whole.unread[task]


@pytest.mark.parametrize("task", REFUSED)
def test_tasks_are_refused_at_the_catalog(whole: Outcome, task: str) -> None:
    assert any(reason.startswith(REFUSED[task]) for reason in whole.reasons[task]), whole.reasons[task]


@pytest.mark.parametrize("line", WARNED)
def test_files_that_give_no_task_are_named(whole: Outcome, line: str) -> None:
    assert any(line in warning for warning in whole.warnings)


def test_a_task_with_another_ones_file_name_is_eligible(whole: Outcome) -> None:
    assert [whole.reasons[task] for task in ("g3_a", "my_gsm", "lm_eval::aime24")][:2] == [[], []]
    assert whole.reasons["lm_eval::aime24"] != []


def test_evaluation_rows_are_found_with_their_options_changed_and_under_a_byte_order_mark(compared: Outcome) -> None:
    leaks = {number for number, row in compared.rows["g5"].items() if row.get("reason") == "in_evaluation_split"}
    assert leaks == set(range(10))
    assert compared.of("n1") == ["-in_evaluation_split", "the Nile"]


@pytest.mark.parametrize("case", ["l1_hub_layout", "l9_alias"])
def test_mirrors_in_the_hubs_layout_and_under_another_name_are_read(folder: Path, case: str) -> None:
    seeds = SeedsSection(mirror=str(folder / case / "mirror"), tasks=["sciq"])
    (source,) = plan_sources(select(build_catalog(seeds, GuardSection()), ["sciq"]), seeds)
    made = list(render_source(source, seeds, 0))
    assert made
    assert all(isinstance(record, Seed) for record in made)
