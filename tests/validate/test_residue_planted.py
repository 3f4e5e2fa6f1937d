"""Each written form of the table ``planted_forms.tsv`` is found, however it is encoded or packed.

The table has a row for each: what the source says, how it is written in the dataset, and in what:
a character set, a packing, a name, an image.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue import search_residue

TABLE = Path(__file__).with_name("planted_forms.tsv")
FEWEST = 200


def rows() -> list[dict[str, str]]:
    lines = TABLE.read_text("utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def _zip(text: str, *, name: str = "x.txt", comment: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
        archive.comment = comment.encode()
    return packed.getvalue()


def _tar(text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("x.txt")
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def _gzip_named(text: str) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(text, "wb", fileobj=packed) as stream:
        stream.write(b"clean")
    return packed.getvalue()


def _image(*, extension: bytes = b"", voxels: bytes = b"") -> bytes:
    header = bytearray(348)
    offset = 352 + (8 + len(extension) if extension else 0)
    struct.pack_into("<i8h", header, 0, 348, *([0] * 8))
    struct.pack_into("<8h", header, 40, 3, 64, 32, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<f", header, 108, offset)
    header[344:348] = b"n+1\0"
    extended = struct.pack("<2i", 8 + len(extension), 6) + extension if extension else b""
    noise = bytes(range(1, 20)) * 216
    content = noise[:1003] + voxels + noise[: 4096 - 1003 - len(voxels)]
    return bytes(header) + bytes([bool(extension), 0, 0, 0]) + extended + content


MADE: dict[str, Callable[[str], tuple[str, bytes]]] = {
    "text": lambda text: ("README", f"of {text}, it says".encode()),
    "json": lambda text: ("x.json", json.dumps({"a": [{"b": f"of {text}"}]}).encode()),
    "gzip": lambda text: ("x.txt.gz", gzip.compress(f"of {text}\n".encode())),
    "gzip in gzip": lambda text: ("x.gz", gzip.compress(gzip.compress(text.encode()))),
    "xml in gzip": lambda text: (
        "x.xml.gz",
        gzip.compress(f"<a>{text}</a>".encode("ascii", "xmlcharrefreplace")),
    ),
    "gzip name": lambda text: ("x.gz", _gzip_named(text)),
    "zip": lambda text: ("x.zip", _zip(f"of {text}")),
    "zip in gzip": lambda text: ("x.gz", gzip.compress(_zip(f"of {text}"))),
    "member name": lambda text: ("x.zip", _zip("clean", name=f"{text}.txt")),
    "member comment": lambda text: ("x.zip", _zip("clean", comment=text)),
    "tar": lambda text: ("x.tar", _tar(f"of {text}")),
    "tar.gz": lambda text: ("x.tgz", gzip.compress(_tar(f"of {text}"))),
    "bz2": lambda text: ("x.bz2", bz2.compress(f"of {text}".encode())),
    "xz": lambda text: ("x.xz", lzma.compress(f"of {text}".encode())),
    "name": lambda text: (f"sub-01_{text}_T1w.txt", b""),
    "voxels": lambda text: ("x.nii", _image(voxels=f"({text})".encode())),
    "extension": lambda text: ("x.nii.gz", gzip.compress(_image(extension=text.encode()))),
    "binary": lambda text: ("x.mat", b"\1\2\3\4" * 99 + text.encode() + b"\5\6\7\1" * 99),
}


def made(text: str, how: str) -> tuple[str, bytes]:
    """Return a file's name and content; what is no packing is the name of a character set."""
    maker = MADE.get(how)
    return maker(text) if maker else ("x.txt", f"of {text} it says".encode(how))


@pytest.mark.parametrize(
    "row", rows(), ids=[f"{n}-{row['kind']}-{row['how']}" for n, row in enumerate(rows(), start=2)]
)
def test_a_planted_form_is_found(tmp_path: Path, row: dict[str, str]) -> None:
    name, content = made(row["written"], row["how"])
    (tmp_path / name).write_bytes(content)
    value = IdentifyingValue(kind=ValueKind(row["kind"]), text=row["value"], origin="(0010,0010)")

    findings = search_residue(tmp_path, [value], allowed=(), jobs=1).findings

    assert findings
    assert {found.code for found in findings} == {"RESIDUE_FOUND"}
    assert row["written"] not in str(findings)


def test_what_is_packed_alike_and_says_nothing_is_clean(tmp_path: Path) -> None:
    for number, how in enumerate(sorted({row["how"] for row in rows()})):
        name, content = made("nothing of note", how)
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / name).write_bytes(content)
    values = [
        IdentifyingValue(kind=ValueKind(row["kind"]), text=row["value"], origin="(0010,0010)")
        for row in rows()
    ]
    assert search_residue(tmp_path, values, allowed=(), jobs=1).findings == ()


def test_the_table_is_long_enough_and_holds_nothing_twice() -> None:
    listed = [tuple(row.values()) for row in rows()]
    assert len(set(listed)) == len(listed) >= FEWEST
