"""The VR of a tag, where a file does not say it."""

from __future__ import annotations

import pytest

from bidsanon.dicom.vrs import dictionary_vr


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00100010, "PN"),
        (0x00280106, "US"),
        (0x7FE00010, "OW"),
        (0x60003000, "OW"),
        (0x00290010, "LO"),
        (0x00291010, "UN"),
        (0x00080000, "UL"),
        (0x00100012, "LO"),
    ],
)
def test_the_dictionary_gives_one_vr(tag: int, vr: str) -> None:
    assert dictionary_vr(tag) == vr
