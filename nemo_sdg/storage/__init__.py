"""Files of a run: atomic files, shards with receipts, and the ledger of each step."""

from nemo_sdg.storage.code import code_version, home_of, imported_files
from nemo_sdg.storage.files import (
    FileFacts,
    atomic_file,
    file_facts,
    fsync_directory,
    jsonl_files,
    read_json,
    read_jsonl,
    remove_temporaries,
    sha256_file,
    sha256_files,
    write_bytes,
    write_json,
    write_jsonl,
)
from nemo_sdg.storage.ledger import (
    ContentHashes,
    Inputs,
    Ledger,
    changed_fields,
    different_versions,
    make_identity,
    read_ledger,
    with_unread,
)
from nemo_sdg.storage.runs import find_run, require_run
from nemo_sdg.storage.shards import SHARD_FORMAT, Counts, StepDir, finished_shards, merge_counts

__all__ = [
    "SHARD_FORMAT",
    "ContentHashes",
    "Counts",
    "FileFacts",
    "Inputs",
    "Ledger",
    "StepDir",
    "atomic_file",
    "changed_fields",
    "code_version",
    "different_versions",
    "file_facts",
    "find_run",
    "finished_shards",
    "fsync_directory",
    "home_of",
    "imported_files",
    "jsonl_files",
    "make_identity",
    "merge_counts",
    "read_json",
    "read_jsonl",
    "read_ledger",
    "remove_temporaries",
    "require_run",
    "sha256_file",
    "sha256_files",
    "with_unread",
    "write_bytes",
    "write_json",
    "write_jsonl",
]
