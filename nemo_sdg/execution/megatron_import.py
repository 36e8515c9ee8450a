"""Imports megatron-core quietly, with any build of torch, and without compiling anything."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any, NoReturn


@contextlib.contextmanager
def importing_megatron() -> Iterator[None]:
    """A block for the first import of megatron.core in a process: hides its messages about GPU libraries, and keeps it
    from compiling its CUDA allocator.

    megatron-core compiles this allocator for inference during its import, and continues without it when compiling
    raises RuntimeError. Here compiling always raises it. The allocator is not used here, torch's CUDA build raises
    another error on a machine without a GPU, which ends the import, and a process that is killed while it compiles
    leaves a lock in the user's cache, for which every later import would wait for ever.
    """
    from torch.utils import cpp_extension

    compiled, disabled = cpp_extension.load_inline, logging.root.manager.disable
    cpp_extension.load_inline = _compile_nothing
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        cpp_extension.load_inline = compiled


def _compile_nothing(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("nothing is compiled while megatron-core is imported")
