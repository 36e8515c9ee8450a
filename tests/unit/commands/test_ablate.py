"""The number of epochs of an ablation arm, and what is refused before a run or a training is paid for."""

from pathlib import Path

import orjson
import pytest

from nemo_sdg.commands.ablate import ablate, epochs, require_epochs
from nemo_sdg.errors import ConfigError, SdgError


@pytest.mark.parametrize(
    ("tokens", "num_held", "synthetic", "total", "expected"),
    [
        (1_000, 500, 1_000, 1_000, 2.0),  # no base blend: all that is trained on is the corpus
        (1_000, 500, 200, 1_000, 0.4),  # four fifths come from the base blend
        (3_000, 500, 200, 1_000, 1.2),  # the proxy is trained for longer than the mixture plans
        (1_000, 0, 0, 1_000, 0.0),  # the arm on the base blend alone holds no corpus
    ],
)
def test_epochs_count_the_corpus_share_of_what_was_trained_on(
    tokens: int, num_held: int, synthetic: int, total: int, expected: float
) -> None:
    assert epochs(tokens, num_held, {"synthetic_tokens": synthetic, "total_tokens": total}) == expected


def test_a_training_that_repeats_a_corpus_too_often_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """recipe.tokens may be far more than the length that the mixture was made for."""
    (tmp_path / "blend").mkdir()
    arm = {"synthetic_tokens": 1_000, "total_tokens": 10_000}
    (tmp_path / "blend" / "mixture.json").write_bytes(orjson.dumps({"arms": {"context": arm, "base": arm}}))
    monkeypatch.setattr("nemo_sdg.export.packed_shards.packed_shards", lambda run_dir: [])
    held = {"context": {"math": {"gsm8k": 300, "aqua": 200}}}
    monkeypatch.setattr("nemo_sdg.export.packed_shards.train_tokens", lambda shards, variants: held)
    require_epochs(tmp_path, ["base", "context"], 40_000, most=8.0)
    with pytest.raises(ConfigError, match=r"corpus context 20 times.*max_epochs=8: train on at most 40,000 tok"):
        require_epochs(tmp_path, ["base", "context"], 100_000, most=8.0)


ABLATION = """
config: run.yaml
evaluation: {tasks: [piqa]}
recipe: {base: /base, base_model: org/base, tokens: 1e9, export: "convert {checkpoint} {model}"}
"""


@pytest.mark.parametrize(
    ("overrides", "cluster", "words"),
    [
        (["proxy.model=./nowhere"], None, "proxy.model=./nowhere is not there"),
        (["proxy.model=model.gguf"], None, "proxy.model=model.gguf is not there"),
        (["recipe.script=r.py"], "training: {nodes: 2}", "training.gpus_per_node is not set"),
        (["recipe.script=r.py"], "training: {gpus_per_node: 8}", "recipe.script=r.py is not in"),
    ],
)
def test_mistakes_are_told_before_the_run_or_a_training_is_paid_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], cluster: str | None, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nemo_sdg.commands.ablate.capability_groups", lambda evaluation: {})
    Path("a.yaml").write_text(ABLATION)
    Path("run.yaml").write_text("run: {dir: made}\n")
    Path("cluster.yaml").write_text(cluster or "")
    with pytest.raises(ConfigError, match=words):
        ablate(
            Path("a.yaml"), overrides, cluster=Path("cluster.yaml") if cluster else None, dry_run=cluster is not None
        )
    assert not Path("made").exists()


def test_a_run_that_would_be_redone_is_redone_by_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nemo_sdg.commands.ablate.capability_groups", lambda evaluation: {})
    Path("a.yaml").write_text(ABLATION + "overrides: ['seeds.tasks=[a, b]']\n")
    Path("run.yaml").write_text("run: {dir: made}\n")

    def refuse(config: object) -> None:
        raise SdgError("made holds results that would be redone: blend; say yes with --redo, or choose another run.dir")

    monkeypatch.setattr("nemo_sdg.commands.ablate.pipeline.run", refuse)
    with pytest.raises(SdgError, match=r"say yes with `nemo-sdg run run.yaml 'seeds.tasks=\[a, b\]' --redo`, or"):
        ablate(Path("a.yaml"), None)
