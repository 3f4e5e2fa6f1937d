"""What is packed within other bytes is found, and what cannot be unpacked is a finding."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import io
import json
import lzma
import struct
import textwrap
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from documents import pdf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from scipy.io import savemat

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate import residue_unpack
from bidsanon.validate.residue import search_residue

VALUES = (
    IdentifyingValue(kind=ValueKind.NAME, text="Quillfeather^Jörg", origin="(0010,0010)"),
    IdentifyingValue(kind=ValueKind.NAME, text="Yamada^Tarou=山田^太郎", origin="(0010,0010)"),
)
SECRET = b"of Quillfeather, as the notes of the day say"
CHUNK = 1 << 20
GLYPHS = b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H >>"
NOISE = np.random.default_rng(4).bytes(1 << 14)


def findings(root: Path) -> list[tuple[str, str]]:
    found = search_residue(root, VALUES, allowed=(), jobs=1).findings
    return [(one.code, one.location.partition("#")[2]) for one in found]


def codes(root: Path) -> list[str]:
    return [code for code, _ in findings(root)]


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED, name: str = "x.txt") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def encrypted(archive: bytes) -> bytes:
    """Set the flags of encryption of an archive's only member."""
    changed = bytearray(archive)
    changed[6] |= 1
    changed[archive.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def matlab(content: bytes) -> bytes:
    made = io.BytesIO()
    savemat(made, {"data": np.arange(9000), "notes": content.decode()}, do_compression=True)
    return made.getvalue()


def picture(content: bytes, kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    image = Image.new("L", (40, 30), 7)
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("Comment", content.decode(), zip=True)
        image.save(made, "PNG", pnginfo=texts)
    else:
        exif = Image.Exif()
        exif[0x9286 if kind == "JPEG" else 0x010E] = content.decode()
        image.save(
            made, kind, exif=exif, **({"compression": "tiff_deflate"} if kind == "TIFF" else {})
        )
    return made.getvalue()


def kerned(content: bytes) -> bytes:
    return b"BT /F 9 Tf [(" + content[:8] + b")-20(" + content[8:] + b")]TJ ET" + bytes(99)


def hdf5(content: bytes, *filters: bytes) -> bytes:
    chunk = zlib.compress(content + bytes(4000))
    return b"\x89HDF\r\n\x1a\n" + bytes(500) + b"".join(filters) + NOISE[:999] + chunk + NOISE[:99]


def page(content: bytes) -> bytes:
    lines = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 76))
    return f'<svg><image xlink:href="data:image/png;base64,\n{lines}"/></svg>'.encode()


def escaped_page(content: bytes) -> bytes:
    coded = base64.b64encode(content).decode()
    return f"<html><script>var a='{coded}'.slice()</script></html>".replace("/", "\\/").encode()


def notebook(content: bytes) -> bytes:
    lines = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 76))
    return json.dumps({"cells": [{"outputs": [{"data": {"image/png": lines}}]}]}).encode()


def arrays(content: bytes) -> bytes:
    made = io.BytesIO()
    np.savez_compressed(made, a=np.arange(9000), b=np.array(["clean", content.decode()]))
    return made.getvalue()


def tracks(content: bytes) -> bytes:
    return b"mrtrix tracks\ncommand_history: " + content + b"\nfile: . 99\nEND\n" + NOISE


def rich_text(content: bytes) -> bytes:
    digits = "\n".join(textwrap.wrap(picture(content).hex(), 128))
    return f"{{\\rtf1\\ansi{{\\pict\\pngblip\n{digits}}}}}".encode()


def mail(content: bytes) -> bytes:
    coded = base64.encodebytes(gzip.compress(content + NOISE[:2000]))
    return b"Content-Transfer-Encoding: base64\r\n\r\n" + coded.replace(b"\n", b"\r\n")


MADE: dict[str, Callable[[bytes], tuple[str, bytes]]] = {
    "a zip in a recording": lambda c: ("x.fif", NOISE + zipped(c) + NOISE),
    "a zip without its list": lambda c: ("x.fif", NOISE + zipped(c)[:-73] + NOISE),
    "a member that left its archive's list": lambda c: ("x.zip", zipped(c) + zipped(b"clean")),
    "gzip in a recording": lambda c: ("x.fif", NOISE + gzip.compress(c) + NOISE),
    "bzip2 in a recording": lambda c: ("x.fif", NOISE + bz2.compress(c) + NOISE),
    "xz in a recording": lambda c: ("x.fif", NOISE + lzma.compress(c) + NOISE),
    "zlib in text": lambda c: ("x.txt", b"clean words " * 999 + zlib.compress(c)),
    "gzip in zlib": lambda c: ("x.mat", NOISE + zlib.compress(NOISE + gzip.compress(c))),
    "after the voxels": lambda c: ("x.nii", nifti() + zipped(c)),
    "in a header's extension": lambda c: ("x.nii", nifti(gzip.compress(c))),
    "MATLAB": lambda c: ("x.mat", matlab(c)),
    "EEGLAB": lambda c: ("sub-01_eeg.set", matlab(c)),
    "NumPy, packed": lambda c: ("x.npz", arrays(c)),
    "HDF5": lambda c: ("x.snirf", hdf5(c)),
    "HDF5 in MATLAB": lambda c: ("x.mat", bytes(512) + hdf5(c)),
    "tracks": lambda c: ("x.tck", tracks(c)),
    "PNG": lambda c: ("x.png", picture(c)),
    "JPEG": lambda c: ("x.jpg", picture(c, "JPEG")),
    "TIFF": lambda c: ("x.ome.tif", picture(c, "TIFF")),
    "PDF": lambda c: ("x.pdf", pdf(kerned(c))),
    "page": lambda c: ("x.svg", page(picture(c))),
    "page with escapes": lambda c: ("x.html", escaped_page(gzip.compress(c + NOISE))),
    "notebook": lambda c: ("x.ipynb", notebook(picture(c))),
    "JSON": lambda c: ("x.json", json.dumps({"a": base64.b64encode(zipped(c)).decode()}).encode()),
    "URL": lambda c: (
        "x.json",
        json.dumps({"a": base64.urlsafe_b64encode(matlab(c)).decode()}).encode(),
    ),
    "rich text": lambda c: ("x.rtf", rich_text(c)),
    "mail": lambda c: ("x.eml", mail(c)),
    "hex of gzip": lambda c: ("x.txt", gzip.compress(c).hex().encode()),
    "short gzip": lambda c: (
        "x.txt",
        b"a: "
        + base64.b64encode(gzip.compress(b"of Quillfeather" if b"Qu" in c else b"x", mtime=0)),
    ),
    "GIFTI": lambda c: ("x.gii", b"<Data>" + base64.b64encode(zlib.compress(c)) + b"</Data>"),
}


def nifti(extension: bytes = b"") -> bytes:
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 8, 8, 8, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    extended = struct.pack("<2i", 8 + len(extension), 6) + extension if extension else b""
    struct.pack_into("<f", header, 108, 352 + len(extended))
    header[344:348] = b"n+1\0"
    return bytes(header) + bytes([bool(extension), 0, 0, 0]) + extended + bytes(1024)


@pytest.mark.parametrize("how", MADE)
def test_what_is_packed_within_is_found(tmp_path: Path, how: str) -> None:
    name, content = MADE[how](SECRET)
    (tmp_path / name).write_bytes(content)
    assert codes(tmp_path)
    assert set(codes(tmp_path)) == {"RESIDUE_FOUND"}


def test_what_is_packed_within_and_says_nothing_is_clean(tmp_path: Path) -> None:
    for number, make in enumerate(MADE.values()):
        name, content = make(b"of nobody, as the notes of the day say")
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / name).write_bytes(content)
    assert findings(tmp_path) == []


@pytest.mark.parametrize("text", ["山田太郎", "Jörg"])
@pytest.mark.parametrize("order", "<>")
def test_an_array_of_texts_is_searched(tmp_path: Path, text: str, order: str) -> None:
    np.save(tmp_path / "x.npy", np.array(["clean", text], f"{order}U30"))
    assert codes(tmp_path) == ["RESIDUE_FOUND"]


@pytest.mark.parametrize("before", [CHUNK - 1, CHUNK - 3, CHUNK - 20, CHUNK - 70])
@pytest.mark.parametrize(
    "pack", [gzip.compress, zlib.compress, zipped, lambda c: page(picture(c)), bz2.compress]
)
def test_what_is_packed_across_parts_is_found(
    tmp_path: Path, before: int, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "x.bin").write_bytes(NOISE[:100] + b"\1" * (before - 100) + pack(SECRET) + NOISE)
    assert codes(tmp_path) == ["RESIDUE_FOUND"]


def test_a_picture_of_many_megabytes_in_a_page_is_unpacked(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).bytes(CHUNK + 9)
    (tmp_path / "x.html").write_bytes(page(NOISE + zlib.compress(noise + SECRET)))
    document = {"a": base64.b64encode(noise + gzip.compress(SECRET)).decode()}
    (tmp_path / "x.json").write_text(json.dumps(document))
    assert findings(tmp_path) == [("RESIDUE_FOUND", "base64 within")] * 2


def test_short_words_in_long_codes_stand_there_by_chance(tmp_path: Path) -> None:
    code = base64.b64encode(NOISE).decode()
    code = f"{code[:5000]}/Jorg/{code[5000:]}"
    (tmp_path / "x.html").write_text(f"<img src='data:image/png;base64,{code}'>")
    (tmp_path / "x.json").write_text(json.dumps({"a": code}))
    (tmp_path / "wrapped.txt").write_text("\n".join(textwrap.wrap(code, 76)))
    assert findings(tmp_path) == []


@pytest.mark.parametrize("line", ["", "-" * 70, "x" * 70])
def test_a_list_of_words_is_no_code(tmp_path: Path, line: str) -> None:
    words = [f"word{n}" for n in range(400)]
    (tmp_path / "x.txt").write_text("\n".join([line, *words, "Jorg", *words]))
    assert codes(tmp_path) == ["RESIDUE_FOUND"]


def zstd_frame() -> bytes:
    return b"\x28\xb5\x2f\xfd\x04\x58" + struct.pack("<I", 44 << 3 | 1)[:3] + NOISE[:44]


def hdf5_filter(number: int, name: bytes) -> bytes:
    return struct.pack("<4H", number, 8, 1, 1) + name.ljust(8, b"\0")


SEALED = {
    "an encrypted zip": encrypted(zipped(SECRET)),
    "an encrypted zip within": NOISE + encrypted(zipped(SECRET)) + NOISE,
    "a zip of another method within": NOISE + zipped(SECRET, zipfile.ZIP_LZMA) + NOISE,
    "7z within": NOISE + b"7z\xbc\xaf\x27\x1c\0\4" + NOISE,
    "rar within": NOISE + b"Rar!\x1a\x07\x01\0" + NOISE,
    "zstd within": NOISE + zstd_frame() + NOISE,
    "lz4 within": NOISE + b"\x04\x22\x4d\x18\x64\x40\xa7" + NOISE,
    "damaged xz within": NOISE + lzma.compress(NOISE)[:900] + NOISE,
    "PGP": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA0\n-----END PGP MESSAGE-----\n",
    "a workbook with a password": b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"),
    "PDF, encrypted": pdf(kerned(SECRET[3:]), trailer=b"/Encrypt << /Filter /Standard >>"),
    "PDF of glyphs": pdf(b"BT /F 9 Tf <0034003500360037> Tj ET", font=GLYPHS),
    "PDF in nothing that is ASCII85": pdf(b"\xff\xfe", packing=b"/ASCII85Decode"),
    "PDF within": NOISE + pdf(kerned(b"a"), trailer=b"/Encrypt << /Filter /Standard >>") + NOISE,
    "HDF5, LZF": hdf5(b"clean", hdf5_filter(32000, b"lzf")),
    "HDF5, Blosc": hdf5(b"clean", hdf5_filter(32001, b"blosc")),
    "HDF5, szip": hdf5(b"clean", hdf5_filter(4, b"szip")),
    "Blosc": struct.pack("<4B3I", 2, 1, 1, 2, 9000, 9000, 16 + 999) + NOISE[:999],
    "Parquet": b"PAR1" + NOISE,
    "openssl": b"Salted__" + NOISE,
    "deflated DICOM": bytes(128) + b"DICM" + bytes(30) + b"1.2.840.10008.1.2.1.99" + NOISE,
    "lzma": lzma.compress(SECRET, lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("how", SEALED)
def test_what_cannot_be_unpacked_is_a_finding(tmp_path: Path, how: str) -> None:
    (tmp_path / "x.bin").write_bytes(SEALED[how])
    assert "RESIDUE_NOT_SEARCHED" in codes(tmp_path)


def test_what_is_not_sealed_is_searched_all_the_same(tmp_path: Path) -> None:
    sealed = SEALED["an encrypted zip within"]
    (tmp_path / "x.bin").write_bytes(sealed + SECRET)
    assert sorted(codes(tmp_path)) == ["RESIDUE_FOUND", "RESIDUE_NOT_SEARCHED"]


def many_streams() -> bytes:
    """Return beginnings of streams that all go on for 64 KiB, as stored blocks (RFC 1951)."""
    return b"\x78\x01\0\xff\xff\0\0" * 40


def nested(times: int) -> bytes:
    content = SECRET
    for _ in range(times):
        content = NOISE[:50] + gzip.compress(content)
    return content


@pytest.mark.parametrize(
    "content",
    [
        NOISE + zlib.compress(bytes(8 * CHUNK)) + NOISE,
        NOISE + gzip.compress(zlib.compress(bytes(8 * CHUNK))),
        NOISE + zipped(bytes(8 * CHUNK)),
        page(zlib.compress(bytes(8 * CHUNK))),
        b"\x01x\x9c" * (1 << 18),
        b"\x01PK\x03\x04" * (1 << 16),
        many_streams(),
        nested(12),
    ],
    ids=["zlib", "twice", "zip", "page", "beginnings", "members", "at once", "nested"],
)
def test_what_is_packed_without_end_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(residue_unpack, "_ALWAYS_UNPACKED", CHUNK)
    (tmp_path / "x.bin").write_bytes(content)
    tracemalloc.start()
    try:
        assert codes(tmp_path)[-1] == "RESIDUE_NOT_SEARCHED"
        assert tracemalloc.get_traced_memory()[1] < 60 * CHUNK
    finally:
        tracemalloc.stop()


def test_noise_and_checksums_are_no_streams(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(np.random.default_rng(8).bytes(6 * CHUNK))
    rows = "".join(f"{binascii.crc32(bytes([n])):08x}{NOISE[n : n + 28].hex()}\n" for n in range(9))
    (tmp_path / "sums.txt").write_text(rows)
    assert findings(tmp_path) == []


PARTS = [
    *(b"\\", b"\\u", b"\\x4", b"\\'e9", b"%2", b"%2B", b"&#10;", b"<p ", b">", b") Tj ", b"="),
    *(b"=\n", b"+", b"-\n", b"A" * 60, b"ab" * 40, b"ab ", b"0x", b"\0", b"\0\0\0", b"/", b"\r\n"),
    *(b"PK\x03\x04", b"x\x9c", b"BZh91AY&SY", b"\x1f\x8b\x08\0", b"\xfd7zXZ\0", b"\xc3\xa9"),
    *(b"\x89HDF\r\n\x1a\n", b"\x93NUMPY'descr': '<U3'\n", b"%PDF-", b"\xff\xfe\0\0", b"\xff\xfe"),
    *(zipped(b"clean")[:40], gzip.compress(b"clean"), zlib.compress(b"clean")[:-2], b"H4sI" * 9),
    b"\x28\xb5\x2f\xfd",
]


@settings(max_examples=150)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=30), is_json=st.booleans())
def test_no_mixture_crashes_the_search(
    tmp_path: Path, parts: list[bytes], *, is_json: bool
) -> None:
    (tmp_path / "x.json").write_bytes(b"\1{" + b"".join(parts))
    (tmp_path / ("y.json" if is_json else "y.bin")).write_bytes(b"".join(parts))
    assert set(codes(tmp_path)) <= {"RESIDUE_NOT_SEARCHED"}
