"""Explains an error in a configuration in one plain line: the field, its value, the rule, and similar names.

generate.votes must be a whole number, got 'many'
generate.vots is not a field of the configuration; did you mean generate.votes?
"""

import dataclasses
import difflib
import enum
import re
import types
import typing
from collections.abc import Iterator
from typing import Any

from nemo_sdg.errors import ConfigError

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def explain(exc: Exception, structure: type, given: Any = None) -> str:
    """Explains an error of OmegaConf or YAML. `given` is the configuration with overrides, as plain data."""
    from omegaconf.errors import ConfigKeyError, InterpolationKeyError, OmegaConfBaseException

    lines = [line.strip() for line in str(exc).splitlines() if line.strip()] or [type(exc).__name__]
    if not isinstance(exc, OmegaConfBaseException):
        return " ".join(lines)
    key = str(exc.full_key or exc.key or "")
    if isinstance(exc, InterpolationKeyError):
        name = re.sub(r"^Interpolation key '(.*)' not found$", r"\1", lines[0])
        return f"{key} names ${{{name}}}, which is no field; for an environment variable write ${{oc.env:{name}}}"
    if given is None and "DictConfig with ListConfig" in lines[0]:
        whole = "seeds.tasks=[a, b] or roles.solver=[{model: a}]"
        return f"an override gives a single entry of a list; write the whole list, such as {whole}"
    known = dict(fields_of(structure))
    if isinstance(exc, ConfigKeyError) and "not in" in lines[0]:
        if "." not in key and dataclasses.is_dataclass(exc.object_type) and exc.object_type is not structure:
            known = {field.name: field.type for field in dataclasses.fields(exc.object_type)}  # within a list
        name, colon, value = key.partition(":")
        if colon and value:
            return f"{key} is not a field of the configuration; YAML wants a space after the colon: {name}: {value}"
        return f"{key} is not a field of the configuration{hint(key, known)}"
    wrong = mistyped(structure, given) if not key or key not in known else key
    if wrong and wrong in known:
        value = look_up(given, wrong)
        got = "" if value is None else f", got {value!r}"
        return f"{wrong} must be {rule(known[wrong])}{got}"
    return f"{key}: {lines[0]}" if key else lines[0]


def refuse_overrides(overrides: list[str]) -> None:
    """Raises ConfigError for an argument that is no `key=value`, and for a value that is no YAML."""
    import yaml

    for override in overrides:
        key, equals, value = override.partition("=")
        if equals and re.fullmatch(r"[\w.\[\]-]+", key):
            continue
        if named := re.fullmatch(r"(curate\.filters)\.([\w.]+:\w+)(?:\.(\w+))?", key):
            section, name, threshold = named.groups()
            inner = f"{{{threshold}: {value}}}" if threshold else value
            raise ConfigError(f"{override!r}: no colon may stand before the =; write '{section}={{{name}: {inner}}}'")
        quoted = "; put quotes around one with spaces" if re.search(r"[\[\]{}:,]", override) else ""
        raise ConfigError(f"{override!r} is not an override: write key=value, such as generate.votes=3{quoted}")
    for key, _, value in (override.partition("=") for override in overrides):
        try:
            yaml.safe_load(value)
        except yaml.YAMLError as exc:
            why = getattr(exc, "problem", None) or "it cannot be read"
            raise ConfigError(
                f"the value of {key} is no YAML: {value} ({why}); put quotes around an override with spaces, and "
                "around an entry with brackets or colons"
            ) from exc


def fields_of(structure: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, type) of all fields; a section comes before its fields."""
    hints = typing.get_type_hints(structure)
    for field in dataclasses.fields(structure):
        name, kind = f"{prefix}{field.name}", hints[field.name]
        yield name, kind
        inner = plain(kind)
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from fields_of(inner, f"{name}.")


def plain(kind: Any) -> Any:
    """A type without its `| None`."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return next(part for part in typing.get_args(kind) if part is not type(None))
    return kind


def hint(key: str, known: dict[str, Any]) -> str:
    """Names a similar field: in the same section, or in another section that has it."""
    section, _, name = key.rpartition(".")
    beside = [field for field in known if field.rpartition(".")[0] == section]
    near = difflib.get_close_matches(key, beside, n=1, cutoff=0.5 + 0.5 * len(section) / max(len(key), 1))
    elsewhere = [field for field in known if field.rpartition(".")[2] == name]
    if elsewhere or near:
        return f"; did you mean {' or '.join((elsewhere or near)[:3])}?"
    anywhere = difflib.get_close_matches(name, {field.rpartition(".")[2]: 0 for field in known}, n=1, cutoff=0.75)
    if anywhere:
        return f"; did you mean {next(f for f in known if f.rpartition('.')[2] == anywhere[0])}?"
    return f"; there are {', '.join(field.rpartition('.')[2] for field in beside)}" if beside else ""


def rule(kind: Any) -> str:
    """The values of a type, in words."""
    inner = plain(kind)
    empty = " or null" if inner is not kind else ""
    if isinstance(inner, type) and issubclass(inner, enum.Enum):
        return f"one of {', '.join(str(member.value) for member in inner)}{empty}"
    if dataclasses.is_dataclass(inner):
        names = [field.name for field in dataclasses.fields(inner)]
        return f"a section with fields such as {', '.join(names[:3])}{empty}"
    if typing.get_origin(inner) is list:
        entries = typing.get_args(inner)[0]
        if dataclasses.is_dataclass(entries):
            first = dataclasses.fields(entries)[1 if len(dataclasses.fields(entries)) > 1 else 0].name
            return f"a list of sections such as [{{{first}: ...}}]{empty}"
        return f"a list such as [a, b]{empty}"
    if typing.get_origin(inner) is dict:
        return f"a mapping such as {{name: value}}{empty}"
    return WORDS.get(inner, "another value") + empty


def mistyped(structure: type, given: Any) -> str:
    """The first field that must be a section, list or mapping, but has another value; '' if there is none."""
    for name, kind in fields_of(structure):
        value, inner = look_up(given, name), plain(kind)
        if value is None:
            continue
        origin = typing.get_origin(inner)
        if (dataclasses.is_dataclass(inner) or origin is dict) and not isinstance(value, dict):
            return name
        if origin is list and not isinstance(value, list):
            return name
    return ""


def look_up(given: Any, key: str) -> Any:
    for name in key.split("."):
        if not isinstance(given, dict):
            return None
        given = given.get(name)
    return given
