"""Results that Dask's workers are waited for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nemo_sdg.errors import ConfigError
from nemo_sdg.execution import dask_tasks


class Future:
    """A future whose `result` does one thing after another."""

    def __init__(self, *steps: Any, done: bool) -> None:
        self.steps: Iterator[Any] = iter(steps)
        self._done = done

    def result(self, timeout: float | None = None) -> Any:
        step = next(self.steps)
        if isinstance(step, Exception):
            raise step
        return step

    def done(self) -> bool:
        return self._done


class Client:
    def __init__(self, look: Callable[[], dict[str, Any]]) -> None:
        self.scheduler_info = look
        self.scheduler = type("Scheduler", (), {"address": "tcp://dask:8786"})


def lost() -> dict[str, Any]:
    raise OSError("Timed out trying to connect")


def test_a_result_that_arrives_as_the_wait_for_it_ends_is_no_timeout() -> None:
    assert dask_tasks._result(Client(lost), Future(TimeoutError(), 5, done=True)) == 5
    with pytest.raises(TimeoutError, match="its own"):
        dask_tasks._result(Client(lost), Future(TimeoutError(), TimeoutError("its own"), done=True))


def test_a_scheduler_that_does_not_say_its_workers_is_asked_again() -> None:
    assert dask_tasks._result(Client(lost), Future(TimeoutError(), TimeoutError(), 5, done=False)) == 5


def test_a_scheduler_without_workers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_tasks, "WORKER_SECONDS", -1)
    with pytest.raises(ConfigError, match="tcp://dask:8786 has no worker"):
        dask_tasks._result(Client(lambda: {"workers": {}}), Future(TimeoutError(), 5, done=False))
