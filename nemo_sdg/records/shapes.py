"""Compares what a JSON file holds with the types that describe it: a damaged file is named before it is used."""

import dataclasses
import functools
import types
import typing
from typing import Any

WORDS: dict[Any, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}

LEAVES = {str, int, float, bool}


def misfit(value: Any, shape: Any, name: str = "") -> str | None:
    """What keeps plain data from having a shape, or None: a TypedDict, a dataclass, or what those are made of. Fields
    that the shape does not have are allowed.

    >>> misfit({"weight": "half", "prefix": "a"}, WeightedShard)
    'weight must be a number, got a text'
    """
    if shape is Any or (type(value) is shape and shape in LEAVES):
        return None
    required, fields = _fields(shape)
    origin, parts = typing.get_origin(shape), typing.get_args(shape)
    if origin in (typing.Union, types.UnionType):
        found = [misfit(value, part, name) for part in parts]
        return None if None in found else next(filter(None, found))
    plain = dict if fields is not None else origin or shape
    if not _is(value, plain):
        return f"{name or 'it'} must be {WORDS.get(plain, 'null')}, got {_word(value)}"
    inner: list[tuple[Any, Any, Any]] = []
    if fields is not None:
        if missing := sorted(required - value.keys()):
            return f"{_joined(name, missing[0])} is missing"
        inner = [(key, value[key], hint) for key, hint in fields.items() if key in value]
    elif plain is dict and parts:
        inner = [(key, item, parts[1]) for key, item in value.items()]
    elif plain is list and parts:
        inner = [(place, item, parts[0]) for place, item in enumerate(value)]
    return next((why for key, item, hint in inner if (why := misfit(item, hint, _joined(name, key)))), None)


@functools.cache
def _fields(shape: Any) -> tuple[frozenset[str], dict[str, Any] | None]:
    """The required fields of a class, and all with their shapes; None for what is not a class with fields."""
    if typing.is_typeddict(shape):
        return shape.__required_keys__, typing.get_type_hints(shape)
    if dataclasses.is_dataclass(shape):
        needed = (
            field.name
            for field in dataclasses.fields(shape)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        return frozenset(needed), typing.get_type_hints(shape)
    return frozenset(), None


def _is(value: Any, plain: Any) -> bool:
    if plain in (int, float):
        return isinstance(value, int | plain) and not isinstance(value, bool)
    return isinstance(value, plain)


def _word(value: Any) -> str:
    return next((word for kind, word in WORDS.items() if type(value) is kind), "null")


def _joined(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)
