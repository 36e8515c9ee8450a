"""The figures of `forecast` from a pilot are those of the pilot; `preview` shows the path of a seed through all steps
and writes nothing.
"""

from pathlib import Path

import orjson
import pytest

from nemo_sdg.commands.ahead import forecast as ahead
from nemo_sdg.config import load_config
from nemo_sdg.pipeline.rates import measured
from nemo_sdg.storage import read_jsonl, stored_files
from tests.e2e.harness import called, nemo_sdg, run_arguments


def rows(run_dir: Path, step: str) -> list[dict]:
    return [row for path in stored_files(run_dir / step, "shard-*.jsonl") for row in read_jsonl(path)]


def test_a_forecast_of_the_pilot_itself_is_right(root: Path, server: str, undisturbed: Path) -> None:
    arguments = run_arguments(undisturbed, server)[1:]
    result = called(
        root, "forecast", *arguments, "--pilot", str(undisturbed), "--tokens-per-s", "1000", "--price", "2.5", "--json"
    )
    assert result.returncode == 0, result.stderr
    said = orjson.loads(result.stdout)
    answers, questions = rows(undisturbed, "answers"), rows(undisturbed, "questions")
    votes = sum(len(sample["solutions"]) for sample in answers)
    assert said["seeds"] == len(rows(undisturbed, "seeds"))
    assert said["answers"]["requests"] == votes
    assert said["completion_tokens"] == pytest.approx(
        sum(sample["usage"]["completion_tokens"] for sample in answers), rel=0.1
    )
    assert said["accepted_samples"] == len(rows(undisturbed, "curated"))
    assert said["requests"] == votes + said["questions"]["requests"]
    assert said["questions"]["requests"] >= sum(sample["origin"] == "similar" for sample in questions)
    packed = [
        orjson.loads(path.read_bytes())["variants"]["context"]
        for path in (undisturbed / "packed" / "receipts").glob("*.json")
    ]
    assert said["accepted_tokens"] == pytest.approx(sum(part["tokens"] for part in packed), rel=0.01)
    assert said["gpu_hours"] == pytest.approx(said["completion_tokens"] / 1000 / 3600, abs=0.001)


def test_other_votes_are_drawn_from_the_pilot(undisturbed: Path) -> None:
    def votes(num: int) -> dict[str, float]:
        config = load_config("configs/quickstart.yaml", [f"generate.votes={num}"])
        return measured(undisturbed, config).votes

    asked = {num: votes(num) for num in (1, 3, 8, 16)}
    for origin in ("similar", "seed"):
        rising = [asked[num][origin] for num in (1, 3, 8, 16)]
        assert rising == sorted(rising)
        assert rising[-1] > 2 * rising[1]
        assert all(most <= bound for most, bound in zip(rising, (2.5, 5, 10, 18), strict=True))


def test_a_probe_measures_the_configured_engine(
    root: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "PROBE_SECONDS", 1.0)
    result = called(root, "forecast", *run_arguments(tmp_path / "run", server)[1:], "--probe", "--json")
    assert result.returncode == 0, result.stderr
    said = orjson.loads(result.stdout)
    assert said["tokens_per_s_per_gpu"] > 0
    assert "measured: fake wrote" in said["tokens_per_s_source"]


def test_preview_shows_prompt_output_and_verdict_and_writes_nothing(root: Path, server: str, tmp_path: Path) -> None:
    arguments = run_arguments(tmp_path / "run", server)[1:]
    result = nemo_sdg(root, "preview", *arguments, "--task", "qs_science", "-n", "1", COLUMNS="200")
    assert result.returncode == 0, result.stderr
    for words in (
        "new questions: prompt",
        "[system] You write questions for an exam.",
        "raw output",
        "answers to",
        "the seed itself",
        "votes: {",
    ):
        assert words in result.stdout
    assert list(tmp_path.iterdir()) == []
