"""The input of a law, a run's files, and its result: what breaks the law, and what could not be looked at."""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.commands.check.shards import Shard, Taken
from nemo_sdg.config import RunConfig, load_recorded
from nemo_sdg.errors import DataError
from nemo_sdg.records.lines import Manifest, Receipt, UnseenSplit
from nemo_sdg.records.shapes import misfit
from nemo_sdg.storage import Ledger, read_json, read_jsonl, read_ledger, sha256_file

if TYPE_CHECKING:
    from nemo_sdg.export.packing.tokenizers import Tokenizer

WITHOUT_RECORDS = ("catalog", "packed", "blend")
"""steps whose shards hold no records"""
UNREACHABLE = "seeds/evaluation/unreachable.json"
"""evaluation splits that could not be read"""
SHOWN = 5
"""how many findings of a law are shown; the others are counted"""


def recorded(run_dir: Path) -> RunConfig:
    """The configuration that a run keeps, which takes 0.1 s to read; it is read once while config.yaml stays as it is.
    Raises ConfigError.
    """
    path = run_dir / "config.yaml"
    return _recorded(run_dir.resolve(), path.read_bytes() if path.is_file() else b"")


@functools.lru_cache(maxsize=1)
def _recorded(run_dir: Path, content: bytes) -> RunConfig:
    return load_recorded(run_dir)


@dataclass(kw_only=True)
class Verdict:
    """The verdict on one law."""

    law: str
    violations: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """what the run has still to do before the law can be looked at"""
    unseen: list[str] = field(default_factory=list)
    """what could not be looked at"""
    detail: str = ""

    @property
    def outcome(self) -> str:
        if self.violations:
            return "VIOLATED"
        return "not yet" if self.unfinished else "not seen" if self.unseen else "proved"

    def lines(self) -> Iterator[str]:
        found = self.violations or [*self.unfinished, *self.unseen]
        yield f"{self.outcome:<9} {self.law}{f' ({self.detail})' if self.detail and not found else ''}"
        yield from (f"            {line}" for line in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"            and {len(found) - SHOWN} more"


@dataclass(kw_only=True)
class ToDo:
    """What a run has still to do."""

    steps: list[str] = field(default_factory=list)
    """the steps to finish, in order"""
    redone: list[str] = field(default_factory=list)
    """those of them that were finished before"""
    who: str | None = None
    """who is at work on the run"""


class CheckedRun:
    """The files of a run, read for the laws. Receipts and ledgers are read once.

    Laws look at `steps`, which stand before those that the run has still to do.
    """

    def __init__(self, run_dir: Path, steps: list[str], todo: ToDo | None = None) -> None:
        self.dir, self.steps, self.todo = run_dir, steps, todo or ToDo()
        self.ledgers: dict[str, Ledger] = {}
        self.broken: dict[str, str] = {}
        """step -> why its ledger cannot be used"""
        self.hashes: dict[str, str] = {}
        """file, by its path in the run -> SHA-256, of the files that were read for another law"""
        self.do: Callable[..., Iterable[Any]] = self._do_here
        """`map` of a function whose first argument is the run; other processes may carry it out"""
        self.begun: dict[str, Any] = {}
        """what other processes are at, by its name"""
        for step in steps:
            try:
                ledger = read_ledger(run_dir, step)
                if ledger is not None:
                    self.ledgers[step] = ledger
            except DataError as exc:
                self.broken[step] = str(exc)

    def _do_here(self, function: Callable[..., Any], *columns: Iterable[Any]) -> Iterable[Any]:
        return map(functools.partial(function, self), *columns)

    @functools.cached_property
    def receipts(self) -> dict[str, dict[str, Any]]:
        """Every readable receipt of the steps by its path in the run. An ablation in the run's folder packs a corpus of
        its own, which is not part of the run.
        """
        return self.receipts_of(self.steps)

    def receipts_of(self, steps: list[str]) -> dict[str, dict[str, Any]]:
        """Every receipt of these steps by its path in the run. Raises DataError where one cannot be read."""
        found = {}
        for step in steps:
            for path in sorted((self.dir / step).rglob("receipts/*.json")):
                if not path.name.startswith("."):
                    receipt = read_json(path)
                    if why := misfit(receipt, Receipt):
                        raise DataError(f"{path.relative_to(self.dir)} is not a receipt: {why}")
                    found[str(path.relative_to(self.dir))] = receipt
        return found

    @functools.cached_property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """Every file that a receipt names, by its path in the run, with its bytes and SHA-256."""
        return {name: facts for receipt in self.receipts.values() for name, facts in receipt["outputs"].items()}

    @functools.cached_property
    def manifest(self) -> dict[str, Any]:
        """manifest.json; empty where there is none. Raises DataError where it is damaged."""
        if not (self.dir / "manifest.json").exists():
            return {}
        found: dict[str, Any] = read_json(self.dir / "manifest.json")
        if why := misfit(found, Manifest):
            raise DataError(f"manifest.json is not a manifest: {why}")
        return found

    def unreachable_splits(self) -> list[dict[str, Any]]:
        """The evaluation splits that the run could not read. Raises DataError where their list is damaged."""
        found: list[dict[str, Any]] = read_json(self.dir / UNREACHABLE)
        if why := misfit(found, list[UnseenSplit]):
            raise DataError(f"{UNREACHABLE} is not a list of evaluation splits: {why}")
        return found

    @functools.cached_property
    def _shards(self) -> dict[str, list[str]]:
        found = defaultdict[str, list[str]](list)
        for place in sorted(map(Path, self.receipts)):
            step, *inner = place.parts
            if inner[:-1] == ["receipts"]:
                found[step].append(place.stem)
        return found

    def shards(self, step: str) -> list[str]:
        """The step's own shards on disk, by their receipts."""
        return self._shards.get(step, [])

    def receipt(self, step: str, shard: str) -> dict[str, Any]:
        return self.receipts[f"{step}/receipts/{shard}.json"]

    @property
    def record_steps(self) -> list[str]:
        """The steps whose shards hold records, in order."""
        return [step for step in self.steps if step not in WITHOUT_RECORDS]

    @functools.cached_property
    def shard_names(self) -> list[str]:
        """The shards that some step with records has."""
        return sorted({shard for step in self.record_steps for shard in self.shards(step)})

    def begin(self, take: Callable[["CheckedRun", str], Taken]) -> None:
        """Takes what all laws need of every shard, so that each file is read once."""
        self.begun["shards"] = self.do(take, self.shard_names)

    @functools.cached_property
    def _taken(self) -> dict[str, Taken]:
        found = {taken.shard: taken for taken in self.begun.pop("shards", ())}
        for taken in found.values():
            self.hashes |= taken.hashes
        return found

    def each_shard(self, take: Callable[[Shard], Any]) -> Iterator[tuple[str, Any]]:
        """The shards with what `take` gives for each. What stopped it is raised."""
        for name in self.shard_names:
            taken = self._taken.get(name)
            yield name, take(Shard(self, name)) if taken is None else taken.of(take)

    def kept(self, step: str, shard: str) -> Iterator[dict[str, Any]]:
        return read_jsonl(self.dir / step / f"{shard}.jsonl")

    def tokenizer(self) -> "Tokenizer":
        """The tokenizer that the run keeps. Raises DataError where it is damaged."""
        folder = self.dir / "packed" / "tokenizer"
        return _load_tokenizer(*(Content(path) for path in sorted(folder.glob("*.json"))))

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """config.yaml as it stands. Raises DataError where it is damaged."""
        import yaml

        try:
            found = yaml.safe_load((self.dir / "config.yaml").read_text())
        except yaml.YAMLError as exc:
            raise DataError(f"config.yaml is damaged ({' '.join(str(exc).split())})") from exc
        if not isinstance(found, dict):
            raise DataError("config.yaml is not a configuration")
        return found


class Content:
    """A file that counts by what it holds."""

    def __init__(self, path: Path) -> None:
        self.path, self.digest = path, sha256_file(path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@functools.lru_cache(maxsize=1)
def _load_tokenizer(*files: Content) -> "Tokenizer":
    from nemo_sdg.export.packing.tokenizers import load_saved

    if not files:
        raise DataError("packed/tokenizer is missing")
    return load_saved(files[0].path.parent)


class Ids:
    """Ids of a corpus in 8 bytes each: they are hashes, and two of 100 million share their first half once in 3,700
    corpora.
    """

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self.num = 0

    def add(self, ids: Any) -> None:
        """Adds an array of `first_halves`."""
        self._parts.append(ids)
        self.num += len(ids)

    @functools.cached_property
    def sorted(self) -> Any:
        import numpy as np

        return np.sort(np.concatenate(self._parts)) if self._parts else np.empty(0, dtype=np.uint64)

    def num_twins(self) -> int:
        return int((self.sorted[1:] == self.sorted[:-1]).sum())
