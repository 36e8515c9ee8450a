"""A ledger records what shaped a step, and shows what has changed."""

import dataclasses
import os
from pathlib import Path

import pytest

from nemo_sdg.errors import DataError
from nemo_sdg.storage import (
    ContentHashes,
    Inputs,
    Ledger,
    StepDir,
    UnknownFields,
    changed_fields,
    code_version,
    different_versions,
    make_identity,
    read_ledger,
    usable_ledger,
    with_unread,
    write_json,
)


def ledger(**changes: object) -> Ledger:
    fields: dict[str, object] = {
        "step": "answers",
        "identity": "i",
        "fingerprint": "f",
        "before": {"questions": "q"},
        "version": 1,
        "configuration": {"generate.votes": 3, "generate.origins": {"similar": 1, "seed": 1.0}},
        "inputs": {"templates/a.jinja": "0" * 64, "model": "small"},
        "places": {},
    }
    return Ledger(**{**fields, **changes})  # type: ignore[arg-type]


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = ledger(receipts={"shard-00000": "a", "inner/shard-00000": "b"}, unread=[{"source": "s", "why": "w"}])
    written.write(tmp_path)
    assert read_ledger(tmp_path, "answers") == written
    assert written.shards == ["shard-00000"]
    assert read_ledger(tmp_path, "verified") is None
    (tmp_path / "answers" / "ledger.json").write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        read_ledger(tmp_path, "answers")
    assert usable_ledger(tmp_path, "answers") is None


def test_a_ledger_of_another_version_is_called_that_and_not_damaged(tmp_path: Path) -> None:
    write_json(tmp_path / "answers" / "ledger.json", {**dataclasses.asdict(ledger(made_by=["9.0+ab"])), "epoch": 1})
    for read in (read_ledger, usable_ledger):
        with pytest.raises(
            UnknownFields, match=r"by another version of nemo_sdg \(9.0\+ab\): it has .* \(epoch\); use"
        ):
            read(tmp_path, "answers")


def test_changes_name_what_is_different() -> None:
    new = ledger(
        configuration={"generate.votes": 4, "generate.origins": {"similar": 2, "seed": 1.0}},
        inputs={"templates/a.jinja": "1" * 64, "model": "large", "templates/b.jinja": "2" * 64},
        version=2,
    )
    assert ledger().changes(new) == [
        "generate.origins.similar: 1 -> 2",
        "generate.votes: 3 -> 4",
        "model: small -> large",
        "templates/a.jinja has changed",
        "templates/b.jinja is new",
        "version 1 -> 2 of the step",
    ]
    assert ledger().changes(ledger(before={"questions": "other"})) == []
    unread = ledger(unread=[{"source": "the hub's sciq", "why": "503"}])
    assert unread.changes(ledger()) == ["the hub's sciq can be read now"]


def test_a_change_of_a_roles_engine_names_its_field_alone() -> None:
    engine = {"kind": "openai", "sampling": {"temperature": 0.6, "top_p": None}, "extra_body": {}}
    warmer = {**engine, "sampling": {"temperature": 0.7, "top_p": None}}
    assert changed_fields({"roles.solver": [engine, engine]}, {"roles.solver": [engine, warmer]}) == [
        "roles.solver[1].sampling.temperature: 0.6 -> 0.7"
    ]
    assert changed_fields({"roles.solver": [engine]}, {"roles.solver": [engine, warmer]}) == [
        "roles.solver: 1 -> 2 entries"
    ]


def test_the_identity_follows_everything_that_shapes_a_step() -> None:
    base = make_identity("a", {"b": "1"}, 1, {"x": 1}, {"f": "h"})
    assert base == make_identity("a", {"b": "1"}, 1, {"x": 1}, {"f": "h"})
    others = [
        make_identity("c", {"b": "1"}, 1, {"x": 1}, {"f": "h"}),
        make_identity("a", {"b": "2"}, 1, {"x": 1}, {"f": "h"}),
        make_identity("a", {"b": "1"}, 2, {"x": 1}, {"f": "h"}),
        make_identity("a", {"b": "1"}, 1, {"x": 2}, {"f": "h"}),
        make_identity("a", {"b": "1"}, 1, {"x": 1}, {"f": "g"}),
    ]
    assert len({base, *others}) == 6
    assert with_unread(base, []) == base
    assert with_unread(base, [{"source": "s", "why": "1"}]) == with_unread(base, [{"source": "s", "why": "2"}]) != base


def test_without_full_a_file_is_hashed_again_only_when_it_looks_changed(tmp_path: Path) -> None:
    file, memory = tmp_path / "rows", tmp_path / "hashes.json"
    file.write_text("one")
    first = ContentHashes(memory)
    known = first.of(file)
    first.save()
    stat = file.stat()
    file.write_text("two")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert ContentHashes(memory, full=False).of(file) == known
    assert ContentHashes(memory, full=True).of(file) != known
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert ContentHashes(memory, full=False).of(file) != known
    assert ContentHashes().of(tmp_path / "nowhere") == "missing"


def test_files_of_a_folder_that_moved_are_the_same_input(tmp_path: Path) -> None:
    found = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text("task: a")
        inputs = Inputs()
        inputs.add_file("tasks/a.yaml", tmp_path / name / "a.yaml", ContentHashes())
        found.append(inputs)
    assert found[0].content == found[1].content
    assert found[0].places["tasks/a.yaml"] == str(tmp_path / "here" / "a.yaml")


def test_steps_of_different_versions_are_named_in_one_line(tmp_path: Path) -> None:
    ledger(step="seeds", made_by=["0.1.0+a"]).write(tmp_path)
    ledger(step="answers", made_by=["0.1.0+a"]).write(tmp_path)
    assert different_versions(tmp_path, ["seeds", "answers", "verified"]) is None
    ledger(step="answers", made_by=["0.1.0+a", "0.1.0+b"]).write(tmp_path)
    ledger(step="verified").write(tmp_path)
    assert different_versions(tmp_path, ["seeds", "answers", "verified"]) == (
        "steps were made by different versions of nemo_sdg: seeds, answers by 0.1.0+a; answers by 0.1.0+b; verified by "
        "a version that was not recorded"
    )


def test_a_receipt_names_the_version_that_wrote_it(tmp_path: Path) -> None:
    folder = StepDir(run_dir=tmp_path, step="answers", fingerprint="f")
    assert folder.made_by() == []
    folder.write_receipt("shard-00000", {}, {})
    assert folder.made_by() == [code_version()]


def test_a_pipe_or_device_that_a_run_names_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    places = (tmp_path / "pipe", Path("/dev/zero"), tmp_path)
    assert [ContentHashes().of(place) for place in places] == ["missing"] * 3
