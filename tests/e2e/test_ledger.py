"""What a change redoes, its cost, and what is refused: on copies of a small run, whose server counts requests."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.commands.ahead.dry_run import dry_run
from nemo_sdg.commands.check.laws import prove
from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.pipeline.order import steps_between
from nemo_sdg.pipeline.run import run as run_steps
from nemo_sdg.storage import SUFFIX, files, ledger, open_content, read_json, read_jsonl, shards, stored_files
from tests.e2e.harness import digests
from tests.fakes.openai_server import FakeOpenAIServer, serving
from tests.fakes.small_run import at_home, make_inputs, move, small_config

pytestmark = pytest.mark.usefixtures("no_charts")
DATA = "configs/quickstart_tasks/data"


@pytest.fixture(scope="module")
def counting() -> Iterator[FakeOpenAIServer]:
    with serving() as server:
        yield server


class SmallRun:
    """A copy of the small run and the server that it would ask."""

    def __init__(self, home: Path, server: FakeOpenAIServer) -> None:
        self.home, self.server = home, server

    def __call__(self, *overrides: str, worker: tuple[int, int] = (0, 1), **options: Any) -> int:
        """Runs, and returns how many requests the server got."""
        before = self.server.stats["requests"]
        with at_home(self.home):
            run_steps(small_config(self.server.url, *overrides), worker=worker, **options)
        return self.server.stats["requests"] - before

    def ahead(self, *overrides: str) -> str:
        """What --dry-run says."""
        with at_home(self.home):
            config = small_config(self.server.url, *overrides)
            return " ".join(" ".join(dry_run(config, steps_between(config))).split())

    def identities(self) -> dict[str, str]:
        return {path.parent.name: read_json(path)["identity"] for path in (self.home / "run").glob("*/ledger.json")}

    def redone(self, before: dict[str, str]) -> set[str]:
        return {step for step, identity in self.identities().items() if identity != before[step]}

    def doubts(self) -> list[str]:
        """What `check` says of the laws that it does not prove."""
        found = [verdict for verdict in prove(self.home / "run") if verdict.outcome != "proved"]
        return [line for verdict in found for line in verdict.lines()]


@pytest.fixture
def small(finished: Path, tmp_path: Path, counting: FakeOpenAIServer) -> SmallRun:
    return SmallRun(move(finished, tmp_path / "home"), counting)


@pytest.fixture
def fresh(root: Path, tmp_path: Path, counting: FakeOpenAIServer) -> SmallRun:
    """Inputs without a run."""
    make_inputs(root, tmp_path / "home")
    return SmallRun(tmp_path / "home", counting)


def test_nothing_is_done_twice(small: SmallRun) -> None:
    assert small() == 0  # the blend's files name the run by the folder that it now lies in
    before = digests(small.home / "run")
    assert small() == 0
    assert digests(small.home / "run") == before


@pytest.mark.parametrize(
    ("override", "steps"),
    [
        ("mixture.alpha=0.5", {"blend"}),
        ("export.max_document_tokens=4000", {"packed", "blend"}),
        ("curate.filters.length=false", {"curated", "packed", "blend"}),
        ("verify.code_timeout=4.0", {"verified", "curated", "packed", "blend"}),
    ],
)
def test_a_change_redoes_what_it_concerns_without_one_request(small: SmallRun, override: str, steps: set[str]) -> None:
    before = small.identities()
    with pytest.raises(SdgError, match=r"holds results that would be redone: .*say yes with --redo") as refused:
        small(override)
    assert "new requests" not in str(refused.value)
    assert small.identities() == before
    assert small(override, redo=True) == 0
    assert small.redone(before) == steps
    assert small.doubts() == []


def test_more_votes_name_the_requests_that_they_cost(small: SmallRun) -> None:
    with pytest.raises(
        SdgError, match=r"answers \(generate.votes: 3 -> 4; at least \d+ new requests, \d+ answered"
    ) as refused:
        small("generate.votes=4")
    told = int(str(refused.value).split("at least ")[1].split()[0])
    asked = small("generate.votes=4", redo=True)
    assert (
        0 < told <= asked < read_json(small.home / "run/answers/receipts/shard-00000.json")["counts"].__len__() * 1000
    )
    assert small.doubts() == []


def test_a_dry_run_tells_the_requests_that_are_left_as_the_refusal_does(small: SmallRun) -> None:
    assert "still asked no request:" in small.ahead()
    assert "still asked no request:" in small.ahead("curate.ngram=12")
    told = small.ahead("generate.votes=4")
    with pytest.raises(SdgError) as refused:
        small("generate.votes=4")
    (cost,) = re.findall(r"at least \d+ new requests, \d+ answered from the journal", str(refused.value))
    assert f"still asked answers: {cost}" in told
    assert f"answers: generate.votes: 3 -> 4 ({cost})" in told
    run_dir = small.home / "run"
    for name in ("receipts/shard-00000.json", "shard-00000.jsonl.zst", "ledger.json"):
        (run_dir / "answers" / name).unlink()
    (lost,) = stored_files(run_dir / "answers/journal", "shard-00000.*.jsonl")
    for path in (lost, lost.with_name(f"{lost.name}.zst")):
        path.unlink(missing_ok=True)
    asked = re.search(r"still asked answers: at least (\d+) new requests, (\d+) answered", small.ahead())
    assert asked is not None
    assert int(asked[2]) > 0
    assert 0 < int(asked[1]) <= small()


def test_what_was_paid_for_is_found_when_records_move_to_other_shards(small: SmallRun) -> None:
    before = {path.name for path in stored_files(small.home / "run/questions", "shard-*.jsonl")}
    assert small("run.shard_size=4", redo=True) == 0
    assert {path.name for path in stored_files(small.home / "run/questions", "shard-*.jsonl")} > before
    assert small.doubts() == []


def test_a_run_of_an_earlier_version_whose_files_are_plain_goes_on(small: SmallRun) -> None:
    run_dir, before = small.home / "run", small.identities()
    folders = set()
    for path in sorted(run_dir.rglob("*.jsonl.zst")):
        plain = path.with_suffix("")
        with open_content(plain) as content:
            plain.write_bytes(content.read())
        path.unlink()
        folders.add(str(plain.parent.relative_to(run_dir)))
    assert {"questions", "answers", "answers/dropped", "answers/journal", "verified", "curated/filtered"} <= folders
    assert small() == 0
    assert small.redone(before) == set()
    assert small.doubts() == []
    assert {path.parent.name for path in run_dir.rglob("*.jsonl.zst")} == {"journal"}, "shards stay as they are"
    asked = small("generate.votes=4", redo=True)
    assert 0 < asked < sum(1 for path in stored_files(run_dir, "answers/journal/*") for _ in read_jsonl(path))
    assert small.redone(before) == {"answers", "verified", "curated", "packed", "blend"}
    assert not list((run_dir / "answers").glob("*.jsonl")), "what is written again is compressed"
    assert list((run_dir / "questions").glob("*.jsonl"))
    assert small.doubts() == []


def test_shards_that_no_longer_belong_are_removed(small: SmallRun) -> None:
    assert small("run.shard_size=100", redo=True) == 0
    for step in ("seeds", "questions", "answers", "verified", "curated", "curated/filtered"):
        assert [path.name.removesuffix(SUFFIX) for path in (small.home / "run" / step).glob("shard-*")] == [
            "shard-00000.jsonl"
        ]
    assert small.doubts() == []


@pytest.mark.parametrize("edited", ["task", "row", "template", "filter", "own rows"])
def test_an_edited_input_is_not_stale(small: SmallRun, edited: str) -> None:
    name, old, new, first = {
        "task": ("configs/quickstart_tasks/qs_science.yaml", "Apache-2.0", "CC-BY-4.0", "catalog"),
        "row": (f"{DATA}/qs_science_train.jsonl", "Which", "What or which", "seeds"),
        "template": ("prompts/solve/numeric.jinja", "{% block", " {% block", "answers"),
        "filter": ("small_run_filter.py", "xyzzy", "plugh", "curated"),
        "own rows": ("extra/own.jsonl", "secrets", "recipes", "curated"),
    }[edited]
    text = (small.home / name).read_text()
    assert old in text
    (small.home / name).write_text(text.replace(old, new))
    before = small.identities()
    with pytest.raises(SdgError, match=f"would be redone: {first} \\("):
        small()
    small(redo=True)
    assert first in small.redone(before)
    assert "seeds" not in small.redone(before) or first in ("catalog", "seeds")
    if edited == "task":
        seeds = read_jsonl(small.home / "run/seeds/shard-00000.jsonl")
        licenses = {seed["license"] for seed in seeds if seed["task"] == "qs_science"}
        assert licenses <= {"CC-BY-4.0"}
    assert small.doubts() == []


def test_a_run_whose_earlier_steps_are_incomplete_is_refused_with_what_is_missing(fresh: SmallRun) -> None:
    fresh(until="seeds")
    fresh(only="questions", worker=(0, 2))
    with pytest.raises(SdgError, match=r"needs questions/, which is not finished.*shards are missing \(shard-00001"):
        fresh(start="answers")
    with pytest.raises(SdgError, match="needs questions/, which is not finished"):
        fresh(only="verified")
    fresh(only="questions", worker=(1, 2))
    fresh(start="answers")
    assert fresh.doubts() == []


def test_earlier_steps_of_another_configuration_are_refused(small: SmallRun) -> None:
    with pytest.raises(
        SdgError, match=r"needs answers/, which was made under another configuration \(generate.votes: 3 -> 5"
    ):
        small("generate.votes=5", start="verified")


def test_a_source_that_could_not_be_read_is_no_drop_and_is_tried_again(fresh: SmallRun) -> None:
    file = fresh.home / DATA / "qs_science_train.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    fresh(until="curated")
    receipts = [read_json(path) for path in (fresh.home / "run/seeds/receipts").glob("*.json")]
    assert all("qs_science" not in receipt["counts"] for receipt in receipts)
    (unread,) = read_json(fresh.home / "run/seeds/ledger.json")["unread"]
    assert "qs_science" in unread["source"]
    assert "cut off" in unread["why"]
    (inputs,) = (verdict for verdict in prove(fresh.home / "run") if verdict.law == "inputs are what they were")
    assert inputs.outcome == "not seen"
    ledger = fresh.home / "run/seeds/ledger.json"
    finished = ledger.read_bytes()
    ledger.write_bytes(finished[:99])
    assert fresh(until="curated") == 0
    assert ledger.read_bytes() == finished
    file.write_bytes(whole)
    ledger.write_bytes(finished[:99])
    with pytest.raises(SdgError, match="would be redone: seeds"):
        fresh(until="curated")
    assert ledger.read_bytes() == finished[:99]
    ledger.write_bytes(finished)
    with pytest.raises(SdgError, match=r"would be redone: seeds \(training/qs_science.*has changed"):
        fresh(until="curated")
    fresh(redo=True)
    tasks = {seed["task"] for path in (fresh.home / "run/seeds").glob("shard-*.jsonl") for seed in read_jsonl(path)}
    assert "qs_science" in tasks
    assert fresh.doubts() == []


def test_after_the_epoch_guard_its_advice_is_followed_for_nothing(small: SmallRun) -> None:
    before = small.identities()
    with pytest.raises(ConfigError, match="max_epochs"):
        small("mixture.train_tokens=10000000", redo=True)
    assert {step for step in before if (small.home / "run" / step / "ledger.json").is_file()} == set(before)
    assert small("mixture.train_tokens=2000", redo=True) == 0
    assert small.redone(before) == {"blend"}


def test_what_a_later_step_would_stumble_over_is_said_before_the_first_request(fresh: SmallRun, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0}, []))).save_pretrained(tmp_path / "no_end")
    for override, words in (
        (f"export.tokenizer={tmp_path / 'no_end'}", "no end-of-sequence token"),
        ("mixture.family_caps={sciense: 0.3}", "did you mean science"),
        ("mixture.train_tokens=1000000000000", "however well this run goes: mixture.max_epochs"),
        ("curate.evaluation_extra=[nowhere]", "nowhere has none"),
        ("curate.dedup_gpu=true", "curate.dedup_gpu=true needs"),
    ):
        before = fresh.server.stats["requests"]
        with pytest.raises(SdgError, match=words):
            fresh(override)
        assert fresh.server.stats["requests"] == before
        shutil.rmtree(fresh.home / "run", ignore_errors=True)


def test_size_alone_hashes_no_shard(small: SmallRun, monkeypatch: pytest.MonkeyPatch) -> None:
    small("run.verify=size")
    hashed: list[Path] = []

    def note(path: str | Path) -> str:
        hashed.append(Path(path))
        return files.sha256_file(path)

    for module in (shards, ledger):
        monkeypatch.setattr(module, "sha256_file", note)
    small("run.verify=size")
    small_files = ("ledger.json", "filters.json", "current.json", "duplicates.jsonl", "tasks.jsonl")
    assert [path for path in hashed if path.parent.name != "receipts" and path.name not in small_files] == []
