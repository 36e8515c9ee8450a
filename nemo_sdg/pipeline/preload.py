"""Imports slow modules once, in the server from which the worker processes of a run are forked."""

import nemo_sdg.curate.decontaminate.find
import nemo_sdg.curate.filters.registry
import nemo_sdg.execution.stages
import nemo_sdg.export.packing.preload
import nemo_sdg.verify.votes  # noqa: F401
