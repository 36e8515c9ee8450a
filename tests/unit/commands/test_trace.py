"""The output of `nemo-sdg trace --text`: the document, its rows, prompts and raw outputs."""

from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.commands.look.trace import _packed_prefix, as_text
from nemo_sdg.errors import ConfigError

TRACED: dict[str, Any] = {
    "packed": {"prefix": "packed/context/science/train/x", "document": 3, "num_tokens": 7, "task": "t", "text": "A\nB"},
    "dataset_rows": [
        {
            "seed_id": "s", "license": "MIT", "path": "org/t", "name": "main", "split": "train", "revision": "abc",
            "row": 5,
        }
    ],
    "seeds": [{"question": "Which gas?", "answer": {"text": "oxygen"}}],
    "sample": {
        "sample_id": "q", "origin": "similar", "votes": {"n": 4, "agree": 3}, "guidance": "blind",
        "generator": {"model": "m"},
    },
    "requests": [
        {"name": "question, attempt 0", "prompt": [["user", "Write one."]], "output": "Which?", "finish": "stop"}
    ],
}  # fmt: skip


def test_all_that_is_known_is_told_in_lines() -> None:
    lines = list(as_text(TRACED))
    assert lines[0] == "packed/context/science/train/x, document 3: 7 tokens, task t"
    assert lines[2:5] == ["text", "  A", "  B"]
    assert "from row 5 of org/t (main), split train, revision abc" in lines
    assert "  3 of 4 blind votes agree, kept solution blind" in lines
    assert lines[lines.index("question, attempt 0: user") + 1] == "  Write one."
    assert lines[lines.index("question, attempt 0: raw output (stop)") + 1] == "  Which?"


def test_what_the_journals_lost_is_said() -> None:
    assert list(as_text({**TRACED, "requests": []}))[-1].startswith("prompt and raw output: the journals do not have")


def test_a_prompt_that_is_not_repeated_is_said() -> None:
    vote = {"name": "solution 1", "prompt": [], "output": "Paris", "finish": "stop"}
    lines = list(as_text({**TRACED, "requests": [vote]}))
    assert any(line.startswith("solution 1: a prompt shown above") for line in lines)


def test_a_prefix_of_the_place_that_a_run_was_copied_from_is_found(tmp_path: Path) -> None:
    """As a blend.json names it until the run is run again."""
    base = tmp_path / "new" / "packed" / "context" / "math" / "train" / "shard-00000"
    base.parent.mkdir(parents=True)
    Path(f"{base}.docs.parquet").touch()
    found = _packed_prefix(tmp_path / "new", "/old/packed/x/packed/context/math/train/shard-00000_text_document")
    assert found == base
    with pytest.raises(ConfigError, match="not a packed dataset"):
        _packed_prefix(tmp_path / "new", "/old/packed/context/math/valid/shard-00000_text_document")
