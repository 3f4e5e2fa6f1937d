"""The Siemens measurement protocol: the ASCCONV text within MrPhoenixProtocol and MrProtocol.

A protocol is an XProtocol (a tree of dialogue texts and parameters) around one or more ASCCONV
sections, lists of ``key = value`` lines. dcm2niix, dcmstack and others read the ASCCONV sections
and nothing else; they are what is modelled here. Which keys may stay is data:
``data/private_siemens_protocol_keys.tsv``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from bidsanon.dicom.allowed import SIEMENS_PROTOCOL_KEYS, AllowedName, allowed_names
from bidsanon.errors import SourceError

BEGIN = "### ASCCONV BEGIN"
END = "### ASCCONV END"

_SECTION = re.compile(rf"{BEGIN}([^\r\n]*?)###[^\r\n]*\r?\n(.*?){END}", re.DOTALL)
_FORMAT = re.compile(
    r"(?: object=(?P<object>\w+@\w+))?(?: version=(?P<version>\d{1,10}))?"
    r"(?: converter=(?P<converter>%MEASCONST%/ConverterList/Prot_Converter\.txt))? "
)
_INDEX = re.compile(r"\[\d+\]")


class ProtocolError(SourceError):
    """A protocol text holds no ASCCONV section that ends; nothing of it can be kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtocolEntry:
    """One line of an ASCCONV section.

    Attributes
    ----------
    key
        With its indices: "sSliceArray.asSlice[0].dThickness".
    value
        As written; a text with its quotes, of which there may be two or more pairs.
    """

    key: str
    value: str

    @property
    def text(self) -> str | None:
        """The value without its quotes, or None where it is no text."""
        stripped = self.value.strip('"')
        return stripped if stripped != self.value else None

    def with_text(self, text: str) -> ProtocolEntry:
        """Return this entry with another text in the same quotes."""
        quotes = '"' * ((len(self.value) - len(self.value.lstrip('"'))) or 1)
        if not self.value.strip('"'):
            quotes = '"' * (len(self.value) // 2)
        return ProtocolEntry(key=self.key, value=f"{quotes}{text}{quotes}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtocolSection:
    """One ASCCONV section.

    Attributes
    ----------
    attributes
        What its first line says of the format ("object=… version=…"); empty where it says nothing
        that is understood.
    entries
        In their order; lines that are no entries are left out.
    """

    attributes: str
    entries: tuple[ProtocolEntry, ...]


def parse_protocol(text: str) -> tuple[ProtocolSection, ...]:
    """Read the ASCCONV sections of a protocol.

    Raises
    ------
    ProtocolError
        If there is none, or one does not end.
    """
    sections = tuple(
        ProtocolSection(attributes=_attributes(found[1]), entries=_entries(found[2]))
        for found in _SECTION.finditer(text)
    )
    if not sections or len(sections) != text.count(BEGIN):
        raise ProtocolError("a protocol text has no ASCCONV section, or one without an end")
    return sections


def write_protocol(sections: Iterable[ProtocolSection]) -> str:
    """Write ASCCONV sections, without any XProtocol around them.

    An empty line comes first: dcm2niix skips one byte of a protocol that stands by itself.
    """
    lines = [""]
    for section in sections:
        lines.append(f"{BEGIN} {section.attributes + ' ' if section.attributes else ''}###")
        lines += [f"{entry.key}\t = \t{entry.value}" for entry in section.entries]
        lines.append(f"{END} ###")
    return "\n".join(lines) + "\n"


def allowed_key(key: str) -> AllowedName | None:
    """Return what may stay of a key's values: its own row, or that of the nearest key above it."""
    return _allowed_without_indices(_INDEX.sub("[]", key))


@lru_cache(maxsize=8192)
def _allowed_without_indices(key: str) -> AllowedName | None:
    names = allowed_names(SIEMENS_PROTOCOL_KEYS)
    while True:
        allowed = names.get(key) or names.get(key.removesuffix("[]"))
        if allowed or "." not in key:
            return allowed
        key = key.rpartition(".")[0]


def _attributes(line: str) -> str:
    return line.strip() if _FORMAT.fullmatch(line) else ""


def _entries(body: str) -> tuple[ProtocolEntry, ...]:
    entries: list[ProtocolEntry] = []
    for line in body.splitlines():
        key, sign, value = (part.strip() for part in line.partition("="))
        if sign and key and not any(character.isspace() for character in key):
            entries.append(ProtocolEntry(key=key, value=value))
    return tuple(entries)
