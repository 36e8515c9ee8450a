"""Numbers of an Arrow column, as the check reads them."""

import numpy as np
import pyarrow as pa
import pytest

from nemo_sdg.commands.check.packed.compare import numbers


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32()])
@pytest.mark.parametrize("parts", [[], [[]], [[3, 1, 2]], [[3, 1], [2]], [[3, None], [1]]])
def test_numbers_are_those_of_to_numpy(kind: pa.DataType, parts: list[list[int | None]]) -> None:
    column = pa.chunked_array([pa.array(part, kind) for part in parts], kind)
    found, wanted = numbers(column), column.to_numpy()
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_a_column_of_texts_stays_one() -> None:
    assert numbers(pa.chunked_array([["a", "b"]])).tolist() == ["a", "b"]
