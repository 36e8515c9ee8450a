"""Sends progress rows to TensorBoard or Weights & Biases, if `run.trackers` names them."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from nemo_sdg.errors import ConfigError, MissingDependencyError


class Tracker(Protocol):
    def log(self, row: dict[str, Any]) -> None:
        """Logs one progress row."""

    def close(self) -> None:
        """Writes the remaining rows."""


def scalars(row: dict[str, Any]) -> dict[str, float]:
    """The numbers of a row under names such as `answers/saturation` and `answers/dropped/schema`."""
    step = row["step"]
    found = {
        f"{step}/{name}": float(value)
        for name, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return found | {f"{step}/dropped/{reason}": float(num) for reason, num in row["dropped"].items()}


class TensorBoard:
    """Writes event files to RUN/tensorboard; the x axis is seconds since the start of the step."""

    def __init__(self, run_dir: Path) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError as exc:
            raise MissingDependencyError(
                "run.trackers names tensorboard, which is not installed: pip install tensorboard"
            ) from exc
        self._writer, self._lock = Writer(str(run_dir / "tensorboard")), threading.Lock()

    def log(self, row: dict[str, Any]) -> None:
        with self._lock:
            for name, value in scalars(row).items():
                self._writer.add_scalar(name, value, round(row["seconds"]))
            self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class WeightsAndBiases:
    """Logs a run to the project `nemo_sdg` or that of WANDB_PROJECT; WANDB_MODE=offline writes it to RUN/wandb."""

    def __init__(self, run_dir: Path) -> None:
        try:
            import wandb
        except ImportError as exc:
            raise MissingDependencyError("run.trackers names wandb, which is not installed: pip install wandb") from exc
        import os

        try:
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", "nemo_sdg"), name=run_dir.resolve().name, dir=str(run_dir)
            )
        except Exception as exc:  # wandb's own errors, of several classes
            raise ConfigError(
                f"run.trackers names wandb, which cannot be used ({str(exc).splitlines()[0]}): run "
                "`wandb login`, set WANDB_MODE=offline, or remove wandb"
            ) from exc

    def log(self, row: dict[str, Any]) -> None:
        self._run.log(scalars(row))

    def close(self) -> None:
        self._run.finish()


TRACKERS: dict[str, Callable[[Path], Tracker]] = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}


def open_trackers(names: list[str], run_dir: Path) -> list[Tracker]:
    """Opens trackers by name. Raises MissingDependencyError for one that is not installed."""
    return [TRACKERS[name](run_dir) for name in names]
