"""CSA headers are read and written back byte for byte, and what is no CSA header is refused."""

from __future__ import annotations

import gzip
import io
import struct
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread

from bidsanon.dicom.csa import CsaError, CsaForm, parse_csa, write_csa

SETS = (
    "siemens-phoenix-sr",
    "siemens-ve11-dwi-head",
    "siemens-ve11-epi-mosaic",
    "siemens-ve11-fmap-gre",
    "siemens-ve11-pdt2-tse",
    "siemens-ve11-t1w-face",
    "transfer-syntaxes",
)
PACKAGED = (
    ("nibabel", "nicom/tests/data/0.dcm"),
    ("nibabel", "nicom/tests/data/1.dcm"),
    ("nibabel", "nicom/tests/data/csa_slice_norm.dcm"),
    ("nibabel", "nicom/tests/data/siemens_dwi_0.dcm.gz"),
    ("nibabel", "nicom/tests/data/siemens_dwi_1000.dcm.gz"),
    ("heudiconv", "tests/data/axasc35.dcm"),
    ("heudiconv", "tests/data/phantom.dcm"),
    ("heudiconv", "tests/data/01-anat-scout/0001.dcm"),
    ("heudiconv", "tests/data/b0dwiForFmap/b0dwi_for_fmap+00001.dcm"),
)


def made_header(
    tags: list[tuple[bytes, list[bytes]]],
    *,
    form: str = "SV10",
    trailing: bytes = b"",
    leftover: bytes = b"",
) -> bytes:
    """Write a header without the package's help.

    Each tag is (name, values); `leftover` stands behind each name and value, as memory does.
    """
    content = b"SV10\4\3\2\1" if form == "SV10" else b""
    content += struct.pack("<II", len(tags), 77)
    base = len(tags[0][1]) if form == "CSA1" else 0
    for name, values in tags:
        field = (name + b"\0" + leftover)[:64].ljust(64, b"\0")
        mark = 77 if values else 205
        content += struct.pack("<64si4siii", field, 1, b"LO\0\0", 19, len(values), mark)
        for value in values:
            length = len(value)
            content += struct.pack("<4i", length + base, length, 77, length)
            content += value + leftover[: -length % 4].ljust(-length % 4, b"\0")
    return content + trailing


def csa_elements(dataset: Dataset) -> Iterator[bytes]:
    """Yield the CSA headers of a data set, wherever their block stands."""
    for block in range(0x10, 0x100):
        creator = dataset.get((0x0029, block))
        if creator is not None and str(creator.value).strip() == "SIEMENS CSA HEADER":
            for low in (0x10, 0x20):
                element = dataset.get((0x0029, block << 8 | low))
                if element is not None and isinstance(element.value, bytes):
                    yield element.value


def real_headers(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if content[128:132] != b"DICM":
        return
    yield from csa_elements(dcmread(io.BytesIO(content), stop_before_pixels=True))


@pytest.mark.parametrize("name", SETS)
def test_every_real_header_comes_out_as_it_was(
    shared_data: Callable[[str], Path], name: str
) -> None:
    headers = [
        header
        for path in sorted(shared_data(name).rglob("*"))
        if path.is_file()
        for header in real_headers(path)
    ]
    assert len(headers) >= 2
    for header in headers:
        assert write_csa(parse_csa(header)) == header


@pytest.mark.parametrize(("package", "path"), PACKAGED)
def test_headers_in_installed_packages_come_out_as_they_were(package: str, path: str) -> None:
    headers = list(real_headers(Path(str(files(package).joinpath(path)))))
    assert headers
    for header in headers:
        parsed = parse_csa(header)
        assert parsed.form is CsaForm.SV10
        assert len(parsed.tags) > 20
        assert write_csa(parsed) == header


NAMES = st.binary(max_size=63).filter(lambda name: b"\0" not in name)
TAGS = st.lists(st.tuples(NAMES, st.lists(st.binary(max_size=40), max_size=6)), min_size=1)


@given(
    tags=TAGS,
    form=st.sampled_from(["SV10", "CSA1"]),
    leftover=st.binary(max_size=64),
    trailing=st.binary(max_size=20),
)
def test_any_header_comes_out_as_it_was(
    tags: list[tuple[bytes, list[bytes]]], form: str, leftover: bytes, trailing: bytes
) -> None:
    content = made_header(tags, form=form, leftover=leftover, trailing=trailing)
    parsed = parse_csa(content)
    assert parsed.form == form
    assert [tag.name.encode("latin-1") for tag in parsed.tags] == [name for name, _ in tags]
    assert [[item.value for item in tag.items] for tag in parsed.tags] == [
        values for _, values in tags
    ]
    assert write_csa(parsed) == content


@given(content=st.binary(max_size=400))
def test_bytes_of_any_kind_are_refused_or_come_out_as_they_were(content: bytes) -> None:
    for candidate in (content, b"SV10\4\3\2\1\1\0\0\0M\0\0\0" + content):
        try:
            parsed = parse_csa(candidate)
        except CsaError:
            continue
        assert write_csa(parsed) == candidate


@given(data=st.data())
def test_a_header_that_is_cut_short_is_refused(data: st.DataObject) -> None:
    content = made_header([(b"B_value", [b"1000    \0"]), (b"ICE_Dims", [b"X_1_1\0", b""])])
    end = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(CsaError):
        parse_csa(content[:end])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"SV10",
        b"SV10\4\3\2\1" + struct.pack("<II", 0, 77),
        b"SV10\4\3\2\1" + struct.pack("<II", 1, 78) + bytes(84),
        b"SV10\4\3\2\1" + struct.pack("<II", 1 << 20, 77) + bytes(84),
        b"SV10\4\3\2\1" + struct.pack("<II64si4siii", 1, 77, b"A", 1, b"LO", 19, -1, 77),
        b"SV10\4\3\2\1"
        + struct.pack("<II64si4siii", 1, 77, b"A", 1, b"LO", 19, 1, 77)
        + struct.pack("<4i", 9, -9, 0, 0),
    ],
    ids=["empty", "cut", "no tags", "no check", "many tags", "negative count", "negative length"],
)
def test_what_is_no_header_is_refused(content: bytes) -> None:
    with pytest.raises(CsaError):
        parse_csa(content)


@pytest.mark.parametrize("form", ["SV10", "CSA1"])
def test_other_values_leave_nothing_of_the_old_ones_and_of_memory(form: str) -> None:
    tags = [(b"First", [b"one\0", b"", b""]), (b"Second", [b"DOE^JANE\0", b"", b""])]
    parsed = parse_csa(made_header(tags, form=form, leftover=b"SECRETSECRET"))
    tags_changed = tuple(tag.with_values(("12", "", "3")) for tag in parsed.tags)
    changed = write_csa(replace(parsed, tags=tags_changed))
    assert b"SECRET" not in changed
    assert b"DOE" not in changed
    again = parse_csa(changed)
    assert [tag.values for tag in again.tags] == [("12", "", "3")] * 2
    assert [len(tag.items) for tag in again.tags] == [3, 3]


def test_an_emptied_tag_looks_as_the_scanner_writes_it() -> None:
    parsed = parse_csa(made_header([(b"UsedPatientWeight", [b"84      \0", b""])]))
    empty = write_csa(replace(parsed, tags=(parsed.tags[0].with_values(()),)))
    assert empty == made_header([(b"UsedPatientWeight", [])])


def test_nibabel_reads_what_is_written() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The DICOM readers are highly experimental")
        from nibabel.nicom import csareader  # noqa: PLC0415 - it warns when it is imported
    path = Path(str(files("nibabel").joinpath("nicom/tests/data/siemens_dwi_1000.dcm.gz")))
    image, series = real_headers(path)
    parsed = parse_csa(image)
    content = write_csa(
        replace(parsed, tags=tuple(tag.with_values(tag.values) for tag in parsed.tags))
    )
    before, after = csareader.read(image), csareader.read(content)
    assert {name: tag["items"] for name, tag in before["tags"].items()} == {
        name: tag["items"] for name, tag in after["tags"].items()
    }
    assert csareader.get_b_value(after) == csareader.get_b_value(before) > 0
    assert series.startswith(b"SV10")
