"""The real command on the real embedded model."""

from pathlib import Path

from nemo_sdg.store import read_jsonl
from tests.e2e.harness import digests, nemo_sdg


def arguments(run_dir: Path, in_flight: int) -> list[str]:
    return [
        "run",
        "configs/quickstart.yaml",
        f"run.dir={run_dir}",
        "seeds.tasks=[qs_science,qs_arithmetic]",
        "seeds.limit_per_task=1",
        f"engine.max_in_flight={in_flight}",
        "--until",
        "verified",
    ]


def test_the_embedded_model_answers_and_the_window_changes_no_byte(root: Path, tmp_path: Path) -> None:
    for in_flight in (4, 1):
        result = nemo_sdg(root, *arguments(tmp_path / str(in_flight), in_flight))
        assert result.returncode == 0, result.stderr
    samples = list(read_jsonl(tmp_path / "4" / "answers" / "shard-00000.jsonl"))
    assert {sample["origin"] for sample in samples} >= {"seed"}
    assert all(sample["generator"]["model"] == "SmolLM2-135M-Instruct.Q4_1.gguf" for sample in samples), samples[0]["generator"]
    assert all(sample["usage"]["completion_tokens"] > 0 for sample in samples)
    assert digests(tmp_path / "4") == digests(tmp_path / "1")
