"""Rows of a split that say the same as an earlier row: they give one seed, and the others are dropped by name.

8 bytes a seed are held while its split is rendered, and 16 more for each question that stands there twice.
"""

from array import array
from typing import Any

from nemo_sdg.records import Seed, content_id

REASON = "duplicate_row"


class Duplicates:
    """`add` each seed of a split, `close`, then ask for `first_row` of the seeds in the same order."""

    def __init__(self) -> None:
        self._keys, self._rows = array("Q"), array("q")
        self._repeated: Any = None
        self._num_asked = 0

    def add(self, seed: Seed, texts: list[str]) -> None:
        """`texts` are those of the seed's row."""
        self._keys.append(row_key(seed, texts))

    def close(self) -> bool:
        """Whether a row stands there twice."""
        import numpy as np

        values, counts = np.unique(np.frombuffer(self._keys, dtype=np.uint64), return_counts=True)
        self._repeated = values[counts > 1]
        self._rows = array("q", [-1]) * len(self._repeated)
        return bool(len(self._repeated))

    def first_row(self, seed: Seed) -> int | None:
        """The number of the row that said the same before the next seed's; None where there is none."""
        key = self._keys[self._num_asked]
        self._num_asked += 1
        place = int(self._repeated.searchsorted(self._repeated.dtype.type(key)))
        if place == len(self._repeated) or int(self._repeated[place]) != key:
            return None
        known = self._rows[place]
        if known < 0:
            self._rows[place] = seed.dataset.row
        return known if known >= 0 else None


def row_key(seed: Seed, texts: list[str]) -> int:
    """The same for rows of which the same tasks read the same, and whose texts are the same: a row's number or id,
    which is one word, may differ.
    """
    texts = sorted(text for text in texts if len(text.split(maxsplit=1)) > 1)
    answer = [seed.answer.text, seed.answer.aliases, seed.tests, seed.reference_reasoning]
    return int(content_id(seed.tasks, seed.question, seed.passage, sorted(seed.choices or []), *answer, texts)[:16], 16)
