"""What a person rejected is an error of validate, and is not published again as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import run_convert
from sessions import MARA, bold_mosaic

from bidsanon.audit import FaceDecision, FaceVerdict, now, record_decision
from bidsanon.files import sha256, tree_digest
from bidsanon.findings import errors
from bidsanon.pipeline.validate import make_validate_request, validate
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor


@pytest.mark.slow
def test_a_rejected_image_is_not_published_again(dataset: Path, tmp_path: Path) -> None:
    (image,) = dataset.rglob("*_bold.nii.gz")
    decision = FaceDecision(
        image="sub-09/func/sub-09_task-rest_bold.nii.gz",
        sha256=sha256(image),
        size=image.stat().st_size,
        verdict=FaceVerdict.REJECTED,
        when=now(),
    )
    record_decision(dataset.with_name("ds.private"), decision)
    before = tree_digest(dataset)
    bold_mosaic(tmp_path / "in", person=MARA)

    again = run_convert(tmp_path / "in", dataset=dataset, session="01", overwrite=True)

    assert again.refusal is not None
    assert [found.code for found in again.refusal.findings] == ["FACE_REJECTED"]
    assert again.refusal.findings[0].location == image.relative_to(dataset).as_posix()
    assert tree_digest(dataset) == before


@pytest.mark.slow
def test_validate_refuses_a_dataset_with_a_rejected_image(dataset: Path) -> None:
    (image,) = dataset.rglob("*_bold.nii.gz")
    decision = FaceDecision(
        image=image.relative_to(dataset).as_posix(),
        sha256=sha256(image),
        size=image.stat().st_size,
        verdict=FaceVerdict.REJECTED,
        when=now(),
    )
    record_decision(dataset.with_name("ds.private"), decision)

    validation = validate(make_validate_request(dataset), progress=Silent(), redactor=Redactor())

    assert [found.location for found in errors(validation.findings)] == [decision.image]
    assert validation.exit_code == 4
