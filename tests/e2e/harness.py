"""The real command in separate processes, on the project's tasks, with a fake server for the OpenAI protocol."""

import contextlib
import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

from nemo_sdg import cli

VOLATILE = {"progress.jsonl", ".hashes.json", ".lock", "plan.json", "index.html", "quality.json"}
"""the files of a run that hold clock times (index.html shows the speed), or paths of this machine"""


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` fills once for all processes of pytest-xdist; the first that wants it makes it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            for stale in folder.iterdir():  # of a process that failed here
                if stale.is_dir():
                    shutil.rmtree(stale)
            make(folder)
            (folder / "made").touch()
    return folder


def command(root: Path, *arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "nemo-sdg"), *arguments]


def nemo_sdg(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        command(root, *arguments),
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def in_process(root: Path, *arguments: str) -> Any:
    """Runs the command in this process, which has loaded what it needs: exit_code, stdout, stderr and exception."""
    with contextlib.chdir(root):
        return CliRunner().invoke(cli.app, list(arguments))


def called(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `nemo_sdg` gives, of the command in this process, which has loaded what another would load in seconds."""
    out, error, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(root),
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["nemo-sdg", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
    ):
        try:
            cli.main()
        except SystemExit as exc:
            code = int(exc.code or 0)
    return subprocess.CompletedProcess(list(arguments), code, out.getvalue(), error.getvalue())


def run_arguments(run_dir: Path, server: str, *overrides: str) -> list[str]:
    return [
        "run",
        "configs/quickstart.yaml",
        f"run.dir={run_dir}",
        "engine.kind=openai",
        "engine.model=fake",
        "engine.model_license=Apache-2.0",
        "generate.style=compact",  # the rule model answers by the schema of its request
        f"engine.base_urls=[{server}]",
        "run.shard_size=6",
        "engine.max_in_flight=16",
        "curate.paraphrase=false",
        "run.measure=false",
        *overrides,
    ]


def digests(run_dir: Path) -> dict[str, str]:
    """Path -> hash of all files of a run that the law of equal bytes covers. The trainers' blend files carry absolute
    paths: compared without them.
    """
    found = {}
    for path in sorted(run_dir.rglob("*")):
        name = str(path.relative_to(run_dir))
        if not path.is_file() or path.name in VOLATILE or "/journal/" in f"/{name}":
            continue
        data = path.read_bytes()
        if name.startswith("blend/"):
            data = data.replace(str(run_dir.resolve()).encode(), b"RUN")
        found[name] = hashlib.sha256(data).hexdigest()
    return found
