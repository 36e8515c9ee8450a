"""Filter of contexts about something else."""

import functools

from nemo_sdg.curate.embed import Embedder
from nemo_sdg.curate.filters.phrases import content_words
from nemo_sdg.curate.filters.view import Finding, View, excerpt


def context_off_topic(view: View, *, min_words: int = 8, max_similarity: float = 0.2) -> Finding | None:
    """An English context of `min_words` content words or more, none of which question, options, answer and reasoning
    have, and whose sentence embedding is farther than `max_similarity` (cosine) from both question and reasoning.

    Words alone cannot tell: a general rule (`a fall at a constant rate takes …`) often shares none with its question.
    Only contexts that share none are embedded, by all-MiniLM-L6-v2, which knows English. Raises MissingDependencyError
    where the package with the model is not installed.
    """
    if view.language != "en" or not view.context:
        return None
    told = content_words(view.tokens(view.context))
    if len(told) < min_words:
        return None
    asked = f"{view.question} {' '.join(view.choices)} {view.answer}"
    others = (view.question, view.passage, view.answer, view.reasoning, *view.choices)
    if any(told & content_words(view.tokens(text)) for text in others):
        return None
    context, *vectors = _embedder().encode([view.context, asked, *([view.reasoning] if view.reasoning else [])])
    similarity = max(float(context @ other) for other in vectors)
    return ("context_off_topic", f"{similarity:.2f}: {excerpt(view.context)}") if similarity < max_similarity else None


@functools.cache
def _embedder() -> Embedder:
    return Embedder(None)
