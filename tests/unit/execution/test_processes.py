"""Worker processes of this machine."""

import os

import pytest

from nemo_sdg.errors import SdgError
from nemo_sdg.execution.processes import worker_processes


def test_a_process_that_is_killed_is_one_line() -> None:
    died = pytest.raises(SdgError, match="one of 1 worker processes died, most often for lack of memory")
    with died, worker_processes(1) as pool:
        list(pool.map(os._exit, [1]))
