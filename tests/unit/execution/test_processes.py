"""Worker processes of this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nemo_sdg.errors import SdgError
from nemo_sdg.execution.processes import worker_processes


def test_a_process_that_is_killed_is_one_line() -> None:
    died = pytest.raises(SdgError, match="one of 1 worker processes died, most often for lack of memory")
    with died, worker_processes(1) as pool:
        list(pool.map(os._exit, [1]))


def test_processes_of_all_pools_share_what_the_server_has_imported() -> None:
    look = """
from nemo_sdg.execution.processes import start_server, worker_processes
start_server("wave")
for _ in range(2):
    with worker_processes(1, preload=("chunk",)) as pool:
        print(pool.submit(eval, "[name in __import__('sys').modules for name in ('wave', 'sunau')]").result())
"""
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["[True, False]"] * 2


def test_an_interrupt_while_the_server_imports_is_not_its_own_but_reaches_its_processes(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    look = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where the tests run in the background
from nemo_sdg.execution.processes import worker_processes
with worker_processes(1, preload=("interrupted",)) as pool:
    print(pool.submit(eval, "'interrupted' in __import__('sys').modules").result())
    print(pool.submit(eval, "__import__('signal').pthread_sigmask(0, [])").result())
    print(pool.submit(eval, "__import__('signal').getsignal(2)").result() is __import__("signal").default_int_handler)
"""
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])}
    found = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=False, env={**os.environ, **path}
    )
    assert (found.stderr, found.stdout.split()) == ("", ["True", "set()", "True"])
