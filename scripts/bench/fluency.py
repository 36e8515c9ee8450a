"""How well the embedded model separates word salad from questions: how many real questions, how many with shuffled
words and how many with replaced nouns and verbs the report marks as salad and the filter drops.

    python scripts/bench/fluency.py [--quick] [--hub DIR]

Needs real rows (NEMO_SDG_TEST_HUB). The thresholds were chosen on the tasks in `chosen`; `held` has other tasks.
Prints one JSON object per line; takes about 10 minutes on one core, a third of that with --quick.
"""

import argparse
import json
import os
import random
import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
TASKS = {
    "chosen": {
        "allenai/sciq/default": "question",
        "openai/gsm8k/main": "question",
        "tau/commonsense_qa/default": "question",
        "allenai/winogrande/winogrande_xl": "sentence",
        "GBaker/MedQA-USMLE-4-options-hf/default": "sent1",
    },
    "held": {
        "allenai/ai2_arc/ARC-Challenge": "question",
        "allenai/openbookqa/main": "question_stem",
        "EleutherAI/hendrycks_math/algebra": "problem",
        "EleutherAI/headqa/en": "qtext",
        "google-research-datasets/mbpp/full": "text",
    },
}
SHORT = {
    "a", "an", "the", "of", "in", "on", "to", "for", "and", "or", "is", "are", "was", "were", "be", "been", "with",
    "by", "as", "at", "from", "that", "this", "these", "those", "which", "what", "who", "how", "why", "when",
    "where", "many", "much", "does", "do", "did", "has", "have", "had", "its", "she", "they", "than", "then",
    "not", "can", "will", "would", "could", "should", "into", "out", "over", "under", "between",
}  # fmt: skip


def main() -> None:
    from nemo_sdg.curate.filters.view import View
    from nemo_sdg.curate.filters.wording.fluency import fluency as drops
    from nemo_sdg.curate.fluency import FluencyModel
    from nemo_sdg.export.report.quality import SALAD

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5 questions a task in place of 14")
    parser.add_argument(
        "--hub", type=Path, default=Path(os.environ.get("NEMO_SDG_TEST_HUB", ROOT.parent / "shared/hub"))
    )
    arguments = parser.parse_args()
    model, draw = FluencyModel(), random.Random(1)
    for part, tasks in TASKS.items():
        asked = {name: questions(arguments.hub / name / "train.jsonl", field) for name, field in tasks.items()}
        words = sorted({word for texts in asked.values() for text in texts for word in re.findall("[a-z]{4,}", text)})
        words = [word for word in words if word not in SHORT]

        def replaced(text: str, words: list[str] = words) -> str:
            return re.sub("[A-Za-z]{4,}", lambda m: m[0] if m[0].lower() in SHORT else draw.choice(words), text)

        kinds: dict[str, Callable[[str], str]] = {
            "real": str,
            "shuffled": lambda t: shuffled(t, draw),
            "replaced": replaced,
        }
        flagged, dropped, num = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0), 0
        for texts in asked.values():
            some = draw.sample(texts, 5 if arguments.quick else 14)
            num += len(some)
            typical = statistics.median(model.losses(some))
            for kind, change in kinds.items():
                for text in map(change, some):
                    flagged[kind] += model.loss(text) > typical + SALAD
                    dropped[kind] += drops(View({"question": text, "language": "en", "origin": "similar"})) is not None
        for kind in kinds:
            for name, counts in (("called_salad", flagged), ("dropped", dropped)):
                print(
                    json.dumps({"name": f"{name}_{kind}_{part}", "value": counts[kind], "unit": "questions", "of": num})
                )


def questions(path: Path, field: str) -> list[str]:
    rows = (json.loads(line)[field] for line in path.read_text(encoding="utf-8").split("\n") if line)
    return [text for text in rows if len(text.split()) >= 8]


def shuffled(text: str, draw: random.Random) -> str:
    words = text.split()
    draw.shuffle(words)
    return " ".join(words)


if __name__ == "__main__":
    main()
