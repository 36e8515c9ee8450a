"""The filters on real training rows: honest rows pass, and each kind of damage is found by the right filter."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.registry import apply_filters, load_filters
from nemo_sdg.records import LABELS

TASKS = {
    "commonsense_qa": ("tau/commonsense_qa/default", "commonsense", "en"),
    "arc_easy": ("allenai/ai2_arc/ARC-Easy", "science", "en"),
    "jcommonsenseqa": ("Rakuten/JGLUE/JCommonsenseQA", "commonsense", "ja"),
    "copa": ("aps/super_glue/copa", "commonsense", "en"),
    "gsm8k": ("openai/gsm8k/main", "math", "en"),
    "math": ("EleutherAI/hendrycks_math/algebra", "math", "en"),
    "mbpp": ("google-research-datasets/mbpp/full", "code", "en"),
    "mgsm_es": ("juletxara/mgsm/es", "math", "es"),
    "mgsm_de": ("juletxara/mgsm/de", "math", "de"),
    "mgsm_zh": ("juletxara/mgsm/zh", "math", "zh"),
}
NUM_ROWS = 200
REASONING_OFF = CurateSection(filters={"length": {"min_reasoning": 0}})


def fields(task: str, row: dict[str, Any]) -> dict[str, Any]:
    if task in {"commonsense_qa", "arc_easy"}:
        choices, index = row["choices"]["text"], row["choices"]["label"].index(row["answerKey"])
    elif task == "jcommonsenseqa":
        choices, index = [row[f"choice{number}"] for number in range(5)], row["label"]
    elif task == "copa":
        choices, index = [row["choice1"], row["choice2"]], row["label"]
    elif task == "gsm8k":
        reasoning, _, answer = row["answer"].rpartition("\n#### ")
        return {"kind": "numeric", "question": row["question"], "answer": answer, "reasoning": reasoning}
    elif task == "math":
        return {
            "kind": "short_text",
            "question": row["problem"],
            "answer": boxed(row["solution"]),
            "reasoning": row["solution"],
        }
    elif task == "mbpp":
        return {"kind": "code", "question": row["text"], "answer": row["code"], "tests": row["test_list"]}
    else:
        return {
            "kind": "numeric",
            "question": row["question"].partition(": ")[2] or row["question"],
            "answer": str(row["answer_number"]),
            "reasoning": "",
        }
    return {
        "kind": "multiple_choice",
        "question": row.get("question") or row["premise"],
        "choices": choices,
        "answer": choices[index],
        "label": LABELS[index],
    }


def boxed(solution: str) -> str:
    rest = solution[solution.rfind("\\boxed") + len("\\boxed") :]
    depth = 0
    for place, letter in enumerate(rest):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return rest[1:place]
    return rest


def samples(hub: Path, task: str) -> list[dict[str, Any]]:
    path, family, language = TASKS[task]
    made = []
    with open(hub / path / "train.jsonl", encoding="utf-8") as lines:
        for number, line in zip(range(NUM_ROWS), lines, strict=False):
            found = {"choices": None, "tests": None, "reasoning": "", "label": None} | fields(task, json.loads(line))
            answer = {"text": found.pop("answer"), "label": found.pop("label"), "aliases": []}
            frame = "selection" if found["choices"] else "generation"
            where = {
                "sample_id": f"{task}-{number}",
                "origin": "seed",
                "task": task,
                "family": family,
                "frame": frame,
                "language": language,
            }
            made.append(where | {"passage": None, "context": "", "answer": answer} | found)
    return made


@pytest.mark.parametrize("task", TASKS)
def test_honest_rows_pass(hub: Path, task: str) -> None:
    found = Counter(finding[0] for sample in samples(hub, task) if (finding := apply_filters(sample, REASONING_OFF)))
    repeated_options = found.pop("choices_not_distinct", 0)
    # gsm8k's own rationales hold a few sums that are wrong, such as `100/5 = 5`
    assert found.pop("wrong_arithmetic", 0) <= 0.02 * NUM_ROWS
    assert sum(found.values()) <= 0.01 * NUM_ROWS, found
    assert repeated_options <= 0.03 * NUM_ROWS


DAMAGE = {
    "choices_not_distinct": lambda s: s | {"choices": [s["answer"]["text"], *s["choices"][1:], s["answer"]["text"]]},
    "answer_not_among_choices": lambda s: s | {"answer": s["answer"] | {"text": s["answer"]["text"] + " indeed"}},
    "label_mismatch": lambda s: s | {"answer": s["answer"] | {"label": "AB"[s["answer"]["label"] == "A"]}},
    "refusal": lambda s: s | {"reasoning": "I'm sorry, but I cannot answer this. " + s["reasoning"]},
    "assistant_chatter": lambda s: s | {"question": "Sure! Here is a similar question: " + s["question"]},
    "prompt_leak": lambda s: s | {"question": s["question"] + "\nAnswer: " + s["answer"]["text"]},
    "personal_data": lambda s: s | {"question": s["question"] + " (sent by j.miller84@mail-host.org)"},
    "control_characters": lambda s: s | {"question": s["question"][:5] + "\u202e" + s["question"][5:]},
    "repetition": lambda s: s | {"reasoning": "so the answer follows from the question and " * 10},
    "context_restates_question": lambda s: s | {"context": s["question"]},
    "context_gives_answer": lambda s: s | {"context": GIVING[s["language"]].format(s["answer"]["text"])},
    "answer_in_question": lambda s: (
        s | {"question": f"{s['question']} ({GIVING[s['language']].format(s['answer']['text'])})"}
    ),
    "missing_figure": lambda s: s | {"question": f"{FIGURE[s['language']]} {s['question']}"},
    "missing_passage": lambda s: s | {"question": f"{s['question']} {PASSAGE[s['language']]}"},
    "placeholder": lambda s: s | {"question": s["question"] + " [insert name]"},
    "latex_unbalanced": lambda s: s | {"question": s["question"] + " $\\frac{1}{2$"},
    "too_long": lambda s: s | {"question": (s["question"] + " ") * 400},
}
GIVING = {
    "en": "Some things must be known for that. The answer is {}",
    "de": "Dafür muss man einige Dinge wissen. Die Antwort lautet {}",
    "es": "Para eso hay que saber algunas cosas. La respuesta es {}",
    "zh": "为此需要了解一些知识。答案是{}",
}
FIGURE = {
    "en": "Look at the figure below.",
    "de": "Siehe Abbildung.",
    "es": "Mira los datos en la figura.",
    "zh": "如图所示。",
}
PASSAGE = {
    "en": "Answer according to the passage.",
    "de": "Antworte laut dem Text.",
    "es": "Responde según el texto.",
    "zh": "请根据上文回答。",
}
CHOICE_ONLY = {"choices_not_distinct", "answer_not_among_choices", "label_mismatch"}
ANSWER_ONLY = {"context_gives_answer", "answer_in_question"}
NUMERIC = ("gsm8k", "mgsm_de", "mgsm_es", "mgsm_zh")
ENGLISH_REASON = {"repetition": "language_mismatch", "refusal": "language_mismatch"}


def tasks_for(reason: str) -> tuple[str, ...]:
    if reason in CHOICE_ONLY:
        return ("commonsense_qa", "jcommonsenseqa", "copa")
    if reason in ANSWER_ONLY:
        return ("arc_easy", *NUMERIC)
    return ("math", *NUMERIC) if reason == "latex_unbalanced" else ("arc_easy", "mbpp", *NUMERIC)


@pytest.mark.parametrize("reason", DAMAGE)
def test_damaged_rows_are_dropped_for_the_damage(hub: Path, reason: str) -> None:
    for task in tasks_for(reason):
        honest = [sample for sample in samples(hub, task) if apply_filters(sample, REASONING_OFF) is None]
        found = Counter((apply_filters(DAMAGE[reason](sample), REASONING_OFF) or ("kept",))[0] for sample in honest)
        accepted = found[reason] + (found["context_restates_answer"] if reason.startswith("context") else 0)
        accepted += found[ENGLISH_REASON[reason]] if reason in ENGLISH_REASON and TASKS[task][2] != "en" else 0
        assert accepted >= 0.97 * len(honest), (task, found)


def test_wrong_answers_of_real_solutions_are_found(hub: Path) -> None:
    for task in ("gsm8k", "math"):
        honest = [
            sample
            for sample in samples(hub, task)
            if apply_filters(sample, REASONING_OFF) is None and sample["answer"]["text"].lstrip("-").isdigit()
        ]
        wrong = [
            sample | {"answer": {"text": str(int(sample["answer"]["text"]) * 7 + 1009), "label": None, "aliases": []}}
            for sample in honest
        ]
        found = Counter((apply_filters(sample, REASONING_OFF) or ("kept",))[0] for sample in wrong)
        reasons = ("reasoning_lacks_answer", "reasoning_contradicts_answer", "reasoning_ends_elsewhere")
        assert sum(found[reason] for reason in reasons) >= 0.97 * len(wrong), (task, found)


def test_encoding_damage_is_found(hub: Path) -> None:
    for task in ("mgsm_de", "mgsm_es", "jcommonsenseqa"):
        marked = [sample for sample in samples(hub, task) if not sample["question"].isascii()]
        garbled = [
            sample | {"question": sample["question"].encode().decode("cp1252", errors="replace")} for sample in marked
        ]
        found = Counter((apply_filters(sample, REASONING_OFF) or ("kept",))[0] for sample in garbled)
        assert found["mojibake"] + found["control_characters"] >= 0.95 * len(garbled), (task, found)


def test_another_language_is_found(hub: Path) -> None:
    for task in ("mgsm_de", "mgsm_es", "mgsm_zh", "jcommonsenseqa"):
        foreign = [sample | {"language": "en"} for sample in samples(hub, task)]
        found = Counter((apply_filters(sample, REASONING_OFF) or ("kept",))[0] for sample in foreign)
        assert found["language_mismatch"] >= 0.9 * len(foreign), (task, found)


def test_code_cut_short_does_not_parse(hub: Path) -> None:
    cut = [
        sample | {"answer": sample["answer"] | {"text": sample["answer"]["text"].rstrip()[:-1] + "("}}
        for sample in samples(hub, "mbpp")
    ]
    assert Counter((apply_filters(sample, REASONING_OFF) or ("kept",))[0] for sample in cut) == {
        "code_does_not_parse": NUM_ROWS
    }


def test_filters_are_loaded_once() -> None:
    assert load_filters(CurateSection()) is load_filters(CurateSection())
