"""The real import of megatron-core in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

IMPORT = """
from nemo_sdg.execution.megatron_import import importing_megatron
with importing_megatron():
    from megatron.core.inference import unified_memory
print(unified_memory.has_unified_memory)
"""


def test_a_lock_that_a_killed_process_left_is_not_waited_for(root: Path, tmp_path: Path) -> None:
    (tmp_path / "managed_alloc_runtime").mkdir()
    (tmp_path / "managed_alloc_runtime" / "lock").touch()
    environment = os.environ | {"TORCH_EXTENSIONS_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
