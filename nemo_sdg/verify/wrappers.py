"""The command lines that confine a program: bubblewrap, unshare with pivot_root (util-linux), or limits alone."""

import atexit
import contextlib
import functools
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SCRATCH_BYTES = 16 << 20
ENVIRONMENT = ("PYTHONHASHSEED", "0")
"""All that a program finds in its environment beside PATH; without it the order of a set, and so some results, would
differ from run to run.
"""


def library_paths() -> list[str]:
    """What an interpreter needs: the system's shared libraries, the standard library, itself; nothing twice."""
    paths: list[str] = []
    for path in (
        "/usr",
        "/lib",
        "/lib64",
        "/bin",
        "/etc/ld.so.cache",
        sys.base_prefix,
        os.path.realpath(sys.executable),
    ):
        covered = any(path == known or path.startswith(known + "/") for known in paths)
        if Path(path).exists() and not covered:
            paths.append(path)
    return paths


@functools.cache
def _mount_point() -> str:
    """An empty folder for unshare to mount on; the mounts themselves are seen by the sandboxed process alone."""
    folder = tempfile.mkdtemp(prefix="nemo-sdg-sandbox-")
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def _bubblewrap(python: list[str]) -> list[str]:
    command = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--cap-drop",
        "ALL",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--setenv",
        *ENVIRONMENT,
    ]
    command += [
        "--hostname",
        "sandbox",
        "--proc",
        "/proc",
        "--remount-ro",
        "/proc",
        "--dev",
        "/dev",
        "--remount-ro",
        "/dev",
    ]
    for path in library_paths():
        command += (
            ["--symlink", str(Path(path).readlink()), path] if Path(path).is_symlink() else ["--ro-bind", path, path]
        )
    return [
        *command,
        "--size",
        str(SCRATCH_BYTES),
        "--tmpfs",
        "/tmp",
        "--chdir",
        "/tmp",
        "--remount-ro",
        "/",
        "--",
        *python,
    ]


def _unshare(python: list[str]) -> list[str]:
    root = shlex.quote(_mount_point())
    steps = ["set -e", f"mount -t tmpfs -o size=1m,mode=755 root {root}", f"cd {root}", "mkdir -p old proc dev tmp"]
    for path in library_paths():
        target = shlex.quote("." + path)
        if Path(path).is_symlink():
            steps.append(
                f"mkdir -p {shlex.quote('.' + str(Path(path).parent))}; ln -s "
                f"{shlex.quote(str(Path(path).readlink()))} {target}"
            )
        else:
            make = (
                f"mkdir -p {target}"
                if Path(path).is_dir()
                else f"mkdir -p {shlex.quote('.' + str(Path(path).parent))}; touch {target}"
            )
            steps.append(
                f"{make}; mount --rbind {shlex.quote(path)} {target}; mount -o remount,bind,ro,nosuid {target}"
            )
    steps += [
        "touch dev/null dev/urandom; mount --bind /dev/null dev/null; mount --bind /dev/urandom dev/urandom",
        # Read-only, since where the real user is root /proc/sys is that of the whole machine.
        "mount -t proc -o ro,nosuid,nodev,noexec proc proc",
        f"mount -t tmpfs -o size={SCRATCH_BYTES},mode=777 tmp tmp",
        "pivot_root . old; umount -l /old; rmdir /old; mount -o remount,bind,ro /; cd /tmp",
        "exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all " + shlex.join(python),
    ]
    # The children of a parent that is killed by SIGKILL go with it.
    return [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--pid",
        "--net",
        "--ipc",
        "--uts",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        "\n".join(steps),
    ]


def _limits_alone(python: list[str]) -> list[str]:
    return python


LIMITS_ALONE = "limits"
WRAPPERS: dict[str, tuple[str | None, Callable[[list[str]], list[str]]]] = {
    "bubblewrap": ("bwrap", _bubblewrap),
    "unshare": ("unshare", _unshare),
    LIMITS_ALONE: (None, _limits_alone),
}
