"""Elements are written as the standard wants them."""

from __future__ import annotations

import pytest
from written_elements import file_of

from bidsanon.dicom.encoding import EXPLICIT_LITTLE
from bidsanon.dicom.file_format import read_file
from bidsanon.dicom.writing import write_element


def test_a_value_too_long_for_its_vr_is_written_as_un() -> None:
    written = write_element(0x00104000, "LT", b"x" * 70_000, EXPLICIT_LITTLE)
    found = read_file(file_of(written)).data_set.elements[0]
    assert found.vr == "UN"
    assert found.end - found.body == 70_000


@pytest.mark.parametrize(
    ("vr", "value", "padded"),
    [("LO", b"abc", b"abc "), ("UI", b"1.2", b"1.2\0"), ("OB", b"\1", b"\1\0"), ("CS", b"", b"")],
)
def test_values_are_padded_to_an_even_length(vr: str, value: bytes, padded: bytes) -> None:
    assert write_element(0x00080080, vr, value, EXPLICIT_LITTLE).endswith(padded)
    assert len(write_element(0x00080080, vr, value, EXPLICIT_LITTLE)) % 2 == 0
