"""Deduplication on real Dask processes with real kill -9: the table has the bytes of one undisturbed process."""

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup import semantic
from nemo_sdg.curate.dedup import signatures as signed
from nemo_sdg.curate.dedup.duplicates import find_duplicates
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.execution import dask_tasks
from nemo_sdg.storage import read_jsonl, write_jsonl
from tests.fakes.word_embedder import FakeEmbedder

# Small parts, so that a small corpus has several; argv: corpus, work, further words.
PRELUDE = """
import os, signal, sys
from pathlib import Path
from nemo_sdg.config import CurateSection
from nemo_sdg.execution import dask_tasks
from nemo_sdg.curate.dedup import duplicates as dedup
from nemo_sdg.curate.dedup import signatures as signed
corpus, work, words = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
signed.PART_BYTES = 20_000
config = CurateSection()
def find(work, workers):
    shards = sorted(corpus.glob("shard-*.jsonl"))
    dedup.find_duplicates(shards, seeds=[corpus / "seeds.jsonl"], work=work, config=config, workers=workers)
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""
# One process a name, which is killed where it would rename a finished file to that name; forked, so that all of them
# import once. Prints the exit codes.
DIE_AT_RENAME = """
import json
def die_at(name):
    rename = os.replace
    def replace(source, target):
        if str(target).endswith(name):
            die()
        rename(source, target)
    os.replace = replace
    find(work / folder_of(name) / "work", workers=1)
    os._exit(0)
def folder_of(name):
    return name.replace("/", " ")
codes = {}
for name in words:
    (work / folder_of(name)).mkdir()
    child = os.fork() or die_at(name)
    codes[name] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(codes))
"""
BY_SENSE = """
sys.path.insert(0, "{fakes}")
from word_embedder import FakeEmbedder
from nemo_sdg.curate.dedup import semantic
semantic.Embedder = FakeEmbedder
config.semantic_dedup = True
import torch  # before the processes are forked
"""
DIE_WITH_WORKERS_BUSY = """
dask_tasks.LOCAL_BYTES = 0
run, count = dask_tasks._run_on, [0]
def run_on(client, tasks):
    count[0] += 1
    if count[0] == {number}:
        futures = client.map(dask_tasks.Task.run, tasks, pure=False)
        die()
    run(client, tasks)
dask_tasks._run_on = run_on
if __name__ == "__main__":
    find(work, workers=2)
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    rng = random.Random("corpus")
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(3, 9))) for _ in range(400)]
    questions: list[list[str]] = []
    for _ in range(400):
        question = list(rng.choice(questions)) if questions and rng.random() < 0.4 else rng.choices(words, k=30)
        if rng.random() < 0.7:
            question[rng.randrange(30)] = rng.choice(words)
        questions.append(question)
    rows = [
        {
            "sample_id": f"{rng.getrandbits(128):032x}",
            "origin": "similar",
            "seed_ids": [],
            "task": f"task{number % 3}",
            "question": " ".join(question),
        }
        | {"votes": {"n": 3, "agree": rng.randint(2, 3), "tally": {}}, "reasoning": "r" * rng.randint(1, 50)}
        for number, question in enumerate(questions[50:])
    ]
    for number in range(4):
        write_jsonl(folder / f"shard-{number:05d}.jsonl", rows[number::4])
    write_jsonl(
        folder / "seeds.jsonl",
        [
            {"seed_id": f"s{n}", "task": "task0", "question": " ".join(question)}
            for n, question in enumerate(questions[:50])
        ],
    )
    return folder


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed, "PART_BYTES", 20_000)


def find(
    corpus: Path, work: Path, workers: int = 1, dask_address: str | None = None, *, by_sense: bool = False
) -> bytes:
    shards, seeds = sorted(corpus.glob("shard-*.jsonl")), [corpus / "seeds.jsonl"]
    config = CurateSection(semantic_dedup=by_sense)
    return find_duplicates(
        shards, seeds=seeds, work=work, config=config, workers=workers, dask_address=dask_address
    ).read_bytes()


@pytest.fixture(scope="module")
def undisturbed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    table = find(corpus, tmp_path_factory.mktemp("undisturbed") / "work")
    reasons = {
        reason: table.count(f'"reason":"{reason}"'.encode())
        for reason in ("exact_duplicate", "near_duplicate", "copy_of_seed")
    }
    assert min(reasons.values()) > 5, reasons
    return table


def start(script: str, corpus: Path, work: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    path = work.parent / "script.py"
    path.write_text(PRELUDE + script)
    command = [sys.executable, str(path), str(corpus), str(work), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def killed_at(names: list[str], corpus: Path, folder: Path, *, before: str = "") -> dict[str, Path]:
    """Name of a file -> the working folder of a process that was killed before it gave a file this name."""
    (folder / "all").mkdir()
    done = start(before + DIE_AT_RENAME, corpus, folder / "all", *names)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(names, -signal.SIGKILL), done.stderr
    return {name: folder / "all" / name.replace("/", " ") / "work" for name in names}


def test_one_and_four_dask_workers_write_the_same_bytes(corpus, undisturbed, tmp_path, monkeypatch):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
    ) as cluster:
        assert find(corpus, tmp_path / "one", dask_address=cluster.scheduler_address) == undisturbed
    monkeypatch.setattr(dask_tasks, "LOCAL_BYTES", 0)
    assert find(corpus, tmp_path / "four", workers=4) == undisturbed


PHASES = [
    "plan.json",
    "templates.npz",
    "part-00002.meta.npy",
    "part-00003.keys.npy",
    "groups.npz",
    "band-010.npz",
    "edges/part-00001.npz",
    "duplicates.jsonl",
]


@pytest.fixture(scope="module")
def killed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return killed_at(PHASES, corpus, tmp_path_factory.mktemp("killed"))


@pytest.mark.parametrize("name", PHASES)
def test_a_killed_run_goes_on_where_it_was(corpus, undisturbed, killed, monkeypatch, name):
    work = killed[name]
    assert any(path.name.endswith(".tmp") for path in work.rglob(".*"))
    done = set(work.rglob("*.np[yz]"))
    written = []
    run = dask_tasks.Task.run
    monkeypatch.setattr(dask_tasks.Task, "run", lambda task: (written.append(task.out), run(task)))
    assert find(corpus, work) == undisturbed
    assert not done & set(written)
    assert sorted(path.name for path in work.iterdir()) == ["duplicates.jsonl", "plan.json"]


PHASES_BY_SENSE = ["vectors/part-00001.npy", "clusters.npy", "sense/part-00003.npz"]


@pytest.fixture(scope="module")
def reworded(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus and a shard of some of its questions in another order of words."""
    folder = tmp_path_factory.mktemp("reworded") / "corpus"
    shutil.copytree(corpus, folder)
    rows = list(read_jsonl(corpus / "shard-00000.jsonl"))[:40]
    write_jsonl(
        folder / "shard-00004.jsonl",
        [
            {**row, "sample_id": f"{number:032x}", "question": " ".join(sorted(row["question"].split()))}
            for number, row in enumerate(rows)
        ],
    )
    return folder


@pytest.fixture(scope="module")
def killed_by_sense(root: Path, reworded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    before = BY_SENSE.format(fakes=root / "tests" / "fakes")
    return killed_at(PHASES_BY_SENSE, reworded, tmp_path_factory.mktemp("by_sense"), before=before)


@pytest.fixture(scope="module")
def undisturbed_by_sense(reworded: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    with mock.patch.object(semantic, "Embedder", FakeEmbedder):
        table = find(reworded, tmp_path_factory.mktemp("undisturbed") / "work", by_sense=True)
    assert table.count(b"semantic_duplicate") > 5
    return table


@pytest.mark.parametrize("name", PHASES_BY_SENSE)
def test_a_run_by_sense_that_was_killed_goes_on(reworded, undisturbed_by_sense, killed_by_sense, monkeypatch, name):
    work = killed_by_sense[name]
    assert not (work / "duplicates.jsonl").exists()
    monkeypatch.setattr(semantic, "Embedder", FakeEmbedder)
    assert find(reworded, work, by_sense=True) == undisturbed_by_sense


@pytest.mark.parametrize("call", [3, 5])
def test_a_run_whose_workers_were_busy_goes_on(corpus, undisturbed, tmp_path, call):
    work = tmp_path / "work"
    assert start(DIE_WITH_WORKERS_BUSY.format(number=call), corpus, work).returncode == -signal.SIGKILL
    assert not (work / "duplicates.jsonl").exists()
    assert find(corpus, work) == undisturbed


def test_an_error_of_the_data_crosses_the_processes(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_tasks, "LOCAL_BYTES", 0)
    (tmp_path / "shard-00000.jsonl").write_bytes(b'{"sample_id": "a", "question": "what\n')
    (tmp_path / "seeds.jsonl").touch()
    with pytest.raises(DataError, match=r"shard-00000\.jsonl, byte 0 does not begin a line of valid JSON"):
        find(tmp_path, tmp_path / "work", workers=2)


def test_a_scheduler_that_is_not_there_is_an_error_of_the_user(corpus, tmp_path):
    import dask
    import distributed  # noqa: F401  (its defaults must be loaded before one is changed)

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "500ms"}),
        pytest.raises(ConfigError, match=r"run\.dask_address=tcp://127\.0\.0\.1:9 cannot be reached"),
    ):
        find(corpus, tmp_path / "work", dask_address="tcp://127.0.0.1:9")
