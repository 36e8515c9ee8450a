"""The content ring's index of a run's evaluation rows: built once, shared by all workers and by later runs.

    folder = stored_index(files, cache)      CACHE/index/<key>/, built where it is not there yet
    guard = ContentGuard.open(folder)        milliseconds; memory-mapped

The key is a hash of the rows and of the code that reads them. What has not been used for a while is removed.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from nemo_sdg.errors import DataError
from nemo_sdg.records import EvaluationRow, content_id, from_dict
from nemo_sdg.seeds.content.index import META, EvaluationIndex
from nemo_sdg.seeds.evaluation_rows.cache import code_hash
from nemo_sdg.storage import read_jsonl, sha256_file

UNUSED_SECONDS = 14 * 86400
"""after which an index is removed"""


def stored_index(files: Iterable[Path], cache: Path) -> Path:
    """The folder of the index over the rows of these files, in their order. Raises DataError where a file is damaged,
    OSError where the cache cannot be written.
    """
    paths = list(files)
    key = content_id(code_hash(), [[path.name, sha256_file(path)] for path in paths])
    folder = cache / "index" / key
    if (folder / META).is_file():
        try:
            EvaluationIndex.open(folder)
            os.utime(folder / META)
            return folder
        except DataError:  # half of it was removed, or the disk lost it
            shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_unused(folder.parent)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{key}."))
    try:
        rows = (from_dict(EvaluationRow, record) for path in paths for record in read_jsonl(path))
        EvaluationIndex.build(rows).save(made)
        made.chmod(0o755)
        try:
            os.replace(made, folder)
        except OSError:
            if not (folder / META).is_file():  # else another process was faster with the same
                shutil.rmtree(folder, ignore_errors=True)  # the rest of one whose removal was cut short
                os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _remove_unused(indexes: Path) -> None:
    before = time.time() - UNUSED_SECONDS
    for folder in indexes.iterdir():
        meta = folder / META
        with contextlib.suppress(FileNotFoundError):  # another process gave it its name, or removed it
            seen = meta if meta.is_file() else folder
            if seen.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)
