"""Files of rows, in any of the formats that data sets come in, read one row at a time.

    rows = open_file(Path("train.jsonl.gz"), "task sciq")
    for number, row in rows: ...        row is a dict, or Damaged where a line cannot be read

The same rows come out of JSONL, of a JSON array and of either compressed; parquet keeps its types. A byte order mark is
no part of the first row. Whatever goes wrong is a DataError in one line that names the file and what to do.
"""

import bz2
import contextlib
import functools
import gzip
import itertools
import json
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import DataError, one_line

LOCAL = "local"
"""revision of mirrors and files"""
_TAIL = 1 << 20
_ARRAY_OF_ROWS = re.compile(rb"\[\s*\{")
_BLOCK = 1 << 20
_EMPTY_LINE = re.compile(rb"\n[ \t\r\f\v]*\n")
_NOT_A_NUMBER = re.compile(rb"\bNaN\b")
_LONG_NUMBER = re.compile(rb"[:\[,\s]-?\d{19}")
_BOM = b"\xef\xbb\xbf"
_OTHER_FORMATS = {
    b"\x1f\x8b": ".gz",
    b"BZh": ".bz2",
    b"\xfd7zXZ\0": ".xz",
    b"(\xb5/\xfd": ".zst",
    b"PK\x03\x04": ".zip",
    b"PAR1": ".parquet",
}
"""first bytes of files that are no text"""
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""what reading a compressed file that is cut off or is none raises"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that is not a JSON object."""

    detail: str
    line: bytes = b""
    """as it stands in the file; of a table, its cells as a JSON array"""


class Rows:
    """A split that is open: iterate for (row number, row), as often as wanted."""

    def __init__(
        self,
        revision: str,
        iterate: Callable[[Callable[[int], bool] | None], Iterator[tuple[int, Row | Damaged]]],
        count: Callable[[], int | None],
    ) -> None:
        self.revision = revision
        self._iterate = iterate
        self.count = count
        """number of rows, or None where only a full pass would tell"""

    def __iter__(self) -> Iterator[tuple[int, Row | Damaged]]:
        return self._iterate(None)

    def only(self, wanted: Callable[[int], bool]) -> Iterator[tuple[int, Row | Damaged]]:
        """The rows whose number is wanted; the others are passed over unparsed where the format allows it."""
        return self._iterate(wanted)


def reads(file: str) -> bool:
    """Whether `open_file` reads files of this name."""
    return _plain_name(file).endswith((".json", ".jsonl", ".parquet"))


def _plain_name(file: str) -> str:
    return file.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz").removesuffix(".zst")


def open_file(file: Path, who: str) -> Rows:
    """The rows of one file. `who` begins each message: `task sciq`."""
    if file.suffix == ".parquet":
        from nemo_sdg.seeds.sources.parquet import parquet_rows

        return parquet_rows(file, who)
    with readable(file, who), open_bytes(file) as handle:
        head = handle.read(4096).removeprefix(_BOM).lstrip()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{who}: {file} is written in UTF-16; save it in UTF-8")
    other = next((ending for begin, ending in _OTHER_FORMATS.items() if head.startswith(begin)), None)
    if other is not None:
        raise DataError(f"{who}: {file} holds no JSON but what ends in {other}; name it so")
    if not head:
        raise DataError(f"{who}: {file} has no rows; fetch it again or leave the task out")
    if head.startswith(b"[") and (_plain_name(file.name).endswith(".json") or _ARRAY_OF_ROWS.match(head)):
        return _array_rows(file, who)
    if file.suffix in (".json", ".jsonl"):
        _refuse_cut_file(file, who)
    return Rows(LOCAL, functools.partial(_read_lines, file, who), functools.partial(_count_lines, file, who))


def open_bytes(file: Path) -> Any:
    if file.suffix == ".gz":
        return gzip.open(file, "rb")
    if file.suffix == ".bz2":
        return bz2.open(file, "rb")
    if file.suffix == ".xz":
        return lzma.open(file, "rb")
    if file.suffix == ".zst":
        import io

        import pyarrow

        return io.BufferedReader(pyarrow.input_stream(str(file), compression="zstd"))
    return open(file, "rb")


@contextlib.contextmanager
def readable(file: Path, who: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as exc:
        raise DataError(f"{who}: {file} cannot be read ({why(exc)}); copy the file again") from exc


def _refuse_cut_file(file: Path, who: str) -> None:
    """A last line without line end that does not parse is a file that was cut off while it was copied."""
    with open(file, "rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - _TAIL))
        tail = handle.read()
    last = tail.rpartition(b"\n")[2]
    if not last.strip() or (len(last) == len(tail) and size > _TAIL):
        return
    try:
        parse_json(last)
    except orjson.JSONDecodeError as exc:
        if (reason := _why_not_json(exc, last)).startswith("not in"):
            raise DataError(f"{who}: {file} is {reason}") from exc
        raise DataError(f"{who}: {file} is cut off in its last line ({exc}); copy the file again") from exc


def _read_lines(file: Path, who: str, wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
    number = -1
    with readable(file, who), open_bytes(file) as handle:
        lines = itertools.chain([handle.readline().removeprefix(_BOM)], handle)
        for line in lines:
            if not line or line.isspace():
                continue
            number += 1
            if wanted is not None and not wanted(number):
                continue
            try:
                row = parse_json(line)
            except orjson.JSONDecodeError as exc:
                yield number, Damaged(_why_not_json(exc, line), line)
                continue
            yield (
                number,
                row if isinstance(row, dict) else Damaged(f"not a JSON object but {type(row).__name__}", line),
            )


def _why_not_json(exc: orjson.JSONDecodeError, line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError as wrong:
        if wrong.reason != "unexpected end of data":  # a line that is cut within a letter
            return "not in UTF-8: save the file so, or name its encoding in dataset_kwargs"
    return f"not valid JSON: {str(exc).replace('line 1 column', 'column')}"  # each line is parsed alone


def parse_json(text: bytes) -> Any:
    """JSON with its whole numbers exact, where orjson makes a float of those beyond 64 bits, and with null for the NaN
    that pandas and Python's json write for an empty cell. Raises orjson.JSONDecodeError.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        if _NOT_A_NUMBER.search(text) is None:
            raise
        try:
            value = json.loads(text, parse_constant={"NaN": None}.__getitem__)
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, KeyError, RecursionError):
            value = None
        if value is None:
            raise
        return value
    return json.loads(text) if _LONG_NUMBER.search(text) else value


def _count_lines(file: Path, who: str) -> int:
    with readable(file, who):
        facts = file.stat()
        return _num_rows(str(file), facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=4096)
def _num_rows(file: str, changed: int, size: int) -> int:
    """Lines that are not empty, by blocks: going through a million lines one by one takes a second and a half."""
    num, tail = 0, b""
    with open_bytes(Path(file)) as handle:
        head = handle.read(len(_BOM))
        block = head if head != _BOM else b""
        while block := block + handle.read(_BLOCK):
            block, _, rest = (tail + block).rpartition(b"\n")
            if _EMPTY_LINE.search(b"\n" + block + b"\n"):
                num += sum(1 for line in block.split(b"\n") if line and not line.isspace())
            elif block:
                num += block.count(b"\n") + 1
            block, tail = b"", rest
    return num + bool(tail.strip())


def _array_rows(file: Path, who: str) -> Rows:
    try:
        with readable(file, who), open_bytes(file) as handle:
            rows = parse_json(handle.read().removeprefix(_BOM))
    except orjson.JSONDecodeError as exc:
        raise DataError(
            f"{who}: {file} is not valid JSON ({exc}); write one JSON object a line, or one array of objects"
        ) from exc

    def iterate(wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
        for number, row in enumerate(rows):
            if wanted is None or wanted(number):
                yield (
                    number,
                    row
                    if isinstance(row, dict)
                    else Damaged(f"not a JSON object but {type(row).__name__}", orjson.dumps(row)),
                )

    return Rows(LOCAL, iterate, lambda: len(rows))


def chained(parts: list[Rows]) -> Rows:
    """Several files of one split, numbered through."""
    if len(parts) == 1:
        return parts[0]

    def iterate(wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
        offset = 0
        for part in parts:
            last = -1
            inner = (
                iter(part)
                if wanted is None
                else part.only(functools.partial(lambda start, n: wanted(start + n), offset))
            )
            for number, row in inner:
                last = number
                yield offset + number, row
            offset += (part.count() if wanted is not None else None) or last + 1

    def count() -> int | None:
        counts = [part.count() for part in parts]
        return None if None in counts else sum(n or 0 for n in counts)

    return Rows(LOCAL, iterate, count)


def iterate_rows(rows: Iterable[Row], wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
    for number, row in zip(itertools.count(), rows, strict=False):
        if wanted is None or wanted(number):
            yield number, dict(row)


def why(exc: BaseException) -> str:
    """Why a file cannot be read, in one line."""
    return "there is no such file" if isinstance(exc, FileNotFoundError) else one_line(exc)
