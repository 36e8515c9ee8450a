"""The embedded model's loss separates word salad from questions."""

import pytest

from nemo_sdg.curate import fluency

REAL = "What gas do plants take in from the air around them to build sugar?"
SALAD = "sugar around from plants the to What build take gas in do air them?"


@pytest.mark.skipif(fluency.at_hand() is not None, reason="needs the embedded model")
def test_salad_costs_the_embedded_model_more() -> None:
    model = fluency.FluencyModel(threads=1)
    real, salad, nothing = model.losses([REAL, SALAD, ""])
    assert 0 < real < salad - 2
    assert nothing == 0.0
