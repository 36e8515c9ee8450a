"""Task-seeded synthetic data generation: from the training splits of lm-evaluation-harness to a Megatron blend."""

__version__ = "0.1.0"


def effective_license(seeds: list[str], models: list[str]) -> str:
    """The licences that bind a sample made from seeds under `seeds` by models under `models`: ids joined by ` AND `."""
    from nemo_sdg.catalog.licenses import effective

    return effective(seeds, models)


def same_answer(a: str, b: str, *, kind: str, question: str = "", language: str = "en") -> bool:
    """Whether two answers to a question are the same, by kind and language; see `nemo_sdg.text.answers`."""
    from nemo_sdg.text import answers

    return answers.same_answer(a, b, kind=kind, question=question, language=language)


def read_solution(
    text: str, *, kind: str, options: list[str] | None = None, finish_reason: str = "stop", trace: str | None = None
) -> dict[str, str] | tuple[str, str]:
    """What a model's reply says: {answer, reasoning, context, trace}, or (reason, detail) where it holds no answer.

    `options` stand in the order in which the model saw them; the answer is then the text of one of them. `trace` is the
    thinking that a server sent apart from the text.
    """
    from nemo_sdg.generate.parsing.solutions import read_solution as read

    return read(text, kind=kind, options=options, finish_reason=finish_reason, trace=trace)
