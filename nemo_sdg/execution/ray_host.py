"""The process of the Ray that a run starts. It lives from the first pipeline that needs it until the run ends.

    python -m nemo_sdg.execution.ray_host '{"num_cpus": 4}'

It prints Ray's address, and ends when its standard input ends. That input is a pipe from the run, so it also ends when
the run is killed. Ray's processes end with it, and Ray's folder is removed.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

ATTEMPTS = 4
"""Ray allows 30 s for its start, and a busy machine takes longer; a further attempt is faster, since the files of the
first are cached in memory
"""


def main(options: str) -> None:
    import ray

    # The path of a socket has at most 107 bytes, so the folder's name is short.
    with tempfile.TemporaryDirectory(prefix="sdg-ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        for attempt in range(ATTEMPTS):
            try:
                ray.init(address="local", log_to_driver=False, _temp_dir=folder, **json.loads(options))
                break
            except Exception:
                ray.shutdown()
                if attempt == ATTEMPTS - 1:
                    raise
        print(ray.get_runtime_context().gcs_address, flush=True)
        sys.stdin.read()
        ray.shutdown()
        end_session()


def end_session() -> None:
    """Kills the remaining processes of the session that this process leads: actors of Xenna outlive their Ray and hold
    200 MB each.
    """
    leader = os.getpid()
    if os.getsid(0) != leader:
        return
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _, _, _, session, *_ = stat.read_text().rpartition(")")[2].split()
            if int(session) == leader != int(stat.parent.name):
                os.kill(int(stat.parent.name), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
