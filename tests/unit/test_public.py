"""The functions of `import nemo_sdg`."""

from pathlib import Path
from typing import Any

import pytest

import nemo_sdg

SAMPLE = {
    "kind": "short_text",
    "language": "en",
    "question": "What is the capital of Peru?",
    "answer": "Lima",
    "reasoning": "The government of Peru has its seat in Lima, so the capital is Lima.",
    "context": "A capital is the city in which the government of a country has its seat.",
}


def test_a_sample_needs_no_other_fields_than_those_that_filters_read() -> None:
    assert nemo_sdg.filter_sample(SAMPLE) is None
    assert nemo_sdg.filter_sample({**SAMPLE, "answer": {"text": "Lima", "label": None}}) is None
    found = nemo_sdg.filter_sample({**SAMPLE, "reasoning": "As an AI language model, I cannot answer this."})
    assert found is not None
    assert found[0] == "refusal"
    assert nemo_sdg.filter_sample({**SAMPLE, "answer": " "}) == ("missing_field", "answer.text")
    choices = {"kind": "multiple_choice", "choices": ["Lima", "Quito", "La Paz"]}
    assert nemo_sdg.filter_sample({**SAMPLE, **choices, "answer": "Bogota"}) == ("answer_not_among_choices", "Bogota")


def test_fields_that_are_set_after_loading_are_checked(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("{}")
    config = nemo_sdg.load_config(tmp_path / "c.yaml", [f"run.dir={tmp_path / 'run'}"])
    config.generate.votes = 0
    with pytest.raises(nemo_sdg.SdgError, match=r"generate\.votes must be >= 1, got 0"):
        nemo_sdg.run(config)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nemo_sdg.run("my.yaml"), "run takes what load_config returns, got str"),  # type: ignore[arg-type]
        (lambda: nemo_sdg.same_answer("a", "b", kind="text"), "kind must be one of .*short_text.*, got 'text'"),
        (lambda: nemo_sdg.read_solution("B", kind="text"), "kind must be one of"),
        (lambda: nemo_sdg.effective_license("MIT", ["MIT"]), "two lists of SPDX ids"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_argument_is_one_line(call: Any, words: str) -> None:
    with pytest.raises(nemo_sdg.SdgError, match=words):
        call()
