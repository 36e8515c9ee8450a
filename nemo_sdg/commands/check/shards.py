"""The records of one shard in all steps. Each file is read once: it is hashed and parsed from the same bytes, and of a
record only what some law needs is held.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from nemo_sdg.commands.check.takers import OTHERS, TAKERS, Drops, Taker
from nemo_sdg.errors import DataError
from nemo_sdg.storage import DAMAGED, is_stored, open_content

if TYPE_CHECKING:
    from nemo_sdg.commands.check.findings import CheckedRun

BROKEN = (DataError, KeyError, TypeError, ValueError, AttributeError, IndexError, OSError, ArithmeticError)
"""errors that come from what a file holds"""
BLOCK = 4 * 2**20
"""bytes read at once"""
Part = TypeVar("Part", bound=Taker)


@dataclass(kw_only=True)
class Taken:
    """What the laws need of one shard."""

    shard: str
    hashes: dict[str, str]
    """file, by its path in the run -> SHA-256"""
    parts: dict[str, Any] = field(default_factory=dict)
    """function's name -> what it gives, or the error that stopped it"""

    def of(self, take: Callable[..., Any]) -> Any:
        value = self.parts[take.__name__]
        if isinstance(value, Exception):
            raise value
        return value


class Shard:
    """The records of one shard, read when a law first asks for a file of it."""

    def __init__(self, run: "CheckedRun", name: str) -> None:
        self.run, self.name = run, name
        self.hashes: dict[str, str] = {}
        self._read: dict[Path, dict[type[Taker], Taker | Exception]] = {}

    def of(self, step: str, kind: type[Part]) -> Part:
        """What was taken of the step's kept records. Raises what stopped it."""
        return self._of(self.run.dir / step / f"{self.name}.jsonl", step, kind, TAKERS.get(step, OTHERS))

    def dropped(self, step: str) -> Drops:
        return self._of(self.run.dir / step / "dropped" / f"{self.name}.jsonl", step, Drops, (Drops,))

    def __contains__(self, step: str) -> bool:
        """Whether the step has the shard, by its receipt."""
        return f"{step}/receipts/{self.name}.json" in self.run.receipts

    def _of(self, path: Path, step: str, kind: type[Part], kinds: tuple[type[Taker], ...]) -> Part:
        if path not in self._read:
            takers = {kind: kind(self.run, step) for kind in kinds}
            digest, errors = read_records(path, list(takers.values()))
            self._read[path] = {kind: errors.get(taker, taker) for kind, taker in takers.items()}
            if digest is not None:
                self.hashes[str(path.relative_to(self.run.dir))] = digest
        found = self._read[path][kind]
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, kind)
        return found


def read_records(path: Path, takers: list[Taker]) -> tuple[str | None, dict[Taker, Exception]]:
    """Gives each record of a file to the takers. Returns the file's SHA-256 (None if there is no file) and what stopped
    a taker: a field that is not there, or a damaged line, which stops all of them.
    """
    digest, errors = hashlib.sha256(), dict[Taker, Exception]()
    if not is_stored(path):
        return None, {taker: DataError(f"{path} is missing") for taker in takers}
    try:
        _give(path, hashed_lines(path, digest), takers, errors)
    except DataError as exc:  # a compressed file that is damaged
        return DAMAGED, dict.fromkeys(takers, exc) | errors
    return digest.hexdigest(), errors


def _give(path: Path, lines: Iterator[bytes], takers: list[Taker], errors: dict[Taker, Exception]) -> None:
    """Gives each record to the takers, and reads all lines. Puts into `errors` what stopped a taker."""
    going = takers
    for number, line in enumerate(lines, 1):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as exc:
            _stop(takers, errors, DataError(f"{path}, line {number} is not valid JSON ({exc})"))
            break
        if not isinstance(record, dict):
            _stop(takers, errors, DataError(f"{path}, line {number} is not a JSON object"))
            break
        for taker in going:
            try:
                taker.take(record)
            except BROKEN as exc:
                errors[taker] = exc
        if len(going) + len(errors) > len(takers):
            going = [taker for taker in takers if taker not in errors]
    for _ in lines:  # the rest is hashed too
        pass


def _stop(takers: list[Taker], errors: dict[Taker, Exception], error: Exception) -> None:
    for taker in takers:
        errors.setdefault(taker, error)


def hashed_lines(path: Path, digest: Any) -> Iterator[bytes]:
    """The lines of a file without their ends; every byte of its content goes into `digest`."""
    rest = b""
    with open_content(path) as handle:
        for block in iter(functools.partial(handle.read, BLOCK), b""):
            digest.update(block)
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield from lines
    if rest:
        yield rest


def first_halves(ids: list[str]) -> Any:
    """The first 8 bytes of each id, written as 16 hexadecimal digits, as a number."""
    import numpy as np

    return np.fromiter((int(name[:16], 16) for name in ids), dtype=np.uint64, count=len(ids))
