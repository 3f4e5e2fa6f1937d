"""An image that a person rejected is told wherever its bytes are."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from bidsanon.audit import FaceDecision, FaceDecisions, FaceVerdict
from bidsanon.findings import Gate, Severity
from bidsanon.validate import check_rejected
from bidsanon.validate import rejected as module

T1W = "sub-01/anat/sub-01_T1w.nii.gz"
T2W = "sub-01/anat/sub-01_T2w.nii.gz"
REJECTED = FaceDecisions(
    made=(
        FaceDecision(
            image=T1W,
            sha256=sha256(b"one").hexdigest(),
            size=3,
            verdict=FaceVerdict.REJECTED,
            when="2031-04-05T06:07:08Z",
        ),
    )
)


def test_a_rejected_image_is_an_error_until_its_bytes_are_others(tmp_path: Path) -> None:
    (tmp_path / T1W).parent.mkdir(parents=True)
    (tmp_path / T1W).write_bytes(b"one")
    (tmp_path / T2W).write_bytes(b"two")
    (tmp_path / "sub-01/anat/sub-01_PDw.nii.gz").symlink_to("nowhere")

    (found,) = check_rejected(tmp_path, REJECTED)
    assert (found.code, found.location) == ("FACE_REJECTED", T1W)
    assert (found.gate, found.severity) == (Gate.VALIDATE, Severity.ERROR)

    (tmp_path / T1W).write_bytes(b"new")
    assert not check_rejected(tmp_path, REJECTED)


@pytest.mark.parametrize(
    "place",
    [
        T2W,
        "derivatives/x/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz",
        "sourcedata/old.nii.gz",
        "sub-01/anat/SUB-01_T1W.NII.GZ",
        "code/picture",
    ],
)
def test_a_copy_is_told_wherever_it_lies(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_bytes(b"one")
    assert [found.location for found in check_rejected(tmp_path, REJECTED)] == [place]


def test_what_is_hidden_is_not_shared_and_what_leads_nowhere_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / ".old").mkdir()
    (tmp_path / ".old" / "T1w.nii.gz").write_bytes(b"one")
    (tmp_path / "link.nii.gz").symlink_to("nowhere")
    assert not check_rejected(tmp_path, REJECTED)


def test_a_dataset_is_not_walked_through_where_nothing_was_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "list_shared", lambda _: pytest.fail("it was"))
    accepted = replace(REJECTED.made[0], verdict=FaceVerdict.ACCEPTED)
    assert not check_rejected(tmp_path, FaceDecisions(made=(accepted,)))
