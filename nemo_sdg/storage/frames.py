"""Files of JSON lines, plain or compressed. A reader names the plain file and is given its content in either form.

    RUN/answers/shard-00000.jsonl.zst      read as RUN/answers/shard-00000.jsonl; `zstdcat` prints it too

A compressed file is a row of zstd frames of whole lines, and at its end a table of the frames' sizes, so that a line is
found by its offset in the content, and a file that was cut off is known by its last bytes. This is zstd's seekable
format: https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
Sizes and hashes in receipts are those of the content: they depend neither on the form nor on the version of zstd.
"""

import bisect
import functools
import io
import itertools
import os
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from nemo_sdg.errors import DataError
from nemo_sdg.storage.regular import open_regular

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SUFFIX = ".zst"
LEVEL = 3
"""zstd's level: votes shrink to a quarter at 200 MB/s; level 6 takes 2.4 times the time for 7% less"""
FRAME = 1 << 18
"""bytes of content from which on a frame ends: with 64 kB a line is found sooner, and files are 4 to 12% larger"""
HEAD = struct.Struct("<II")
"""skippable frame: magic number, bytes that follow; also an entry of the table: bytes of a frame, bytes of content"""
FOOT = struct.Struct("<IBI")
"""number of frames, descriptor (0: no checksums), magic number"""
REMOVE = "remove it and run the same command again"
HEAD_MAGIC, FOOT_MAGIC, FRAME_MAGIC = 0x184D2A5E, 0x8F92EAB1, 0xFD2FB528


def compressed(path: Path) -> Path:
    """The compressed form of a plain file."""
    return path.with_name(path.name + SUFFIX)


def stored(path: Path) -> Path:
    """The file that holds the content of a plain file: itself, or its compressed form. The plain one counts where both
    are there: the other was not finished when its process was killed. The path itself where there is neither.
    """
    return path if path.exists() or not (other := compressed(path)).exists() else other


def is_stored(path: Path) -> bool:
    """Whether a plain file is there in either form."""
    return path.is_file() or compressed(path).is_file()


def stored_files(folder: Path, pattern: str = "*.jsonl") -> list[Path]:
    """The plain files of a folder that match a pattern, sorted, each once whatever its form. `**/*.jsonl` also looks
    into the folders below.
    """
    found = itertools.chain(folder.glob(pattern), folder.glob(pattern + SUFFIX))
    return sorted({path.with_name(path.name.removesuffix(SUFFIX)) for path in found if not path.name.startswith(".")})


def open_content(path: str | Path, *, salvage: bool = False) -> io.BufferedReader:
    """Opens the content of a file for reading and seeking. Raises FileNotFoundError where it is there in neither form,
    DataError where its compressed form is cut off, unless `salvage` asks for what is left of it; reading raises
    DataError where that is damaged.
    """
    try:
        return io.BufferedReader(open_regular(path))
    except FileNotFoundError:
        reader = _compressed_reader(path, salvage=salvage)
        if reader is None:
            raise
        return io.BufferedReader(reader, FRAME)


def _compressed_reader(path: str | Path, *, salvage: bool = False) -> "FrameReader | None":
    """Opens the compressed form of a file; None where it is not there."""
    try:
        return FrameReader(compressed(Path(path)), salvage=salvage)
    except FileNotFoundError:
        return None


def content_size(path: str | Path) -> int:
    """Bytes of a file's content, from the table of its compressed form. Raises like open_content."""
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        reader = _compressed_reader(path)
        if reader is None:
            raise
        with reader:
            return reader.size


def content_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line) of every line of a file, a torn last one included. What is damaged in a compressed file is passed
    over, as FrameReader.lines says. Raises FileNotFoundError where it is there in neither form.
    """
    try:
        handle = io.BufferedReader(open_regular(path))
    except FileNotFoundError:
        with FrameReader(compressed(path), salvage=True) as reader:
            yield from reader.lines()
    else:
        offset = 0
        with handle:
            for line in handle:
                yield offset, line
                offset += len(line)


class FrameWriter:
    """Compresses what is written to it, in whole lines, into `handle`. Memory: one frame. The bytes depend only on the
    content, on how it was cut into calls of `write`, and on the version of zstd.
    """

    def __init__(self, handle: IO[bytes]) -> None:
        import pyarrow

        self._handle = handle
        self._codec = pyarrow.Codec("zstd", compression_level=LEVEL)
        self._lines: list[bytes] = []
        self._open = 0
        self._table = bytearray()
        self.size = 0
        """bytes of content"""

    def write(self, data: bytes) -> None:
        self._lines.append(data)
        self._open += len(data)
        if self._open >= FRAME:
            self._end_frame()

    def _end_frame(self) -> None:
        packed = self._codec.compress(b"".join(self._lines), asbytes=True)
        self._handle.write(packed)
        self._table += HEAD.pack(len(packed), self._open)
        self.size += self._open
        self._lines, self._open = [], 0

    def finish(self) -> None:
        """Writes the last frame and the table. Without it the file cannot be opened."""
        if self._open:
            self._end_frame()
        self._handle.write(HEAD.pack(HEAD_MAGIC, len(self._table) + FOOT.size) + self._table)
        self._handle.write(FOOT.pack(len(self._table) // HEAD.size, 0, FOOT_MAGIC))


class FrameReader(io.RawIOBase):
    """The content of a compressed file. `num_cached` frames stay in memory, for reading at random. With `salvage` a
    file that was cut off is read as far as its frames are whole.
    """

    _file: io.FileIO | None = None

    def __init__(self, path: Path, *, num_cached: int = 1, salvage: bool = False) -> None:
        super().__init__()
        self._position = 0
        self._file = file = open_regular(path)
        self._is_cut = False
        try:
            table = _read_table(file, path)
        except DataError:
            if not salvage:
                raise
            self._is_cut, table = True, list(_whole_frames(file))
        self._places, self._starts = array("Q", [0]), array("Q", [0])
        """where each frame begins in the file and in the content, and where the last one ends"""
        for packed, content in table:
            self._places.append(self._places[-1] + packed)
            self._starts.append(self._starts[-1] + content)
        self.size = self._starts[-1]
        read = functools.partial(_read_frame, file.fileno(), path, self._places, self._starts)
        self._frame = functools.lru_cache(maxsize=num_cached)(read)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """(offset, line) of every line, and an empty line for each damaged frame and for a missing end."""
        for number in range(len(self._starts) - 1):
            offset = self._starts[number]
            try:
                data = self._frame(number)
            except DataError:
                data = b"\n"
            for line in io.BytesIO(data):
                yield offset, line
                offset += len(line)
        if self._is_cut:
            yield self.size, b"\n"

    def read_at(self, length: int, offset: int) -> bytes:
        """At most `length` bytes of the frame that holds an offset, from there on; safe in several threads."""
        if not 0 <= offset < self.size:
            return b""
        number = bisect.bisect_right(self._starts, offset) - 1
        begin = offset - self._starts[number]
        return self._frame(number)[begin : begin + length]

    def line_at(self, offset: int) -> bytes:
        """The line that begins at an offset; an empty one beyond the end."""
        if not 0 <= offset < self.size:
            return b""
        number = bisect.bisect_right(self._starts, offset) - 1
        data, begin = self._frame(number), offset - self._starts[number]
        return data[begin : data.find(b"\n", begin) + 1 or len(data)]

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        data = self.read_at(len(view), self._position)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def _read_frame(descriptor: int, path: Path, places: "array[int]", starts: "array[int]", number: int) -> bytes:
    import pyarrow

    begin, end = places[number], places[number + 1]
    size = starts[number + 1] - starts[number]
    try:
        data = os.pread(descriptor, end - begin, begin)
        found: bytes = pyarrow.Codec("zstd").decompress(data, decompressed_size=size, asbytes=True)
    except OSError as exc:
        raise DataError(f"{path} is damaged at byte {begin} ({exc}); {REMOVE}") from exc
    if len(found) != size:
        raise DataError(f"{path} is damaged at byte {begin} ({len(found)} of {size} bytes of content); {REMOVE}")
    return found


def _read_table(file: io.FileIO, path: Path) -> list[tuple[int, int]]:
    """(bytes of the frame, bytes of its content) for each frame. Raises DataError where they do not fill the file."""
    size = file.seek(0, os.SEEK_END)
    foot = os.pread(file.fileno(), FOOT.size, max(0, size - FOOT.size))
    if len(foot) == FOOT.size:
        num, descriptor, magic = FOOT.unpack(foot)
        length = HEAD.size * (num + 1) + FOOT.size
        if magic == FOOT_MAGIC and descriptor == 0 and length <= size:
            head, *table = HEAD.iter_unpack(os.pread(file.fileno(), length - FOOT.size, size - length))
            packed = sum(entry[0] for entry in table)
            if head == (HEAD_MAGIC, length - HEAD.size) and packed + length == size:
                return table
    raise DataError(f"{path} is cut off or damaged: it has no table of frames at its end; {REMOVE}")


def _whole_frames(file: io.FileIO) -> Iterator[tuple[int, int]]:
    """The same for the frames at the beginning of a file without a table."""
    place, size = 0, file.seek(0, os.SEEK_END)
    while (entry := _measure_frame(file.fileno(), place, size)) is not None:
        yield entry
        place += entry[0]


def _measure_frame(descriptor: int, place: int, size: int) -> tuple[int, int] | None:
    """Bytes of a frame and of its content, from its headers; None where no whole frame of this writer begins (RFC 8878,
    section 3.1.1).
    """
    head = os.pread(descriptor, 14, place)
    if len(head) < 6 or int.from_bytes(head[:4], "little") != FRAME_MAGIC or head[4] & 0b11111:
        return None
    whole, width = head[4] >> 5 & 1, (1, 2, 4, 8)[head[4] >> 6]
    if not whole and width == 1:  # the size of the content is not told
        return None
    first = 5 if whole else 6
    content = int.from_bytes(head[first : first + width], "little") + (256 if width == 2 else 0)
    end = place + first + width
    while True:
        block = int.from_bytes(os.pread(descriptor, 3, end), "little")
        end += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)  # a block of one repeated byte has one byte
        if end > size:
            return None
        if block & 1:
            return end - place, content
