"""Worker processes of this machine."""

import os
import subprocess
import sys

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
