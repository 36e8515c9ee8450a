"""The GPU path checked against Curator's source. Curator's workflow cannot be imported without cudf, so its signature
is read from the source, and a fake with this signature writes edges and ids to the same places.
"""

import ast
import importlib.util
import itertools
import random
import sys
import types
from pathlib import Path

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup.duplicates import find_duplicates
from nemo_sdg.curate.dedup.gpu import EDGES, workflow_arguments
from nemo_sdg.errors import MissingDependencyError
from nemo_sdg.storage import write_jsonl

FUZZY = "nemo_curator.stages.deduplication.fuzzy"


def curator_source(name: str) -> ast.Module:
    spec = importlib.util.find_spec("nemo_curator.stages.deduplication")
    return ast.parse((Path(spec.submodule_search_locations[0]) / "fuzzy" / name).read_text())


def arguments_of(tree: ast.Module, owner: str, function: str) -> list[str]:
    (found,) = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == owner]
    (method,) = [node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == function]
    return [argument.arg for argument in method.args.args[1:] + method.args.kwonlyargs]


def constants(tree: ast.Module) -> dict[str, str]:
    return {
        node.targets[0].id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def test_the_workflow_takes_what_it_is_given(tmp_path):
    tree = curator_source("workflow.py")
    assert set(workflow_arguments(tmp_path, CurateSection())) <= set(
        arguments_of(tree, "FuzzyDeduplicationWorkflow", "__init__")
    )
    assert "initial_tasks" in arguments_of(tree, "FuzzyDeduplicationWorkflow", "run")
    assert "ID_GENERATOR_OUTPUT_FILENAME" in constants(tree)


def test_edges_lie_where_they_are_looked_for():
    tree = curator_source("buckets_to_edges.py")
    assert constants(tree)["name"] == EDGES
    columns = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "columns"]
    assert columns == ["columns=[f'{self.document_id_field}_x', f'{self.document_id_field}_y']"]


class FakeFuzzyDeduplicationWorkflow:
    """No GPU here: every pair of questions becomes an edge, so that the checks that follow have all the work."""

    def __init__(self, *, cache_path, output_path, **arguments):
        self.cache_path, self.output_path = Path(cache_path), Path(output_path)
        assert arguments["input_filetype"] == "parquet"

    def run(self, initial_tasks):
        import pyarrow as pa
        import pyarrow.parquet as pq
        from nemo_curator.stages.deduplication.id_generator import CURATOR_DEDUP_ID_STR, IdGeneratorBase

        generator, ids = IdGeneratorBase(), []
        for task in reversed(initial_tasks):
            num = pq.read_table(task.data[0], columns=["text"]).num_rows
            ids += range(first := generator.register_batch(task.data, num), first + num)
        self.output_path.mkdir(parents=True)
        generator.to_disk(
            str(self.output_path / constants(curator_source("workflow.py"))["ID_GENERATOR_OUTPUT_FILENAME"])
        )
        pairs = list(itertools.combinations(ids, 2))
        folder = self.cache_path / EDGES
        folder.mkdir(parents=True)
        for number, half in enumerate((pairs[::2], pairs[1::2])):
            columns = {
                f"{CURATOR_DEDUP_ID_STR}_{end}": [pair[place] for pair in half] for place, end in enumerate("xy")
            }
            pq.write_table(pa.table(columns), folder / f"{number}.parquet")


@pytest.fixture
def corpus(tmp_path):
    rng = random.Random("gpu")
    words = ["".join(rng.choices("abcdefghij", k=6)) for _ in range(300)]
    rows = []
    for number in range(120):
        question = rng.choices(words, k=25)
        if number % 3 == 2:
            question = rows[-1]["question"].split()
            question[rng.randrange(25)] = rng.choice(words)
        rows.append(
            {
                "sample_id": f"{number:03d}",
                "origin": "similar",
                "task": "t",
                "question": " ".join(question),
                "reasoning": "r" * rng.randrange(9),
            }
        )
    rows.append({**rows[0], "sample_id": "same"})
    shards = [tmp_path / f"shard-{number:05d}.jsonl" for number in range(2)]
    for number, shard in enumerate(shards):
        write_jsonl(shard, rows[number::2])
    return shards


def test_the_table_is_that_of_the_cpu(corpus, tmp_path, monkeypatch):
    fuzzy = types.ModuleType(FUZZY)
    fuzzy.__path__ = []
    fuzzy.FuzzyDeduplicationWorkflow = FakeFuzzyDeduplicationWorkflow
    workflow = types.ModuleType(f"{FUZZY}.workflow")
    workflow.ID_GENERATOR_OUTPUT_FILENAME = constants(curator_source("workflow.py"))["ID_GENERATOR_OUTPUT_FILENAME"]
    cudf = types.ModuleType("cudf")
    cudf.__spec__ = importlib.util.spec_from_loader("cudf", loader=None)
    for module in (fuzzy, workflow, cudf):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    on_cpu = find_duplicates(corpus, seeds=[], work=tmp_path / "cpu", config=CurateSection(), workers=1).read_bytes()
    on_gpu = find_duplicates(
        corpus, seeds=[], work=tmp_path / "gpu", config=CurateSection(dedup_gpu=True), workers=1
    ).read_bytes()
    assert on_cpu.count(b"near_duplicate") > 20
    assert on_gpu == on_cpu


@pytest.mark.skipif(importlib.util.find_spec("cudf") is not None, reason="cudf is installed here")
def test_without_cudf_the_message_says_what_to_install(corpus, tmp_path):
    with pytest.raises(
        MissingDependencyError, match=r"curate\.dedup_gpu=true needs cudf and a GPU: install nemo-sdg\[gpu\]"
    ):
        find_duplicates(corpus, seeds=[], work=tmp_path / "gpu", config=CurateSection(dedup_gpu=True), workers=1)
