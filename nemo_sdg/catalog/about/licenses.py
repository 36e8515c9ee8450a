"""The licence policy, and the effective licence of a sample. This is data with its sources, not legal advice.

A sample is made from the rows of its seeds by one or several models, so all their licences count.
- If one licence is unknown, the result is unknown: it might forbid anything.
- A licence that is known to ask for notice or credit only (PERMISSIVE) is named only if there is no stricter one.
- Every other licence stays in the result: share-alike, non-commercial, no-derivatives, the terms of a model, and names
  that are not recognised. Several are joined by AND, as in SPDX.
"""

import re
from collections.abc import Iterable
from typing import Any

from nemo_sdg.config import LicensePolicy

UNKNOWN = "unknown"
_PERMISSIVE_IDS = """
0BSD AFL-2.0 AFL-2.1 AFL-3.0 Apache-1.1 Apache-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause
BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 CC-BY CC-BY-1.0 CC-BY-2.0 CC-BY-2.5
CC-BY-3.0 CC-BY-4.0 CC-PDDC CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 ECL-2.0 etalab-2.0 ISC
MIT MIT-0 NCSA NIST-PD ODC-By-1.0 OGL-UK-3.0 PDDL-1.0 PostgreSQL PSF-2.0 Python-2.0 Unlicense
UPL-1.0 W3C WTFPL X11 Zlib
"""
PERMISSIVE = frozenset(_PERMISSIVE_IDS.split())
"""SPDX ids of public-domain dedications, and of licences that ask for notice and credit only"""
_SPELLINGS = {
    **{name.lower(): name for name in PERMISSIVE},
    **dict.fromkeys(("apache", "apache-2", "apache2.0", "apache2", "apache-license-2.0", "apache-v2"), "Apache-2.0"),
    **dict.fromkeys(("mit-license", "the-mit-license", "expat"), "MIT"),
    **dict.fromkeys(("bsd-2", "bsd-2clause", "2-clause-bsd", "simplified-bsd"), "BSD-2-Clause"),
    **dict.fromkeys(("bsd-3", "bsd-3clause", "3-clause-bsd", "new-bsd"), "BSD-3-Clause"),
    **dict.fromkeys(("cc0", "cc-0", "cc-zero", "cc0-1", "cc-0-1.0", "cc-cc0-1.0"), "CC0-1.0"),
    **dict.fromkeys(("odc-by", "odc-by-1"), "ODC-By-1.0"),
    **dict.fromkeys(("pddl", "odc-pddl", "odc-pddl-1.0"), "PDDL-1.0"),
    **dict.fromkeys(("public-domain", "publicdomain"), "CC-PDDC"),
    **dict.fromkeys(("boost", "boost-software"), "BSL-1.0"),
    "odbl": "ODbL-1.0",
    "odbl-1.0": "ODbL-1.0",
}
_CREATIVE_COMMONS = (
    (r"creative-?commons", "cc"),
    (r"non-?commercial", "nc"),
    (r"share-?alike", "sa"),
    (r"no-?deriv(?:ative)?s?(?:-works)?", "nd"),
    (r"attribution", "by"),
    (r"-(?:international|unported|generic|public|licen[cs]e|deed)(?=-|$)", ""),
)
_CC = re.compile(r"cc-?(by(?:-(?:nc|sa|nd))*)-?v?(\d(?:\.\d)?)?")
_GNU = re.compile(r"(a|l)?gpl-?v?(\d(?:\.\d)?)(\+|-or-later|-only)?")


def spdx_id(license: str) -> str:
    """A licence's SPDX id, whatever the spelling; a name that is not recognised stays as it is.

    >>> spdx_id("cc by-nc 4.0"), spdx_id("Creative Commons Attribution ShareAlike 4.0"), spdx_id("llama3.1")
    ('CC-BY-NC-4.0', 'CC-BY-SA-4.0', 'llama3.1')
    """
    name = " ".join(license.split())
    plain = re.sub(r"[\s_,/()-]+", "-", name.lower()).strip("-")
    if plain in ("", "unknown", "none", "null", "n-a", "unlicensed", "unspecified"):
        return UNKNOWN
    if plain in _SPELLINGS:
        return _SPELLINGS[plain]
    common = plain
    for pattern, word in _CREATIVE_COMMONS:
        common = re.sub(pattern, word, common)
    match = _CC.fullmatch(re.sub(r"-+", "-", common).strip("-"))
    if match:
        version = match[2] and (match[2] if "." in match[2] else f"{match[2]}.0")
        return "-".join(["CC", match[1].upper(), *([version] if version else [])])
    match = _GNU.fullmatch(plain)
    if match:
        version = match[2] if "." in match[2] else f"{match[2]}.0"
        return f"{(match[1] or '').upper()}GPL-{version}{'-or-later' if match[3] in ('+', '-or-later') else '-only'}"
    return _SPELLINGS.get(re.sub(r"-licen[cs]e|-version|^the-", "", plain).replace("-v", "-"), name)


def allowed(license: dict[str, Any], policy: LicensePolicy, listed: Iterable[str]) -> bool:
    """Whether rows under a licence (a catalog row's `license`) may be seeds. An unknown licence is not known to be
    commercial.
    """
    if policy is LicensePolicy.any:
        return True
    if policy is LicensePolicy.commercial:
        return bool(license["commercial_use"] == "yes")
    return license["id"] in set(listed)


def effective(seeds: Iterable[str], models: Iterable[str]) -> str:
    """The licence ids of a sample, joined by AND, from the licences of its seeds and of the models that wrote it;
    `unknown` if one of them is unknown.

    >>> effective(["CC-BY-SA-4.0", "MIT"], ["Apache-2.0"])
    'CC-BY-SA-4.0'
    >>> effective(["CC-BY-SA-4.0"], ["llama3.1"])
    'CC-BY-SA-4.0 AND llama3.1'
    """
    parts = [part for license in (*seeds, *models) for part in str(license).split(" AND ")]
    ids = {spdx_id(part) for part in parts}
    if UNKNOWN in ids or not ids:
        return UNKNOWN
    return " AND ".join(sorted(ids - PERMISSIVE) or sorted(ids))
