"""The journal returns exactly what was added, whatever happened to its files."""

import asyncio
import errno
import os
import runpy

import pytest

from nemo_sdg.errors import SdgError
from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.scheduling import cache
from nemo_sdg.generate.scheduling.cache import CompletionCache
from nemo_sdg.generate.scheduling.journal import Journal, compress_finished, create_numbered
from nemo_sdg.generate.scheduling.journal_lines import decode, encode
from nemo_sdg.storage import compress_file, frames

KEYS = [f"{number:016x}" * 2 for number in range(1, 8)]


def completion(text: str) -> Completion:
    return Completion(text=text, finish_reason="stop", prompt_tokens=3, completion_tokens=5)


def add(folder, shard, entries, *, cache_dir=None, share=True):
    """Adds entries as one process would: its own journal, opened and closed."""

    async def work():
        journal = Journal(folder, cache_dir=cache_dir)
        shard_journal = journal.open(shard)
        await asyncio.gather(*(shard_journal.add(key, completion(text), share=share) for key, text in entries))
        assert all(shard_journal.get(key) is not None for key, _ in entries)
        shard_journal.close()
        journal.close()

    asyncio.run(work())


def texts(folder, shard):
    journal = Journal(folder).open(shard)
    return {key: found.text for key in KEYS if (found := journal.get(key))}


def test_what_was_added_is_read_back(tmp_path):
    text = 'line\nbreaks, "quotes", \u2028 and \U0001f600'
    add(tmp_path, "shard-00000", [(KEYS[0], text), (KEYS[1], "")])
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: text, KEYS[1]: ""}
    assert texts(tmp_path, "shard-00001") == {}


def test_a_refusal_keeps_its_detail():
    refused = Completion(text="", finish_reason="refused", detail="too long", prompt_tokens=9000)
    assert decode(encode(KEYS[0], refused)) == (KEYS[0], refused)


@pytest.mark.parametrize("compress", [False, True])
def test_what_was_taken_back_is_asked_again_and_the_next_answer_counts(tmp_path, compress):
    add(tmp_path, "shard-00000", [(KEYS[0], ""), (KEYS[1], "kept")])
    for found in ({KEYS[1]: "kept"}, {KEYS[0]: "new", KEYS[1]: "kept"}):
        if KEYS[0] in found:
            add(tmp_path, "shard-00000", [(KEYS[0], "new")])
        else:
            journal = Journal(tmp_path)
            shard = journal.open("shard-00000")
            shard.void([KEYS[0]])
            assert shard.get(KEYS[0]) is None
            shard.close()
        if compress:
            compress_finished(tmp_path, ["shard-00000"])
        assert texts(tmp_path, "shard-00000") == found
        other = Journal(tmp_path, everywhere=True)
        assert {key: row.text for key in KEYS if (row := other.lookup(key))} == found


def test_every_process_writes_files_of_its_own_and_the_first_entry_counts(tmp_path):
    add(tmp_path, "shard-00000", [(KEYS[0], "first")])
    add(tmp_path, "shard-00000", [(KEYS[0], "second"), (KEYS[1], "new")])
    assert len(list(tmp_path.glob("shard-00000.*.jsonl"))) == 2
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: "first", KEYS[1]: "new"}


def test_a_process_that_adds_nothing_leaves_no_file(tmp_path):
    add(tmp_path, "shard-00000", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_last_line_is_asked_again_and_nothing_else(tmp_path, cut):
    add(tmp_path, "shard-00000", [(KEYS[0], "kept")])
    add(tmp_path, "shard-00001", [(KEYS[1], "torn")])
    torn = (tmp_path / "shard-00001.0000.jsonl").read_bytes()
    with open(tmp_path / "shard-00000.0000.jsonl", "ab") as handle:
        handle.write(torn[:-cut])
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: "kept"}
    add(tmp_path, "shard-00000", [(KEYS[1], "again")])
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: "kept", KEYS[1]: "again"}


def test_damage_in_the_middle_costs_only_its_lines(tmp_path):
    add(tmp_path, "shard-00000", [(key, f"text {key}") for key in KEYS])
    path = tmp_path / "shard-00000.0000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))
    journal = Journal(tmp_path).open("shard-00000")
    assert journal.damaged == 1
    assert len(journal) == len(KEYS) - 1


def compress(folder, shard):
    """What a process does with its journal when the shard is written; returns the names of the files."""

    async def work():
        journal = Journal(folder)
        shard_journal = journal.open(shard)
        await shard_journal.compress()
        shard_journal.close()
        journal.close()

    asyncio.run(work())
    return sorted(path.name for path in folder.iterdir())


def test_a_compressed_journal_is_read_like_a_plain_one_and_gets_no_more_lines(tmp_path):
    add(tmp_path, "shard-00000", [(KEYS[0], "first"), (KEYS[1], "two")])
    add(tmp_path, "shard-00000", [(KEYS[2], "three")])
    add(tmp_path, "shard-00001", [(KEYS[3], "of another shard")])
    files = ["shard-00000.0000.jsonl.zst", "shard-00000.0001.jsonl.zst", "shard-00001.0000.jsonl"]
    assert compress(tmp_path, "shard-00000") == files
    before = (tmp_path / files[0]).read_bytes()
    wanted = {KEYS[0]: "first", KEYS[1]: "two", KEYS[2]: "three"}
    assert texts(tmp_path, "shard-00000") == wanted
    add(tmp_path, "shard-00000", [(KEYS[4], "more votes"), (KEYS[0], "second")])
    assert (tmp_path / "shard-00000.0002.jsonl").is_file(), "numbers of compressed files are taken"
    assert texts(tmp_path, "shard-00000") == wanted | {KEYS[4]: "more votes"}
    everywhere = Journal(tmp_path, everywhere=True)
    assert [everywhere.lookup(key).text for key in KEYS[:5]] == [*wanted.values(), "of another shard", "more votes"]
    assert compress(tmp_path, "shard-00000")[:3] == [*files[:2], "shard-00000.0002.jsonl.zst"]
    assert [everywhere.lookup(key).text for key in KEYS[:5]] == [*wanted.values(), "of another shard", "more votes"]
    assert (tmp_path / files[0]).read_bytes() == before


def test_what_is_added_while_a_shard_is_compressed_is_kept(tmp_path):
    async def work():
        journal = Journal(tmp_path)
        shard = journal.open("shard-00000")
        await shard.add(KEYS[0], completion("in time"))
        adding = asyncio.create_task(shard.add(KEYS[1], completion("late")))
        await shard.compress()
        await adding
        assert [shard.get(key).text for key in KEYS[:2]] == ["in time", "late"]
        await shard.add(KEYS[2], completion("later"))
        shard.close()
        journal.close()

    asyncio.run(work())
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: "in time", KEYS[1]: "late", KEYS[2]: "later"}


def test_a_file_that_another_process_still_adds_to_is_not_compressed(tmp_path):
    async def work():
        first, second = Journal(tmp_path), Journal(tmp_path)
        slow = first.open("shard-00000")
        await slow.add(KEYS[0], completion("early"))
        fast = second.open("shard-00000")
        await fast.add(KEYS[1], completion("of the other"))
        await fast.compress()
        fast.close()
        await slow.add(KEYS[2], completion("late"))
        assert [path.name[-10:] for path in sorted(tmp_path.iterdir())] == ["0000.jsonl", ".jsonl.zst"]
        await slow.compress()
        slow.close()
        first.close()
        second.close()

    asyncio.run(work())
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: "early", KEYS[1]: "of the other", KEYS[2]: "late"}
    assert [path.suffix for path in tmp_path.iterdir()] == [".zst", ".zst"]


def test_a_number_whose_file_is_compressed_in_this_moment_is_not_taken(tmp_path, monkeypatch):
    add(tmp_path, "shard-00000", [(KEYS[0], "paid")])
    real = os.open

    def open_after_another_process(path, flags, *more):
        if flags & os.O_EXCL and str(path).endswith("0000.jsonl"):
            compress_file(tmp_path / "shard-00000.0000.jsonl")
        return real(path, flags, *more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_after_another_process)
        path, descriptor = create_numbered(tmp_path, "shard-00000.{:04d}.jsonl")
    os.close(descriptor)
    assert path.name == "shard-00000.0001.jsonl"
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: "paid"}


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_compressed_journal_that_was_cut_off_loses_its_end_alone(tmp_path, monkeypatch, cut):
    monkeypatch.setattr(frames, "FRAME", 500)
    add(tmp_path, "shard-00000", [(key, f"{key} " * 10) for key in KEYS])
    compress(tmp_path, "shard-00000")
    path = tmp_path / "shard-00000.0000.jsonl.zst"
    path.write_bytes(path.read_bytes()[:-cut])
    found = Journal(tmp_path).open("shard-00000")
    assert found.damaged == 1, "so a warning says it"
    kept = texts(tmp_path, "shard-00000")
    assert list(kept) == KEYS[: len(kept)]
    assert len(kept) >= 2
    assert (len(kept) == len(KEYS)) == (cut < 50)
    add(tmp_path, "shard-00000", [(key, "again") for key in KEYS[len(kept) :]])
    assert texts(tmp_path, "shard-00000") == kept | dict.fromkeys(KEYS[len(kept) :], "again")


def test_it_counts_only_once_it_is_on_disk(tmp_path, monkeypatch):
    synced = []
    real = os.fdatasync
    monkeypatch.setattr(
        os, "fdatasync", lambda descriptor: (synced.append(os.fstat(descriptor).st_size), real(descriptor))
    )

    async def work():
        journal = Journal(tmp_path)
        shard = journal.open("shard-00000")
        adding = [asyncio.create_task(shard.add(key, completion("x" * 50))) for key in KEYS]
        await asyncio.sleep(0)
        assert shard.get(KEYS[0]) is None
        await asyncio.gather(*adding)
        shard.close()
        journal.close()

    asyncio.run(work())
    assert synced[-1] == (tmp_path / "shard-00000.0000.jsonl").stat().st_size
    assert len(synced) < len(KEYS), "completions that come together are synced together"


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(SdgError, match="No space left on device; free space") as caught:
        add(tmp_path, "shard-00000", [(KEYS[0], "text")])
    assert "\n" not in str(caught.value)


def test_another_run_finds_completions_in_the_shared_cache(tmp_path):
    add(tmp_path / "one", "shard-00000", [(KEYS[0], "paid"), (KEYS[1], "also paid")], cache_dir=tmp_path / "cache")
    add(tmp_path / "two", "shard-00000", [(KEYS[2], "more")], cache_dir=tmp_path / "cache")
    journal = Journal(tmp_path / "three", cache_dir=tmp_path / "cache")
    assert journal.lookup(KEYS[0]) == completion("paid")
    assert journal.lookup(KEYS[2]) == completion("more")
    assert journal.lookup(KEYS[3]) is None


def test_what_is_not_to_be_shared_stays_out_of_the_cache(tmp_path):
    add(tmp_path / "one", "shard-00000", [(KEYS[0], "refused")], cache_dir=tmp_path / "cache", share=False)
    assert Journal(tmp_path / "two", cache_dir=tmp_path / "cache").lookup(KEYS[0]) is None


def test_a_cache_whose_index_runs_ahead_of_its_file_misses(tmp_path):
    cache = CompletionCache(tmp_path)
    cache.put([(KEYS[0], encode(KEYS[0], completion("whole"))), (KEYS[1], encode(KEYS[1], completion("torn")))])
    cache.close()
    data = (tmp_path / "00000.jsonl").read_bytes()
    (tmp_path / "00000.jsonl").write_bytes(data[:-3])
    reopened = CompletionCache(tmp_path)
    assert reopened.get(KEYS[0]) == encode(KEYS[0], completion("whole"))
    assert reopened.get(KEYS[1]) is None


def test_keys_that_share_their_first_half_are_told_apart(tmp_path):
    twins = [f"{'a' * 16}{number:016x}" for number in range(3)]
    cache = CompletionCache(tmp_path)
    cache.put((key, encode(key, completion(key))) for key in twins)
    cache.close()
    reopened = CompletionCache(tmp_path)
    assert [decode(reopened.get(key))[0] for key in twins] == twins


def test_a_trace_is_kept_compressed_and_comes_back_as_it_was():
    trace = "".join(
        f"Step {number}: {number} and {number * 7 % 13} make {number + number * 7 % 13}. " for number in range(400)
    )
    completion = Completion(text="4", trace=trace + "思考", finish_reason="stop", reasoning_tokens=4000, model="alias")
    line = encode("ab", completion)
    assert decode(line) == ("ab", completion)
    assert len(line) < len(trace) / 2
    assert decode(line.replace(b'"trace":"', b'"trace":"AAAA')) is None, "a damaged trace is a damaged line"


def test_lone_surrogates_do_not_stop_the_journal():
    line = encode("ab", Completion(text="cold \ud83d", trace="\ud83d", finish_reason="stop"))
    assert decode(line)[1].text == "cold ?"


def test_a_journal_that_another_machine_compresses_while_it_is_looked_through_is_found(tmp_path, monkeypatch):
    add(tmp_path, "shard-00000", [(KEYS[0], "a"), (KEYS[1], "b")])
    path, real = tmp_path / "shard-00000.0000.jsonl", cache.content_lines

    def content_lines(name):
        """As on NFS, where a file that was removed elsewhere cannot be read to its end."""
        lines = real(name)
        yield next(lines)
        if path.exists():
            compress_file(path)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        yield from lines

    monkeypatch.setattr(cache, "content_lines", content_lines)
    journal = Journal(tmp_path, everywhere=True)
    assert not path.exists()
    assert [journal.lookup(key).text for key in KEYS[:2]] == ["a", "b"]


def test_the_simulation_of_a_cluster_reads_journals_in_either_form(root, tmp_path):
    add(tmp_path, "shard-00000", [(KEYS[0], "a")])
    add(tmp_path, "shard-00000", [(KEYS[1], "b"), (KEYS[2], "c")])
    compress_file(tmp_path / "shard-00000.0000.jsonl")
    simulation = runpy.run_path(str(root / "scripts" / "bench" / "cluster_simulation.py"))
    assert simulation["lengths"](list(tmp_path.iterdir()), None).tolist() == [5.0] * 3


@pytest.mark.parametrize("finished", [True, False])
def test_an_empty_file_that_a_kill_left_beside_a_compressed_one_hides_nothing(tmp_path, finished):
    add(tmp_path, "shard-00000", [(KEYS[0], "paid")])
    compress_file(tmp_path / "shard-00000.0000.jsonl")
    (tmp_path / "shard-00000.0000.jsonl").touch()  # killed before it was removed (create_numbered)
    if finished:
        compress_finished(tmp_path, ["shard-00000"])
    assert texts(tmp_path, "shard-00000") == {KEYS[0]: "paid"}
    assert [path.name for path in tmp_path.iterdir()] == ["shard-00000.0000.jsonl.zst"]
