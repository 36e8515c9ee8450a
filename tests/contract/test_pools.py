"""The shipped task files of knowledge pools: made-up rows in the columns of each dataset become the expected seeds."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nemo_sdg.catalog.selection import POOL_TAG, select
from nemo_sdg.catalog.task_facts import POOLS
from nemo_sdg.catalog.walk import build_catalog, task_config
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.records import CatalogRow, DatasetRow, Seed
from nemo_sdg.seeds.pool_rows import as_function
from nemo_sdg.seeds.render import Renderer, to_seed

SEEDS = SeedsSection(mirror=str(Path(__file__).parent))
PLACE = DatasetRow(path="made/up", name=None, split="train", revision="local", row=0)
LETTERS = {"label": ["A", "B"], "text": ["rises", "falls"]}
READING = {"context": "Ann ran home.", "question": "Why?", "answers": ["rain", "sun"], "label": 0}
PROGRAM = "import math\nn = int(input())\nfor _ in range(n):\n    print(math.floor(float(input())))\n"

# pool: row, (passage, question, options, answer)
ROWS: dict[str, tuple[dict[str, Any], tuple[str | None, str, list[str] | None, str]]] = {
    "pool_mmlu_auxiliary": (
        {"question": "What warms air?", "subject": "", "choices": ["sun", "moon", "ice", "night"], "answer": 0},
        (None, "What warms air?", ["sun", "moon", "ice", "night"], "sun"),
    ),
    "pool_aqua_rat": (
        {"question": "2 + 3?", "options": ["A)5", "B)6", "C)7", "D)8", "E)9"], "rationale": "Add.", "correct": "A"},
        (None, "2 + 3?", ["5", "6", "7", "8", "9"], "5"),
    ),
    "pool_ar_lsat": ({**READING, "id_string": "x"}, ("Ann ran home.", "Why?", ["rain", "sun"], "rain")),
    "pool_logiqa2": (
        {"text": "All cats sleep.", "question": "What follows?", "options": ["Tom sleeps.", "Tom runs."], "answer": 0},
        ("All cats sleep.", "What follows?", ["Tom sleeps.", "Tom runs."], "Tom sleeps."),
    ),
    "pool_race": (
        {"article": "It rains.", "question": "It is  _  .", "options": ["wet", "dry", "hot", "red"], "answer": "B"},
        ("It rains.", "It is  _  .", ["wet", "dry", "hot", "red"], "dry"),
    ),
    "pool_qasc": (
        {
            "question": "Warm air what?",
            "choices": LETTERS,
            "answerKey": "A",
            "fact1": "",
            "formatted_question": "x (A)",
        },
        (None, "Warm air what?", ["rises", "falls"], "rises"),
    ),
    "pool_quartz": (
        {"para": "Warm air rises.", "question": "Cold air _____.", "choices": LETTERS, "answerKey": "B"},
        ("Warm air rises.", "Cold air _____.", ["rises", "falls"], "falls"),
    ),
    "pool_cosmos_qa": (
        {
            "context": "Ann ran.",
            "question": "Why?",
            "answer0": "rain",
            "answer1": "sun",
            "answer2": "snow",
            "answer3": "None of the above choices .",
            "label": 2,
        },
        ("Ann ran.", "Why?", ["rain", "sun", "snow", "None of the above choices ."], "snow"),
    ),
    "pool_hotpot_qa": (
        {
            "question": "Where was the writer of Emma born?",
            "answer": "Steventon",
            "supporting_facts": {"title": ["Emma", "Jane Austen"], "sent_id": [0, 1]},
            "context": {
                "title": ["Emma", "Paris", "Jane Austen"],
                "sentences": [["Emma is by Jane Austen."], ["A city."], ["She wrote.", " She was born in Steventon."]],
            },
        },
        (
            "Emma: Emma is by Jane Austen.\nJane Austen: She wrote. She was born in Steventon.",
            "Where was the writer of Emma born?",
            None,
            "Steventon",
        ),
    ),
    "pool_fever": (
        {
            "id": 1,
            "label": "REFUTES",
            "claim": "Rome is in Spain.",
            "evidence_wiki_url": "Rome",
            "evidence_sentence_id": 1,
        },
        (None, "Is this claim true or false? Rome is in Spain.", ["True", "False"], "False"),
    ),
    "pool_trivia_qa_evidence": (
        {
            "question": "Who wrote Emma?",
            "answer": {"value": "Jane Austen", "aliases": ["J. Austen"]},
            "entity_pages": {"wiki_context": ["A novel.\nEmma is a novel by Jane Austen."], "title": ["Emma"]},
        },
        ("Emma is a novel by Jane Austen.", "Who wrote Emma?", None, "Jane Austen"),
    ),
    "pool_scitail": (
        {"premise": "Ice is cold.", "hypothesis": "Ice can melt.", "label": "neutral"},
        ("Ice is cold.", "Does this follow from the text? Ice can melt.", ["no", "yes"], "no"),
    ),
    "pool_drop": (
        {
            "passage": "They won 3.",
            "question": "How many?",
            "answers_spans": {"spans": ["3", "3"], "types": ["number"] * 2},
        },
        ("They won 3.", "How many?", None, "3"),
    ),
    "pool_reclor": ({**READING, "label": "1", "id_string": "x"}, ("Ann ran home.", "Why?", ["rain", "sun"], "sun")),
    "pool_code_contests": (
        {
            "description": "Print the floor of each number.",
            "public_tests": {"input": ["1\n2.5\n"], "output": ["2\n"]},
            "private_tests": {"input": [], "output": []},
            "solutions": {"language": [2, 3], "solution": ["int main(){}", PROGRAM]},
        },
        (None, "Print the floor of each number.\n\nWrite a Python function", None, str(as_function(PROGRAM)).strip()),
    ),
    "pool_apps": (
        {
            "question": "Add one.",
            "solutions": '["def inc(n):\\n    return n + 1"]',
            "input_output": '{"fn_name": "inc", "inputs": [[1]], "outputs": [2]}',
            "starter_code": "def inc(n):",
        },
        (None, "Add one.\n\ndef inc(n):", None, "def inc(n):\n    return n + 1"),
    ),
    "pool_ropes": (
        {
            "background": "Heat melts ice.",
            "situation": "Ann heats ice.",
            "question": "What?",
            "answers": {"text": ["It melts"]},
        },
        ("Heat melts ice.\nAnn heats ice.", "What?", None, "It melts"),
    ),
    "pool_squad": (
        {"context": "It is red.", "question": "Colour?", "answers": {"text": ["red"], "answer_start": [6]}},
        ("It is red.", "Colour?", None, "red"),
    ),
    "pool_quail": (
        {
            "context": "It is red.",
            "question": "Colour?",
            "answers": ["red", "blue", "not enough information"],
            "correct_answer_id": 0,
        },
        ("It is red.", "Colour?", ["red", "blue", "not enough information"], "red"),
    ),
    "pool_dream": (
        {
            "dialogue": ["M: Hi.", "W: It rains."],
            "question": "Weather?",
            "choice": ["rain", "sun", "snow"],
            "answer": "rain",
        },
        ("M: Hi.\nW: It rains.", "Weather?", ["rain", "sun", "snow"], "rain"),
    ),
}


@pytest.fixture(scope="module")
def catalog() -> list[CatalogRow]:
    return build_catalog(SEEDS, GuardSection())


def seed_of(leaf: CatalogRow, row: dict[str, Any]) -> Seed:
    renderer = Renderer(leaf, task_config(leaf.task, SEEDS))
    ((_, _, documents),) = renderer.documents([(0, row)])
    assert isinstance(documents, list), documents
    (document,) = documents
    return to_seed(renderer.read(document), leaf, [leaf.task], PLACE, ordinal=0, run_seed=0, row=document)


@pytest.mark.parametrize("task", ROWS)
def test_a_row_reads_as_a_person_reads_it(catalog: list[CatalogRow], task: str) -> None:
    row, (passage, question, choices, answer) = ROWS[task]
    (leaf,) = select(catalog, [task])
    seed = seed_of(leaf, row)
    assert (seed.passage, seed.choices, seed.answer.text.strip()) == (passage, choices, answer)
    assert seed.question.startswith(question)


def test_every_pool_is_eligible_named_by_its_tag_and_says_its_licence(catalog: list[CatalogRow]) -> None:
    pools = select(catalog, [POOL_TAG])
    assert {row.task for row in pools} == ROWS.keys()
    assert not {row.task for row in select(catalog, [])} & ROWS.keys(), "pools are asked for by name"
    assert [(row.task, row.reasons) for row in pools if row.verdict != "eligible"] == []
    for row in pools:
        assert row.license["source"], row.task
        assert row.license["id"] != "unknown" or row.license["confidence"] == "unknown", row.task
    for file in Path(POOLS).glob("*.yaml"):
        assert "rows not seen here" in file.read_text(), file
        assert yaml.compose(file.read_text()) is not None


def test_programs_become_functions_whose_tests_pass(catalog: list[CatalogRow]) -> None:
    for task in ("pool_code_contests", "pool_apps"):
        (leaf,) = select(catalog, [task])
        seed = seed_of(leaf, ROWS[task][0])
        assert seed.tests
        space: dict[str, Any] = {}
        exec(seed.answer.text, space)  # the program of this file
        for test in seed.tests:
            exec(test, space)


@pytest.mark.parametrize(
    "program",
    [
        "import sys\nprint(sys.stdin.read())",
        "n = int(input())\ndef f():\n    global n\n    n += 1\nf()\nprint(n)",
        "print(open('x').read(), input())",
        "print('no input')",
        "n = input(\n",
    ],
)
def test_programs_that_do_more_than_read_and_print_are_left_out(program: str) -> None:
    assert as_function(program) is None


def test_claims_are_taken_once(catalog: list[CatalogRow]) -> None:
    (leaf,) = select(catalog, ["pool_fever"])
    row = ROWS["pool_fever"][0]
    rows = [row, {**row, "evidence_sentence_id": 2}, {**row, "id": 2, "label": "NOT ENOUGH INFO"}, {**row, "id": 3}]
    renderer = Renderer(leaf, task_config(leaf.task, SEEDS))
    found = [(number, len(documents)) for number, _, documents in renderer.documents(enumerate(rows)) if documents]  # type: ignore[arg-type]
    assert found == [(0, 1), (3, 1)]
