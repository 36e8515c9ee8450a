"""Real rows of lm-eval's tasks, rendered: compared with a person's reading of the dataset, and with lm-eval's
rendering.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.catalog.walk import build_catalog, task_config, task_file
from nemo_sdg.config import DeclaredSplit, GuardSection, SeedsSection
from nemo_sdg.records import LABELS, CatalogRow, Drop, Seed
from nemo_sdg.seeds.build import Source, plan_sources, render_source
from nemo_sdg.seeds.fields.reading import bare_labels
from nemo_sdg.seeds.prompts.functions import resolve_function
from nemo_sdg.seeds.prompts.templates import TaskTemplates
from nemo_sdg.seeds.sources.rows import mirrored

YES_NO = ["no", "yes"]

# task, row, how the question begins, options (None where the task has none), answer
EXPECTED: list[tuple[str, int, str, list[str] | None, str]] = [
    ("gsm8k", 3, "Julie is reading a 120-page book.", None, "42"),
    (
        "sciq",
        2,
        "Changes from a less-ordered state",
        ["unbalanced", "reactive", "endothermic", "exothermic"],
        "exothermic",
    ),
    (
        "arc_easy",
        5,
        "A chewable calcium carbonate tablet",
        [
            "has a pleasant flavor.",
            "is inexpensive to produce.",
            "neutralizes digestive acid.",
            "occurs naturally in the body.",
        ],
        "neutralizes digestive acid.",
    ),
    (
        "arc_challenge",
        7,
        "As part of an experiment, an astronaut",
        [
            "31 pounds and 14 kilograms",
            "31 pounds and 84 kilograms",
            "186 pounds and 14 kilograms",
            "186 pounds and 84 kilograms",
        ],
        "186 pounds and 84 kilograms",
    ),
    ("openbookqa", 4, "You can make a telescope with a", ["straw", "Glass", "Candle", "mailing tube"], "mailing tube"),
    (
        "commonsense_qa",
        9,
        "Where is a business restaurant",
        ["town", "at hotel", "mall", "business sector", "yellow pages"],
        "business sector",
    ),
    (
        "winogrande",
        6,
        "The GPS and map helped me navigate home.  I got lost when the _ got turned",
        ["GPS", "map"],
        "map",
    ),
    ("ja_leaderboard_jcommonsenseqa", 3, "火を起こすと", ["歯の変色", "ガス", "中毒", "爆発", "煙"], "煙"),
    ("boolq", 1, "is there gonna be a season 8", YES_NO, "yes"),
    (
        "multirc",
        1,
        "What did the high-level effort to persuade Pakistan include?\nProposed answer: Monetary rewards\n",
        YES_NO,
        "no",
    ),
    ("record", 0, "Speaking after the game, Mourinho said", None, "Olimpija Ljubljana"),
    ("pubmedqa", 2, "It's Fournier's gangrene still dangerous?", ["yes", "no", "maybe"], "yes"),
    ("cb", 2, "Gustave was shepherded into creative retreat", ["True", "False", "Neither"], "True"),
    ("sglue_rte", 1, "Pope Benedict XVI is the new leader", ["True", "False"], "True"),
    ("rte", 1, "Pope Benedict XVI is the new leader", ["True", "False"], "True"),
    ("wic", 1, "Is the word 'Approach' used in the same way", YES_NO, "no"),
    (
        "copa",
        3,
        "The runner wore shorts.",
        ["The forecast predicted high temperatures.", "She planned to run along the beach."],
        "The forecast predicted high temperatures.",
    ),
    ("anli_r3", 2, "Ford does not make automobiles.", ["True", "Neither", "False"], "False"),
    (
        "headqa_en",
        4,
        "The corpuscles of Pacini:",
        [
            "They are innervated by unmyelinated fibers.",
            "They are mechanoreceptors of slow adaptation.",
            "They have small receptor fields.",
            "They are located in deep areas of the dermis.",
            "They are thermoreceptors.",
        ],
        "They are located in deep areas of the dermis.",
    ),
    (
        "medqa_4options",
        0,
        "A 3-month-old baby died suddenly",
        [
            "Placing the infant in a supine position on a firm mattress while sleeping",
            "Routine postnatal electrocardiogram (ECG)",
            "Keeping the infant covered and maintaining a high room temperature",
            "Application of a device to maintain the sleeping position",
        ],
        "Placing the infant in a supine position on a firm mattress while sleeping",
    ),
    (
        "mbpp",
        3,
        "Write a function to reverse words in a given string.",
        None,
        "def reverse_words(s):\r\n        return ' '.join(reversed(s.split()))",
    ),
    ("hendrycks_math_algebra", 2, "What is the degree of the polynomial $(4 +5x^3 +100 +2\\pi x^4", None, "4"),
    ("mgsm_direct_de", 2, "Leah hat 32 Pralinen", None, "39"),
    ("mgsm_direct_zh", 3, "肖恩有五个玩具。", None, "9"),
    ("mgsm_direct_es", 1, "Había nueve computadoras", None, "29"),
    ("mgsm_direct_sw", 4, "Michael alikuwa na mipira 58", None, "33"),
    ("mgsm_direct_en", 7, "If there are 3 cars in the parking lot", None, "5"),
    ("legalbench_proa", 1, "A private right of action is when", ["Yes", "No"], "No"),
    (
        "legalbench_function_of_decision_section",
        2,
        "Classify",
        ["Facts", "Procedural History", "Issue", "Rule", "Analysis", "Conclusion", "Decree"],
        "Issue",
    ),
    ("legalbench_international_citizenship_questions", 1, "Consider the country of Bolivia.", ["Yes", "No"], "Yes"),
]

PASSAGES = {
    "boolq": "The Walking Dead (season 8) -- ",
    "multirc": "While this process moved along",
    "record": "By Hamish Mackay Goals",
    "pubmedqa": "Fournier's gangrene is known",
    "cb": "The Paris to Rouen railway",
    "rte": "A place of sorrow",
    "sciq": "Summary Changes of state",
    "legalbench_proa": "Statute: A person who discloses genetic information",
}

DROPPED = {
    "medqa_4options": {"bare_labels": 3},
    "headqa_en": {"duplicate_choices": 1},
    "sciq": {"duplicate_choices": 3},
    "commonsense_qa": {"duplicate_choices": 18},
}
"""bare labels: the options stand in a picture; duplicates: two options are the same text"""

DECLARED = {
    task: DeclaredSplit(split="train", reason="named only for few-shot examples") for task in ("mbpp", "legalbench_*")
}


@pytest.fixture(scope="module")
def seeds(hub: Path) -> SeedsSection:
    return SeedsSection(mirror=str(hub), declared=DECLARED)


@pytest.fixture(scope="module")
def catalog(seeds: SeedsSection) -> list[CatalogRow]:
    return build_catalog(seeds, GuardSection())


@pytest.fixture(scope="module")
def sources(catalog: list[CatalogRow], seeds: SeedsSection, hub: Path) -> dict[str, Source]:
    """Every source whose rows are in the mirror, under each of its tasks."""
    found = [
        source
        for source in plan_sources(catalog, seeds)
        if not source.split.data_files and mirrored(source.split, str(hub))
    ]
    return {task: source for source in found for task in source.tasks}


@pytest.fixture(scope="module")
def records(sources: dict[str, Source], seeds: SeedsSection) -> dict[str, list[Seed | Drop]]:
    rendered = {id(source): list(render_source(source, seeds, 0)) for source in sources.values()}
    return {task: rendered[id(source)] for task, source in sources.items()}


def rows_of(source: Source, hub: Path) -> list[dict[str, Any]]:
    (file,) = mirrored(source.split, str(hub))
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("task", "number", "question", "choices", "answer"), EXPECTED, ids=[task for task, *_ in EXPECTED]
)
def test_named_rows_read_as_a_person_reads_them(
    records: dict[str, list[Seed | Drop]], task: str, number: int, question: str, choices: list[str] | None, answer: str
) -> None:
    (seed,) = [record for record in records[task] if isinstance(record, Seed) and record.dataset.row == number]
    assert seed.question.startswith(question)
    assert not seed.question.rstrip().endswith(("Answer:", "A:"))
    assert seed.answer.text == answer
    if task == "sciq":  # its gold is always the last option, so the options are shuffled
        assert sorted(seed.choices or []) == sorted(choices or [])
    else:
        assert seed.choices == choices
    assert (seed.passage or "").startswith(PASSAGES.get(task, ""))
    if seed.choices:
        assert seed.choices[LABELS.index(seed.answer.label or "")] == answer


def test_rationales_and_forms_are_kept(records: dict[str, list[Seed | Drop]]) -> None:
    found = {
        task: next(r for r in records[task] if isinstance(r, Seed) and r.dataset.row == row)
        for task, row in (("gsm8k", 3), ("hendrycks_math_algebra", 2), ("mbpp", 3), ("mgsm_direct_en", 7))
    }
    assert (found["gsm8k"].reference_reasoning or "").startswith("Maila read 12 x 2 = <<12*2=24>>24 pages today.\n")
    assert found["gsm8k"].target_format == "#### 42"
    assert found["hendrycks_math_algebra"].target_format == r"\boxed{4}"
    assert (found["hendrycks_math_algebra"].reference_reasoning or "").startswith(
        "This polynomial is not written in standard form."
    )
    assert (found["mgsm_direct_en"].reference_reasoning or "").startswith("There are 3 cars in the beginning")
    assert found["mbpp"].tests is not None
    assert found["mbpp"].tests[0] == 'assert reverse_words("python program")==("program python")'


def test_every_row_is_a_seed_or_a_drop(
    records: dict[str, list[Seed | Drop]], sources: dict[str, Source], hub: Path
) -> None:
    assert len(sources) >= 40
    for task, source in sources.items():
        assert len(records[task]) == len(rows_of(source, hub)), task
        assert Counter(record.reason for record in records[task] if isinstance(record, Drop)) == DROPPED.get(
            source.tasks[0], {}
        ), task
        assert len({record.seed_id for record in records[task] if isinstance(record, Seed)}) == sum(
            isinstance(record, Seed) for record in records[task]
        )


def test_all_tasks_with_a_training_split_in_the_mirror_are_rendered(
    records: dict[str, list[Seed | Drop]], hub: Path
) -> None:
    index = [line.split("\t") for line in (hub / "INDEX.tsv").read_text().splitlines()[1:]]
    trained = {task for task, _, _, split, _ in index if split.startswith("train")}
    assert trained - records.keys() == {"aime24", "mts_dialog"}, "these evaluate on their training split"


def test_mgsm_has_its_eight_exemplars(records: dict[str, list[Seed | Drop]]) -> None:
    for language in ("de", "en", "es", "sw", "zh"):
        rows = records[f"mgsm_direct_{language}"]
        assert [record.language for record in rows if isinstance(record, Seed)] == [language] * 8


def test_no_choices_are_bare_labels_and_golds_stand_everywhere(records: dict[str, list[Seed | Drop]]) -> None:
    for task, rendered in records.items():
        seeds = [record for record in rendered if isinstance(record, Seed)]
        assert not any(seed.choices and bare_labels(seed.choices) for seed in seeds), task
        if any(seed.choices for seed in seeds) and len(seeds) > 100:
            labels = Counter(seed.answer.label for seed in seeds)
            assert max(labels.values()) < 0.9 * len(seeds), f"{task}: {labels}"


def test_columns_survive_byte_for_byte(
    records: dict[str, list[Seed | Drop]], sources: dict[str, Source], hub: Path
) -> None:
    columns = {
        "gsm8k": "question",
        "hendrycks_math_algebra": "problem",
        "mbpp": "text",
        "ja_leaderboard_jcommonsenseqa": "question",
        "commonsense_qa": "question",
        "winogrande": "sentence",
    }
    for task, column in columns.items():
        rows = rows_of(sources[task], hub)
        seeds = [record for record in records[task] if isinstance(record, Seed)]
        assert len(seeds) > 0.98 * len(rows)
        assert [seed.question for seed in seeds] == [rows[seed.dataset.row][column] for seed in seeds]


def lm_eval_task(task: str, seeds: SeedsSection, source: Source, rows: list[dict[str, Any]]) -> Any:
    """lm-eval's own task object over these rows; only the download and the scoring are left out."""
    import datasets
    from lm_eval.api.task import ConfigurableTask

    config = {
        key: value
        for key, value in task_config(task, seeds).items()
        if key not in ("metric_list", "filter_list", "process_results", "fewshot_config")
    }
    config = {
        key: resolve_function(value.folder, value.name) if hasattr(value, "folder") else value
        for key, value in config.items()
    }
    config["metric_list"] = (
        [{"metric": "acc"}] if config.get("output_type") == "multiple_choice" else [{"metric": "bypass"}]
    )
    splits = {config.get(f"{role}_split") for role in ("training", "validation", "test", "fewshot")} - {None}

    class Offline(ConfigurableTask):
        def download(self, dataset_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
            self.dataset = datasets.DatasetDict({split: datasets.Dataset.from_list(rows) for split in splits})

    return Offline(config=config)


def test_templates_give_what_lm_eval_gives(sources: dict[str, Source], seeds: SeedsSection, hub: Path) -> None:
    for task, source in sources.items():
        theirs = lm_eval_task(task, seeds, source, rows_of(source, hub)[:25])
        ours = TaskTemplates(task, task_config(task, seeds))
        for doc in theirs.task_docs:
            assert ours.text(doc) == theirs.doc_to_text(doc), task
            assert ours.target(doc) == theirs.doc_to_target(doc), task
            if ours.doc_to_choice is not None:
                assert ours.choices(doc) == theirs.doc_to_choice(doc), task


def test_golds_are_those_of_lm_eval(
    sources: dict[str, Source], records: dict[str, list[Seed | Drop]], seeds: SeedsSection, hub: Path
) -> None:
    """The option that lm-eval scores as right is the seed's answer. multirc, whose task file is inverted, is read off
    its label.
    """
    compared = 0
    for task, source in sources.items():
        config = task_config(task, seeds)
        if config.get("output_type") != "multiple_choice" or task in ("record", "winogrande"):
            continue
        rows = rows_of(source, hub)[:250]
        theirs = lm_eval_task(task, seeds, source, rows)
        docs = list(theirs.training_docs())
        assert len(docs) == len(rows)
        for record in records[task]:
            if not isinstance(record, Seed) or record.dataset.row >= len(rows):
                continue
            doc = docs[record.dataset.row]
            choices, target = theirs.doc_to_choice(doc), theirs.doc_to_target(doc)
            gold = choices[target] if isinstance(target, int) else target
            if bare_labels(choices):
                assert record.answer.label == gold, task
            elif task == "multirc":
                assert record.answer.text == YES_NO[doc["label"]]
            else:
                assert record.answer.text.casefold() == gold.strip().casefold(), task
            compared += 1
    assert compared > 4000


def test_mbpp_renders_although_its_metrics_cannot_be_imported(
    records: dict[str, list[Seed | Drop]], seeds: SeedsSection
) -> None:
    assert "hf_evaluate.load" in (task_file("mbpp", seeds).parent / "utils.py").read_text()
    assert len(records["mbpp"]) == 374
