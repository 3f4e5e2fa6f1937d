"""Takes JSON apart: names of members, texts and numbers, each with its place.

A large document is taken apart as a stream into its texts and the rest, without their places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from bidsanon.validate.residue_needles import Context
from bidsanon.validate.residue_words import is_known_key

LARGEST = 1 << 21
"""What is longer takes some thirty times as much memory as a document, and is read as a stream."""

_KEY_OF_TIME = re.compile("time|date", re.IGNORECASE)
_SHORTEST_CLOCK = 10_000
_DESCRIPTORS = frozenset({"SeriesDescription", "ProtocolName"})
_NEXT = re.compile(rb'([^"]*+)("(?>(?:[^"\\]++|\\.)*)"|)', re.DOTALL)
"""What stands before the next string, and the string if its end is there."""
_LONGEST_STRING = 1 << 20
_OVERLAP = 1 << 10


class Field(NamedTuple):
    """A name, a text or a number of a document.

    Attributes
    ----------
    text
        As it says, its escapes resolved.
    context
        What kind of text it is.
    pointer
        Where it stands (RFC 6901), step by step.
    """

    text: str
    context: Context
    pointer: tuple[str, ...]


class Stretch(NamedTuple):
    """Some texts, or some of what stands between texts, of a large document, as bytes."""

    content: bytes
    context: Context


def json_fields(content: bytes) -> list[Field] | None:
    """Take a document apart; None where it is no JSON.

    Names that BIDS, dcm2niix or heudiconv give to members are left out.
    """
    try:
        document = json.loads(
            content, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number
        )
    except (ValueError, RecursionError):
        return None
    return list(_fields(document))


def json_stretches(chunks: Iterator[bytes]) -> Iterator[Stretch]:
    """Take a large document apart, whether it is whole or not.

    Parameters
    ----------
    chunks
        Its bytes, in parts of any size.
    """
    begun = b""
    for chunk in chunks:
        content, position = begun + chunk, 0
        strings, between = [], []
        while match := _NEXT.match(content, position):
            between.append(match[1])
            position = match.end()
            if not match[2]:
                break
            strings.append(match[2])
        begun = content[position:]
        if len(begun) > _LONGEST_STRING:
            strings.append(begun)
            begun = b'"' + _end_of(begun)
        yield Stretch(b"\n".join(strings), Context.TEXT)
        yield Stretch(b" ".join(between), Context.MEASURED)
    yield Stretch(begun, Context.TEXT)


def _end_of(string: bytes) -> bytes:
    """Return the end of a string that is not over yet, from no escape's middle on."""
    start = len(string) - _OVERLAP
    end = len(string[start - _OVERLAP : start].rstrip(b"\\"))
    return string[start - _OVERLAP + end :]


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, those of the same name too."""


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def _fields(document: object) -> Iterator[Field]:
    """Yield what a document holds, in its order; without recursion, since it may be deep."""
    waiting: list[tuple[object, tuple[str, ...]]] = [(document, ())]
    while waiting:
        value, pointer = waiting.pop()
        if isinstance(value, _Pairs):
            for key, _ in value:
                if not is_known_key(key):
                    yield Field(key, Context.TEXT, (*pointer, key))
            waiting += [(inner, (*pointer, key)) for key, inner in reversed(value)]
        elif isinstance(value, list):
            numbered = list(enumerate(value))
            waiting += [(inner, (*pointer, str(number))) for number, inner in reversed(numbered)]
        elif isinstance(value, str):
            yield Field(str(value), _context(value, pointer), pointer)


def _context(value: str, pointer: tuple[str, ...]) -> Context:
    if isinstance(value, _Number):
        is_clock = any(map(_KEY_OF_TIME.search, pointer)) and _is_large(value)
        is_measured = any(map(is_known_key, pointer)) and not is_clock
        return Context.MEASURED if is_measured else Context.TEXT
    return Context.DESCRIPTOR if pointer and pointer[-1] in _DESCRIPTORS else Context.TEXT


def _is_large(number: str) -> bool:
    try:
        return float(number) >= _SHORTEST_CLOCK
    except ValueError:
        return True
