"""Compares the tokens of a packed shard, in .bin and .idx, with the texts that they were made from."""

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.errors import DataError
from nemo_sdg.export.packing.indexed_dataset import DTYPES, HEADER_BYTES, MAGIC

if TYPE_CHECKING:
    from nemo_sdg.export.packing.tokenizers import Tokenizer


class Tokens:
    """Compares tokens with texts, batch by batch. Raises DataError where .bin and .idx do not fit the documents."""

    def __init__(self, tokenizer: "Tokenizer", run_dir: Path, prefix: str, sizes: Any) -> None:
        """`prefix` is that of the files in the run; `sizes` are the tokens of each document by .docs.parquet."""
        import numpy as np

        lengths, dtype = read_index(run_dir / f"{prefix}_text_document.idx")
        if not np.array_equal(lengths, sizes):
            raise DataError(f"{prefix}: .idx and .docs.parquet disagree on the lengths of documents")
        path, width = run_dir / f"{prefix}_text_document.bin", np.dtype(dtype).itemsize
        num_bytes, self.num = path.stat().st_size, sum(lengths)
        if num_bytes != self.num * width:
            raise DataError(f"{prefix}: .bin has {num_bytes / width:g} tokens, .idx says {self.num}")
        self._ids = np.memmap(path, dtype=dtype, mode="r") if self.num else np.empty(0, dtype=dtype)
        self._ends = np.cumsum([0, *lengths], dtype=np.int64)
        """where each document begins and, with the next number, ends"""
        self._tokenizer, self._prefix = tokenizer, prefix
        self._control = np.array(sorted(tokenizer.control))
        self.num_encoded = 0
        """tokens of the documents that were tokenised again"""

    def odd(self, first: int, texts: list[memoryview], stride: int) -> list[str]:
        """What is wrong with the documents from `first` on: one does not begin and end as a document does, or holds a
        control id inside, or, of every `stride`-th, other tokens than those of its text.
        """
        import numpy as np

        ends = self._ends[first : first + len(texts) + 1]
        ids = np.asarray(self._ids[ends[0] : ends[-1]])
        ends = ends - ends[0]
        odd = self._bounds(first, ids, ends) or self._control_ids(first, ids, ends)
        chosen = range(-first % stride, len(texts), stride)
        wanted = self._tokenizer.encode([str(texts[place], "utf-8") for place in chosen])
        for place, own in zip(chosen, wanted, strict=True):
            found = ids[ends[place] : ends[place + 1]].tolist()
            if found != self._tokenizer.as_document(own):
                odd.append(f"{self._prefix}: the tokens of document {first + place} are not those of its text")
                break
            self.num_encoded += len(found)
        return odd

    def _bounds(self, first: int, ids: Any, ends: Any) -> list[str]:
        """Each document begins and ends as an empty one does."""
        import numpy as np

        *begin, end = self._tokenizer.as_document([])
        whole = np.diff(ends) > len(begin)
        if whole.all():
            whole = ids[ends[1:] - 1] == end
            if begin:
                whole &= ids[ends[:-1]] == begin[0]
        if whole.all():
            return []
        document = first + int(np.argmin(whole))
        return [f"{self._prefix}: document {document} does not begin and end as a document of this tokenizer"]

    def _control_ids(self, first: int, ids: Any, ends: Any) -> list[str]:
        """A control id stands at the ends of documents alone."""
        import numpy as np

        control = np.isin(ids, self._control)
        control[ends[1:] - 1] = False
        if self._tokenizer.bos is not None:
            control[ends[:-1]] = False
        if not control.any():
            return []
        place = int(np.argmax(control))
        document = first + int(np.searchsorted(ends, place, side="right")) - 1
        return [f"{self._prefix}: document {document} holds the control id {int(ids[place])} inside its text"]


def read_index(path: Path) -> tuple[list[int], str]:
    """Document lengths and the type of tokens from a Megatron .idx. It must hold, to the byte, what its lengths ask for
    by the published layout: documents of one sequence each, one after the other.
    """
    import numpy as np

    data = path.read_bytes()
    if data[:9] != MAGIC or len(data) < HEADER_BYTES:
        raise DataError(f"{path} is not a Megatron index")
    (num_sequences,) = struct.unpack_from("<Q", data, 18)
    if len(data) < HEADER_BYTES + 4 * num_sequences or data[17] not in DTYPES:
        raise DataError(f"{path} is cut off")
    lengths = np.frombuffer(data, dtype="<i4", count=num_sequences, offset=HEADER_BYTES)
    begins = np.cumsum(lengths, dtype="<i8") * np.dtype(DTYPES[data[17]]).itemsize
    pointers = np.concatenate([np.zeros(1, dtype="<i8"), begins])[:num_sequences]
    head = MAGIC + struct.pack("<QBQQ", 1, data[17], num_sequences, num_sequences + 1)
    documents = np.arange(num_sequences + 1, dtype="<i8")
    if data != b"".join([head, lengths.tobytes(), pointers.tobytes(), documents.tobytes()]):
        raise DataError(f"{path} does not say where the documents of its lengths begin")
    return lengths.tolist(), DTYPES[data[17]]
