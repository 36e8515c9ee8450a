"""Stored verdicts: the same whether they are new, settled into arrays or read from files."""

import json
import random

import pytest

from nemo_sdg.curate.decontaminate import verdicts
from nemo_sdg.curate.decontaminate.verdicts import Known, Verdicts
from nemo_sdg.records import content_id


@pytest.fixture
def settled_early(monkeypatch):
    monkeypatch.setattr(verdicts, "SETTLED_AT", 3)


def test_numbers_are_found_by_their_keys_new_or_settled(settled_early):
    draw, known, expected = random.Random(0), Known(), {}
    for number in range(400):
        key = content_id(draw.randrange(300))  # some are put again
        expected[key] = draw.choice([0, 0, 1, 2**99 + 5, 2**64]) if key not in expected else expected[key]
        known.put(key, expected[key])
        assert known.find(content_id("never", number)) is None
    assert {key: known.find(key) for key in expected} == expected


def test_verdicts_are_read_again(tmp_path, settled_early):
    first = Verdicts(tmp_path, model="m")
    named = {content_id(num): [place for place in (0, 3, 99) if num >> (place % 5) & 1] for num in range(30)}
    for key, places in named.items():
        first.keep_named(key, places)
    first.keep(content_id("no"), False)
    first.keep(content_id("yes"), True)
    older = [("unclear", {"same": None}), ("cut", {"named": []}), ("clear", {"named": [2]})]
    lines = [json.dumps({"key": content_id(name), **said}) for name, said in older]
    (tmp_path / "verdicts-1-0a.jsonl").write_text("\n".join(lines) + "\n")
    for known in (first, Verdicts(tmp_path, model="m")):
        assert {key: known.find_named(key) for key in named} == named
        assert [known.find(content_id(name)) for name in ("no", "yes", "unclear")] == [False, True, None]
    assert [known.find_named(content_id(name)) for name in ("cut", "clear")] == [None, [2]]
