"""Every command in docs/ is run. The word behind `bash` in a page's source says how; docs/README.md says what each
word means.

Pages are run in the order of the table in docs/README.md, in one folder: files are written from the blocks that carry
`file=`, a run that
one page makes is used by the next. The server of the docs, http://localhost:8000/v1, is the tests' rule model, which
is called `fake`.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nemo_sdg.config import load_config
from tests.e2e.harness import nemo_sdg

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SERVER = "http://localhost:8000/v1"
BLOCK = re.compile(r"^```(?P<language>\w*) ?(?P<mode>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
MODES = {"run", "dry", "config", "args"}


@dataclass
class Command:
    page: str
    mode: str
    line: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line)


def pages() -> list[Path]:
    return [
        DOCS / name
        for name in re.findall(
            r"\]\((\w+\.md)\)", (DOCS / "README.md").read_text().split("|---|", 1)[1].split("\n\n")[0]
        )
    ]


def blocks(page: Path) -> Iterator[re.Match[str]]:
    return BLOCK.finditer(page.read_text())


def commands() -> list[Command]:
    return [
        Command(page=page.stem, mode=block["mode"], line=line)
        for page in pages()
        for block in blocks(page)
        if block["language"] == "bash"
        for line in block["body"].splitlines()
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, server: str) -> Path:
    """A working folder as the docs assume it: the repository's configs, and the files that the pages show."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("configs", "recipes"):
        (folder / name).symlink_to(ROOT / name)
    for page in pages():
        for block in blocks(page):
            if block["mode"].startswith("file="):
                path = folder / block["mode"].removeprefix("file=")
                path.parent.mkdir(parents=True, exist_ok=True)
                text = block["body"].replace(SERVER, server).replace("my-model", "fake")
                # the rule model answers by the schema of its request
                text = text.replace("generate: {", "generate: {style: compact, ").replace(", style: compact}", "}")
                path.write_text(text.replace("generate:\n", "generate:\n  style: compact\n"))
    return folder


def test_every_page_is_listed_and_every_block_says_how_it_is_tested() -> None:
    assert {page.name for page in pages()} == {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    for page in pages():
        for block in blocks(page):
            assert block["language"] != "bash" or block["mode"] in MODES, f"{page.name}: {block[0][:60]}"
            assert "nemo-sdg " not in block["body"] or block["language"] == "bash", (
                f"{page.name}: a command outside of a bash block"
            )


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*pages(), DOCS / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_files_and_tests_that_the_pages_name_exist() -> None:
    for page in [*pages(), DOCS / "README.md"]:
        for name in re.findall(r"`((?:nemo_sdg|tests|scripts|configs|recipes)/[\w/.*]+)`", page.read_text()):
            assert list(ROOT.glob(name.rstrip("/"))), f"{page.name} names {name}"


@pytest.mark.parametrize("command", commands(), ids=lambda command: f"{command.page}: {command.line[:60]}")
def test_command_does_what_the_page_says(command: Command, folder: Path, server: str) -> None:
    words = [word.replace(SERVER, server) for word in command.words]
    if command.mode in ("run", "dry"):
        assert words[0] == "nemo-sdg"
        result = nemo_sdg(
            folder, *words[1:], *(["--dry-run"] if command.mode == "dry" else []), PYTHONPATH=f"{ROOT}:{folder}"
        )
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
        expect(command, folder, result.stdout)
    elif command.mode == "config":
        read_config(words, folder)
    else:
        script = next(word for word in words if word.endswith(".py"))
        told = subprocess.run(
            [sys.executable, str(ROOT / script), "--help"], capture_output=True, text=True, check=True
        ).stdout
        for option in words[words.index(script) :]:
            assert not option.startswith("--") or option in told, f"{script} has no {option}"


def read_config(words: list[str], folder: Path) -> None:
    """The configuration of a `run`, `launch` or `ablate` is read with its overrides; options are those that the
    command has.
    """
    assert words[:1] == ["nemo-sdg"]
    told = nemo_sdg(folder, words[1], "--help").stdout
    options = [word for word in words if word.startswith("--")]
    assert all(option in told for option in options), told
    overrides = [word for word in words[3:] if "=" in word and not word.startswith("--")]
    if words[1] == "ablate":
        from nemo_sdg.commands.ablate import load_ablation

        load_ablation(folder / words[2], overrides)
    else:
        load_config(folder / words[2], overrides)


def expect(command: Command, folder: Path, output: str) -> None:
    """What a page promises of its command, where it promises something."""
    if command.line == "nemo-sdg run my.yaml":
        (dropped,) = [path for path in (folder / "runs/mine/seeds/dropped").glob("*.jsonl") if path.stat().st_size]
        assert "in_evaluation_split" in dropped.read_text()
        assert (folder / "runs/mine/report/index.html").is_file()
    elif "--save" in command.line:
        assert (folder / "runs/mine/report/forecast.json").is_file()
    elif "trackers" in command.line:
        assert list((folder / "runs/mine/tensorboard").iterdir())
    elif "lock" in command.line:
        assert (folder / "seeds.lock.yaml").is_file()
    elif command.line.startswith("nemo-sdg mix"):
        assert "decided by" in output
    elif command.line.startswith("nemo-sdg publish"):
        assert (folder / "my_corpus" / "croissant.json").is_file()
    elif "--dry-run" in command.line:
        assert "#SBATCH --array" in output
    elif "--until curated" in command.line:
        assert "solve/short_text" in (folder / "runs/filtered/answers/shard-00000.jsonl").read_text()
    elif command.line.startswith("nemo-sdg tasks"):
        assert "my_capitals" in output
