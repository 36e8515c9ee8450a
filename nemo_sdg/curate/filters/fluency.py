"""Filter of word salad, off unless it is asked for: it costs about a second of a core a sample."""

import functools
import random

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.curate.fluency import FluencyModel
from nemo_sdg.records import Origin


def fluency(view: View, *, min_gain: float = 1.5, min_words: int = 8) -> Finding | None:
    """A new English question of `min_words` words or more whose order means nothing to the embedded model: the same
    words shuffled cost it less than `min_gain` nats a token more.

    A question is compared with its own words, so that rare names and terms cost nothing. The model knows English alone.
    The threshold was chosen on 34 questions of sciq, gsm8k, commonsense_qa, winogrande and medqa: it keeps all, and
    catches 34 of 34 with their words shuffled and 32 of 34 with their nouns and verbs replaced. On arc_challenge,
    openbookqa, hendrycks_math, headqa and mbpp it caught 32 and 29 of 35, and lost 1 of 35 good questions, mostly a
    formula; therefore it is off. Raises MissingDependencyError where the embedded model is not installed.
    """
    words = view.question.split()
    if view.language != "en" or view.sample.get("origin") == Origin.seed or len(words) < min_words:
        return None
    random.Random(view.question).shuffle(words)
    as_written, shuffled = _model().losses([view.question, " ".join(words)])
    if shuffled - as_written >= min_gain:
        return None
    return "not_fluent", f"{as_written:.2f} nats a token, {shuffled:.2f} shuffled: {excerpt(view.question)}"


@functools.cache
def _model() -> FluencyModel:
    return FluencyModel()
