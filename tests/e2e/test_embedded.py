"""The real command with the real embedded model."""

from pathlib import Path

from nemo_sdg.storage import read_jsonl, stored
from tests.e2e.harness import called, digests, nemo_sdg


def arguments(run_dir: Path) -> list[str]:
    return [
        "run",
        "configs/quickstart.yaml",
        f"run.dir={run_dir}",
        "seeds.tasks=[qs_yesno]",  # the shortest prompts
        "seeds.limit_per_task=1",
        "generate.few_shot=0",
        "generate.votes=2",
        "--until",
        "verified",
    ]


def test_the_embedded_model_answers_and_is_not_asked_twice(root: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    result = nemo_sdg(root, *arguments(run_dir), "engine.threads=1")  # several would wait for each other beside others
    assert result.returncode == 0, result.stderr
    samples = list(read_jsonl(run_dir / "answers" / "shard-00000.jsonl"))
    assert {sample["origin"] for sample in samples} >= {"seed"}
    assert all(sample["generator"]["model"].startswith("SmolLM2-135M-Instruct.Q4_1.gguf@") for sample in samples)
    assert all(sample["usage"]["completion_tokens"] > 0 for sample in samples)

    before = digests(run_dir)
    for step in ("questions", "answers"):
        stored(run_dir / step / "shard-00000.jsonl").unlink()
    assert called(root, *arguments(run_dir), "engine.threads=2").returncode == 0
    assert digests(run_dir) == before
    assert [path.name for path in (run_dir / "answers" / "journal").iterdir()] == ["shard-00000.0000.jsonl.zst"]
