"""Imports slow modules once, in the server from which packing processes are forked, so that all of them share them."""

import pyarrow.parquet  # noqa: F401

from nemo_sdg.export.packing.packed_files import import_indexed_dataset

import_indexed_dataset()
