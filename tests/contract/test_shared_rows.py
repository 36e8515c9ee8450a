"""Tasks that ask different questions about one file, a task that cannot read it, and lm-eval's task files on rows from
a file of another name.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.catalog.selection import select
from nemo_sdg.catalog.walk import build_catalog, lm_eval_tasks_folder
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.records import Drop, Seed
from nemo_sdg.seeds.build import plan_sources, render_source

GENERATE = "output_type: generate_until\nmetric_list: [{metric: exact_match}]\n"
FILE = "dataset_path: json\ndataset_kwargs: {data_files: {train: rows.jsonl}}\ntraining_split: train\n"


def records(folder: Path, rows: list[dict[str, Any]], tasks: dict[str, str]) -> list[Seed | Drop]:
    (folder / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    for task, text in tasks.items():
        (folder / f"{task}.yaml").write_text(f"task: {task}\n{text}")
    seeds = SeedsSection(hub=False, include_path=[str(folder)], tasks=list(tasks))
    catalog = select(build_catalog(seeds, GuardSection()), seeds.tasks)
    return [record for source in plan_sources(catalog, seeds) for record in render_source(source, seeds, 0)]


def test_each_different_question_is_a_seed_and_two_wordings_are_one(tmp_path: Path) -> None:
    made = records(
        tmp_path,
        [{"en": "the cat sleeps", "fr": "le chat dort", "ok": 1}],
        {
            "to_french": FILE + GENERATE + "doc_to_text: 'To French: {{en}}'\ndoc_to_target: fr\n",
            "to_french_too": FILE + GENERATE + "doc_to_text: 'Say it in French: {{en}}'\ndoc_to_target: '{{fr}}'\n",
            "to_english": FILE + GENERATE + "doc_to_text: 'To English: {{fr}}'\ndoc_to_target: en\n",
            "is_it": FILE
            + "output_type: multiple_choice\ndoc_to_text: 'Is {{fr}} French for {{en}}?'\n"
            + "doc_to_choice: ['no', 'yes']\n"
            + "doc_to_target: ok\nmetric_list: [{metric: acc}]\n",
        },
    )
    assert {tuple(record.tasks): record.answer.text for record in made if isinstance(record, Seed)} == {
        ("is_it",): "yes",
        ("to_french", "to_french_too"): "le chat dort",
        ("to_english",): "the cat sleeps",
    }


def test_a_seed_names_only_the_tasks_that_gave_it(tmp_path: Path) -> None:
    (tmp_path / "fn.py").write_text("def nothing(dataset):\n    return None\n")
    question = "doc_to_text: 'Question: {{q}}'\ndoc_to_target: a\n"
    made = records(
        tmp_path,
        [{"q": "What?", "a": "x"}],
        {"aa": FILE + GENERATE + question + "process_docs: !function fn.nothing\n", "bbbb": FILE + GENERATE + question},
    )
    assert [(record.task, type(record).__name__) for record in made] == [("aa", "Drop"), ("bbbb", "Seed")]


@pytest.mark.parametrize(("label", "answer"), [(0, "no"), (1, "yes")])
def test_multirc_over_any_file_is_read_off_its_label(tmp_path: Path, label: int, answer: str) -> None:
    row = {"paragraph": "Ann ran.", "question": "Who ran?", "answer": "Bob", "label": label}
    theirs = f"include: {lm_eval_tasks_folder()}/super_glue/multirc/default.yaml\n"
    (seed,) = records(tmp_path, [row], {"mine": theirs + FILE + "dataset_name: null\nvalidation_split: null\n"})
    assert isinstance(seed, Seed)
    assert (seed.passage, seed.choices, seed.answer.text) == ("Ann ran.", ["no", "yes"], answer)


def test_wsc_over_any_file_keeps_its_marked_pronoun(tmp_path: Path) -> None:
    text = "Mark told Pete many lies about himself, which Pete included in his book. He should have been truthful."
    row = {"text": text, "span1_text": "Mark", "span1_index": 0, "span2_text": "He", "span2_index": 13, "label": 1}
    theirs = f"include: {lm_eval_tasks_folder()}/super_glue/wsc/default.yaml\n"
    (seed,) = records(tmp_path, [row], {"mine": theirs + FILE + "dataset_name: null\nvalidation_split: null\n"})
    assert isinstance(seed, Seed)
    assert "*He* should have been truthful" in (seed.passage or "")
    assert '"*He*" refer to "Mark"' in seed.question.replace("*Mark*", "Mark")


def test_functions_draw_the_same_numbers_each_time(tmp_path: Path) -> None:
    (tmp_path / "fn.py").write_text(
        "import random\ndef text(doc):\n    return random.choice(['Say', 'Tell', 'Give', 'Name']) + ' ' + doc['q']\n"
    )
    task = {"mine": FILE + GENERATE + "doc_to_text: !function fn.text\ndoc_to_target: a\n"}
    rows = [{"q": f"item {number}", "a": "x"} for number in range(20)]
    first, second = (
        [record.question for record in records(tmp_path, rows, task) if isinstance(record, Seed)] for _ in range(2)
    )
    assert first == second
    assert len({question.split()[0] for question in first}) > 1


def test_whole_numbers_are_exact(tmp_path: Path) -> None:
    number = 15511210043330985984000000
    (tmp_path / "rows.jsonl").write_text(f'{{"q": "What is 25!?", "a": {number}}}\n')
    (tmp_path / "mine.yaml").write_text(
        "task: mine\n" + FILE + GENERATE + "doc_to_text: 'Question: {{q}}'\ndoc_to_target: a\n"
        "metadata: {nemo_sdg: {kind: numeric, frame: generation}}\n"
    )
    seeds = SeedsSection(hub=False, include_path=[str(tmp_path)], tasks=["mine"])
    (source,) = plan_sources(select(build_catalog(seeds, GuardSection()), ["mine"]), seeds)
    (seed,) = render_source(source, seeds, 0)
    assert isinstance(seed, Seed)
    assert seed.answer.text == str(number)
