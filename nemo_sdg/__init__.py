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
