"""Dask over the nodes of a job: its processes know each other by a certificate, and let in nobody else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dask
import pytest

from nemo_sdg.cluster import nodes

PLAIN = """
import sys
from distributed import Client
try:
    Client(sys.argv[1], timeout="2s")
except Exception as exc:
    print("refused", type(exc).__name__)
"""


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Path]:
    before = dict(os.environ)
    nodes.make_certificate(tmp_path / nodes.CERTIFICATE)
    nodes.secure_dask(tmp_path / nodes.CERTIFICATE)
    yield tmp_path
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    dask.config.refresh()


def test_who_has_the_certificate_works_and_who_has_it_not_is_refused(
    secured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    monkeypatch.setattr(nodes, "cpus", lambda: 1)
    assert (secured / nodes.CERTIFICATE).stat().st_mode & 0o077 == 0
    with ExitStack() as stack:
        nodes.start(stack, nodes.dask_scheduler_command(secured, "127.0.0.1"))
        nodes.start(stack, nodes.dask_worker_command(secured, secured / "scratch"))
        with Client(scheduler_file=str(secured / nodes.DASK_HEAD)) as client:
            address = client.scheduler.address
            assert client.submit(sum, [1, 2]).result() == 3
        assert address.startswith("tls://127.0.0.1:")
        nodes.make_certificate(secured / "other.pem")
        own, other = str(secured / nodes.CERTIFICATE), str(secured / "other.pem")
        another = {key: other if value == own else value for key, value in os.environ.items()}
        without = {key: value for key, value in os.environ.items() if not key.startswith("DASK_")}
        for environment, place in ((another, address), (without, address.replace("tls://", "tcp://"))):
            said = subprocess.run(
                [sys.executable, "-c", PLAIN, place], env=environment, capture_output=True, text=True, check=False
            )
            assert said.stdout.startswith("refused "), said.stdout + said.stderr
