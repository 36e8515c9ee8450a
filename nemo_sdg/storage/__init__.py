"""Files of a run: atomic files, shards with receipts, and the ledger of each step."""

from nemo_sdg.storage.code import code_version, home_of, imported_files
from nemo_sdg.storage.counts import Counts, merge_counts, ranked, total_dropped, total_kept
from nemo_sdg.storage.files import (
    DAMAGED,
    FileFacts,
    atomic_file,
    compress_file,
    content_file,
    file_facts,
    fsync_directory,
    hold,
    jsonl_files,
    read_json,
    read_jsonl,
    read_shaped,
    release,
    remove_temporaries,
    sha256_file,
    sha256_files,
    write_bytes,
    write_json,
    write_jsonl,
)
from nemo_sdg.storage.frames import (
    SUFFIX,
    FrameReader,
    compressed,
    content_lines,
    content_size,
    is_stored,
    open_content,
    stored,
    stored_files,
)
from nemo_sdg.storage.ledger import (
    ContentHashes,
    Inputs,
    Ledger,
    UnknownFields,
    changed_fields,
    different_versions,
    make_identity,
    read_ledger,
    usable_ledger,
    with_unread,
)
from nemo_sdg.storage.locks import LOCK, WORKERS, at_work, holder, locked, run_lock
from nemo_sdg.storage.runs import find_run, finished_shards, name_outside, require_run
from nemo_sdg.storage.shards import SHARD_FORMAT, StepDir
