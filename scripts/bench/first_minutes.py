"""The first minutes of a new user: builds and installs the wheel, runs `nemo-sdg init` and `nemo-sdg run` in an empty
folder, and measures the seconds until the first seed, the first packed sample and the end.

    python scripts/bench/first_minutes.py [--quick]      --quick: two rows of the task instead of six

The environment is new, and the package in it comes from the wheel. Its dependencies are not downloaded again: a .pth
file adds those of the environment of this script, but not the editable install of the project. So the seconds apply to
a machine after `pip install`, with empty caches.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOOKED_EVERY = 0.1
"""seconds between two checks"""


def tell(name: str, value: float, unit: str = "s", **more: object) -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": unit, **more}), flush=True)


def install(folder: Path) -> Path:
    """Builds the wheel and a new environment around it; returns the path of its `nemo-sdg`."""
    begin = time.monotonic()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder / "dist", ROOT], check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    tell("wheel_built", time.monotonic() - begin, bytes=wheel.stat().st_size)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    site = next((folder / "env" / "lib").glob("python3*")) / "site-packages"
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--ignore-installed", wheel], check=True)
    found = subprocess.run(
        [python, "-c", "import nemo_sdg; print(nemo_sdg.__file__)"],
        capture_output=True, text=True, check=True, cwd=folder, env=clean_environment(folder),
    ).stdout.strip()  # fmt: skip
    assert Path(found).is_relative_to(site), f"the package is not the wheel's: {found}"
    return folder / "env" / "bin" / "nemo-sdg"


def clean_environment(folder: Path) -> dict[str, str]:
    """Environment variables without the project's path, with separate caches."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "XDG_CACHE_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="first_minutes.") as name:
        folder = Path(name)
        command, work = install(folder), folder / "empty"
        work.mkdir()
        environment = clean_environment(folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        subprocess.run([command, "init", "my_corpus"], check=True, cwd=work, env=environment, stdout=subprocess.DEVNULL)
        tell("init", time.monotonic() - begin)
        begin = time.monotonic()
        wanted = {"first_seed": "seeds/shard-*.jsonl", "first_packed_sample": "packed/**/*.docs.parquet"}
        more = ["seeds.limit_per_task=2"] if arguments.quick else []
        with (
            open(folder / "log", "w") as log,
            subprocess.Popen(
                [command, "run", "my_corpus", *more], cwd=work, env=environment, stdout=log, stderr=log
            ) as process,
        ):
            while wanted:
                ended = process.poll() is not None
                for what, pattern in list(wanted.items()):
                    if any((work / "my_corpus" / "run").glob(pattern)):
                        tell(what, time.monotonic() - begin)
                        del wanted[what]
                if ended:
                    break
                time.sleep(LOOKED_EVERY)
        said = (folder / "log").read_text()
        if process.returncode:
            sys.exit(f"nemo-sdg run failed:\n{said}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        tell("end", time.monotonic() - begin, cpu_seconds=round(cpu, 1), cores=os.cpu_count())
        tell("longest_line", max(map(len, said.splitlines())), "columns", lines=len(said.splitlines()))


if __name__ == "__main__":
    main()
