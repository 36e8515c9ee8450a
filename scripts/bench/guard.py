"""The content ring of the guard: how many evaluation rows it finds when they are offered as training rows, and how many
honest training rows it drops.

    python scripts/bench/guard.py [--quick] [--hub FOLDER] [--half a|b]

Every evaluation split of a mirror of real data is offered in three ways: as files in other formats and column orders,
read by lm-eval's task file with the builder `json`, `csv` or `parquet`; the same with the longest text of the question
edited; and as rows of a simple user's task (question, passage, choices, answer). A row counts if it would otherwise
become a seed. The tasks of half a were used while the rules were written; half b is also printed separately. Rows come
from --hub, else NEMO_SDG_TEST_HUB, else ../shared/hub.

Prints one JSON object per line: recall_<variant> and recall_<variant>_half_b (share of rows found),
false_positive_rate (share of honest training rows that are dropped and do not have an evaluation row's question word
for word), train_rows_in_evaluation (share of training rows that have one).
"""

import argparse
import copy
import gzip
import hashlib
import io
import os
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml

from nemo_sdg.catalog.walk import build_catalog, task_file
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import CatalogRow, EvaluationRow, Seed, Verdict
from nemo_sdg.seeds.build import plan_sources, render_source
from nemo_sdg.seeds.content.guard import ContentGuard
from nemo_sdg.seeds.content.texts import mark, words
from nemo_sdg.seeds.evaluation_rows.render import render_evaluation
from nemo_sdg.seeds.sources.rows import mirrored
from nemo_sdg.seeds.sources.splits import EvaluationSource, evaluation_sources, open_source

Row = dict[str, Any]
MIN_WORDS = 5
"""minimum words of a text that is edited: in a shorter text, another word makes another question"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="30 rows a split")
    parser.add_argument("--half", choices=["a", "b"], help="only the tasks of this half")
    parser.add_argument("--show", type=int, default=0, help="rows that were not found to print of each variant")
    default = Path(os.environ.get("NEMO_SDG_TEST_HUB") or Path(__file__).parents[3] / "shared" / "hub")
    parser.add_argument("--hub", type=Path, default=default)
    arguments = parser.parse_args()
    if not arguments.hub.is_dir():
        sys.exit(f"no rows to measure on: {arguments.hub} is missing; name a mirror by --hub or NEMO_SDG_TEST_HUB")
    bench = Bench(arguments.hub.resolve(), 30 if arguments.quick else None, arguments.half, arguments.show)
    bench.offer_all()
    bench.count_honest_rows()
    for name, (value, num) in bench.values().items():
        print(orjson.dumps({"name": name, "value": round(value, 5), "unit": "share", "rows": num}).decode(), flush=True)


class Bench:
    def __init__(self, hub: Path, limit: int | None, half: str | None, show: int) -> None:
        self.hub, self.limit, self.half, self.show = hub, limit, half, show
        self.seeds = SeedsSection(mirror=str(hub))
        self.catalog = build_catalog(self.seeds, GuardSection())
        self.sources = evaluation_sources(self.catalog, self.seeds).reachable
        self.rendered = {id(source): list(render_evaluation(source, self.seeds)) for source in self.sources}
        self.guard = ContentGuard(row for rows in self.rendered.values() for row in rows)
        self.offered: Counter[tuple[str, str]] = Counter()
        self.missed: Counter[tuple[str, str]] = Counter()
        self.honest: Counter[str] = Counter()

    def offer_all(self) -> None:
        for source in self.sources:
            half = half_of(source.tasks[0])
            if self.half not in (None, half):
                continue
            with tempfile.TemporaryDirectory() as folder:
                self.offer(source, half, Path(folder))

    def offer(self, source: EvaluationSource, half: str, folder: Path) -> None:
        rows = [row for _, row in open_source(source, self.seeds) if isinstance(row, dict)][: self.limit]
        evaluated = [row for row in self.rendered[id(source)] if row.dataset.row < len(rows)]
        offers: dict[str, tuple[str, bytes, dict[str, Any]]] = {}
        leaf = source.leaves[0]
        for name, (file, builder, write) in FORMATS.items():
            config = {"include": str(task_file(leaf.task, self.seeds)), "dataset_path": builder}
            offers[name] = (file, write(rows), config)
        for name, edit in EDITS.items():
            edited = list(edited_rows(rows, evaluated, edit, f"{leaf.task}:{name}"))
            if edited:
                config = {"include": str(task_file(leaf.task, self.seeds)), "dataset_path": "json"}
                offers[name] = ("rows.jsonl", as_lines(edited), config)
        for name, make in OWN.items():
            own = [made for row in evaluated if (made := make(row, random.Random(f"{name}:{row.question}")))]
            if own:
                offers[name] = ("rows.jsonl", as_lines(own), own_task("choices" in own[0]))
        tasks = {}
        for number, (name, (file, data, config)) in enumerate(sorted(offers.items())):
            place = folder / str(number)
            place.mkdir()
            (place / file).write_bytes(data)
            tasks[f"offered_{number}"] = name
            files = {"dataset_kwargs": {"data_files": {"train": file}}, "dataset_name": None, "training_split": "train"}
            none = {"validation_split": None, "test_split": None, "fewshot_split": None, "tag": None}
            facts = {"family": leaf.family, "capability": leaf.capability, "kind": leaf.kind, "frame": leaf.frame}
            own_kind = (
                {}
                if "include" in config
                else {
                    "kind": "multiple_choice" if "doc_to_choice" in config else "short_text",
                    "frame": "selection" if "doc_to_choice" in config else "generation",
                }
            )
            metadata = {
                "version": 1,
                "nemo_sdg": {**facts, **own_kind, "language": (leaf.languages or ["en"])[0], "license": "MIT"},
            }
            whole = {"task": f"offered_{number}", **config, **files, **none, "metadata": metadata}
            (place / "task.yaml").write_text(yaml.safe_dump(whole))
        self.render(tasks, folder, half)

    def render(self, tasks: dict[str, str], folder: Path, half: str) -> None:
        seeds = SeedsSection(include_path=[str(folder)], hub=False)
        found = [row for row in build_catalog(seeds, GuardSection()) if row.task in tasks]
        for row in found:
            row.verdict = Verdict.eligible
        for leaf in found:
            name = tasks[leaf.task]
            for source in plan_sources([leaf], seeds):
                try:
                    self.count(name, half, leaf, render_source(source, seeds, 0, self.guard))
                except DataError as exc:
                    print(f"{name} {leaf.dataset}: {exc}", file=sys.stderr)

    def count(self, name: str, half: str, leaf: CatalogRow, records: Iterator[Any]) -> None:
        shown = 0
        for record in records:
            if isinstance(record, Seed):
                self.missed[name, half] += 1
                if shown < self.show:
                    shown += 1
                    print(name, leaf.dataset["name"], orjson.dumps(record).decode()[:1500], file=sys.stderr)
            elif record.reason != "in_evaluation_split":
                continue
            self.offered[name, half] += 1

    def count_honest_rows(self) -> None:
        exact = {tuple(words(row.question)) for rows in self.rendered.values() for row in rows}
        for source in plan_sources(self.catalog, self.seeds):
            if source.split.data_files or not mirrored(source.split, str(self.hub)):
                continue
            for record in render_source(source, self.seeds, 0, self.guard):
                if isinstance(record, Seed):
                    self.honest["kept"] += 1
                elif record.reason == "in_evaluation_split":
                    is_exact = tuple(words(record.record["question"])) in exact
                    self.honest["exact" if is_exact else "lost"] += 1

    def values(self) -> dict[str, tuple[float, int]]:
        found: dict[str, tuple[float, int]] = {}
        for name in [*FORMATS, *EDITS, *OWN]:
            for halves, suffix in (("ab", ""), ("b", "_half_b")):
                num = sum(self.offered[name, half] for half in halves)
                missed = sum(self.missed[name, half] for half in halves)
                if num:
                    found[f"recall_{name}{suffix}"] = (1 - missed / num, num)
        num = sum(self.honest.values())
        found["false_positive_rate"] = (self.honest["lost"] / num, num)
        found["train_rows_in_evaluation"] = (self.honest["exact"] / num, num)
        return found


def half_of(task: str) -> str:
    return "ab"[hashlib.blake2b(task.encode()).digest()[0] & 1]


def as_lines(rows: list[Row]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def as_csv(rows: list[Row]) -> bytes:
    import csv

    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(column for row in rows for column in row)))
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: orjson.dumps(item).decode() if isinstance(item, dict | list) else item for name, item in row.items()}
        )
    return out.getvalue().encode()


def as_parquet(rows: list[Row]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), out)
    return out.getvalue()


def reordered(rows: list[Row]) -> bytes:
    return as_lines([dict(reversed(list(row.items()))) | {"source": "own"} for row in reversed(rows)])


FORMATS: dict[str, tuple[str, str, Callable[[list[Row]], bytes]]] = {
    "verbatim": ("rows.jsonl", "json", as_lines),
    "json_array": ("rows.json", "json", orjson.dumps),
    "gz": ("rows.jsonl.gz", "json", lambda rows: gzip.compress(as_lines(rows))),
    "bom": ("rows.jsonl", "json", lambda rows: b"\xef\xbb\xbf" + as_lines(rows)),
    "csv": ("rows.csv", "csv", as_csv),
    "parquet": ("rows.parquet", "parquet", as_parquet),
    "field_order": ("rows.jsonl", "json", reordered),
}


def edited_rows(
    rows: list[Row], evaluated: list[EvaluationRow], edit: Callable[..., str | None], name: str
) -> Iterator[Row]:
    """The rows, each with the longest text of its question edited; rows without such a text are left out."""
    asked: dict[int, set[str]] = {}
    for seen in evaluated:
        asked.setdefault(seen.dataset.row, set()).update(plain(text) for text in (seen.question, seen.passage or ""))
    vocabulary = [
        word
        for row in rows[:200]
        for text in texts(row)
        for word in text.split()
        if word.isalpha() and not any(mark(part) & 1 for part in words(word))
    ] or ["word"]
    for number, row in enumerate(rows):
        inside = [text for text in texts(row) if any(plain(text) in whole for whole in asked.get(number, ()))]
        longest = max(inside, key=len, default="")
        rng = random.Random(f"{name}:{number}")
        changed = edit(longest, rng, vocabulary) if len(pieces(longest)) >= MIN_WORDS else None
        if changed is not None:
            yield replaced(copy.deepcopy(row), longest, changed)


def plain(text: str) -> str:
    return f" {' '.join(words(text))} "


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {name: replaced(item, old, new) for name, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, old, new) for item in value]
    return new if value == old else value


def pieces(text: str) -> list[str]:
    """A text's words with the spaces after them; characters for a script without spaces."""
    return re.findall(
        r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]\s*|[^\s\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+\s*|\s+",
        text,
    )


def dropped(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    found = pieces(text)
    del found[rng.randrange(len(found))]
    return "".join(found)


def added(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    found = pieces(text)
    found.insert(rng.randrange(len(found) + 1), f" {rng.choice(vocabulary)} ")
    return "".join(found)


def changed(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    found = pieces(text)
    found[rng.randrange(len(found))] = f"{rng.choice(vocabulary)} "
    return "".join(found)


def respelled(text: str, rng: random.Random, vocabulary: list[str]) -> str | None:
    if "\\" not in text and "$" not in text:
        return None
    text = re.sub(r"\\frac(?![a-z])", r"\\dfrac", text)
    text = re.sub(r"(?<=\d)(?=[a-z](?![a-z]))", " ", text).replace("+", " + ").replace("=", " = ")
    return text.replace("(", "\\left(").replace(")", "\\right)") if text.count("$") >= 2 else text


EDITS: dict[str, Callable[..., str | None]] = {
    "word_dropped": dropped,
    "word_added": added,
    "word_changed": changed,
    "prefix": lambda text, rng, _: f"{rng.choice(['Problem:', 'Question:', 'Solve the following.'])} {text}",
    "suffix": lambda text, rng, _: f"{text} {rng.choice(['Explain your answer.', 'Answer:', 'Think step by step.'])}",
    "latex": respelled,
}


def own_task(has_choices: bool) -> dict[str, Any]:
    config: dict[str, Any] = {
        "dataset_path": "json",
        "doc_to_text": "{{passage}}\n\nQuestion: {{question}}\nAnswer:",
        "doc_to_target": "label" if has_choices else "answer",
        "output_type": "multiple_choice" if has_choices else "generate_until",
    }
    return config | ({"doc_to_choice": "choices"} if has_choices else {})


def own_row(row: EvaluationRow, **changes: Any) -> Row | None:
    if row.answer is None:
        return None
    made = {"question": row.question, "passage": row.passage or "", "answer": row.answer}
    if row.choices and row.answer in row.choices:
        made |= {"choices": row.choices, "label": row.choices.index(row.answer)}
    return made | changes


def permuted(row: EvaluationRow, rng: random.Random) -> Row | None:
    if not row.choices or row.answer not in row.choices:
        return None
    choices = rng.sample(row.choices, len(row.choices))
    return own_row(row, choices=choices, label=choices.index(row.answer))


def one_option_changed(row: EvaluationRow, rng: random.Random) -> Row | None:
    if not row.choices or len(row.choices) < 3 or row.answer not in row.choices:
        return None
    wrong = rng.choice([choice for choice in row.choices if choice != row.answer] or [row.choices[0]])
    choices = ["something else entirely" if choice == wrong else choice for choice in row.choices]
    return own_row(row, choices=choices, label=choices.index(row.answer)) if row.answer in choices else None


def text_as_passage(row: EvaluationRow, rng: random.Random) -> Row | None:
    text = "\n".join(part for part in (row.passage, row.question) if part)
    return own_row(row, passage=text, question="What is the answer to the text above?")


OWN: dict[str, Callable[[EvaluationRow, random.Random], Row | None]] = {
    "own_columns": lambda row, rng: own_row(row),
    "options_permuted": permuted,
    "option_changed": one_option_changed,
    "text_as_passage": text_as_passage,
}


if __name__ == "__main__":
    main()
