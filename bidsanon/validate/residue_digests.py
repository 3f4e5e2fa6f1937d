"""Hashes of what a source says: who knows the value, or can try all, knows whose a hash is.

heudiconv's column ``randstr`` in scans.tsv is one: the first eight digits of the MD5 of all UIDs of
the first file of a series. Others call subjects by the MD5 or SHA of their patient ID. They are
looked up among the hexadecimal numbers that a text holds, by their first eight digits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from bidsanon.session import IdentifyingValue, ValueKind
from bidsanon.validate.residue_needles import Source
from bidsanon.validate.residue_uids import UidFind

_DIGITS = 8
_COMPARED = 16
_HEX = re.compile(rf"(?<![0-9a-z])[0-9a-f]{{{_DIGITS},128}}(?![0-9a-z])", re.ASCII)
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
        for match in _HEX.finditer(text):
            known = self._known.get(match[0][:_DIGITS])
            if known is not None and match[0].startswith(known[0][: len(match[0])]):
                yield UidFind(match.start(), match[0], known[1])


def _digests(text: str) -> Iterator[str]:
    for spelling in dict.fromkeys((text, text.lower(), text.upper())):
        for function in _FUNCTIONS:
            digest = function(spelling.encode("utf-8", "replace"), usedforsecurity=False)
            yield digest.hexdigest()[:_COMPARED]
