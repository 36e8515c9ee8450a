"""Task-seeded synthetic data generation: from the training splits of lm-evaluation-harness to a Megatron blend."""

__version__ = "0.1.0"
