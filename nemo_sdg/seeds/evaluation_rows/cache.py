"""Rendered evaluation rows that all runs share: rendered once for the same data, task files and code.

    CACHE/<key>.jsonl           EvaluationRow a line
    CACHE/<key>.json            {"split", "rows": {task: number}, "unreadable": [...]}
    CACHE/latest/<name>.json    {"key"}: what a split of the hub was last, for a start without a network

The key is a hash of all that shapes the rows, so nothing in the folder is ever changed, and a copy of it (`nemo-sdg
guard export`) serves on another machine.
"""

import functools
import hashlib
import importlib.metadata
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.task_files import FunctionRef
from nemo_sdg.catalog.walk import default_cache_dir, task_config
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import EvaluationRow, content_id
from nemo_sdg.seeds.evaluation_rows.render import render_evaluation
from nemo_sdg.seeds.sources.hub import commit_of
from nemo_sdg.seeds.sources.lock import locked_revision
from nemo_sdg.seeds.sources.rows import local_files
from nemo_sdg.seeds.sources.splits import EvaluationSource
from nemo_sdg.storage import atomic_file, read_json, sha256_file, write_json, write_jsonl


@dataclass(kw_only=True)
class Rendered:
    """The cache's entry for one split."""

    path: Path
    rows: dict[str, int]
    unreadable: list[str] = field(default_factory=list)


class EvaluationCache:
    def __init__(self, guard: GuardSection) -> None:
        self.folder = Path(guard.cache) if guard.cache else default_cache_dir() / "evaluation"

    def key(self, source: EvaluationSource, seeds: SeedsSection) -> str | None:
        """None for rows that a function makes: nothing says when they change.

        Raises DataError when the hub does not say which commit is the newest and no earlier start has seen the split.
        """
        configs = [task_config(task, seeds) for task in source.tasks]
        if any(config.get("custom_dataset") for config in configs):
            return None
        identity = (str(source.split), source.split.options, code_hash(), [config_hash(config) for config in configs])
        files = local_files(source.split, seeds)
        if files:
            return content_id(*map(repr, identity), [sha256_file(file) for file in files])
        if any("://" in file for file in source.split.located):
            return None
        latest = self.folder / "latest" / f"{content_id(*map(repr, identity))}.json"
        try:
            commit = commit_of(source.split, locked_revision(source.split, seeds.lock), source.tasks[0])
        except DataError:
            if seeds.lock is None and latest.is_file():
                key: str = read_json(latest)["key"]
                return key
            raise
        if commit is None:
            return None
        key = content_id(*map(repr, identity), commit)
        write_json(latest, {"key": key})
        return key

    def get(self, key: str) -> Rendered | None:
        """The rows of an earlier start; None where there are none, or not whole ones."""
        path, about = self.folder / f"{key}.jsonl", self.folder / f"{key}.json"
        if not path.is_file() or not about.is_file():
            return None
        try:
            said = read_json(about)
            if said["sha256"] != sha256_file(path):
                return None
            return Rendered(path=path, rows=said["rows"], unreadable=said["unreadable"])
        except (DataError, KeyError, TypeError):
            return None

    def render(self, source: EvaluationSource, seeds: SeedsSection) -> Rendered | None:
        """The rows of a split, rendered where the cache does not have them; None where they cannot be kept.

        Raises DataError when the split cannot be read.
        """
        key = self.key(source, seeds)
        if key is None:
            return None
        found = self.get(key)
        if found is not None:
            return found
        rows = Counter[str]()

        def counted() -> Iterator[EvaluationRow]:
            for row in render_evaluation(source, seeds):
                rows[row.task] += 1
                yield row

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.jsonl"
            write_jsonl(path, counted())
            self.put(key, source, path, dict(rows))
        return self.get(key)

    def put(self, key: str, source: EvaluationSource, path: Path, rows: dict[str, int]) -> None:
        with open(path, "rb") as whole, atomic_file(self.folder / f"{key}.jsonl") as out:
            shutil.copyfileobj(whole, out)
        about = {"split": source.describe(), "rows": rows, "unreadable": source.unreadable, "sha256": sha256_file(path)}
        write_json(self.folder / f"{key}.json", about)


@functools.cache
def code_hash() -> str:
    """Of the code and tables that render rows, and of lm-eval's version."""
    digest = hashlib.blake2b(importlib.metadata.version("lm-eval").encode(), digest_size=16)
    package = Path(__file__).parents[2]
    for folder in (package / "seeds", package / "text"):
        for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.yaml")]):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def config_hash(config: dict[str, Any]) -> str:
    """Of a task's configuration and of the Python files that its functions stand in."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(config.items()):
        digest.update(f"{name}={value.name if isinstance(value, FunctionRef) else value!r}\n".encode())
        if isinstance(value, FunctionRef):
            for file in sorted(Path(value.folder).glob("*.py")):
                digest.update(file.read_bytes())
    return digest.hexdigest()
