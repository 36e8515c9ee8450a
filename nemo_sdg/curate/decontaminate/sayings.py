"""The questions of an evaluation row: the rendered one, and its own strings.

A sample may repeat a row's columns without the words that its task puts around them: `Sentence 1: …`, `Is the word …
used in the same way?`. And if a task does not render its row, it is not known which string is the question.

    list(sayings(row))     the row itself, then copies of it whose `question` (and `passage`) are the row's own strings
"""

from collections.abc import Iterator
from typing import Any

from nemo_sdg.text.normalize import tokens

MIN_WORDS = 2
"""of a string that is a part of what is asked: a single word is a label, a number or a name"""
MIN_ALONE = 8
"""words of a string that counts as a question by itself where the task does not say which string is the question"""
MAX_ALONE = 8
"""strings of one row that count so, the longest first"""


def sayings(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`row`: an evaluation row as a dict, with `texts` where its raw strings are known."""
    yield row
    texts = [text for text in row.get("texts") or [] if isinstance(text, str)]
    if not texts:
        return
    said = {" ".join(tokens(text)): text for text in texts}
    said.pop("", None)
    if row.get("answer") is None and not row.get("choices"):
        yield from _alone(row, said)
        return
    asked, given = (" ".join(tokens(str(row.get(name) or ""))) for name in ("question", "passage"))
    own = {words: text for words, text in said.items() if len(words.split()) >= MIN_WORDS}
    question, passage = _within(own, asked), _within(own, given)
    if question:
        if " ".join(question) != asked:
            shown = "\n".join(passage.values()) if passage else row.get("passage")
            yield {**row, "question": "\n".join(question.values()), "passage": shown}
    elif passage and " ".join(passage) != asked:
        yield {**row, "question": "\n".join(passage.values()), "passage": None}


def _within(said: dict[str, str], whole: str) -> dict[str, str]:
    """The strings that stand in a text, in its order, without those that stand in another one of them."""
    inside = [words for words in said if f" {words} " in f" {whole} "]
    largest = [
        words for words in inside if not any(words != other and f" {words} " in f" {other} " for other in inside)
    ]
    return {words: said[words] for words in sorted(largest, key=f" {whole} ".index)}


def _alone(row: dict[str, Any], said: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Each long string as the question; the short ones beside it are what may be answered."""
    long = sorted((words for words in said if len(words.split()) >= MIN_ALONE), key=lambda words: -len(words))
    short = [text for words, text in said.items() if len(words.split()) < MIN_ALONE]
    for words in long[:MAX_ALONE]:
        if said[words] != row.get("question"):
            yield {**row, "question": said[words], "passage": None, "choices": short}
