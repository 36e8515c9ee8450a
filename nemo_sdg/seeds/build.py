"""From the catalog to seeds: which dataset splits are read, how many rows of each, and what each row becomes.

    for source in plan_sources(catalog, seeds):            one per dataset split, whatever the number of tasks on it
        for record in render_source(source, seeds, 0):     Seed or Drop, in row order
        source.not_sampled                                 {task: rows beyond the limits}

A row that several tasks share is one seed that names them all. The rows of a limited sample are those whose hashed position is lowest,
so that they are spread over the split and a larger limit keeps what a smaller one chose.
"""

import functools
import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import CatalogRow, DatasetRow, Drop, EvaluationRow, Seed, Verdict, content_id
from nemo_sdg.seeds.functions import resolve_function
from nemo_sdg.seeds.lock import locked_revision, verify
from nemo_sdg.seeds.reading import Unrenderable, text_of
from nemo_sdg.seeds.render import BATCH, Documents, Renderer, to_evaluation_row, to_seed
from nemo_sdg.seeds.sampling import Demand, share_limits
from nemo_sdg.seeds.sources import GENERIC_BUILDERS, Damaged, Row, Rows, Split, mirror_file, open_rows, uses_hub

STEP = "seeds"


@dataclass(kw_only=True)
class Source:
    """One split of one dataset, with the leaf tasks that share its rows (by name)."""

    split: Split
    leaves: list[CatalogRow]
    quota: int | None = None
    """rows to take; None = all"""
    not_sampled: dict[str, int] = field(default_factory=dict)
    """rows beyond the quota, under the source's first task; filled when the source has been rendered to its end"""

    @property
    def tasks(self) -> list[str]:
        return [leaf.task for leaf in self.leaves]

    def describe(self) -> dict[str, Any]:
        return {
            "task": self.tasks[0],
            "tasks": self.tasks,
            "dataset": ",".join(self.split.data_files) or self.split.path,
            "name": self.split.name,
            "split": self.split.split,
        }


class EvaluationSource(Source):
    """One split that some task evaluates or validates on."""


@dataclass(kw_only=True)
class EvaluationSources:
    reachable: list[EvaluationSource]
    unreachable: list[dict[str, Any]]
    """what `describe` says of a source, and `why`"""


def plan_sources(catalog: list[CatalogRow], seeds: SeedsSection) -> list[Source]:
    """The training splits of the eligible tasks, in the order of their identity, each with its share of the limits."""
    eligible = [row for row in catalog if row.verdict == Verdict.eligible]
    sources = [Source(split=split, leaves=leaves) for split, leaves in _group(((row, row.dataset["splits"].get("training")) for row in eligible), seeds)]
    if seeds.limit_per_task is not None or seeds.limit_per_family is not None:
        demands = [Demand(tasks=source.tasks, family=source.leaves[0].family, rows=functools.partial(_count, source, seeds)) for source in sources]
        for source, quota in zip(sources, share_limits(demands, eligible, seeds), strict=True):
            source.quota = quota
    return sources


def evaluation_sources(catalog: list[CatalogRow], seeds: SeedsSection) -> EvaluationSources:
    """Every split that a task of the catalog, eligible or refused, evaluates or validates on, each once."""
    wanted = ((row, row.dataset["splits"].get(role)) for row in catalog for role in ("test", "validation"))
    found = EvaluationSources(reachable=[], unreachable=[])
    for split, leaves in _group(wanted, seeds):
        source = EvaluationSource(split=split, leaves=leaves)
        why = _missing_in_mirror(split, seeds)
        if why is None:
            found.reachable.append(source)
        else:
            found.unreachable.append({**source.describe(), "why": why})
    return found


def render_source(source: Source, seeds: SeedsSection, run_seed: int) -> Iterator[Seed | Drop]:
    """Seeds and drops of a source in row order. Raises DataError in one line when the source cannot be read."""
    renderers = _renderers(source, seeds)
    rows = _open(source, seeds)
    if seeds.lock is not None:
        verify(rows, source.split, seeds.lock, task=source.tasks[0])
    source.not_sampled = {}
    path = ",".join(source.split.data_files) or source.split.path
    for number, row, per_group in _documents(renderers, _sampled(source, rows)):
        dataset = DatasetRow(path=path, name=source.split.name, split=source.split.split, revision=rows.revision, row=number)
        yield from _seeds_of_row(source, dataset, row, per_group, run_seed)


def render_evaluation(source: EvaluationSource, seeds: SeedsSection) -> Iterator[EvaluationRow]:
    """The rows of an evaluation split. A row that its task's rules do not render is given as the texts that stand in it: it must not be missed.

    Raises DataError in one line when the split cannot be read.
    """
    renderer: Renderer | None = None
    for leaf in source.leaves:
        try:
            renderer = Renderer(leaf, _config(leaf.task, seeds))
            break
        except DataError:  # this leaf's functions cannot be had: the next one's may, else the rows are given as their texts
            continue
    rows = _open(source, seeds)
    leaf = renderer.leaf if renderer else source.leaves[0]
    path = ",".join(source.split.data_files) or source.split.path
    plain = ((number, row) for number, row in rows if not isinstance(row, Damaged))
    documents: Iterable[Documents] = renderer.documents(plain) if renderer else ((number, row, [row]) for number, row in plain)
    for number, row, found in documents:
        dataset = DatasetRow(path=path, name=source.split.name, split=source.split.split, revision=rows.revision, row=number)
        if isinstance(found, Unrenderable) or not found or renderer is None:
            yield _as_texts(row, leaf, dataset)
            continue
        for document in found:
            try:
                yield to_evaluation_row(renderer.read(document), leaf, dataset)
            except Unrenderable:
                yield _as_texts(row, leaf, dataset)


def _as_texts(row: Row, leaf: CatalogRow, dataset: DatasetRow) -> EvaluationRow:
    question = "\n".join(dict.fromkeys(_texts(row)))
    return EvaluationRow(task=leaf.task, dataset=dataset, kind=leaf.kind, question=question)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _group(wanted: Iterable[tuple[CatalogRow, Any]], seeds: SeedsSection) -> list[tuple[Split, list[CatalogRow]]]:
    """Leaves by the split that they name, splits in the order of their identity, leaves by name."""
    groups: dict[Split, dict[str, CatalogRow]] = {}
    for row, name in wanted:
        if name and row.dataset.get("path"):
            groups.setdefault(_split(row, name, seeds), {})[row.task] = row
    ordered = sorted(groups.items(), key=lambda item: (item[0].path, item[0].name or "", item[0].split, item[0].data_files, repr(item[0].options)))
    return [(split, [leaves[task] for task in sorted(leaves)]) for split, leaves in ordered]


def _split(row: CatalogRow, name: str, seeds: SeedsSection) -> Split:
    dataset = row.dataset
    path, data_files = dataset["path"], dataset.get("data_files")
    if data_files is None and not path.startswith("function:"):
        return Split(path=path, name=dataset.get("name"), split=name)
    config = _config(row.task, seeds)
    options = {key: value for key, value in (config.get("dataset_kwargs") or {}).items() if key not in ("data_files", "trust_remote_code", "name")}
    return Split(
        path=path,
        name=dataset.get("name"),
        split=name,
        data_files=_files_of(data_files, name),
        folder=_folder(row.task, seeds) if path in GENERIC_BUILDERS else None,
        options=tuple((key, text_of(value) if not isinstance(value, str | int | float | bool) else value) for key, value in sorted(options.items())),
    )


def _files_of(data_files: Any, split: str) -> tuple[str, ...]:
    """The files of one split; as in `datasets`, files without a split's name are its `train`."""
    if isinstance(data_files, dict):
        data_files = data_files.get(split)
    elif split != "train":
        data_files = None
    return tuple([data_files] if isinstance(data_files, str) else data_files or [])


def _missing_in_mirror(split: Split, seeds: SeedsSection) -> str | None:
    """Why a split cannot be had, where that is known without opening it."""
    if split.path in GENERIC_BUILDERS or uses_hub(seeds):
        return None
    if seeds.mirror is None:
        return "seeds.hub=false and no seeds.mirror"
    if not _has_folder(f"{seeds.mirror}/{split.path}/{split.name or 'default'}") or mirror_file(split, seeds.mirror) is None:
        return f"not in the mirror {seeds.mirror}"
    return None


@functools.lru_cache(maxsize=65536)
def _has_folder(path: str) -> bool:
    return Path(path).is_dir()


def _config(task: str, seeds: SeedsSection) -> dict[str, Any]:
    from nemo_sdg.seeds.catalog import task_config

    return task_config(task, seeds)


def _folder(task: str, seeds: SeedsSection) -> str:
    """Of the task's YAML file."""
    from nemo_sdg.seeds.catalog import _files

    return str(Path(_files(tuple(seeds.include_path))[task]).parent)


def _renderers(source: Source, seeds: SeedsSection) -> list[tuple[Renderer, list[str]]]:
    """One renderer for each process_docs on the split, with the tasks that have it; the first that has documents of a row renders it.

    Tasks of lm-eval's type multiple_choice come first: a chat or t5 wording of the same rows shows its options as text.
    """
    groups: list[tuple[Renderer, list[str]]] = []
    failures = []
    configs = {leaf.task: _config(leaf.task, seeds) for leaf in source.leaves}
    for leaf in sorted(source.leaves, key=lambda leaf: (configs[leaf.task].get("output_type") != "multiple_choice", leaf.task)):
        try:
            renderer = Renderer(leaf, configs[leaf.task])
        except DataError as exc:
            failures.append(exc)
            continue
        for known, tasks in groups:
            if known.process_docs is renderer.process_docs:
                tasks.append(leaf.task)
                break
        else:
            groups.append((renderer, [leaf.task]))
    if not groups:
        raise failures[0]
    return groups


def _open(source: Source, seeds: SeedsSection) -> Rows:
    return open_rows(source.split, seeds, task=source.tasks[0], revision=locked_revision(source.split, seeds.lock), custom=_custom_dataset(source, seeds))


def _custom_dataset(source: Source, seeds: SeedsSection) -> Callable[[], Any] | None:
    """The function that makes the task's rows, where it has one, with its arguments bound as lm-eval binds them.

    Raises DataError where the function is lm-eval's and the network is ruled out: such functions download.
    """
    task = source.tasks[0]
    config = _config(task, seeds)
    reference = config.get("custom_dataset")
    if reference is None:
        return None
    own = any(Path(_folder(task, seeds)).resolve().is_relative_to(Path(path).resolve()) for path in seeds.include_path)
    if not own and not uses_hub(seeds):
        raise DataError(f"task {task} makes its rows by a function (custom_dataset) that may use the network; set seeds.hub=true to allow it")
    return functools.partial(resolve_function(reference.folder, reference.name), **(config.get("metadata") or {}), **(config.get("dataset_kwargs") or {}))


def _count(source: Source, seeds: SeedsSection) -> int | None:
    """Rows of a source, or None where that is not known without reading it, or where it cannot be read (told when it is rendered)."""
    try:
        return _open(source, seeds).count()
    except DataError:
        return None


def _sampled(source: Source, rows: Rows) -> Iterator[tuple[int, Row | Damaged]]:
    """All rows, or those of the quota; memory is that of the quota, not of the split."""
    if source.quota is None:
        yield from rows
        return
    total = rows.count()
    if total is None:
        kept: list[tuple[int, int, Any]] = []
        total = 0
        for number, row in rows:
            total += 1
            entry = (-_rank(source, number), number, row)
            if len(kept) < source.quota:
                heapq.heappush(kept, entry)
            else:
                heapq.heappushpop(kept, entry)
        yield from sorted(((number, row) for _, number, row in kept), key=lambda item: item[0])
    elif source.quota >= total:
        yield from rows
    else:
        chosen = {number for _, number in heapq.nsmallest(source.quota, ((_rank(source, number), number) for number in range(total)))}
        yield from rows.only(chosen.__contains__)
    if total > source.quota:
        source.not_sampled = {source.tasks[0]: total - source.quota}


def _rank(source: Source, number: int) -> int:
    key = f"{source.split.path}\x00{source.split.name}\x00{source.split.split}\x00{source.split.data_files}\x00{number}"
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())


PerGroup = list[tuple[Renderer, list[str], "list[Row] | Unrenderable"]]


def _documents(renderers: list[tuple[Renderer, list[str]]], rows: Iterator[tuple[int, Row | Damaged]]) -> Iterator[tuple[int, Row | Damaged, PerGroup]]:
    """Each row with its documents under each renderer. Damaged rows pass through."""
    if len(renderers) == 1 and renderers[0][0].process_docs is None:
        ((renderer, tasks),) = renderers
        for number, row in rows:
            yield number, row, [] if isinstance(row, Damaged) else [(renderer, tasks, [row])]
        return
    batch: list[tuple[int, Row | Damaged]] = []
    while True:
        batch = [item for _, item in zip(range(BATCH), rows, strict=False)]
        if not batch:
            return
        whole = [(number, row) for number, row in batch if not isinstance(row, Damaged)]
        found = [{number: documents for number, _, documents in renderer.documents(whole)} for renderer, _ in renderers]
        for number, row in batch:
            groups = [] if isinstance(row, Damaged) else [(renderer, tasks, by_row[number]) for (renderer, tasks), by_row in zip(renderers, found, strict=True)]
            yield number, row, groups


def _seeds_of_row(source: Source, dataset: DatasetRow, row: Row | Damaged, per_group: PerGroup, run_seed: int) -> Iterator[Seed | Drop]:
    if isinstance(row, Damaged):
        yield _drop(source, dataset, "damaged_line", row.detail, None)
        return
    tasks = sorted(task for _, names, documents in per_group if documents for task in names)
    failure = Unrenderable("left_out_by_task", "process_docs leaves the row out")
    for renderer, _, documents in per_group:
        if isinstance(documents, Unrenderable):
            failure = documents
            continue
        made: list[Seed | Drop] = []
        for ordinal, document in enumerate(documents):
            try:
                made.append(to_seed(renderer.read(document), renderer.leaf, tasks, dataset, ordinal=ordinal, run_seed=run_seed))
            except Unrenderable as exc:
                failure = exc
                made.append(_drop(source, dataset, exc.reason, exc.detail, row, ordinal))
        if any(isinstance(record, Seed) for record in made):
            yield from made
            return
    yield _drop(source, dataset, failure.reason, failure.detail, row)


def _drop(source: Source, dataset: DatasetRow, reason: str, detail: str | None, row: Row | None, ordinal: int = 0) -> Drop:
    identity = content_id(dataset.path, dataset.name, dataset.split, dataset.row, ordinal)
    return Drop(
        task=source.tasks[0], id=identity, step=STEP, reason=reason, detail=detail, record=None if row is None else {"row": dataset.row, "columns": row}
    )
