"""What a worker does when Slurm warns it of its time limit."""

import os

DRAIN_SECONDS = 3.0
"""how long requests in flight may still take after a signal"""
WRITE_SECONDS = 30.0
"""of the time until a limit that Slurm warns of, what is left for writing shards and leaving"""
WARNED, TIME_LIMITS = "NEMO_SDG_WARN_SECONDS", "NEMO_SDG_TIME_LIMITS"
"""environment of a Slurm job: how long before its time limit SIGUSR1 comes, and the file that counts such ends"""


def drain_seconds(name: str) -> float:
    """How long requests in flight may still take: most of the time that Slurm leaves where it warns of a limit."""
    return max(DRAIN_SECONDS, float(os.environ.get(WARNED, 0)) - WRITE_SECONDS) if name == "SIGUSR1" else DRAIN_SECONDS


class TimeLimit:
    """An end by a time limit. It allows one more start, but only where this start got an answer: a worker whose engine
    never answers would otherwise start for ever.
    """

    def __init__(self) -> None:
        self.path: str | None = None

    def warned(self, signal: str) -> None:
        self.path = os.environ.get(TIME_LIMITS) if signal == "SIGUSR1" else None

    def note(self, num_answers: int) -> None:
        """Notes the end once."""
        if self.path is None or not num_answers:
            return
        path, self.path = self.path, None
        try:
            with open(path, "a") as handle:
                handle.write("1\n")
        except OSError:
            pass  # of a full disk, say: the end then uses a retry
