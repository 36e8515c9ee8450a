"""A finished run on four of the project's own tasks, made in a few seconds by a server that follows rules, in a folder
that holds all its inputs: task files, data, templates, a filter, evaluation rows of the user's own.

    ROOT/configs/quickstart_tasks/   ROOT/prompts/   ROOT/small_run_filter.py   ROOT/extra/   ROOT/run/
"""

import contextlib
import shutil
import sys
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import load_config
from nemo_sdg.pipeline.run import run as run_steps
from nemo_sdg.storage import read_json
from tests.fakes.openai_server import serving

TASKS = ["qs_science", "qs_word_problems", "qs_reading", "qs_yesno"]
FILTER = "small_run_filter:no_marker"
SETTINGS = {
    "run": {"dir": "run", "shard_size": 6, "measure": False},
    "seeds": {"hub": False, "include_path": ["configs/quickstart_tasks"], "tasks": TASKS, "limit_per_task": 5},
    "engine": {"kind": "openai", "model": "fake", "model_license": "Apache-2.0", "max_in_flight": 16},
    "generate": {
        "origins": {"similar": 1, "seed": 1.0},
        "votes": 3,
        "few_shot": 1,
        "prompts_dir": "prompts",
        "style": "compact",
    },
    "curate": {"paraphrase": False, "filters": {FILTER: True}, "evaluation_extra": ["extra/own.jsonl"]},
    "export": {"valid_share": 0.25},
}


def make_inputs(repository: Path, root: Path) -> None:
    shutil.copytree(repository / "configs" / "quickstart_tasks", root / "configs" / "quickstart_tasks")
    (root / "prompts" / "solve").mkdir(parents=True)
    shipped = repository / "nemo_sdg" / "generate" / "prompts" / "compact" / "solve" / "numeric.jinja"
    shutil.copy(shipped, root / "prompts" / "solve" / "numeric.jinja")
    (root / "small_run_filter.py").write_text(
        'def no_marker(sample):\n    return "marker" if "xyzzy" in sample["question"] else None\n'
    )
    (root / "extra").mkdir()
    (root / "extra" / "own.jsonl").write_text('{"question": "Which of our own secrets must never be in a corpus?"}\n')


def small_config(url: str, *overrides: str) -> Any:
    """The configuration of the run; relative paths start from the run's root."""
    path = Path("small_run.yaml")
    path.write_bytes(orjson.dumps(SETTINGS))
    return load_config(path, [f"engine.base_urls=[{url}]", *overrides])


def make_small_run(repository: Path, root: Path) -> Path:
    """Makes the run and returns its root."""
    make_inputs(repository, root)
    with at_home(root), serving() as server:
        run_steps(small_config(server.url))
    return root


@contextlib.contextmanager
def at_home(root: Path) -> Any:
    """The working directory is the run's root, and modules are imported from there."""
    sys.modules.pop("small_run_filter", None)
    sys.path.insert(0, str(root))
    try:
        with contextlib.chdir(root):
            yield
    finally:
        sys.path.remove(str(root))


def move(root: Path, to: Path) -> Path:
    """Copies the run with all its inputs, as one moves a folder: the ledgers' places lead to the new one."""
    shutil.copytree(root, to)
    for path in (to / "run").glob("*/ledger.json"):
        path.write_bytes(path.read_bytes().replace(str(root).encode(), str(to).encode()))
    assert read_json(to / "run" / "seeds" / "ledger.json")["directory"] == str(to)
    return to
