"""Reads and checks the section `metadata: nemo_sdg:` of a user's task file.

metadata:
  nemo_sdg: {family: math, capability: reasoning, kind: numeric, frame: generation, language: en, license: MIT}

problems({"kind": "multiple-choice"})   ["kind must be one of …; did you mean multiple_choice?"]
"""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from nemo_sdg.catalog.about.languages import code_of
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow, Frame, Kind

REASON = "metadata"
"""reason word of a refusal for wrong metadata"""
_FAMILY = re.compile(r"[a-z][a-z0-9_]*")
_ONE_OF: dict[str, tuple[str, ...]] = {
    "kind": tuple(Kind),
    "frame": tuple(Frame),
    "capability": ("knowledge", "reasoning"),
    "commercial_use": ("yes", "no", "unknown"),
    "share_alike": ("yes", "no", "unknown"),
    "confidence": ("read", "remembered", "declared", "unknown"),
}
_KEYS = (*_ONE_OF, "family", "language", "languages", "license", "source", "note")


def problems(said: Any, families: Iterable[str] = ()) -> list[str]:
    """The errors in a task's metadata, one line each: key, value, rule, and the nearest valid value."""
    if said is None:
        return []
    if not isinstance(said, dict):
        return [
            f"must be a mapping with keys such as family and kind, got {said!r}; write nemo_sdg: {{family: …, kind: …}}"
        ]
    known = f"; the keys are {', '.join(_KEYS)}"
    found = [f"has no key {key!r}{_near(str(key), _KEYS) or known}" for key in said if key not in _KEYS]
    for key, allowed in _ONE_OF.items():
        value = said.get(key)
        is_truth = key in ("commercial_use", "share_alike") and isinstance(value, bool)
        if key in said and not is_truth and value not in allowed:
            found.append(f"{key} must be one of {', '.join(allowed)}, got {value!r}{_near(str(value), allowed)}")
    family = said.get("family")
    if "family" in said and not (isinstance(family, str) and _FAMILY.fullmatch(family)):
        near = _near(re.sub(r"[^a-z0-9]+", "_", str(family).lower()), families)
        rule = "family must be lower-case letters, digits and underscores, since it names files"
        found.append(f"{rule}, got {family!r}{near}")
    if "language" in said:
        found += _language_problems("language", said["language"])
    languages = said.get("languages", [])
    if not isinstance(languages, list):
        found.append(f"languages must be a list of codes, got {languages!r}; write languages: [{languages}]")
    else:
        found += [problem for language in languages for problem in _language_problems("languages", language)]
    license = said.get("license")
    if "license" in said and not (isinstance(license, str) and license.strip()):
        joined = " AND ".join(map(str, license)) if isinstance(license, list) else "unknown"
        found.append(f"license must be one SPDX id, LicenseRef-… or unknown, got {license!r}; write license: {joined}")
    return found


def _language_problems(key: str, value: Any) -> list[str]:
    if isinstance(value, list):
        return [f"{key} must be one code, got {value!r}; write languages: [{', '.join(map(str, value))}]"]
    if isinstance(value, str) and re.fullmatch(r"[a-z]{2,3}", value):
        return []
    code = code_of(str(value))
    meant = f"; did you mean {code}?" if code else ""
    return [f"{key} must be an ISO 639 code such as en, got {value!r}{meant}"]


def _near(value: str, allowed: Iterable[str]) -> str:
    plain = {name: name for name in allowed}
    near = difflib.get_close_matches(value.lower().replace("-", "_").replace(" ", "_"), plain, n=1, cutoff=0.6)
    initials = [name for name in plain if "".join(word[0] for word in name.split("_")) == value.lower()[:2]]
    found = near or initials[:1]
    return f"; did you mean {found[0]}?" if found else ""


def require_valid(asked: Iterable[CatalogRow]) -> None:
    """Raises ConfigError in one line if a selected task has errors in its metadata."""
    found = [
        f"task {row.task}: metadata.nemo_sdg {reason.partition(': ')[2]}"
        for row in asked
        for reason in row.reasons
        if reason.startswith(f"{REASON}: ")
    ]
    if found:
        more = f" (and {len(found) - 1} more such lines, see `nemo-sdg tasks --refused`)" if len(found) > 1 else ""
        raise ConfigError(f"seeds.include_path: {found[0]}{more}")
