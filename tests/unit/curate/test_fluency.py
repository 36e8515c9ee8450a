"""The filter of fluency uses a model's losses only if it is configured. The embedded model's own losses are in
tests/contract/test_fluency.py.
"""

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.registry import apply_filters, load_filters
from nemo_sdg.curate.filters.wording import fluency as filters

SALAD = "sugar around from plants the to What build take gas in do air them?"
SAMPLE = {
    "sample_id": "1", "task": "t", "family": "science", "frame": "generation", "origin": "similar",
    "kind": "short_text", "language": "en", "question": SALAD, "choices": None, "tests": None,
    "answer": {"text": "carbon dioxide", "label": None, "aliases": []}, "passage": None,
    "context": "Green leaves take a gas in through pores in their skin.",
    "reasoning": "Leaves take in carbon dioxide through pores, and the light turns it into sugar: carbon dioxide.",
}  # fmt: skip


class Counts:
    """A stand-in for the model: the loss of a text is given."""

    def __init__(self, losses: dict[str, float]) -> None:
        self.known = losses

    def losses(self, texts: list[str]) -> list[float]:
        return [self.known.get(text, 8.0) for text in texts]


def test_filter_is_off_until_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_model", lambda: Counts({SALAD: 7.9}))
    assert "fluency" not in [name for name, _ in load_filters(CurateSection())]
    asked = CurateSection(filters={"fluency": True, "context_off_topic": False})
    found = apply_filters(SAMPLE, asked)
    assert found is not None
    assert found[0] == "not_fluent"


def test_filter_keeps_what_gains_from_its_order_and_the_seeds_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_model", lambda: Counts({SALAD: 5.0}))
    only = CurateSection(filters={"fluency": {"min_gain": 2.5}, "context_off_topic": False})
    assert apply_filters(SAMPLE, only) is None
    monkeypatch.setattr(filters, "_model", lambda: Counts({SALAD: 6.0}))
    assert apply_filters(SAMPLE, only) is not None  # its words gain 2.0 from their order
    monkeypatch.setattr(filters, "_model", lambda: Counts({}))
    assert apply_filters(SAMPLE, only) is not None  # 8.0 nats a token are too many
    assert apply_filters({**SAMPLE, "origin": "seed"}, only) is None
    assert apply_filters({**SAMPLE, "question": "Who wrote Hamlet?"}, only) is None
