"""The steps catalog and seeds, run like the command: each fault of a mirror is one line, leaks are dropped, the rest
continues.
"""

import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.commands.inputs.lock import write_lock_file
from nemo_sdg.config import load_config
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.pipeline import run as pipeline
from nemo_sdg.storage import read_json, read_jsonl

SCIQ, GSM8K, CSQA = "allenai/sciq/default", "openai/gsm8k/main", "tau/commonsense_qa/default"
OPENBOOKQA, WINOGRANDE = "allenai/openbookqa/main", "allenai/winogrande/winogrande_xl"


def rows(hub: Path, dataset: str, split: str, num: int = 60) -> list[dict[str, Any]]:
    with open(hub / dataset / f"{split}.jsonl", "rb") as handle:
        return [orjson.loads(line) for line in itertools.islice(handle, num)]


def write(mirror: Path, dataset: str, split: str, found: Iterable[dict[str, Any]]) -> Path:
    file = mirror / dataset / f"{split}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in found))
    return file


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """Runs catalog and seeds on tmp_path/mirror; gives the run's folder."""
    (tmp_path / "config.yaml").write_text(f"run: {{dir: {tmp_path}/run}}\nseeds: {{mirror: {tmp_path}/mirror}}\n")
    (tmp_path / "mirror").mkdir()

    def call(*overrides: str) -> Path:
        pipeline.run(load_config(tmp_path / "config.yaml", list(overrides)), until="seeds")
        return tmp_path / "run"

    return call


def drops_of(run_dir: Path) -> list[dict[str, Any]]:
    return [drop for file in sorted((run_dir / "seeds" / "dropped").glob("*.jsonl")) for drop in read_jsonl(file)]


def tasks_of_seeds(run_dir: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for file in sorted((run_dir / "seeds").glob("shard-*.jsonl")):
        for seed in read_jsonl(file):
            found[seed["task"]] = found.get(seed["task"], 0) + 1
    return found


def test_each_broken_source_is_one_line_and_the_others_go_on(
    hub: Path, tmp_path: Path, run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = tmp_path / "mirror"
    write(mirror, SCIQ, "train", [*rows(hub, SCIQ, "train"), rows(hub, SCIQ, "train", 1)[0] | {"question": ["a list"]}])
    cut = write(mirror, GSM8K, "train", rows(hub, GSM8K, "train"))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    write(
        mirror,
        CSQA,
        "train",
        ({key: value for key, value in row.items() if key != "choices"} for row in rows(hub, CSQA, "train")),
    )
    write(mirror, WINOGRANDE, "train", (row | {"answer": ["1"]} for row in rows(hub, WINOGRANDE, "train")))
    cut = write(mirror, OPENBOOKQA, "test", rows(hub, OPENBOOKQA, "test"))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    run_dir = run("seeds.tasks=[sciq,gsm8k,commonsense_qa,winogrande,arc_easy]")
    unwrapped = re.sub(r"\n {2,}", " ", capsys.readouterr().err)
    said = [line for line in unwrapped.splitlines() if "task " in line]
    assert tasks_of_seeds(run_dir) == {"sciq": 60}
    for begin, task, what in (
        ("not read:", "gsm8k", "is cut off in its last line"),
        ("not read:", "commonsense_qa", "lacks a column that the task reads (KeyError: 'choices')"),
        ("not read:", "arc_easy", "is missing; put the split there"),
        ("no seeds:", "winogrande", "no_gold 60"),
        ("evaluation split not read:", "openbookqa", "is cut off in its last line"),
    ):
        (line,) = [line for line in said if f"task {task}:" in line]
        assert line.startswith(begin)
        assert what in line
    assert len(said) == 5
    reasons = [(drop["task"], drop["reason"]) for drop in drops_of(run_dir)]
    assert reasons.count(("winogrande", "no_gold")) == 60
    assert ("sciq", "unreadable_row") in reasons
    unreachable = {row["task"]: row["why"] for row in read_json(run_dir / "seeds" / "evaluation" / "unreachable.json")}
    assert "is cut off" in unreachable["openbookqa"]
    assert "not in the mirror" in next(why for task, why in unreachable.items() if task.startswith("gpqa"))


def test_when_nothing_can_be_read_the_run_stops_and_goes_on_once_mended(
    hub: Path, tmp_path: Path, run: Callable[..., Path]
) -> None:
    with pytest.raises(DataError, match=r"there is no seed: not read: task gsm8k: .* is missing; put the split there"):
        run("seeds.tasks=[gsm8k]")
    write(tmp_path / "mirror", GSM8K, "train", rows(hub, GSM8K, "train"))
    leak = rows(hub, GSM8K, "train", 1)
    write(tmp_path / "mirror", GSM8K, "test", leak)  # a split that an earlier start did not see
    assert tasks_of_seeds(run("seeds.tasks=[gsm8k]")) == {"gsm8k": 59}


def test_a_strict_run_stops_where_a_source_gives_nothing(hub: Path, tmp_path: Path, run: Callable[..., Path]) -> None:
    write(tmp_path / "mirror", SCIQ, "train", rows(hub, SCIQ, "train"))
    with pytest.raises(DataError, match=r"seeds\.strict: not read: task gsm8k: .* is missing; put the split there"):
        run("seeds.tasks=[sciq,gsm8k]", "seeds.strict=true", "guard.content=false")
    assert tasks_of_seeds(run("seeds.tasks=[sciq,gsm8k]", "guard.content=false")) == {"sciq": 60}


def test_a_mirror_that_is_no_folder_is_an_error_of_the_configuration(run: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"seeds\.mirror=/nowhere is not a folder; name the folder"):
        run("seeds.mirror=/nowhere", "seeds.tasks=[gsm8k]")


def test_required_evaluation_splits_stop_a_run_that_cannot_see_them(
    hub: Path, tmp_path: Path, run: Callable[..., Path]
) -> None:
    write(tmp_path / "mirror", GSM8K, "train", rows(hub, GSM8K, "train"))
    with pytest.raises(
        ConfigError, match=r"guard\.require asks for the evaluation splits of gpqa_main_n_shot, which cannot be reached"
    ):
        run("seeds.tasks=[gsm8k]", "guard.require=[gpqa_main_n_shot]")


def test_data_that_differ_from_the_lock_stop_the_run(hub: Path, tmp_path: Path, run: Callable[..., Path]) -> None:
    for dataset in (SCIQ, GSM8K):
        write(tmp_path / "mirror", dataset, "train", rows(hub, dataset, "train"))
    lock = tmp_path / "seeds.lock.yaml"
    write_lock_file(load_config(tmp_path / "config.yaml", ["seeds.tasks=[sciq,gsm8k]"]), lock)
    write(tmp_path / "mirror", GSM8K, "train", rows(hub, GSM8K, "train", 59))
    with pytest.raises(DataError, match=r"seeds\.lock: task gsm8k: .* has 59 rows with hash .* says 60 rows"):
        run("seeds.tasks=[sciq,gsm8k]", f"seeds.lock={lock}")
    write(tmp_path / "mirror", GSM8K, "train", rows(hub, GSM8K, "train"))
    assert tasks_of_seeds(run("seeds.tasks=[sciq,gsm8k]", f"seeds.lock={lock}")) == {"sciq": 60, "gsm8k": 60}


GENERATE = "output_type: generate_until\ndoc_to_target: answer\nmetadata: {nemo_sdg: {kind: numeric}}\n"
CHOOSE = "output_type: multiple_choice\ndoc_to_target: answerKey\ndoc_to_choice: \"{{choices['text']}}\"\n"


def test_planted_leaks_are_caught_each(hub: Path, tmp_path: Path, run: Callable[..., Path]) -> None:
    """Training files that are a copy of a test file, an alias of it, a link to it, or have three of its rows mixed
    in.
    """
    mirror, include = tmp_path / "mirror", tmp_path / "tasks"
    include.mkdir()
    for dataset, test, rest in ((GSM8K, "test", GENERATE), (CSQA, "validation", CHOOSE)):
        path, _, name = dataset.rpartition("/")
        alias = path.rpartition("/")[2]
        honest, leaked = rows(hub, dataset, "train", 40), rows(hub, dataset, test)
        write(mirror, dataset, test, leaked)
        write(mirror, f"{alias}/{name}", "train", leaked)
        write(mirror, f"mine/copied_{alias}/default", "train", leaked)
        write(mirror, f"mine/mixed_{alias}/default", "train", [*honest[:20], *leaked[30:33], *honest[20:]])
        (mirror / f"{alias}.jsonl").symlink_to(mirror / dataset / f"{test}.jsonl")
        config = "null" if name == "default" else name
        for task, source in {
            "copied": f"dataset_path: mine/copied_{alias}\ntraining_split: train\n",
            "alias": f"dataset_path: {alias}\ndataset_name: {config}\ntraining_split: {test}\n",
            "alias_file": f"dataset_path: {alias}\ndataset_name: {config}\ntraining_split: train\n",
            "linked": (
                f"dataset_path: json\ndataset_kwargs: {{data_files: {{train: "
                f"{mirror}/{alias}.jsonl}}}}\ntraining_split: train\n"
            ),
            "mixed": f"dataset_path: mine/mixed_{alias}\ntraining_split: train\n",
        }.items():
            asked = "doc_to_text: 'Question: {{question}}\\nAnswer:'\n"
            (include / f"{task}_{alias}.yaml").write_text(f"task: planted_{task}_{alias}\n{source}{asked}{rest}")
    run_dir = run(f"seeds.include_path=[{include}]", "seeds.tasks=[planted_*]")
    refused = {row["task"]: row["reasons"] for row in read_jsonl(run_dir / "catalog" / "refused.jsonl")}
    leaks = [
        (drop["task"], drop["record"]["dataset"]["row"])
        for drop in drops_of(run_dir)
        if drop["reason"] == "in_evaluation_split"
    ]
    for alias, test in (("gsm8k", "test"), ("commonsense_qa", "validation")):
        assert any(
            reason.startswith(f"evaluated_elsewhere: {test} of {alias} is the ")
            for reason in refused.pop(f"planted_alias_{alias}")
        )
        assert [reason.partition(":")[0] for reason in refused.pop(f"planted_linked_{alias}")] == [
            "split_name",
            "evaluated_elsewhere",
        ]
        for task in ("copied", "alias_file"):
            reasons = [drop["reason"] for drop in drops_of(run_dir) if drop["task"] == f"planted_{task}_{alias}"]
            assert len(reasons) == 60
            assert reasons.count("in_evaluation_split") >= 57, "three rows have an option twice, and are no question"
        assert {row for name, row in leaks if name == f"planted_mixed_{alias}"} == {20, 21, 22}
    assert refused == {}
    assert tasks_of_seeds(run_dir) == {"planted_mixed_commonsense_qa": 40, "planted_mixed_gsm8k": 40}


def test_rows_that_say_the_same_give_one_seed_and_the_others_are_named(
    hub: Path, tmp_path: Path, run: Callable[..., Path]
) -> None:
    first, second, third, fourth = rows(hub, SCIQ, "train", 4)
    other_words = first | {"question": f"{first['question']} Why?"}
    doubled = [first, second, first, third, other_words, fourth, first, fourth]
    doubled = [row | {"number": number, "id": f"sciq-{number}"} for number, row in enumerate(doubled)]
    write(tmp_path / "mirror", SCIQ, "train", doubled)
    run_dir = run("seeds.tasks=[sciq]", "run.shard_size=2")
    seeds = [seed for file in sorted((run_dir / "seeds").glob("shard-*.jsonl")) for seed in read_jsonl(file)]
    assert [seed["dataset"]["row"] for seed in seeds] == [0, 1, 3, 4, 5]
    drops = [(drop["reason"], drop["record"]["dataset"]["row"], drop["detail"]) for drop in drops_of(run_dir)]
    assert drops == [
        ("duplicate_row", 2, "row 0 is the same"),
        ("duplicate_row", 6, "row 0 is the same"),
        ("duplicate_row", 7, "row 5 is the same"),
    ]
    counted = [
        receipt["counts"]["sciq"]
        for receipt in map(read_json, sorted((run_dir / "seeds" / "receipts").glob("*.json")))
        if "sciq" in receipt["counts"]
    ]
    assert (sum(row["in"] for row in counted), sum(row["kept"] for row in counted)) == (8, 5)
