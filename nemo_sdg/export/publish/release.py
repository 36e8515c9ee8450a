"""A finished run as a data set for people: one folder that a hub, `datasets` and other trainers read.

    OUT/README.md                                   the run's card, with every configuration in its header
    OUT/packed/<variant>/<family>/<split>/*.text.parquet    the texts as the run has them
    OUT/Multiple-Choice/<split>/<family>-00000.parquet      the same texts in the columns of NVIDIA's release
    OUT/Generative/…                                everything that has no options to choose from
    OUT/<configuration>-<variant>/…                 of the variants after the first
    OUT/chat/<split>/shard-00000.jsonl              messages, for supervised fine-tuning
    OUT/data_blend_raw.json                         input of Nemotron's data preparation
    OUT/croissant.json                              metadata (MLCommons Croissant 1.0)
    OUT/publish.json                                every file with its SHA-256, rows, and what it was made from

The columns are those of nvidia/Nemotron-Pretraining-Specialized: text, license, metadata{category, models_used}, uuid;
`category` is the family here. A file that is there already, made from the same source, is not made again.
"""

import functools
import itertools
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from nemo_sdg.errors import DataError
from nemo_sdg.export.blend.mixture_file import MixtureFile
from nemo_sdg.export.packed_shards import TEXT_SUFFIX, PackedShard, packed_shards
from nemo_sdg.export.packing.packed_files import TextRow
from nemo_sdg.export.publish.chat import chat_row
from nemo_sdg.records import Kind, json_line
from nemo_sdg.records.lines import FileFactsLine, Manifest, SampleLine
from nemo_sdg.storage import (
    atomic_file,
    name_outside,
    read_json,
    read_jsonl,
    read_shaped,
    require_run,
    sha256_file,
    write_json,
)

MULTIPLE_CHOICE, GENERATIVE, CHAT = "Multiple-Choice", "Generative", "chat"
MANIFEST = "publish.json"
FORMAT = 1
"""raised when the same source gives other files"""
BATCH_ROWS = 8192
"""documents in a parquet row group"""
SPLIT_NAMES = {"train": "train", "valid": "validation"}


@dataclass(kw_only=True)
class Published:
    """One file of a release."""

    path: str
    """relative to the release"""
    configuration: str
    split: str
    source: str
    """SHA-256 of what it was made from"""
    sha256: str
    bytes: int
    rows: int
    characters: int = 0
    """of its texts"""
    shard: str = ""
    """prefix of the packed shard, as in mixture.json; empty for chat"""


@dataclass(kw_only=True)
class Release:
    """The content of a release, and the sources of its data."""

    run_dir: Path
    folder: Path
    files: list[Published] = field(default_factory=list)

    @property
    def configurations(self) -> dict[str, list[str]]:
        """Name -> splits, in the order of the files."""
        found: dict[str, list[str]] = {}
        for file in self.files:
            splits = found.setdefault(file.configuration, [])
            if file.split not in splits:
                splits.append(file.split)
        return found


def shards_to_publish(run_dir: Path) -> list[PackedShard]:
    """The packed shards of a finished run. Raises DataError when the run is not finished."""
    require_run(run_dir)
    if not (run_dir / "manifest.json").is_file() or not (run_dir / "report" / "README.md").is_file():
        raise DataError(
            f"{run_dir} is not a finished run (it has no manifest.json with a card in report/); finish it by "
            "`nemo-sdg run CONFIG`"
        )
    read_shaped(run_dir / "manifest.json", Manifest)
    return [shard for shard in packed_shards(run_dir) if shard.variants]


def text_files(shards: Iterable[PackedShard]) -> Iterator[tuple[PackedShard, str, str, FileFactsLine]]:
    """(shard, variant, path relative to the run, facts) of every text file."""
    for shard in shards:
        for name, facts in shard.outputs.items():
            if name.endswith(TEXT_SUFFIX):
                yield shard, Path(name).parts[1], name, facts


def write_release(run_dir: Path, folder: Path, *, on_file: Callable[[Published, bool], None] | None = None) -> Release:
    """Writes the data files of a release, or what is missing of it; `on_file` hears of each, and whether it is new.

    Raises DataError for a run that is not finished, or a folder that holds something else.
    """
    shards = shards_to_publish(run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_links(folder)
    writer = _Writer(run_dir, folder, on_file or (lambda file, fresh: None))
    first = next(iter(read_shaped(run_dir / "blend" / "mixture.json", MixtureFile)["variants"]))
    for packed, variant, name, facts in text_files(shards):
        split, shard, text = SPLIT_NAMES[packed.split], name.removesuffix(TEXT_SUFFIX), run_dir / name
        writer.put(name, variant, split, facts["sha256"], functools.partial(_link, text), shard=shard)
        for configuration in (MULTIPLE_CHOICE, GENERATIVE):
            title = configuration if variant == first else f"{configuration}-{variant}"
            number = Path(shard).name.removeprefix("shard-")
            write = functools.partial(_write_released, text, chosen=configuration == MULTIPLE_CHOICE)
            target = f"{title}/{split}/{packed.family}-{number}.parquet"
            writer.put(target, title, split, f"{facts['sha256']} {FORMAT}", write, shard=shard)
    for split, target, samples, source in _chat_files(run_dir):
        writer.put(target, CHAT, split, source, functools.partial(_write_chat, samples))
    writer.finish()
    return writer.release


class _Writer:
    """Writes what is not there yet, and the manifest after each file, so that a release goes on where it ended."""

    def __init__(self, run_dir: Path, folder: Path, on_file: Callable[[Published, bool], None]) -> None:
        self.release = Release(run_dir=run_dir, folder=folder)
        self.known = _known(folder)
        self.on_file = on_file

    def put(
        self,
        name: str,
        configuration: str,
        split: str,
        source: str,
        make: Callable[[Path], tuple[int, int]],
        *,
        shard: str = "",
    ) -> None:
        """One file, made by `make`, which returns its rows and characters; no file where it has no rows."""
        path, file = self.release.folder / name, self.known.get(name)
        fresh = file is None or file.source != source or not _is_whole(self.release.folder, file)
        if fresh or file is None:
            rows, characters = make(path)
            if rows == 0:
                return
            file = Published(
                path=name, configuration=configuration, split=split, source=source, shard=shard, rows=rows,
                characters=characters, sha256=sha256_file(path), bytes=path.stat().st_size,
            )  # fmt: skip
        self.release.files.append(file)
        self.on_file(file, fresh)
        if fresh:
            self.write_manifest(list({**self.known, **{own.path: own for own in self.release.files}}.values()))

    def finish(self) -> None:
        """Removes what an earlier call made and the run no longer has, and writes the manifest."""
        for name in self.known.keys() - {file.path for file in self.release.files}:
            (self.release.folder / name).unlink(missing_ok=True)
        self.write_manifest(self.release.files)

    def write_manifest(self, files: list[Published]) -> None:
        write_json(self.release.folder / MANIFEST, {"format": FORMAT, "files": [asdict(file) for file in files]})


def _known(folder: Path) -> dict[str, Published]:
    """The files that an earlier call left in the folder, by path."""
    if not (folder / MANIFEST).is_file():
        if any(folder.iterdir()):
            raise DataError(f"{folder} is not empty and not a release (it has no {MANIFEST}); give another folder")
        return {}
    content = read_json(folder / MANIFEST)
    if content.get("format") != FORMAT:
        return {}
    known = {row["path"]: Published(**row) for row in content["files"]}
    if (outside := name_outside(known)) is not None:
        raise DataError(f"{folder / MANIFEST} names {outside!r}, which is not a file of the release; remove the folder")
    return known


def _refuse_links(folder: Path) -> None:
    """Raises DataError for a link, as a run of somebody else may bring: what it leads to would be published."""
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise DataError(f"{path} is a link, which a release does not have; remove it")


def _is_whole(folder: Path, file: Published) -> bool:
    path = folder / file.path
    return path.is_file() and path.stat().st_size == file.bytes and sha256_file(path) == file.sha256


def _link(source: Path, path: Path) -> tuple[int, int]:
    """The file itself under another name where the file system can, else a copy. Returns its rows and characters."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        os.link(source, path)
    except OSError:
        with atomic_file(path) as handle, source.open("rb") as given:
            shutil.copyfileobj(given, handle)
    characters = sum(
        pc.sum(pc.utf8_length(batch.column("text"))).as_py() or 0
        for batch in pq.ParquetFile(source).iter_batches(batch_size=BATCH_ROWS, columns=["text"])
    )
    return pq.ParquetFile(source).metadata.num_rows, characters


def _write_released(source: Path, path: Path, *, chosen: bool) -> tuple[int, int]:
    """The texts of a packed shard that are (or are not) multiple choice, in the released columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    metadata = pa.struct([("category", text), ("models_used", text)])
    schema = pa.schema([("text", text), ("license", text), ("metadata", metadata), ("uuid", text)])
    rows = characters = 0
    path.unlink(missing_ok=True)
    batches = pq.ParquetFile(source).iter_batches(batch_size=BATCH_ROWS)
    tables = (
        pa.Table.from_pylist([_released_row(row) for row in kept], schema=schema)
        for batch in batches
        if (kept := _of_kind(batch, chosen=chosen))
    )
    first = next(tables, None)
    if first is None:
        return 0, 0
    with atomic_file(path) as handle, pq.ParquetWriter(handle, schema, compression="zstd") as writer:
        for table in itertools.chain([first], tables):
            writer.write_table(table)
            rows += table.num_rows
            characters += sum(len(text) for text in table["text"].to_pylist())
    return rows, characters


def _of_kind(batch: Any, *, chosen: bool) -> list[TextRow]:
    return [row for row in batch.to_pylist() if (row["kind"] == Kind.multiple_choice) is chosen]


def _released_row(row: TextRow) -> dict[str, Any]:
    return {
        "text": row["text"],
        "license": row["license"] or "unknown",
        "metadata": {"category": row["family"], "models_used": row["models_used"] or row["model"]},
        "uuid": str(uuid.UUID(hex=row["uuid"])),
    }


def _chat_files(run_dir: Path) -> Iterator[tuple[str, str, Callable[[], Iterator[SampleLine]], str]]:
    """(split, path, samples, source) of the chat files: one for each curated shard and split."""
    left_out = {
        drop["id"] for path in sorted((run_dir / "packed" / "dropped").glob("*.jsonl")) for drop in read_jsonl(path)
    }
    from nemo_sdg.config import fingerprint, recorded_settings
    from nemo_sdg.export.packing.shard_plan import split_of

    missing = fingerprint(sorted(left_out))
    valid_share = float(recorded_settings(run_dir)["export"]["valid_share"])
    for path in sorted((run_dir / "curated").glob("shard-*.jsonl")):
        digest = sha256_file(path)
        for split, title in SPLIT_NAMES.items():

            def samples(path: Path = path, split: str = split) -> Iterator[SampleLine]:
                for sample in cast(Iterator[SampleLine], read_jsonl(path)):
                    if sample["sample_id"] not in left_out and split_of(sample, valid_share) == split:
                        yield sample

            source = f"{digest} {missing} {valid_share} {FORMAT}"
            yield title, f"chat/{title}/{path.name}", samples, source


def _write_chat(samples: Callable[[], Iterator[SampleLine]], path: Path) -> tuple[int, int]:
    rows = characters = 0
    path.unlink(missing_ok=True)
    with atomic_file(path) as handle:
        for sample in samples():
            line = json_line(chat_row(sample))
            handle.write(line)
            rows, characters = rows + 1, characters + len(line)
    if rows == 0:
        path.unlink()
    return rows, characters
