"""A process that has held many records gives their memory back."""

from pathlib import Path

from nemo_sdg.execution.processes import give_back_memory

MEGABYTE = 2**20


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_memory_of_texts_that_are_gone_is_given_back() -> None:
    texts = [bytes(3000) for _ in range(30_000)]
    above = bytes(3000)  # the heap does not end with the texts, so freeing them alone does not shrink it
    held = resident()
    del texts
    give_back_memory()
    assert held - resident() > 50 * MEGABYTE
    assert above
