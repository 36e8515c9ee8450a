"""Rows of the hub mirror for measurements, by task: training rows as samples, evaluation rows as EvaluationRow."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.records import DatasetRow, EvaluationRow
from nemo_sdg.storage import read_jsonl

Fields = dict[str, Any]


@dataclass(frozen=True)
class Task:
    path: str
    name: str
    train: str | None
    evaluation: tuple[str, ...]
    kind: str
    read: Callable[[Fields], Fields]


def _letters(row: Fields, question: str) -> Fields:
    choices = row["choices"]["text"]
    return {
        "question": row[question],
        "choices": choices,
        "answer": choices[row["choices"]["label"].index(row["answerKey"])],
    }


def _csqa(row: Fields) -> Fields:
    return _letters(row, "question")


def _arc(row: Fields) -> Fields:
    return _letters(row, "question")


def _openbookqa(row: Fields) -> Fields:
    return _letters(row, "question_stem")


def _sciq(row: Fields) -> Fields:
    choices = [row["distractor1"], row["correct_answer"], row["distractor2"], row["distractor3"]]
    return {
        "question": row["question"],
        "passage": row["support"] or None,
        "choices": choices,
        "answer": row["correct_answer"],
    }


def _gsm8k(row: Fields) -> Fields:
    return {"question": row["question"], "answer": row["answer"].split("####")[-1].strip()}


def _math(row: Fields) -> Fields:
    boxed = re.findall(r"\\boxed\{(.*)\}", row["solution"])
    return {"question": row["problem"], "answer": boxed[-1] if boxed else None}


def _mbpp(row: Fields) -> Fields:
    return {"question": row["text"], "answer": row["code"]}


def _winogrande(row: Fields) -> Fields:
    choices = [row["option1"], row["option2"]]
    return {"question": row["sentence"], "choices": choices, "answer": choices[int(row["answer"]) - 1]}


def _copa(row: Fields) -> Fields:
    choices = [row["choice1"], row["choice2"]]
    ask = "What was the cause of this?" if row["question"] == "cause" else "What happened as a result?"
    return {"question": f"{row['premise']} {ask}", "choices": choices, "answer": choices[row["label"]]}


def _rte(row: Fields) -> Fields:
    labels = ["True", "False"]
    return {
        "passage": row["premise"],
        "question": f"{row['hypothesis']} True or False?",
        "choices": labels,
        "answer": labels[row["label"]],
    }


def _anli(row: Fields) -> Fields:
    labels = ["True", "Neither", "False"]
    return {
        "passage": row["premise"],
        "question": f"{row['hypothesis']} True, False, or Neither?",
        "choices": labels,
        "answer": labels[row["label"]],
    }


def _cb(row: Fields) -> Fields:
    labels = ["True", "False", "Neither"]
    return {
        "passage": row["premise"],
        "question": f"{row['hypothesis']} True, False, or Neither?",
        "choices": labels,
        "answer": labels[row["label"]],
    }


def _boolq(row: Fields) -> Fields:
    return {
        "passage": row["passage"],
        "question": row["question"],
        "choices": ["no", "yes"],
        "answer": ["no", "yes"][row["label"]],
    }


def _multirc(row: Fields) -> Fields:
    ask = f'{row["question"]} Is the answer "{row["answer"]}" correct?'
    return {
        "passage": row["paragraph"],
        "question": ask,
        "choices": ["no", "yes"],
        "answer": ["no", "yes"][row["label"]],
    }


def _wic(row: Fields) -> Fields:
    ask = (
        f'Is the word "{row["word"]}" used in the same way in the two sentences? {row["sentence1"]} {row["sentence2"]}'
    )
    return {"question": ask, "choices": ["no", "yes"], "answer": ["no", "yes"][row["label"]]}


def _pubmedqa(row: Fields) -> Fields:
    return {
        "passage": " ".join(row["CONTEXTS"]),
        "question": row["QUESTION"],
        "choices": ["yes", "no", "maybe"],
        "answer": row["final_decision"],
    }


def _headqa(row: Fields) -> Fields:
    choices = [answer["atext"] for answer in row["answers"]]
    return {"question": row["qtext"], "choices": choices, "answer": choices[row["ra"] - 1]}


def _medqa(row: Fields) -> Fields:
    choices = [row[f"ending{number}"] for number in range(4)]
    return {"question": f"{row['sent1']} {row['sent2']}".strip(), "choices": choices, "answer": choices[row["label"]]}


def _jcommonsenseqa(row: Fields) -> Fields:
    choices = [row[f"choice{number}"] for number in range(5)]
    return {"question": row["question"], "choices": choices, "answer": choices[row["label"]]}


def _mgsm(row: Fields) -> Fields:
    return {"question": row["question"], "answer": str(row["answer_number"])}


def _mmlu(row: Fields) -> Fields:
    return {"question": row["question"], "choices": row["choices"], "answer": row["choices"][row["answer"]]}


def _logiqa(row: Fields) -> Fields:
    return {
        "passage": row["context"],
        "question": row["question"],
        "choices": row["options"],
        "answer": row["options"]["abcd".index(row["label"].strip())],
    }


def _humaneval(row: Fields) -> Fields:
    return {"question": row["prompt"], "answer": row["canonical_solution"]}


def _piqa(row: Fields) -> Fields:
    choices = [row["sol1"], row["sol2"]]
    return {"question": row["goal"], "choices": choices, "answer": choices[row["label"]]}


def _nq_open(row: Fields) -> Fields:
    return {"question": row["question"], "answer": row["answer"][0]}


def _asdiv(row: Fields) -> Fields:
    return {"question": f"{row['body']} {row['question']}", "answer": row["answer"].split(" (")[0]}


TASKS: dict[str, Task] = {
    "gsm8k": Task("openai/gsm8k", "main", "train", ("test",), "numeric", _gsm8k),
    "arc_easy": Task("allenai/ai2_arc", "ARC-Easy", "train", ("validation", "test"), "multiple_choice", _arc),
    "arc_challenge": Task("allenai/ai2_arc", "ARC-Challenge", "train", ("validation", "test"), "multiple_choice", _arc),
    "openbookqa": Task("allenai/openbookqa", "main", "train", ("validation", "test"), "multiple_choice", _openbookqa),
    "sciq": Task("allenai/sciq", "default", "train", ("validation", "test"), "multiple_choice", _sciq),
    "commonsense_qa": Task("tau/commonsense_qa", "default", "train", ("validation",), "multiple_choice", _csqa),
    "winogrande": Task("allenai/winogrande", "winogrande_xl", "train", ("validation",), "multiple_choice", _winogrande),
    "hendrycks_math_algebra": Task("EleutherAI/hendrycks_math", "algebra", "train", ("test",), "short_text", _math),
    "mbpp": Task("google-research-datasets/mbpp", "full", "train", ("test", "validation"), "code", _mbpp),
    "medqa_4options": Task("GBaker/MedQA-USMLE-4-options-hf", "default", "train", ("test",), "multiple_choice", _medqa),
    "headqa_en": Task("EleutherAI/headqa", "en", "train", ("validation",), "multiple_choice", _headqa),
    "copa": Task("aps/super_glue", "copa", "train", ("validation",), "multiple_choice", _copa),
    "sglue_rte": Task("aps/super_glue", "rte", "train", ("validation",), "multiple_choice", _rte),
    "cb": Task("aps/super_glue", "cb", "train", ("validation",), "multiple_choice", _cb),
    "boolq": Task("aps/super_glue", "boolq", "train", ("validation",), "multiple_choice", _boolq),
    "multirc": Task("aps/super_glue", "multirc", "train", ("validation",), "multiple_choice", _multirc),
    "wic": Task("aps/super_glue", "wic", "train", ("validation",), "multiple_choice", _wic),
    "pubmedqa": Task(
        "bigbio/pubmed_qa",
        "pubmed_qa_labeled_fold0_source",
        "train",
        ("validation", "test"),
        "multiple_choice",
        _pubmedqa,
    ),
    "anli_r3": Task("facebook/anli", "default", "train_r3", ("dev_r3",), "multiple_choice", _anli),
    "ja_leaderboard_jcommonsenseqa": Task(
        "Rakuten/JGLUE", "JCommonsenseQA", "train", ("validation",), "multiple_choice", _jcommonsenseqa
    ),
    **{
        f"mgsm_direct_{code}": Task("juletxara/mgsm", code, "train", ("test",), "numeric", _mgsm)
        for code in ("de", "en", "es", "sw", "zh")
    },
    **{
        f"mmlu_{name}": Task("cais/mmlu", name, None, ("test",), "multiple_choice", _mmlu)
        for name in ("abstract_algebra", "clinical_knowledge", "college_biology", "international_law")
    },
    "logiqa": Task("EleutherAI/logiqa", "logiqa", None, ("validation", "test"), "multiple_choice", _logiqa),
    "humaneval": Task("openai/openai_humaneval", "default", None, ("test",), "code", _humaneval),
    "piqa": Task("baber/piqa", "default", None, ("validation",), "multiple_choice", _piqa),
    "nq_open": Task("google-research-datasets/nq_open", "default", None, ("validation",), "short_text", _nq_open),
    "asdiv": Task("EleutherAI/asdiv", "default", None, ("validation",), "numeric", _asdiv),
}


def _rows(hub: Path, task: Task, split: str) -> Iterator[tuple[int, Fields]]:
    for number, row in enumerate(read_jsonl(hub / task.path / task.name / f"{split}.jsonl")):
        yield number, {"passage": None, "choices": None, **task.read(row)}


def training_rows(hub: Path, name: str) -> list[Fields]:
    """The task's training rows as samples (question, passage, choices, answer)."""
    task = TASKS[name]
    if task.train is None:
        return []
    return [
        {"task": name, "kind": task.kind, **row, "answer": {"text": row["answer"], "aliases": []}}
        for _, row in _rows(hub, task, task.train)
    ]


def evaluation_rows(hub: Path, name: str) -> list[EvaluationRow]:
    """The task's evaluation rows."""
    task = TASKS[name]
    return [
        EvaluationRow(
            task=name,
            dataset=DatasetRow(path=task.path, name=task.name, split=split, revision="local", row=number),
            kind=task.kind,
            **row,
        )
        for split in task.evaluation
        for number, row in _rows(hub, task, split)
    ]
