"""The ledger of a step: a record of everything that shaped it. It is written last, when all shards are finished.

    RUN/verified/ledger.json
    {"step": "verified", "identity": "9f…", "before": {"answers": "41…"},
     "configuration": {"verify.min_agreement": 0.6, …}, "inputs": {}, "places": {},
     "receipts": {"shard-00000": "c0…"}, "unread": [], "directory": "/data"}

A step's identity is a hash of the configuration that shapes it, of the content of its inputs, and of the identity of
the step before it. A finished step is redone when its identity is no longer the one that the configuration asks for.
`places` says where the inputs were, so that `check` can look there; places are not part of the identity.
"""

import contextlib
import dataclasses
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.config import fingerprint as digest
from nemo_sdg.errors import DataError
from nemo_sdg.records.shapes import misfit
from nemo_sdg.storage.files import REPAIR, read_json, sha256_file, write_json
from nemo_sdg.storage.frames import stored

LEDGER = "ledger.json"
FORMAT = 1
"""raised when ledgers of an earlier form can no longer be compared"""
HASH = re.compile(r"[0-9a-f]{32,}|missing")
"""form of a content hash, which is not shown in messages"""
MISSING = "missing"
"""replaces the content hash of an input that does not exist"""


class UnknownFields(DataError):
    """A ledger has fields that this version does not know, so that it cannot tell what shaped the step."""


class ContentHashes:
    """SHA-256 of input files. With `full` every file is read. Without it, the known hash is used for a file whose size
    and modification time have not changed.
    """

    def __init__(self, memory: Path | None = None, *, full: bool = True) -> None:
        self.memory, self.full = memory, full
        self._known: dict[str, list[Any]] = {}
        self._fresh: set[str] = set()
        if memory is not None:
            with contextlib.suppress(DataError):
                known = read_json(memory)
                self._known = known if isinstance(known, dict) else {}

    def of(self, path: Path) -> str:
        """The file's SHA-256, or `missing`; this too where it is no regular file, or only another program's compressed
        form of it is there.
        """
        try:
            found = stored(path).stat()
            if not stat.S_ISREG(found.st_mode):  # a pipe or device, which somebody else's run names, has no end
                return MISSING
            state = [found.st_size, found.st_mtime_ns]
            key = str(path.absolute())
            known = self._known.get(key)
            if known is None or known[:2] != state or (self.full and key not in self._fresh):
                self._known[key] = [*state, sha256_file(path)]
                self._fresh.add(key)
            return str(self._known[key][2])
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, DataError):
            return MISSING
        except OSError as exc:
            return f"unreadable: {exc.strerror}"

    def save(self) -> None:
        if self.memory is not None and self._fresh:
            write_json(self.memory, self._known)


@dataclass(kw_only=True)
class Inputs:
    """The inputs of a step, besides its configuration and the step before it."""

    content: dict[str, str] = field(default_factory=dict)
    """name -> SHA-256, version, or `missing`"""
    places: dict[str, str] = field(default_factory=dict)
    """name -> absolute path, for those that are files"""

    def add_file(self, name: str, path: Path, hashes: ContentHashes) -> None:
        self.content[name] = hashes.of(path)
        self.places[name] = str(path.absolute())


@dataclass(kw_only=True)
class Ledger:
    """One step's record. Paths are absolute."""

    step: str
    identity: str
    """identity of the step; the next step names it under `before`"""
    fingerprint: str
    """value in the step's receipts: the identity without the sources that could not be read"""
    before: dict[str, str]
    """name of the step before -> its identity; empty for the first"""
    version: int
    """VERSION of the step's module; raised where a change of its code must redo the step in existing runs"""
    configuration: dict[str, Any]
    inputs: dict[str, str]
    places: dict[str, str]
    receipts: dict[str, str] = field(default_factory=dict)
    """receipt, by its path in the step's folder -> its SHA-256"""
    unread: list[dict[str, Any]] = field(default_factory=list)
    """sources that could not be read: `source` and `why`; the next run tries them again"""
    directory: str = ""
    """working directory, to which relative paths of the configuration refer; not part of the identity, like `places`
    """
    made_by: list[str] = field(default_factory=list)
    """versions of nemo_sdg that wrote its receipts; not part of the identity"""

    @property
    def shards(self) -> list[str]:
        """The exact shards of the step, without those of its inner stages."""
        return [name for name in self.receipts if "/" not in name]

    def write(self, run_dir: Path) -> None:
        write_json(run_dir / self.step / LEDGER, dataclasses.asdict(self))

    def changes(self, other: "Ledger") -> list[str]:
        """The differences between this ledger and another of the same step, one on each line."""
        found = changed_fields(self.configuration, other.configuration)
        for name in sorted(self.inputs.keys() | other.inputs.keys()):
            old, new = self.inputs.get(name), other.inputs.get(name)
            if old is not None and new is not None and old != new and not HASH.fullmatch(new):
                found.append(f"{name}: {old} -> {new}")
            elif old != new:
                what = "is new" if old is None else "is no longer read" if new is None else "has changed"
                found.append(f"{name} {what if new != MISSING else 'is missing'}")
        if self.version != other.version:
            found.append(f"version {self.version} -> {other.version} of the step")
        still = {row["source"] for row in other.unread}
        return found + [f"{row['source']} can be read now" for row in self.unread if row["source"] not in still]


def make_identity(
    step: str, before: dict[str, str], version: int, configuration: dict[str, Any], inputs: dict[str, str]
) -> str:
    return digest([FORMAT, step, before, version, configuration, inputs])


def with_unread(fingerprint: str, unread: list[dict[str, Any]]) -> str:
    """The identity of a step that could not read all its sources. It differs from that of the complete step."""
    return digest([fingerprint, sorted(row["source"] for row in unread)]) if unread else fingerprint


def changed_fields(old: Any, new: Any, prefix: str = "") -> list[str]:
    """`field: old -> new` for every leaf in which two configurations differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in changed_fields(old.get(key), new.get(key), f"{prefix}{key}.")
        ]
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(entry, dict) for entry in [*old, *new]):
        if len(old) == len(new):  # engines of a role
            return [
                line
                for place, (before, now) in enumerate(zip(old, new, strict=True))
                for line in changed_fields(before, now, f"{prefix[:-1]}[{place}].")
            ]
        if old and new:
            return [f"{prefix[:-1]}: {len(old)} -> {len(new)} entries"]
    return [] if old == new else [f"{prefix[:-1]}: {old} -> {new}"]


def different_versions(run_dir: Path, steps: Iterable[str]) -> str | None:
    """One line if the steps of a run were made by different versions of nemo_sdg, else None."""
    made: dict[str, list[str]] = {}
    for step in steps:
        ledger = None
        with contextlib.suppress(DataError):  # `check` reports a damaged ledger
            ledger = read_ledger(run_dir, step)
        for version in [] if ledger is None else ledger.made_by or ["a version that was not recorded"]:
            made.setdefault(version, []).append(step)
    if len(made) < 2:
        return None
    parts = "; ".join(f"{', '.join(steps)} by {version}" for version, steps in made.items())
    return f"steps were made by different versions of nemo_sdg: {parts}"


def read_ledger(run_dir: Path, step: str) -> Ledger | None:
    """The ledger of a finished step; None if the step is not finished. Raises DataError if the ledger is damaged, and
    UnknownFields if another version of nemo_sdg wrote it.
    """
    path = run_dir / step / LEDGER
    if not path.is_file():
        return None
    found = read_json(path)
    if why := misfit(found, Ledger):
        raise DataError(f"{path} is not a ledger ({why}); {REPAIR}")
    if unknown := sorted(found.keys() - {known.name for known in dataclasses.fields(Ledger)}):
        made_by = ", ".join(found.get("made_by", []))
        raise UnknownFields(
            f"{path} was written by another version of nemo_sdg{f' ({made_by})' if made_by else ''}: it has fields "
            f"that this one does not know ({', '.join(unknown[:3])}); use that version, or another run.dir"
        )
    return Ledger(**found)


def usable_ledger(run_dir: Path, step: str) -> Ledger | None:
    """As `read_ledger`, but None for a damaged ledger: the step is not finished, so its shards are looked at, and then
    its ledger is written again. Raises UnknownFields.
    """
    try:
        return read_ledger(run_dir, step)
    except UnknownFields:
        raise
    except DataError:
        return None
