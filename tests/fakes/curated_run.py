"""A small run up to the step curated, and a function that runs this step."""

from pathlib import Path
from typing import Any

from nemo_sdg.config import CurateSection, Executor, RunConfig, RunSection
from nemo_sdg.errors import SdgError
from nemo_sdg.execution.context import Context
from nemo_sdg.execution.progress import Progress
from nemo_sdg.pipeline.order import STEPS
from nemo_sdg.records import DatasetRow, EvaluationRow, to_dict
from nemo_sdg.steps import curated
from nemo_sdg.storage import Counts, StepDir

EVALUATION = [
    (
        (
            "A mint sells tins of 24 drops for 3 dollars each. Ida buys 5 tins, eats 18 drops and gives a "
            "third of the rest to Bo. How many drops are left?"
        ),
        "68",
    ),
    (
        (
            "A ferry carries 14 cars and 60 people on each trip. On Sunday it makes 9 trips and is full each "
            "time. How many people does it carry?"
        ),
        "540",
    ),
]
REWORDED = (
    "Nine times on Sunday a ferry sails, each time filled with its 60 people and 14 cars. What number of "
    "people are carried that day?"
)
QUESTIONS = {
    "kept": ("Tom has 12 red marbles and finds 7 blue ones in the garden. How many marbles does he have now?", "19"),
    "evaluation_exact": EVALUATION[0],
    "evaluation_ngram": (f"Read this well. {EVALUATION[0][0].replace('How many', 'So how many')}", "68"),
    "evaluation_paraphrase": (REWORDED, "540"),
    "evaluation_ngram in context": (
        "Tins of 6 pens are sold at the fair. Kai buys 4 of these tins. How many pens does Kai own?",
        "24",
    ),
    "shouting": ("HOW MANY LEGS DO SEVEN HENS AND TWO COWS HAVE, IF NONE OF THEM LOST ONE IN THE WAR?", "22"),
    "context_gives_answer": ("A tailor needs 3 meters of cloth for a coat. How much cloth is in 11 coats?", "33"),
    "the same again": (
        "Tom has 12 red marbles and finds 7 blue ones in the garden. How many marbles does he have now?",
        "19",
    ),
    "copy_of_seed": ("A hen lays 5 eggs a week and the farm keeps 30 hens. How many eggs are laid in a week?", "150"),
}
CONTEXT = {
    "evaluation_ngram in context": (
        f"Multiplication counts equal groups. Another case: {EVALUATION[0][0]} The remainder is 102, minus a "
        "third gives 68."
    ),
    "context_gives_answer": "Cloth is measured by length. The answer is 33.",
}


def sample(name: str) -> dict[str, Any]:
    question, answer = QUESTIONS[name]
    return {
        "sample_id": name,
        "origin": "similar",
        "seed_ids": ["seed-0"],
        "task": "hens",
        "family": "math",
        "capability": "reasoning",
        "kind": "numeric",
        "frame": "generation",
        "language": "en",
        "question": question,
        "passage": None,
        "choices": None,
        "answer": {"text": answer, "label": None, "aliases": []},
        "tests": None,
        "context": CONTEXT.get(
            name, "Equal groups are counted by multiplication, and what is put together is counted by addition."
        ),
        "reasoning": f"We work it out step by step and get {answer}.",
        "votes": {"n": 3, "agree": 3, "tally": {answer: 3}},
        "difficulty": 0.0,
    }


def make_run(folder: Path, **curate: Any) -> Context:
    context = Context(
        config=RunConfig(
            run=RunSection(dir=str(folder), executor=Executor.local),
            curate=CurateSection(**{"paraphrase": False} | curate),
        ),
        run_dir=folder,
        steps=STEPS,
        fingerprints=dict.fromkeys(STEPS, "f"),
        progress=Progress(None),
    )
    question, answer = QUESTIONS["copy_of_seed"]
    fields = ("task", "family", "kind", "frame", "language", "passage", "choices", "tests")
    seed = {
        "seed_id": "seed-0",
        **{name: sample("kept")[name] for name in fields},
        "question": question,
        "answer": {"text": answer, "label": None, "aliases": []},
    }
    evaluation = [
        to_dict(EvaluationRow(task="mint", dataset=DatasetRow(path="made/mint", name=None, split="test",
        revision="local", row=number), kind="numeric", question=question, answer=answer))
        for number, (question, answer) in enumerate(EVALUATION)
    ]  # fmt: skip
    names = list(QUESTIONS)
    write_shard(context.step_dir("seeds"), "shard-00000", [seed])
    write_shard(context.step_dir("seeds", "evaluation"), "split-00000", evaluation)
    for number in range(3):
        write_shard(
            context.step_dir("verified"),
            f"shard-{number:05d}",
            [sample(name) for name in names[3 * number : 3 * number + 3]],
        )
    return context


def write_shard(target: StepDir, shard: str, records: list[dict[str, Any]]) -> None:
    counts = Counts()
    for record in records:
        counts.keep(record["task"])
    target.write_shard(shard, records, [], counts)


def curate(folder: Path, executor: str, gpus: float = 0) -> None:
    """Takes the step with its embedder in a folder of its own; an SdgError is printed. Runs beside it share the index
    of evaluation rows, which the process that starts Ray makes, whatever the executor.
    """
    context = make_run(folder, paraphrase=True, embedder_gpus=gpus)
    context.config.run.executor = Executor(executor)
    context.config.run.cache_dir = str(folder.parents[1] / "cache")
    try:
        curated.run(context)
    except SdgError as exc:
        print(type(exc).__name__, exc)
