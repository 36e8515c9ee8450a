"""The import of megatron-core compiles and prints nothing, and restores all settings."""

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from torch.utils import cpp_extension

from nemo_sdg.execution.megatron_import import importing_megatron

IMPORT = """
from nemo_sdg.execution.megatron_import import importing_megatron
with importing_megatron():
    from megatron.core.inference import unified_memory
print(unified_memory.has_unified_memory)
"""


def test_nothing_is_compiled_while_it_is_imported() -> None:
    compiled = cpp_extension.load_inline
    with importing_megatron(), pytest.raises(RuntimeError, match="nothing is compiled"):
        cpp_extension.load_inline(name="any", cpp_sources=[""])
    assert cpp_extension.load_inline is compiled


@pytest.mark.slow
def test_a_lock_that_a_killed_process_left_is_not_waited_for(root: Path, tmp_path: Path) -> None:
    (tmp_path / "managed_alloc_runtime").mkdir()
    (tmp_path / "managed_alloc_runtime" / "lock").touch()
    environment = os.environ | {"TORCH_EXTENSIONS_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


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
