"""Imports slow modules once, in the server from which packing processes are forked, so that all of them share them."""

import numpy  # noqa: F401
import pyarrow.parquet  # noqa: F401
import tokenizers  # noqa: F401

import nemo_sdg.export.packing.pack  # noqa: F401
