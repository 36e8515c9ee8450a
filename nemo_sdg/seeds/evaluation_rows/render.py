"""Evaluation splits, rendered: what the guard and decontamination compare with.

for row in render_evaluation(source, seeds):       EvaluationRow
source.unreadable                                  rows that are not JSON, each with why
"""

import re
from collections.abc import Iterable, Iterator

import orjson

from nemo_sdg.catalog.walk import built_in_like, task_config
from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import CatalogRow, DatasetRow, EvaluationRow
from nemo_sdg.seeds.content.texts import leaves, strings
from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.prompts.documents import Documents
from nemo_sdg.seeds.render import Renderer, to_evaluation_row
from nemo_sdg.seeds.sources.formats import Damaged, Row, Rows
from nemo_sdg.seeds.sources.splits import EvaluationSource, open_source


def render_evaluation(source: EvaluationSource, seeds: SeedsSection) -> Iterator[EvaluationRow]:
    """The rows of an evaluation split. A row that its task's rules do not render is given as the texts that stand in
    it, and so is a line that is not JSON (counted in source.unreadable): it must not be missed.

    Raises DataError in one line when the split cannot be read.
    """
    renderer: Renderer | None = None
    for leaf in source.leaves:
        try:
            config = task_config(leaf.task, seeds)
            renderer = Renderer(leaf, config, like=built_in_like(config, seeds))
            break
        except (
            DataError
        ):  # this leaf's functions cannot be had: the next one's may, else the rows are given as their texts
            continue
    rows = open_source(source, seeds)
    leaf = renderer.leaf if renderer else source.leaves[0]
    source.unreadable = []
    damaged: list[tuple[int, Damaged]] = []
    plain = _undamaged(rows, damaged)
    documents: Iterable[Documents] = (
        renderer.documents(plain) if renderer else ((number, row, [row]) for number, row in plain)
    )
    for number, row, found in documents:
        dataset = source.place(rows, number)
        if isinstance(found, Unrenderable) or not found or renderer is None:
            yield _as_texts(row, leaf, dataset)
            continue
        for document in found:
            try:
                found_row = to_evaluation_row(
                    renderer.read(document, f"{dataset.path}:{dataset.name}:{dataset.split}:{number}"), leaf, dataset
                )
            except Unrenderable:
                yield _as_texts(row, leaf, dataset)
            else:
                found_row.texts = list(leaves(row))
                yield found_row
    for number, line in damaged:
        source.unreadable.append(f"row {number}: {line.detail}")
        strings = {str(place): text for place, text in enumerate(_quoted(line.line))}
        yield _as_texts(strings, leaf, source.place(rows, number))


def _undamaged(rows: Rows, damaged: list[tuple[int, Damaged]]) -> Iterator[tuple[int, Row]]:
    for number, row in rows:
        if isinstance(row, Damaged):
            damaged.append((number, row))
        else:
            yield number, row


def _quoted(line: bytes) -> Iterator[str]:
    """The quoted text in a line that is not JSON."""
    for quoted in re.findall(r'"(?:[^"\\]|\\.)*"', line.decode("utf-8", "replace")):
        try:
            yield orjson.loads(quoted)
        except orjson.JSONDecodeError:
            yield quoted.strip('"')


def _as_texts(row: Row, leaf: CatalogRow, dataset: DatasetRow) -> EvaluationRow:
    texts = list(leaves(row))
    question = "\n".join(dict.fromkeys(strings(row)))
    return EvaluationRow(task=leaf.task, dataset=dataset, kind=leaf.kind, question=question, texts=texts)
