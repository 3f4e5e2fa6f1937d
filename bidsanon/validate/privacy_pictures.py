"""What pictures say beside their pixels: EXIF and XMP of cameras, OME-XML of microscopes, texts.

Of a TIFF of many pages the first is looked at, where programs write all of this.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from xml.parsers import expat

from bidsanon.validate.privacy_fields import Field, field_spots
from bidsanon.validate.privacy_hdf5 import as_field
from bidsanon.validate.privacy_spots import Spot
from bidsanon.validate.privacy_texts import unread

READ = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".btf"})

_CODES = ("PRIVACY_PICTURE_FIELD", "PRIVACY_PICTURE_FIELD_PERHAPS")
_GPS, _EXIF = 0x8825, 0x8769
_POSITIONS = frozenset({2, 4})
_XMP = 700
_LONGEST = 1 << 24
_LONGEST_CHUNK = 1 << 22
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _TIFF = b"\xff\xd8\xff", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, EOFError, struct.error),
    *(RuntimeError, OverflowError, AttributeError, zlib.error, expat.ExpatError),
)
"""What Pillow raises for what is damaged."""


def is_picture(name: str) -> bool:
    """Tell a picture that is looked into, by its name."""
    return PurePosixPath(name).suffix.lower() in READ


def picture_spots(name: str, path: Path) -> Iterator[Spot]:
    """Yield what a picture tells beside its pixels.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        try:
            fields, has_position = _fields(stream)
        except _DAMAGED:
            yield unread(name)
            return
    if has_position:
        yield Spot(code=_CODES[0], location=name, details={"field": "the position (GPS)"})
    for spot in field_spots(name, fields):
        yield as_field(spot, _CODES)


def _fields(stream: BinaryIO) -> tuple[list[Field], bool]:
    """Return the texts of a picture by their names, and whether it says where it was taken."""
    begin = stream.read(len(_PNG))
    found = list(_png_texts(stream)) if begin == _PNG else []
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _opened(stream, begin) as picture:
            exif = picture.getexif()
            found += list(_of_exif(exif))
            for text in (picture.info.get("comment"), picture.info.get("xmp"), exif.get(_XMP)):
                found += _of_text(("UserComment",), text)
            return found, not _POSITIONS.isdisjoint(exif.get_ifd(_GPS))


def _opened(stream: BinaryIO, begin: bytes) -> Any:
    """Open a picture by its first bytes, however many pixels it has: none of them is read."""
    from PIL import JpegImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: PLC0415 - start-up

    if begin == _PNG:
        return PngImagePlugin.PngImageFile(stream)
    if begin.startswith(_JPEG):
        return JpegImagePlugin.JpegImageFile(stream)
    if begin.startswith(_TIFF):
        return TiffImagePlugin.TiffImageFile(stream)
    raise ValueError


def _of_exif(exif: Any) -> Iterator[Field]:
    from PIL import ExifTags  # noqa: PLC0415 - start-up time

    for tags in (exif, exif.get_ifd(_EXIF)):
        for tag, value in tags.items():
            named = ExifTags.TAGS.get(tag, "")
            if tag in {_GPS, _EXIF, _XMP} or not named:
                continue
            wide = named.startswith("XP") and isinstance(value, bytes)
            text = value.decode("utf-16-le", "replace") if wide else value
            yield from _of_text((named,), text)


def _of_text(names: tuple[str, ...], value: Any) -> Iterator[Field]:
    """Yield a text; of XML, each of its own texts and attributes."""
    if isinstance(value, bytes):
        value = value.removeprefix(b"ASCII\0\0\0").removeprefix(b"UNICODE\0")
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return
    text = value.strip("\0 \r\n\t")
    if len(text) > _LONGEST:
        raise ValueError
    if text.startswith(("<?xml", "<OME", "<?xpacket", "<x:xmpmeta")):
        yield from _of_xml(text)
    elif text:
        is_moment = text[4:5] == ":" and text[7:8] == ":"  # as EXIF writes days
        yield names, text[:10].replace(":", "-") + text[10:] if is_moment else text


def _of_xml(text: str) -> Iterator[Field]:
    """Yield what elements and attributes are called, and what they say."""
    found: list[Field] = []
    names: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        names.append(name.rpartition(":")[2])
        found.extend(((key.rpartition(":")[2],), said) for key, said in attributes.items())

    def characters(said: str) -> None:
        last = next((one for one in reversed(names) if one not in {"li", "Seq", "Alt", "Bag"}), "")
        if said.strip():
            found.append(((last,), said.strip()))

    def refuse(*_: object) -> None:
        raise ValueError

    parser: Any = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = begin, characters
    parser.EndElementHandler = lambda _: names.pop()
    parser.EntityDeclHandler = refuse
    parser.Parse(text.partition("<?xpacket end")[0].encode(), True)
    yield from found


def _png_texts(stream: BinaryIO) -> Iterator[Field]:
    """Yield the texts of a PNG, wherever they stand in it (PNG, 11.3.3)."""
    while len(head := stream.read(8)) == 8:  # noqa: PLR2004 (length and kind)
        (size,) = struct.unpack(">I", head[:4])
        if head[4:] not in _TEXT_CHUNKS:
            stream.seek(size + 4, 1)
            continue
        if size > _LONGEST_CHUNK:
            raise ValueError
        key, _, rest = stream.read(size).partition(b"\0")
        stream.seek(4, 1)
        yield from _of_text((key.decode("latin-1"),), _png_text(head[4:], rest))


def _png_text(kind: bytes, rest: bytes) -> bytes:
    if kind == b"tEXt":
        return rest.decode("latin-1").encode()
    is_packed = kind == b"zTXt" or rest[:1] == b"\1"
    packed = rest[1:] if kind == b"zTXt" else rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return zlib.decompressobj().decompress(packed, _LONGEST_CHUNK) if is_packed else packed
