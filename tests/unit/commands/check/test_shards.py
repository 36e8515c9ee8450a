"""Each file of records is read once: hashed whole, and given record by record to whatever takes something of it."""

import hashlib
import re
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.commands.check import shards
from nemo_sdg.commands.check.findings import Verdict
from nemo_sdg.commands.check.packed.blend import _weights_are_planned
from nemo_sdg.commands.check.shards import BROKEN, hashed_lines, read_records
from nemo_sdg.commands.check.takers import Taker, Texts
from nemo_sdg.commands.check.texts import num_letters
from nemo_sdg.errors import DataError

RUN: Any = None


class Numbers(Taker):
    """Takes `number` of each record."""

    def __init__(self, *, last: int = 99) -> None:
        super().__init__(RUN, "answers")
        self.found, self.last = list[int](), last

    def take(self, record: dict[str, Any]) -> None:
        if record["number"] > self.last:
            raise KeyError("sample_id")
        self.found.append(record["number"])


def write(path: Path, lines: list[bytes]) -> str:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@given(content=st.binary(max_size=60) | st.text("ab\n", max_size=40).map(str.encode), block=st.integers(1, 9))
def test_lines_are_those_of_the_file_whatever_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.jsonl"
    path.write_bytes(content)
    digest = hashlib.sha256()
    with mock.patch.object(shards, "BLOCK", block), open(path, "rb") as handle:
        assert list(hashed_lines(path, digest)) == [line.removesuffix(b"\n") for line in handle]
    assert digest.digest() == hashlib.sha256(content).digest()


def test_what_stops_one_taker_does_not_stop_the_others(tmp_path: Path) -> None:
    path, all_of_them, two = tmp_path / "records.jsonl", Numbers(), Numbers(last=2)
    sha256 = write(path, [orjson.dumps({"number": number}) for number in range(1, 6)])
    digest, errors = read_records(path, [two, all_of_them])
    assert (digest, all_of_them.found, two.found) == (sha256, [1, 2, 3, 4, 5], [1, 2])
    assert [type(error) for error in errors.values()] == [KeyError]
    assert two in errors


@pytest.mark.parametrize("sample_id", ["-1", "no number", None])
def test_an_edited_id_stops_the_law_and_not_the_command(tmp_path: Path, sample_id: str | None) -> None:
    taker = Texts(mock.Mock(ledgers={}), "curated")
    write(tmp_path / "records.jsonl", [orjson.dumps({"sample_id": sample_id})])
    _, errors = read_records(tmp_path / "records.jsonl", [taker])
    assert isinstance(errors[taker], BROKEN)


def test_weights_without_any_token_are_not_planned() -> None:
    verdict = Verdict(law="blend")
    plan = {"families": {}, "train": [{"prefix": "packed/context/math/train/shard-00000", "weight": 1.0}]}
    _weights_are_planned(mock.Mock(receipts={}), "context", plan, verdict)
    assert len(verdict.violations) == 1


@pytest.mark.parametrize(
    ("line", "words"), [(b'{"number": 3', "line 2 is not valid JSON"), (b"[3]", "line 2 is not a JSON object")]
)
def test_a_damaged_line_stops_all_and_the_whole_file_is_hashed(tmp_path: Path, line: bytes, words: str) -> None:
    path, takers = tmp_path / "records.jsonl", [Numbers(), Numbers()]
    sha256 = write(path, [b'{"number": 1}', line, b'{"number": 4}'])
    digest, errors = read_records(path, list(takers))
    assert digest == sha256
    assert all(words in str(errors[taker]) and isinstance(errors[taker], DataError) for taker in takers)


def test_a_file_that_is_not_there_has_no_hash(tmp_path: Path) -> None:
    taker = Numbers()
    digest, errors = read_records(tmp_path / "gone.jsonl", [taker])
    assert digest is None
    assert "gone.jsonl is missing" in str(errors[taker])


@given(st.text(st.characters(max_codepoint=127)) | st.text("ab_ -\n\u00e9\u3042\u4e2d\u2160"))
def test_letters_are_counted_alike_in_ascii_and_in_other_texts(text: str) -> None:
    letters = re.sub(r"[\W_]+", "", text)
    assert num_letters(text) == len(letters) + 2 * len(re.findall(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]", text))
