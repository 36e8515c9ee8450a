"""The laws on real runs: equal bytes after kills, repair of damaged shards, one line for each user error."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nemo_sdg.storage import stored
from tests.e2e.harness import called, command, digests, nemo_sdg, run_arguments


def test_run_ends_with_a_blend_and_passes_check(root: Path, undisturbed: Path) -> None:
    result = called(root, "check", str(undisturbed))
    assert result.returncode == 0, result.stdout + result.stderr
    assert (undisturbed / "blend" / "context.blend.json").is_file()
    assert (undisturbed / "manifest.json").is_file()


def test_second_run_changes_nothing(root: Path, server: str, undisturbed: Path, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(undisturbed, tmp_path / "run"))
    stamps = {path: path.stat().st_mtime_ns for path in run_dir.rglob("shard-*")}
    assert called(root, *run_arguments(run_dir, server)).returncode == 0
    assert digests(run_dir) == digests(undisturbed)
    assert {path: path.stat().st_mtime_ns for path in run_dir.rglob("shard-*")} == stamps


NUM_KILLS = 4


def test_kills_at_random_moments_change_no_byte(root: Path, server: str, undisturbed: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "killed"
    whole = float((undisturbed.parent / "seconds").read_text())
    moments = random.Random(7)
    num_killed = 0
    for attempt in range(NUM_KILLS + 1):
        process = subprocess.Popen(
            command(root, *run_arguments(run_dir, server)),
            cwd=root,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, error = process.communicate(timeout=moments.uniform(0.05, 0.6) * whole if attempt < NUM_KILLS else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            num_killed += 1
            continue
        assert process.returncode == 0, error
        if num_killed >= 3:
            break
    assert num_killed >= 3
    assert digests(run_dir) == digests(undisturbed)
    assert called(root, "check", str(run_dir)).returncode == 0
    assert not list(run_dir.rglob("*.tmp"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; mounting wants root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True, check=False
    ).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_in_one_line_and_the_run_goes_on_when_there_is_room(
    root: Path, server: str, undisturbed: Path, small_disk: Path
) -> None:
    arguments = run_arguments(small_disk / "run", server)
    result = nemo_sdg(root, *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "No space left on device; free space" in result.stderr.strip().splitlines()[-1]
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert nemo_sdg(root, *arguments).returncode == 0
    assert digests(small_disk / "run") == digests(undisturbed)


@pytest.mark.parametrize("step", ["seeds", "questions", "answers", "verified", "curated"])
@pytest.mark.parametrize("damage", ["delete", "truncate"])
def test_damaged_shard_is_found_and_repaired(
    root: Path, server: str, undisturbed: Path, tmp_path: Path, step: str, damage: str
) -> None:
    run_dir = Path(shutil.copytree(undisturbed, tmp_path / "run"))
    shard = stored(run_dir / step / "shard-00001.jsonl")
    if damage == "delete":
        shard.unlink()
    else:
        os.truncate(shard, shard.stat().st_size // 2)
    found = called(root, "check", str(run_dir))
    assert found.returncode == 1
    assert f"{step}/shard-00001.jsonl" in found.stdout
    repaired = called(root, *run_arguments(run_dir, server))
    assert repaired.returncode == 0, repaired.stderr
    assert digests(run_dir) == digests(undisturbed)


def test_a_changed_configuration_asks_before_it_overwrites(
    root: Path, server: str, undisturbed: Path, tmp_path: Path
) -> None:
    run_dir = Path(shutil.copytree(undisturbed, tmp_path / "run"))
    result = called(root, *run_arguments(run_dir, server, "generate.votes=5"))
    assert result.returncode == 2
    assert "generate.votes: 3 -> 5" in result.stderr


def test_two_processes_do_not_share_a_run(root: Path, server: str, tmp_path: Path) -> None:
    run_dir = tmp_path / "shared"
    first = subprocess.Popen(
        command(root, *run_arguments(run_dir, server)),
        cwd=root,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not (run_dir / "config.yaml").is_file():
            assert first.poll() is None
            time.sleep(0.05)
        result = called(root, *run_arguments(run_dir, server))
        assert result.returncode == 2
        assert "another process is working on" in result.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["seeds.tasks=[no_such_task]"], ["no_such_task"]),
        (["seeds.taks=[gsm8k]"], ["taks"]),
        (["seeds.mirror=/nowhere/mirror", "seeds.tasks=[gsm8k]"], ["/nowhere/mirror"]),
        (["generate.votes=0"], ["generate.votes", "0"]),
        (["generate.votes=many"], ["votes"]),
        (["engine.kind=llama", "engine.model=/nowhere/model.gguf"], ["/nowhere/model.gguf"]),
        (["export.tokenizer=/nowhere/tokenizer"], ["/nowhere/tokenizer"]),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(
    root: Path, server: str, tmp_path: Path, overrides: list[str], words: list[str]
) -> None:
    result = called(root, *run_arguments(tmp_path / "run", server, *overrides))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("nemo-sdg: ")
    for word in words:
        assert word in last


def test_unwritable_run_directory_is_one_line(root: Path, server: str, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file stands where the folder should be")
    result = called(root, *run_arguments(blocked / "run", server))
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr
