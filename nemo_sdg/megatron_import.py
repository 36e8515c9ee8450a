"""How megatron-core is imported on machines without a GPU: quietly, and with any build of torch."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

ARCH_LIST = "TORCH_CUDA_ARCH_LIST"


@contextlib.contextmanager
def importing_megatron() -> Iterator[None]:
    """For the first import of megatron.core in a process: without what it says about GPU libraries that are not here.

    It compiles a CUDA allocator as it is imported, and copes when that fails, but for one case: torch's CUDA build, which PyPI gives, on a
    machine without a GPU finds no architecture to compile for, and raises IndexError. So one is named, and compiling fails as it may.
    """
    import torch

    named = torch.cuda.is_available() or ARCH_LIST in os.environ
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        if not named:
            os.environ[ARCH_LIST] = "8.0"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        if not named:
            del os.environ[ARCH_LIST]
