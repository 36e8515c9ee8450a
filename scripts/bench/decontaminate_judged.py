"""Decontamination with a judge, from recorded replies of a strong model.

    python scripts/bench/decontaminate_judged.py --ask FOLDER       writes the prompts without a reply for readers
    python scripts/bench/decontaminate_judged.py --record FOLDER    adds the replies to data/verdicts.jsonl
    python scripts/bench/decontaminate_judged.py --read FOLDER      writes hits on honest rows for two further readers
    python scripts/bench/decontaminate_judged.py --repeats FOLDER   adds what both call repeats to data/true_repeats.txt
    python scripts/bench/decontaminate_judged.py                    recall and false positives with these replies

The samples are those that `decontaminate.py` reports on: hand-written rewordings and neighbours, rewordings by rule,
and honest training rows of the half that was not used for fitting. The prompts are those of
`curate/decontaminate/judged.py`. Readers see neither the source nor the label of a sample, and the prompts are
shuffled, so the two orders of a pair are rarely in one file. LISTED_HONEST honest rows, drawn by a hash of their
question, are shown with their list of near rows; of the others only likely rows are shown. `judged_false_alarms` is of
those that got both, `judged_likely_false_alarms` of all. A changed prompt or index needs new replies: prompts without
one count as not answered, and their number is printed.

A row that a list names is then shown as a pair, so `--ask` may have to be repeated after `--record`. To save that, it
also writes the pairs of rewordings that no likely row is found for with their own row, and as many pairs of honest rows
and neighbours with a row of their lists.
"""

import argparse
import asyncio
import hashlib
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import decontaminate as bench_of
import numpy as np

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.by_words import terms
from nemo_sdg.curate.decontaminate.evaluation_index import describe
from nemo_sdg.curate.decontaminate.find import build_index, open_index
from nemo_sdg.curate.decontaminate.judged import JudgedPair, Said, Shown, as_text, look, read_named, read_verdict
from nemo_sdg.records import content_id
from nemo_sdg.storage import read_jsonl, write_jsonl
from nemo_sdg.text.normalize import jaccard, tokens

VERDICTS = Path(__file__).parent / "data" / "verdicts.jsonl"
SIZE = {"tasks": bench_of.QUICK_TASKS, "evaluation": 250, "honest": 250, "planted": 0, "reworded": 20}
Row = dict[str, Any]
HONEST, ALL_HONEST = "false_alarms", "likely_false_alarms"
PER_FILE, PER_READ = 60, 30
FOILS = 40
"""pairs of which the judge said no, among its hits on honest rows for two further readers"""
LISTED_HONEST = 580
"""honest rows whose lists are shown to readers"""
READER = """\
# What to do

Each file `ask-NNN.md` holds prompts, each under a line `## id`. Answer every prompt by itself, by what it says alone,
as it asks at its end: with one word (yes or no), or with numbers separated by commas or the word none. Do not compare
prompts with each other, and do not look at other files of this folder. Write `verdicts-NNN.tsv` beside the file: one
line a prompt, its id, a tab, and the reply. Then run `python check.py NNN`.
"""
REPEATS_READER = """\
# What to do

Each file `ask-NNN.md` holds pairs of exam questions, A and B, each pair under a line `## id`. For every pair by itself:
are A and B the same question in other words, that is, would knowing the answer to A give the answer to B? Write
`read-NNN-X.tsv` beside the file, X being your letter (a or b): one line a pair, its id, a tab, yes or no, a tab, and
why, in about five words. Do not look at what another reader wrote.
"""
CHECKER = '''\
"""Whether each prompt of a file has one reply of the form that it asks for: python check.py 003"""
import pathlib, re, sys
here, NUMBERS = pathlib.Path(__file__).parent, r"none|\\d+( *, *\\d+)*"
for number in sys.argv[1:] or sorted(path.stem[4:] for path in here.glob("ask-*.md")):
    parts = re.split(r"^## ([0-9a-f]{16})$", (here / f"ask-{number}.md").read_text(), flags=re.M)[1:]
    asked = dict(zip(parts[::2], parts[1::2]))
    path = here / f"verdicts-{number}.tsv"
    rows = [line.split("\\t") for line in path.read_text().splitlines()] if path.exists() else []
    said = {row[0]: row[1].strip().lower() for row in rows if len(row) == 2}
    form = {key: "yes|no" if "yes (the same) or no" in text else NUMBERS for key, text in asked.items()}
    wrong = [key for key in asked if not re.fullmatch(form[key], said.get(key, ""))]
    complete = not wrong and len(said) == len(asked)
    print(number, "complete" if complete else f"{len(wrong)} missing or unclear: {wrong[:5]}")
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("ask", "record", "read", "repeats"):
        parser.add_argument(f"--{name}", type=Path, metavar="FOLDER")
    parser.add_argument("--hub", type=Path, default=bench_of.HUB)
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments.record)
        return
    if arguments.repeats:
        add_repeats(arguments.repeats)
        return
    bench_of.SIZES["judged"] = SIZE
    bench = bench_of.Bench(arguments.hub, "judged")
    sets = drawn(bench)
    samples = [sample for name in ("written", "reworded", "neighbours", ALL_HONEST) for sample in sets[name]]
    unlisted = {row["question"] for row in sets[ALL_HONEST]} - {row["question"] for row in sets[HONEST]}
    judged = Recorded(read_known(), unlisted=unlisted)
    with tempfile.TemporaryDirectory() as folder:
        write_jsonl(Path(folder) / "evaluation.jsonl", bench.evaluation)
        build_index([Path(folder) / "evaluation.jsonl"], Path(folder) / "index", CurateSection())
        index = open_index(Path(folder) / "index", judged)
        findings = zip(samples, index.find_batch(samples), strict=True)
    evaluation = {describe(row): row for row in bench.evaluation}
    hits = {id(sample): evaluation[finding.detail] for sample, finding in findings if finding is not None}
    if arguments.ask:
        ask(arguments.ask, judged.unknown | ahead(bench, judged))
    elif arguments.read:
        write_repeats(arguments.read, sets[ALL_HONEST], hits, judged)
    else:
        measure(sets, hits, judged)


def measure(sets: dict[str, list[Row]], hits: dict[int, Row], judged: "Recorded") -> None:
    """`hits`: the evaluation row that a sample was found to repeat, by the sample's id()."""
    repeats = bench_of.read_repeats()
    for name, samples in sets.items():
        found = [sample for sample in samples if id(sample) in hits]
        bench_of.show(f"judged_{name}", len(found) / len(samples), "share", rows=len(samples))
        if name in (HONEST, ALL_HONEST):
            wrong = [row for row in found if not bench_of.true_repeat(row["question"], hits[id(row)], repeats)]
            more = {"rows": len(samples), "true_repeats": len(found) - len(wrong)}
            bench_of.show(f"judged_{name}_read", len(wrong) / len(samples), "share", **more)
    asked = [judged.requests[row["question"]] for row in sets[HONEST]]
    bench_of.show("judged_requests_per_honest_row", float(np.mean(asked)), "requests", rows=len(asked))
    bench_of.show("judged_list_characters", float(np.mean(judged.lists)), "characters", rows=len(judged.lists))
    bench_of.show("judged_unknown_prompts", len(judged.unknown), "prompts", known=len(judged.known))


class Recorded:
    """A judge that gives the recorded replies, and notes the prompts without one."""

    def __init__(self, known: dict[str, Any], *, unlisted: set[str]) -> None:
        self.known = known
        self.unlisted = unlisted
        """questions of samples whose lists are shown to no reader"""
        self.unknown: dict[str, str] = {}
        self.seen: list[tuple[Shown, Said]] = []
        self.requests: Counter[str] = Counter()
        """by question"""
        self.lists: list[int] = []
        """lengths of list prompts, in characters"""

    def __call__(self, samples: list[Shown]) -> list[Said]:
        said = [asyncio.run(look(shown, self.same, self.named)) for shown in samples]
        self.seen += zip(samples, said, strict=True)
        return said

    async def same(self, pair: JudgedPair) -> bool | None:
        said = [self.of(prompt) for prompt in pair.prompts()]
        self.requests[pair.sample["question"]] += 1 if said[0] is False else 2
        return False if False in said else None if None in said else True

    async def named(self, shown: Shown) -> list[int]:
        if shown.sample["question"] in self.unlisted:
            return []
        prompt = shown.list_prompt()
        self.requests[shown.sample["question"]] += 1
        self.lists.append(len(prompt))
        return self.of(prompt) or []

    def of(self, prompt: str) -> Any:
        key = key_of(prompt)
        if key not in self.known:
            self.unknown[key] = prompt
        return self.known.get(key)


def key_of(prompt: str) -> str:
    return content_id(prompt)[:16]


def read_known() -> dict[str, Any]:
    return {row["key"]: row["named"] if "named" in row else row["same"] for row in read_jsonl(VERDICTS)}


def drawn(bench: Any) -> dict[str, list[Row]]:
    half, written = bench_of.HELD_OUT, bench.paraphrases(bench_of.HELD_OUT)
    sets = {
        f"written_{form}": [sample for row, sample in written if bench_of.form_of(row, sample) == form]
        for form in bench_of.FORMS
    }
    sets["written"] = [sample for _, sample in written]
    sets["reworded"] = [sample for _, sample in bench.rewordings(half)]
    sets["neighbours"] = bench.neighbours(half)
    sets[ALL_HONEST] = bench.others(half)
    by_hash = sorted(sets[ALL_HONEST], key=lambda row: hashlib.blake2b(row["question"].encode()).hexdigest())
    sets[HONEST] = by_hash[:LISTED_HONEST]
    return sets


def ahead(bench: Any, judged: Recorded) -> dict[str, str]:
    """Prompts of pairs without a reply that lists are expected to name: those of rewordings and their own rows, and as
    many others of samples that reword nothing.
    """
    written = bench.paraphrases(bench_of.HELD_OUT)
    own = {sample["question"]: row for row, sample in written + bench.rewordings(bench_of.HELD_OUT)}
    pairs: list[JudgedPair] = []
    others: list[JudgedPair] = []
    for shown, said in judged.seen:
        row = own.get(shown.sample["question"])
        asked = shown.sample["question"]
        if asked in judged.unlisted or True in said.values() or not shown.near:
            continue
        if row is not None:
            here = [one for one in shown.near if one["question"] == row["question"] and one["answer"] == row["answer"]]
            pairs += [JudgedPair(sample=shown.sample, row=one) for one in here]
        else:
            words = terms(tokens(asked))
            nearest = max(shown.near, key=lambda one: jaccard(words, terms(tokens(one["question"]))))
            others.append(JudgedPair(sample=shown.sample, row=nearest))
    pairs = [pair for pair in pairs if any(key_of(prompt) not in judged.known for prompt in pair.prompts())]
    some = random.Random("ahead").sample(others, min(len(pairs), len(others)))
    return {
        key_of(prompt): prompt
        for pair in pairs + some
        for prompt in pair.prompts()
        if key_of(prompt) not in judged.known
    }


def ask(folder: Path, asked: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    keys = random.Random("verdicts").sample(sorted(asked), len(asked))
    for number, begin in enumerate(range(0, len(keys), PER_FILE)):
        parts = [f"## {key}\n\n{asked[key]}\n" for key in keys[begin : begin + PER_FILE]]
        (folder / f"ask-{number:03d}.md").write_text("\n".join(parts), encoding="utf-8")
    (folder / "READER.md").write_text(READER)
    (folder / "check.py").write_text(CHECKER)
    print(json.dumps({"prompts": len(keys), "files": -(-len(keys) // PER_FILE)}))


def record(folder: Path) -> None:
    """Adds the replies to the stored ones. A reply's form tells what was asked: yes or no of a pair, else numbers."""
    rows = {row["key"]: row for row in read_jsonl(VERDICTS)}
    num = len(rows)
    for path in sorted(folder.glob("verdicts-*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            key, _, words = line.partition("\t")
            same, named = read_verdict(words), read_named(words, CurateSection.judged_rows)
            if not re.fullmatch(r"[0-9a-f]{16}", key) or (same is None and named is None):
                print(f"{path.name}: {line!r} is no reply", file=sys.stderr)
            elif same is not None:
                rows[key] = {"key": key, "same": same}
            else:
                rows[key] = {"key": key, "named": named}
    write_jsonl(VERDICTS, rows.values())
    print(json.dumps({"replies": len(rows), "new": len(rows) - num}))


def write_repeats(folder: Path, honest: list[Row], hits: dict[int, Row], judged: Recorded) -> None:
    """Writes hits on honest rows, and FOILS pairs of which the judge said no, for two readers."""
    taken = [row for row in honest if id(row) in hits]
    others = {row["question"] for row in honest} - {row["question"] for row in taken}
    refused = {
        shown.sample["question"]: shown.pair(min(said))
        for shown, said in judged.seen
        if shown.sample["question"] in others and said and said[min(said)] is False
    }
    foils = [refused[name] for name in random.Random("foils").sample(sorted(refused), min(FOILS, len(refused)))]
    pairs = {bench_of.digest(row["question"], hits[id(row)]): (row, hits[id(row)]) for row in taken}
    pairs |= {bench_of.digest(pair.sample["question"], pair.row): (pair.sample, pair.row) for pair in foils}
    folder.mkdir(parents=True, exist_ok=True)
    keys = random.Random("repeats").sample(sorted(pairs), len(pairs))
    for number, begin in enumerate(range(0, len(keys), PER_READ)):
        parts = [
            f"## {key}\n\nA:\n{as_text(pairs[key][0])}\n\nB:\n{as_text(pairs[key][1])}\n"
            for key in keys[begin : begin + PER_READ]
        ]
        (folder / f"ask-{number:03d}.md").write_text("\n".join(parts), encoding="utf-8")
    (folder / "READER.md").write_text(REPEATS_READER)
    print(json.dumps({"pairs": len(keys), "hits": len(taken), "files": -(-len(keys) // PER_READ)}))


def add_repeats(folder: Path) -> None:
    """Adds the pairs that both readers found to be one question to data/true_repeats.txt."""
    said: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("read-*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            key, word, *_ = [part.strip().lower() for part in line.split("\t")] + [""]
            said[key].append(word)
    agreed = {key for key, words in said.items() if words == ["yes", "yes"]}
    new = sorted(agreed - bench_of.read_repeats())
    with open(bench_of.REPEATS, "a", encoding="utf-8") as handle:
        handle.writelines(f"{key}\n" for key in new)
    counts = {"differ": sum(len(set(words)) > 1 for words in said.values())}
    counts["not_twice"] = sum(len(words) != 2 for words in said.values())
    print(json.dumps({"read": len(said), "both_yes": len(agreed), "new": len(new), **counts}))


if __name__ == "__main__":
    main()
