"""Task-seeded synthetic data generation: from the training splits of lm-evaluation-harness to a Megatron blend."""

__version__ = "0.1.0"


def effective_license(seeds: list[str], models: list[str]) -> str:
    """The licences that bind a sample made from seeds under `seeds` by models under `models`: ids joined by ` AND `."""
    from nemo_sdg.catalog.licenses import effective

    return effective(seeds, models)
