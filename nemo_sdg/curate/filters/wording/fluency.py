"""Filter of word salad, off unless it is asked for: it costs about a second of a core a sample."""

import functools
import random

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.curate.fluency import FluencyModel
from nemo_sdg.records import Origin


def fluency(view: View, *, min_gain: float = 1.5, max_loss: float = 6.75, min_words: int = 8) -> Finding | None:
    """A new English question of `min_words` words or more that costs the embedded model more than `max_loss` nats a
    token, or whose order means nothing to it: the same words shuffled cost less than `min_gain` nats a token more.

    A question is compared with its own words, so that rare names and terms cost nothing. The model knows English alone.
    The thresholds were chosen on 34 questions of sciq, gsm8k, commonsense_qa, winogrande and medqa: they keep all, and
    catch 34 of 34 with their words shuffled and 33 of 34 with their nouns and verbs replaced. On 33 of arc_challenge,
    openbookqa, hendrycks_math, headqa and mbpp they caught 32 and 31, and lost one good question, mostly a formula;
    therefore the filter is off. Raises MissingDependencyError where the embedded model is not installed.
    """
    words = view.question.split()
    if view.language != "en" or view.sample.get("origin") == Origin.seed or len(words) < min_words:
        return None
    (as_written,) = _model().losses([view.question])
    if as_written > max_loss:
        return "not_fluent", f"{as_written:.2f} nats a token: {excerpt(view.question)}"
    random.Random(view.question).shuffle(words)
    (shuffled,) = _model().losses([" ".join(words)])
    if shuffled - as_written >= min_gain:
        return None
    return "not_fluent", f"{as_written:.2f} nats a token, {shuffled:.2f} shuffled: {excerpt(view.question)}"


@functools.cache
def _model() -> FluencyModel:
    return FluencyModel()
