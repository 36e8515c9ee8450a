"""The same rows from every format and compression; unreadable data give a damaged row or one line."""

import bz2
import gzip
import itertools
import json
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.seeds.evaluation_rows.render import _quoted
from nemo_sdg.seeds.sources import formats
from nemo_sdg.seeds.sources.formats import Damaged, open_file
from nemo_sdg.seeds.sources.rows import Split, fixed, open_rows

ROWS: list[dict[str, Any]] = [
    {"question": "Wann?", "answer": "2001-01-01", "n": 1},
    {"question": "q2", "answer": ["a", 1], "n": None},
    {"question": "q3", "answer": {"deep": "é"}, "n": "007"},
]
LINES = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in ROWS)


def read(file: Path) -> list[Any]:
    return [row for _, row in open_file(file, "task t")]


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("content", [LINES, b"\xef\xbb\xbf" + LINES])
def test_rows_do_not_depend_on_compression_or_a_byte_order_mark(tmp_path, ending, content):
    import pyarrow

    file = tmp_path / f"rows.jsonl{ending}"
    if ending == ".zst":
        with pyarrow.output_stream(str(file), compression="zstd") as out:
            out.write(content)
    else:
        file.write_bytes({"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[ending](content))
    assert read(file) == ROWS
    assert open_file(file, "task t").count() == len(ROWS)


@pytest.mark.parametrize("name", ["rows.json", "rows.json.gz"])
def test_an_array_of_objects(tmp_path, name):
    content = b"\xef\xbb\xbf" + json.dumps(ROWS, indent=1).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert read(tmp_path / name) == ROWS


def test_a_damaged_line_keeps_its_text(tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(b'{"a": "b",}\n' + LINES)
    first, *others = read(tmp_path / "rows.jsonl")
    assert isinstance(first, Damaged)
    assert first.line == b'{"a": "b",}\n'
    assert others == ROWS


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_a_compressed_file_that_is_cut_off_is_named(tmp_path, ending):
    whole = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[ending](LINES * 2000)
    file = tmp_path / f"rows.jsonl{ending}"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=rf"task t: .*rows\.jsonl{ending} cannot be read .* copy the file again"):
        read(file)


def test_a_csv_that_is_none_is_named(tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfea\x00,\x00b\x00\n\x00")
    split = Split(path="csv", name=None, split="train", data_files=("bad.csv",), folder=str(tmp_path))
    with pytest.raises(DataError, match=r"task t: .*bad\.csv cannot be read as csv") as caught:
        list(open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t"))
    assert "gated" not in str(caught.value)


def test_rows_of_a_mirror_with_the_hubs_layout_and_of_another_name(tmp_path):
    import pyarrow
    import pyarrow.parquet

    rows = [{"question": f"q{n}", "x": n} for n in range(6)]
    data = tmp_path / "allenai/sciq/data"
    data.mkdir(parents=True)
    for part in range(2):
        table = pyarrow.Table.from_pylist(rows[3 * part : 3 * part + 3])
        pyarrow.parquet.write_table(table, data / f"train-0000{part}-of-00002.parquet")
    (tmp_path / "gsm8k/main").mkdir(parents=True)
    (tmp_path / "gsm8k/main/train.jsonl").write_text('{"question": "q"}\n')
    seeds = SeedsSection(mirror=str(tmp_path))
    found = open_rows(Split(path="allenai/sciq", name=None, split="train"), seeds, task="t")
    assert list(found) == list(enumerate(rows))
    assert len(list(open_rows(Split(path="openai/gsm8k", name="main", split="train"), seeds, task="t"))) == 1


def test_a_folder_as_dataset_path_is_read_and_a_path_out_of_the_mirror_is_not(tmp_path):
    for folder in ("own", "mirror"):
        (tmp_path / folder).mkdir()
    (tmp_path / "own/train.jsonl").write_bytes(LINES)
    seeds = SeedsSection(mirror=str(tmp_path / "mirror"))
    split = Split(path=str(tmp_path / "own"), name=None, split="train")
    assert len(list(open_rows(split, seeds, task="t"))) == len(ROWS)
    with pytest.raises(DataError, match="is a folder without a file for split test"):
        open_rows(Split(path=str(tmp_path / "own"), name=None, split="test"), seeds, task="t")
    with pytest.raises(DataError, match="is missing"):
        open_rows(Split(path="x/../../own", name=None, split="train"), seeds, task="t")


CELLS = b"""id,code,price,ok,answer,label,note\r
1,007,2.50,True,NA,1.0,"a, ""b""
c"
-2,030,1.25,False,None,,

3,12,0.5,NA,carbon,0.0,x,y
4,,1.0,True,,NA
"""


def test_a_cell_of_a_csv_loses_nothing(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + CELLS)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(CELLS.replace(b"0.5", b"0.50")))
    split = Split(path="csv", name=None, split="train", data_files=("*.csv",), folder=str(tmp_path))
    rows = open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t")
    assert rows.count() == 4
    first, second, damaged, last = [row for _, row in rows]
    assert first == {
        "id": 1, "code": "007", "price": "2.50", "ok": True, "answer": "NA", "label": 1.0, "note": 'a, "b"\nc'
    }  # fmt: skip
    assert (second["answer"], second["label"], second["note"], second["id"]) == ("None", None, None, -2)
    assert damaged == Damaged("8 cells in 7 columns", b'["3","12","0.5","NA","carbon","0.0","x","y"]')
    assert list(_quoted(damaged.line))[3:5] == ["NA", "carbon"], "an evaluation row must not be missed"
    assert last == {"id": 4, "code": None, "price": "1.0", "ok": True, "answer": None, "label": None, "note": None}
    assert list(rows.only({1}.__contains__)) == [(1, second)]


def test_columns_have_one_type_over_all_files_of_a_split(tmp_path):
    (tmp_path / "1.tsv").write_text("a\tb\n1\t2\n")
    (tmp_path / "2.tsv").write_text("b\ta\n3\tx\n")
    split = Split(
        path="csv", name=None, split="train", data_files=("*.tsv",), folder=str(tmp_path), options=(("sep", "\t"),)
    )
    rows = open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t")
    assert [row for _, row in rows] == [{"a": "1", "b": 2}, {"b": 3, "a": "x"}]


def test_a_blank_around_a_columns_name_is_no_part_of_it(tmp_path):
    (tmp_path / "a.csv").write_text("question, answer , label\nWho?, me, 1\nWhom? , you,\n")
    split = Split(path="csv", name=None, split="train", data_files=("a.csv",), folder=str(tmp_path))
    rows = open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t")
    assert [row for _, row in rows] == [
        {"question": "Who?", "answer": "me", "label": 1},
        {"question": "Whom? ", "answer": "you", "label": None},
    ]


def test_two_columns_of_one_name_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("a,a\n1,2\n")
    split = Split(path="csv", name=None, split="train", data_files=("a.csv",), folder=str(tmp_path))
    with pytest.raises(DataError, match=r"task t: .*a\.csv has two columns named 'a'"):
        list(open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t"))


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 20])
def test_rows_are_counted_as_they_are_read(tmp_path, monkeypatch, block):
    """Whatever the lines' ends, and wherever a block of the file ends."""
    monkeypatch.setattr(formats, "_BLOCK", block)
    whole = [b"{}\n", b"{}\r\n", b"\n", b" \t\r\n", b'{"a":"b"}\n', b"{}"]
    for number, lines in enumerate(itertools.product(whole[:-1], whole[:-1], whole)):
        file = tmp_path / f"{number}.jsonl"
        file.write_bytes((b"\xef\xbb\xbf" if number % 2 else b"") + b"{}\n" + b"".join(lines))
        rows = open_file(file, "task own")
        assert rows.count() == len(list(rows)), file.read_bytes()


def test_wanted_rows_are_taken_across_the_groups_of_a_parquet_file(tmp_path):
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"n": list(range(10)), "o": [{"a": [n]} for n in range(10)]}), file, row_group_size=3)
    rows = open_file(file, "task own")
    assert [number for number, _ in rows] == list(range(10))
    assert list(rows.only({2, 3, 9}.__contains__)) == [(n, {"n": n, "o": {"a": [n]}}) for n in (2, 3, 9)]


def test_a_parquet_file_gives_values_as_json_would(tmp_path):
    file = tmp_path / "rows.parquet"
    columns = {
        "half": pa.array([0.1, None], pa.float32()),
        "options": pa.array([[("A", "eel"), ("B", "wren")], None], pa.map_(pa.string(), pa.string())),
        "kind": pa.array(["bird", "fish"]).dictionary_encode(),
        "texts": pa.array([["a"], []], pa.large_list(pa.large_string())),
    }
    pq.write_table(pa.table(columns), file)
    first = {"half": 0.1, "options": {"A": "eel", "B": "wren"}, "kind": "bird", "texts": ["a"]}
    assert read(file) == [first, {"half": None, "options": None, "kind": "fish", "texts": []}]


def test_one_array_in_a_file_of_lines_is_read(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('[{"q": "a"}, {"q": "b"}]')
    assert read(file) == [{"q": "a"}, {"q": "b"}]


def test_utf_16_is_named(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"q": "a"}\n', encoding="utf-16")
    with pytest.raises(DataError, match="UTF-16; save it in UTF-8"):
        open_file(file, "task own")


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_nan_of_an_empty_cell_is_null_and_keeps_the_row(tmp_path: Path, ending: bytes) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [b'{"q": "NaN?", "hint": NaN}', b'{"q": "Ist es \\ud83d?", "hint": NaN}', b'{"q": "b", "hint": NaN}']
    file.write_bytes(b"\n".join(lines) + ending)
    first, surrogate, last = read(file)
    assert (first, last) == ({"q": "NaN?", "hint": None}, {"q": "b", "hint": None})
    assert isinstance(surrogate, Damaged)
    array = tmp_path / "rows.json"
    array.write_bytes(b'[{"q": "a", "hint": NaN}]')
    assert read(array) == [{"q": "a", "hint": None}]


def test_infinity_is_no_json(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"q": "a", "x": Infinity, "y": NaN}\n{"q": "b"}\n')
    damaged, whole = read(file)
    assert isinstance(damaged, Damaged)
    assert whole == {"q": "b"}


def test_parquet_with_a_column_twice_is_refused_and_texts_without_their_type_are_texts(tmp_path):
    twice = pa.Table.from_arrays([pa.array(["q"]), pa.array(["a"]), pa.array(["b"])], names=["q", "a", "a"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match="two columns named 'a'"):
        read(tmp_path / "twice.parquet")
    pq.write_table(pa.table({"a": pa.array(["é".encode(), b"\x89PNG", None])}), tmp_path / "bytes.parquet")
    assert read(tmp_path / "bytes.parquet") == [{"a": "é"}, {"a": b"\x89PNG"}, {"a": None}]


@pytest.mark.parametrize(("content", "ending"), [(gzip.compress(LINES), ".gz"), (b"PAR1xx", ".parquet")])
def test_a_file_under_the_name_of_another_format_is_told(tmp_path, content, ending):
    (tmp_path / "rows.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=rf"ends in \{ending}; name it so"):
        read(tmp_path / "rows.jsonl")


def test_a_line_in_another_encoding_is_told(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes('{"q": "café"}\n'.encode("latin-1") + LINES)
    damaged, *others = read(file)
    assert damaged.detail == "not in UTF-8: save the file so, or name its encoding in dataset_kwargs"
    assert others == ROWS
    file.write_bytes('{"q": "café"}'.encode("latin-1"))
    with pytest.raises(DataError, match="is not in UTF-8"):
        read(file)
    file.write_bytes('{"q": "café'.encode()[:-1])
    with pytest.raises(DataError, match="is cut off in its last line"):
        read(file)


def test_lists_in_dataset_kwargs_reach_the_builder(tmp_path):
    (tmp_path / "rows.csv").write_text("Who wrote Emma?,Austen\n")
    options = (("column_names", fixed(["question", "answer"])),)
    split = Split(path="csv", name=None, split="train", data_files=("rows.csv",), folder=str(tmp_path), options=options)
    rows = open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t")
    assert [row for _, row in rows] == [{"question": "Who wrote Emma?", "answer": "Austen"}]
