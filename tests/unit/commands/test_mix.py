import csv
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest
import yaml

from nemo_sdg.commands.mix import mix
from nemo_sdg.config import RunConfig, as_plain
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.blend import fit_mixtures
from nemo_sdg.storage import StepDir, read_json, write_json

TOKENS = {"code": 400_000, "math": 300_000, "science": 900_000, "law": 20_000}


def finished_run(run_dir: Path) -> Path:
    """A run of receipts alone: the mixture reads nothing else."""
    config = as_plain(RunConfig())
    config["mixture"]["family_cap"] = 1.0
    (run_dir / "config.yaml").write_text(yaml.safe_dump(config))
    step = StepDir(run_dir=run_dir, step="packed", fingerprint="f1")
    for family, tokens in TOKENS.items():
        sizes = {"context": tokens, "no_context": round(tokens * 0.6)}
        variants = {name: {"documents": 9, "tokens": size} for name, size in sizes.items()}
        outputs = {f"packed/{name}/{family}/train/shard-00000_text_document.bin": {} for name in variants}
        receipt = {
            "family": family, "split": "train", "task": family, "variants": variants, "outputs": outputs, "counts": {}
        }  # fmt: skip
        write_json(step.receipt_path(f"{family}-train-00000"), receipt)
    return run_dir


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_table_shows_tokens_shares_epochs_and_sequences_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(finished_run(tmp_path))
    mix(tmp_path, ["mixture.alpha=0", "mixture.train_tokens=1600000"], sequence_length=1000)
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith("code")).split()
    assert row == ["code", "400,000", "24.7%", "25.0%", "30.00%", "temperature", "1.2", "1.2", "480"]
    law = next(line for line in lines if line.startswith("law")).split()
    assert law[4:6] == ["10.00%", "epochs"]
    assert any("lets these families repeat 8 times: law" in line for line in lines)
    assert files(tmp_path) == before


def test_json_holds_the_whole_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mix(finished_run(tmp_path), ["export.budget=tokens"], json_out=True)
    plan = orjson.loads(capsys.readouterr().out)
    assert plan["variants"]["no_context"]["trained_tokens"] == plan["variants"]["context"]["trained_tokens"]


@pytest.mark.parametrize(
    ("overrides", "options", "message"),
    [
        (["generate.votes=9"], {}, r"generate\.votes=9 does not change the mixture"),
        (["mixture.family_cap=7"], {}, r"family_cap must be in \(0, 1\]"),
        (["mixture.train_tokens=999000000"], {}, r"set mixture\.train_tokens=12960000 or"),
        (["mixture.synthetic_share=0.5"], {}, r"blend\.base is empty"),
        ([], {"grid": 5}, "--out FOLDER"),
    ],
)
def test_what_cannot_be_mixed_is_one_line(tmp_path: Path, overrides: list[str], options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        mix(finished_run(tmp_path), overrides, **options)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_run_and_a_run_that_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a run directory"):
        mix(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(as_plain(RunConfig())))
    (tmp_path / "catalog").mkdir()
    with pytest.raises(DataError, match="has no packed shard"):
        mix(tmp_path)


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_grid_holds_its_mixtures_as_blends_and_keeps_the_limit_of_epochs(tmp_path: Path) -> None:
    run_dir, out = finished_run(tmp_path), tmp_path / "grid"
    mix(run_dir, grid=24, out=out)
    rows = read_table(out / "mixtures.csv")
    assert len(rows) == 24
    assert len({row["share.code"] for row in rows}) == 24
    for row in rows:
        shares = {family: float(row[f"share.{family}"]) for family in TOKENS}
        assert sum(shares.values()) == pytest.approx(1)
        assert all(0 < float(row[f"epochs.{family}"]) <= 8.001 for family in TOKENS)
        for variant in ("context", "no_context"):
            blend = read_json(out / row["mixture"] / f"{variant}.blend.json")["train"]
            weights = dict(zip(blend[1::2], map(float, blend[::2]), strict=True))
            assert all(Path(prefix).is_relative_to(run_dir.resolve() / "packed") for prefix in weights)
            if variant == "context":
                assert {Path(prefix).parts[-3]: weight for prefix, weight in weights.items()} == pytest.approx(shares)
    spread = [max(float(row[f"share.{family}"]) for row in rows) for family in ("code", "math", "science")]
    assert min(spread) > 0.4
    again = tmp_path / "again"
    mix(run_dir, grid=24, out=again)
    assert files(again) == files(out)
    with pytest.raises(ConfigError, match="is not empty"):
        mix(run_dir, grid=24, out=out)


LAW = {"code": -0.9, "math": -1.4, "science": 0.2, "law": 0.1}
"""loss = 1.5 + exp(what is said here of each share): math helps most"""


def test_the_script_finds_the_mixture_of_a_law_that_it_was_not_told(tmp_path: Path) -> None:
    mix(finished_run(tmp_path), grid=32, out=tmp_path / "grid")
    rows = read_table(tmp_path / "grid" / "mixtures.csv")
    noise = np.random.default_rng(1).normal(0, 0.002, len(rows))
    losses = [
        1.5 + np.exp(sum(LAW[family] * float(row[f"share.{family}"]) for family in TOKENS)) + off
        for row, off in zip(rows, noise, strict=True)
    ]
    results = tmp_path / "results.csv"
    results.write_text("\n".join(["mixture,loss", *(f"{r['mixture']},{v}" for r, v in zip(rows, losses, strict=True))]))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "grid" / "fit_mixtures.py"), str(results)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "rank correlation of left-out mixtures 0.9" in done.stdout
    chosen = yaml.safe_load(done.stdout.split("family_caps=")[1].split(" mixture.family_floor")[0])
    assert sum(chosen.values()) == pytest.approx(1, abs=0.001)
    best = min(sum(LAW[family] * float(row[f"share.{family}"]) for family in TOKENS) for row in rows)
    assert sum(LAW[family] * share for family, share in chosen.items()) <= best + 0.05


def test_the_script_names_no_mixture_where_results_are_noise(tmp_path: Path) -> None:
    mix(finished_run(tmp_path), grid=16, out=tmp_path / "grid")
    rows = read_table(tmp_path / "grid" / "mixtures.csv")
    values = np.random.default_rng(3).normal(0, 1, len(rows))
    results = tmp_path / "results.csv"
    results.write_text("\n".join(["mixture,acc", *(f"{r['mixture']},{v}" for r, v in zip(rows, values, strict=True))]))
    families, shares, found, metric = fit_mixtures.read(results, tmp_path / "grid" / "mixtures.csv", None)
    assert (families, metric, list(found)) == (sorted(TOKENS), "acc", pytest.approx(list(values)))
    assert abs(fit_mixtures.leave_one_out(fit_mixtures.fit_linear, shares, found)) < fit_mixtures.CHANCE
    argv = [sys.argv, ["fit_mixtures.py", str(results)]]
    sys.argv = argv[1]
    try:
        with pytest.raises(SystemExit, match="no mixture is named"):
            runpy.run_path(str(tmp_path / "grid" / "fit_mixtures.py"), run_name="__main__")
    finally:
        sys.argv = argv[0]
