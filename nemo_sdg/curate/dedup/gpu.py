"""Candidates of near-duplicates from NeMo Curator's GPU workflow (cuDF), in the place of signatures and bands on the
CPU.

Everything before and after stays: what is compared, the exact check of every candidate, who survives, the table. So
precision is that of the CPU path; recall is that of the same number of bands and rows, except that Curator pairs the
questions of a bucket in a chain.
"""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup.arrays import load_array, pack_pairs, save_arrays
from nemo_sdg.curate.dedup.shingles import WIDTH, choose_bands
from nemo_sdg.curate.dedup.signatures import SignedCorpus
from nemo_sdg.errors import MissingDependencyError

EDGES = "BucketsToEdgesStage"
"""Curator's folder of candidate pairs, one Parquet column for each end"""
BATCH = 10_000


def workflow_arguments(folder: Path, config: CurateSection) -> dict[str, Any]:
    """Arguments of FuzzyDeduplicationWorkflow that stand for our config."""
    bands, rows = choose_bands(config.near_duplicate_threshold)
    return {
        "cache_path": str(folder / "cache"),
        "output_path": str(folder / "output"),
        "input_filetype": "parquet",
        "text_field": "text",
        "seed": 1,
        "char_ngrams": WIDTH,
        "num_bands": bands,
        "minhashes_per_band": rows,
        "bands_per_iteration": min(5, bands),
    }


def pair_on_gpu(prefixes: list[Path], groups: Path, folder: Path, config: CurateSection, out: Path) -> None:
    """Writes the candidates in the form of dedup_phases.pair_band. Raises MissingDependencyError without cudf."""
    if importlib.util.find_spec("cudf") is None:
        raise MissingDependencyError(
            "curate.dedup_gpu=true needs cudf and a GPU: install nemo-sdg[gpu] there, or set it to false"
        )
    from nemo_curator.stages.deduplication.fuzzy import FuzzyDeduplicationWorkflow
    from nemo_curator.stages.deduplication.fuzzy.workflow import ID_GENERATOR_OUTPUT_FILENAME
    from nemo_curator.stages.deduplication.id_generator import CURATOR_DEDUP_ID_STR, IdGeneratorBase
    from nemo_curator.tasks import FileGroupTask

    shutil.rmtree(folder, ignore_errors=True)
    members = _write_questions(prefixes, groups, folder)
    arguments = workflow_arguments(folder, config)
    tasks = [FileGroupTask(dataset_name="questions", data=[path]) for path in members]
    FuzzyDeduplicationWorkflow(**arguments).run(initial_tasks=tasks)
    registry = IdGeneratorBase.from_disk(f"{arguments['output_path']}/{ID_GENERATOR_OUTPUT_FILENAME}")
    question_of = np.zeros(registry.next_id, dtype=np.int64)
    for path, indices in members.items():
        first, last = registry.get_batch_range(path, None)
        question_of[first : last + 1] = indices
    pairs = [np.zeros(0, dtype=np.uint64)]
    for edges in sorted((folder / "cache" / EDGES).glob("*.parquet")):
        pairs.append(_read_edges(edges, CURATOR_DEDUP_ID_STR, question_of))
    save_arrays(out, pairs=np.unique(np.concatenate(pairs)))


def _write_questions(prefixes: list[Path], groups: Path, folder: Path) -> dict[str, Any]:
    """Writes one Parquet file a part, with the first question of every group of the same text; returns {path: their
    indices}.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    corpus, first = SignedCorpus(prefixes), load_array(groups, "first")
    schema = pa.schema([("text", pa.string())])
    members = {}
    (folder / "input").mkdir(parents=True)
    for prefix, start, end in zip(prefixes, corpus.starts[:-1], corpus.starts[1:], strict=True):
        indices = np.arange(start, end)
        indices = indices[first[start:end] == indices]
        path = str(folder / "input" / f"{prefix.name}.parquet")
        with pq.ParquetWriter(path, schema) as writer:
            for begin in range(0, len(indices), BATCH):
                texts = ["\n".join(text[1:]) for text in corpus.texts(indices[begin : begin + BATCH])]
                writer.write_table(pa.table({"text": texts}, schema=schema))
        if len(indices):
            members[path] = indices
    return members


def _read_edges(path: Path, name: str, question_of: Any) -> Any:
    import pyarrow.parquet as pq

    edges = pq.read_table(path)
    ends = np.stack([question_of[edges[f"{name}_{end}"].to_numpy().astype(np.int64)] for end in "xy"])
    return pack_pairs(np.sort(ends, axis=0))
