"""Mistakes of users: each gives one line with a fix and exit code 2, and leaves nothing that keeps the corrected
command from running.
"""

import fcntl
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import huggingface_hub.constants
import pytest

from nemo_sdg import cli
from nemo_sdg.catalog.about.metadata import problems
from nemo_sdg.pipeline import preflight
from nemo_sdg.seeds.sources import hub

QUICK = "configs/quickstart.yaml"
OPENAI = ("engine.kind=openai", "engine.model=m")


class Told(NamedTuple):
    code: int
    line: str
    """the last message on standard error, its line breaks taken out"""
    stdout: str


Command = Callable[..., Told]


@pytest.fixture
def nemo_sdg(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, run in this process."""

    def call(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["nemo-sdg", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as exc:
            code = int(exc.code or 0)
        said = capsys.readouterr()
        messages = [line for line in said.err.splitlines() if line.startswith(("nemo-sdg: ", "Error: "))]
        assert "Traceback" not in said.err
        assert len(messages) <= 1, said.err
        return Told(code, messages[0] if messages else "", said.out)

    return call


@pytest.fixture
def run(nemo_sdg: Command, tmp_path: Path) -> Command:
    """`nemo-sdg run` on one of the quickstart's tasks, up to the catalog unless said otherwise, in a run of its own."""

    def call(*arguments: str) -> Told:
        own = [f"run.dir={tmp_path / 'run'}"] if not any("run.dir=" in argument for argument in arguments) else []
        tasks = [] if any("seeds.tasks=" in argument for argument in arguments) else ["seeds.tasks=[qs_science]"]
        return nemo_sdg("run", QUICK, *own, *tasks, "guard.against=[own]", *arguments)

    return call


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["generate.vots=3"], "generate.vots is not a field of the configuration; did you mean generate.votes?"),
        (["votes=3"], "votes is not a field of the configuration; did you mean generate.votes?"),
        (["roles.solver=[{modle: m}]"], "modle is not a field of the configuration; did you mean model?"),
        (["generate.votes=many"], "generate.votes must be a whole number, got 'many'"),
        (["generate.votes=0"], "generate.votes must be >= 1, got 0"),
        (["generate.guided=perhaps"], "generate.guided must be true or false, got 'perhaps'"),
        (["seeds.tasks=sciq"], "seeds.tasks must be a list such as [a, b], got 'sciq'"),
        (["curate.filters=[language]"], "curate.filters must be a mapping such as {name: value}, got ['language']"),
        (["engine=openai"], "engine must be a section with fields such as kind, model"),
        (["engine.kind=vllm"], "engine.kind must be one of llama, openai, batch, trtllm, got 'vllm'"),
        (["engine.model=[m]"], "engine.model must be a text or null, got ['m']"),
        (["generate.votes"], "'generate.votes' is not an override: write key=value"),
        (
            ["roles.solver=[{model:", "a},", "{model: b}]"],
            "'a},' is not an override: write key=value, such as generate.votes=3; put quotes around one with spaces",
        ),
        (["engine.sampling={temperature:0.5}"], "YAML wants a space after the colon: engine.sampling.temperature: 0.5"),
        ([*OPENAI, "engine.base_urls=http://h/v1"], "engine.base_urls must be a list such as [a, b]"),
        (
            [*OPENAI, "engine.base_urls=[h:8000/v1]"],
            "must begin with http:// or https://, got h:8000/v1; write http://h",
        ),
        ([*OPENAI, "engine.base_urls=[http://me:secret@h/v1]"], "must not carry credentials"),
        (OPENAI, "engine.kind=openai needs engine.base_urls=[http://host:port/v1]"),
        (["engine.kind=openai", "engine.base_urls=[http://h/v1]"], "engine.kind=openai needs engine.model"),
        (["run.trackers=[mlflow]"], "run.trackers must be some of [tensorboard, wandb], got ['mlflow']"),
        (["seeds.licenses=[MIT]"], "seeds.licenses and seeds.license_policy=listed go together"),
        (["verify.pass_rate=[0.9,0.1]"], "verify.pass_rate must be [lowest, highest] in [0, 1]"),
    ],
)
def test_a_wrong_value_names_field_value_and_rule(nemo_sdg: Command, overrides: list[str], told: str) -> None:
    code, line, _ = nemo_sdg("config", QUICK, *overrides)
    assert code == 2
    assert told in line
    assert line.endswith(f"({QUICK})")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"generate: {votes: 3", "expected ',' or '}'"),
        (b"- a\n- b\n", "a configuration is a mapping of sections"),
        (b"\xff\xfe\x00bin", "c.yaml"),
        (b"generate: [votes]\n", "generate must be a section with fields such as"),
        (b"version_of_last_year: {votes: 3}\n", "version_of_last_year is not a field of the configuration"),
    ],
)
def test_a_file_that_is_no_configuration(nemo_sdg: Command, tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    code, line, _ = nemo_sdg("run", str(tmp_path / "c.yaml"))
    assert code == 2
    assert told in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nowhere.yaml"], "there is no configuration file at nowhere.yaml; nemo-sdg init FOLDER writes one"),
        (["run", "docs"], "there is no configuration file at docs"),
        (["init", "docs", "--task", "t"], "give --from FILE too"),
        (["init", "y" * 300], "(312 characters): File name too long"),
        (["init", "{tmp}/new", "--from", "nowhere.csv"], "there is no such file"),
        (["init", "{tmp}/new", "--from", "README.md"], ".md is not read; use jsonl, json, csv, tsv or parquet"),
        (["sample", "{tmp}"], "is not a run directory"),
        (["sample", "nowhere"], "there is no folder nowhere"),
        (["cat", "{tmp}/nothing"], "is not a file of a run"),
        (["publish", "{tmp}", "--to", "x"], "is not a run directory"),
        (["mix", "{tmp}"], "is not a run directory"),
        (["trace", "{tmp}", "p", "0"], "is not a run directory"),
        (["report", "{tmp}"], "is not a run directory"),
        (["report", "{tmp}", "--search"], "is not a run directory"),
        (["report", "{tmp}", "--against", "{tmp}"], "is not a run directory"),
        (["check", "{tmp}"], "is not a run directory"),
        (["diff", "{tmp}", "{tmp}"], "is not a run directory"),
        (["forecast", QUICK, "--pilot", "{tmp}"], "is not a finished run"),
        (["launch", QUICK, "--cluster", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_a_wrong_file_or_folder(nemo_sdg: Command, tmp_path: Path, arguments: list[str], told: str) -> None:
    code, line, _ = nemo_sdg(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert code == 2
    assert told in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "answer"], "the steps are catalog, seeds"),
        (["--only", "screened"], "the step screened is skipped: roles.judge is not configured"),
        (["--only", "packed"], "needs catalog/, which is not finished"),
        (["--worker", "4/4"], "--worker must be INDEX/NUMBER with 0 <= INDEX < NUMBER"),
        (["run.dir=README.md"], "run.dir=README.md is a file; name a folder"),
        (["run.dir=configs"], "run.dir=configs holds files that no run wrote (ablation.yaml"),
        (["run.dir=/proc/nowhere"], "cannot be written"),
        (["seeds.include_path=[nowhere]"], "nowhere, which is not a folder"),
        (["seeds.mirror=nowhere", "--until", "seeds"], "seeds.mirror=nowhere is not a folder"),
        (["guard.against=[sciqq]"], "guard.against names sciqq"),
        (["seeds.tasks=[gpqa_main_n_shot]", "--until", "catalog"], "gives no eligible task"),
        (["export.tokenizer=/nowhere/tok"], "export.tokenizer=/nowhere/tok: there is no such file or folder"),
        (["curate.embedder=/nowhere/model"], "curate.embedder=/nowhere/model: there is no such file or folder"),
        (["generate.prompts_dir=/nowhere"], "generate.prompts_dir must be a folder of templates"),
        (["curate.filters={langage: false}"], "curate.filters.langage is not a filter"),
        (["curate.filters={my_mod:f: true}"], "cannot be imported (No module named 'my_mod')"),
        (["curate.against=[/nowhere]"], "/nowhere"),
        (["curate.evaluation_extra=[/nowhere]"], "/nowhere has none"),
        (["mixture.family_caps={sience: 0.5}"], "names a family that no task has; did you mean science?"),
        (["curate.dedup_gpu=true"], "curate.dedup_gpu=true needs cudf and a GPU"),
        (["engine.kind=trtllm", "engine.model=m"], "pip install 'nemo-sdg[trtllm]'"),
        (["engine.model=nowhere.gguf"], "engine.model: no model file at nowhere.gguf"),
    ],
)
def test_what_a_later_step_would_stumble_over_is_told_before_the_first(
    run: Command, tmp_path: Path, arguments: list[str], told: str
) -> None:
    code, line, _ = run(*arguments)
    assert code == 2
    assert told in line
    assert not list(tmp_path.glob("run/*/shard-*"))


def test_a_typo_does_not_keep_the_corrected_command_from_running(run: Command) -> None:
    code, line, _ = run("seeds.tasks=[qs_sciense]", "--until", "catalog")
    assert code == 2
    assert "did you mean qs_science" in line
    assert run("seeds.tasks=[qs_science]", "--until", "catalog").code == 0


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ("kind: multiple_choise", "kind must be one of"),
        ("frame: selectoin", "did you mean selection?"),
        ("licence: MIT", "has no key 'licence'; did you mean license?"),
        ("language: english", "did you mean en?"),
    ],
)
def test_what_a_task_says_of_itself_is_checked(metadata: str, told: str) -> None:
    key, value = metadata.split(": ")
    found = problems({key: value})
    assert len(found) == 1
    assert told in found[0]


def test_a_missing_package_is_named_before_anything_is_generated(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_is_installed", lambda package: package != "pyarrow")
    code, line, _ = run()
    assert (code, line) == (2, "nemo-sdg: step packed needs the package pyarrow: install nemo-sdg's requirements")


def test_wandb_without_a_key_is_one_line(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")

    def refuse(**_: object) -> None:
        raise wandb.errors.UsageError("No API key configured. Use `wandb login` to log in.")

    monkeypatch.setattr(wandb, "init", refuse)
    code, line, _ = run("run.trackers=[wandb]", "--until", "catalog")
    assert code == 2
    assert "set WANDB_MODE=offline, or remove wandb" in line


def test_two_runs_at_once(run: Command, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with open(tmp_path / "run" / ".lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, line, _ = run("--until", "catalog")
    assert code == 2
    assert "another process is working on" in line
    assert run("--until", "catalog").code == 0


def test_a_disk_without_room_is_told_before_anything_is_generated(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    code, line, _ = run()
    assert code == 2
    assert "free space or set run.dir to a larger disk" in line


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is an address where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(huggingface_hub.HfApi(), "endpoint", endpoint, raising=False)
    monkeypatch.setattr(hub, "CONNECT_SECONDS", 0.5)
    hub._down.clear()
    hub._sha.cache_clear()


def test_seeds_of_the_hub_without_a_network(run: Command, no_network: None) -> None:
    code, line, _ = run("seeds.tasks=[sciq]", "seeds.hub=true", "--until", "seeds")
    assert code == 2
    assert "there is no seed" in line
    assert "cannot be re" in line  # read, or reached: the hub is asked once


def test_a_tokenizer_of_the_hub_without_a_network(run: Command, no_network: None) -> None:
    code, line, _ = run("export.tokenizer=nobody/no-such-tokenizer")
    assert code == 2
    assert "export.tokenizer=nobody/no-such-tokenizer" in line
    assert "give a folder" in line or "correct the name" in line


def test_an_engine_that_is_down(run: Command) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        code, line, _ = run(
            *OPENAI, f"engine.base_urls=[{url}]", "engine.give_up_after=0.5", "seeds.limit_per_task=2",
            "--until", "questions",
        )  # fmt: skip
    assert code == 2
    assert "no completion for 0.5 seconds (engine.give_up_after" in line
    assert "run the same command again" in line


def test_ctrl_c_says_how_to_go_on(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nemo_sdg.pipeline.run.run_step", interrupted)
    code, line, _ = run("--until", "catalog")
    assert (code, line) == (
        130,
        "nemo-sdg: interrupted; everything finished is kept, run the same command again to go on",
    )
