"""Files that a configuration names are read in either form; those that another program compressed are not."""

from pathlib import Path

import pyarrow
import pytest

from nemo_sdg.errors import ConfigError
from nemo_sdg.storage import ContentHashes, compressed, jsonl_files, read_jsonl, write_jsonl


def test_files_that_a_configuration_names_may_be_compressed(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a" / "one.jsonl", [{"text": "x"}], compress=True)
    write_jsonl(tmp_path / "a" / "b" / "two.jsonl", [{"text": "y"}])
    found = jsonl_files([str(tmp_path / "a"), str(tmp_path / "a" / "one.jsonl")], "curate.against")
    assert [path.name for path in found] == ["two.jsonl", "one.jsonl", "one.jsonl"]
    assert [row["text"] for path in found for row in read_jsonl(path)] == ["y", "x", "x"]
    assert jsonl_files([str(tmp_path / "a" / "one.jsonl.zst")], "curate.against") == [tmp_path / "a" / "one.jsonl"]


def test_a_file_that_another_program_compressed_is_named_and_not_to_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    compressed(path).write_bytes(pyarrow.compress(b'{"text": "x"}\n', "zstd", asbytes=True))
    for name in (tmp_path, path, compressed(path)):
        with pytest.raises(
            ConfigError, match=r"curate\.against names .*rows\.jsonl\.zst, .* another program; decompress"
        ):
            jsonl_files([str(name)], "curate.against")
    assert ContentHashes().of(path) == "missing", "an input of a run that its user has compressed since"
