"""The summary at the end of a run."""

from pathlib import Path
from typing import Any

import orjson
import pytest

import nemo_sdg.generate
from nemo_sdg.config import EngineKind, EngineSection, RunConfig
from nemo_sdg.execution.progress import COLUMNS
from nemo_sdg.pipeline.summary import DATA_STEPS, LINES, advice, summary
from nemo_sdg.storage import Ledger


def counts(kept: int, **dropped: int) -> dict[str, Any]:
    return {"t": {"in": kept + sum(dropped.values()), "kept": kept, "dropped": dropped, "not_sampled": 0}}


FACTS: dict[str, Any] = {
    "steps": {
        "seeds": {"counts": counts(52)},
        "questions": {"counts": counts(90, cut_at_max_tokens=6, copy_of_seed=8)},
        "answers": {"counts": counts(88, cut_at_max_tokens=2)},
        "verified": {"counts": counts(66, no_majority=12, reasoning_misses_gold=10)},
        "curated": {"counts": counts(21, context_gives_answer=16, language_mismatch=29)},
    },
    "evaluation_splits_unreachable": [{}] * 4677,
}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(value))


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    write(
        tmp_path / "curated" / "health.json",
        {
            "families": {
                "math": {
                    "after": {"samples": 20, "agreement": 0.75, "difficulty": {"mean": 0.9}, "guidance": {"guided": 3}}
                },
                "code": {"after": {"samples": 1, "agreement": 0.75, "difficulty": {"mean": 0.9}}},
            },
            "notes": [{"group": "task t", "about": "positions", "detail": "position 'A' is right in 80%"}],
        },
    )
    write(
        tmp_path / "packed" / "receipts" / "a.json",
        {"family": "math", "variants": {"context": {"documents": 21, "tokens": 1800}}},
    )
    return tmp_path


def test_summary_says_what_came_out_what_was_lost_and_what_to_change(run_dir: Path) -> None:
    lines = summary(run_dir, RunConfig(), FACTS)
    told = " ".join(" ".join(lines).split())
    assert "21 of 104 attempted samples (20%)" in told
    assert "1 tasks; documents: math 21; tokens: 1,800 context" in told
    assert "75% of the votes agree with the kept answers; 3 of 21 solutions were written with the gold" in told
    assert "position 'A' is right in 80%" in told
    assert "4,677 evaluation splits could not be seen" in told
    assert "language_mismatch 29 of 104 (texts in another language than the task's): check metadata.nemo_sdg" in told
    assert "curate.filters.context_gives_answer=false" in told
    assert "copy_of_seed 8 of 104" not in told  # the three that weigh most
    assert "the embedded model is small" in told
    assert f"nemo-sdg sample {run_dir}" in told


def test_summary_fits_the_screen_whatever_the_run(run_dir: Path) -> None:
    every = dict.fromkeys(advice(), 1000)
    facts = {
        "steps": {step: {"counts": counts(1, **every)} for step in DATA_STEPS},
        "evaluation_splits_unreachable": [{}],
    }
    lines = summary(run_dir, RunConfig(), facts)
    assert len(lines) <= LINES
    assert all(len(line) <= COLUMNS or str(run_dir) in line for line in lines)


def test_a_strong_engine_is_not_called_small(run_dir: Path) -> None:
    engine = EngineSection(kind=EngineKind.openai, model="m", base_urls=["http://h/v1"])
    assert "the embedded model is small" not in " ".join(summary(run_dir, RunConfig(engine=engine), FACTS))


def test_reasons_without_advice_are_shown_all_the_same(run_dir: Path) -> None:
    steps = {**FACTS["steps"], "curated": {"counts": counts(0, shouting=90)}}
    told = " ".join(summary(run_dir, RunConfig(), {**FACTS, "steps": steps}))
    assert "shouting 90 of 104: look at some" in told


def test_what_a_reply_lacks_is_not_blamed_on_the_data() -> None:
    of_data = {reason for reason, (means, _) in advice().items() if means == "rows of the data that make no seed"}
    sources = [path.read_text() for path in Path(nemo_sdg.generate.__path__[0]).rglob("*.py")]
    assert of_data
    assert [reason for reason in sorted(of_data) if any(f'"{reason}"' in source for source in sources)] == []


def test_a_run_without_attempts_or_health_has_a_summary(tmp_path: Path) -> None:
    facts = {"steps": {step: {"counts": {}} for step in DATA_STEPS}, "evaluation_splits_unreachable": []}
    assert "0 of 0 attempted samples" in " ".join(summary(tmp_path, RunConfig(), facts))


def test_a_run_of_two_versions_says_so(run_dir: Path) -> None:
    for step, version in {"seeds": "0.1.0+a", "answers": "0.1.0+b"}.items():
        ledger = Ledger(
            step=step, identity="i", fingerprint="f", before={}, version=1, configuration={}, inputs={}, places={}
        )
        assert not any(line.startswith("versions") for line in summary(run_dir, RunConfig(), FACTS))
        ledger.made_by = [version]
        ledger.write(run_dir)
    told = " ".join(" ".join(summary(run_dir, RunConfig(), FACTS)).split())
    assert "versions steps were made by different versions of nemo_sdg: seeds by 0.1.0+a; answers by 0.1.0+b" in told


def test_families_that_find_no_room_are_counted(run_dir: Path) -> None:
    for number in range(12):
        receipt = {"family": f"family_{number}", "variants": {"context": {"documents": 3, "tokens": 9}}}
        write(run_dir / "packed" / "receipts" / f"{number}.json", receipt)
    told = " ".join(" ".join(summary(run_dir, RunConfig(), FACTS)).split())
    assert "math 21, family_0 3, family_1 3, family_10 3 and 9 more families; tokens" in told
