"""Fixtures that all tests share."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# no deadline: other processes of the machine may be busy; 50 examples: a law that needs more says so itself
settings.register_profile("shared", deadline=None, max_examples=50)
settings.load_profile("shared")
ROOT = Path(__file__).resolve().parent.parent
LOG_LEVELS = {logger: logger.level for logger in (logging.getLogger(), logging.getLogger("nemo_sdg"))}


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def hub() -> Path:
    """A mirror with real rows of lm-eval's datasets, named by NEMO_SDG_TEST_HUB or beside the repository."""
    path = Path(os.environ.get("NEMO_SDG_TEST_HUB", ROOT.parent / "shared" / "hub"))
    if not path.is_dir():
        pytest.skip(f"no mirror with real task data at {path}; name one by NEMO_SDG_TEST_HUB")
    return path


@pytest.fixture(scope="session", autouse=True)
def no_sync() -> Iterator[None]:
    """Tests kill processes and never the machine: what this process has written is there without a wait for the disk,
    which takes 2 ms a file.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        patch.setattr(os, "fdatasync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True)
def log_levels() -> None:
    """A run silences the logs of its process: a test that comes after one hears its own nevertheless."""
    for logger, level in LOG_LEVELS.items():
        logger.setLevel(level)
