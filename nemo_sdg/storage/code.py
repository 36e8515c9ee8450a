"""Code that shapes records: the version of this package, and the Python files that a user's file imports."""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

import nemo_sdg
from nemo_sdg.errors import ConfigError

SUFFIXES = {".py", ".jinja", ".yaml", ".json"}
MAX_FILES = 1000
"""files that one file may import, directly and through others, from its own folder"""
INSTALLED = {"site-packages", "dist-packages"}


@functools.cache
def code_version() -> str:
    """`0.1.0+1f3a9c2e`: the version of nemo_sdg and a hash of its source files, which differs in a checkout that was
    changed.
    """
    folder, digest = Path(nemo_sdg.__file__).parent, hashlib.sha256()
    for path in sorted(
        path for path in folder.rglob("*") if path.suffix in SUFFIXES and "__pycache__" not in path.parts
    ):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return f"{nemo_sdg.__version__}+{digest.hexdigest()[:8]}"


def home_of(path: Path) -> Path:
    """The folder whose files belong to a user's file: its top package, or the folder that it lies in."""
    home = path.parent
    while (home.parent / "__init__.py").is_file():
        home = home.parent
    return home


def imported_files(path: Path, home: Path) -> list[Path]:
    """The Python files below `home` that a file imports, directly or through one another, without the file itself.

    Import statements are followed wherever they stand, relative ones and those of modules that lie below `home` or are
    `home`. Not followed: names that are put together at run time, and modules beside a single installed file. Raises
    ConfigError for more than MAX_FILES files.
    """
    home, start = home.resolve(), path.resolve()
    if home.name in INSTALLED:
        return []
    found, queue = {start}, [start]
    while queue:
        file = queue.pop()
        for candidate in _candidates(file, home):
            if candidate not in found and candidate.is_file():
                found.add(candidate)
                queue.append(candidate)
        if len(found) > MAX_FILES:
            raise ConfigError(f"{path} imports more than {MAX_FILES} files of {home}; move it to a smaller folder")
    return sorted(found - {start})


def _candidates(file: Path, home: Path) -> Iterator[Path]:
    """The files below `home` that the import statements of a file could mean."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):  # the import itself says what is wrong
        return
    for level, parts in _imports(tree):
        if level == 0 and parts[0] == nemo_sdg.__name__:
            continue
        folders = list(file.parents[level - 1 : level]) if level else [home, home.parent, file.parent]
        for folder in folders:
            for length in range(1, len(parts) + 1):
                module = folder.joinpath(*parts[:length])
                for candidate in (module / "__init__.py", module.with_name(f"{module.name}.py")):
                    if candidate.resolve().is_relative_to(home):
                        yield candidate.resolve()


def _imports(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """(number of leading dots, parts of the name) of all that is imported; what `from` takes may be a module too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            yield from ((node.level, [*parts, alias.name]) for alias in node.names)
