"""Fixtures of the end-to-end tests."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import Watched, chromium, launch
from tests.e2e.harness import made_once, nemo_sdg, run_arguments
from tests.fakes.small_run import make_small_run


@pytest.fixture(scope="session")
def server(root: Path) -> Iterator[str]:
    """Base URL of a fake OpenAI server whose answers depend on the request only."""
    process = subprocess.Popen(
        [sys.executable, str(root / "tests" / "fakes" / "openai_server.py"), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip().split()[-1]
    yield url
    process.kill()


@pytest.fixture(scope="session")
def undisturbed(root: Path, server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that nothing disturbed and no test changes; the file `seconds` beside it says how long it took."""

    def make(folder: Path) -> None:
        begin = time.monotonic()
        result = nemo_sdg(root, *run_arguments(folder / "undisturbed", server))
        assert result.returncode == 0, result.stderr
        (folder / "seconds").write_text(str(time.monotonic() - begin))

    return made_once(tmp_path_factory, "runs", make) / "undisturbed"


@pytest.fixture(scope="session")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a finished small run with all its inputs; tests copy it by tests.fakes.small_run.move."""
    return made_once(tmp_path_factory, "small", lambda folder: make_small_run(root, folder / "home")) / "home"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser a file of tests: while it is open, asyncio cannot start a loop of its own in this process."""
    if chromium() is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme="light")
    yield Watched(context.new_page())
    context.close()
