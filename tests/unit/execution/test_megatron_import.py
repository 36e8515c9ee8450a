"""The import of megatron-core compiles and prints nothing, and restores all settings."""

import logging
import warnings

import pytest

from nemo_sdg.execution.megatron_import import importing_megatron


def test_nothing_is_compiled_while_it_is_imported() -> None:
    from torch.utils import cpp_extension  # here alone: a process that does not run this test does not load torch

    compiled = cpp_extension.load_inline
    with importing_megatron(), pytest.raises(RuntimeError, match="nothing is compiled"):
        cpp_extension.load_inline(name="any", cpp_sources=[""])
    assert cpp_extension.load_inline is compiled


def test_the_import_is_quiet_and_nothing_after_it_is(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    with pytest.raises(ImportError), importing_megatron():
        warnings.warn("during", stacklevel=1)
        logging.getLogger("megatron").warning("during")
        raise ImportError("megatron")
    logging.getLogger("megatron").warning("after")
    warnings.warn("after", stacklevel=1)
    assert [str(warning.message) for warning in recwarn] == ["after"]
    assert [record.message for record in caplog.records] == ["after"]
