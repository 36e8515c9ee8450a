"""The output of `nemo-sdg trace --text`: the document, its rows, prompts and raw outputs."""

from typing import Any

from nemo_sdg.commands.look.trace import as_text

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
