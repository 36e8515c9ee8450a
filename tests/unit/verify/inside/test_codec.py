import collections
import contextlib
import datetime
import decimal
import fractions
import json
import math
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.verify.inside.codec import MAX_FRAME, Channel, Ended, decode, encode

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.sets(st.integers() | st.text(), max_size=4)
        | st.lists(inner, max_size=3).map(collections.deque)
    ),
    max_leaves=20,
)


def refuse(value: Any) -> Any:
    raise TypeError(type(value))


def round_trip(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value, refuse))), refuse)


@settings(deadline=None)
@given(PLAIN)
def test_a_plain_value_comes_back_as_it_went(value: Any) -> None:
    back = round_trip(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        1 << 8000,
        -(1 << 61),
        float("inf"),
        b"",
        bytearray(b"x"),
        range(3, 9, 2),
        slice(1, None),
        ...,
        frozenset({1}),
        collections.Counter("aab"),
        collections.OrderedDict(b=1, a=2),
        decimal.Decimal("1.50"),
        fractions.Fraction(1, 3),
        datetime.date(2000, 1, 2),
        datetime.datetime(2000, 1, 2, 3, tzinfo=datetime.UTC),
        datetime.timedelta(days=-1, microseconds=5),
        {(1, 2): [None]},
        "\ud800",
    ],
)
def test_types_of_the_standard_library_come_back_exactly(value: Any) -> None:
    back = round_trip(value)
    assert back == value
    assert type(back) is type(value)


def test_not_a_number_stays_none() -> None:
    assert math.isnan(round_trip(float("nan")))


class Text(str):
    pass


@pytest.mark.parametrize("value", [Text("x"), [Text("x")], {"a": Text("x")}, object(), len, int])
def test_what_is_not_exactly_of_a_plain_type_is_referred_to(value: Any) -> None:
    seen: list[Any] = []
    encode(value, lambda other: seen.append(other) or ["ref", 0, "x"])
    assert len(seen) == 1


def test_what_holds_itself_or_is_nested_too_deep_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RecursionError):
        encode(loop, refuse)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=6) | st.sampled_from(["list", "dict", "int", "bytes", "Counter"]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    )
)
def test_any_message_is_decoded_or_refused(data: Any) -> None:
    def unknown(reference: list[Any]) -> Any:
        raise ValueError(reference)

    with contextlib.suppress(ValueError, TypeError, IndexError, AttributeError):
        decode(data, unknown)


def test_messages_cross_whole_and_what_is_none_ends_the_talk() -> None:
    reading, writing = os.pipe()
    channel = Channel(reading, writing)
    channel.send({"a": [1, "é"]})
    assert channel.receive() == {"a": [1, "é"]}
    os.write(writing, (MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(Ended):
        channel.receive()
    os.write(writing, (2).to_bytes(4, "big") + b"{]")
    with pytest.raises(Ended):
        channel.receive()
    os.close(writing)
    with pytest.raises(Ended):
        channel.receive()
    os.close(reading)
