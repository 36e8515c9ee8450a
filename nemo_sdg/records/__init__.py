"""The records that steps read and write: dataclasses in memory, JSON Lines on disk.

A seed, as in seeds/shard-00000.jsonl (shortened):

    {"seed_id": "5c0e…", "task": "sciq", "tasks": ["sciq"], "family": "science", "capability": "knowledge",
     "kind": "multiple_choice", "frame": "selection", "language": "en",
     "dataset": {"path": "allenai/sciq", "name": null, "split": "train", "revision": "local", "row": 17},
     "license": "CC-BY-NC-3.0", "question": "What gas do plants take in?", "passage": null,
     "choices": ["oxygen", "carbon dioxide"], "answer": {"text": "carbon dioxide", "label": "B", "aliases": []}, …}

Packages exchange these records, and do not import each other.
"""

from nemo_sdg.records.plain import drop_sample, from_dict, json_line, sample_from_dict, seed_from_dict, to_dict
from nemo_sdg.records.rows import (
    LABELS,
    Answer,
    CatalogRow,
    DatasetRow,
    Drop,
    EvaluationRow,
    Frame,
    Kind,
    Origin,
    Seed,
    Verdict,
    content_id,
)
from nemo_sdg.records.samples import (
    Axes,
    Generator,
    Grade,
    Judgement,
    ModelUse,
    Sample,
    SampleLicense,
    Usage,
    Verification,
    Vote,
    VoteCounts,
)
from nemo_sdg.records.visible import visible, visible_json
