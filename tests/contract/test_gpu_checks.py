"""The acceptance checks for machines with a GPU, as far as they run without one: their measurements run on engines that
are available here.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.openai_server import serving


@pytest.fixture
def checks(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(root / "scripts"))
    import gpu_checks

    return gpu_checks


def fake_engine(url: str) -> list[str]:
    return [
        "engine.kind=openai",
        "engine.model=fake",
        f"engine.base_urls=[{url}]",
        "engine.max_in_flight=32",
        "generate.style=compact",
        "run.measure=false",
    ]


def test_generation_counts_readable_votes(checks, tmp_path: Path) -> None:
    with serving() as server:
        passed, said = checks.check_generation(tmp_path / "run", [*fake_engine(server.url), "seeds.limit_per_task=13"])
    assert passed, said
    assert said.startswith("openai, ")
    assert "100% of " in said


@pytest.mark.parametrize("guided", [True, False])
def test_guided_tells_json_that_follows_its_schema_from_prose(checks, guided: bool) -> None:
    with serving() as server:
        passed, said = checks.check_guided(
            [*fake_engine(server.url), f"engine.structured={'json_schema' if guided else 'none'}"], num=4
        )
    assert passed is guided, said


def test_dedup_finds_what_was_planted(checks, tmp_path: Path) -> None:
    passed, said = checks.check_dedup(tmp_path / "dedup", num=500, gpu=False)
    assert passed, said
    assert "of 100 planted" in said


def test_embedding_compares_its_device_with_the_cpu(checks) -> None:
    passed, said = checks.check_embedding(num=64)
    assert passed, said
    assert "texts/s on cpu" in said


@pytest.mark.usefixtures("no_charts")
def test_ablation_says_how_the_loss_of_each_arm_fell(checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=49152, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=256,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path / "llama")
    monkeypatch.chdir(checks.ROOT)
    short = [
        f"proxy.model={tmp_path / 'llama'}", "proxy.tokens=2048", "proxy.seq_length=64", "proxy.batch_size=2",
        "proxy.lr=1e-2", "evaluation.limit=1", "evaluation.tasks=[qs_science]",
    ]  # fmt: skip
    with serving() as server:
        passed, said = checks.check_ablation(tmp_path / "run", fake_engine(server.url), short)
    assert passed, said
    assert "3 arms scored" in said
    assert (tmp_path / "run" / "report" / "index.html").is_file()
    assert not (tmp_path / "run" / "report" / "quality.json").exists(), "run.measure=false is for this page as well"


@pytest.mark.skipif(
    any(map(importlib.util.find_spec, ("tensorrt_llm", "cudf"))), reason="a GPU's packages are installed here"
)
def test_what_cannot_run_here_is_skipped_with_the_reason_and_nothing_passes(root: Path) -> None:
    result = subprocess.run(
        [str(root / "scripts" / "gpu_acceptance.sh")],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    table = result.stdout.strip().splitlines()
    names = ["generation", "hybrid", "guided", "dedup", "embedding", "ablation", "recipe", "training"]
    assert [line.split(":")[0] for line in table] == [f"SKIP {name}" for name in names]
    assert all("no package" in line or "sees no GPU" in line for line in table)
