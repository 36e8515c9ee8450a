"""Decides whether a split counts the right option from 0 or from 1.

lm-eval takes a number as a position from 0. If 0 never occurs and the number of options does, the rows count from 1.
Read from 0, three of four golds would then be one option off, and only rows with the last number would fail. This can
be seen only over many rows, so it is decided for the whole split.
"""

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.fields.reading import Reading


class GoldNumbers:
    """The state of one question after the rows so far."""

    PROBE = 2000
    """rows after which it is decided, if neither 0 nor the last number has been seen"""

    def __init__(self) -> None:
        self.num_rows = 0
        """rows that give a number"""
        self.begins_at_one = False
        self.evidence = ""
        self._seen_zero = False
        self._seen_last = False
        self._decided = False
        self._without_number = 0

    @property
    def is_settled(self) -> bool:
        return self._seen_zero or self._decided

    def add(self, reading: Reading) -> None:
        number = reading.gold_number
        if number is None or reading.choices is None:
            self._without_number += 1
            if self.num_rows == 0 and self._without_number >= self.PROBE:
                self._decided = True
            return
        self.num_rows += 1
        self._seen_zero = self._seen_zero or number == 0
        if number == len(reading.choices) and not self._seen_last:
            self._seen_last = True
            self.evidence = f"the row gives {number} for the right one of {number} options, and no row gives 0"
        if self.num_rows >= self.PROBE:
            self.settle()

    def settle(self) -> None:
        """Decides by what has been seen."""
        if not self.is_settled:
            self._decided = True
            self.begins_at_one = self._seen_last

    def refuse_late(self, task: str) -> None:
        """Raises DataError where the rows after the decision have shown that it was wrong."""
        if self._seen_last and not self._seen_zero and not self.begins_at_one:
            raise DataError(
                f"task {task}: its numbers for the right option begin at 1 ({self.evidence}), lm-eval counts from 0; "
                "subtract 1 in doc_to_target"
            )
