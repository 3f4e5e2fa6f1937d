"""The residue search on what is damaged, endless, odd or hostile: a finding, in bounded memory."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate import residue_content, residue_json, residue_search, residue_unpack
from bidsanon.validate.residue import ResidueSearch, search_residue
from bidsanon.validate.residue_json import LARGEST

NAME = IdentifyingValue(kind=ValueKind.NAME, text="Quillfeather^Mara", origin="(0010,0010)")
SMALL_BOUND = 1 << 20
NOT_SEARCHED = ["RESIDUE_NOT_SEARCHED"]


def search(root: Path) -> ResidueSearch:
    return search_residue(root, [NAME], allowed=(), jobs=1)


def codes(root: Path) -> list[str]:
    return [found.code for found in search(root).findings]


def image_header(*sizes: int) -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(sizes), *sizes, *([1] * (7 - len(sizes))))
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    return bytes(header)


def tar_with_endless_name() -> bytes:
    member = tarfile.TarInfo("././@LongLink")
    member.type = tarfile.GNUTYPE_LONGNAME
    member.size = 1 << 31
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 16)


def zip_of(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", content)
    return packed.getvalue()


BOMB = bytes(8 * SMALL_BOUND)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.nii.gz", gzip.compress(BOMB)),
        ("x.nii.gz", gzip.compress(image_header(32000, 32000, 100) + BOMB)),
        ("x.gz", gzip.compress(gzip.compress(BOMB))),
        ("x.txt.gz", gzip.compress(b"ab " * SMALL_BOUND)),
        ("x.bz2", bz2.compress(BOMB)),
        ("x.xz", lzma.compress(BOMB)),
        ("x.zip", zip_of(BOMB)),
        ("x.zip", zip_of(gzip.compress(BOMB))),
    ],
)
def test_what_unpacks_without_end_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    monkeypatch.setattr(residue_unpack, "_ALWAYS_UNPACKED", SMALL_BOUND)
    (tmp_path / name).write_bytes(content)
    (found,) = search(tmp_path).findings
    assert found.code == "RESIDUE_NOT_SEARCHED"
    assert "unpacks to more than" in found.message


def test_an_empty_mask_is_no_bomb(tmp_path: Path) -> None:
    mask = gzip.compress(image_header(256, 256, 256) + bytes(2 * 256**3))
    (tmp_path / "sub-01_mask.nii.gz").write_bytes(mask)
    assert len(mask) * 500 < 2 * 256**3
    assert codes(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(tar_with_endless_name()),
        tar_with_endless_name(),
        b"PK\x03\x04" + bytes(99),
        zip_of(b"clean")[:-9],
        b"BZh9" + bytes(99),
        b"\xfd7zXZ\x00" + bytes(99),
        lzma.compress(b"clean" * 99)[:-20],
        b"\x28\xb5\x2f\xfd" + bytes(99),
        b"7z\xbc\xaf\x27\x1c" + bytes(99),
        b"Rar!\x1a\x07\x01\x00" + bytes(99),
        b"\x04\x22\x4d\x18" + bytes(99),
        gzip.compress(b"clean" * 999)[:-30],
    ],
    ids=(
        *("endless name, gzip", "endless name, tar", "no zip", "zip, cut", "no bzip2", "no xz"),
        *("xz, cut", "zstd", "7z", "rar", "lz4", "gzip, cut"),
    ),
)
def test_what_cannot_be_unpacked_is_a_finding(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.bin").write_bytes(content)
    assert codes(tmp_path) == NOT_SEARCHED


def test_xz_that_asks_for_gigabytes_gets_none(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    compressor = lzma.LZMACompressor(filters=filters)
    (tmp_path / "x.xz").write_bytes(compressor.compress(b"clean") + compressor.flush())
    assert codes(tmp_path) == NOT_SEARCHED


def peak(task: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def small_json(monkeypatch: pytest.MonkeyPatch) -> int:
    """Have JSON read as a stream from a sixteenth of the usual length on, in smaller parts."""
    for module, name in (
        (residue_content, "LARGEST"),
        (residue_content, "CHUNK"),
        (residue_json, "_LONGEST_STRING"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name) // 16)
    return LARGEST // 16


@pytest.mark.slow
def test_large_json_is_searched_in_bounded_memory(tmp_path: Path) -> None:
    numbers = ", ".join(str(n / 7) for n in range(200_000))
    text = f'{{"a": [{numbers}], "Mara": "of \\u0051uillfeather", "b": [{numbers}]}}'
    (tmp_path / "x.json").write_text(text)
    assert len(text) > 2 * LARGEST
    assert codes(tmp_path) == ["RESIDUE_FOUND"]
    assert peak(lambda: search(tmp_path)) < 40 * LARGEST / 2


def test_a_value_across_parts_of_large_json_is_found(tmp_path: Path, small_json: int) -> None:
    chunk = residue_unpack.CHUNK // 16
    for start in range(6):
        padding = "x" * (chunk - 12 + 3 * start)
        document = {"a": padding, "b": f"of {NAME.text}", "c": "y" * 2 * small_json}
        (tmp_path / "x.json").write_text(json.dumps(document))
        assert codes(tmp_path) == ["RESIDUE_FOUND"]


def test_a_long_string_that_holds_quotes_is_searched_to_its_end(
    tmp_path: Path, small_json: int
) -> None:
    document = {"a": '\\"x' * small_json + NAME.text, "b": [1, 2]}
    (tmp_path / "x.json").write_text(json.dumps(document))
    assert codes(tmp_path) == ["RESIDUE_FOUND"]


@pytest.mark.parametrize("depth", [900, 20_000])
def test_deep_json_is_searched(tmp_path: Path, depth: int) -> None:
    (tmp_path / "x.json").write_text('{"a":[' * depth + '"Quillfeather"' + "]}" * depth)
    (found,) = search(tmp_path).findings
    assert found.code == "RESIDUE_FOUND"
    assert len(found.location) < 100


def png_with_text(text: bytes) -> bytes:
    body = b"Comment\0\0" + zlib.compress(text)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(chunk[4:]))


def matlab_file(text: bytes) -> bytes:
    made = io.BytesIO()
    savemat(made, {"path": text.decode(), "data": np.arange(4000)}, do_compression=True)
    return made.getvalue()


def stream_with_text(text: bytes) -> bytes:
    stream = zlib.compress(b"BT (" + text + b") Tj ET" + bytes(2000))
    return b"%\xe2\xe3\1\2\n1 0 obj\nstream\n" + stream + b"\nendstream\n"


@pytest.mark.parametrize(
    "make",
    [png_with_text, matlab_file, stream_with_text, lambda text: zlib.compress(b"blob 9\0" + text)],
)
@pytest.mark.parametrize("before", [0, (1 << 20) - 30])
def test_what_is_compressed_within_other_bytes_is_searched(
    tmp_path: Path, make: Callable[[bytes], bytes], before: int
) -> None:
    noise = np.random.default_rng(2).bytes(before)
    (tmp_path / "x.bin").write_bytes(noise + make(b"/home/mara.quillfeather/scan" * 9))
    assert [f.location for f in search(tmp_path).findings] == ["x.bin#compressed within"]


def test_a_long_table_is_searched(tmp_path: Path) -> None:
    rows = "".join(f"sub-{n:06d}\t{n % 60}\t0.{n}\n" for n in range(100_000))
    (tmp_path / "participants.tsv").write_text(f"participant_id\tage\tx\n{rows}sub-x\t1\tMara\n")
    assert codes(tmp_path) == ["RESIDUE_FOUND"]
    assert peak(lambda: search(tmp_path)) < 60 << 20


def test_a_row_of_a_hundred_thousand_numbers_takes_no_time(tmp_path: Path) -> None:
    uid = IdentifyingValue(kind=ValueKind.UID, text="1.2.840.113619.2.5.77", origin="(0020,000D)")
    text = "-".join(str(n % 97) for n in range(100_000))
    (tmp_path / "README").write_text(f"{text} {uid.text}")
    findings = search_residue(tmp_path, [uid], allowed=(), jobs=1).findings
    assert [found.code for found in findings] == ["RESIDUE_FOUND"]


def test_links_that_leave_loop_or_lead_nowhere_are_findings(tmp_path: Path) -> None:
    root, outside = tmp_path / "ds", tmp_path / "elsewhere"
    root.mkdir()
    outside.write_text("Quillfeather")
    (root / "leaves").symlink_to(outside)
    (root / "loops").symlink_to("loops")
    (root / "nowhere").symlink_to("not-here")
    (root / "round").symlink_to(root)
    found = {f.location: f.code for f in search(root).findings}
    assert set(found) == {"leaves", "loops", "nowhere", "round"}
    assert set(found.values()) == {"RESIDUE_NOT_SEARCHED"}


def test_a_link_within_the_dataset_is_searched_under_its_name_once(tmp_path: Path) -> None:
    key = tmp_path / ".git" / "annex" / "objects" / "ab" / "MD5E-s12.txt"
    key.parent.mkdir(parents=True)
    key.write_text("Quillfeather")
    (tmp_path / "sub-01.txt").symlink_to(key.relative_to(tmp_path))
    assert [f.location for f in search(tmp_path).findings] == ["sub-01.txt#byte 0"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("Quillfeather")
    (tmp_path / "x.txt").chmod(0)
    assert codes(tmp_path) == NOT_SEARCHED


def test_what_fails_while_it_is_read_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: Path) -> Iterator[object]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(residue_search, "pieces", failing)
    (tmp_path / "x.txt").write_text("clean")
    assert codes(tmp_path) == NOT_SEARCHED


def test_a_name_that_is_no_utf_8_is_a_finding(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff.txt")).write_text("clean")
    (found,) = search(tmp_path).findings
    assert found.code == "RESIDUE_NOT_SEARCHED"
    found.location.encode()


def test_many_files_are_each_searched(tmp_path: Path) -> None:
    for number in range(1500):
        (tmp_path / f"sub-{number:04d}.json").write_text(json.dumps({"EchoTime": number / 9e4}))
    (tmp_path / "sub-0777.json").write_text('{"a": "Mara Quillfeather"}')
    assert [f.location for f in search(tmp_path).findings] == ["sub-0777.json#/a"]
