"""Licence policy, and the licence that a sample ends up under. Data with its sources, not legal advice.

The closure: a sample is made from its seeds' rows and by a model, so every one of those licences has a say.
- One unknown licence makes the whole unknown: it might forbid anything.
- Licences that bind works made from them (share-alike, non-commercial, no-derivatives, and any LicenseRef, whose terms
are its own)
  propagate: each stays in the result. Two of them that no single licence satisfies both stay side by side, joined by
  AND, as SPDX writes it.
- Licences that ask for no more than notice or credit (MIT, Apache-2.0, BSD, CC-BY, ODC-By, CC0) propagate only where
nothing stricter does.
"""

import re
from collections.abc import Iterable
from typing import Any

from nemo_sdg.config import LicensePolicy

UNKNOWN = "unknown"
_BINDING = re.compile(r"(^|-)(SA|NC|ND)(-|$)|^LicenseRef-|GPL-|^ODbL|^CDLA-Sharing|^EUPL|^MPL|^OSL", re.IGNORECASE)


def allowed(license: dict[str, Any], policy: LicensePolicy, listed: Iterable[str]) -> bool:
    """Whether rows under a licence (a catalog row's `license`) may be seeds. An unknown licence is not known to be
    commercial.
    """
    if policy is LicensePolicy.any:
        return True
    if policy is LicensePolicy.commercial:
        return bool(license["commercial_use"] == "yes")
    return license["id"] in set(listed)


def effective(seed_licenses: Iterable[str], model_license: str) -> str:
    """The SPDX expression (or `unknown`) of a sample made from seeds under these licences by a model under that one.

    >>> effective(["CC-BY-SA-4.0", "MIT"], "Apache-2.0")
    'CC-BY-SA-4.0'
    >>> effective(["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "Apache-2.0")
    'CC-BY-NC-4.0 AND CC-BY-SA-4.0'
    """
    ids = {part for license in [*seed_licenses, model_license] for part in str(license).split(" AND ")}
    if UNKNOWN in {part.lower() for part in ids}:
        return UNKNOWN
    binding = sorted(part for part in ids if _BINDING.search(part))
    return " AND ".join(binding or sorted(ids))
