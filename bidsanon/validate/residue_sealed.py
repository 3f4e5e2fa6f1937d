"""Knows by their marks what nobody can search: encrypted, or packed in ways not known here."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

_MARKS = (
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7z archive is within it"),
    (re.compile(rb"Rar!\x1a\x07[\x00\x01]"), "a rar archive is within it"),
    (re.compile(rb"\x04\x22\x4d\x18[\x40-\x7f][\x40\x50\x60\x70]"), "it holds data packed by lz4"),
    (re.compile(rb"-----BEGIN PGP MESSAGE-----"), "it is encrypted"),
    (re.compile(rb"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"), "it has a password"),
)
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd")
_LARGEST_ZSTD_BLOCK = 1 << 17
_HEADS = (
    (re.compile(rb"PAR1"), "it is packed by Parquet, which cannot be read here"),
    (re.compile(rb"Salted__|\0GITCRYPT|age-encryption\.org/"), "it is encrypted"),
    (re.compile(rb"\x5d\0\0..\xff{8}", re.DOTALL), "it is packed by lzma, which is not read here"),
    (
        re.compile(rb".{128}DICM.{0,400}1\.2\.840\.10008\.1\.2\.1\.99", re.DOTALL),
        "it is DICOM that is compressed as a whole",
    ),
)
_PDF = re.compile(rb"%PDF-\d")
LONGEST_BEFORE_PDF = 1 << 10
_IN_PDF = (
    (re.compile(rb"/Encrypt\b"), "it is an encrypted PDF"),
    (
        re.compile(rb"/Identity-[HV]\b"),
        "it is a PDF whose text is written by the numbers of its font's own signs",
    ),
    (
        re.compile(rb"/(?:ASCII85|LZW|RunLength)Decode\b"),
        "it is a PDF that is packed in a way not known here",
    ),
)
_HDF5 = re.compile(rb"\x89HDF\r\n\x1a\n")
_IN_HDF5 = (
    (
        # A filter's number from 32000 on, lengths, flags, and its name (HDF5 format, IV.A.2.l).
        re.compile(rb"[\x00-\x40]\x7d[\x00-\x40]\x00[\x00\x01]\x00[\x00-\x20]\x00[A-Za-z]{3}"),
        "it is HDF5 that is packed by a filter not known here",
    ),
    (
        re.compile(rb"\x04\x00[\x00-\x10]\x00[\x00\x01]\x00[\x00-\x10]\x00szip"),
        "it is HDF5 that is packed by szip",
    ),
)
_BLOSC = struct.Struct("<4B3I")
_BLOSC_VERSIONS = (1, 2, 3, 4, 5)


class Seals:
    """Looks for the marks of what cannot be searched in bytes that go by.

    Parameters
    ----------
    kind
        What marks are looked for besides those of every file: those of what these bytes are in.
    read_pdfs
        Down to which depth PDF is read elsewhere: 1 for these bytes, 2 for what is packed in them.
    """

    def __init__(
        self, kind: tuple[tuple[re.Pattern[bytes], str], ...] = (), *, read_pdfs: int = 0
    ) -> None:
        self.kind = kind
        self._read_pdfs = read_pdfs
        self._is_begun = False

    def within(self) -> Seals:
        """Return what looks for the marks in what is packed in these bytes."""
        return Seals(self.kind, read_pdfs=self._read_pdfs - 1)

    def problems(self, content: bytes) -> Iterator[str]:
        """Yield why some bytes, or what they begin, cannot be searched."""
        if not self._is_begun:
            self._is_begun = True
            self.kind += _IN_HDF5 if _HDF5.search(content, 0, 4096) else ()
            yield from (words for mark, words in _HEADS if mark.match(content))
        is_unread_pdf = self._read_pdfs <= 0 and _PDF.search(content) is not None
        if is_unread_pdf and not set(_IN_PDF) <= set(self.kind):
            self.kind += _IN_PDF
        yield from (words for mark, words in (*_MARKS, *self.kind) if mark.search(content))
        if any(_is_zstd(content, match.end()) for match in _ZSTD.finditer(content)):
            yield "it holds data packed by zstd"


def is_pdf(head: bytes) -> bool:
    """Whether a PDF begins with some bytes (ISO 32000-1, 7.5.2 and its note)."""
    return _PDF.search(head, 0, LONGEST_BEFORE_PDF) is not None


def _is_zstd(content: bytes, position: int) -> bool:
    """Whether a frame of Zstandard begins, after its magic number (RFC 8878, 3.1.1)."""
    if position >= len(content):
        return True
    descriptor = content[position]
    is_single = bool(descriptor & 0x20)
    sizes = (int(is_single), 2, 4, 8)[descriptor >> 6]
    block = position + 1 + (not is_single) + (0, 1, 2, 4)[descriptor & 3] + sizes
    heading = int.from_bytes(content[block : block + 3], "little")
    kind, size = heading >> 1 & 3, heading >> 3
    return not descriptor & 0x08 and kind != 3 and size <= _LARGEST_ZSTD_BLOCK  # noqa: PLR2004


def is_blosc(head: bytes, size: int) -> bool:
    """Whether a file of some size is what Blosc packs an array to, by its heading."""
    if len(head) < _BLOSC.size:
        return False
    version, _, _, item, unpacked, block, packed = _BLOSC.unpack_from(head)
    is_heading = version in _BLOSC_VERSIONS and item > 0 and 0 < block <= max(unpacked, 1)
    return is_heading and packed == size
