"""Worker processes of this machine."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nemo_sdg.errors import SdgError
from nemo_sdg.execution.processes import COLLECT_AFTER, rarely_collecting, without_main, worker_processes


def test_a_process_that_is_killed_is_one_line() -> None:
    died = pytest.raises(SdgError, match="one of 1 worker processes died, most often for lack of memory")
    with died, worker_processes(1) as pool:
        list(pool.map(os._exit, [1]))


def test_a_script_is_not_carried_out_again_by_its_processes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"""
import operator
from pathlib import Path
from nemo_sdg.execution.dask_tasks import LOCAL_BYTES, Task, open_workers
from nemo_sdg.execution.processes import worker_processes
print("begun")
with worker_processes(2) as pool:
    print(list(pool.map(operator.neg, range(3))))
out = Path({str(tmp_path / "out")!r})
with open_workers(workers=2, address=None, num_bytes=LOCAL_BYTES, scratch=Path({str(tmp_path)!r})) as run:
    run([Task(out, Path.touch, (out,))])
print(out.exists())
""")
    found = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (found.stdout.splitlines(), found.returncode) == (["begun", "[0, -1, -2]", "True"], 0), found.stderr


def test_threads_that_start_processes_at_once_leave_the_main_module_where_it_was() -> None:
    main, begun, may_end = sys.modules["__main__"], [threading.Event() for _ in range(2)], threading.Event()

    def start(number: int) -> None:
        with without_main():
            begun[number].set()
            may_end.wait()

    first, second = (threading.Thread(target=start, args=(number,), daemon=True) for number in range(2))
    first.start()
    begun[0].wait()
    second.start()
    assert not begun[1].wait(0.05), "the second would restore the stand-in of the first"
    may_end.set()
    first.join()
    second.join()
    assert sys.modules["__main__"] is main


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


def test_garbage_is_collected_as_before_after_a_failure() -> None:
    before, seen = gc.get_threshold(), []

    @rarely_collecting()
    def fail() -> None:
        seen.append(gc.get_threshold())
        raise SdgError("no")

    with pytest.raises(SdgError):
        fail()
    assert (seen, gc.get_threshold()) == ([COLLECT_AFTER], before)
