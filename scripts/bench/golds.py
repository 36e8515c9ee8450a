"""Compares our golds with lm-eval's: for each row of each eligible task in the mirror, the answer of the seed and the
answer that lm-eval scores as right, from its task object on the same rows.

    python scripts/bench/golds.py [--quick] [--hub FOLDER]

Prints one JSON object per line: `agreement` over all compared rows, `explained` and `unexplained` disagreements,
`dropped_…` rows that have a gold in lm-eval, and one `disagreement` per task and category with an example. A
disagreement is explained if the field table says why it differs from the task file (`why` in seeds/fields/fields.yaml).
"""

import argparse
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.walk import build_catalog, task_config
from nemo_sdg.config import DeclaredSplit, GuardSection, SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import LABELS, Drop, Seed
from nemo_sdg.seeds.build import Source, plan_sources, render_source
from nemo_sdg.seeds.fields.options import without_labels
from nemo_sdg.seeds.fields.reading import bare_labels, numbered_labels
from nemo_sdg.seeds.fields.table import find_entry
from nemo_sdg.seeds.prompts.functions import resolve_function
from nemo_sdg.seeds.sources.rows import Damaged, mirrored, open_rows
from nemo_sdg.text.answers import same_answer

QUICK_ROWS = 50
MAX_WORD = 40
"""maximum characters of a label that a task may use in place of another"""
EXPLAINED = {"several_boxes": "the last sentence boxes several answers, of which lm-eval takes the last"}
DECLARED = {
    task: DeclaredSplit(split="train", reason="named only for few-shot examples") for task in ("mbpp", "legalbench_*")
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows a task")
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--hub", default=os.environ.get("NEMO_SDG_TEST_HUB") or str(root.parent / "shared" / "hub"))
    arguments = parser.parse_args()
    if not Path(arguments.hub).is_dir():
        parser.error(f"no rows to compare: {arguments.hub} is missing; set NEMO_SDG_TEST_HUB to a mirror")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    seeds = SeedsSection(mirror=arguments.hub, declared=DECLARED)
    counts, dropped = Counter[str](), Counter[str]()
    disagreements: dict[tuple[str, str], list[dict[str, Any]]] = {}
    tasks = 0
    for source in plan_sources(build_catalog(seeds, GuardSection()), seeds):
        if source.split.data_files or not mirrored(source.split, arguments.hub):
            continue
        if arguments.quick:
            source.quota = QUICK_ROWS
        for task, compared in compare(source, seeds):
            tasks += 1
            for category, example in in_other_words(task, list(compared)):
                if category.startswith("dropped"):
                    dropped[category] += 1
                    continue
                counts["agree" if category == "agree" else "explained" if "why" in example else "unexplained"] += 1
                if category != "agree":
                    disagreements.setdefault((task, category), []).append(example)
    for (task, category), examples in sorted(disagreements.items()):
        show("disagreement", len(examples), "rows", task=task, category=category, example=examples[0])
    for category, num in sorted(dropped.items()):
        show(category, num, "rows")
    total = sum(counts.values())
    show("agreement", round(counts["agree"] / max(1, total), 6), "share", compared=total, tasks=tasks)
    show("explained", counts["explained"], "rows")
    show("unexplained", counts["unexplained"], "rows")


def show(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}, ensure_ascii=False), flush=True)


def compare(source: Source, seeds: SeedsSection) -> Iterator[tuple[str, Iterator[tuple[str, dict[str, Any]]]]]:
    """For each task that lm-eval can run offline: (category, example) of each row that we or lm-eval can read."""
    records = list(render_source(source, seeds, 0))
    wanted = {record.dataset.row for record in records if isinstance(record, Seed)} | {
        record.record["row"] for record in records if isinstance(record, Drop) and record.record
    }
    rows = [
        (number, row)
        for number, row in open_rows(source.split, seeds, task=source.tasks[0])
        if number in wanted and not isinstance(row, Damaged)
    ]
    for leaf in source.leaves:
        config = task_config(leaf.task, seeds)
        if "class" in config:
            continue
        try:
            theirs = lm_eval_golds(leaf.task, config, rows)
        except Exception as exc:  # a task's own code may raise anything
            show("not_run", 1, "tasks", task=leaf.task, why=f"{type(exc).__name__}: {exc}"[:200])
            continue
        entry = find_entry(leaf.dataset["path"], leaf.dataset["name"], leaf.task)
        yield leaf.task, compare_rows(leaf.task, records, theirs, entry.why if entry is not None else None)


def compare_rows(
    task: str, records: list[Seed | Drop], theirs: dict[int, list[dict[str, Any]]], why: str | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    ours: dict[int, list[Seed]] = {}
    for record in records:
        if isinstance(record, Seed) and task in record.tasks:
            ours.setdefault(record.dataset.row, []).append(record)
    for number, golds in theirs.items():
        found = ours.get(number, [])
        for gold, seed in zip(golds, [*found, *[None] * len(golds)], strict=False):
            if seed is None:
                reasons = {
                    record.reason
                    for record in records
                    if isinstance(record, Drop) and record.record and record.record["row"] == number
                }
                yield f"dropped_{'_'.join(sorted(reasons)) or 'without_a_word'}", {}
                continue
            category = judge(seed, gold)
            example = {"row": number, "ours": seed.answer.text[:200], "lm_eval": str(gold["answers"])[:200]}
            example["label"] = seed.answer.label
            why = EXPLAINED.get(category, why)
            yield category, {**example, "why": why} if why and category != "agree" else example


def in_other_words(task: str, compared: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """A task that names the same options in other words (`entailment` for `True`) agrees if, over all its rows, its
    words and the positions of our options correspond one to one.
    """
    pairs = {
        (re.sub(r"^\[['\"](?:\d+_)?|['\"]\]$", "", example["lm_eval"]), example["label"])
        for category, example in compared
        if category == "other_option" and len(example["lm_eval"]) < MAX_WORD
    }
    words, places = {word for word, _ in pairs}, {place for _, place in pairs}
    others = [example for category, example in compared if category == "other_option"]
    all_short = all(len(example["lm_eval"]) < MAX_WORD for example in others)
    if len(pairs) < 2 or not (len(pairs) == len(words) == len(places)) or not all_short:
        return compared
    show("other_words", len(pairs), "words", task=task, words=dict(sorted(pairs)))
    return [("agree" if category == "other_option" else category, example) for category, example in compared]


def judge(seed: Seed, gold: dict[str, Any]) -> str:
    """`agree`, or the kind of difference."""
    if not gold["answers"]:
        return "lm_eval_has_no_gold"
    choices = gold["choices"]
    if choices and seed.choices and (bare_labels(choices) or numbered_labels(choices)):
        # Labels refer to texts that lm-eval shows in its prompt, in the order of the row.
        return "agree" if seed.choices.index(seed.answer.text) == choices.index(gold["answers"][0]) else "other_option"
    if choices and seed.choices and gold["position"] is not None and len(choices) == len(seed.choices):
        stripped = without_labels([choice.strip() for choice in choices])
        texts = stripped[0] if stripped else choices
        same = texts[gold["position"]].strip().casefold() == seed.answer.text.strip().casefold()
        # The options may be contexts that contain our options: the position counts if each contains its option.
        holds = all(re.search(rf"\b{re.escape(ours)}\b", text) for ours, text in zip(seed.choices, texts, strict=True))
        return (
            "agree" if same or (holds and seed.choices.index(seed.answer.text) == gold["position"]) else "other_option"
        )
    for answer in gold["answers"]:
        if same_answer(answer.strip(), seed.answer.text.strip(), kind=seed.kind, language=seed.language):
            return "agree"
        if seed.choices and answer.strip() == LABELS[seed.choices.index(seed.answer.text)]:
            return "agree"
        marked = [form for form in (seed.target_format, seed.answer.text) if form]
        if any(answer.rstrip(" .$").endswith(form) or form in answer.split("\n")[-1] for form in marked):
            return "agree"
        if seed.tests and any(test in answer for test in seed.tests):
            return "agree"
        if seed.target_format and seed.target_format in answer:
            return "agree"
        if "boxed" in (seed.target_format or "") and seed.answer.text.endswith(f", {answer}"):
            return "several_boxes"
    return "other_text"


def lm_eval_golds(task: str, config: dict[str, Any], rows: list[tuple[int, Any]]) -> dict[int, list[dict[str, Any]]]:
    """The results of lm-eval's task object for each row: its golds as texts, its choices, the gold's position."""
    import datasets
    from lm_eval.api.task import ConfigurableTask

    kept = {
        key: resolve_function(value.folder, value.name) if hasattr(value, "folder") else value
        for key, value in config.items()
        if key not in ("metric_list", "filter_list", "process_results", "fewshot_config")
    }
    is_choice = kept.get("output_type") == "multiple_choice"
    kept["metric_list"] = [{"metric": "acc"}] if is_choice else [{"metric": "bypass"}]
    splits = {kept.get(f"{role}_split") for role in ("training", "validation", "test", "fewshot")} - {None}
    split = kept.setdefault("training_split", "train")

    class Offline(ConfigurableTask):
        def download(self, dataset_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
            numbered = [{**row, "nemo_sdg_row": number} for number, row in rows]
            data = datasets.Dataset.from_list(numbered)
            self.dataset = datasets.DatasetDict(dict.fromkeys(splits | {split}, data))

    theirs = Offline(config=kept)
    found: dict[int, list[dict[str, Any]]] = {}
    for place, doc in enumerate(theirs.training_docs()):
        number = doc.get("nemo_sdg_row", rows[place][0] if place < len(rows) else -1)
        target = theirs.doc_to_target(doc)
        choices = theirs.doc_to_choice(doc) if config.get("doc_to_choice") is not None else None
        prompt = theirs.doc_to_text(doc)
        position: int | None = None
        if choices and isinstance(prompt, int):
            target = prompt
        if choices and isinstance(target, int) and not isinstance(target, bool):
            position = target if 0 <= target < len(choices) else None
            answers = [choices[target]] if position is not None else []
        elif choices and is_choice and isinstance(target, str):
            position = choices.index(target) if target in choices else None
            answers = [target] if position is not None else []
        else:
            answers = [str(item) for item in (target if isinstance(target, list) else [target])]
            if choices and all(isinstance(item, int) for item in (target if isinstance(target, list) else [target])):
                answers = [choices[item] for item in (target if isinstance(target, list) else [target])]
        found.setdefault(number, []).append(
            {"answers": answers, "choices": list(choices) if choices else None, "position": position}
        )
    return found


if __name__ == "__main__":
    try:
        main()
    except DataError as exc:
        raise SystemExit(f"golds: {exc}") from exc
