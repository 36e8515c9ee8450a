"""Errors with a message for the user: field, value, rule, mend. Only the border (CLI, shard loop, engine call) catches
them.
"""


class SdgError(Exception):
    """Base of all errors that this package raises on purpose; the CLI prints it as one line and exits with
    `exit_code`.
    """

    exit_code = 2


class ConfigError(SdgError, ValueError):
    """A value in the configuration or on the command line breaks a rule."""


class DataError(SdgError, ValueError):
    """Input data is missing, damaged or not what its schema says."""


class EngineError(SdgError, RuntimeError):
    """An engine cannot be started or cannot be reached; nothing finished is lost."""


class Waiting(SdgError):
    """The run goes on when files that it waits for are there; nothing is wrong."""

    exit_code = 75
    """EX_TEMPFAIL: try again later"""


class MissingDependencyError(SdgError, ImportError):
    """A package that an option needs is not installed; the message names the extra."""


def require(condition: bool, message: str) -> None:
    """Raises ConfigError with the message where a rule of the configuration does not hold."""
    if not condition:
        raise ConfigError(message)
