"""process_docs gets the whole split unless it works row by row, and random numbers can be repeated."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.prompts.documents import BATCH, Processor, draws_random, is_row_wise, seeded
from nemo_sdg.seeds.prompts.functions import resolve_function

ROWS = [(number, {"n": number, "q": f"q{number}"}) for number in range(1200)]


def first100(dataset: Any) -> Any:
    return dataset.select(range(100))


def from1000(dataset: Any) -> Any:
    return dataset.select(range(1000, len(dataset)))


def each_once(dataset: Any) -> Any:
    seen = set()

    def new(row: dict[str, Any]) -> bool:
        fresh = row["n"] % 10 not in seen
        seen.add(row["n"] % 10)
        return fresh

    return dataset.filter(new)


def numbered(dataset: Any) -> Any:
    return dataset.map(lambda row, index: {"q": f"{index}: {row['q']}"}, with_indices=True)


def mapped(dataset: Any) -> Any:
    def shout(row: dict[str, Any]) -> dict[str, Any]:
        return {"q": row["q"].upper()}

    loud = dataset.map(shout)
    return loud.filter(lambda row: row["n"] % 2 == 0)


def renamed(dataset: Any) -> Any:
    return dataset.map(lambda row: {"question": row["q"]}, remove_columns=dataset.column_names)


def documents(function: Any, rows: list[Any] = ROWS) -> dict[int, list[Any]]:
    return {
        number: found
        for number, _, found in Processor(function, "0").documents(rows)
        if not isinstance(found, Unrenderable)
    }


def test_what_works_row_by_row_is_told_from_what_does_not() -> None:
    assert [is_row_wise(function) for function in (mapped, first100, from1000, each_once, numbered)] == [
        True,
        False,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("function", "kept"),
    [(first100, range(100)), (from1000, range(1000, 1200)), (each_once, range(10)), (mapped, range(0, 1200, 2))],
)
def test_each_row_keeps_its_number_over_the_whole_split(function: Any, kept: range) -> None:
    assert len(ROWS) > 2 * BATCH
    found = documents(function)
    assert list(found) == list(range(1200))
    assert [number for number, made in found.items() if made] == list(kept)


def test_numbers_do_not_begin_again_with_a_batch() -> None:
    assert documents(numbered)[1100][0]["q"] == "1100: q1100"


def test_rows_whose_number_is_taken_away_are_matched_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nemo_sdg.seeds.prompts.documents.BATCH", 20)
    rows = ROWS[:30]  # they are tried one by one
    assert [made[0]["question"] for made in documents(renamed, rows).values()] == [row["q"] for _, row in rows]


def test_a_function_that_ends_the_process_is_a_failure_of_its_rows() -> None:
    def leave(dataset: Any) -> Any:
        raise SystemExit(3)

    assert [found.reason for _, _, found in Processor(leave, "0").documents(ROWS[:3])] == ["process_docs_failed"] * 3  # type: ignore[union-attr]


def test_random_numbers_repeat_and_leave_no_trace() -> None:
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[union-attr, index]
    drawn = []
    for key in ("a", "b", "a"):
        with seeded(key):
            drawn.append((random.random(), float(np.random.random())))
    assert drawn[0] == drawn[2] != drawn[1]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[union-attr, index]


def test_files_that_name_random_are_found(tmp_path: Path) -> None:
    (tmp_path / "fn.py").write_text("import random\ndef text(doc):\n    return random.choice('ab') + doc['q']\n")
    (tmp_path / "plain.py").write_text("def text(doc):\n    return doc['q']\n")
    assert draws_random(resolve_function(str(tmp_path), "fn.text"))
    assert not draws_random(resolve_function(str(tmp_path), "plain.text"))


def test_documents_that_a_function_writes_anew_beside_its_rows_are_not_lost() -> None:
    def unfolded(dataset: Any) -> list[dict[str, Any]]:
        import datasets

        made = [document for row in dataset for document in (row, {"n": row["n"], "q": f"{row['q']} again"})]
        return list(datasets.Dataset.from_list(made))

    found = list(Processor(unfolded, "0").documents(ROWS[:3]))
    assert [[document["q"] for document in made] for _, _, made in found] == [  # type: ignore[union-attr]
        [f"q{number}", f"q{number} again"] for number in range(3)
    ]


@pytest.mark.parametrize("given", [None, "text", {"q": "q"}])
def test_what_is_no_list_of_rows_is_told(given: Any) -> None:
    found = [made for _, _, made in Processor(lambda dataset: given, "0").documents(ROWS[:1])]
    assert isinstance(found[0], Unrenderable)
    assert str(found[0].detail).endswith("not a dataset or a list of rows")
