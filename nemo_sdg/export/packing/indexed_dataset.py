"""Writes megatron-core's indexed dataset, .bin and .idx, without importing it: `megatron.core` takes 6 CPU seconds of
every process that packs, more than packing a small corpus. A contract test compares the bytes with megatron-core's own
builder, and reads them with its reader.

    .bin    the ids of all documents, one after the other, as uint16 (vocabularies below 65,500 ids) or int32
    .idx    "MMIDIDX\\0\\0", version 1 (u64), code of the type (u8), number of sequences, number of documents + 1 (u64);
            then length (i32) and first byte (i64) of each sequence, and the place where each document begins (i64).
            Here each document is one sequence.
"""

import struct
from array import array
from typing import IO

MAGIC, VERSION = b"MMIDIDX\x00\x00", 1
HEADER_BYTES = 34
"""length of what stands before the lengths in an .idx"""
DTYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 8: "<u2"}
"""types of whole numbers, by their codes"""
SMALL_VOCABULARY = 65_500
"""megatron-core's own bound"""
UINT16, INT32 = 8, 4
"""codes of the types that are written"""


class IndexedWriter:
    """Writes documents to an open .bin; `finish` writes the .idx. Holds four bytes a document."""

    def __init__(self, bin_file: IO[bytes], vocab_size: int) -> None:
        import numpy as np

        self._bin = bin_file
        self._code = UINT16 if vocab_size < SMALL_VOCABULARY else INT32
        self._dtype = np.dtype(DTYPES[self._code])
        self._lengths = array("i")

    def add(self, ids: list[int]) -> None:
        import numpy as np

        self._bin.write(np.array(ids, dtype=self._dtype).tobytes())
        self._lengths.append(len(ids))

    def finish(self, idx_file: IO[bytes]) -> None:
        import numpy as np

        lengths = np.array(self._lengths, dtype="<i4")
        num = len(lengths)
        pointers = np.zeros(num, dtype="<i8")
        np.cumsum(lengths[:-1].astype("<i8") * self._dtype.itemsize, out=pointers[1:])
        idx_file.write(MAGIC + struct.pack("<QBQQ", VERSION, self._code, num, num + 1))
        for column in (lengths, pointers, np.arange(num + 1, dtype="<i8")):
            idx_file.write(column.tobytes())
