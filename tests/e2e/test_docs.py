"""Every command in docs/ is run. The word after `bash` in a page's source says how; docs/README.md explains each word.

Pages are run in the order of `nav` in mkdocs.yml, in one folder and in this process: blocks with `file=` are written as
files, and a run of one page is used by the next pages. The server of the docs, http://localhost:8000/v1, is the tests'
rule model, named `fake`.
"""

import asyncio
import contextlib
import dataclasses
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from nemo_sdg.cli import app
from nemo_sdg.config import EngineKind, EngineSection, load_config
from nemo_sdg.curate.filters import registry
from nemo_sdg.export.report.quality import Models
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.sent import prepare
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.storage import open_content
from tests.e2e.harness import in_process
from tests.fakes.openai_server import serving
from tests.fakes.server_dialects import takes_schema

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SERVER = "http://localhost:8000/v1"
BLOCK = re.compile(r"^```(?P<language>\w*) ?(?P<mode>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
MODES = {"run", "stand-in", "config", "args", "other"}
SCHEMA = {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"]}
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([^)\s]*))?\)")


@dataclass
class Command:
    page: str
    language: str
    mode: str
    line: str
    """of a shell, or a whole block of Python"""

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line, comments=True)


def pages() -> list[Path]:
    """The pages of the site, in the order of its navigation."""
    return [DOCS / name for name in _leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])]


def _leaves(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from _leaves(item)


def blocks(page: Path) -> Iterator[re.Match[str]]:
    return BLOCK.finditer(page.read_text())


def commands() -> list[Command]:
    return [
        Command(page=page.stem, language=block["language"], mode=block["mode"], line=line)
        for page in pages()
        for block in blocks(page)
        if (block["language"] == "bash" and block["mode"] != "other") or block["mode"] == "run"
        for line in ([block["body"]] if block["language"] == "python" else block["body"].splitlines())
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, server: str) -> Iterator[Path]:
    """A working folder as the docs assume it: the repository's configs, and the files that the pages show."""
    folder = tmp_path_factory.mktemp("docs")
    for name in [name for name in sys.modules if name.startswith("my_")]:  # of other tests in this process
        del sys.modules[name]
    registry._load.cache_clear()
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
    before, modules = list(sys.path), set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:  # a minute of the embedded model for each run of the pages is too much
        patch.setattr("nemo_sdg.pipeline.report.models_at_hand", lambda: Models(missing={}))
        yield folder
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        if (folder / f"{name}.py").is_file():
            del sys.modules[name]


def test_every_page_is_in_the_navigation_and_every_block_says_how_it_is_tested() -> None:
    assert set(pages()) == set(DOCS.rglob("*.md"))
    for page in pages():
        for block in blocks(page):
            assert block["language"] != "bash" or block["mode"] in MODES, f"{page.name}: {block[0][:60]}"
            assert "nemo-sdg " not in block["body"] or block["language"] == "bash" or page.parent.name == "reference", (
                f"{page.name}: a command outside of a bash block"
            )
            assert block["mode"] != "other" or "nemo-sdg " not in block["body"], f"{page.name}: {block[0][:60]}"


def test_links_between_pages_lead_somewhere() -> None:
    """Also from the repository's README, which is no page of the site: `mkdocs build --strict` sees the pages."""
    for page in [*pages(), ROOT / "README.md"]:
        for target, _ in LINK.findall(page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_command() -> None:
    commands: Any = typer.main.get_command(app)
    text = (ROOT / "README.md").read_text()
    assert [
        name for name in commands.commands if f"| `nemo-sdg {name}" not in text and f", `nemo-sdg {name}" not in text
    ] == []


def test_files_and_tests_that_the_pages_name_exist() -> None:
    for page in pages():
        for name in re.findall(r"`((?:nemo_sdg|tests|scripts|configs|recipes)/[\w/.*]+)`", page.read_text()):
            assert list(ROOT.glob(name.rstrip("/"))), f"{page.name} names {name}"


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """mkdocs in a process of its own, since it keeps what it configured: every page, link, anchor and picture."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    for page in pages():
        name = page.relative_to(DOCS).with_suffix(".html").as_posix().replace("README", "index")
        html = (tmp_path / "site" / name).read_text()
        prose = re.sub(r"<pre.*?</pre>", "", html.split("<article")[1], flags=re.DOTALL)  # a document may hold a fence
        assert "```" not in prose, f"{name}: a block of code that is not shown as one"


@pytest.mark.parametrize("page", sorted((DOCS / "servers").glob("*.md")), ids=lambda page: page.stem)
def test_each_server_takes_the_settings_of_its_page(page: Path, folder: Path) -> None:
    """A request with a JSON schema, sent as the page says to a fake server that speaks as this one does."""
    for block in blocks(page):
        if not block["mode"].startswith("file="):
            continue
        config = load_config(folder / block["mode"].removeprefix("file="))
        dialect = Path(block["mode"]).stem.replace("llama_cpp", "llama.cpp").replace("_", "-")
        if config.engine.kind is EngineKind.batch:
            continue
        with serving(model=config.engine.model or "", dialect=dialect, thinking=40) as fake:
            completion = asyncio.run(ask(dataclasses.replace(config.engine, base_urls=[fake.url])))
        assert completion.finish_reason == "stop"
        assert completion.trace
        assert completion.text
        assert takes_schema(dialect, fake.bodies[-1])


async def ask(settings: EngineSection) -> Completion:
    engine = open_engine(settings)
    await engine.start()
    request = Request(messages=[{"role": "user", "content": "Is water wet?"}], max_tokens=200, schema=SCHEMA)
    try:
        return await engine.complete(prepare(request, settings))
    finally:
        await engine.close()


@pytest.mark.parametrize("command", commands(), ids=lambda command: f"{command.page}: {command.line[:60]!r}")
def test_command_does_what_the_page_says(command: Command, folder: Path, server: str) -> None:
    if command.language == "python":
        with contextlib.chdir(folder):
            exec(compile(command.line, f"{command.page}.md", "exec"), {})
        return
    words = [word.replace(SERVER, server) for word in command.words]
    if command.mode in ("run", "stand-in"):
        assert words[0] == "nemo-sdg"
        result = in_process(folder, *words[1:], *(stand_in(server) if command.mode == "stand-in" else []))
        assert result.exit_code == 0, f"{result.exception!r}\n{result.output[-2000:]}"
        expect(command, folder, result.stdout)
    elif command.mode == "config":
        read_config(words, folder)
    else:
        script = next(word for word in words if word.endswith(".py"))
        text = subprocess.run(
            [sys.executable, str(ROOT / script), "--help"], capture_output=True, text=True, check=True
        ).stdout
        for option in words[words.index(script) :]:
            assert not option.startswith("--") or option in text, f"{script} has no {option}"


def stand_in(server: str) -> list[str]:
    """The rule model instead of the embedded one, which takes minutes."""
    return ["engine.kind=openai", "engine.model=fake", f"engine.base_urls=[{server}]", "generate.style=compact"]


def read_config(words: list[str], folder: Path) -> None:
    """The configuration of a `run`, `launch` or `ablate` is read with its overrides; options are those that the
    command has.
    """
    assert words[:1] == ["nemo-sdg"]
    commands: Any = typer.main.get_command(app)
    known = {option for parameter in commands.commands[words[1]].params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
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
    elif command.line.startswith("nemo-sdg lock"):
        assert (folder / "seeds.lock.yaml").is_file()
    elif command.line.startswith("nemo-sdg mix"):
        assert "decided by" in output
    elif command.line.startswith("nemo-sdg publish"):
        assert (folder / "my_release" / "croissant.json").is_file()
    elif command.line.startswith("nemo-sdg launch") and "--status" not in command.line:
        assert "#SBATCH --array" in output
    elif "--until curated" in command.line:
        with open_content(folder / "runs/filtered/answers/shard-00000.jsonl") as answers:
            assert b"solve/short_text" in answers.read()
    elif command.line.startswith("nemo-sdg tasks"):
        assert "my_capitals" in output
    elif command.line.startswith("nemo-sdg check"):
        assert "VIOLATED" not in output
