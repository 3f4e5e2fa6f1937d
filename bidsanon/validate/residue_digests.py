"""Hashes of what a source says: who knows the value, or can try all, knows whose a hash is.

heudiconv's column ``randstr`` in scans.tsv is one: the first eight digits of the MD5 of all UIDs of
the first file of a series. Others call subjects by the MD5 or SHA of their patient ID. They are
looked up among the hexadecimal numbers that a text holds, by their first eight digits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydicom.datadict import keyword_for_tag

from bidsanon.dicom.dates import parse_date
from bidsanon.dicom.file_format import DicomFile
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue_needles import Source
from bidsanon.validate.residue_runs import alphabet_table, spans
from bidsanon.validate.residue_uids import UidFind

_DIGITS = 8
_COMPARED = 16
_WORD = alphabet_table(b"0123456789abcdefghijklmnopqrstuvwxyz")
_FUNCTIONS = (hashlib.md5, hashlib.sha1, hashlib.sha256)
_LONG_FUNCTIONS = (hashlib.sha224, hashlib.sha384, hashlib.sha512, hashlib.blake2b)
_ENDS = ("", "\n")
"""What a shell hashes ends a line."""
_HASHED = frozenset({ValueKind.NAME, ValueKind.IDENTIFIER, ValueKind.UID})
_HASHED_IN_MORE_WAYS = frozenset({ValueKind.NAME, ValueKind.IDENTIFIER, ValueKind.DATE})
"""What is known of persons, of which there is not much, and days, which are soon tried."""
_SHORTEST = 4
_JOINTS = ("", " ", "^", "_")
_PARTS = re.compile(r"[^\s^,]+")
_NO_SIGN = re.compile(r"[\W_]+")


class DigestIndex:
    """The hashes of names, identifiers and UIDs, and hashes that somebody else may have made.

    Parameters
    ----------
    values
        Identifying values.
    made
        Hashes of eight digits that a program makes of the source, each with where it hashes from.
    """

    def __init__(
        self, values: Iterable[IdentifyingValue], made: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._known: dict[str, tuple[str, Source]] = {}
        self._long: dict[str, Source] = {}
        same: dict[Source, Source] = {}
        for value in values:
            if value.kind in _HASHED and len(value.text.strip()) >= _SHORTEST:
                source = Source(value.kind, f"{value.origin}, hashed")
                source = same.setdefault(source, source)
                for digest in _digests(value.text.strip()):
                    self._known.setdefault(digest[:_DIGITS], (digest, source))
            if value.kind in _HASHED_IN_MORE_WAYS and len(value.text.strip()) >= _SHORTEST:
                source = Source(value.kind, f"{value.origin}, hashed")
                for digest in _rarer_digests(value):
                    self._long.setdefault(digest, source)
        for digest, origin in made:
            self._known.setdefault(digest, (digest, Source(ValueKind.UID, origin)))

    def find(self, text: str) -> Iterator[UidFind]:
        """Yield the hashes that stand in a text in lower case."""
        if not (self._known or self._long):
            return
        for start, end in spans(text, _WORD, _DIGITS):
            known = self._known.get(text[start : start + _DIGITS])
            if known is not None and text[start:end].startswith(known[0][: end - start]):
                yield UidFind(start, text[start:end], known[1])
            elif end - start >= _COMPARED:
                source = self._long.get(text[start : start + _COMPARED])
                if source is not None:
                    yield UidFind(start, text[start:end], source)


def randstr_of(file: DicomFile) -> str:
    """Return what heudiconv writes as `randstr` for a series of which this is the first file.

    It is the beginning of the MD5 of all UIDs of the data set, by their keywords: who has the file,
    or guesses its UIDs, knows it again.

    Parameters
    ----------
    file
        Read as far as its pixel data, at least.
    """
    uids = {
        keyword: file.content[element.body : element.end].decode("ascii", "replace").strip("\0 ")
        for element in file.data_set.elements
        if (keyword := keyword_for_tag(element.tag)).endswith("UID")
    }
    written = "".join(text for _, text in sorted(uids.items()))
    return hashlib.md5(written.encode(), usedforsecurity=False).hexdigest()[:_DIGITS]


def _digests(text: str) -> Iterator[str]:
    for spelling in _cases(text):
        yield from _hashed(spelling, _FUNCTIONS)


def _rarer_digests(value: IdentifyingValue) -> Iterator[str]:
    """Yield hashes that are found where at least sixteen digits of them stand."""
    text = value.text.strip()
    spellings = [text]
    if value.kind is ValueKind.NAME:
        parts = _PARTS.findall(text.partition("=")[0])
        orders = [order for some in (parts, parts[:2]) for order in (some, some[::-1])]
        spellings += [joint.join(order) for order in orders for joint in _JOINTS]
        spellings += [f"{parts[0]}, {' '.join(parts[1:])}"] if parts else []
    elif value.kind is ValueKind.DATE:
        day = parse_date(text)
        spellings += [day.isoformat()] if day else []
    else:
        bare = _NO_SIGN.sub("", text)
        digits = "".join(filter(str.isdigit, text))
        spellings += [bare, bare.lstrip("0"), digits, digits.lstrip("0")]
    for spelling in dict.fromkeys(spellings):
        for written in _cases(spelling) if len(spelling) >= _SHORTEST else ():
            for end in _ENDS:
                yield from _hashed(written + end, (*_FUNCTIONS, *_LONG_FUNCTIONS))


def _cases(text: str) -> Iterable[str]:
    return dict.fromkeys((text, text.lower(), text.upper()))


def _hashed(text: str, functions: Iterable[Callable[..., Any]]) -> Iterator[str]:
    for function in functions:
        digest = function(text.encode("utf-8", "replace"), usedforsecurity=False)
        yield digest.hexdigest()[:_COMPARED]
