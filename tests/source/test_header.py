"""Headers of whole, damaged and nonsensical files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom.data
import pytest
import sessions
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import Write
from pydicom.uid import UID

from bidsanon.source.header import Soundness, read_header

_REAL = ["CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "image_dfl.dcm"]


def real(name: str) -> bytes:
    return Path(str(pydicom.data.get_testdata_file(name))).read_bytes()


@pytest.mark.parametrize("builder", [sessions.implicit_vr, sessions.big_endian])
def test_an_encoding_changes_nothing(tmp_path: Path, builder: Callable[..., list[Path]]) -> None:
    header = read_header(builder(tmp_path)[0])
    assert header is not None
    assert header.soundness is Soundness.WHOLE
    assert header.modality == "MR"
    assert header.form.samples == 1


def test_a_japanese_name_is_decoded(tmp_path: Path) -> None:
    header = read_header(sessions.japanese_name(tmp_path)[0])
    assert header is not None
    assert not header.patient.name.isascii()
    assert "\ufffd" not in header.patient.name


@pytest.mark.parametrize("name", _REAL)
def test_the_same_is_read_as_pydicom_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(real(name))
    header, expected = read_header(path), pydicom.dcmread(path)
    assert header is not None
    assert header.sop_class_uid == expected.SOPClassUID
    assert header.sop_instance_uid == expected.SOPInstanceUID
    assert header.series_uid == expected.SeriesInstanceUID
    assert header.transfer_syntax_uid == expected.file_meta.TransferSyntaxUID
    assert header.patient.id == expected.get("PatientID", "")
    assert header.form.samples == expected.get("SamplesPerPixel", 1)


@pytest.mark.parametrize(
    ("attributes", "soundness"),
    [
        ({"PixelData": bytes(30)}, Soundness.ENDS_EARLY),
        ({"NumberOfFrames": 2}, Soundness.ENDS_EARLY),
        ({"NumberOfFrames": 2, "PixelData": bytes(64)}, Soundness.WHOLE),
        ({"PixelData": None}, Soundness.WITHOUT_PIXELS),
        ({"BitsAllocated": 8, "PixelData": bytes(16)}, Soundness.WHOLE),
        ({"BitsAllocated": 1, "PixelData": bytes(2)}, Soundness.WHOLE),
        ({"PixelData": bytes(34)}, Soundness.WHOLE),
    ],
)
def test_pixel_data_must_be_as_long_as_the_header_says(
    write: Write, attributes: dict[str, object], soundness: Soundness
) -> None:
    header = read_header(write("a", **attributes))
    assert header is not None
    assert header.soundness is soundness


def test_fragments_without_an_end_end_early(tmp_path: Path) -> None:
    path = tmp_path / "a"
    content = real("JPEG2000.dcm")
    path.write_bytes(content[: content.rindex(b"\xfe\xff\xdd\xe0")])
    header = read_header(path)
    assert header is not None
    assert header.soundness is Soundness.ENDS_EARLY
    assert UID(header.sop_class_uid).name == "Secondary Capture Image Storage"


@settings(max_examples=150)
@given(data=st.data())
def test_garbage_is_read_or_refused_and_never_crashes(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(real(data.draw(st.sampled_from(_REAL))))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, min(len(content), 4000) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    path = tmp_path / "garbage"
    path.write_bytes(bytes(content[:cut]))
    header = read_header(path)
    assert header is None or isinstance(header.soundness, Soundness)


@settings(max_examples=100)
@given(content=st.binary(max_size=400), says=st.booleans())
def test_random_bytes_never_crash(tmp_path: Path, content: bytes, says: bool) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(bytes(128) + b"DICM" + content if says else content)
    header = read_header(path)
    assert header is not None or not says
