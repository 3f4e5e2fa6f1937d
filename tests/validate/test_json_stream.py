"""JSON read value by value: the same as when it is read whole, but for what is too large."""

from __future__ import annotations

import json
import math
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bidsanon.validate import json_stream
from bidsanon.validate.json_stream import JsonStream

SHORT = st.none() | st.booleans() | st.integers(-99, 99)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def values(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )


VALUES = values(SHORT | NUMBERS)


class Drops(StringIO):
    """A text that comes in drops of a few characters."""

    def __init__(self, text: str, size: int) -> None:
        super().__init__(text)
        self._size = size

    def read(self, _: int | None = None, /) -> str:
        return super().read(self._size)


def stream(text: str, *, drops: int = 3) -> JsonStream:
    return JsonStream(Drops(text, drops))


@given(value=VALUES, drops=st.integers(1, 20), indent=st.none() | st.integers(0, 2))
@example(value=1.5e300, drops=1, indent=None)
def test_what_is_of_ordinary_size_is_read_as_it_is(
    value: object, drops: int, indent: int | None
) -> None:
    document = stream(f" {json.dumps(value, indent=indent)} \n", drops=drops)

    read = document.value()

    document.end()
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("number", ["-0.5", "1e+5", "12E-3", "7", "1.25e2"])
def test_numbers_are_not_torn_where_reading_pauses(number: str) -> None:
    for drops in range(1, 8):
        read = list(stream(f"[{number},{number}]", drops=drops).items())
        assert read == [float(number)] * 2


@given(value=st.dictionaries(st.text(), VALUES, max_size=4), drops=st.integers(1, 20))
def test_members_and_items_come_in_their_order(value: dict[str, Any], drops: int) -> None:
    document = stream(json.dumps(value), drops=drops)
    assert [(name, document.value()) for name in document.members()] == list(value.items())
    document.end()
    listed = stream(json.dumps([value, value]), drops=drops)
    assert list(listed.items()) == [value, value]
    listed.end()


@given(value=values(SHORT), drops=st.integers(1, 20), largest=st.integers(10, 30))
def test_what_is_too_large_is_passed_over_to_its_end(
    value: object, drops: int, largest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "LARGEST", largest)
        document = stream(json.dumps([value, 1]), drops=drops)
        *_, last = document.items()
        document.end()
    assert last == 1


def test_of_what_is_too_large_only_small_members_that_are_wanted_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_stream, "LARGEST", 20)
    large = {"a": 1, "b": "x" * 50, "c": [1] * 50, "d": {"e": "x" * 50}, "e": 2, "f": [3]}
    read = stream(json.dumps(large)).value(wanted={"a", "b", "c", "d", "f"})
    assert read == {"a": 1, "b": "", "c": [], "d": {}, "f": [3]}


@given(value=VALUES.filter(lambda value: not isinstance(value, int | float)), cut=st.data())
def test_a_part_of_a_document_is_none(value: object, cut: st.DataObject) -> None:
    text = json.dumps(value)
    part = text[: cut.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(ValueError, match=r".+"):
        stream(part).value()


@pytest.mark.parametrize(
    "text", ["", "[", "[1", "[1 2]", "[1,]", "[,1]", "{", '{"a"}', '{"a":1,}', "{1:2}", '"a', "x"]
)
@pytest.mark.parametrize("largest", [0, 1000])
def test_what_is_no_json_is_refused_whatever_its_size(
    text: str, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "LARGEST", largest)
    with pytest.raises(ValueError, match=r".+"):
        stream(text, drops=1).value()


def test_what_follows_a_document_is_refused() -> None:
    document = stream("[1] 2")
    assert document.value() == [1]
    with pytest.raises(ValueError, match="follows"):
        document.end()


def test_what_is_not_asked_for_by_its_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        list(stream("{}").items())
    with pytest.raises(ValueError, match="missing"):
        list(stream("[]").members())
    assert math.isclose(stream("1.5").value(), 1.5)
