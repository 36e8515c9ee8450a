"""Small whole runs made from public reports, if they are available, with a server of made-up replies: the packed
documents are right in every variant.
"""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nemo_sdg.commands.check.findings import CheckedRun, Verdict
from nemo_sdg.commands.check.packed.corpora import packed_is_complete
from nemo_sdg.config import load_config
from nemo_sdg.export.packing.tokenizers import load_saved
from nemo_sdg.pipeline.run import run as run_steps
from nemo_sdg.storage import read_json, read_jsonl
from tests.contract.control_ids import find_control_ids, import_indexed_dataset

VARIANTS = ["context", "no_context", "answer_only", "trace"]
OPTION = re.compile(r"^(?:\(([A-J])\)|([A-J])\.) (.*)$", re.MULTILINE)
NAMED_RIGHT = re.compile(r"\boption ([A-J]) is right")
NAMED = re.compile(r"\boption ([A-J])\b", re.IGNORECASE)
ANSWER_LINE = re.compile(r"answer(?: is)?: (?:\(([A-J])\)|([A-J])\.) (.*)$", re.MULTILINE | re.IGNORECASE)


@pytest.fixture(scope="module")
def folder(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the cases: runs write beside them."""
    cases = hub.parent / "cases" / "pack"
    if not cases.is_dir():
        pytest.skip(f"no failing cases at {cases}")
    home = tmp_path_factory.mktemp("pack")
    shutil.copytree(cases / "runs", home / "runs_of_cases")
    shutil.copytree(cases / "tokenizers", home / "tokenizers")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home / "runs_of_cases")
        yield home


def run_case(folder: Path, name: str, *overrides: str) -> Path:
    """The run of one case, answered by the cases' own server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "fakeserver.py", str(port), f"gold_{name}.json"])
    try:
        url = f"engine.base_urls=[http://127.0.0.1:{port}/v1]"
        settings = ["generate.style=compact", "run.measure=false", f"export.variants=[{','.join(VARIANTS)}]"]
        return run_steps(load_config(f"{name}.yaml", [url, *settings, *overrides]))
    finally:
        server.kill()
        server.wait()


def texts(run_dir: Path, variant: str) -> list[str]:
    found = []
    for path in sorted((run_dir / "packed" / variant).rglob("*.text.parquet")):
        found += pq.read_table(path)["text"].to_pylist()
    return found


def violations(run_dir: Path) -> list[str]:
    """What `check` says of the packed corpora."""
    run, verdict = CheckedRun(run_dir, ["curated", "packed"]), Verdict(law="packed")
    packed_is_complete(run, verdict)
    return verdict.violations


def golds(folder: Path, name: str) -> dict[str, str]:
    """Question -> the answer that the server gives."""
    return {row["q"]: row["a"] for row in read_json(folder / "runs_of_cases" / f"gold_{name}.json")}


@pytest.mark.parametrize("form", ["single", "siblings"])
def test_letters_in_a_text_are_those_of_its_options(folder: Path, form: str) -> None:
    run_dir = run_case(folder, "mc", f"export.form={form}", f"run.dir=runs/mc_{form}")
    right = golds(folder, "mc")
    assert violations(run_dir) == []
    for variant in VARIANTS:
        found = texts(run_dir, variant)
        assert len(found) == len(right)
        for text in found:
            (question,) = (question for question in right if question in text)
            options = {first or second: shown for first, second, shown in OPTION.findall(text.split("nswer")[0])}
            assert set(NAMED.findall(text)) <= options.keys(), text
            assert {options[letter] for letter in NAMED_RIGHT.findall(text)} <= {right[question]}, text
            for first, second, shown in ANSWER_LINE.findall(text):
                assert options[first or second] == shown == right[question], text
            assert right[question] in text.rsplit("\n", 1)[-1], text


def test_good_samples_with_decimal_commas_are_kept(folder: Path) -> None:
    run_dir = run_case(folder, "de")
    right = golds(folder, "de")
    kept = {row["question"]: row["answer"]["text"] for row in read_jsonl(run_dir / "curated" / "shard-00000.jsonl")}
    assert len(kept) == 5
    assert kept == right
    assert violations(run_dir) == []
    for variant in VARIANTS:
        found = texts(run_dir, variant)
        assert len(found) == 5
        for question, answer in right.items():
            (text,) = (text for text in found if question in text)
            assert re.search(rf"(?<![\d,]){re.escape(answer)}(?![\d,]\d)", text.split(question)[1]), text


def test_markup_in_questions_and_answers_ends_no_document(folder: Path) -> None:
    run_dir = run_case(folder, "ht", f"export.tokenizer={folder / 'tokenizers' / 'sp_unigram_bytes'}")
    tokenizer = load_saved(run_dir / "packed" / "tokenizer")
    assert violations(run_dir) == []
    for variant in VARIANTS:
        documents = ends = 0
        for path in (run_dir / "packed" / variant).rglob("*.bin"):
            dataset = import_indexed_dataset().IndexedDataset(str(path.with_suffix("")))
            documents += len(dataset)
            ends += sum(dataset[number].tolist().count(tokenizer.eod) for number in range(len(dataset)))
            assert not list(find_control_ids(path.with_suffix(""), tokenizer))
        assert documents == ends == len(golds(folder, "ht"))
        assert any("<s>old price</s>" in text for text in texts(run_dir, variant))
