"""Hashes of what a source says: who knows the value, or can try all, knows whose a hash is.

heudiconv's column ``randstr`` in scans.tsv is one: the first eight digits of the MD5 of all UIDs of
the first file of a series. Others call subjects by the MD5 or SHA of their patient ID. They are
looked up among the hexadecimal numbers that a text holds, by their first eight digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from pydicom.datadict import keyword_for_tag

from bidsanon.dicom.file_format import DicomFile
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue_needles import Source
from bidsanon.validate.residue_runs import alphabet_table, spans
from bidsanon.validate.residue_uids import UidFind

_DIGITS = 8
_COMPARED = 16
_WORD = alphabet_table(b"0123456789abcdefghijklmnopqrstuvwxyz")
_FUNCTIONS = (hashlib.md5, hashlib.sha1, hashlib.sha256)
_HASHED = frozenset({ValueKind.NAME, ValueKind.IDENTIFIER, ValueKind.UID})
_SHORTEST = 4


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
        same: dict[Source, Source] = {}
        for value in values:
            if value.kind in _HASHED and len(value.text.strip()) >= _SHORTEST:
                source = Source(value.kind, f"{value.origin}, hashed")
                source = same.setdefault(source, source)
                for digest in _digests(value.text.strip()):
                    self._known.setdefault(digest[:_DIGITS], (digest, source))
        for digest, origin in made:
            self._known.setdefault(digest, (digest, Source(ValueKind.UID, origin)))

    def find(self, text: str) -> Iterator[UidFind]:
        """Yield the hashes that stand in a text in lower case."""
        if not self._known:
            return
        for start, end in spans(text, _WORD, _DIGITS):
            known = self._known.get(text[start : start + _DIGITS])
            if known is not None and text[start:end].startswith(known[0][: end - start]):
                yield UidFind(start, text[start:end], known[1])


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
    for spelling in dict.fromkeys((text, text.lower(), text.upper())):
        for function in _FUNCTIONS:
            digest = function(spelling.encode("utf-8", "replace"), usedforsecurity=False)
            yield digest.hexdigest()[:_COMPARED]
