"""Decontamination with a judge, from recorded verdicts of a strong model.

    python scripts/bench/decontaminate_judged.py --ask FOLDER       writes the pairs as files for readers
    python scripts/bench/decontaminate_judged.py --record FOLDER    stores the verdicts in data/verdicts.jsonl
    python scripts/bench/decontaminate_judged.py                    recall and false positives with these verdicts

The samples are those that `decontaminate.py` reports on: hand-written rewordings and neighbours, rewordings by rule,
and honest training rows of the half that was not used for fitting. Each pair is judged in both orders, with the prompts
of `curate/decontaminate/judged.py`. Readers see neither the source nor the label of a sample, and the prompts are
shuffled, so the two orders of a pair are rarely in one file. A changed prompt or index needs new verdicts: pairs
without a verdict count as not judged, and their number is printed.
"""

import argparse
import json
import random
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import decontaminate as bench_of
import numpy as np

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.find import build_index, open_index
from nemo_sdg.curate.decontaminate.judged import JudgedPair, read_verdict
from nemo_sdg.records import content_id
from nemo_sdg.storage import read_jsonl, write_jsonl

VERDICTS = Path(__file__).parent / "data" / "verdicts.jsonl"
SIZE = {"tasks": bench_of.QUICK_TASKS, "evaluation": 250, "honest": 250, "planted": 0, "reworded": 20}
PER_FILE = 60
READER = """\
# What to do

Each file `ask-NNN.md` holds numbered prompts. Answer every prompt by itself, by what it says alone, with one word: yes
or no. Do not compare prompts with each other, and do not look at other files of this folder. Write `verdicts-NNN.tsv`
beside the file: one line a prompt, its id, a tab, and the word. Then run `python check.py NNN`.
"""
CHECKER = '''\
"""Whether each prompt of a file has one verdict: python check.py 003"""
import pathlib, re, sys
here = pathlib.Path(__file__).parent
for number in sys.argv[1:] or sorted(path.stem[4:] for path in here.glob("ask-*.md")):
    asked = re.findall(r"^## ([0-9a-f]+)$", (here / f"ask-{number}.md").read_text(), re.M)
    path = here / f"verdicts-{number}.tsv"
    rows = [line.split("\\t") for line in path.read_text().splitlines()] if path.exists() else []
    said = {row[0]: row[1].strip().lower() for row in rows if len(row) == 2}
    wrong = [key for key in asked if said.get(key) not in ("yes", "no")]
    complete = not wrong and len(said) == len(asked)
    print(number, "complete" if complete else f"{len(wrong)} missing or unclear: {wrong[:5]}")
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ask", type=Path)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--hub", type=Path, default=bench_of.HUB)
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments.record)
        return
    bench_of.SIZES["judged"] = SIZE
    bench = bench_of.Bench(arguments.hub, "judged")
    sets = drawn(bench)
    asked: dict[str, str] = {}
    known = {} if arguments.ask else {row["key"]: row["same"] for row in read_jsonl(VERDICTS)}
    judged = Recorded(known, asked)
    with tempfile.TemporaryDirectory() as folder:
        write_jsonl(Path(folder) / "evaluation.jsonl", bench.evaluation)
        build_index([Path(folder) / "evaluation.jsonl"], Path(folder) / "index", CurateSection())
        index = open_index(Path(folder) / "index", judged)
        found = {name: [finding is not None for finding in index.find_batch(samples)] for name, samples in sets.items()}
    if arguments.ask:
        ask(arguments.ask, asked)
        return
    for name, hits in found.items():
        bench_of.show(f"judged_{name}", float(np.mean(hits)), "share", rows=len(hits))
    bench_of.show("judged_unknown_prompts", judged.num_unknown, "prompts", known=len(known))


class Recorded:
    """A judge that returns the recorded verdicts, and notes the pairs that it gets."""

    def __init__(self, known: dict[str, bool | None], asked: dict[str, str]) -> None:
        self.known, self.asked, self.num_unknown = known, asked, 0

    def __call__(self, pairs: list[JudgedPair]) -> list[bool | None]:
        verdicts = []
        for pair in pairs:
            keys = [content_id(prompt)[:16] for prompt in pair.prompts()]
            self.asked.update(zip(keys, pair.prompts(), strict=True))
            said = [self.known.get(key) for key in keys]
            self.num_unknown += sum(key not in self.known for key in keys)
            verdicts.append(False if False in said else None if None in said else True)
        return verdicts


def drawn(bench: Any) -> dict[str, list[dict[str, Any]]]:
    half, written = bench_of.HELD_OUT, bench.paraphrases(bench_of.HELD_OUT)
    sets = {
        f"written_{form}": [sample for row, sample in written if bench_of.form_of(row, sample) == form]
        for form in bench_of.FORMS
    }
    sets["reworded"] = [sample for _, sample in bench.rewordings(half)]
    sets["neighbours"] = bench.neighbours(half)
    sets["false_alarms"] = bench.others(half)
    return sets


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
    rows = []
    for path in sorted(folder.glob("verdicts-*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            key, _, word = line.partition("\t")
            if not re.fullmatch(r"[0-9a-f]{16}", key):
                print(f"{path.name}: {line!r} is no verdict", file=sys.stderr)
                continue
            rows.append({"key": key, "same": read_verdict(word)})
    write_jsonl(VERDICTS, rows)
    print(json.dumps({"verdicts": len(rows), "yes": sum(row["same"] is True for row in rows)}))


if __name__ == "__main__":
    main()
