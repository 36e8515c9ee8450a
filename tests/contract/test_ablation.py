"""The ablation on invented facts, with real transformers, megatron-core datasets, lm-eval and packed corpora.

The model is a small random Llama in a Hugging Face folder. Only the context of samples has the capitals of 24
countries, which one evaluation asks for. A second evaluation asks for capitals that no corpus has.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from nemo_sdg.commands import ablate as ablating
from nemo_sdg.config import BlendSection, ExportSection, MixtureSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.execution.progress import Progress
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.export.documents import render_texts
from nemo_sdg.export.packing.pack import pack_shards
from nemo_sdg.export.packing.tokenizers import Tokenizer, load_tokenizer
from nemo_sdg.records import Answer, DatasetRow, Sample, Seed, to_dict
from nemo_sdg.storage import Counts, StepDir, read_json, write_json
from nemo_sdg.train.ablation import EvaluationSection, Scores, write_comparison
from nemo_sdg.train.evaluate import evaluate_arm, read_lm_eval_logs
from nemo_sdg.train.proxy import CURVE, WEIGHTS, ProxySection, load_base, train_arm

ENDINGS = ("ria", "land", "stan", "nia")
LANDS = [f"{start}{end}" for start in ("Bo", "Ka", "Lu", "Me", "No", "Pa") for end in ENDINGS]
STRANGE = [f"{start}{end}" for start in ("Zi", "Que", "Xa", "Wo", "Ju", "Hy") for end in ENDINGS]
CITIES = [
    f"{start}{end}" for start in ("Al", "Br", "Cor", "Dar", "El", "Fen") for end in ("ton", "burg", "ville", "mouth")
]
QUESTIONS = ["Is {land} a land?", "Does {land} have a capital?"]
SIZE = ProxySection(seq_length=64, batch_size=2, tokens=60_000, lr=3e-3, threads=1)
ARMS = ["base", "no_context", "context"]
PLANTED, UNKNOWN = "planted_capitals", "unknown_capitals"


def sample(land: str, city: str, question: str, *, with_context: bool) -> Sample:
    text = question.format(land=land)
    return Sample(
        sample_id=f"{land}-{QUESTIONS.index(question)}", origin="similar", seed_ids=[f"seed-{land}"], task="lands",
        family="factual",
        capability="knowledge", kind="short_text", frame="generation", language="en", question=text,
        answer=Answer(text="yes"),
        context=f"The capital of {land} is {city} ." if with_context else "", license={"effective": "CC0-1.0"},
    )  # fmt: skip


def seed(land: str) -> Seed:
    row = DatasetRow(path="lands", name=None, split="train", revision="local", row=LANDS.index(land))
    return Seed(
        seed_id=f"seed-{land}", task="lands", tasks=["lands"], family="factual", capability="knowledge",
        kind="short_text", frame="generation",
        language="en", dataset=row, license="CC0-1.0", question=f"Is {land} a land?", answer=Answer(text="yes"),
    )  # fmt: skip


def word_tokenizer(texts: list[str], folder: Path) -> Tokenizer:
    """A token a word, and a byte a token for all else: the model learns facts in seconds."""
    from tokenizers import AddedToken, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    words = sorted({f"▁{word}" for text in texts for word in text.split()})
    pieces = [("<unknown>", -20.0), ("<end>", -20.0), ("▁", -5.0), *((f"<0x{byte:02X}>", -20.0) for byte in range(256))]
    backend = Backend(models.Unigram([*pieces, *((word, -1.0) for word in words)], unk_id=0, byte_fallback=True))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    backend.add_special_tokens([AddedToken("<end>", special=True)])
    Tokenizer(backend=backend, name="words", eod=1, vocab_size=backend.get_vocab_size()).save(folder)
    return load_tokenizer(str(folder))


def small_llama(folder: Path, vocab_size: int) -> str:
    """A Hugging Face folder with a Llama of random weights, as small as it can be and still learn."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocab_size, hidden_size=96, intermediate_size=192, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=64, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


def evaluation_rows(lands: list[str]) -> list[dict[str, Any]]:
    """Four cities for each land; the right one stands at another place each time."""
    rows = []
    for number, land in enumerate(lands):
        others = [CITIES[(number + step) % len(CITIES)] for step in (5, 10, 17)]
        place = number % 4
        rows.append({"land": land, "choices": [*others[:place], CITIES[number], *others[place:]], "label": place})
    return rows


def write_tasks(folder: Path) -> EvaluationSection:
    folder.mkdir()
    for name, lands in {PLANTED: LANDS, UNKNOWN: STRANGE}.items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in evaluation_rows(lands)))
        task = {
            "task": name,
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(folder / f"{name}.jsonl")}},
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "The capital of {{land}} is",
            "doc_to_choice": "{{choices}}",
            "doc_to_target": "{{label}}",
            "metric_list": [{"metric": "acc"}],
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(task))
    return EvaluationSection(tasks=[PLANTED, UNKNOWN], include_path=[str(folder)], num_fewshot=0, bootstrap_samples=500)


def write_run(run_dir: Path, *, with_context: bool) -> ExportSection:
    """What of a finished run the ablation reads: seeds, packed, blend, manifest."""
    samples = [
        to_dict(sample(land, city, question, with_context=with_context))
        for land, city in zip(LANDS, CITIES, strict=True)
        for question in QUESTIONS
    ]
    texts = [text for row in samples for text in render_texts(row, ("context", "no_context"))]
    word_tokenizer([*texts, *CITIES, *STRANGE, "The capital of"], run_dir / "words")
    export = ExportSection(tokenizer=str(run_dir / "words"), valid_share=0.0)
    seeds, curated, packed, blend = (
        StepDir(run_dir=run_dir, step=step, fingerprint="f") for step in ("seeds", "curated", "packed", "blend")
    )
    for step, records, ids in (
        (seeds, [to_dict(seed(land)) for land in LANDS], "seed_id"),
        (curated, samples, "sample_id"),
    ):
        counts = Counts()
        counts.keep("lands", len({record[ids] for record in records}))
        step.write_shard("shard-00000", records, [], counts)
    pack_shards([curated.shard_path("shard-00000")], packed, export)
    write_blend(blend, plan_blend(packed, export, MixtureSection()), export, BlendSection(), packed=packed)
    write_json(run_dir / "manifest.json", {"fingerprint": "f"})
    return export


def run_ablation(
    run_dir: Path, evaluation: EvaluationSection, size: ProxySection, *, with_context: bool
) -> tuple[dict[str, Any], dict[str, Scores]]:
    write_run(run_dir, with_context=with_context)
    folder = run_dir / "ablation"
    tokenizer = load_tokenizer(str(run_dir / "packed" / "tokenizer"))
    size = replace(size, model=small_llama(run_dir / "llama", tokenizer.vocab_size))
    training, curves = ablating.train(run_dir, folder, ARMS, size, Progress(None))
    scores = {}
    for arm in ARMS:
        model = str(folder / "arms" / arm) if arm in training else size.model
        path = folder / "scores" / f"{arm}.json"
        scores[arm] = evaluate_arm(
            load_base(replace(size, model=model)), path, evaluation, tokenizer=tokenizer, mirror=None
        )
    return write_comparison(folder, scores, {}, training, curves, evaluation), scores


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> EvaluationSection:
    return write_tasks(tmp_path_factory.mktemp("tasks") / "tasks")


@pytest.fixture(scope="module")
def planted(
    evaluation: EvaluationSection, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], dict[str, Scores]]:
    run_dir = tmp_path_factory.mktemp("planted")
    table, scores = run_ablation(run_dir, evaluation, SIZE, with_context=True)
    return run_dir, table, scores


def test_facts_that_only_the_context_holds_show_as_significant(
    planted: tuple[Path, dict[str, Any], dict[str, Scores]],
) -> None:
    run_dir, table, _ = planted
    found = table["pairs"]["context - no_context"]
    assert found[f"task {PLANTED}"]["verdict"] == "higher"
    assert found[f"task {PLANTED}"]["difference"] > 0.3
    assert found[f"task {UNKNOWN}"]["verdict"] == "within noise"
    assert table["pairs"]["no_context - base"][f"task {PLANTED}"]["verdict"] == "within noise"
    for name in ("comparison.json", "comparison.md", "comparison.png"):
        assert (run_dir / "ablation" / name).stat().st_size > 500
    text = (run_dir / "ablation" / "comparison.md").read_text()
    assert "does not predict a large one" in text
    assert "The base is the checkpoint itself" in text
    assert "**no_context - base: within noise.**" in text


def test_arms_train_on_equally_many_tokens_from_one_checkpoint(
    planted: tuple[Path, dict[str, Any], dict[str, Scores]],
) -> None:
    run_dir, table, _ = planted
    training = table["training"]
    assert set(training) == {"context", "no_context"}, "without a base blend the base is not trained"
    assert training["context"]["tokens"] == training["no_context"]["tokens"] == SIZE.num_steps * 128
    assert training["no_context"]["epochs"] > training["context"]["epochs"]
    for arm in training:
        curve = [orjson.loads(line) for line in (run_dir / "ablation" / "arms" / arm / CURVE).read_bytes().splitlines()]
        assert [row["step"] for row in curve] == list(range(1, training[arm]["steps"] + 1))
        assert sum("valid_loss" in row for row in curve) >= 4
        assert curve[-1]["train_loss"] < curve[0]["train_loss"] - 1.0


def test_a_base_blend_is_an_arm_of_its_own(
    planted: tuple[Path, dict[str, Any], dict[str, Scores]], tmp_path: Path
) -> None:
    run_dir, _, _ = planted
    for name in ("packed", "blend", "manifest.json"):
        (tmp_path / name).symlink_to(run_dir / name)
    (tmp_path / "blend").unlink()
    (tmp_path / "blend").mkdir()
    for arm in ARMS:
        variant = "no_context" if arm == "base" else arm
        write_json(tmp_path / "blend" / f"{arm}.blend.json", read_json(run_dir / "blend" / f"{variant}.blend.json"))
    planned = read_json(run_dir / "blend" / "mixture.json")
    planned["arms"]["base"] = planned["arms"]["no_context"] | {"synthetic_tokens": 0}
    write_json(tmp_path / "blend" / "mixture.json", planned)
    size = replace(SIZE, tokens=1000, model=str(run_dir / "llama"))
    training, _ = ablating.train(tmp_path, tmp_path / "ablation", ARMS, size, Progress(None))
    assert list(training) == ARMS
    assert training["base"]["tokens"] == training["context"]["tokens"]


def test_identical_corpora_give_identical_scores(evaluation: EvaluationSection, tmp_path: Path) -> None:
    table, scores = run_ablation(tmp_path, evaluation, replace(SIZE, tokens=10_000), with_context=False)
    assert scores["context"] == scores["no_context"]
    assert all(
        row["verdict"] == "within noise" and row["difference"] == 0.0
        for row in table["pairs"]["context - no_context"].values()
    )
    weights = [(tmp_path / "ablation" / "arms" / arm / WEIGHTS).read_bytes() for arm in ("context", "no_context")]
    assert weights[0] == weights[1]


class Killed(Exception):
    pass


def test_killed_training_goes_on_to_the_same_weights(
    planted: tuple[Path, dict[str, Any], dict[str, Scores]], tmp_path: Path
) -> None:
    run_dir, _, _ = planted
    blend = run_dir / "blend" / "context.blend.json"
    size = replace(SIZE, tokens=5_000, model=str(run_dir / "llama"))
    vocab_size = load_tokenizer(str(run_dir / "packed" / "tokenizer")).vocab_size
    seen: list[int] = []

    def kill(step: int, steps: int) -> None:
        seen.append(step)
        if len(seen) == 23:
            raise Killed

    def train() -> dict[str, Any]:
        return train_arm("context", blend, tmp_path / "context", size, vocab_size=vocab_size, eod=1, on_step=kill)

    with pytest.raises(Killed):
        train()
    train()
    assert seen == [*range(1, 24), *range(19, 40)], "steps since the last saved state are done again, none before it"
    whole = train_arm("context", blend, tmp_path / "whole", size, vocab_size=vocab_size, eod=1)
    assert (tmp_path / "whole" / WEIGHTS).read_bytes() == (tmp_path / "context" / WEIGHTS).read_bytes()
    assert (tmp_path / "whole" / CURVE).read_bytes() == (tmp_path / "context" / CURVE).read_bytes()
    num_seen = len(seen)
    assert train() == whole
    assert len(seen) == num_seen, "a finished arm is not trained again"


def test_a_corpus_of_another_vocabulary_is_one_line(
    planted: tuple[Path, dict[str, Any], dict[str, Scores]], tmp_path: Path
) -> None:
    run_dir, _, _ = planted
    size = replace(SIZE, tokens=1000, model=str(run_dir / "llama"))
    with pytest.raises(ConfigError, match=r"packed with 100000 token ids.*set export.tokenizer"):
        train_arm(
            "context", run_dir / "blend" / "context.blend.json", tmp_path / "arm", size, vocab_size=100_000, eod=1
        )


def test_blend_with_a_missing_prefix_is_one_line(
    planted: tuple[Path, dict[str, Any], dict[str, Scores]], tmp_path: Path
) -> None:
    run_dir, _, _ = planted
    blend = read_json(run_dir / "blend" / "context.blend.json")
    blend["train"][1] = "/nowhere/shard"
    write_json(tmp_path / "broken.json", blend)
    with pytest.raises(Exception, match=r"broken.json names /nowhere/shard, which does not exist") as error:
        train_arm("context", tmp_path / "broken.json", tmp_path / "arm", SIZE, vocab_size=300, eod=1)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "arm").exists()


def test_evaluation_that_lm_eval_does_not_know_is_one_line(evaluation: EvaluationSection) -> None:
    with pytest.raises(ConfigError, match="evaluation names planted_capital, which is not a task"):
        ablating.capability_groups(EvaluationSection(tasks=["planted_capital"], include_path=evaluation.include_path))


def log_as_lm_eval(folder: Path, task: str, scores: list[float], *, filters: tuple[str, ...] = ("none",)) -> None:
    """What `lm_eval --log_samples --output_path FOLDER` leaves, by its own tracker."""
    from lm_eval.loggers import EvaluationTracker

    tracker = EvaluationTracker(output_path=str(folder))
    tracker.general_config_tracker.log_experiment_args("hf", "pretrained=org/model", "", "", False)
    rows = [
        {"doc_id": number, "doc": {}, "target": "x", "arguments": [], "resps": [["a"]], "filtered_resps": ["a"],
        "filter": name, "metrics": ["acc"], "acc": score}
        for name in filters
        for number, score in enumerate(scores)
    ]  # fmt: skip
    tracker.date_id = f"2026-01-01T00-00-{len(list(folder.rglob('*.jsonl'))):02d}.5"
    tracker.save_results_samples(task, rows)  # type: ignore[arg-type]


def test_arms_scored_elsewhere_are_compared_from_what_lm_eval_logs(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arm, share in {"base": 4, "no_context": 4, "context": 2}.items():
        log_as_lm_eval(tmp_path / arm, "piqa", [0.0] * 100)  # a first evaluation, which a later one replaces
        log_as_lm_eval(tmp_path / arm, "piqa", [float(number % share == 0) for number in range(100)])
        log_as_lm_eval(
            tmp_path / arm,
            "gpqa_diamond_cot_zeroshot",
            [float(number % 3 == 0) for number in range(90)],
            filters=("strict-match", "flexible-extract"),
        )
    config = tmp_path / "ablation.yaml"
    config.write_text(
        f"overrides: [run.dir={tmp_path / 'run'}]\nevaluation: {{tasks: [piqa, gpqa_diamond_cot_zeroshot], "
        f"groups: {{mine: [piqa]}}}}\n"
    )
    config.write_text(f"config: {root / 'configs' / 'quickstart.yaml'}\n" + config.read_text())
    ablating.ablate(config, None, results=tmp_path)
    table = read_json(tmp_path / "run" / "ablation" / "comparison.json")
    found = table["pairs"]["context - no_context"]
    assert table["arms"]["no_context"]["piqa"] == 0.25
    assert found["task piqa"]["verdict"] == found["group mine"]["verdict"] == "higher"
    assert found["task gpqa_diamond_cot_zeroshot"]["verdict"] == "within noise"
    assert found["task gpqa_diamond_cot_zeroshot"]["rows"] == 90
    assert table["label"] is None
    assert "no evidence" not in capsys.readouterr().out


def test_arm_that_was_not_evaluated_is_one_line(tmp_path: Path) -> None:
    log_as_lm_eval(tmp_path / "base", "piqa", [1.0])
    with pytest.raises(DataError, match=r"must hold a folder base and one for each other arm.*it holds base"):
        read_lm_eval_logs(tmp_path)
    (tmp_path / "no_context").mkdir()
    with pytest.raises(
        DataError, match=r"no_context holds no samples_\*.jsonl; evaluate the arm with `lm_eval --log_samples"
    ):
        read_lm_eval_logs(tmp_path)


def test_cluster_configuration_names_evaluations_that_lm_eval_has(root: Path) -> None:
    config = ablating.load_ablation(root / "configs" / "ablation_nemotron.yaml", None)
    groups = ablating.capability_groups(config.evaluation)
    for name in ("MMLU-Pro", "GPQA", "PIQA", "AGIEval-en", "commonsense", "code", "math"):
        assert groups[name], name
    assert len(groups["MMLU-Pro"]) == 14
    assert set(config.evaluation.groups["commonsense"]) <= set(config.evaluation.tasks)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["evaluation.tasks=[]"], "evaluation.tasks is empty"),
        (
            ["evaluation.tasks=[piqua]"],
            "evaluation names piqua, which is not a task, group or tag of lm-eval; did you mean",
        ),
        (["evaluation.confidence=2"], "evaluation.confidence must be in"),
        (["proxy.tokens=10"], "proxy.tokens must hold at least one step"),
        (["proxy.tokns=5"], "did you mean proxy.tokens"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(
    root: Path, tmp_path: Path, overrides: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(ConfigError) as error:
        ablating.ablate(root / "configs" / "ablation.yaml", overrides)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
