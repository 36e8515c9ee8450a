"""Licence policy and the closure over a sample's licences."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.catalog.families import read_data
from nemo_sdg.catalog.licenses import allowed, effective
from nemo_sdg.config import LicensePolicy

IDS = [
    "MIT",
    "Apache-2.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC0-1.0",
    "LicenseRef-MARC",
    "unknown",
]


@pytest.mark.parametrize(
    ("seeds", "model", "expected"),
    [
        (["MIT"], "MIT", "MIT"),
        (["MIT", "CC-BY-4.0"], "Apache-2.0", "Apache-2.0 AND CC-BY-4.0 AND MIT"),
        (["CC-BY-SA-4.0", "MIT"], "Apache-2.0", "CC-BY-SA-4.0"),
        (["CC-BY-NC-3.0"], "Apache-2.0", "CC-BY-NC-3.0"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "MIT", "CC-BY-NC-4.0 AND CC-BY-SA-4.0"),
        (["MIT", "unknown"], "Apache-2.0", "unknown"),
        (["CC-BY-SA-4.0"], "unknown", "unknown"),
        (["MIT"], "LicenseRef-Llama-3.3", "LicenseRef-Llama-3.3"),
        (["CC-BY-NC-ND-4.0"], "MIT", "CC-BY-NC-ND-4.0"),
        ([], "Apache-2.0", "Apache-2.0"),
    ],
)
def test_effective_licence(seeds, model, expected):
    assert effective(seeds, model) == expected


@given(st.lists(st.sampled_from(IDS), max_size=5), st.sampled_from(IDS), st.sampled_from(IDS))
def test_the_closure_is_one(seeds, model, extra):
    """Order and repetition do not matter, closing twice changes nothing, and what binds is never lost by adding a
    licence.
    """
    whole = effective(seeds, model)
    assert whole == effective([*reversed(seeds), *seeds], model) == effective([whole], model) or whole == "unknown"
    more = effective([*seeds, extra], model)
    if more != "unknown":
        binding = {
            part for part in whole.split(" AND ") if "NC" in part or "SA" in part or part.startswith("LicenseRef")
        }
        assert binding <= set(more.split(" AND "))


@pytest.mark.parametrize(("commercial_use", "admitted"), [("yes", True), ("no", False), ("unknown", False)])
def test_only_known_permission_is_commercial(commercial_use, admitted):
    license = {"id": "MIT", "commercial_use": commercial_use}
    assert allowed(license, LicensePolicy.commercial, []) is admitted
    assert allowed(license, LicensePolicy.any, [])
    assert allowed(license, LicensePolicy.listed, ["MIT"])
    assert not allowed(license, LicensePolicy.listed, ["Apache-2.0"])


def test_the_table_never_calls_an_unknown_licence_usable():
    table = read_data("families.yaml")
    for row in table["datasets"]:
        assert {row["commercial_use"], row["share_alike"]} <= {"yes", "no", "unknown"}, row
        assert row["confidence"] in ("read", "remembered", "unknown"), row
        if row["license"] == "unknown":
            assert row["commercial_use"] == "unknown", row
        if "-NC" in row["license"]:
            assert row["commercial_use"] == "no", row
        if "-SA" in row["license"]:
            assert row["share_alike"] == "yes", row


def test_the_table_names_each_dataset_once():
    keys = [(row["path"], row.get("name")) for row in read_data("families.yaml")["datasets"]]
    assert [key for key, group in itertools.groupby(sorted(keys, key=str)) if len(list(group)) > 1] == []
