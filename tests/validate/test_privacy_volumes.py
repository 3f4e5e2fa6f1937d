"""Commands and paths behind the voxels of a FreeSurfer volume are found."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from privacy_trees import findings_of, raw_dataset

from bidsanon.validate.privacy import check_privacy

FILE = "derivatives/a/sub-01/anat/sub-01_desc-brain.mgz"


def volume(*tags: tuple[int, bytes]) -> bytes:
    made = io.BytesIO()
    image = nib.MGHImage(np.zeros((3, 3, 3), np.float32), np.eye(4))
    image.to_file_map({"image": nib.FileHolder(fileobj=made)})
    written = (struct.pack(">iq", number, len(text)) + text for number, text in tags)
    return gzip.compress(made.getvalue() + b"".join(written), mtime=0)


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (volume((3, b"mri_convert a b\0")), {"PRIVACY_HEADER_TEXT"}),
        (volume((31, b"/home/quillfeather/a.xfm\0")), {"PRIVACY_HEADER_TEXT"}),
        (volume((5, b"/home/quillfeather/lut.txt\0")), {"PRIVACY_FOLDER"}),
        (volume((5, b"Quillfeather^Mara\0")), {"PRIVACY_NAME"}),
        (volume((41, b"UNKNOWN\0")), set()),
        (volume((3, bytes(20))), set()),
        (volume()[:-20], {"PRIVACY_NOT_READ"}),
        (gzip.compress(b"no volume", mtime=0), {"PRIVACY_NOT_READ"}),
    ],
)
def test_what_stands_behind_voxels_is_found(
    tmp_path: Path, content: bytes, codes: set[str]
) -> None:
    raw_dataset(tmp_path, whole=False)
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_bytes(content)
    found = findings_of(check_privacy(tmp_path))
    assert {code for code, places in found.items() if FILE in str(places)} - {
        "PRIVACY_FACE"
    } == codes
