"""Every command that reads a run, on a run of which one file is something else: it ends in one line, or it counts what
it could not read, and never in a traceback.
"""

import io
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest
import yaml

from nemo_sdg import cli
from nemo_sdg.storage import read_ledger
from tests.fakes.small_run import at_home, move

PACKED = "packed/context/math/train/shard-00000"


def of_other_types(value: Any) -> Any:
    """The same with texts in place of numbers, and numbers in place of texts."""
    if isinstance(value, dict):
        return {key: of_other_types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [of_other_types(item) for item in value]
    return 7 if isinstance(value, str) else "seven"


def flattened(value: Any) -> Any:
    """The same with a number in place of whatever is inside."""
    return dict.fromkeys(value, 7) if isinstance(value, dict) else [7]


def each_value(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Changes a JSON or YAML file, or each line of a file of lines."""

    def damage(content: bytes) -> bytes:
        values = [orjson.loads(line) for line in content.splitlines()] if content.startswith(b'{"') else None
        if values is None:
            values = [yaml.safe_load(content)]
        return b"".join(orjson.dumps(change(value)) + b"\n" for value in values)

    return damage


DAMAGES: list[tuple[str, Callable[[bytes], bytes | None]]] = [
    ("an object", lambda content: b"{}"),
    ("a list", lambda content: b"[]"),
    ("null", lambda content: b"null"),
    ("other types", each_value(of_other_types)),
    ("cut", lambda content: content[: len(content) // 2]),
    ("empty", lambda content: b""),
    ("flat", each_value(flattened)),
    ("no text", lambda content: b"\xff\xfe\x00 7"),
    ("a folder", lambda content: None),
]
STEPS = ("catalog", "seeds", "questions", "answers", "verified", "curated", "packed", "blend")
RECEIPTS = [
    "questions/receipts/shard-00000.json",
    "curated/receipts/shard-00000.json",
    "packed/receipts/math-train-00000.json",
    "seeds/receipts/shard-00003.json",
]
LEDGERS = ["questions/ledger.json", "seeds/ledger.json"]
RECORDS = ["curated/shard-00000.jsonl", "curated/dropped/shard-00000.jsonl", "seeds/shard-00000.jsonl"]
BLEND = ["blend/mixture.json", "config.yaml"]
PAGE = [*BLEND, "manifest.json", "curated/health.json", "seeds/evaluation/unreachable.json", "catalog/tasks.jsonl"]
READ = {
    "launch --status RUN": [*RECEIPTS, *LEDGERS, "progress.jsonl", "slurm/jobs.json"],
    "sample RUN": ["curated/shard-00000.jsonl"],
    "sample RUN --dropped": ["curated/dropped/shard-00000.jsonl"],
    "diff RUN OTHER": ["config.yaml", "curated/shard-00000.jsonl", *RECEIPTS[:2]],
    "mix RUN": ["config.yaml", RECEIPTS[2]],
    "publish RUN --to OUT --dry-run": ["manifest.json", RECEIPTS[2]],
    "publish RUN --to OUT": [*BLEND, "manifest.json", "curated/shard-00000.jsonl"],
    f"trace RUN {PACKED} 0": [RECEIPTS[2], "packed/tokenizer/tokenizer_config.json", "seeds/shard-00000.jsonl"],
    "report RUN --no-measure": [*PAGE, *RECEIPTS, LEDGERS[0], "progress.jsonl", "report/forecast.json"],
    "report RUN --no-measure --against OTHER": [*BLEND, *RECORDS],
    "report RUN --no-measure --search": RECORDS[:1],
    "check RUN": [*BLEND, "manifest.json", "seeds/evaluation/unreachable.json", RECEIPTS[0], LEDGERS[0]],
}
"""what each command is tried on: one file of each kind that it reads"""
ALL = ("sample RUN", "diff RUN OTHER", "mix RUN", "publish RUN --to OUT --dry-run")
"""commands that take a few hundredths of a second: each file is damaged in every way, and for the others in one way"""


@pytest.fixture(scope="module")
def home(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run, of which one file at a time is damaged, and repaired after that."""
    home = move(finished, tmp_path_factory.mktemp("damaged") / "home")
    shutil.copytree(home / "run", home / "other")
    (home / "run" / "slurm").mkdir()
    (home / "run" / "slurm" / "jobs.json").write_bytes(b'{"seeds": "17"}')
    (home / "run" / "report" / "forecast.json").write_bytes(b'{"requests": 17, "rates": "assumed"}')
    return home


def told(home: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of the command, run in this process; what it does not catch is raised."""
    error, code = io.StringIO(), 0
    with (
        at_home(home),
        mock.patch.object(sys, "argv", ["nemo-sdg", *arguments]),
        redirect_stdout(io.StringIO()),
        redirect_stderr(error),
    ):
        try:
            cli.main()
        except SystemExit as exc:
            code = int(exc.code or 0)
    return code, error.getvalue()


def cases() -> Iterator[tuple[str, str, str, Callable[[bytes], bytes | None]]]:
    turn = 0
    for command, files in READ.items():
        for name in files:
            chosen = DAMAGES if command in ALL else [DAMAGES[turn % len(DAMAGES)]]
            turn += 1
            yield from ((command, name, kind, damage) for kind, damage in chosen)


@pytest.mark.usefixtures("no_charts")
@pytest.mark.parametrize("command", READ)
def test_a_damaged_file_ends_in_one_line_or_is_counted(
    home: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", "/dev/null")  # squeue gives up at once, and does not look for a controller for 2 s
    for tried, name, kind, damage in cases():
        if tried != command:
            continue
        path = home / "run" / name
        content = path.read_bytes()
        found = damage(content)
        path.unlink()
        path.mkdir() if found is None else path.write_bytes(found)
        try:
            code, error = told(home, *command.replace("RUN", "run").replace("OTHER", "other").split())
        except Exception as exc:
            raise AssertionError(f"{command} with {kind} in place of {name}") from exc
        finally:
            path.rmdir() if path.is_dir() else path.unlink()
            path.write_bytes(content)
        lines = [line for line in error.splitlines() if line.startswith("nemo-sdg: ")]
        assert code in (0, 1, 2), (name, kind, error)
        assert len(lines) == (code == 2), (name, kind, error)


def test_a_run_writes_damaged_ledgers_again(home: Path) -> None:
    before = {step: (home / "run" / step / "ledger.json").read_bytes() for step in STEPS}
    for step, (_, damage) in zip(STEPS, DAMAGES, strict=False):
        (home / "run" / step / "ledger.json").write_bytes(damage(before[step]) or b"")
    code, error = told(home, "run", "small_run.yaml", "engine.base_urls=[http://127.0.0.1:9/v1]")
    assert code == 0, error
    assert "questions/ledger.json" in error
    after = {step: read_ledger(home / "run", step) for step in STEPS}
    assert {step: orjson.loads(content)["receipts"] for step, content in before.items()} == {
        step: ledger.receipts for step, ledger in after.items() if ledger is not None
    }
