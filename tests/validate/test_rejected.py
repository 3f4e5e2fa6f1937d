"""An image that a person rejected is told wherever its bytes are."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from bidsanon.audit import FaceDecision, FaceDecisions, FaceVerdict
from bidsanon.findings import Gate, Severity
from bidsanon.validate import check_rejected

T1W = "sub-01/anat/sub-01_T1w.nii.gz"
T2W = "sub-01/anat/sub-01_T2w.nii.gz"


def test_a_rejected_image_is_an_error_until_its_bytes_are_others(tmp_path: Path) -> None:
    (tmp_path / T1W).parent.mkdir(parents=True)
    (tmp_path / T1W).write_bytes(b"one")
    (tmp_path / T2W).write_bytes(b"two")
    (tmp_path / "sub-01/anat/sub-01_PDw.nii.gz").symlink_to("nowhere")
    rejected = FaceDecision(
        image=T1W,
        sha256=sha256(b"one").hexdigest(),
        size=3,
        verdict=FaceVerdict.REJECTED,
        when="2031-04-05T06:07:08Z",
    )
    decisions = FaceDecisions(by_image={T1W: rejected})

    (found,) = check_rejected(tmp_path, decisions)
    assert (found.code, found.location) == ("FACE_REJECTED", T1W)
    assert (found.gate, found.severity) == (Gate.VALIDATE, Severity.ERROR)

    (tmp_path / T1W).write_bytes(b"new")
    assert not check_rejected(tmp_path, decisions)
