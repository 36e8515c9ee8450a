"""Fixtures that all tests share, and their order."""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Several processes of tests share two cores: threads of torch that wait for each other sleep, and do not spin.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# no deadline: other processes of the machine may be busy; 50 examples: a law that needs more says so itself
settings.register_profile("shared", deadline=None, max_examples=50)
settings.load_profile("shared")
ROOT = Path(__file__).resolve().parent.parent
LOG_LEVELS = {logger: logger.level for logger in (logging.getLogger(), logging.getLogger("nemo_sdg"))}
LONGEST = (
    "e2e/test_ray_data.py",
    "e2e/test_slurm.py",
    "contract/test_ray_executor.py",
    "e2e/test_ledger.py",
    "e2e/test_roles.py",
    "e2e/test_generation_faults.py",
    "e2e/test_run.py",
)
"""files of tests that wait for other processes, or take longest: one that began last would run alone at the end"""
TOGETHER = (
    "contract/test_megatron.py",
    "contract/test_megatron_import.py",
    "contract/test_mixture_in_megatron.py",
    "contract/test_recipes.py",
    "contract/test_ablation.py",
    "contract/test_gpu_checks.py",
    "contract/test_dedup_semantic.py",
    "contract/test_decontaminate_hub.py",
)
"""files of tests that one process takes: torch, transformers, Megatron and NeMo are imported for 12 s"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST + TOGETHER)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist loadfile, the files that belong together are as one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return TOGETHER[0] if file.endswith(TOGETHER) else file

    return Scheduling(config, log)


def pytest_collection_finish() -> None:
    gc.freeze()  # what the tests import is not looked through at each collection


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


@pytest.fixture(scope="session", autouse=True)
def what_is_frozen_stays_so() -> Iterator[None]:
    """Each run of requests collects garbage at its start, and at its end takes back all that was frozen: without this,
    each of the hundreds of small runs would look through what the tests before it have loaded, which takes up to 0.5 s.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "unfreeze", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def lm_eval_is_read_once() -> Iterator[None]:
    """lm-eval's own 14,000 task files do not change: each is parsed, and its facts are found, once in this process, and
    not again for each folder of tasks that a test makes.
    """
    from nemo_sdg.catalog import task_facts
    from nemo_sdg.catalog.task_files import Entry, YamlTree
    from nemo_sdg.catalog.walk import lm_eval_tasks_folder

    own = lm_eval_tasks_folder() + os.sep
    real = os.path.realpath(own) + os.sep
    files: dict[str, dict[str, Any]] = {}
    facts: dict[tuple[str, str], dict[str, Any]] = {}
    parse, find, read = YamlTree._parse, task_facts._fact, task_facts.read_facts

    def parse_once(tree: YamlTree, path: str) -> dict[str, Any]:
        if not path.startswith(real):
            return parse(tree, path)
        if path not in files:
            files[path] = parse(tree, path)
        tree._parsed[path] = files[path]
        return files[path]

    def find_once(entry: Entry, root: str, families: Any, groups: list[str]) -> dict[str, Any]:
        assert entry.file is not None
        if not entry.file.startswith(own):
            return find(entry, root, families, groups)
        key = entry.file, entry.name
        if key not in facts:
            facts[key] = find(entry, root, families, groups)
        return {**facts[key], "groups": groups}

    def read_facts(*arguments: Any) -> dict[str, Any]:
        found = read(*arguments)
        gc.freeze()  # the files are not looked through at each collection
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(YamlTree, "_parse", parse_once)
        patch.setattr(task_facts, "_fact", find_once)
        patch.setattr(task_facts, "read_facts", read_facts)
        yield


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of the report take a third of a small run: for tests that do not look at the page's figures."""
    from nemo_sdg.export.report.sections import charts

    monkeypatch.setattr(charts, "draw", lambda *_: charts.Drawing(wide="<svg/>", narrow="<svg/>"))


@pytest.fixture(autouse=True)
def log_levels() -> None:
    """A run silences the logs of its process: a test that comes after one hears its own nevertheless."""
    for logger, level in LOG_LEVELS.items():
        logger.setLevel(level)
