"""Servers beside a worker: the shell lines, run by bash."""

import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from nemo_sdg.cluster.servers import beside

FOREVER = "bash -c 'echo $$ > $0; exec sleep 600' "


def run(worker: str, *servers: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    logs = {shlex.quote(str(tmp_path / f"serve {number}.log")): line for number, line in enumerate(servers)}
    return subprocess.run(["bash", "-c", beside(worker, logs)], capture_output=True, text=True, check=False)


def waits_for(path: Path, then: str) -> str:
    return shlex.join(["bash", "-c", f"until [ -s {shlex.quote(str(path))} ]; do sleep 0.02; done; {then}"])


def is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_servers_end_with_the_worker_whose_code_stays(tmp_path: Path) -> None:
    pids = [tmp_path / "one", tmp_path / "two"]
    done = run(
        waits_for(pids[0], waits_for(pids[1], "exit 3")),
        f"echo loading; {FOREVER}{pids[0]} & {FOREVER}{pids[1]}",
        tmp_path=tmp_path,
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert not [pid for pid in pids if is_alive(pid.read_text())]
    assert (tmp_path / "serve 0.log").read_text().startswith("loading\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo 'listening'; echo \"it's CUDA out of memory\" >&2; echo RuntimeError: see above; exit 1",
         "ended with code 1 (it's CUDA out of memory)"),
        ("echo 'OSError: [Errno 98] address already in use'; echo bye; false; sleep 600",
         "ended with code 1 (OSError: [Errno 98] address already in use)"),
        ("no_such_server --port 1", "no_such_server: command not found)"),
        ("echo listening; kill -9 $BASHPID", "ended with code 137 (killed, such as for want of memory; last: listening)"),  # noqa: E501
        ("bash -c 'kill -9 $$'", "ended with code 137 (killed, such as for want of memory; last: nothing)"),
        ("printf '\\033[31mred\\n'; exit 5", "ended with code 5 ([31mred)"),
    ],
)  # fmt: skip
def test_a_server_that_fails_ends_the_worker_and_is_its_last_line(tmp_path: Path, line: str, words: str) -> None:
    worker = "bash -c 'sleep 600 & trap \"kill $!; echo stopped >&2; exit 2\" TERM; wait'"
    done = run(f"exec {worker}", line, tmp_path=tmp_path)
    assert done.returncode == 2
    # (bash says "Killed" first, of a process that was)
    assert "stopped\nnemo-sdg: the server beside this worker ended with code " in done.stderr
    assert done.stderr.endswith(f"{words}; its log: {tmp_path}/serve 0.log\n")


def test_a_line_that_starts_a_server_in_the_background_ends_nothing(tmp_path: Path) -> None:
    done = run("sleep 0.2", "true", tmp_path=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_log_of_the_start_before_is_kept(tmp_path: Path) -> None:
    for word in ("first", "second"):
        run(
            waits_for(tmp_path / word, "exit 0"),
            f"echo {word}; echo 1 > {tmp_path / word}; sleep 600",
            tmp_path=tmp_path,
        )
    assert [(tmp_path / name).read_text().split()[0] for name in ("serve 0.log.before", "serve 0.log")] == [
        "first",
        "second",
    ]


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_signals_to_all_processes_end_the_worker_in_good_order(tmp_path: Path, number: int) -> None:
    ready, pid = tmp_path / "ready", tmp_path / "pid"
    worker = f'sleep 600 & trap "kill $! 2>/dev/null; sleep 0.1; exit 7" {int(number)}; echo 1 > {ready}; wait'
    logs = {shlex.quote(str(tmp_path / "log")): FOREVER + str(pid)}
    process = subprocess.Popen(
        ["bash", "-c", beside(shlex.join(["bash", "-c", worker]), logs)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    subprocess.run(["bash", "-c", waits_for(ready, "true") + ";" + waits_for(pid, "true")], check=True)
    os.killpg(process.pid, number)
    os.killpg(os.getpgid(int(pid.read_text())), number) if number == signal.SIGUSR1 else None
    _, told = process.communicate()
    assert (process.returncode, told) == (7, "")
    assert not is_alive(pid.read_text())
