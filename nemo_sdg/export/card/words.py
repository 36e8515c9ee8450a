"""Fixed words of the dataset card, and the names that the hub knows."""

SHOWN_DATASETS = 20
"""unreachable datasets named in the card; unreachable.json has them all"""
SIZES = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
]
TASK_CATEGORIES = {
    "multiple_choice": ["multiple-choice", "question-answering"],
    "numeric": ["question-answering"],
    "short_text": ["question-answering"],
    "free_text": ["question-answering", "text-generation"],
    "code": ["text-generation"],
}
HUB_LICENSES = {
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0",
    "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "cc-by-nd-4.0", "odc-by", "odbl", "gpl-3.0", "lgpl-3.0", "mpl-2.0",
    "afl-3.0", "unlicense", "unknown",
}  # fmt: skip
"""the hub's own names, which are SPDX in lower case; other licences are `other` there"""
ORIGIN_WORDS = {"similar": "new questions", "seed": "questions of the training rows"}
BUDGET_WORDS = {
    "tokens": "every variant trains on equally many tokens",
    "samples": "every variant passes over its samples equally often",
}
VARIANT_WORDS = {
    "context": "relevant knowledge written into the text",
    "no_context": "the reasoning and the answer, without that knowledge",
    "answer_only": "the answer alone",
    "trace": "the model's own thinking before the reasoning",
}


COLUMNS = {
    "uuid": "id of the sample, which leads back to its seeds",
    "text": "the training text as it was packed",
    "license": "SPDX ids that bind this text: of its seeds and of the models that wrote it",
    "task": "the lm-eval task whose training row was the seed",
    "family": "subject of the task; the mixture is over families",
    "kind": "form of the answer: multiple_choice, numeric, short_text, free_text or code",
    "language": "ISO 639 code",
    "origin": "similar: a model wrote the question; seed: it is the training row's own",
    "model": "the model that wrote the kept solution",
    "models_used": "all models whose text the sample holds",
}
MAX_SAMPLE = 2000
"""characters of the sample that is shown"""
