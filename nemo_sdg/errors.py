"""Errors with a message for the user: the field, its value, the rule, and how to fix it.

Only the border catches them: the CLI, the loop over shards, the call of an engine.
"""

import os
import re
from collections.abc import Sequence

FINAL = "NEMO_SDG_FINAL"
"""variable of a Slurm job: the exit code by which it knows an error that another start would meet again"""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=>)")


class SdgError(Exception):
    """Base of all errors that this package raises on purpose; the CLI prints it as one line and exits with
    `exit_code`.
    """

    exit_code = 2
    may_pass = True
    """whether the same command may succeed if it is just started again"""


class ConfigError(SdgError, ValueError):
    """A value in the configuration or on the command line breaks a rule."""

    may_pass = False


class UnreachableError(ConfigError):
    """What the configuration names, such as a scheduler or a model of the hub, cannot be reached now."""

    may_pass = True


class DataError(SdgError, ValueError):
    """Input data is missing, damaged or not what its schema says."""


class EngineError(SdgError, RuntimeError):
    """An engine cannot be started or reached. Finished work is kept."""


class SettingsError(EngineError):
    """An engine refuses every request: its key, account, model or fields are wrong. Finished work is kept."""

    may_pass = False


class Waiting(SdgError):
    """The run waits for files, and goes on when they are there. Nothing is wrong."""

    exit_code = 75
    """EX_TEMPFAIL: try again later"""


class MissingDependencyError(SdgError, ImportError):
    """A package that an option needs is not installed; the message names the extra."""


def code_of(error: SdgError) -> int:
    """The exit code of the command after this error."""
    final = os.environ.get(FINAL, "")
    return int(final) if final.isdigit() and not error.may_pass else error.exit_code


def one_line(exc: BaseException) -> str:
    """Type and message of a third-party error, in at most 300 characters, without addresses: they differ from run to
    run.
    """
    return _ADDRESS.sub("", " ".join(f"{type(exc).__name__}: {exc}".split()))[:300]


def few(names: Sequence[str], most: int, *, between: str = ", ") -> str:
    """The first names, at most so many, and the number of the others: `a, b, c and 4 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{between.join(names[:most])}{more}"


def require(condition: bool, message: str) -> None:
    """Raises ConfigError with the message unless `condition` holds."""
    if not condition:
        raise ConfigError(message)
