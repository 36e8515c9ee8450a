"""Virtual environments for peers, which need other versions of packages than this project.

Each is a virtual environment NAME in the folder NEMO_SDG_PEERS, else in `peers/` in this project's environment. It is
built at its first use (datatrove: about 25 s of CPU and 420 MB).
"""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

DATADESIGNER = ("data-designer==0.9.7",)
DISTILABEL = ("distilabel[openai]==1.5.3", "requests", "beautifulsoup4")
"""its package imports the last two and does not require them"""
DATATROVE = ("datatrove==0.10.1", "orjson", "regex", "nltk", "spacy", "xxhash<4")
"""its MinHash needs the last three"""


class PeersUnavailable(Exception):
    """Why there is no environment for peers, in one line."""


def peers_python(name: str, *packages: str) -> str:
    """Path of an interpreter with these packages, and with our version of tokenizers. Raises PeersUnavailable."""
    wanted = [*packages, f"tokenizers=={importlib.metadata.version('tokenizers')}"]
    folder = Path(os.environ.get("NEMO_SDG_PEERS") or Path(sys.prefix) / "peers") / name
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
