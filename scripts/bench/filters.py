"""Shares of labelled samples and of real training rows that the filters keep and drop.

    python scripts/bench/filters.py [--quick] [--seeds FOLDER] [--verbose]

Good and bad samples are those of `shared/cases/filters` beside the checkout (or in NEMO_SDG_TEST_CASES) and the
project's. `developed` was read while the filters were written. `read` are sets by people who had not seen the filters,
later used for development in three parts: before it was read, 0.571 of the bad and 0.986 of the good samples of the
second part were judged rightly, of the third (ids from b5_ and g5_ on) 0.571 and 0.918. `varied` are variations of what
the second part had missed, in other languages and subjects, written before development on it: 0.242 of its bad samples
were caught then. `unseen` is the other half of the third part's set, not used for development: its rows are never
printed, and without its files it is left out. `read_latest` and `unseen_latest` are the halves of a fourth set by such
a writer: before development on the first half, 0.674 of its bad and 0.965 of its good samples were judged rightly, of
the second half 0.638 and 0.952, whose rows are never printed either. After it, 0.628 and 0.984 of the second half were:
development caught no more of what it had not read. `read_8` is a further set by a writer who had not seen the filters:
before it was read, 0.676 of its bad and 0.696 of its good samples were judged rightly. `unseen_8`, in the manner of the
shared samples by another such writer, is not used for development and never printed: before development on `read_8`,
0.833 of its bad and 0.875 of its good samples were judged rightly. `read_10` is a set by a further such
writer, read in two halves: before development on the first half, 0.756 of its bad and 0.911 of its good samples were
judged rightly, of the second half 0.800 and 0.844; after it, when the second half was read, 0.844 and 0.844.
`--verbose` prints the other rows that are judged wrongly.
Seeds are read from the hub mirror (NEMO_SDG_TEST_HUB) by the pipeline, or from a folder with its shards.

A bad sample is caught if any filter drops it. A filter's precision is the share of bad samples among all labelled
samples that it drops alone; its recall is over the bad samples whose label names its fault (CLASSES).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.registry import apply_filters, load_filters
from nemo_sdg.curate.filters.view import View

ROOT = Path(__file__).resolve().parents[2]
OWN = Path(__file__).with_name("data") / "filters"
SHARED = Path(os.environ.get("NEMO_SDG_TEST_CASES", ROOT.parent / "shared" / "cases")) / "filters"
HUB = Path(os.environ.get("NEMO_SDG_TEST_HUB", ROOT.parent / "shared" / "hub"))

SEED_TASKS = [
    "anli_r3",
    "arc_challenge",
    "arc_easy",
    "boolq",
    "cb",
    "commonsense_qa",
    "copa",
    "gsm8k",
    "headqa_en",
    "hendrycks_math_algebra",
    "ja_leaderboard_jcommonsenseqa",
    "mbpp",
    "medqa_4options",
    "mgsm_direct_de",
    "mgsm_direct_en",
    "mgsm_direct_es",
    "mgsm_direct_sw",
    "mgsm_direct_zh",
    "multirc",
    "openbookqa",
    "pubmedqa",
    "sciq",
    "sglue_rte",
    "wic",
    "winogrande",
]
READ = ("developed", "read", "varied", "read_latest", "read_8", "read_10")
UNSEEN = ("unseen", "unseen_latest", "unseen_8")
SEEDS_PER_TASK, SEEDS_PER_TASK_QUICK = 450, 40

CLASSES = {
    "schema": (
        "answer not in options",
        "label names",
        "option twice",
        "only one option",
        "empty answer",
        "numeric answer",
    ),
    "code_parses": ("code does not parse", "code answer"),
    "code_tests": ("tests ", "function name"),
    "latex_balance": ("broken latex",),
    "mojibake": ("mojibake",),
    "repetition": ("repetition", "repeated sentences"),
    "language": ("in another language", "other language", "wrong language", "mixed languages", "language switches"),
    "personal_data": ("personal data",),
    "refusal": ("refusal in", "refusal"),
    "dodge": ("unable to determine", "dodge"),
    "assistant_chatter": ("assistant chatter",),
    "prompt_leak": ("prompt leak", "tag residue", "json residue", "broken json", "meta comment", "talk about"),
    "residue": ("html residue", "markdown"),
    "placeholder": ("placeholder", "degenerate reasoning"),
    "advertising": ("spam",),
    "self_doubt": ("self-doubt",),
    "cut_off": ("cut mid-sentence", "cut off", "truncated question"),
    "no_question": ("no question asked", "without a question"),
    "empty_solution": ("only repeats", "reasoning is the answer", "degenerate answer"),
    "options_distinct": ("options duplicate", "options overlap", "two options are both"),
    "reasoning_off_topic": ("reasoning solves a different",),
    "answer_of_another_kind": ("answer does not fit the type",),
    "answer_in_question": ("question answers itself",),
    "missing_material": ("missing ",),
    "reasoning_end": ("differs", "concludes another", "letter names", "contradicts", "sign error"),
    "unit_missing": ("unit missing",),
    "wrong_quantity": ("unit missing or wrong",),
    "wrong_arithmetic": ("wrong arithmetic",),
    "word_salad": ("word salad",),
    "all_of_the_above": ("all of the above",),
    "context_gives_answer": ("context gives", "context paraphrases"),
    "context_off_topic": ("context of another subject", "context off topic", "context about something else"),
}
"""filter -> starts or parts of the labels of bad samples that it should find"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer seeds, and the unseen sets are left out")
    parser.add_argument(
        "--seeds", type=Path, help="folder of seed shards; without it they are read from the hub's mirror"
    )
    parser.add_argument("--verbose", action="store_true", help="also print what is judged wrongly, of what may be seen")
    arguments = parser.parse_args()
    config = CurateSection()
    good, bad = _labelled("good", arguments.quick), _labelled("bad", arguments.quick)
    for name, samples in good.items():
        _print_share(f"kept_good_{name}", [apply_filters(sample, config) is None for sample in samples])
    for name, samples in bad.items():
        _print_share(f"caught_bad_{name}", [apply_filters(sample, config) is not None for sample in samples])
    if arguments.verbose:
        _print_wrong({n: s for n, s in good.items() if n in ("shared", *READ)}, config, keep=True)
        _print_wrong({n: s for n, s in bad.items() if n in ("shared", *READ)}, config, keep=False)
    _print_by_filter(good, bad, config)
    _measure_seeds(arguments, config)


def _labelled(which: str, quick: bool) -> dict[str, list[dict[str, Any]]]:
    """Samples by set: shared and the unseen ones (if they exist), READ, and own = all but the shared ones."""
    found = {}
    if (SHARED / f"{which}.jsonl").exists():
        found["shared"] = _read(SHARED / f"{which}.jsonl")
    for name in READ:
        found[name] = _read(OWN / f"{which}_{name}.jsonl")
    for name in () if quick else UNSEEN:
        if (OWN / f"{which}_{name}.jsonl").exists():
            found[name] = _read(OWN / f"{which}_{name}.jsonl")
    found["own"] = [sample for name, samples in found.items() if name != "shared" for sample in samples]
    return found


def _read(path: Path) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _print(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}), flush=True)


def _print_share(name: str, right: list[bool], **more: Any) -> None:
    if right:
        _print(name, round(sum(right) / len(right), 4), "share", samples=len(right), **more)


def _print_wrong(sets: dict[str, list[dict[str, Any]]], config: CurateSection, *, keep: bool) -> None:
    for samples in sets.values():
        for sample in samples:
            finding = apply_filters(sample, config)
            if (finding is None) != keep:
                label = sample.get("want") or sample.get("cat")
                print(
                    f"# {sample['sample_id']} {sample['kind']} {sample['language']} {label}: {finding}", file=sys.stderr
                )


def _print_by_filter(
    good: dict[str, list[dict[str, Any]]], bad: dict[str, list[dict[str, Any]]], config: CurateSection
) -> None:
    """Precision and recall of each filter alone, after schema."""
    checks = load_filters(config)
    schema = checks[0][1]
    views = {
        which: [View(sample) for name, samples in sets.items() if name != "own" for sample in samples]
        for which, sets in (("good", good), ("bad", bad))
    }
    for name, check in checks:
        hits = {
            which: [(name == "schema" and schema(view) is not None) or _asked(schema, check, view) for view in seen]
            for which, seen in views.items()
        }
        num_bad, num_good = sum(hits["bad"]), sum(hits["good"])
        wanted = [hit for hit, view in zip(hits["bad"], views["bad"], strict=True) if _names(view, name)]
        _print(
            f"precision_{name}",
            round(num_bad / (num_bad + num_good), 4) if num_bad + num_good else 1.0,
            "share",
            recall=round(sum(wanted) / len(wanted), 4) if wanted else None,
            bad_dropped=num_bad,
            good_dropped=num_good,
            bad_of_its_kind=len(wanted),
        )


def _asked(schema: Any, check: Any, view: View) -> bool:
    return schema(view) is None and check(view) is not None


def _names(view: View, name: str) -> bool:
    label = str(view.sample.get("want", "")).lower()
    return any(part in label for part in CLASSES.get(name, ()))


def _measure_seeds(arguments: argparse.Namespace, config: CurateSection) -> None:
    config = CurateSection(filters={"length": {"min_reasoning": 0}})
    with tempfile.TemporaryDirectory() as folder:
        shards = arguments.seeds or _read_seeds(
            Path(folder), SEEDS_PER_TASK_QUICK if arguments.quick else SEEDS_PER_TASK
        )
        if shards is None:
            print(f"# no seeds: {HUB} is not there", file=sys.stderr)
            return
        samples = list(_as_samples(Path(shards)))
    apply_filters(samples[0], config)  # loads the phrases and the language identifier
    start, start_cpu = time.perf_counter(), time.process_time()
    findings = [apply_filters(sample, config) for sample in samples]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    if arguments.verbose:
        for sample, finding in zip(samples, findings, strict=True):
            if finding is not None:
                print(f"# {sample['task']} {finding}: {sample['question'][-200:]!r}", file=sys.stderr)
    reasons = Counter(finding[0] for finding in findings if finding is not None)
    _print_share("kept_good_seeds", [finding is None for finding in findings], dropped=dict(reasons.most_common()))
    _print("filters_samples_per_s", round(len(samples) / seconds), "samples/s")
    _print("filters_samples_per_cpu_s", round(len(samples) / cpu_seconds), "samples/CPU s")


def _read_seeds(folder: Path, per_task: int) -> Path | None:
    """The seeds that the pipeline makes from the mirror's training rows."""
    if not HUB.exists():
        return None
    command = [sys.executable, "-m", "nemo_sdg", "run", str(ROOT / "configs" / "quickstart.yaml")]
    overrides = [
        f"run.dir={folder}",
        f"seeds.mirror={HUB}",
        "seeds.include_path=[]",
        f"seeds.tasks=[{','.join(SEED_TASKS)}]",
        f"seeds.limit_per_task={per_task}",
    ]
    subprocess.run([*command, *overrides, "--until", "seeds"], check=True, stdout=sys.stderr, cwd=ROOT)
    return folder / "seeds"


def _as_samples(shards: Path) -> Iterator[dict[str, Any]]:
    """Each seed as a sample: its question and answer, with its rationale as reasoning."""
    for shard in sorted(shards.glob("shard-*.jsonl")):
        for seed in _read(shard):
            yield {
                **seed,
                "sample_id": seed["seed_id"],
                "seed_ids": [seed["seed_id"]],
                "origin": "similar",
                "reasoning": seed.get("reference_reasoning") or "",
                "context": None,
            }


if __name__ == "__main__":
    main()
