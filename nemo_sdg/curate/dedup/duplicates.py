"""Finds duplicates among samples, of seeds, and of a corpus that the user already has.

    {"id": "0b…", "reason": "near_duplicate", "kept_id": "7f…", "detail": "similarity 0.912"}

One line for each sample that should go, sorted by id. Reasons: exact_duplicate, near_duplicate (the same answer too),
template_repeated (other answers, but more than curate.max_per_template of one wording), copy_of_seed,
in_existing_corpus; with curate.semantic_dedup also semantic_duplicate, for what is left and says the same in other
words. Every phase leaves finished files only and is skipped when they are there, so a killed run goes on where it was.
"""

import mmap
import shutil
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup import phases, semantic
from nemo_sdg.curate.dedup.gpu import pair_on_gpu
from nemo_sdg.curate.dedup.shingles import choose_bands
from nemo_sdg.curate.dedup.signatures import CORPUS, SEED, SIMILAR, plan_parts
from nemo_sdg.errors import DataError
from nemo_sdg.execution.dask_tasks import Run, Task, open_workers
from nemo_sdg.storage import content_size, jsonl_files, read_json, remove_temporaries, stored, write_json, write_jsonl

ID = b'{"id":'
FORMAT = 4
"""of the files in `work`; another number starts afresh"""
EMBEDDING_WORK = 50
"""times the work on the wording, as measured on a CPU: worth a cluster sooner"""


def find_duplicates(
    shards: list[Path],
    *,
    seeds: list[Path],
    work: Path,
    config: CurateSection,
    workers: int,
    dask_address: str | None = None,
) -> Path:
    """Finds the samples in `shards` that repeat another sample, a seed or the corpora in `config.against`.

    Returns the table `work/duplicates.jsonl`; read it with Duplicates. The bytes depend on the records and the config
    only.
    `dask_address`: of a Dask whose workers see these folders by the same absolute paths.
    Samples of origin `seed` are seeds' own questions: they are compared with each other and with `config.against`, not
    with seeds.
    Raises DataError on a damaged record and ConfigError when a folder of `config.against` has no JSONL.
    """
    files = (
        [(path, SIMILAR) for path in shards]
        + [(path, SEED) for path in seeds]
        + [(path, CORPUS) for path in jsonl_files(config.against, "curate.against")]
    )
    if dask_address is not None:  # its workers may have other working directories
        files, work = [(path.resolve(), role) for path, role in files], work.resolve()
    table = work / "duplicates.jsonl"
    if not _same_plan(work, files, config):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_json(work / "plan.json", _plan(files, config))
    if not table.exists():
        remove_temporaries(work)
        num_bytes = sum(content_size(path) for path, _ in files)
        if num_bytes == 0:
            write_jsonl(table, [])
        else:
            num_bytes *= EMBEDDING_WORK if config.semantic_dedup else 1
            with open_workers(workers=workers, address=dask_address, num_bytes=num_bytes, scratch=work / "dask") as run:
                _run_phases(files, work, table, config, run)
    for path in work.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    return table


def _run_phases(files: list[tuple[Path, int]], work: Path, table: Path, config: CurateSection, run: Run) -> None:
    seed_parts = plan_parts([(path, role) for path, role in files if role == SEED])
    sampled = [work / "templates" / f"sample-{number:05d}.json" for number in range(len(seed_parts))]
    run([Task(out, phases.sample_seeds, (part, out, config)) for part, out in zip(seed_parts, sampled, strict=True)])
    templates = work / "templates" / "templates.npz"
    run([Task(templates, phases.learn_templates, (sampled, templates))])

    parts = plan_parts(files)
    prefixes = [work / "signed" / f"part-{number:05d}" for number in range(len(parts))]
    run(
        [
            Task(Path(f"{prefix}.keys.npy"), phases.sign_part, (part, prefix, config, templates))
            for part, prefix in zip(parts, prefixes, strict=True)
        ]
    )

    groups = work / "exact" / "groups.npz"
    run([Task(groups, phases.group_exact, (prefixes, groups))])

    num_bands, _ = choose_bands(config.near_duplicate_threshold)
    bands = [work / "bands" / f"band-{number:03d}.npz" for number in range(1 if config.dedup_gpu else num_bands)]
    if not config.dedup_gpu:
        run(
            [
                Task(out, phases.pair_band, (prefixes, groups, number, num_bands, out))
                for number, out in enumerate(bands)
            ]
        )
    elif not bands[0].exists():
        pair_on_gpu(prefixes, groups, work / "curator", config, bands[0])

    edges = [work / "edges" / f"part-{number:05d}.npz" for number in range(len(parts))]
    run(
        [
            Task(out, phases.verify_pairs, (prefixes, templates, bands, part, config.near_duplicate_threshold, out))
            for part, out in enumerate(edges)
        ]
    )
    senses = _pair_by_sense(prefixes, groups, templates, work, config, run) if config.semantic_dedup else []
    run([Task(table, phases.write_table, (prefixes, groups, edges, senses, config.max_per_template, table))])


def _pair_by_sense(
    prefixes: list[Path], groups: Path, templates: Path, work: Path, config: CurateSection, run: Run
) -> list[Path]:
    vectors = [work / "vectors" / f"part-{number:05d}.npy" for number in range(len(prefixes))]
    run([Task(out, semantic.embed_part, (prefixes, groups, part, config, out)) for part, out in enumerate(vectors)])
    clusters = work / "vectors" / "clusters.npy"
    run([Task(clusters, semantic.choose_clusters, (vectors, clusters))])
    near = [work / "near" / path.name for path in vectors]
    run([Task(out, semantic.assign_part, (path, clusters, out)) for path, out in zip(vectors, near, strict=True)])
    senses = [work / "sense" / f"part-{number:05d}.npz" for number in range(semantic.NUM_SHARES)]
    given = (prefixes, groups, templates, vectors, near)
    run(
        [
            Task(out, semantic.pair_clusters, (*given, share, config.semantic_threshold, out))
            for share, out in enumerate(senses)
        ]
    )
    return senses


def _plan(files: list[tuple[Path, int]], config: CurateSection) -> dict[str, Any]:
    stats = [(str(path), role, stored(path).stat()) for path, role in files]
    return {
        "format": FORMAT,
        "near_duplicate_threshold": config.near_duplicate_threshold,
        "numbers_distinguish": config.numbers_distinguish,
        "max_per_template": config.max_per_template,
        "dedup_gpu": config.dedup_gpu,
        "semantic": [config.semantic_threshold, config.embedder] if config.semantic_dedup else None,
        "files": [[path, role, stat.st_size, stat.st_mtime_ns] for path, role, stat in stats],
    }


def _same_plan(work: Path, files: list[tuple[Path, int]], config: CurateSection) -> bool:
    try:
        known = read_json(work / "plan.json")
    except DataError:
        return False
    return bool(known == _plan(files, config))


class Duplicates:
    """The table of find_duplicates, looked up by binary search in a memory map: as small for millions of rows as for
    ten.
    """

    def __init__(self, path: Path) -> None:
        self._size = path.stat().st_size
        with open(path, "rb") as handle:
            self._map = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) if self._size else None

    def find(self, sample_id: str) -> tuple[str, str] | None:
        """(reason, detail) of a sample that should go, None of one that stays. The lines are sorted by the bytes of
        the id in JSON.
        """
        table, key = self._map, orjson.dumps(sample_id)
        low, high = 0, self._size
        while table is not None and low < high:
            start = table.rfind(b"\n", low, (low + high) // 2) + 1 or low
            found = table[start + len(ID) : start + len(ID) + len(key)]
            if found == key:
                row = orjson.loads(table[start : table.find(b"\n", start)])
                return row["reason"], f"{row['kept_id']}, {row['detail']}"
            if found < key:
                low = table.find(b"\n", start) + 1
            else:
                high = start
        return None
