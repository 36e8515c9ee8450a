"""Imported once by the server that packing processes are forked from: what takes seconds to import is shared by all."""

import pyarrow.parquet  # noqa: F401

from nemo_sdg.export.packing.packed_files import import_indexed_dataset

import_indexed_dataset()
