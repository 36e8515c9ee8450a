"""`nemo-sdg config`: every field of the configuration with its value, where the value comes from, and what it does.

    nemo-sdg config CONFIG [key=value ...]      set fields first, then the defaults
    nemo-sdg config --schema                    a JSON schema, for completion and checks in an editor

The descriptions are the docstrings under the fields in nemo_sdg/config/.
"""

import ast
import dataclasses
import enum
import functools
import inspect
import textwrap
import types
import typing
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from nemo_sdg.config import RunConfig, as_plain, is_run, load_config, load_recorded

WIDTH = 100
"""columns of the printed text"""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One field of the configuration."""

    key: str
    """as in an override: `generate.votes`"""
    value: Any
    default: Any
    description: str

    @property
    def is_set(self) -> bool:
        return bool(self.value != self.default)


@functools.cache
def descriptions(section: Hashable) -> dict[str, str]:
    """The docstring under each field of a dataclass, and of those that it inherits from."""
    found = {}
    for part in reversed([part for part in cast(type, section).__mro__ if dataclasses.is_dataclass(part)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(part))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, after in zip(body.body, body.body[1:], strict=False):
            match field, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = " ".join(text.split())
    return found


def settings(config: RunConfig) -> Iterator[Setting]:
    """Every field of every section, in the order of the dataclasses."""
    for section in dataclasses.fields(RunConfig):
        value = getattr(config, section.name)
        yield from _settings(value, type(value)(), section.name)


def _settings(value: Any, default: Any, prefix: str) -> Iterator[Setting]:
    texts = descriptions(cast(Hashable, type(value)))
    for field in dataclasses.fields(value):
        own, usual = getattr(value, field.name), getattr(default, field.name)
        if dataclasses.is_dataclass(own) and type(own) is type(usual):
            yield from _settings(own, usual, f"{prefix}.{field.name}")
        else:
            yield Setting(
                key=f"{prefix}.{field.name}",
                value=as_plain(own),
                default=as_plain(usual),
                description=texts.get(field.name, ""),
            )


def show(path: Path, overrides: list[str] | None) -> list[str]:
    """The lines that the command prints."""
    folder = path if path.is_dir() else path.parent
    recorded = is_run(folder) and path in (folder, folder / "config.yaml")
    every = list(settings(load_recorded(folder, overrides) if recorded else load_config(path, overrides)))
    keys = {override.partition("=")[0] for override in overrides or []}
    lines = [f"# set in {path} or on the command line"]
    if recorded:
        lines.append("# a run does not record where its servers are, nor other fields that change no byte of it")
    for setting in (setting for setting in every if setting.is_set):
        source = "command line" if setting.key in keys else str(path)
        lines += entry(setting, f"from {source}, default {in_yaml(setting.default)}")
    lines += ["", "# defaults"]
    for setting in (setting for setting in every if not setting.is_set):
        lines += entry(setting, "")
    return lines


def entry(setting: Setting, source: str) -> list[str]:
    """`key: value`, and below it what the field does."""
    note = "; ".join(part for part in (setting.description, source) if part)
    return [
        f"{setting.key}: {in_yaml(setting.value)}",
        *textwrap.wrap(note, WIDTH, initial_indent="    ", subsequent_indent="    "),
    ]


def in_yaml(value: Any) -> str:
    """A value as a YAML file would have it, on one line."""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6).strip().removesuffix("\n...")


def schema() -> dict[str, Any]:
    """A JSON schema (draft 2020-12) of a configuration file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nemo_sdg configuration",
        **_object_schema(RunConfig),
    }


def _object_schema(section: type) -> dict[str, Any]:
    texts, hints = descriptions(section), typing.get_type_hints(section)
    properties = {}
    for field in dataclasses.fields(section):
        properties[field.name] = _type_schema(hints[field.name])
        if field.name in texts:
            properties[field.name]["description"] = texts[field.name]
        if field.default is not dataclasses.MISSING:
            properties[field.name]["default"] = as_plain(field.default)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _type_schema(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        some = [_type_schema(argument) for argument in arguments if argument is not type(None)]
        return {"anyOf": [*some, {"type": "null"}]} if type(None) in arguments else {"anyOf": some}
    if origin is list:
        return {"type": "array", "items": _type_schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(arguments[1])}
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)
        return _object_schema(hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": names[hint]} if hint in names else {}
