"""Converts records to plain dicts and back, and writes them as JSONL lines."""

import dataclasses
import typing
from typing import Any, TypeVar

import orjson

from nemo_sdg.errors import DataError
from nemo_sdg.records.rows import Drop, Seed
from nemo_sdg.records.samples import Sample

Record = TypeVar("Record")


def to_dict(record: Any) -> dict[str, Any]:
    """A record as plain dicts and lists, in the order of its fields. Plain values are not copied."""
    return {name: _plain(getattr(record, name)) for name in record.__slots__}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | dict):
        return value
    return [_plain(item) for item in value] if isinstance(value, list) else to_dict(value)


_NESTED: dict[type, dict[str, type]] = {}


def _nested(cls: type) -> dict[str, type]:
    """Field -> class, for the fields of a record that hold records or lists of records."""
    if cls not in _NESTED:
        _NESTED[cls] = {
            name: part
            for name, hint in typing.get_type_hints(cls).items()
            for part in _parts(hint)
            if isinstance(part, type) and dataclasses.is_dataclass(part)
        }
    return _NESTED[cls]


def _parts(hint: Any) -> list[Any]:
    return [hint, *(part for inner in typing.get_args(hint) for part in _parts(inner))]


def from_dict(cls: type[Record], data: dict[str, Any], *, where: str | None = None) -> Record:
    """The inverse of `to_dict`. Raises DataError when a field is missing or unknown."""
    where = where or f"a {cls.__name__} record"
    fields = dict(data)
    for name, inner in _nested(cls).items():
        value = fields.get(name)
        if isinstance(value, dict):
            fields[name] = from_dict(inner, value, where=f"{name} of {where}")
        elif isinstance(value, list):
            fields[name] = [from_dict(inner, item, where=f"{name} of {where}") for item in value]
    try:
        return cls(**fields)
    except TypeError as exc:
        raise DataError(f"{where} does not fit the schema of {cls.__name__}: {exc}") from exc


def seed_from_dict(data: dict[str, Any]) -> Seed:
    """Raises DataError when a field is missing or unknown."""
    return from_dict(Seed, data)


def sample_from_dict(data: dict[str, Any]) -> Sample:
    """Raises DataError when a field is missing or unknown."""
    return from_dict(Sample, data)


def drop_sample(sample: dict[str, Any], step: str, reason: str, detail: str | None) -> Drop:
    """The drop of a sample, which it keeps whole."""
    return Drop(task=sample["task"], id=sample["sample_id"], step=step, reason=reason, detail=detail, record=sample)


def json_line(record: Any) -> bytes:
    """One JSONL line of a record or a dict, newline included; the bytes depend only on the record."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
