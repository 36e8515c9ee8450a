"""Filter of texts that repeat themselves: a loop, or Gopher's shares of repeated lines and n-grams."""

import functools
import itertools
import operator
import re
from collections import Counter
from typing import Any

import numpy as np

from nemo_sdg.curate.filters.view import Finding, View, sentences
from nemo_sdg.curate.filters.wording.rewording import reworded, says_one_thing
from nemo_sdg.records import Kind
from nemo_sdg.text.figures import ngrams

LETTER_RUN = re.compile(r"([^\W\d_])\1{30,}")
SPACELESS = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])")
MAX_PERIOD, NGRAM = 40, 4
TOP_SIZES, DUPLICATE_SIZES = (3, 4), (5, 8)
SHORT = 24
"""Words below which parallel sentences (`A is older than B. B is older than C.`) fill a text"""


def repetition(
    view: View,
    *,
    min_words: int = 16,
    max_loops: int = 3,
    max_duplicate_lines: float = 0.5,
    max_top_ngram: float = 0.5,
    max_duplicate_ngrams: float = 0.6,
) -> Finding | None:
    """The same words more than `max_loops` times in a row, or Gopher's repetition rules (Rae et al., 2021) by Curator's
    own filters, on question, context, reasoning and answer.

    The bounds are wider than Gopher's: those are for web pages, and a short derivation repeats its terms by nature.
    """
    names = (
        ("question", "context", "reasoning")
        if view.kind == Kind.code
        else ("question", "context", "reasoning", "answer")
    )
    if view.passage and (loop := _repeated_sentence(view.passage, max_loops, in_a_row=True)) is not None:
        return "repetition", f"passage: {loop}"
    for name, text in view.texts(*names):
        words = _words(text)
        num_again = len(words) - len(set(words))
        run = LETTER_RUN.search(text) if max(map(len, words), default=0) > 30 else None
        if run and run.group(1) not in "ACGTUN":
            return "repetition", f"{name}: the letter {run.group(1)} {len(run.group())} times"
        if num_again and _lists_steps(text):
            continue
        if name == "answer" and view.kind == Kind.free_text and says_one_thing(view, text):
            return "repetition", f"{name}: its sentences say one thing in other words"
        if name != "question" and view.kind != Kind.code and (said := reworded(view, text)):
            return "repetition", f"{name}: one sentence is said {said} times in other words"
        if name != "question" and num_again >= STUTTER - 1 and (stutter := _stuttered(words)) is not None:
            return "repetition", f"{name}: {stutter!r} {STUTTER} times in a row"
        if len(words) - num_again > 0.7 * len(words):
            continue
        # a poem or a song that is asked for, and a dialogue, have lines that come again
        refrains = name in ("question", "answer")
        runs = _Runs(words)
        loop = _loop(words, runs, max_loops, min_words)
        loop = loop or _repeated_sentence(text, max_loops, in_a_row=refrains)
        if loop is not None:
            return "repetition", f"{name}: {loop}"
        if len(words) < max(min_words, SHORT) or sum(map(OPERATORS.__contains__, words)) * 6 >= len(words):
            continue
        score = _gopher_score(text, words, runs, max_duplicate_lines, max_top_ngram, max_duplicate_ngrams)
        if score is not None:
            return "repetition", f"{name}: {score}"
    return None


STEP_END = re.compile(r"[\n;；]")
NUMBERED = re.compile(r"\s*(?:\(?\d{1,3}[.):]|[-*•])\s")
STEPS, STEP_WORDS, STEP_SIGNS = 5, 8, 60


def _lists_steps(text: str) -> bool:
    """Whether a text is a list of short steps, by lines or semicolons (moves, bars, instructions), that go through no
    cycle more than twice.
    """
    steps = [NUMBERED.sub("", step).strip() for step in STEP_END.split(text)]
    steps = [step for step in steps if step]
    if len(steps) < STEPS or len(set(steps)) < 3 or len(steps) == len(set(steps)):
        return False
    if any(len(step) > STEP_SIGNS or len(step.split()) > STEP_WORDS for step in steps):
        return False
    for period in range(1, min(MAX_PERIOD, len(steps) // 3) + 1):
        same = bytes(map(operator.eq, steps[period:], steps))
        if b"\x01" * 2 * period in same:
            return False
    return True


STUTTER = 5
"""How often one word in a row is too often in a prose text"""


def _stuttered(words: list[str]) -> str | None:
    """A word of three letters or more that stands there STUTTER times in a row."""
    # a run of STUTTER holds two of these places, or one and its next
    for place in range(0, len(words) - 1, STUTTER - 1):
        word = words[place]
        if word == words[place + 1] and len(word) > 2 and word[0].isalpha():
            start = place
            while start and words[start - 1] == word:
                start -= 1
            if words[start : start + STUTTER] == [word] * STUTTER:
                return word
    return None


def _words(text: str) -> list[str]:
    """Words by spaces; single characters in scripts that write without them."""
    return (text if text.isascii() else SPACELESS.sub(r" \1 ", text)).split()


class _Runs:
    """The repeated n-grams of a text. Those of NGRAM words are searched only at repeated trigrams."""

    def __init__(self, words: list[str]) -> None:
        threes = list(ngrams(words, 3))
        counts = Counter(threes)
        often = max(counts.values(), default=0)
        repeated = {three for three, num in counts.items() if num > 1}
        places: dict[tuple[str, ...], list[int]] = {}
        for place in [place for place, three in enumerate(threes[:-1]) if three in repeated] if repeated else []:
            places.setdefault((*threes[place], words[place + 3]), []).append(place)
        most = max(places.values(), key=len, default=[])
        first = most[0] if len(most) > 1 else 0
        top = next((three for three, num in counts.items() if num == often), ())
        self.top = {3: top, 4: tuple(words[first : first + 4])}
        """number of words -> the most frequent n-gram; of equally frequent ones, the first"""
        self.again = sorted(place for found in places.values() for place in found[1:])
        """places of n-grams of NGRAM words that occurred before"""
        pairs = itertools.chain.from_iterable(map(itertools.pairwise, places.values()))
        near = sorted(place for before, place in pairs if place - before <= MAX_PERIOD)
        self.num_near = max(map(len, _in_a_row(near)), default=0)
        """how many of them in a row occurred within the last MAX_PERIOD words, at most"""


def _in_a_row(places: list[int]) -> list[list[int]]:
    """Rising numbers by runs in which each is one more than the one before."""
    runs = itertools.groupby(enumerate(places), lambda pair: pair[1] - pair[0])
    return [[place for _, place in run] for _, run in runs]


def _loop(words: list[str], runs: _Runs, max_loops: int, min_words: int) -> str | None:
    """Where a run of words is followed by itself more than `max_loops` times, over `min_words` words at least."""
    # a repeated run of n words has n - NGRAM + 1 n-grams that occurred shortly before
    longest = runs.num_near + NGRAM - 1
    most = min(MAX_PERIOD, len(words) // (max_loops + 1), longest // max(1, max_loops))
    periods = [
        (period, long_enough)
        for period in range(1, most + 1)
        if (long_enough := max(period * max_loops, (min_words - period) // 2)) <= longest
    ]
    compared: Any = words
    if len(periods) > 8:  # worth a number for each word, which numpy compares in a tenth of the time
        numbers = {word: place for place, word in enumerate(dict.fromkeys(words))}
        compared = np.fromiter(map(numbers.__getitem__, words), dtype=np.int32, count=len(words))
    for period, long_enough in periods:
        later, earlier = compared[period:], compared[:-period]
        same = map(operator.eq, later, earlier) if compared is words else later == earlier
        if b"\x01" * long_enough not in bytes(same):
            continue
        run = 0
        for place, (word, before) in enumerate(zip(words[period:], words, strict=False)):
            run = run + 1 if word == before else 0
            repeated = words[place + 1 : place + 1 + period]
            if run >= long_enough and (run >= 20 * period or not _is_expression(repeated)):
                return f"{' '.join(repeated)[:40]!r} is repeated in a row"
    return None


OPERATORS = frozenset("+-−–*×·/÷=,|&^~<>→")


def _is_expression(words: list[str]) -> bool:
    """Whether what is repeated is a term of a formula (`ha +`, `2 ×`) or holds no letter at all."""
    return not any(map(str.isalpha, "".join(words))) or any(word in OPERATORS for word in words)


def _repeated_sentence(text: str, max_loops: int, min_words: int = 4, *, in_a_row: bool) -> str | None:
    """A sentence of `min_words` words or more that stands there `max_loops` times or oftener; with `in_a_row` one
    right after the other.
    """
    found = [" ".join(sentence.lower().split()) for sentence in sentences(text)]
    if len(found) == len(set(found)) and max_loops > 1:
        return None
    if in_a_row:
        runs = ((one, len(list(same))) for one, same in itertools.groupby(found))
        counted = Counter(dict(sorted(runs, key=lambda run: run[1])))
    else:
        counted = Counter(found)
    sentence, times = counted.most_common(1)[0] if counted else ("", 0)
    if times >= max_loops and len(_words(sentence)) >= min_words and "|" not in sentence:
        return f"a sentence stands there {times} times"
    return None


def _gopher_score(
    text: str, words: list[str], runs: "_Runs", max_lines: float, max_top: float, max_duplicates: float
) -> str | None:
    lines = _gopher_lines(max_lines)
    if text.count("\n") >= 3 and not lines.keep_document(score := lines.score_document(text)):
        return f"{1 - score:.0%} of its lines are repeated"
    joined = " ".join(words)
    for size in TOP_SIZES:
        if (score := _top_share(runs, joined, size)) > max_top:
            return f"the most frequent {size}-grams make up {score:.0%}"
    if len(joined) - len(" ".join(set(words))) <= max_duplicates * len(joined):
        return None  # n-grams that stood there before are of words that did
    for size in DUPLICATE_SIZES:
        if _most_duplicates(words, runs.again, size) <= max_duplicates * len(joined):
            continue
        if (score := _duplicate_share(words, size) / len(joined)) > max_duplicates:
            return f"repeated {size}-grams make up {score:.0%}"
    return None


def _top_share(runs: _Runs, joined: str, size: int) -> float:
    """The share of a text that its most frequent n-gram takes, as Curator's RepeatingTopNGramsFilter scores it."""
    return (len(joined) - len(joined.replace(" ".join(runs.top[size]), ""))) / len(joined)


def _most_duplicates(words: list[str], again: list[int], size: int) -> int:
    """Upper bound of _duplicate_share: a repeated n-gram of `size` words is a run of places in `again`."""
    most = 0
    for run in _in_a_row(again):
        if len(run) > size - NGRAM:
            held = words[run[0] : run[-1] + NGRAM]
            most += sum(map(len, held)) + len(held)
    return most


def _duplicate_share(words: list[str], size: int) -> int:
    """The characters of a text in n-grams that stood there before, as Curator's RepeatingDuplicateNGramsFilter counts
    them, in a fifth of the time.
    """
    seen: set[tuple[str, ...]] = set()
    counted = num_chars = 0  # words of the next n-gram that are counted already
    for ngram in ngrams(words, size):
        if ngram in seen:
            num_chars += sum(map(len, ngram[counted:])) + min(size - counted, size - 1)
            counted = size
        else:
            seen.add(ngram)
        if counted:
            counted -= 1
    return num_chars


@functools.lru_cache(maxsize=8)
def _gopher_lines(max_duplicates: float) -> Any:
    from nemo_curator.stages.text.filters.heuristic.repetition.repetition import RepeatedLinesFilter

    return RepeatedLinesFilter(max_repeated_line_fraction=1 - max_duplicates)
