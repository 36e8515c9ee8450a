"""`run --dry-run` prints what would be done and writes nothing."""

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import orjson
import pytest

from nemo_sdg.commands.ahead.dry_run import Sizes, dry_run, is_here, named_models
from nemo_sdg.config import load_config
from nemo_sdg.errors import ConfigError
from nemo_sdg.pipeline.order import steps_between
from tests.fakes.task_tree import instead_of_lm_eval, reported_tasks


def told(config: Path, *overrides: str) -> str:
    settings = load_config(config, list(overrides))
    return "\n".join(dry_run(settings, steps_between(settings)))


QUICKSTART = Path("configs/quickstart.yaml")


@pytest.fixture(scope="module", autouse=True)
def lm_eval(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with instead_of_lm_eval(tmp_path_factory.mktemp("tasks"), reported_tasks()) as folder:
        yield folder


def test_it_names_steps_rows_requests_and_evaluation_splits_and_writes_nothing(tmp_path: Path) -> None:
    run_dir = f"run.dir={tmp_path / 'run'}"
    text = told(
        QUICKSTART,
        run_dir,
        "guard.against=[own,reported]",
        "engine.price_input=1",
        "engine.price_output=2",
        "run.currency=EUR",
    )
    for words in (
        "/ (new)",
        "to do       catalog, seeds, questions, answers, verified, curated, packed, blend",
        "skipped     screened, graded",
        "seeds       52: ",
        "writer              52",
        " EUR",
        "_test.jsonl",
        "splits cannot be had (seeds.hub=false",
        "downloads   nothing",
        "nothing was written",
    ):
        assert words in text
    assert list(tmp_path.iterdir()) == []
    assert all(len(line) <= 100 or str(tmp_path) in line for line in text.splitlines())


def test_it_refuses_what_a_run_would_refuse(tmp_path: Path) -> None:
    run_dir = f"run.dir={tmp_path / 'run'}"
    for override, said in (
        ("seeds.tasks=[qs_sciense]", "did you mean qs_science"),
        ("export.tokenizer=/nowhere", "export.tokenizer=/nowhere: there is no such file"),
        ("guard.require=[mmlu]", "guard.require asks for the evaluation splits of mmlu_"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            told(QUICKSTART, run_dir, override)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A hub with one data set and one model, which says how large their files are; yields the paths asked for."""
    asked: list[str] = []
    files = [("data/train-0.parquet", 3_000_000), ("data/test-0.parquet", 1_000_000), ("README.md", 100)]
    siblings = [{"rfilename": name, "size": size} for name, size in files]

    class FakeHub(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = orjson.dumps({"_id": "1", "id": "made/up", "sha": "a" * 40, "siblings": siblings, "tags": []})
            self.send_response(404 if "nowhere" in self.path else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeHub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setattr("huggingface_hub.hf_api.constants.ENDPOINT", huggingface_hub.constants.ENDPOINT)
        yield asked
        server.shutdown()


def test_sizes_are_those_of_the_splits_asked_for(hub: list[str]) -> None:
    sizes = Sizes()
    assert sizes.dataset("made/up", {(None, "train")}) == 3_000_000
    assert sizes.dataset("made/up", {(None, "train"), (None, "test")}) == 4_000_000
    assert sizes.dataset("made/up", {("other", "else")}) == 4_000_100
    assert sizes.model("made/up") == 4_000_100
    assert sizes.dataset("made/nowhere", {(None, "train")}) is None
    assert sizes.failed == ""


def test_what_seeds_need_is_told_apart_from_what_they_are_compared_with(hub: list[str], tmp_path: Path) -> None:
    text = told(QUICKSTART, f"run.dir={tmp_path / 'run'}", "seeds.hub=true", "guard.against=[reported]")
    (line,) = [line for line in text.splitlines() if line.startswith("downloads")]
    assert line == "downloads   nothing for the seeds"
    assert "data sets to compare with" in text
    assert "guard.against says which" in text


def test_a_hub_that_cannot_be_reached_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    sizes = Sizes()
    assert sizes.dataset("made/up", {(None, "train")}) is None
    assert sizes.failed


def test_models_of_the_hub_are_told_from_files(tmp_path: Path) -> None:
    config = load_config_of(tmp_path, "export: {tokenizer: nvidia/some-tokenizer}\ncurate: {embedder: ./folder/x}\n")
    assert named_models(config) == ["nvidia/some-tokenizer"]
    assert not is_here("nvidia/some-tokenizer-that-is-nowhere")
    assert is_here(str(tmp_path))


def load_config_of(folder: Path, text: str):  # type: ignore[no-untyped-def]
    path = folder / "c.yaml"
    path.write_text(text)
    return load_config(path)
