"""A DICOM file on a disk is read as far as it is asked for, and its text decoded."""

from __future__ import annotations

from pathlib import Path

import pytest
from written_elements import file_of

from bidsanon.dicom.encoding import EXPLICIT_LITTLE, NotUnderstoodError
from bidsanon.dicom.reading import read_path, text_of
from bidsanon.dicom.writing import write_element

NAME = 0x00100010


@pytest.fixture
def path(tmp_path: Path) -> Path:
    elements = ((0x00080005, "CS", b"ISO_IR 192"), (NAME, "PN", "Jörg^Müller".encode()))
    written = b"".join(write_element(*element, EXPLICIT_LITTLE) for element in elements)
    (tmp_path / "one.dcm").write_bytes(file_of(written))
    return tmp_path / "one.dcm"


def test_text_is_decoded_by_the_character_set_of_its_file(path: Path) -> None:
    assert text_of(read_path(path), NAME) == "Jörg^Müller"


def test_what_a_file_does_not_say_is_no_text(path: Path) -> None:
    assert text_of(read_path(path), 0x00100020) == ""


def test_nothing_is_looked_at_behind_what_is_wanted(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\x20\x00\x10\x00 this is no element")
    with pytest.raises(NotUnderstoodError):
        read_path(path)
    assert text_of(read_path(path, until=NAME + 1), NAME) == "Jörg^Müller"
