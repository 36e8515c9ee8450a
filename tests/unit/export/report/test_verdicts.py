"""The first screen: what each line says about a run, and that nonsense with agreeing votes is visible."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.export.report import write_report
from nemo_sdg.export.report.counts import count_run
from nemo_sdg.export.report.quality import Models, Quality, measure, repeats_itself, unfinished, vendi_score
from nemo_sdg.export.report.records import collect_records
from nemo_sdg.export.report.shown import Content, Shown, first_samples, votes_in_words
from nemo_sdg.export.report.verdicts import BAD, GOOD, LOOK, Verdict, answer, epochs, judge_run
from nemo_sdg.export.splits import EvaluationSplits, evaluation_splits
from nemo_sdg.text.figures import character_grams, distinct_share, nearest_other
from nemo_sdg.text.normalize import tokens
from tests.fakes.synthetic_run import write_run

pytestmark = pytest.mark.usefixtures("no_charts")
MIXED = {"explanation": {"families": {"math": {"epochs": 9.0}, "science": {"epochs": 1.0}}}}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "plain", 120)


def rewrite(run_dir: Path, **changes: Any) -> None:
    for path in (run_dir / "curated").glob("shard-*.jsonl"):
        rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        path.write_bytes(b"".join(orjson.dumps({**row, **changes}) + b"\n" for row in rows))


def lines(run_dir: Path, quality: Quality | None = None, mixed: Any = None) -> dict[str, Verdict]:
    run = count_run(run_dir)
    return {
        line.name: line for line in judge_run(run, quality or Quality(missing={}), mixed, evaluation_splits(run_dir))
    }


def page_of(run_dir: Path, seeds: float, new: float) -> str:
    """The page where the model's loss is `seeds` for every seed and `new` for whatever else it is asked."""
    known = {row["question"] for row in map(orjson.loads, (run_dir / "seeds" / "shard-00000.jsonl").open("rb"))}
    models = Models(losses=lambda texts: [seeds if text in known else new for text in texts], missing={})
    return write_report(run_dir, models=models).read_text()


def test_salad_whose_votes_agree_is_called_bad_at_once(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 60)
    rewrite(run_dir, votes={"n": 4, "agree": 4})
    page = page_of(run_dir, 4.0, 8.0)
    first = page[page.index('id="good"') : page.index('id="first"')]
    assert "No. Do not train on this as it is." in first
    assert first.index("Fluency") < first.index("Agreement of votes")
    assert "100% of the votes agree" in first
    told = re.search(r"Bad: Fluency \((\d+) of 20 new questions read like word salad\)", first)
    assert told is not None
    assert int(told[1]) > 12  # the rest are texts that the synthetic run dealt to seeds too


def test_fluent_texts_are_no_reason(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 60)
    page = page_of(run_dir, 4.0, 4.5)
    assert "0 of 20 new questions read like word salad" in page


def test_programs_of_the_seeds_own_questions_have_no_fluency() -> None:
    seed = Content(id="s", question="Write a function that adds two numbers.")
    sample = Content(question=seed.question, context="Sums.", reasoning="It adds them.")
    record = Shown(id="1", step="curated", task="mbpp", family="code", kind="code", origin="seed")
    record.seeds, record.sample = [seed], sample
    models = Models(losses=lambda texts: [1.0] * len(texts), missing={})
    assert "fluency" not in measure([record], models)


def test_what_is_not_measured_is_not_called_good(run_dir: Path) -> None:
    line = lines(run_dir, {"missing": {"fluency": "xllamacpp is not installed"}})["Fluency"]
    assert line.mark == LOOK
    assert line.figure == "not measured: xllamacpp is not installed"


def test_unknown_licences_and_unseen_splits_stand_out(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 60)
    rewrite(run_dir, license={"seeds": ["unknown"], "models": [], "effective": "unknown"})
    unseen = [{"dataset": "other/SCIENCE_00", "name": None, "split": "test", "tasks": [], "why": "no network"}]
    (run_dir / "seeds" / "evaluation" / "unreachable.json").write_bytes(orjson.dumps(unseen))
    found = lines(run_dir)
    assert found["Licences"].mark == BAD
    assert found["Licences"].figure.startswith("100% of the samples have an unknown licence")
    assert found["Evaluation splits"].mark == BAD
    assert "other/SCIENCE_00, test" in found["Evaluation splits"].figure
    assert answer(list(found.values())).mark == BAD


def test_splits_of_other_data_sets_are_something_to_look_at(run_dir: Path) -> None:
    line = lines(run_dir)["Evaluation splits"]
    assert (line.mark, line.figure) == (LOOK, "1 of 2 splits to compare with were not seen")


def test_one_total_of_unseen_splits(run_dir: Path) -> None:
    splits = evaluation_splits(run_dir)
    assert splits is not None
    page = write_report(run_dir).read_text()
    assert f"{len(splits.unseen)} splits could not be read" in page
    assert f"{len(splits.unseen)} of {len(splits.unseen) + len(splits.seen)} splits to compare with" in page


def test_repeated_families_are_named(run_dir: Path) -> None:
    line = epochs(MIXED)
    assert line is not None
    assert (line.mark, line.figure) == (BAD, "math 9.0, science 1.0")
    assert epochs(None) is None


def test_solvers_are_judged_where_the_answer_is_known(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 60)
    rewrite(run_dir, origin="seed", guidance="guided", votes={"n": 4, "agree": 1})
    line = lines(run_dir)["Known answers"]
    assert line.mark == BAD
    assert line.figure.startswith("25% of the blind votes")
    assert "were solved with the gold in sight" in line.figure


def test_the_worst_line_decides_and_comes_first() -> None:
    made = [Verdict(name=mark, mark=mark, figure="1; 2", rule="r") for mark in (GOOD, BAD, LOOK)]
    found = answer(made)
    assert [line.mark for line in found.verdicts] == [BAD, LOOK, GOOD]
    assert found.reasons == ["bad (1)"]
    assert answer(made[:1]).text.startswith("Yes")


def test_ten_samples_come_from_all_families_and_are_the_same_each_time(run_dir: Path) -> None:
    records = collect_records(run_dir, count_run(run_dir), None)
    chosen = first_samples(records)
    assert len(chosen) == 10
    assert {record.family for record in chosen} == {"science", "math", "factual", "code", "explanation"}
    assert len({record.task for record in chosen}) == 10
    assert chosen == first_samples(collect_records(run_dir, count_run(run_dir), None))


def test_votes_are_explained_where_none_of_them_was_kept() -> None:
    told = votes_in_words([0, 3, 3], "guided")
    assert told == "0 of 3 votes, then written with the gold in sight"
    assert votes_in_words([3, 4, 4], "blind") == "3 of 4 votes"
    assert votes_in_words([], None) == ""


def test_measures_of_diversity() -> None:
    same, apart = ["what gas do plants take in"] * 4, ["red cats", "a boat sails", "seven is odd", "iron rusts"]
    assert distinct_share(map(tokens, same), 2) == pytest.approx(0.25)
    assert distinct_share(map(tokens, apart), 2) == 1.0
    assert nearest_other([character_grams(text) for text in same]) == 1.0
    assert nearest_other([character_grams(text) for text in apart]) < 0.2
    assert vendi_score([[1.0, 0.0], [1.0, 0.0]]) == pytest.approx(1.0)
    assert vendi_score([[1.0, 0.0], [0.0, 1.0]]) == pytest.approx(2.0)


def test_texts_that_end_early_or_go_round_in_circles() -> None:
    assert unfinished("We add the two numbers and then we get the")
    assert not unfinished("We add the two numbers and then we get 12")
    assert not unfinished("We add the two numbers and then we get a dozen.")
    assert repeats_itself("we add the numbers " * 10)
    assert not repeats_itself("Plants take in carbon dioxide and give off oxygen while the sun is shining on them.")


def test_own_splits_are_found_under_other_owners() -> None:
    rows = [{"dataset": "b/gsm8k", "name": "main", "split": "test"}, {"dataset": "b/other", "name": None, "split": "x"}]
    assert EvaluationSplits(seen=[], unseen=rows).own({"openai/GSM8K"}) == ["b/gsm8k (main), test"]
