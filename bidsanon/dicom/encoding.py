"""How DICOM data sets are written (PS3.5 7, 10 and A): transfer syntaxes, byte orders, headers."""

from __future__ import annotations

import struct
from typing import NamedTuple

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD

TAG_LENGTH = {True: struct.Struct("<HHL"), False: struct.Struct(">HHL")}
TAG_VR_LENGTH = {True: struct.Struct("<HH2sH"), False: struct.Struct(">HH2sH")}
TAG_VR_LONG_LENGTH = {True: struct.Struct("<HH2sHL"), False: struct.Struct(">HH2sHL")}


class NotUnderstoodError(ValueError):
    """A DICOM file, or a part of it, that cannot be understood completely.

    Its text holds neither a value of the file nor a position, so that many files with the same
    trouble have the same text.
    """


class Encoding(NamedTuple):
    """How a data set is written: with or without VRs, and in which byte order."""

    explicit: bool
    little_endian: bool


EXPLICIT_LITTLE = Encoding(explicit=True, little_endian=True)
EXPLICIT_BIG = Encoding(explicit=True, little_endian=False)
IMPLICIT_LITTLE = Encoding(explicit=False, little_endian=True)
