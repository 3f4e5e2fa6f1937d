"""Overlays, curves and annotations: gone, or proven to hold no words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from optional import lacking
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, dcmread
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage

from bidsanon.deidentify import DeidentifiedInstance, graphics
from bidsanon.notes import NoteReason
from bidsanon.ocr import TextReader, Word, text_reader
from bidsanon.profile import Profile, amend_profile, load_profile

Deidentified = Callable[..., tuple[Dataset, DeidentifiedInstance]]
SIDE = 64


@dataclass
class Reader:
    """Stands for a reader: finds these words in whatever it is shown."""

    words: tuple[Word, ...] = ()
    name: str = "a reader 1.0"

    def read(self, picture: NDArray[np.uint8], /) -> tuple[Word, ...]:
        assert picture.max() == 255
        return self.words


@pytest.fixture(scope="module")
def cleaning() -> Profile:
    """Give the profile for sharing with graphics cleaned."""
    return amend_profile(load_profile("bids"), add_options=["clean-graphics"])


@pytest.fixture(autouse=True)
def nothing_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no reader installed, unless a test installs one."""
    monkeypatch.setattr(graphics, "_reader", lambda: None)


def install(reader: TextReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphics, "_reader", lambda: reader)


def with_overlay(data_set: Dataset, plane: NDArray[np.bool_], group: int = 0x6000) -> Dataset:
    rows, columns = plane.shape
    for element, vr, value in (
        (0x0010, "US", rows),
        (0x0011, "US", columns),
        (0x0022, "LO", "drawn by Odo Ferrant"),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x1500, "LO", "Quist^Mara"),
        (0x3000, "OW", np.packbits(plane, bitorder="little").tobytes()),
        (0x4000, "LT", "a comment about Mara Quist"),
    ):
        data_set.add_new(group << 16 | element, vr, value)
    return data_set


def drawn(text: str = "") -> NDArray[np.bool_]:
    image = Image.new("1", (SIDE * 4, SIDE))
    pen = ImageDraw.Draw(image)
    if text:
        pen.text((4, 20), text, fill=1, font=ImageFont.load_default(size=18))
    else:
        pen.line((5, 5, 90, 60), fill=1, width=2)
    return np.asarray(image)


def groups(data_set: Dataset) -> set[int]:
    return {element.tag.group for element in data_set if element.tag.group >> 8 in (0x50, 0x60)}


def test_an_overlay_goes_with_all_that_describes_it(deidentified: Deidentified) -> None:
    cleaned, _ = deidentified(with_overlay(Dataset(), drawn()))
    assert groups(cleaned) == set()


def test_a_curve_goes_whole(deidentified: Deidentified, cleaning: Profile) -> None:
    for profile in (load_profile("basic"), cleaning):
        data_set = Dataset()
        data_set.add_new(0x50000005, "US", 1)
        data_set.add_new(0x50000022, "LO", "ECG of Mara Quist")
        data_set.add_new(0x50003000, "OW", b"\0\0")
        cleaned, _ = deidentified(data_set, profile=profile)
        assert groups(cleaned) == set()


def test_without_a_reader_no_plane_is_proven_clean(
    deidentified: Deidentified, cleaning: Profile
) -> None:
    cleaned, _ = deidentified(with_overlay(Dataset(), drawn()), profile=cleaning)
    assert groups(cleaned) == set()


def test_a_plane_without_words_stays_whole(
    deidentified: Deidentified, cleaning: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(Reader(), monkeypatch)
    cleaned, instance = deidentified(with_overlay(Dataset(), drawn()), profile=cleaning)
    kept = {element.tag.element for element in cleaned if element.tag.group == 0x6000}
    assert kept == {0x0010, 0x0011, 0x0040, 0x0050, 0x0100, 0x0102, 0x3000}
    assert (cleaned.overlay_array(0x6000) == drawn()).all()
    for said in (b"Quist", b"Ferrant"):
        assert said not in instance.content


def test_a_plane_with_words_goes_and_another_stays(
    deidentified: Deidentified, cleaning: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Careful(Reader):
        def read(self, picture: NDArray[np.uint8], /) -> tuple[Word, ...]:
            return (Word(text="Q", certainty=0.6),) if picture[-1, -1, 0] else ()

    install(Careful(), monkeypatch)
    marked = drawn().copy()
    marked[-1, -1] = True
    data_set = with_overlay(with_overlay(Dataset(), drawn()), marked, group=0x6002)
    cleaned, _ = deidentified(data_set, profile=cleaning)
    assert groups(cleaned) == {0x6000}


def test_a_plane_that_is_not_whole_goes(
    deidentified: Deidentified, cleaning: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(Reader(), monkeypatch)
    short = with_overlay(Dataset(), drawn())
    short[0x60003000].value = short[0x60003000].value[:-2]
    long = with_overlay(Dataset(), drawn())
    long[0x60003000].value += b"Quist^Mara"
    for data_set in (short, long):
        cleaned, _ = deidentified(data_set, profile=cleaning)
        assert groups(cleaned) == set()


def test_an_overlay_in_the_pixels_is_cleared_and_noted(deidentified: Deidentified) -> None:
    voxels = np.arange(16, dtype="<u2") * 200
    data_set = Dataset()
    data_set.Rows = data_set.Columns = 4
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = 0
    data_set.add_new(0x60000100, "US", 16)
    data_set.add_new(0x60000102, "US", 14)
    data_set.add_new(0x7FE00010, "OW", (voxels | 1 << 14).astype("<u2").tobytes())
    cleaned, instance = deidentified(data_set)
    assert cleaned.PixelData == voxels.tobytes()
    assert groups(cleaned) == set()
    assert ("(7FE0,0010)", NoteReason.HIDDEN_BITS) in {(n.place, n.reason) for n in instance.notes}


@pytest.mark.parametrize("name", ["MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"])
def test_a_real_overlay_goes_and_the_voxels_stay(
    name: str, shared_data: Callable[[str], Path], deidentified: Deidentified
) -> None:
    path = shared_data("malformed-and-odd") / name
    original = dcmread(path)
    cleaned, _ = deidentified(path.read_bytes())
    assert groups(original)
    assert groups(cleaned) == set()
    assert "IconImageSequence" not in cleaned
    assert cleaned.PixelData == original.PixelData


def annotation() -> Dataset:
    text, graphic, item = Dataset(), Dataset(), Dataset()
    text.UnformattedTextValue = "Mara Quist, lesion left"
    text.BoundingBoxAnnotationUnits = "PIXEL"
    graphic.GraphicAnnotationUnits = "PIXEL"
    graphic.GraphicDimensions = 2
    graphic.NumberOfGraphicPoints = 2
    graphic.GraphicData = [1.0, 2.0, 3.0, 4.0]
    graphic.GraphicType = "POLYLINE"
    item.GraphicLayer = "LAYER1"
    item.TextObjectSequence = [text]
    item.GraphicObjectSequence = [graphic]
    data_set = Dataset()
    data_set.SOPClassUID = GrayscaleSoftcopyPresentationStateStorage
    data_set.PatientName = "Quist^Mara"
    data_set.GraphicAnnotationSequence = [item]
    return data_set


def test_annotations_are_cleaned_one_by_one(deidentified: Deidentified, cleaning: Profile) -> None:
    cleaned, instance = deidentified(annotation(), profile=cleaning)
    (item,) = cleaned.GraphicAnnotationSequence
    assert item.TextObjectSequence[0].UnformattedTextValue == "lesion left"
    assert item.GraphicObjectSequence[0].GraphicData == [1.0, 2.0, 3.0, 4.0]
    assert b"Quist" not in instance.content


def test_without_the_option_an_annotation_says_nothing(deidentified: Deidentified) -> None:
    cleaned, _ = deidentified(annotation())
    (item,) = cleaned.GraphicAnnotationSequence
    assert "TextObjectSequence" not in item
    assert "GraphicObjectSequence" not in item


@pytest.mark.slow
def test_the_real_reader_tells_a_name_from_a_line(
    deidentified: Deidentified, cleaning: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = text_reader(threads=1)
    if reader is None:
        lacking("the extra ocr")
    install(reader, monkeypatch)
    data_set = with_overlay(Dataset(), drawn())
    data_set = with_overlay(data_set, drawn("QUIST MARA 1961"), group=0x6002)
    cleaned, _ = deidentified(data_set, profile=cleaning)
    assert groups(cleaned) == {0x6000}
