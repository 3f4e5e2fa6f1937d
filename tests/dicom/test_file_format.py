"""Files are read whatever stands before their data sets, and whatever that says."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import UID
from written_elements import TRANSFER_SYNTAXES, file_of

from bidsanon.dicom import file_format
from bidsanon.dicom.encoding import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Encoding,
    NotUnderstoodError,
)
from bidsanon.dicom.file_format import deflate, read_beginning, read_file
from bidsanon.dicom.writing import write_element


def deflated_file(data_set: bytes) -> bytes:
    return file_of(deflate(data_set), syntax=DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.parametrize("encoding", TRANSFER_SYNTAXES, ids=str)
def test_without_file_meta_the_bytes_show_their_encoding(encoding: Encoding) -> None:
    body = write_element(0x00080060, "CS", b"MR", encoding) + write_element(
        0x00100020, "LO", b"7", encoding
    )
    file = read_file(body)
    assert file.data_set.encoding == encoding
    assert file.transfer_syntax_uid == TRANSFER_SYNTAXES[encoding]
    assert file.value(0x00100020) == b"7"


def test_a_data_set_that_is_not_written_as_the_file_meta_says_is_read_as_it_is() -> None:
    body = write_element(0x00080060, "CS", b"MR", IMPLICIT_LITTLE)
    file = read_file(file_of(body, syntax=TRANSFER_SYNTAXES[EXPLICIT_LITTLE]))
    assert file.transfer_syntax_uid == TRANSFER_SYNTAXES[IMPLICIT_LITTLE]


def test_a_deflated_data_set_is_inflated() -> None:
    body = write_element(0x00080060, "CS", b"MR", EXPLICIT_LITTLE)
    file = read_file(deflated_file(body))
    assert file.content == body
    assert zlib.decompress(deflate(body), -15) == body


def test_a_deflated_data_set_that_does_not_end_is_refused() -> None:
    content = deflated_file(write_element(0x00080060, "CS", b"MR", EXPLICIT_LITTLE) * 40)[:-6]
    with pytest.raises(NotUnderstoodError):
        read_file(content)


def test_a_deflated_bomb_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_format, "_HARMLESS_INFLATED", 1 << 20)
    with pytest.raises(NotUnderstoodError, match="does not end"):
        read_file(deflated_file(bytes(1 << 22)))


def test_the_file_head_is_what_pydicom_reads(tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(file_of(write_element(0x00080060, "CS", b"MR", EXPLICIT_LITTLE)))
    meta = dcmread(path).file_meta
    assert meta.MediaStorageSOPInstanceUID == "1.3"
    assert meta.TransferSyntaxUID == UID("1.2.840.10008.1.2.1")
    assert path.stat().st_size == 144 + meta.FileMetaInformationGroupLength + 10
    assert meta.ImplementationVersionName == "BIDSANON"
    assert UID(meta.ImplementationClassUID).is_valid
    assert path.read_bytes()[:128] == bytes(128)


def test_the_beginning_of_a_damaged_file_is_read_as_far_as_it_goes() -> None:
    name = write_element(0x00100010, "PN", b"Quist^Mara", EXPLICIT_LITTLE)
    number = write_element(0x00100020, "LO", b"X-4711", EXPLICIT_LITTLE)
    cut = write_element(0x7FE00010, "OW", bytes(64), EXPLICIT_LITTLE)[:40]
    with pytest.raises(NotUnderstoodError):
        read_file(name + number + cut)
    file = read_beginning(name + number + cut)
    assert [element.tag for element in file.data_set.elements] == [0x00100010, 0x00100020]
    assert file.value(0x00100020) == b"X-4711"


@pytest.mark.parametrize("content", [b"", b"\x08\x00", bytes(200), b"\xff" * 300])
def test_nothing_begins_where_nothing_can_be_understood(content: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        read_beginning(content)


def test_the_beginning_of_a_deflated_file_that_is_cut_is_read() -> None:
    name = write_element(0x00100010, "PN", b"Quist^Mara", EXPLICIT_LITTLE)
    pixels = write_element(0x7FE00010, "OW", os.urandom(4096), EXPLICIT_LITTLE)
    file = read_beginning(deflated_file(name + pixels)[:-2000])
    assert file.value(0x00100010) == b"Quist^Mara"
