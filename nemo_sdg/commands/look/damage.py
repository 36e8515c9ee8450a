"""What a command that reads a run says of a file that was cut off or edited: its name, in one line."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nemo_sdg.errors import DataError, SdgError


@contextlib.contextmanager
def naming_damage(*runs: Path) -> Iterator[None]:
    """Where the block stumbles over what a file holds, the runs' files are compared with their receipts and ledgers.
    Raises DataError with the first that is not what was written; an error that no damage explains passes through.
    """
    try:
        yield
    except SdgError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        for run in runs:
            if damage := _damage(run):
                raise DataError(f"{run}: {damage}; `nemo-sdg run` with the same configuration repairs it") from exc
        raise


def _damage(run: Path) -> str | None:
    from nemo_sdg.commands.check.laws import WHOLE, prove, steps_of
    from nemo_sdg.config import load_recorded
    from nemo_sdg.storage import read_ledger

    (verdict,) = prove(run, WHOLE)
    if verdict.violations:
        return verdict.violations[0]
    try:
        load_recorded(run)
        for step in steps_of(run):
            read_ledger(run, step)
    except SdgError as exc:
        return str(exc)
    return None
