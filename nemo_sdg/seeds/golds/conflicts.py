"""Finds rows that ask the same question and give answers that cannot all be right, within a split and then over the
splits of one data set. They give no seeds.

Questions are compared by their words, whatever their case, punctuation or the order of their options. 16 bytes a seed
are held; the seeds themselves are read again only where a question was asked twice, and of all that ask one question
two are held: one, and one that contradicts it.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nemo_sdg.records import Kind, Seed, content_id
from nemo_sdg.text.answers import same_answer
from nemo_sdg.text.normalize import tokens

_COMPARED = {Kind.multiple_choice, Kind.numeric, Kind.short_text}
"""kinds whose questions have one right answer; a summary or a program may be written in several ways"""


class ConflictingGolds:
    """`add` each seed of a split, then `find` over the same seeds."""

    def __init__(self) -> None:
        self._keys = array("Q")

    def add(self, seed: Seed) -> None:
        key = question_key(seed)
        if key is not None:
            self._keys.append(key)

    def find(self, seeds: Callable[[], Iterable[Seed]]) -> "Conflicts":
        """The questions to which the seeds give other answers."""
        import numpy as np

        values, counts = np.unique(np.frombuffer(self._keys, dtype=np.uint64), return_counts=True)
        repeated = {int(value) for value in values[counts > 1]}
        conflicts = Conflicts()
        for seed in seeds() if repeated else ():
            key = question_key(seed)
            if key is not None and key in repeated:
                conflicts.add(key, seed)
        return conflicts

    def save(self, path: Path) -> None:
        """The keys of all seeds, for conflicts_across."""
        path.write_bytes(self._keys.tobytes())


class Conflicts:
    """Questions that are asked more than once: the first seed of each, and the first that answers otherwise."""

    def __init__(self) -> None:
        self._first: dict[int, Seed] = {}
        self._other: dict[int, Seed] = {}

    def __bool__(self) -> bool:
        return bool(self._other)

    def add(self, key: int, seed: Seed) -> None:
        """`key` is the seed's question_key."""
        first = self._first.get(key)
        if first is None:
            self._first[key] = _answer_of(seed)
        elif key not in self._other and not _agree(first, seed):
            self._other[key] = _answer_of(seed)

    def why(self, seed: Seed) -> str | None:
        """What another seed answers to the same question; None where all agree."""
        key = question_key(seed) if self._other else None
        if key is None or key not in self._other:
            return None
        first = self._first[key]
        against = self._other[key] if _agree(first, seed) else first
        elsewhere = "" if against.dataset.split == seed.dataset.split else f" of {against.dataset.split}"
        return f"row {against.dataset.row}{elsewhere} answers {against.answer.text[:60]!r} to the same question"


def _answer_of(seed: Seed) -> Seed:
    """The seed without its long texts, which no comparison of answers needs."""
    return replace(seed, passage=None, choices=None, tests=None, reference_reasoning=None)


@dataclass(kw_only=True, slots=True)
class SplitQuestions:
    """What one split asks: its data set, the file of its keys, and its seeds, to be read again where need be."""

    dataset: str
    keys: Path
    seeds: Callable[[], Iterable[Seed]]

    def read_keys(self) -> Any:
        import numpy as np

        if self.keys.is_file():
            return np.fromfile(self.keys, dtype=np.uint64)
        found = (question_key(seed) for seed in self.seeds())  # an earlier version wrote none
        return np.array([key for key in found if key is not None], dtype=np.uint64)


def conflicts_across(splits: Iterable[SplitQuestions]) -> dict[str, str]:
    """Id of each seed that another split of its data set answers otherwise: what that one answers."""
    import numpy as np

    by_dataset: dict[str, list[SplitQuestions]] = {}
    for split in splits:
        by_dataset.setdefault(split.dataset, []).append(split)
    found: dict[str, str] = {}
    for together in by_dataset.values():
        if len(together) < 2:
            continue
        keys = [np.unique(split.read_keys()) for split in together]
        values, counts = np.unique(np.concatenate(keys), return_counts=True)
        repeated = values[counts > 1]
        conflicts = Conflicts()
        wanted = [set(np.intersect1d(own, repeated).tolist()) for own in keys]
        for split, asked in zip(together, wanted, strict=True):
            for key, seed in _asking(split, asked):
                conflicts.add(key, seed)
        for split, asked in zip(together, wanted, strict=True):
            for _, seed in _asking(split, asked if conflicts else set()):
                why = conflicts.why(seed)
                if why is not None:
                    found[seed.seed_id] = why
    return found


def _asking(split: SplitQuestions, wanted: set[int]) -> Iterator[tuple[int, Seed]]:
    """The seeds of a split that ask one of these questions."""
    for seed in split.seeds() if wanted else ():
        key = question_key(seed)
        if key is not None and key in wanted:
            yield key, seed


def question_key(seed: Seed) -> int | None:
    """The same for seeds that ask the same; None for kinds that are not compared."""
    if seed.kind not in _COMPARED:
        return None
    options = sorted(" ".join(choice.casefold().split()) for choice in seed.choices or [])
    asked = [seed.kind, " ".join(tokens(seed.question)) or seed.question, " ".join(tokens(seed.passage or "")), options]
    return int(content_id(*asked)[:16], 16)


def _agree(one: Seed, other: Seed) -> bool:
    """Whether two seeds have an answer in common."""
    if one.kind == Kind.multiple_choice:
        return one.answer.text.strip().casefold() == other.answer.text.strip().casefold()
    return any(
        same_answer(left, right, kind=one.kind, question=one.question, language=one.language)
        for left in (one.answer.text, *one.answer.aliases)
        for right in (other.answer.text, *other.answer.aliases)
    )
