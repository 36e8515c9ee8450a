import itertools
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.config import MixtureSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.mixture import plan_mixture

sizes = st.lists(st.lists(st.integers(1000, 10**12), min_size=1, max_size=5), min_size=1, max_size=8)
corpora = sizes.map(
    lambda families: {f"f{i}": {f"t{j}": size for j, size in enumerate(tasks)} for i, tasks in enumerate(families)}
)
sections = st.builds(
    MixtureSection,
    alpha=st.floats(0, 1),
    family_cap=st.floats(0.02, 1),
    task_cap=st.floats(0.02, 1),
    family_floor=st.floats(0, 0.5),
    max_epochs=st.floats(0.5, 100),
)


@given(corpora, sections)
def test_shares_sum_to_one_within_caps_and_nobody_vanishes(available, config):
    mixture = plan_mixture(available, config)
    assert sum(mixture.weights.values()) == pytest.approx(1)
    assert set(mixture.families) == set(available)
    relaxed = len(available) * config.family_cap < 1
    for name, family in mixture.families.items():
        assert family.share <= family.cap * (1 + 1e-6)
        assert relaxed or family.cap == config.family_cap
        assert family.share >= min(config.family_floor, family.cap, 1 / len(available)) * (1 - 1e-6)
        assert sum(part.share for part in family.tasks.values()) == pytest.approx(family.share)
        for part in family.tasks.values():
            assert 0 < part.share <= part.cap * family.share * (1 + 1e-6)
        assert family.available == sum(available[name].values())
        assert family.epochs * family.available == pytest.approx(family.share * mixture.budget)


@given(corpora, sections, st.integers(10**6, 10**13), st.floats(0.01, 1))
def test_the_guard_fires_where_it_must_and_its_advice_fits(available, config, train_tokens, synthetic_share):
    config.train_tokens, config.synthetic_share = train_tokens, synthetic_share
    errors = []
    for _ in range(3):
        try:
            mixture = plan_mixture(available, config)
        except ConfigError as exc:
            errors.append(str(exc))
            caps, share = re.search(r"family_caps=\{(.*)\}", str(exc)), re.search(r"synthetic_share=(\S+)", str(exc))
            if caps:
                config.family_caps = {
                    name: float(cap) for name, cap in (item.split(": ") for item in caps[1].split(", "))
                }
            elif share:
                config.synthetic_share = float(share[1])
        else:
            assert max(family.epochs for family in mixture.families.values()) <= config.max_epochs * 1.0001
            return
    pytest.fail(f"the advice does not fit: {errors}")


@given(corpora, sections)
def test_a_larger_family_never_gets_a_smaller_share(available, config):
    mixture = plan_mixture(available, config)
    ordered = sorted(mixture.families.values(), key=lambda family: family.available)
    for smaller, larger in itertools.pairwise(ordered):
        assert larger.share >= smaller.share * (1 - 1e-6)


def test_one_giant_and_forty_small_families():
    available = {"giant": {"giant": 1_000_000_000}} | {
        f"small{number:02d}": {f"task{number}": 1_000_000} for number in range(40)
    }
    mixture = plan_mixture(available, MixtureSection())
    assert mixture.weights["giant"] == pytest.approx(0.4)
    assert all(share == pytest.approx(0.6 / 40) for name, share in mixture.weights.items() if name != "giant")
    assert mixture.families["giant"].decided_by == "cap"


def test_one_giant_among_forty_small_tasks_of_a_family():
    available = {"math": {"giant": 1_000_000_000} | {f"task{number:02d}": 1_000_000 for number in range(40)}}
    parts = plan_mixture(available, MixtureSection(family_cap=1.0)).families["math"].tasks
    assert parts["giant"].share == pytest.approx(1 - 320 / 1040)
    assert all(part.epochs == pytest.approx(8) for name, part in parts.items() if name != "giant")
    parts = plan_mixture(available, MixtureSection(family_cap=1.0, max_epochs=20)).families["math"].tasks
    assert parts["giant"].share == pytest.approx(0.5)


def test_temperature():
    available = {"a": {"t": 10_000}, "b": {"t": 100}}
    weights = [
        plan_mixture(available, MixtureSection(alpha=alpha, family_cap=1.0, family_floor=0.0)).weights["b"]
        for alpha in (1.0, 0.5, 0.0)
    ]
    assert weights == pytest.approx([100 / 10_100, 10 / 110, 0.5])


def test_caps_that_cannot_hold_are_raised_in_proportion_and_noted():
    mixture = plan_mixture({"a": {"t": 1000}, "b": {"t": 10}}, MixtureSection(family_cap=0.4))
    assert mixture.weights == pytest.approx({"a": 0.5, "b": 0.5})
    assert mixture.notes[0] == "the caps of 2 families add up to 0.8, less than 1: raised in proportion"
    mixture = plan_mixture({"a": {"t": 1000}, "b": {"t": 10}}, MixtureSection(family_cap=0.4, family_caps={"b": 0.1}))
    assert mixture.weights == pytest.approx({"a": 0.8, "b": 0.2})


def test_the_guard_names_the_family_and_the_caps_that_fit():
    available = {"big": {"t": 900_000_000}, "mid": {"t": 500_000_000}, "tiny": {"t": 1_000_000}}
    config = MixtureSection(train_tokens=100_000_000_000, synthetic_share=0.01, family_cap=0.7)
    with pytest.raises(
        ConfigError,
        match=r"tiny 10 times, above 8; these weights fit: .* \(set mixture\.family_caps=\{tiny: 0\.008\}\)",
    ):
        plan_mixture(available, config)
    config.family_caps = {"tiny": 0.008}
    assert plan_mixture(available, config).families["tiny"].epochs == pytest.approx(8)


def test_the_guard_says_what_length_fits_when_no_weights_do():
    config = MixtureSection(train_tokens=5_000_000_000_000, synthetic_share=0.022, family_cap=1.0)
    with pytest.raises(
        ConfigError,
        match=(
            r"at most 53,782,178,2\d\d fit, whatever the weights: set mixture\.synthetic_share=0\.0107 or "
            r"mixture\.train_tokens=2444644"
        ),
    ):
        plan_mixture({"choice": {"t": 6_100_000_000}, "free": {"t": 690_000_000}}, config)


def test_what_has_no_tokens_is_left_out_and_nothing_at_all_is_an_error():
    assert plan_mixture({"a": {"t": 5, "u": 0}, "b": {"v": 0}, "c": {}}, MixtureSection()).task_weights == {
        "a": {"t": 1.0}
    }
    with pytest.raises(DataError, match="nothing to mix"):
        plan_mixture({"a": {"t": 0}}, MixtureSection())


def test_the_explanation_is_plain_data_in_a_fixed_order():
    mixture = plan_mixture({"b": {"t": 3, "s": 1}, "a": {"t": 5}}, MixtureSection())
    plain = orjson.loads(orjson.dumps(mixture.as_dict()))
    assert list(plain["families"]) == ["a", "b"]
    assert set(plain["families"]["b"]["tasks"]["s"]) == {"available", "cap", "sampled", "share", "epochs", "decided_by"}
