"""What photos and microscopes' pictures say beside their pixels is found."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin
from privacy_trees import findings_of, raw_dataset

from bidsanon.validate.privacy import check_privacy
from bidsanon.validate.privacy_pictures import picture_spots

SURE, PERHAPS = "PRIVACY_PICTURE_FIELD", "PRIVACY_PICTURE_FIELD_PERHAPS"
OME = """<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
{}<Image ID="Image:0"><Pixels PhysicalSizeX="0.5" SizeX="9"/></Image></OME>"""
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">'


def photo(kind: str, *, exif: dict[int, object] | None = None, **more: object) -> bytes:
    made, tags = io.BytesIO(), Image.Exif()
    for tag, value in (exif or {}).items():
        if isinstance(value, dict):
            tags.get_ifd(tag).update(value)
        else:
            tags[tag] = value
    Image.new("L", (8, 6), 9).save(made, kind, exif=tags, **more)
    return made.getvalue()


def png(key: str, text: str, *, packed: bool = False, behind: bool = False) -> bytes:
    content, texts = photo("PNG"), PngImagePlugin.PngInfo()
    texts.add_itxt(key, text, zip=packed)
    named = io.BytesIO()
    Image.new("L", (8, 6), 9).save(named, "PNG", pnginfo=texts)
    if not behind:
        return named.getvalue()
    whole = named.getvalue()
    begin = whole.index(b"iTXt") - 4
    (size,) = struct.unpack(">I", whole[begin : begin + 4])
    end = content.index(b"IEND") - 4
    return content[:end] + whole[begin : begin + size + 12] + content[end:]


def told(root: Path, content: bytes, name: str) -> set[str]:
    raw_dataset(root, whole=False)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)
    found = findings_of(check_privacy(root))
    return {code for code, places in found.items() if name in str(places)} - {"PRIVACY_PICTURE"}


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (photo("JPEG", exif={0x013B: "Mara Doe"}), {SURE}),
        (photo("JPEG", exif={0x8825: {2: (50.0, 1.0, 2.0), 4: (8.0, 1.0, 2.0)}}), {SURE}),
        (photo("JPEG", exif={0x8769: {0x9003: "2021:03:12 10:11:12"}}), {SURE}),
        (photo("JPEG", exif={0x8769: {0xA430: "Doe"}}), {SURE}),
        (photo("JPEG", exif={0x8769: {0xA431: "99812"}}), {PERHAPS}),
        (photo("JPEG", exif={0x0132: "2021:03:12 10:11:12"}), {PERHAPS}),
        (photo("JPEG", exif={0x010E: "of Quillfeather^Mara"}), {PERHAPS}),
        (photo("JPEG", exif={0x9C9D: "Doe".encode("utf-16-le")}), {SURE}),
        (photo("JPEG", comment=b"in /home/mara/pictures"), {PERHAPS}),
        (photo("JPEG", xmp=f"{XMP}Mara Doe</dc:creator></x:xmpmeta>".encode()), {SURE}),
        (photo("JPEG", exif={0x010F: "Maker", 0x0131: "Program 2", 0x0112: 1}), set()),
        (png("Author", "seen by Quillfeather^Mara"), {PERHAPS}),
        (png("Artist", "Mara", packed=True), {SURE}),
        (png("Artist", "Mara", behind=True), {SURE}),
        (png("Software", "Program"), set()),
        (photo("TIFF", description=OME.format("")), set()),
        (photo("TIFF", description=OME.format('<Experimenter LastName="Doe"/>')), {SURE}),
        (
            photo("TIFF", description=OME.format("<AcquisitionDate>2021-03-12</AcquisitionDate>")),
            {SURE},
        ),
        (
            photo("TIFF", description=OME.format("<!-- -->").replace("</OME>", "")),
            {"PRIVACY_KIND_NOT_READ"},
        ),
        (b"no picture", {"PRIVACY_KIND_NOT_READ"}),
        (b"", set()),
    ],
)
def test_what_pictures_say_is_found(tmp_path: Path, content: bytes, codes: set[str]) -> None:
    suffix = ".ome.tif" if content[:2] == b"II" else ".jpg"
    assert told(tmp_path, content, f"sub-01/micr/sub-01_sample-A_TEM{suffix}") == codes


def test_figures_of_programs_and_stimuli_have_nothing_said_of_them(tmp_path: Path) -> None:
    made = io.BytesIO()
    Figure().savefig(made, format="png")
    assert told(tmp_path, made.getvalue(), "derivatives/a/figures/x.png") == set()
    named = photo("JPEG", exif={0x013B: "Mara Doe"})
    assert told(tmp_path / "b", named, "stimuli/face.jpg") == set()


def test_pictures_of_any_size_are_looked_into(tmp_path: Path) -> None:
    content = photo("TIFF", description=OME.format('<Experimenter LastName="Doe"/>'))
    width = content.index(struct.pack("<HHII", 256, 4, 1, 8))
    large = content[: width + 8] + struct.pack("<I", 1 << 30) + content[width + 12 :]
    assert told(tmp_path, large, "sub-01/micr/sub-01_sample-A_TEM.tif") == {SURE}


def test_a_packed_text_without_end_is_read_in_bounds(tmp_path: Path) -> None:
    packed = b"Artist\0\0" + zlib.compress(bytes(1 << 25), 9)
    chunk = struct.pack(">I", len(packed)) + b"zTXt" + packed + bytes(4)
    content = photo("PNG")
    assert told(tmp_path, content[:33] + chunk + content[33:], "sub-01/x.png") <= {
        "PRIVACY_KIND_NOT_READ",
        SURE,
    }


WHOLE = {
    kind: photo(kind, exif={0x013B: "Mara Doe", 0x8825: {2: (1.0, 1.0, 2.0)}})
    for kind in ("JPEG", "PNG", "TIFF")
}


@settings(max_examples=90, deadline=None)
@given(kind=st.sampled_from(sorted(WHOLE)), data=st.data())
def test_a_damaged_picture_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    whole = WHOLE[kind]
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.binary(min_size=1, max_size=4))
    path = tmp_path_factory.getbasetemp() / "damaged.jpg"
    path.write_bytes(whole[:place] + other + whole[place + len(other) :])
    assert all(spot.location == "x.jpg" for spot in picture_spots("x.jpg", path))
