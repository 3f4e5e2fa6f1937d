"""Burned-in text that no header tells of: which images are looked at, and what follows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import sessions
from instances import Read, Write
from numpy.typing import NDArray
from optional import lacking
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless
from real_sets import MR_SETS

from bidsanon.dicom.frames import FrameNotDecodedError, render_frames
from bidsanon.ocr import TextReader, Word, text_reader
from bidsanon.session import QuarantineReason, SourceSession
from bidsanon.source.pixels import holds_text

LITTLE = "1.2.840.10008.1.2.1"


@dataclass
class Reader:
    """Stands for a reader: finds a name where a picture's first pixel is white, and counts."""

    name: str = "a reader 1.0"
    words: tuple[Word, ...] = (Word(text="QUIST^MARA", certainty=0.95),)
    pictures: list[tuple[int, ...]] = field(default_factory=list)

    def read(self, picture: NDArray[np.uint8], /) -> tuple[Word, ...]:
        self.pictures.append(picture.shape)
        return self.words if picture[0, 0, 0] == 255 else ()


def pixels(*, marked: bool, frames: int = 1) -> bytes:
    values = np.arange(16 * frames, dtype="<u2")
    if marked:
        values[0] = 4095
    return values.tobytes()


def with_text(session: SourceSession) -> set[str]:
    return {f.path.name for f in session.quarantine if f.reason is QuarantineReason.TEXT_IN_PIXELS}


def test_without_a_reader_nobody_has_looked(write: Write, read: Read) -> None:
    write("image", PixelData=pixels(marked=True))
    session = read()
    assert session.pixels is None
    assert session.quarantine == ()


def test_an_image_with_words_goes_to_quarantine(write: Write, read: Read) -> None:
    write("clean", PixelData=pixels(marked=False))
    write("marked", PixelData=pixels(marked=True), SeriesInstanceUID="1.2.3.1.2")
    session = read(reader=Reader())
    assert with_text(session) == {"marked"}
    assert session.pixels is not None
    assert (session.pixels.reader, session.pixels.frames) == ("a reader 1.0", 2)


def test_words_in_one_image_hold_for_all_that_are_made_alike(write: Write, read: Read) -> None:
    for number in range(1, 10):
        write(f"{number}", InstanceNumber=number, PixelData=pixels(marked=number == 9))
    write("other", SeriesInstanceUID="1.2.3.1.2", PixelData=pixels(marked=False))
    assert with_text(read(reader=Reader())) == {str(number) for number in range(1, 10)}


@pytest.mark.parametrize(("count", "looked_at"), [(1, 1), (4, 4), (5, 3), (40, 3)])
def test_of_many_that_are_alike_three_are_looked_at(
    write: Write, read: Read, count: int, looked_at: int
) -> None:
    for number in range(count):
        write(f"{number}", InstanceNumber=number, PixelData=pixels(marked=False))
    reader = Reader()
    read(reader=reader)
    assert len(reader.pictures) == looked_at


def test_of_many_frames_three_are_looked_at(write: Write, read: Read) -> None:
    write("image", NumberOfFrames=30, PixelData=pixels(marked=False, frames=30))
    reader = Reader()
    read(reader=reader)
    assert len(reader.pictures) == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY", "OTHER"]},
        {"Rows": 2, "Columns": 8},
        {"PhotometricInterpretation": "MONOCHROME1"},
    ],
)
def test_an_odd_one_among_many_is_looked_at(
    write: Write, read: Read, odd: dict[str, object]
) -> None:
    for number in range(1, 10):
        write(f"{number}", InstanceNumber=number, PixelData=pixels(marked=False))
    dark = odd.get("PhotometricInterpretation") == "MONOCHROME1"
    content = np.where(np.arange(16) == 0, 0, 900).astype("<u2").tobytes()
    write("odd", InstanceNumber=7, PixelData=content if dark else pixels(marked=True), **odd)
    assert with_text(read(reader=Reader())) == {"odd"}


def test_what_is_in_quarantine_already_is_not_looked_at(write: Write, read: Read) -> None:
    write("image", PixelData=pixels(marked=False))
    write("burned", BurnedInAnnotation="YES", PixelData=pixels(marked=True))
    write("short", InstanceNumber=3, PixelData=bytes(4))
    reader = Reader()
    assert with_text(read(reader=reader)) == set()
    assert len(reader.pictures) == 1


def test_what_ends_early_is_not_looked_at(write: Write, read: Read) -> None:
    write("whole", PixelData=pixels(marked=False))
    write("cut", InstanceNumber=2, PixelData=pixels(marked=True)[:-8])
    session = read(reader=Reader())
    assert [f.reason for f in session.quarantine] == [QuarantineReason.TRUNCATED]
    assert session.pixels is not None
    assert (session.pixels.frames, session.pixels.undecoded) == (1, 0)


def test_a_report_that_stays_has_no_pixels_to_be_looked_at(
    tmp_path: Path, write: Write, read: Read
) -> None:
    write("image", PixelData=pixels(marked=False))
    sessions.structured_report(tmp_path / "source" / "report")
    session = read(modalities=("MR", "SR"), structured_content=True, reader=Reader())
    assert {one.modality for one in session.series} == {"MR", "SR"}
    assert session.pixels is not None
    assert (session.pixels.frames, session.pixels.undecoded) == (1, 0)


def test_what_cannot_be_decoded_is_said(write: Write, read: Read) -> None:
    write("image", PixelData=pixels(marked=False))
    damaged = write("damaged", InstanceNumber=2, PixelRepresentation=9)
    assert damaged.exists()
    session = read(reader=Reader())
    assert [f.code for f in session.findings] == ["PIXELS_NOT_DECODED"]
    assert session.pixels is not None
    assert session.pixels.undecoded == 2  # nobody knows of the other one of their kind either
    assert session.quarantine == ()


def test_a_series_of_which_some_images_hold_text_is_in_part(write: Write, read: Read) -> None:
    write("clean", InstanceNumber=1, PixelData=pixels(marked=False))
    write("marked", InstanceNumber=2, ImageType=["DERIVED"], PixelData=pixels(marked=True))
    assert "SERIES_IN_PART" in {f.code for f in read(reader=Reader()).findings}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([("R", 0.99)], False),
        ([("L", 0.9), ("A", 0.9), ("P", 0.9), ("H", 0.9)], False),
        ([("000000", 0.95), ("0OO8", 0.9)], False),
        ([("12", 0.99), ("24", 0.99)], False),
        ([("10 mm", 0.6)], False),
        ([("QUIST", 0.95)], True),
        ([("QUIST", 0.5)], False),
        ([("Mia", 0.95)], False),
        ([("Mia", 0.95), ("Lee", 0.9)], True),
        ([("19610203", 0.95)], True),
        ([("07.09.2018 14:30", 0.95)], True),
        ([("山田太郎", 0.9)], True),
    ],
)
def test_marks_are_no_text_and_names_and_dates_are(
    words: Iterable[tuple[str, float]], text: bool
) -> None:
    assert holds_text(Word(text=w, certainty=c) for w, c in words) is text


def picture_of(path: Path) -> NDArray[np.uint8]:
    (picture,) = render_frames(path, [0], transfer_syntax_uid=LITTLE)
    return picture


def test_a_picture_is_windowed_and_grey_in_three_channels(write: Write) -> None:
    picture = picture_of(write("image", PixelData=pixels(marked=False)))
    assert (picture.shape, picture.dtype) == ((4, 4, 3), np.uint8)
    assert (picture.min(), picture.max()) == (0, 255)


def test_what_is_bright_and_small_is_white_among_what_is_dark(write: Write) -> None:
    values = np.full(64 * 64, 3, dtype="<u2")
    values[65:70] = 4000
    picture = picture_of(write("image", Rows=64, Columns=64, PixelData=values.tobytes()))
    assert (picture[1, 1:6] == 255).all()
    assert picture[0].max() == 0


def test_monochrome1_is_inverted(write: Write) -> None:
    plain, inverted = (
        picture_of(
            write(kind, PhotometricInterpretation=kind, PixelData=pixels(marked=False))
        ).astype(int)
        for kind in ("MONOCHROME2", "MONOCHROME1")
    )
    assert np.abs(plain + inverted - 255).max() <= 1


def test_a_palette_becomes_its_colours(write: Write) -> None:
    palette = np.array([0, 65535], dtype="<u2").tobytes()
    attributes = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [2, 0, 16]), ("Data", palette))
    }
    content = bytes([1] + [0] * 15)
    path = write(
        "image",
        PhotometricInterpretation="PALETTE COLOR",
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=content,
        **attributes,
    )
    picture = picture_of(path)
    assert picture[0, 0].tolist() == [255, 255, 255]
    assert picture[3, 3].tolist() == [0, 0, 0]


def test_pixels_that_no_installed_decoder_knows_are_an_error(write: Write) -> None:
    path = write("image")
    with pytest.raises(FrameNotDecodedError):
        list(render_frames(path, [5], transfer_syntax_uid=JPEGLSLossless))


def test_a_data_set_without_file_meta_is_decoded(write: Write) -> None:
    path = write("image", PixelData=pixels(marked=True))
    content = path.read_bytes()
    start = content.index(b"\x08\x00\x08\x00CS")
    path.write_bytes(content[start:])
    assert picture_of(path)[0, 0, 0] == 255


@pytest.fixture(scope="module")
def reader() -> TextReader:
    """Give the real reader."""
    found = text_reader(threads=1)
    if found is None:
        lacking("the extra ocr")
    return found


@pytest.mark.slow
def test_the_real_reader_is_told_to_report_to_nobody(reader: TextReader) -> None:
    assert reader.name
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["QUIST MARA", "07.09.2018", "MRN 47112"])
def test_the_real_reader_finds_text_in_a_corner(
    write: Write, read: Read, reader: TextReader, text: str
) -> None:
    image = Image.new("I;16", (256, 256))
    draw = ImageDraw.Draw(image)
    draw.ellipse((60, 60, 200, 200), fill=400)
    draw.text((4, 4), text, fill=4095, font=ImageFont.load_default(size=14))
    content = np.asarray(image).astype("<u2").tobytes()
    write("marked", Rows=256, Columns=256, PixelData=content)
    write("image", SeriesInstanceUID="1.2.3.1.2", PixelData=pixels(marked=False))
    assert with_text(read(reader=reader)) == {"marked"}


@pytest.mark.slow
@pytest.mark.parametrize("name", MR_SETS)
def test_no_real_head_is_taken_for_text(
    name: str, shared_data: Callable[[str], Path], read: Read, reader: TextReader
) -> None:
    assert with_text(read(shared_data(name), reader=reader)) == set()


@pytest.mark.slow
def test_real_burned_in_text_is_found_although_nothing_says_so(
    tmp_path: Path, shared_data: Callable[[str], Path], read: Read, reader: TextReader
) -> None:
    for name in ("burned-in-pixels/GREYSCALE_IMAGE.dcm", "malformed-and-odd/US1_UNCR.dcm"):
        data_set = dcmread(shared_data(name.split("/")[0]) / name.split("/")[1])
        data_set.BurnedInAnnotation = "NO"
        data_set.Modality = "MR"
        (tmp_path / "source").mkdir(exist_ok=True)
        data_set.save_as(tmp_path / "source" / Path(name).name)
    found = read(reader=reader, modalities=["MR", "US"])
    assert with_text(found) == {"GREYSCALE_IMAGE.dcm", "US1_UNCR.dcm"}


def slice_of(seed: int, *, text: str = "") -> bytes:
    """Return voxels as a scanner measures them, and perhaps text in a corner."""
    voxels = np.random.default_rng(seed).rayleigh(20, (96, 96))
    voxels[20:76, 20:76] += np.random.default_rng(seed + 1).uniform(200, 900, (56, 56))
    if text:
        layer = Image.new("1", (96, 96))
        ImageDraw.Draw(layer).text((2, 2), text, fill=1, font=ImageFont.load_default(size=11))
        voxels[np.asarray(layer)] = 1500
    return voxels.astype("<u2").tobytes()


@dataclass
class FindsTheBrightest(Reader):
    """Finds a name where a picture's corner is white."""

    def read(self, picture: NDArray[np.uint8], /) -> tuple[Word, ...]:
        self.pictures.append(picture.shape)
        return self.words if (picture[:60, :200, 0] == 255).sum() > 60 else ()


def test_one_slice_among_many_that_somebody_wrote_into_is_found(write: Write, read: Read) -> None:
    for number in range(1, 31):
        content = slice_of(number, text="QUIST" if number == 7 else "")
        write(f"{number}", InstanceNumber=number, Rows=96, Columns=96, PixelData=content)
    write("image", SeriesInstanceUID="1.2.3.1.2", PixelData=pixels(marked=False))
    reader = FindsTheBrightest()
    assert len(with_text(read(reader=reader))) == 30
    assert len(reader.pictures) == 3 + 1 + 1


def test_one_frame_among_many_that_somebody_wrote_into_is_found(write: Write, read: Read) -> None:
    frames = [slice_of(number, text="QUIST" if number == 7 else "") for number in range(30)]
    write("many", NumberOfFrames=30, Rows=96, Columns=96, PixelData=b"".join(frames))
    write("image", SeriesInstanceUID="1.2.3.1.2", PixelData=pixels(marked=False))
    assert with_text(read(reader=FindsTheBrightest())) == {"many"}


def test_of_measured_slices_no_more_than_the_sample_is_looked_at(write: Write, read: Read) -> None:
    for number in range(1, 31):
        content = slice_of(number)
        write(f"{number}", InstanceNumber=number, Rows=96, Columns=96, PixelData=content)
    reader = FindsTheBrightest()
    assert with_text(read(reader=reader)) == set()
    assert len(reader.pictures) == 3
