"""What files hold that are no tables and no JSON: DICOM, archives of it, image headers, texts.

DICOM is told by its bytes, whatever a file is called, and within archives. Nothing is unpacked to
the disk, and only the beginning of what is large is read.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

import nibabel as nib
from nibabel.wrapstruct import WrapStructError

from bidsanon.bids.brainvision import TEXTS as BRAINVISION
from bidsanon.bids.matlab import is_matlab
from bidsanon.bids.mgh import EXTENSIONS as VOLUMES
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS
from bidsanon.bids.written import (
    names_somebodys_address,
    names_somebodys_folder,
    written_date,
)
from bidsanon.files import is_gzip
from bidsanon.hdf5 import is_hdf5, reader_version
from bidsanon.plain_names import names_in_words
from bidsanon.validate.privacy_gifti import GIFTI, gifti_spots
from bidsanon.validate.privacy_hdf5 import hdf5_spots
from bidsanon.validate.privacy_json import JsonError, json_spots, parse_any_json
from bidsanon.validate.privacy_matlab import matlab_spots
from bidsanon.validate.privacy_pictures import is_picture, picture_spots
from bidsanon.validate.privacy_places import OFFICE, PICTURES
from bidsanon.validate.privacy_recordings import is_of_samples, is_recording, recording_spots
from bidsanon.validate.privacy_spots import Spot
from bidsanon.validate.privacy_texts import text_spots, unread
from bidsanon.validate.privacy_volumes import volume_spots

_MAGIC_AT, _MAGIC = 128, b"DICM"
_FIRST_ELEMENT = re.compile(
    rb"\x08\x00[\x00\x01\x05\x08\x12\x13\x14\x16\x18]\x00(?:UL|UI|CS|DA|TM|SH|.{3}\x00)", re.DOTALL
)
_NO_DICOM_TEXT = re.compile(rb"[\x20-\x7e\r\n\t]{16}")
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TAR_AT, _TAR = 257, b"ustar"
_COMPRESSED = (b"BZh", b"\xfd7zXZ\x00")
_IMAGES = (*IMAGE_EXTENSIONS, ".hdr")
_UNREAD = (b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_MOST_MEMBERS = 2000
_MOST_UNPACKED = 1 << 28
_HEAD = 600
_NIFTI_1_SIZE, _NIFTI_2_SIZE = 348, 540
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x7f]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_FTEXTRA, _FNAME, _FCOMMENT = 4, 8, 16
_CLOCK = re.compile(r"[Tt]ime\s?=\s?\d{4,6}|\d{1,2}:\d{2}:\d{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_NO_TEXTS = ("aux_file", "db_name", "data_type", "unused_str")
_OF_A_PROGRAM = re.compile(r"(?:FreeSurfer|FSL|SPM|AFNI|ANTs|NIFTI|nibabel)", re.IGNORECASE)
_SAYS_NOTHING = re.compile(r"[\W_]*(?:none|n/?a|null|unknown)?[\W_]*", re.IGNORECASE)
_LARGEST_MEMBER = 1 << 20
_TABLES = (".tsv", ".csv")
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError)


class Head(NamedTuple):
    """What is known of a file before its content is read.

    Attributes
    ----------
    name
        Its place within the dataset.
    path
        Where it is.
    prefix
        Its first bytes.
    """

    name: str
    path: Path
    prefix: bytes


def read_head(name: str, path: Path) -> Head:
    """Read a file's first bytes.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        return Head(name=name, path=path, prefix=stream.read(_HEAD))


def is_dicom(prefix: bytes) -> bool:
    """Tell DICOM by a file's first bytes, also where the preamble and the file meta are missing."""
    if prefix[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC:
        return True
    return _FIRST_ELEMENT.match(prefix) is not None and not _NO_DICOM_TEXT.match(prefix)


def content_spots(head: Head) -> Iterator[Spot]:
    """Yield what is private in a file that is no table and no JSON.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    if head.prefix.startswith(_GZIP):
        yield from gzip_spots(head)
    if is_dicom(head.prefix):
        yield _dicom(head.name)
    elif head.name.lower().endswith(_IMAGES):
        yield from _image(head)
    elif head.name.lower().endswith(VOLUMES) and head.prefix:
        yield from volume_spots(head.name, head.path)
    elif _is_archive(head.prefix):
        yield from _archive(head)
    elif is_recording(head.name) and head.prefix:
        yield from recording_spots(head.name, head.path)
        if head.name.lower().endswith(BRAINVISION):
            yield from _text(head)
    elif is_picture(head.name) and head.prefix and not _is_shown_or_hidden(head.name):
        yield from picture_spots(head.name, head.path)
    elif is_matlab(head.prefix):
        yield from matlab_spots(head.name, head.path)
    elif is_hdf5(head.prefix) and reader_version():
        yield from hdf5_spots(head.name, head.path)
    elif _is_text(head):
        yield from _text(head)
    elif not (_is_told_by_name(head.name) or is_of_samples(head.path)):
        yield unread(head.name)


def _is_text(head: Head) -> bool:
    """Tell text, of whatever kind, from bytes: by its beginning."""
    return head.prefix.startswith(_UTF_16) or not _NO_TEXT.search(head.prefix)


def _text(head: Head) -> Iterator[Spot]:
    if head.name.lower().endswith(GIFTI):
        yield from gifti_spots(head.name, head.path)
    with head.path.open("rb") as stream:
        yield from text_spots(head.name, stream)


def _is_told_by_name(name: str) -> bool:
    """Tell what has a finding of its own, or needs none, by where it lies and what it is called."""
    return _is_shown_or_hidden(name) or PurePosixPath(name).suffix.lower() in {*OFFICE, *PICTURES}


def _is_shown_or_hidden(name: str) -> bool:
    """Tell what was shown to participants, and hidden files."""
    parts = PurePosixPath(name).parts
    return "stimuli" in parts or any(part.startswith(".") for part in parts)


def _dicom(name: str) -> Spot:
    where = "sourcedata" if name.startswith("sourcedata/") else "the dataset"
    return Spot(code="PRIVACY_DICOM", location=name, details={"where": where})


def gzip_spots(head: Head) -> Iterator[Spot]:
    """Yield what a gzip header says beside the content (RFC 1952, 2.3.1)."""
    flags, moment = head.prefix[3:4], head.prefix[4:8]
    if any(moment):
        yield Spot(code="PRIVACY_GZIP_TIME", location=head.name)
    if not flags or not flags[0] & (_FNAME | _FCOMMENT):
        return
    position = 10
    if flags[0] & _FTEXTRA:
        position += 2 + int.from_bytes(head.prefix[10:12], "little")
    name, _, rest = head.prefix[position:].partition(b"\0")
    own = PurePosixPath(head.name).name
    told = bool(flags[0] & _FNAME) and name.decode("latin-1") not in {own, own.removesuffix(".gz")}
    comment = rest if flags[0] & _FNAME else name
    if told or (flags[0] & _FCOMMENT and comment.partition(b"\0")[0]):
        yield Spot(code="PRIVACY_GZIP_NAME", location=head.name)


def image_header(path: Path) -> tuple[Any, bytes]:
    """Read an image's header, and what stands right behind it.

    Returns
    -------
    The header as nibabel has it, None where there is none; and the beginning of its extension.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    packed = is_gzip(path)
    try:
        with cast("IO[bytes]", gzip.open(path) if packed else path.open("rb")) as stream:
            raw = stream.read(_NIFTI_2_SIZE + 16)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return None, b""
    kinds: dict[int, Any] = {_NIFTI_1_SIZE: nib.Nifti1Header, _NIFTI_2_SIZE: nib.Nifti2Header}
    for size, kind in kinds.items():
        if size in {int.from_bytes(raw[:4], order) for order in ("little", "big")}:
            try:
                header = kind(raw[:size], check=False)
            except (WrapStructError, ValueError):
                return None, b""
            behind = raw[size : size + 12]
            return header, behind[4:] if behind[:1] not in {b"", b"\0"} else b""
    return None, b""


def _image(head: Head) -> Iterator[Spot]:
    header, extension = image_header(head.path)
    if header is None:
        return
    for field in ("descrip", "intent_name", *_NO_TEXTS):
        text = _header_text(header, field)
        if text and _header_tells(field, text):
            yield Spot(code="PRIVACY_HEADER_TEXT", location=head.name, details={"field": field})
    if extension:
        yield Spot(
            code="PRIVACY_HEADER_TEXT", location=head.name, details={"field": "an extension"}
        )


def _header_text(header: Any, field: str) -> str:
    raw = bytes(header[field].tobytes()) if field in header else b""
    return raw.replace(b"\0", b" ").decode("latin-1").strip()


def _header_tells(field: str, text: str) -> bool:
    """Tell what says who or when from what programs write: their names, echo times, nothing."""
    if _SAYS_NOTHING.fullmatch(text):
        return False
    if field in _NO_TEXTS:
        return not _OF_A_PROGRAM.search(text)
    if names_somebodys_address(text) or names_somebodys_folder(text) or "^" in text:
        return True
    if names_in_words(text):
        return True
    if _OF_A_PROGRAM.search(text):
        return False
    days = (written_date(found, loosely=True) for found in _DAY.findall(text))
    return _CLOCK.search(text) is not None or any(days)


def _is_archive(prefix: bytes) -> bool:
    return (
        prefix.startswith((_GZIP, _ZIP, *_COMPRESSED, *_UNREAD))
        or prefix[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR
    )


def _archive(head: Head) -> Iterator[Spot]:
    """Look into the members of an archive, or into a single file that was compressed."""
    whole, spots = True, []
    try:
        for name, stream in _members(head):
            content = stream.read(_LARGEST_MEMBER + 1)
            if is_dicom(content):
                yield _dicom(head.name)
                return
            found = _member_spots(name, content)
            whole = whole and (found is not None or _is_alone(head))
            spots += [replace(spot, location=head.name) for spot in found or ()]
    except (EOFError, OSError, _UnreadError, *_DAMAGED):
        whole = False
    yield from spots
    if not whole:
        yield Spot(code="PRIVACY_ARCHIVE_UNREAD", location=head.name)


class _UnreadError(ValueError):
    """Not every member of an archive is looked at."""


def _members(head: Head) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the members of an archive, and their names.

    Raises
    ------
    _UnreadError
        If there are too many, or the archive is of a kind that is not read.
    """
    if head.prefix.startswith(_UNREAD):
        raise _UnreadError
    if head.prefix.startswith(_ZIP):
        yield from _zipped(head.path)
        return
    if _is_alone(head):
        with gzip.open(head.path) as stream:
            yield PurePosixPath(head.name).stem, cast("IO[bytes]", stream)
        return
    yield from _tarred(head.path)


def _is_alone(head: Head) -> bool:
    """Tell a single file that was compressed from an archive."""
    if not head.prefix.startswith(_GZIP):
        return False
    with gzip.open(head.path) as stream:
        first = stream.read(_HEAD)
    return first[_TAR_AT : _TAR_AT + len(_TAR)] != _TAR


def _zipped(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as packed:
        for number, member in enumerate(packed.infolist(), start=1):
            if number > _MOST_MEMBERS:
                raise _UnreadError
            if not member.is_dir():
                with packed.open(member) as stream:
                    yield member.filename, stream


def _tarred(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    unpacked = 0
    with tarfile.open(path, "r|*") as packed:
        for number, member in enumerate(packed, start=1):
            unpacked += member.size
            if number > _MOST_MEMBERS or unpacked > _MOST_UNPACKED:
                raise _UnreadError
            stream = packed.extractfile(member) if member.isreg() else None
            if stream is not None:
                yield member.name, stream


def _member_spots(name: str, content: bytes) -> list[Spot] | None:
    """Return what is private in a member; None where it is of a kind that is not looked into."""
    if len(content) > _LARGEST_MEMBER or name.lower().endswith(_TABLES) or b"\0" in content:
        return None
    if not name.lower().endswith(".json"):
        return list(text_spots(name, io.BytesIO(content)))
    try:
        return list(json_spots(name, parse_any_json(content)))
    except JsonError:
        return None
