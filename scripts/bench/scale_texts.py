"""Data for scale.py: tasks of several kinds, families and languages with any number of rows, and an engine that writes
and solves questions from random phrases.

Every text depends only on the question, so votes agree, runs can be repeated to the same bytes, and the seeds' own
questions reach their golds. The texts are realistic in size and in the paths of records, not in quality.
"""

import hashlib
import logging
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

AGREE = 0.9
"""share of the votes that give the majority's answer"""
CUT, COMMON = 0.01, 0.03
"""shares of replies that are cut, and of written questions that occur several times"""
COMMON_QUESTIONS = 150
EVALUATED, LEAKED = 0.2, 0.002
"""rows of test splits for each training row, and the share of training rows that are copies of one of them"""
SHORT = bool(os.environ.get("SCALE_SHORT"))
CONTEXT, REASONING = (3, 5) if SHORT else (13, 26)
"""sentences of about 11.5 words: 150 and 300 words, or 35 and 60 by scale.py --short"""
DEALT = yaml.safe_load((Path(__file__).with_name("data") / "scale_words.yaml").read_text())
TOWNS = [first + last for first in DEALT["towns"][0].split() for last in DEALT["towns"][1].split()]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One task of the run."""

    task: str
    family: str
    kind: str
    frame: str
    language: str
    asks: str
    """the last sentence of its questions, by which the engine recognises them"""
    share: float
    passage: bool = False


KINDS = [Kind(**kind) for kind in DEALT["kinds"]]
BY_TASK = {kind.task: kind for kind in KINDS}
CODE = re.compile(r"function (shift_\w+)\(number\) that adds (\d+)")


class Phrases:
    """Phrases of one language, drawn with a given random generator."""

    def __init__(self, language: str) -> None:
        words = DEALT["languages"][language]
        self.nouns, adjectives = words["nouns"].split(), words["adjectives"].split()
        self.things = [words["frame"].format(adjective, noun) for noun in self.nouns for adjective in adjectives]
        lower = [thing[0].lower() + thing[1:] for thing in self.things]
        self.acts = [f"{verb} {thing}" for verb in words["verbs"].split() for thing in lower]
        self.places, self.end = words["places"].split(" | "), words["end"]

    def sentences(self, draw: random.Random, num: int) -> str:
        things, acts, places = (draw.choices(part, k=num) for part in (self.things, self.acts, self.places))
        return " ".join(f"{thing} {act} {place}." for thing, act, place in zip(things, acts, places, strict=True))


PHRASES = {language: Phrases(language) for language in DEALT["languages"]}


def make_question(kind: Kind, draw: random.Random, num_options: int = 4) -> dict[str, Any]:
    """`question`, and `options`, `passage`, `tests` if the kind has them."""
    phrases = PHRASES[kind.language]
    item: dict[str, Any] = {}
    if kind.kind == "numeric":
        many, (holder, giver) = f"{draw.choice(phrases.nouns)}s", draw.sample(phrases.things, 2)
        told = f"{holder} holds {draw.randrange(12, 900)} {many}. {giver} brings {draw.randrange(12, 900)} {many} more."
        item["question"] = f"{phrases.sentences(draw, 1)} {told} {kind.asks}"
    elif kind.kind == "code":
        name, number = f"shift_{draw.choice(phrases.nouns)}_{draw.randrange(1000)}", draw.randrange(2, 5000)
        told = f"Write a function {name}(number) that adds {number} to its argument."
        item["question"] = f"{phrases.sentences(draw, 1)} {told} {kind.asks}"
        item["tests"] = [f"assert {name}({at}) == {at + number}" for at in (0, 1, -7, 12)]
    else:
        item["question"] = f"{phrases.sentences(draw, 2)} {kind.asks}"
    if kind.kind == "multiple_choice":
        item["options"] = draw.sample(phrases.things, num_options)
    if kind.passage:
        item["passage"] = f"{phrases.sentences(draw, 10)} All of this is said of {draw.choice(TOWNS)}."
    return item


def right_answer(kind: Kind, item: dict[str, Any]) -> str:
    """The answer of the majority of solvers."""
    same = random.Random(digest(item["question"]))
    if kind.kind == "multiple_choice":
        return min(item["options"], key=lambda option: digest(item["question"] + option))
    if kind.kind == "numeric":
        return str(sum(map(int, re.findall(r"\d+", item["question"]))))
    if kind.kind == "code":
        found = CODE.search(item["question"])
        assert found is not None
        return f"def {found[1]}(number):\n    return number + {found[2]}"
    if kind.kind == "free_text":
        return PHRASES[kind.language].sentences(same, 2)
    if kind.passage:
        return str(item["passage"].rsplit(" ", 1)[1].rstrip("."))
    return same.choice(TOWNS)


def digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


# rows


def write_tasks(folder: Path, num_seeds: int) -> list[str]:
    """Task files with their training and test rows; returns the tasks' names."""
    folder.mkdir(parents=True)
    for kind in KINDS:
        num = max(4, round(num_seeds * kind.share))
        tests = [row_of(kind, random.Random(f"{kind.task} test {number}")) for number in range(round(num * EVALUATED))]
        _write(folder / f"{kind.task}_test.jsonl", iter(tests))
        _write(folder / f"{kind.task}_train.jsonl", _rows(kind, num, tests))
        (folder / f"{kind.task}.yaml").write_text(yaml.safe_dump(_task_file(kind, folder), sort_keys=False))
    return [kind.task for kind in KINDS]


def _rows(kind: Kind, num: int, tests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number in range(num):
        draw = random.Random(f"{kind.task} {number}")
        yield draw.choice(tests) if tests and draw.random() < LEAKED else row_of(kind, draw)


def row_of(kind: Kind, draw: random.Random) -> dict[str, Any]:
    item = make_question(kind, draw)
    return {**item, "answer": right_answer(kind, item)}


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with open(path, "wb") as handle:
        handle.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _task_file(kind: Kind, folder: Path) -> dict[str, Any]:
    asked = "Question: {{question}}\nAnswer:"
    if kind.passage:
        asked = "{{passage}}\n" + asked
    if kind.kind == "code":
        asked = "{{question}}\nYour code should pass these tests:\n{{tests | join('\n')}}\n\n"
    form: dict[str, Any] = {"output_type": "generate_until", "doc_to_target": "answer"}
    if kind.kind == "multiple_choice":
        form = {"output_type": "multiple_choice", "doc_to_choice": "options"}
        form["doc_to_target"] = "{{options.index(answer)}}"
    told = {name: getattr(kind, name) for name in ("family", "kind", "frame", "language")}
    return {
        "task": kind.task,
        "dataset_path": "json",
        "dataset_kwargs": {
            "data_files": {split: str(folder / f"{kind.task}_{split}.jsonl") for split in ("train", "test")}
        },
        "training_split": "train",
        "test_split": "test",
        "doc_to_text": asked,
        **form,
        "metric_list": [{"metric": "acc" if kind.kind == "multiple_choice" else "exact_match"}],
        "metadata": {
            "version": 1.0,
            "nemo_sdg": {**told, "capability": "reasoning", "license": "Apache-2.0", "commercial_use": True},
        },
    }


# the engine


class DealtEngine:
    """Writes and solves immediately, in process, so that only the cost of the steps is measured and not that of a model
    or a socket. It replaces an engine of kind openai.
    """

    name = "openai"
    adaptive = True

    def __init__(self, section: Any) -> None:
        self.model = str(section.model)
        self.notify: Callable[[str], None] = logging.getLogger(__name__).warning

    async def start(self) -> None:
        return

    async def close(self) -> None:
        return

    async def complete(self, request: Any) -> Any:
        from nemo_sdg.generate.requests import Completion

        prompt, last = request.messages[0]["content"], request.messages[-1]["content"]
        draw = random.Random(request.seed)
        text = write(prompt, last, draw) if request.tag.startswith("question") else solve(last, draw)
        cut = draw.random() < CUT
        if cut:
            text = text[: len(text) // 3]
        tokens = len(text) // 5
        asked = sum(len(message["content"]) for message in request.messages) // 5
        return Completion(
            text=text, finish_reason="length" if cut else "stop", prompt_tokens=asked, completion_tokens=tokens
        )


def write(prompt: str, last: str, draw: random.Random) -> str:
    """The reply of a writer: a new question of the task that the prompt names."""
    found = re.search(r'The task is called "(\w+)"', prompt + last)
    kind = BY_TASK[found[1]] if found is not None else KINDS[0]
    options = re.search(r"(\d+) options", last)
    if draw.random() < COMMON:
        draw = random.Random(f"common {draw.randrange(COMMON_QUESTIONS)}")
    item = make_question(kind, draw, int(options[1]) if options is not None else 4)
    parts = ["### Plan\nIt tests what the seed tests, in another case.\n"]
    if "passage" in item:
        parts.append(f"### Passage\n{item['passage']}\n")
    parts.append(f"### Question\n{item['question']}\n")
    if "options" in item:
        parts.append("### Options\n" + "\n".join(f"- {option}" for option in item["options"]))
    if "tests" in item:
        parts.append("### Tests\n```python\n" + "\n".join(item["tests"]) + "\n```")
    return "\n".join(parts)


def solve(last: str, draw: random.Random) -> str:
    """The reply of a solver: context, reasoning and answer for the question of its prompt."""
    kind = next(kind for kind in KINDS if kind.asks in last)
    asked = last.split("Question:\n", 1)[1]
    item: dict[str, Any] = {"question": asked[: asked.index(kind.asks) + len(kind.asks)]}
    if kind.kind == "multiple_choice":
        item["options"] = re.findall(r"^- (.+)$", asked.split("Options:", 1)[1], re.MULTILINE)
    if kind.passage:
        item["passage"] = last.split("Question:\n", 1)[0].strip()
    answer = right_answer(kind, item)
    if draw.random() >= AGREE:
        other = {**make_question(kind, draw), **{name: item[name] for name in ("options",) if name in item}}
        answer = right_answer(kind, other)
    phrases = PHRASES[kind.language]
    end = phrases.end.format(answer)
    if kind.kind == "numeric" and answer == right_answer(kind, item):
        first, more = re.findall(r"\d+", item["question"])
        end = f"We add them: {first} + {more} = {answer}. {end}"
    said = f"```python\n{answer}\n```" if kind.kind == "code" else answer
    if kind.kind in ("code", "free_text"):
        end = ""
    context, reasoning = phrases.sentences(draw, CONTEXT), phrases.sentences(draw, REASONING)
    return f"## Context\n{context}\n\n## Reasoning\n{reasoning} {end}\n\n## Answer\n{said}"
