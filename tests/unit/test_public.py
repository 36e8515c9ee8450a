"""The functions of `import nemo_sdg`."""

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
