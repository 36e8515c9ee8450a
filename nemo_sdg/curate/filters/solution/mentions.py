"""Whether a reasoning mentions a short answer."""

import re

from nemo_sdg.curate.filters.phrases import STEM, phrases
from nemo_sdg.curate.filters.view import View


def labels(view: View) -> set[str]:
    """What says yes, no, true, false or unknown in the sample's language."""
    return {*phrases("yes", view.language), *phrases("no", view.language), "true", "false", "unknown"}


def mentioned(view: View) -> bool:
    """Whether a short answer, an alias or one of their words stands in the reasoning. A yes, a no, and a formula may be
    there in other signs.
    """
    words_said = set(view.tokens(view.reasoning))
    said = {word[:STEM] for word in words_said}
    squeezed = squeeze(view.reasoning)
    joined = PARTED.sub("", squeezed)
    for text in view.accepted:
        words = view.tokens(text)
        if len(words) > 12 or view.folded(text).strip(" .!。") in labels(view):
            return True
        if sum(map(len, words)) < 4 and text.isascii():
            if not text.isalpha() or re.search(rf"(?<![A-Za-z]){text}(?![a-z])", view.reasoning):
                return True
            if len(text) > 1 and re.search(rf"(?<![a-z]){text}(?![a-z])", view.reasoning, re.IGNORECASE):
                return True
            continue
        if len(words) == 1 and _is_form_of_asked(view, words[0]):
            if words[0] in words_said or (joined != squeezed and squeeze(text) in joined):
                return True
            continue
        if (
            squeeze(text) in squeezed
            or squeeze(text) in joined
            or any(word[:STEM] in said for word in words if len(word) > 2 or not word.isascii())
        ):
            return True
        if not any(map(str.isalpha, text)) or "\\" in text or "=" in text:
            return True
    return False


PARTED = re.compile(r"(?<=\w)[-‑+|·](?=\w)")
"""Between the parts of a word (`kät-tä`)"""


def _is_form_of_asked(view: View, word: str) -> bool:
    """Whether a question holds another form of the answer's word (`chevaux` of `cheval`): then that form counts."""
    asked = set(view.tokens(view.question))
    return len(word) >= STEM and word not in asked and any(other[:STEM] == word[:STEM] for other in asked)


def squeeze(text: str) -> str:
    """A formula letter by letter: without spaces, dollars, braces and commands of form."""
    return re.sub(r"\\(?:left|right|text|mathrm|d|t)(?=[^a-zA-Z]|frac)|[\s$,.{}()]", "", text).casefold()
