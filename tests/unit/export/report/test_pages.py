"""Two runs side by side, the search over all samples, and packed documents by their parts."""

import base64
import gzip
import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.export.report import write_against, write_search_pages
from nemo_sdg.export.report.packed import parts_of, pieces, read_document
from nemo_sdg.export.report.quality import Models
from nemo_sdg.export.report.search import list_of, write_search
from tests.fakes.synthetic_run import write_run
from tests.unit.export.packing_samples import byte_tokenizer


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "plain", 60)


def content(path: Path) -> Any:
    name, packed = re.fullmatch(r'nemo\("([\w-]+)","([^"]*)"\);\n', path.read_text()).groups()  # type: ignore[union-attr]
    assert name == path.stem
    return orjson.loads(gzip.decompress(base64.b64decode(packed)))


def curated(run_dir: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (run_dir / "curated" / "shard-00000.jsonl").open("rb")]


def test_search_holds_every_sample_once_and_finds_its_words(run_dir: Path) -> None:
    write_search(run_dir, "curated", b"page", shard_size=20)
    folder = run_dir / "report" / "search"
    shards = {path.stem: content(path) for path in sorted(folder.glob("shard-*.js"))}
    rows = curated(run_dir)
    assert [row["id"] for part in shards.values() for row in part] == [row["sample_id"] for row in rows]
    assert len(shards) == content(folder / "about.js")["shards"] == -(-len(rows) // 20)
    word = rows[-1]["sample_id"]
    found = content(folder / f"terms-{list_of(word):02x}.js")[word]
    assert found == [len(shards) - 1]


def test_search_page_takes_scripts_from_beside_it_alone(run_dir: Path) -> None:
    page = write_search_pages(run_dir).read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "http" not in policy[1]


def test_two_runs_show_what_each_made_of_the_same_seeds(run_dir: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run_dir, tmp_path / "other"))
    config = (other / "config.yaml").read_text()
    (other / "config.yaml").write_text(config.replace("votes: ", "votes: 1", 1))
    shard = other / "curated" / "shard-00000.jsonl"
    shard.write_bytes(shard.read_bytes().replace(b'"question":"', b'"question":"CHANGED '))
    page = write_against(run_dir, other, Models(missing={})).read_text()
    assert "generate.votes" in page[page.index("Settings that differ") :]
    pairs = page[page.index('id="seeds"') :].split('<details class="record"')[1:]
    assert len(pairs) == 20
    for pair in pairs:
        sides = pair.split("<h3>")[1:]
        assert "CHANGED" not in sides[0]
        assert "CHANGED" in sides[1]


def test_parts_of_a_document_are_those_of_its_sample() -> None:
    sample = {
        "question": "Which gas do plants take in?",
        "choices": ["oxygen", "carbon dioxide"],
        "context": "Plants need carbon dioxide.",
        "reasoning": "They build sugar from it.",
        "answer": {"text": "carbon dioxide"},
    }
    text = (
        "Background: Plants need carbon dioxide.\n\nQuestion: Which gas do plants take in?\nA. oxygen\n"
        "B. carbon dioxide\nAnswer: They build sugar from it.\nThe answer is: B. carbon dioxide"
    )
    parts = parts_of(text, [sample])
    told: dict[str, str] = {}
    for part, char in zip(parts, text, strict=True):
        told[part] = told.get(part, "") + char
    assert told["context"] == sample["context"]
    assert told["question"] == sample["question"]
    assert told["options"] == "oxygencarbon dioxide"
    assert told["reasoning"] == sample["reasoning"]
    assert told["answer"] == "carbon dioxide"
    assert parts[-1] == "answer"


def test_pieces_of_tokens_join_to_the_text() -> None:
    tokenizer = byte_tokenizer()
    ids = tokenizer.as_document(tokenizer.encode(["Straße 第1号, it 's\n"])[0])
    texts = pieces(tokenizer, ids)
    assert "".join(texts) == tokenizer.decode(ids)
    assert len(texts) == len(ids)


def test_pieces_are_the_same_where_all_tokens_before_are_decoded_again() -> None:
    tokenizer, whole = byte_tokenizer(), byte_tokenizer()
    assert tokenizer.decodes_apart
    whole.__dict__["decodes_apart"] = False
    text = "第\U0001f469‍\U0001f467 \ufffd é"
    ids = [*tokenizer.encode([text])[0], *tokenizer.encode(["号"])[0][:2], tokenizer.eod]  # ends within a character
    assert pieces(tokenizer, ids) == pieces(whole, ids)


def test_documents_are_read_by_the_published_layout(tmp_path: Path) -> None:
    import struct

    lengths, ids = [2, 3], [7, 8, 9, 10, 11]
    index = b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 8, 2, 3)
    index += struct.pack("<2i", *lengths) + struct.pack("<2q", 0, 4) + struct.pack("<3q", 0, 1, 2)
    (tmp_path / "made.idx").write_bytes(index)
    (tmp_path / "made.bin").write_bytes(struct.pack("<5H", *ids))
    assert [read_document(tmp_path / "made", number) for number in (0, 1)] == [[7, 8], [9, 10, 11]]
