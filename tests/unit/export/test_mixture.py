import itertools
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.config import Budget, MixtureSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.blend.difficulty import band_of
from nemo_sdg.export.blend.mixture import plan_mixture

sizes = st.lists(st.lists(st.integers(1000, 10**12), min_size=1, max_size=5), min_size=1, max_size=8)
corpora = sizes.map(
    lambda families: {f"f{i}": {f"t{j}": size for j, size in enumerate(tasks)} for i, tasks in enumerate(families)}
)
ratios = st.lists(st.floats(0.05, 1.0), min_size=40, max_size=40)
budgets = st.sampled_from(Budget)
SECTION = {
    "alpha": st.floats(0, 1),
    "family_cap": st.floats(0.02, 1),
    "task_cap": st.floats(0.02, 1),
    "family_floor": st.floats(0, 0.5),
    "max_epochs": st.floats(0.5, 100),
}
sections = st.builds(MixtureSection, **SECTION)
trainings = st.builds(
    MixtureSection, **SECTION, train_tokens=st.integers(10**6, 10**13), synthetic_share=st.floats(0.01, 1)
)


def two_variants(available, ratios):
    """The corpus with contexts, and without them: shorter in each task by another ratio."""
    ratio = iter(ratios)
    short = {f: {t: max(1, round(size * next(ratio))) for t, size in tasks.items()} for f, tasks in available.items()}
    return {"context": available, "no_context": short}


def plan_one(available, config):
    return plan_mixture({"context": available}, config)


def parts_of(plan):
    return [part for family in plan.families.values() for part in (family, *family.tasks.values())]


@given(corpora, sections)
def test_shares_sum_to_one_and_nobody_vanishes(available, config):
    mixture = plan_one(available, config)
    assert sum(mixture.weights.values()) == pytest.approx(1)
    assert set(mixture.families) == set(available)
    for name, family in mixture.families.items():
        assert family.share <= family.cap * (1 + 1e-6)
        assert mixture.notes or family.cap <= config.family_cap
        assert family.share >= min(config.family_floor, family.cap, 1 / len(available)) * (1 - 1e-6)
        assert sum(part.share for part in family.tasks.values()) == pytest.approx(family.share)
        for part in family.tasks.values():
            assert 0 < part.share <= part.cap * family.share * (1 + 1e-6)
        assert family.available == sum(available[name].values())
        assert family.epochs * family.available == pytest.approx(family.share * mixture.budget)


@given(corpora, ratios, st.one_of(sections, trainings), budgets)
def test_nothing_repeats_too_often_in_any_variant_and_advice_fits(available, ratios, config, budget):
    variants = two_variants(available, ratios)
    try:
        mixture = plan_mixture(variants, config, budget)
    except ConfigError as exc:
        assert config.train_tokens is not None
        for field, value in re.findall(r"mixture\.(train_tokens|synthetic_share|max_epochs)=(\S+)", str(exc))[1:]:
            number = int(value) if field == "train_tokens" else float(value)
            fitting = MixtureSection(**{**vars(config), field: number})
            plan_mixture(variants, fitting, budget)
        return
    for plan in mixture.variants.values():
        assert max(part.epochs for part in parts_of(plan)) <= config.max_epochs * (1 + 1e-6)
        assert sum(family.share for family in plan.families.values()) == pytest.approx(1)


@given(corpora, ratios, sections, budgets)
def test_a_sample_is_seen_as_often_in_every_variant(available, ratios, config, budget):
    mixture = plan_mixture(two_variants(available, ratios), config, budget)
    one, other = mixture.variants["context"], mixture.variants["no_context"]
    factors = [
        theirs.epochs / ours.epochs
        for name, family in one.families.items()
        for ours, theirs in zip(family.tasks.values(), other.families[name].tasks.values(), strict=True)
    ]
    assert factors == pytest.approx([factors[0]] * len(factors))
    if budget is Budget.samples:
        assert factors[0] == pytest.approx(1)
    else:
        assert one.trained_tokens == pytest.approx(other.trained_tokens, abs=1)


@given(corpora, sections)
def test_a_larger_family_never_gets_a_smaller_share(available, config):
    mixture = plan_one(available, config)
    ordered = sorted(mixture.families.values(), key=lambda family: family.available)
    for smaller, larger in itertools.pairwise(ordered):
        assert larger.share >= smaller.share * (1 - 1e-6)


def test_one_giant_and_forty_small_families():
    available = {"giant": {"giant": 1_000_000_000}} | {
        f"small{number:02d}": {f"task{number}": 1_000_000} for number in range(40)
    }
    mixture = plan_one(available, MixtureSection(max_epochs=20))
    assert mixture.weights["giant"] == pytest.approx(0.4)
    assert all(share == pytest.approx(0.6 / 40) for name, share in mixture.weights.items() if name != "giant")
    assert mixture.families["giant"].decided_by == "cap"


def test_families_of_three_documents_do_not_take_a_fifth_of_the_blend():
    available = {"code": {"a": 400_000}, "math": {"b": 300_000}} | {f"tiny{n}": {f"t{n}": 600} for n in range(20)}
    mixture = plan_one(available, MixtureSection())
    assert all(family.epochs <= 8 * 1.000001 for family in mixture.families.values())
    assert mixture.families["tiny0"].decided_by == "epochs"
    assert any("repeat 8 times: tiny0, tiny1" in note for note in mixture.notes)


def test_one_giant_among_forty_small_tasks_of_a_family():
    available = {"math": {"giant": 1_000_000_000} | {f"task{number:02d}": 1_000_000 for number in range(40)}}
    parts = plan_one(available, MixtureSection(family_cap=1.0)).families["math"].tasks
    assert parts["giant"].share == pytest.approx(1 - 320 / 1040)
    assert all(part.epochs == pytest.approx(8) for name, part in parts.items() if name != "giant")
    parts = plan_one(available, MixtureSection(family_cap=1.0, max_epochs=20)).families["math"].tasks
    assert parts["giant"].share == pytest.approx(0.5)


def test_alpha_goes_from_as_found_to_all_equal():
    available = {"a": {"t": 3000}, "b": {"t": 1000}}
    shares = [
        plan_one(available, MixtureSection(alpha=alpha, family_cap=1.0, family_floor=0.0)).weights["b"]
        for alpha in (1.0, 0.5, 0.0)
    ]
    assert shares == pytest.approx([0.25, 1000**0.5 / (1000**0.5 + 3000**0.5), 0.5])


def test_caps_that_cannot_hold_are_raised_as_little_as_needed_and_noted():
    mixture = plan_one({"a": {"t": 1000}, "b": {"t": 300}}, MixtureSection(family_cap=0.4))
    assert mixture.weights == pytest.approx({"a": 0.5, "b": 0.5})
    assert "the caps of 2 families add up to 0.8" in mixture.notes[0]
    mixture = plan_one({"a": {"t": 1000}, "b": {"t": 10}}, MixtureSection(family_cap=0.4))
    assert mixture.families["b"].epochs == pytest.approx(8)
    assert mixture.weights["a"] == pytest.approx(1 - 80 / 1010)


def test_a_cap_of_a_family_that_is_not_there_is_noted():
    mixture = plan_one({"science": {"t": 1000}, "math": {"t": 900}}, MixtureSection(family_caps={"sciense": 0.1}))
    assert any("family_caps names sciense" in note and "math, science" in note for note in mixture.notes)
    known = plan_one({"science": {"t": 1000}, "math": {"t": 900}}, MixtureSection(family_caps={"science": 0.1}))
    assert not any("family_caps" in note for note in known.notes)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 0.0])
def test_a_limit_of_epochs_is_a_finite_number(value):
    with pytest.raises(ConfigError, match=r"mixture\.max_epochs must be > 0"):
        MixtureSection(max_epochs=value)


def test_a_budget_in_tokens_limits_the_variant_with_short_texts():
    """Told 1.0 epoch, read 11.3 times: the guard looked at the first variant alone."""
    long = {"math": {"a": 40_000}, "code": {"b": 60_000}}
    short = {"math": {"a": 6_000}, "code": {"b": 12_000}}
    config = MixtureSection(max_epochs=6.0, family_cap=0.9, alpha=0.0)
    mixture = plan_mixture({"context": long, "answer_only": short}, config, Budget.tokens)
    epochs = {name: family.epochs for name, family in mixture.variants["answer_only"].families.items()}
    assert max(epochs.values()) == pytest.approx(6.0)
    assert mixture.variants["answer_only"].trained_tokens == 100_000
    with pytest.raises(ConfigError, match=r"train_tokens=72000 or mixture\.max_epochs=8\.34$"):
        plan_mixture(
            {"context": long, "answer_only": short}, MixtureSection(max_epochs=4.0, train_tokens=150_000), Budget.tokens
        )


def test_a_shorter_variant_leaves_room_to_the_base_or_trains_shorter():
    variants = {"context": {"a": {"t": 1000}}, "no_context": {"a": {"t": 600}}}
    alone = plan_mixture(variants, MixtureSection(train_tokens=2000)).variants["no_context"]
    assert (alone.synthetic_share, alone.total_tokens, alone.epochs) == (1.0, 1200, pytest.approx(2))
    beside = plan_mixture(variants, MixtureSection(train_tokens=20_000, synthetic_share=0.1)).variants["no_context"]
    assert (beside.total_tokens, beside.trained_tokens) == (20_000, 1200)
    assert beside.synthetic_share == pytest.approx(0.06)


def test_a_training_longer_than_the_corpus_is_told_what_fits():
    config = MixtureSection(train_tokens=5_000_000_000_000, synthetic_share=0.022, family_cap=1.0)
    with pytest.raises(
        ConfigError,
        match=(
            r"set mixture\.train_tokens=2469090909090 or mixture\.synthetic_share=0\.0108 or "
            r"mixture\.max_epochs=16\.3"
        ),
    ):
        plan_one({"choice": {"t": 6_100_000_000}, "free": {"t": 690_000_000}}, config)


def test_what_has_no_tokens_is_left_out_and_nothing_at_all_is_an_error():
    mixture = plan_one({"a": {"t": 5, "u": 0}, "b": {"v": 0}, "c": {}}, MixtureSection())
    assert {name: list(family.tasks) for name, family in mixture.families.items()} == {"a": ["t"]}
    with pytest.raises(DataError, match="nothing to mix"):
        plan_one({"a": {"t": 0}}, MixtureSection())


def test_the_explanation_is_plain_data_in_a_fixed_order():
    mixture = plan_one({"b": {"t": 3, "s": 1}, "a": {"t": 5}}, MixtureSection())
    plain = orjson.loads(orjson.dumps(mixture.as_dict()))
    assert list(plain["families"]) == ["a", "b"]
    assert set(plain["families"]["b"]["tasks"]["s"]) == {
        "available",
        "cap",
        "sampled",
        "share",
        "epochs",
        "decided_by",
        "bands",
    }


bands = st.fixed_dictionaries({band: st.integers(1, 10**6) for band in ("easy", "medium", "hard")})
weights = st.fixed_dictionaries({band: st.floats(0.1, 20) for band in ("easy", "medium", "hard")})


@given(bands, st.lists(st.floats(0.05, 1.0), min_size=3, max_size=3), weights, budgets, st.floats(1.0, 20))
def test_harder_samples_take_the_place_of_easier_ones_within_their_task(tokens, ratios, weights, budget, most):
    short = {band: max(1, round(num * ratio)) for (band, num), ratio in zip(tokens.items(), ratios, strict=True)}
    by_band = {"context": tokens, "no_context": short}
    available = {variant: {"f": {"t": sum(own.values())}} for variant, own in by_band.items()}
    plain = plan_mixture(available, MixtureSection(max_epochs=most), budget)
    config = MixtureSection(max_epochs=most, difficulty=weights)
    found = plan_mixture(available, config, budget, {v: {"f": {"t": own}} for v, own in by_band.items()})
    task = found.families["f"].tasks["t"]
    assert task.share == plain.families["f"].tasks["t"].share
    assert sum(task.bands[band] * num for band, num in tokens.items()) == pytest.approx(task.epochs * task.available)
    for one, other in itertools.permutations(tokens, 2):
        if weights[one] >= weights[other]:
            assert task.bands[one] >= task.bands[other] * (1 - 1e-6)
            free = task.bands[one] < max(most, task.epochs) * (1 - 1e-6)
            if free and budget is Budget.samples:
                assert task.bands[one] / task.bands[other] == pytest.approx(weights[one] / weights[other], rel=1e-6)
    for plan in found.variants.values():
        seen = plan.families["f"].tasks["t"]
        assert max(seen.bands.values()) <= most * (1 + 1e-6)
        factor = seen.bands["easy"] / task.bands["easy"]
        assert seen.bands == pytest.approx({band: epochs * factor for band, epochs in task.bands.items()})


def test_bands_are_by_the_share_that_misses_the_answer():
    assert [band_of({"difficulty": value}) for value in (0.0, 0.25, 0.3, 0.5, 0.75, 1.0, None)] == [
        "easy", "easy", "medium", "medium", "hard", "hard", "medium",
    ]  # fmt: skip


def test_what_max_epochs_holds_back_is_noted():
    available = {"context": {"f": {"t": 1100}}}
    config = MixtureSection(max_epochs=2, difficulty={"hard": 50})
    found = plan_mixture(available, config, bands={"context": {"f": {"t": {"easy": 1000, "hard": 100}}}})
    assert found.families["f"].tasks["t"].bands == pytest.approx({"easy": 0.9, "hard": 2.0})
    assert found.notes[-1] == "mixture.max_epochs=2 holds mixture.difficulty back in 1 tasks"
