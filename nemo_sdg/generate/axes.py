"""The axes that spread the questions of one seed: relation, difficulty, setting, form; drawn for each attempt.

    draw_axes(seed, attempts=1, run_seed=0)
        -> [Axes(relation="inverse", difficulty=4, setting="a laboratory or an experiment", form="table")]

Structure gives diversity where temperature does not. One random generator draws all attempts of a seed, so that each
relation is used once before any is used twice.
"""

import random
import re

from nemo_sdg.generate.options import BLANK, speaks_of_place
from nemo_sdg.records import Axes, Frame, Kind, Seed

RELATIONS = {
    "parallel": "parallel: the same idea and the same kind of steps, in another case with other facts or numbers",
    "other_subtopic": "other subtopic: a neighbouring subtopic of the same field, tested in the same way",
    "harder": "harder: the same idea, where one has to see more, combine more or avoid a subtler mistake",
    "applied_case": "applied case: a concrete situation in which the idea has to be recognised and used",
    "inverse": "inverse: what the seed gives is asked for, and what it asks for is given",
    "several_steps": "several steps: two or three steps of which each needs the one before",
    "misconception": "misconception: it turns on a mistake that learners of this topic really make",
}
DIFFICULTY = {
    1: "1 of 5: a beginner who has just read about the topic can answer",
    2: "2 of 5: a pupil who has practised the topic can answer",
    3: "3 of 5: somebody who knows the subject well has to think for a moment",
    4: "4 of 5: a good student of the subject gets it right about half the time",
    5: "5 of 5: an expert has to work it out; nothing in it is obscure for its own sake",
}
SETTINGS = (
    "everyday life at home", "school and learning", "a laboratory or an experiment", "a workshop or building site",
    "medicine and health", "trade, money and business", "sport and games", "nature and the environment",
    "history or the history of science", "travel and geography", "computers and data", "art, music or literature",
    "public life, law and administration", "food and agriculture", "traffic and energy", "abstract, without any story",
)  # fmt: skip
"""where a question plays; a task whose subject leaves no choice keeps its own"""
FORMS = {
    "plain": "",
    "cloze": "a statement with one blank, written ____, that the answer fills",
    "assertion": "statements about one matter, of which the right one is to be picked",
    "table": "data in a small table of plain text, from which the answer has to be read and worked out",
    "dialogue": "a short exchange between two people, out of which the question arises",
}
NUM_OPTIONS = (3, 4, 5, 6, 8, 10)
NUMBERS = re.compile(r"\d")


def draw_axes(seed: Seed, *, attempts: int, run_seed: int) -> list[Axes]:
    """The axes of all attempts of a seed; the first k do not depend on how many follow."""
    rng = random.Random(f"{run_seed}:{seed.seed_id}:axes")
    relations: list[str] = []
    drawn = []
    for _ in range(attempts):
        if not relations:
            relations = rng.sample(sorted(allowed_relations(seed)), len(allowed_relations(seed)))
        forms = allowed_forms(seed)
        drawn.append(
            Axes(
                relation=relations.pop(),
                difficulty=rng.choices(range(1, 6), weights=(1, 2, 3, 3, 2))[0],
                setting=rng.choice(SETTINGS),
                form="plain" if rng.random() < 0.5 else rng.choice(forms),
            )
        )
    return drawn


def allowed_relations(seed: Seed) -> set[str]:
    """A label or a text to continue has no inverse."""
    if seed.frame in (Frame.classification, Frame.explanation) or seed.kind == Kind.code:
        return RELATIONS.keys() - {"inverse"}
    return set(RELATIONS)


def allowed_forms(seed: Seed) -> list[str]:
    """The forms that fit a seed's kind and frame: what the task fixes stays."""
    if BLANK.search(seed.question) or seed.frame == Frame.classification or seed.kind == Kind.code:
        return ["plain"]
    if seed.kind == Kind.multiple_choice:
        forms = ["plain", "cloze", "assertion", "dialogue"]
        if NUMBERS.search(seed.question):
            forms.append("table")
        if len(seed.choices or []) > 2 and not speaks_of_place(seed.choices or []):
            forms += [f"options_{num}" for num in NUM_OPTIONS if num != len(seed.choices or [])]
        return forms
    if seed.kind == Kind.numeric:
        return ["plain", "table", "dialogue"]
    if seed.kind == Kind.short_text:
        return ["plain", "cloze", "dialogue"]
    return ["plain", "dialogue"]


def num_options(axes: Axes, seed: Seed) -> int:
    """How many options the question of an attempt has."""
    if axes.form.startswith("options_"):
        return int(axes.form.removeprefix("options_"))
    return len(seed.choices or [])


def wanted(axes: Axes, seed: Seed, *, target: str | None = None) -> dict[str, str]:
    """The axes in the words of a prompt."""
    form = "as the seed, with its blank written as there" if BLANK.search(seed.question) else FORMS.get(axes.form, "")
    if seed.kind == Kind.multiple_choice and seed.frame != Frame.classification:
        form = f"{form}; " if form else ""
        form += f"{num_options(axes, seed)} options"
    return {
        "relation": RELATIONS[axes.relation],
        "difficulty": DIFFICULTY[axes.difficulty],
        "setting": f"{axes.setting}, where the task leaves room for one",
        "form": form,
        "target": target or "",
    }
