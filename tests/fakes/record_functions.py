"""Factories of record functions for the tests of executors."""

import os
import signal
from typing import Any

from nemo_sdg.errors import DataError
from nemo_sdg.records import Drop


def make_halver() -> Any:
    def halve(record: dict[str, Any]) -> Any:
        if record["number"] % 3 == 0:
            return Drop(
                task=record["task"], id=record["sample_id"], step="verified", reason="multiple_of_three", record=record
            )
        return {**record, "half": record["number"] / 2}

    return halve


def make_failing() -> Any:
    def fail(record: dict[str, Any]) -> Any:
        raise DataError(f"record {record['sample_id']} is not what it should be")

    return fail


def make_dying() -> Any:
    def die(record: dict[str, Any]) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    return die
