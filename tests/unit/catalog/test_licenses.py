"""The licence policy, and the effective licence of a sample."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nemo_sdg
from nemo_sdg.catalog.about.families import read_data
from nemo_sdg.catalog.about.licenses import PERMISSIVE, allowed, effective, spdx_id
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
    "llama3.1",
    "NVIDIA Open Model License",
    "cc by-nc 4.0",
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
    assert effective(seeds, [model]) == expected


@pytest.mark.parametrize(
    "model",
    ["llama3.1", "gemma", "other", "proprietary", "gpl", "NVIDIA Open Model License", "qwen-research", "deepseek", "x"],
)
def test_what_is_not_known_as_permissive_never_vanishes(model):
    assert effective(["CC-BY-SA-4.0", "MIT"], [model]) == " AND ".join(sorted(["CC-BY-SA-4.0", model]))
    assert nemo_sdg.effective_license([model], ["MIT", "Apache-2.0"]) == model


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("CC BY-NC 4.0", "CC-BY-NC-4.0"),
        ("cc-by-nc-sa-3.0", "CC-BY-NC-SA-3.0"),
        ("Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("apache license 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The MIT License", "MIT"),
        ("bsd-3-clause", "BSD-3-Clause"),
        ("gpl-3.0", "GPL-3.0-only"),
        ("AGPLv3", "AGPL-3.0-only"),
        ("cc0", "CC0-1.0"),
        ("public domain", "CC-PDDC"),
        ("", "unknown"),
        ("Unknown", "unknown"),
        ("Gemma", "Gemma"),
    ],
)
def test_spellings_become_spdx_ids(written, expected):
    assert spdx_id(written) == expected
    assert spdx_id(expected) == expected


def test_several_models_have_a_say_and_an_unknown_one_decides():
    assert effective(["MIT"], ["MIT", "llama3.1", "gemma"]) == "gemma AND llama3.1"
    assert effective(["MIT"], ["MIT", ""]) == "unknown"
    assert effective([], []) == "unknown"


def test_every_permissive_id_yields_to_one_that_binds():
    assert all(effective([name], ["CC-BY-SA-4.0"]) == "CC-BY-SA-4.0" for name in PERMISSIVE)


@given(st.lists(st.sampled_from(IDS), max_size=5), st.sampled_from(IDS), st.sampled_from(IDS))
def test_the_closure_is_one(seeds, model, extra):
    """Order and repetition do not matter, closing twice changes nothing, and what binds is never lost by adding a
    licence.
    """
    whole = effective(seeds, [model])
    assert whole == effective([*reversed(seeds), *seeds], [model]) == effective([whole], [model])
    more = effective([*seeds, extra], [model])
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
