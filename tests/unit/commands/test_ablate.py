"""The number of epochs of an ablation arm."""

import pytest

from nemo_sdg.commands.ablate import epochs


@pytest.mark.parametrize(
    ("tokens", "num_held", "synthetic", "total", "expected"),
    [
        (1_000, 500, 1_000, 1_000, 2.0),  # no base blend: all that is trained on is the corpus
        (1_000, 500, 200, 1_000, 0.4),  # four fifths come from the base blend
        (3_000, 500, 200, 1_000, 1.2),  # the proxy is trained for longer than the mixture plans
        (1_000, 0, 0, 1_000, 0.0),  # the arm on the base blend alone holds no corpus
    ],
)
def test_epochs_count_the_corpus_share_of_what_was_trained_on(
    tokens: int, num_held: int, synthetic: int, total: int, expected: float
) -> None:
    assert epochs(tokens, num_held, {"synthetic_tokens": synthetic, "total_tokens": total}) == expected
