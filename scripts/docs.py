"""Writes the pages and pictures of docs/ that are made from the code.

    python scripts/docs.py            docs/reference/*.md and docs/images/way-*.svg

tests/unit/test_docs_made.py fails while one of them differs from what this script would write.
"""

import ast
import dataclasses
import enum
import inspect
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from docs_picture import way_svg  # noqa: E402

from nemo_sdg.cli import app  # noqa: E402
from nemo_sdg.cluster.sites import ClusterConfig  # noqa: E402
from nemo_sdg.commands.ablate import AblateConfig  # noqa: E402
from nemo_sdg.commands.ahead.config import descriptions  # noqa: E402
from nemo_sdg.config import OPERATIONAL, RoleSection, RunConfig, as_plain  # noqa: E402

MADE = "<!-- made by scripts/docs.py: change the code, then run it -->"
NAMES = {bool: "true or false", int: "integer", float: "number", str: "text", Any: "anything", types.NoneType: "null"}
COLUMNS = 100
"""of the printed help"""


def files() -> dict[str, str]:
    """Path from the repository's root -> text of every file that is made."""
    return {
        "docs/reference/configuration.md": configuration_page(),
        "docs/reference/commands.md": commands_page(),
        "docs/images/way-light.svg": way_svg(dark=False),
        "docs/images/way-dark.svg": way_svg(dark=True),
    }


def configuration_page() -> str:
    """Every field of a run's configuration, of a cluster file and of an ablation."""
    operational = ", ".join(f"`{section}.{name}`" for section in OPERATIONAL for name in sorted(OPERATIONAL[section]))
    parts = [
        "# Configuration",
        MADE,
        "A run is configured by one YAML file, and by `key=value` overrides on the command line. "
        "`nemo-sdg config CONFIG` prints the values of a file, "
        "and `nemo-sdg config --schema` a JSON schema for editors. "
        "Every field has a default, unless its default is given as *required*. Paths start from the working directory; "
        "`${config_dir:}` stands for the folder of the YAML file.",
        "## A run",
    ]
    for field in dataclasses.fields(RunConfig):
        section = typing.get_type_hints(RunConfig)[field.name]
        parts += [f"### {field.name}", _purpose(section), _table(section, field.name)]
    parts += [
        "These fields say how a run is carried out. They change no byte of the result, and a change in them redoes "
        f"nothing: {operational}.",
        "## A cluster file",
        "The file behind `--cluster` of `launch` and `ablate`.",
        _table(ClusterConfig, ""),
        "## An ablation",
        "The file behind `nemo-sdg ablate`.",
        _table(AblateConfig, ""),
    ]
    return "\n\n".join(parts) + "\n"


def _purpose(section: type) -> str:
    return " ".join(inspect.cleandoc(section.__doc__ or "").split()) if section.__doc__ else ""


def _table(section: type, prefix: str) -> str:
    rows = [f"| {' | '.join(_cell(part) for part in row)} |" for row in _rows(section, prefix)]
    return "\n".join(["| field | values | default | meaning |", "|---|---|---|---|", *rows])


def _cell(text: str) -> str:
    """Text as it may stand in a table: no column ends early, and `<name>` outside of code is no HTML."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))


def _rows(section: type, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    """(key, values, default, meaning) of each field; fields of nested sections follow the field that holds them."""
    texts, hints = descriptions(section), typing.get_type_hints(section)
    for field in dataclasses.fields(section):
        key = f"{prefix}.{field.name}" if prefix else field.name
        hint = hints[field.name]
        nested = _nested(hint)
        if nested is None or nested is RoleSection:
            meanings = " ".join(_meanings(hint))
            meaning = ". ".join(filter(None, (texts.get(field.name), meanings)))
            yield f"`{key}`", _values(hint), _default(field), meaning
            continue
        if not dataclasses.is_dataclass(hint):
            yield f"`{key}`", _values(hint), _default(field), texts.get(field.name, "")
        elif field.name in texts:
            yield f"`{key}`", "section", "", texts[field.name]
        mark = {list: "[]", dict: ".NAME"}.get(typing.get_origin(hint) or hint, "")
        yield from _rows(nested, f"{key}{mark}")


def _nested(hint: Any) -> type | None:
    """The dataclass in a hint: the hint itself, or what a list, a mapping or an optional holds."""
    for part in (hint, *typing.get_args(hint)):
        if dataclasses.is_dataclass(part):
            return part if isinstance(part, type) else None
    return None


def _values(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_values(part) for part in arguments)
    if origin is list:
        return f"list of {_values(arguments[0])}"
    if origin is dict:
        return f"mapping to {_values(arguments[1])}"
    if dataclasses.is_dataclass(hint):
        return "fields of `engine`" if hint is RoleSection else "section"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return ", ".join(f"`{member.value}`" for member in hint)
    return NAMES[hint]


def _meanings(hint: Any) -> list[str]:
    """What the values of an Enum mean, by the docstrings under its members."""
    if not (isinstance(hint, type) and issubclass(hint, enum.Enum)):
        return []
    tree = ast.parse(textwrap.dedent(inspect.getsource(hint))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = []
    for member, after in zip(tree.body, tree.body[1:], strict=False):
        match member, after:
            case ast.Assign(value=ast.Constant(value=str(value))), ast.Expr(value=ast.Constant(value=str(text))):
                found.append(f"`{value}`: {' '.join(text.split())}.")
    return found


def _default(field: Any) -> str:
    if field.default is not dataclasses.MISSING:
        value = as_plain(field.default)
    elif field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        value = {} if dataclasses.is_dataclass(made) else as_plain(made)
    else:
        return "*required*"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value >= 100_000:
        return f"{value:_}"
    return "empty" if value in ([], {}) else ", ".join(map(str, value)) if isinstance(value, list) else f"{value}"


def commands_page() -> str:
    """What `--help` prints of every command."""
    parts = [
        "# Commands",
        MADE,
        "Each command prints this text with `--help`. An error that you can fix is one line, and the exit code is 2. "
        "The code is 1 where `check` finds a violation, 3 where it finds none in a run that is not finished, 75 while "
        "a run waits for files, and 130 after an interrupt.",
    ]
    for name, command in _leaves(typer.main.get_command(app), "nemo-sdg"):
        context = typer.Context(command, info_name=name, terminal_width=COLUMNS)
        lines = [line.rstrip() for line in command.get_help(context).splitlines()]
        parts += [f"## {name.removeprefix('nemo-sdg ')}", "```text\n" + "\n".join(lines) + "\n```"]
    return "\n\n".join(parts) + "\n"


def _leaves(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def main() -> None:
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
