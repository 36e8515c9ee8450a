"""The indexed dataset that is written here. tests/contract/test_megatron.py compares it with megatron-core's."""

import io

import pytest

from nemo_sdg.commands.check.packed.tokens import read_index
from nemo_sdg.export.packing.indexed_dataset import IndexedWriter

DOCUMENTS = [[1, 2, 65_499], [7], [3, 4, 5, 6]]


@pytest.mark.parametrize(("vocab_size", "dtype", "width"), [(65_499, "<u2", 2), (65_500, "<i4", 4)])
def test_index_and_ids(tmp_path, vocab_size, dtype, width):
    ids, index = io.BytesIO(), io.BytesIO()
    writer = IndexedWriter(ids, vocab_size)
    for document in DOCUMENTS:
        writer.add(document)
    writer.finish(index)
    (tmp_path / "set.idx").write_bytes(index.getvalue())
    assert read_index(tmp_path / "set.idx") == ([3, 1, 4], dtype)
    assert len(ids.getvalue()) == 8 * width
    assert int.from_bytes(ids.getvalue()[2 * width : 3 * width], "little") == 65_499


def test_no_document():
    index = io.BytesIO()
    IndexedWriter(io.BytesIO(), 10).finish(index)
    assert index.getvalue().endswith(b"\x00" * 8)
