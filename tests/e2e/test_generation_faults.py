"""Generation with servers and machines that fail: the bytes of questions/ and answers/ are those of an undisturbed run.

Each test copies the seeds of the undisturbed run and makes questions and answers with a new fake server.
"""

import contextlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.generate.scheduling.lanes import lane, output_limits
from nemo_sdg.storage import content_lines, content_size, read_jsonl, stored_files
from tests.e2e.harness import called, command, digests, run_arguments
from tests.fakes.openai_server import FakeOpenAIServer, serving

FAULTS = (
    "429,429_plain,500,503,reset,hang,truncate,wrong_json,no_json,wrong_model,empty_choices,error_in_200,error_in_choice,"
    "abort,wrapped_500,unknown_400,424,null_choices,no_choices,null_message,cut_json"
)
KEY = "sk-5d1e0b7c-never-to-be-seen"
GENERATION = ("--from", "questions", "--until", "answers")
NUM_KILLS = 5


@contextlib.contextmanager
def fake_server(root: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """Base URL of a fake OpenAI server in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(root / "tests" / "fakes" / "openai_server.py"), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def run_dir(undisturbed: Path, tmp_path: Path) -> Path:
    """A run that has its seeds and nothing after them."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(undisturbed / "config.yaml", folder)
    for step in ("catalog", "seeds"):
        shutil.copytree(undisturbed / step, folder / step)
    return folder


def generated(run_dir: Path) -> dict[str, str]:
    """The files of both steps. What a killed worker of several was writing goes when one process alone opens the
    run.
    """
    return {
        name: digest
        for name, digest in digests(run_dir).items()
        if name.startswith(("questions/", "answers/")) and not name.endswith(".tmp")
    }


def journal_size(run_dir: Path) -> int:
    return sum(map(content_size, stored_files(run_dir, "*/journal/*.jsonl")))


def journal_keys(run_dir: Path) -> list[str]:
    keys = []
    for path in stored_files(run_dir, "*/journal/*.jsonl"):
        for _, line in content_lines(path):
            if line.endswith(b"\n"):
                keys.append(f"{path.parent.parent.name} {path.name.split('.')[0]} {orjson.loads(line)['key']}")
    return keys


def start(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(root, *arguments),
        cwd=root,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_journal(process: "subprocess.Popen[str]", run_dir: Path, size: int) -> None:
    """Returns when the journal has grown to a size, or the process has ended."""
    while process.poll() is None and journal_size(run_dir) < size:
        time.sleep(0.005)


def kill(process: "subprocess.Popen[str]") -> None:
    """Ends a process that way, unless it has ended well by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    _, error = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), error


def command_lines(group: int) -> bytes:
    """The command lines of all processes of a group, as `ps` shows them."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(path.name)) == group:
                found.append((path / "cmdline").read_bytes())
    return b"\n".join(found)


def test_every_fault_for_a_third_of_the_requests_changes_no_byte_and_no_key_is_seen(
    root: Path, undisturbed: Path, run_dir: Path
) -> None:
    with fake_server(root, "--faults", FAULTS, "--share", "0.33", FAKE_OPENAI_KEY=KEY) as url:
        arguments = run_arguments(run_dir, url, "engine.request_timeout=2", *GENERATION)
        refused = called(root, *arguments, NEMO_SDG_API_KEY=f"{KEY}-but-wrong")
        assert refused.returncode == 2
        assert "NEMO_SDG_API_KEY was refused" in refused.stderr
        process = subprocess.Popen(
            command(root, *arguments),
            cwd=root,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "NEMO_SDG_API_KEY": KEY},
        )
        wait_for_journal(process, run_dir, 1)
        listed = command_lines(process.pid)
        output, _ = process.communicate()
    assert process.returncode == 0, output
    assert b"nemo-sdg" in listed
    assert generated(run_dir) == generated(undisturbed)
    retries = [
        row["retries"]
        for row in map(orjson.loads, (run_dir / "progress.jsonl").read_bytes().splitlines())
        if row.get("ended") and "retries" in row
    ]
    assert sum(retries) > 50, "the server did fail"
    seen = {"output": output.encode(), "error": (refused.stdout + refused.stderr).encode(), "process list": listed}
    seen |= {str(path): path.read_bytes() for path in run_dir.rglob("*") if path.is_file()}
    assert [name for name, content in seen.items() if KEY.encode() in content] == []


def test_kills_at_random_change_no_byte_and_cost_only_what_was_in_flight(
    root: Path, undisturbed: Path, run_dir: Path
) -> None:
    whole, moments = journal_size(undisturbed), random.Random(11)
    num_killed = 0
    with fake_server(root, "--latency", "0.03") as url:
        arguments = run_arguments(run_dir, url, *GENERATION)
        while num_killed < NUM_KILLS:
            process = start(root, *arguments)
            wait_for_journal(
                process, run_dir, journal_size(run_dir) + moments.randrange(1, int(1.3 * whole / NUM_KILLS))
            )
            kill(process)
            if process.returncode == 0:
                break
            num_killed += 1
        result = called(root, *arguments)
    assert result.returncode == 0, result.stderr
    assert num_killed >= 3
    assert generated(run_dir) == generated(undisturbed)
    again = Counter(journal_keys(run_dir))
    assert set(again) == set(journal_keys(undisturbed))
    assert max(again.values()) == 1, "what was in the journal was never asked again"
    assert not list(run_dir.rglob("*.tmp"))
    for path in (run_dir / "answers").glob("**/shard-*"):
        if path.parent.name != "journal":
            path.unlink()
    rebuilt = called(root, *run_arguments(run_dir, url, "engine.give_up_after=1", "--only", "answers"))
    assert rebuilt.returncode == 0, "the journal alone, without a server, gives every shard again: " + rebuilt.stderr
    assert generated(run_dir) == generated(undisturbed)


def test_two_workers_killed_and_resumed_as_three_give_the_same_corpus(
    root: Path, undisturbed: Path, run_dir: Path
) -> None:
    shutil.copytree(undisturbed / "questions", run_dir / "questions")  # both steps are generated by the same code
    before = journal_size(run_dir)
    wanted = before + (journal_size(undisturbed) - before) // 3
    with fake_server(root, "--latency", "0.03") as url:
        arguments = [*run_arguments(run_dir, url), "--only", "answers"]
        pair = [start(root, *arguments, "--worker", f"{index}/2") for index in range(2)]
        while all(process.poll() is None for process in pair) and journal_size(run_dir) < wanted:
            time.sleep(0.005)
        for process in pair:
            kill(process)
        assert before < journal_size(run_dir)
        three = [start(root, *arguments, "--worker", f"{index}/3") for index in range(3)]
        for process in three:
            _, error = process.communicate()
            assert process.returncode == 0, error
    assert generated(run_dir) == generated(undisturbed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_ends_the_run_although_the_server_never_answers(
    root: Path, run_dir: Path, number: signal.Signals
) -> None:
    with fake_server(root, "--faults", "hang", "--share", "0.5", "--fault-attempts", "1000") as url:
        process = start(root, *run_arguments(run_dir, url, *GENERATION))
        wait_for_journal(process, run_dir, 2000)
        process.send_signal(number)
        _, error = process.communicate()
    assert process.returncode == 2
    assert (
        error.strip().splitlines()[-1]
        == f"nemo-sdg: stopped by {number.name}; everything finished is kept, run the same command to go on"
    )
    assert "Traceback" not in error


def test_a_server_that_goes_away_pauses_the_run_then_ends_it_with_everything_kept(
    root: Path, undisturbed: Path, run_dir: Path
) -> None:
    overrides = ("engine.give_up_after=4", "run.progress_every=1")
    with fake_server(root, "--latency", "0.03") as url:
        process = start(root, *run_arguments(run_dir, url, *overrides, *GENERATION))
        wait_for_journal(process, run_dir, 4000)
    _, error = process.communicate()
    assert process.returncode == 2
    assert "the engine does not answer" in error
    assert "paused, everything finished is kept" in error
    assert "no completion for 4 seconds" in error.strip().splitlines()[-1]
    kept = set(journal_keys(run_dir))
    assert kept
    with fake_server(root) as url:
        result = called(root, *run_arguments(run_dir, url, *overrides, *GENERATION))
    assert result.returncode == 0, result.stderr
    assert generated(run_dir) == generated(undisturbed)


def drops(run_dir: Path, step: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in (run_dir / step / "receipts").glob("*.json"):
        for row in orjson.loads(path.read_bytes())["counts"].values():
            found.update(row["dropped"])
    return found


def samples(run_dir: Path, step: str) -> list[dict[str, Any]]:
    return [row for path in stored_files(run_dir / step, "shard-*.jsonl") for row in read_jsonl(path)]


def test_what_a_server_will_never_accept_is_a_counted_drop(root: Path, run_dir: Path) -> None:
    with fake_server(root, "--faults", "refuse", "--share", "0.2", "--fault-attempts", "1000") as url:
        result = called(root, *run_arguments(run_dir, url, *GENERATION))
    assert result.returncode == 0, result.stderr
    refused = drops(run_dir, "questions")["refused_by_engine"]
    assert refused > 0
    num_seeds, kept = len(samples(run_dir, "seeds")), samples(run_dir, "questions")
    num_attempts = len(kept) - sum(sample["origin"] == "seed" for sample in kept) + drops(run_dir, "questions").total()
    assert num_attempts == num_seeds
    votes = [vote for sample in samples(run_dir, "answers") for vote in sample["solutions"]]
    assert any(vote["error"] == "refused_by_engine" and "not allowed" in vote["detail"] for vote in votes)


def test_what_a_server_never_answers_is_lost_and_counted_and_redo_asks_for_it_alone(
    root: Path, undisturbed: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "BACKOFF_SECONDS", (0.01, 0.05))
    steps = ("--from", "questions", "--until", "verified")

    def made(folder: Path) -> dict[str, str]:
        return generated(folder) | {name: d for name, d in digests(folder).items() if name.startswith("verified/")}

    faults = ("--faults", "500,empty_choices,cut_json,reset,null_choices", "--fault-attempts", "1000000")
    with fake_server(root, *faults, "--share", "0.04") as url:
        result = called(root, *run_arguments(run_dir, url, *steps))
    assert result.returncode == 0, result.stderr
    assert "requests were lost" in result.stdout + result.stderr
    receipts = [orjson.loads(path.read_bytes()) for path in run_dir.glob("*/receipts/*.json")]
    num_lost = sum(receipt.get("lost", 0) for receipt in receipts)
    assert num_lost > 0
    votes = [vote for sample in samples(run_dir, "answers") for vote in sample["solutions"]]
    named = sum(vote["error"] == "lost_request" for vote in votes)
    assert named + drops(run_dir, "questions")["lost_request"] + drops(run_dir, "answers")["lost_request"] > 0
    before, paid = made(run_dir), len(journal_keys(run_dir))
    assert before != made(undisturbed)
    with fake_server(root) as url:
        told = called(root, *run_arguments(run_dir, url, *steps))
        assert "lost to faults of the server; --redo sends them again" in told.stdout + told.stderr
        assert made(run_dir) == before
        again = called(root, *run_arguments(run_dir, url, *steps), "--redo")
    assert again.returncode == 0, again.stderr
    assert made(run_dir) == made(undisturbed)
    assert paid + num_lost <= len(journal_keys(run_dir)) < 1.5 * paid, "the others came out of the journal"


def test_base_models_long_prompts_and_cut_outputs_are_handled_and_counted(
    root: Path, undisturbed: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "base"
    overrides = ("engine.base_model=true", "generate.max_tokens_question=48", "generate.max_tokens_answer=96")
    with fake_server(root, "--context-length", "350") as url:
        result = called(root, *run_arguments(run_dir, url, *overrides), "--until", "answers")
    assert result.returncode == 0, result.stderr
    reasons = drops(run_dir, "questions") + drops(run_dir, "answers")
    assert reasons["refused_by_engine"] > 0, "prompts over the server's context length"
    assert reasons["cut_at_max_tokens"] > 0
    assert samples(run_dir, "answers")


def test_runs_that_share_a_cache_never_pay_twice(root: Path, undisturbed: Path, run_dir: Path, tmp_path: Path) -> None:
    cache = f"run.cache_dir={tmp_path / 'cache'}"
    with fake_server(root) as url:
        assert called(root, *run_arguments(run_dir, url, cache, *GENERATION)).returncode == 0
    other = tmp_path / "other"
    # no server any more: everything must come out of the cache
    result = called(
        root, *run_arguments(other, url, cache, "run.shard_size=9", "engine.give_up_after=1"), "--until", "answers"
    )
    assert result.returncode == 0, result.stderr
    first, second = (
        {sample["sample_id"]: sample["solutions"] for sample in samples(folder, "answers")}
        for folder in (run_dir, other)
    )
    assert first == second


class LongWriter(FakeOpenAIServer):
    """Says of each reply that it took some hundred tokens, drawn by the request without its limit."""

    def answer(self, path: str, body: dict[str, Any], *, wrong_model: bool = False) -> tuple[int, Any]:
        limit, whole = body["max_tokens"], {**body, "max_tokens": 4096}
        status, answer = super().answer(path, whole, wrong_model=wrong_model)
        draw = random.Random(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS))
        tokens = round(draw.lognormvariate(math.log(250), 0.5))
        answer["usage"]["completion_tokens"] = min(tokens, limit)
        if tokens > limit:
            answer["choices"][0]["finish_reason"] = "length"
            answer["choices"][0]["message"]["content"] = "cut "
        return status, answer


def test_learned_limits_change_nothing_but_what_replies_cost(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_limits, "MARGIN", 0.5)  # many replies are cut
    limits = ("generate.max_tokens_question=4096", "generate.max_tokens_answer=4096")
    with serving(LongWriter) as server:
        for limit in ("full", "learned"):
            arguments = run_arguments(tmp_path / limit, server.url, *limits, f"engine.output_limit={limit}")
            result = called(root, *arguments, "--until", "answers")
            assert result.returncode == 0, result.stderr
    assert digests(tmp_path / "full") == digests(tmp_path / "learned")
    assert sorted(journal_keys(tmp_path / "full")) == sorted(journal_keys(tmp_path / "learned"))
    rows = [orjson.loads(line) for line in (tmp_path / "learned" / "progress.jsonl").read_bytes().splitlines()]
    last = {row["step"]: row for row in rows}["answers"]
    assert last["limited"] > 50
    assert last["sent_again"] > 10
    assert last["learned_tokens"] < last["full_tokens"] / 2
    before = digests(tmp_path / "full")
    again = run_arguments(
        tmp_path / "full", server.url, *limits, "engine.output_limit=learned", "engine.give_up_after=1"
    )
    assert called(root, *again, "--until", "answers").returncode == 0, "no server is needed: nothing is redone"
    assert digests(tmp_path / "full") == before
