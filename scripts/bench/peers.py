"""The environment that peers run in: they want other versions of numpy and huggingface_hub than this project's own.

It is the interpreter that NEMO_SDG_PEERS_PYTHON names, else `peers/` inside this project's own environment, built when
first asked for (datatrove: about 25 s of CPU and 420 MB).
"""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

DATATROVE = ("datatrove==0.10.1", "orjson", "regex", "nltk", "spacy", "xxhash<4")
"""the last three are for its MinHash"""


class PeersUnavailable(Exception):
    """Why there is no environment for peers, in one line."""


def peers_python(*packages: str) -> str:
    """Path of an interpreter with these packages, and with our own version of tokenizers. Raises PeersUnavailable."""
    named = os.environ.get("NEMO_SDG_PEERS_PYTHON")
    if named:
        return named
    wanted = [*packages, f"tokenizers=={importlib.metadata.version('tokenizers')}"]
    folder = Path(sys.prefix) / "peers"
    python = folder / "bin" / "python"
    complete = folder / f".complete-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:8]}"
    if complete.is_file():
        return str(python)
    commands = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no word why"]
            raise PeersUnavailable(f"{' '.join(command[1:4])} failed: {lines[-1]}")
    complete.touch()
    return str(python)
