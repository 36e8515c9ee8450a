"""What the logs of a launch say of tasks that failed, in lines that a real Slurm and NeMo-Run's script wrote."""

from pathlib import Path

import pytest

from nemo_sdg.cluster.logs import failed_tasks

SCRIPT = (
    "+ echo 'job {id} on n1, start {start}'\njob {id} on n1, start {start}\nexport A=1\n+ srun --output log\n{end}\n"
)
ENDED = "echo \"job exited with code $exitcode\"\n+ echo 'job exited with code {0}'\njob exited with code {0}"
CANCELLED = "srun: got SIGCONT\nslurmstepd-n1: error: *** JOB 353 ON n1 CANCELLED AT 2026-11-30T14:02:40{0} ***"
REQUEUED = "+ command scontrol requeue 307_10\n" + CANCELLED.format(" DUE TO JOB REQUEUE")


def write_task(folder: Path, job: str, name: str, job_id: int, *ends: str, logs: tuple[str, ...] = ()) -> None:
    place = folder / "home" / "experiments" / "nemo_sdg" / "nemo_sdg_1" / job
    place.mkdir(parents=True, exist_ok=True)
    text = "".join(SCRIPT.format(id=job_id, start=start, end=end) for start, end in enumerate(ends))
    (place / f"sbatch_nemo_sdg-{job}_{name}.out").write_text(text)
    for start, said in enumerate(logs):
        (place / f"log-nemo_sdg-{job}_{job_id}_{start}.out").write_text(said)


def test_the_last_line_of_the_last_end_that_was_no_success_is_told(tmp_path: Path) -> None:
    logs = ("first\n", "loading\nnemo-sdg: \x1b[31mthe key was refused\n\n")
    write_task(tmp_path, "answers", "307_10", 309, ENDED.format(1), f"{ENDED.format(2)}\n{REQUEUED}", logs=logs)
    write_task(tmp_path, "answers", "307_2", 310, CANCELLED.format(" DUE TO TIME LIMIT"), logs=("half\n",))
    write_task(tmp_path, "answers", "307_3", 311, ENDED.format(1), ENDED.format(0), logs=("bad\n", "good\n"))
    write_task(tmp_path, "answers", "307_4", 312, ENDED.format(9), "still runs", logs=("was killed\n", "goes on\n"))
    write_task(tmp_path, "answers", "3070_5", 313, ENDED.format(1), logs=("of another job\n",))
    found = failed_tasks(tmp_path, "answers", "307")
    assert [(end.task, end.start, end.how, end.why, end.is_routine) for end in found] == [
        ("2", 0, "CANCELLED AT 2026-11-30T14:02:40 DUE TO TIME LIMIT", "half", True),
        ("4", 0, "exit code 9", "was killed", False),
        ("10", 1, "exit code 2", "nemo-sdg: [U+001B][31mthe key was refused", False),
    ]
    assert str(found[2]).startswith(
        "worker 10, start 2 on n1, exit code 2: nemo-sdg: [U+001B][31mthe key was refused (/"
    )
    assert str(found[2]).endswith("/answers/log-nemo_sdg-answers_309_1.out)")


def test_a_job_that_is_no_array_is_read_too(tmp_path: Path) -> None:
    write_task(tmp_path, "seeds", "294", 294, ENDED.format(2), logs=("nemo-sdg: no rows\n",))
    (end,) = failed_tasks(tmp_path, "seeds", "294")
    assert str(end).startswith("start 1 on n1, exit code 2: nemo-sdg: no rows (")


def test_what_srun_says_is_told_where_the_program_said_nothing(tmp_path: Path) -> None:
    error = "srun: error: pyxis: failed to import docker image\nsrun: error: task 0 launch failed"
    write_task(tmp_path, "seeds", "7", 7, f"{error}\n{ENDED.format(1)}")
    (end,) = failed_tasks(tmp_path, "seeds", "7")
    assert end.why == "srun: error: pyxis: failed to import docker image"
    assert end.log.name == "sbatch_nemo_sdg-seeds_7.out"


SERVER_ENDED = "nemo-sdg: the server beside this worker ended with code 9; its log: /run/serve.log"


def test_a_server_is_the_cause_only_where_it_ended_before_the_worker(tmp_path: Path) -> None:
    logs = ("nemo-sdg: the disk is full\n",)
    write_task(tmp_path, "answers", "7_0", 8, f"{SERVER_ENDED}\n{ENDED.format(137)}", logs=logs)
    write_task(tmp_path, "answers", "7_1", 9, f"{ENDED.format(2)}\n{SERVER_ENDED}", logs=logs)
    found = failed_tasks(tmp_path, "answers", "7")
    assert [(end.how, end.why) for end in found] == [
        ("exit code 137", SERVER_ENDED),
        ("exit code 2", "nemo-sdg: the disk is full"),
    ]


@pytest.mark.parametrize(("code", "words"), [(137, "killed, such as for want of memory"), (138, "its time limit")])
def test_codes_of_signals_are_told(tmp_path: Path, code: int, words: str) -> None:
    write_task(tmp_path, "curated", "7", 7, ENDED.format(code), logs=("working\n",))
    (end,) = failed_tasks(tmp_path, "curated", "7")
    assert words in str(end)
    assert end.is_routine == (code == 138)


@pytest.mark.parametrize("end", ["", ENDED.format(0)])
def test_a_job_that_runs_or_succeeded_has_no_failed_task(tmp_path: Path, end: str) -> None:
    write_task(tmp_path, "seeds", "7", 7, end)
    assert failed_tasks(tmp_path, "seeds", "7") == []
    assert failed_tasks(tmp_path, "questions", "8") == []
