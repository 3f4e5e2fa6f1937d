"""What a person rejected is an error of validate, and is not published again as it was."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from runs import run_convert
from sessions import MARA, bold_mosaic, dwi_mosaic, two_persons
from tree_digests import tree_digest

from bidsanon.audit import FaceDecision, FaceVerdict, now, record_decision
from bidsanon.files import sha256
from bidsanon.findings import errors
from bidsanon.pipeline.export import Export, export, make_export_request
from bidsanon.pipeline.summary import report_path
from bidsanon.pipeline.validate import Validation, make_validate_request, validate
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.validate.openneuro_evidence import Knowledge


def reject(image: Path, *, dataset: Path, looked_at_as: str = "") -> None:
    """Let a person have rejected an image's bytes."""
    decision = FaceDecision(
        image=looked_at_as or image.relative_to(dataset).as_posix(),
        sha256=sha256(image),
        size=image.stat().st_size,
        verdict=FaceVerdict.REJECTED,
        when=now(),
    )
    record_decision(dataset.with_name("ds.private"), decision)


@pytest.mark.slow
def test_a_rejected_image_is_not_published_again(dataset: Path, tmp_path: Path) -> None:
    (image,) = dataset.rglob("*_bold.nii.gz")
    reject(image, dataset=dataset, looked_at_as="sub-09/func/sub-09_task-rest_bold.nii.gz")
    before = tree_digest(dataset)
    bold_mosaic(tmp_path / "in", person=MARA)

    again = run_convert(tmp_path / "in", dataset=dataset, session="01", overwrite=True)

    assert again.refusal is not None
    assert [found.code for found in again.refusal.findings] == ["FACE_REJECTED"]
    assert again.refusal.findings[0].location == image.relative_to(dataset).as_posix()
    assert tree_digest(dataset) == before


@pytest.mark.slow
def test_a_refused_rerun_has_a_page_of_its_own_and_the_published_one_stays(
    dataset: Path, tmp_path: Path
) -> None:
    reports = dataset.with_name("ds.private") / "reports"
    page, refused = reports / "sub-01_ses-01.html", reports / "sub-01_ses-01_refused.html"
    before = page.read_text()
    two_persons(tmp_path / "in")
    again = run_convert(tmp_path / "in", dataset=dataset, session="01", overwrite=True)
    assert again.refusal is not None
    assert report_path(again) == refused
    assert page.read_text() == before
    assert f'<a href="{page.name}">' in refused.read_text()
    assert "Refused by the gate Source" in refused.read_text()

    bold_mosaic(tmp_path / "good", person=MARA)
    good = run_convert(tmp_path / "good", dataset=dataset, session="01", overwrite=True)
    assert good.refusal is None
    assert report_path(good) == page
    assert page.read_text() != before
    assert not refused.exists()


def test_a_first_run_that_was_refused_links_to_no_other_page(tmp_path: Path) -> None:
    two_persons(tmp_path / "in")
    run = run_convert(tmp_path / "in", dataset=tmp_path / "ds")
    page = report_path(run)
    assert page.name == "sub-01_refused.html"
    assert not [link for link in re.findall(r'href="([^"]*)"', page.read_text()) if link[0] != "#"]


@pytest.mark.slow
def test_withhold_publishes_the_rest_without_what_was_rejected(
    dataset: Path, tmp_path: Path
) -> None:
    bold, dwi = (next(dataset.rglob(f"*_{kind}.nii.gz")) for kind in ("bold", "dwi"))
    reject(bold, dataset=dataset)
    bold_mosaic(tmp_path / "in" / "bold", person=MARA)
    dwi_mosaic(tmp_path / "in" / "dwi", person=MARA)

    again = run_convert(
        tmp_path / "in", dataset=dataset, session="01", overwrite=True, withhold=True
    )

    assert again.refusal is None
    name = bold.relative_to(dataset).as_posix()
    said = [f for result in again.gates.results for f in result.findings]
    assert [f.location for f in said if f.code == "REJECTED_WITHHELD"] == [name]
    assert dwi.is_file()
    stem = bold.name.removesuffix(".nii.gz")
    assert not list(dataset.rglob(f"{stem}*"))
    texts = (path for path in dataset.rglob("*") if path.suffix in {".tsv", ".json"})
    assert all(stem not in path.read_text("utf-8") for path in texts)
    assert again.defaced is not None
    assert again.defaced.withheld == (name,)
    page = (dataset.with_name("ds.private") / "reports" / "sub-01_ses-01.html").read_text()
    assert "Published in part" in page

    reject(dwi, dataset=dataset)
    before = tree_digest(dataset)
    nothing = run_convert(
        tmp_path / "in", dataset=dataset, session="01", overwrite=True, withhold=True
    )
    assert nothing.refusal is not None
    assert {found.code for found in nothing.refusal.findings} == {"FACE_REJECTED"}
    assert tree_digest(dataset) == before


@pytest.mark.slow
def test_validate_refuses_a_dataset_with_a_rejected_image(dataset: Path) -> None:
    (image,) = dataset.rglob("*_bold.nii.gz")
    reject(image, dataset=dataset)

    validation = _validated(dataset)

    place = image.relative_to(dataset).as_posix()
    assert [(found.code, found.location) for found in errors(validation.findings)] == [
        ("FACE_REJECTED", place),
        ("OPENNEURO_REFUSES", "dataset_description.json"),
    ]
    assert validation.exit_code == 4
    assert validation.openneuro
    (faces, *_) = validation.openneuro.affirmations
    assert faces.knowledge is Knowledge.CONTRADICTED

    out = dataset.with_name("out.zip")
    assert _packed(dataset, out).refusal is not None
    assert not out.exists()

    with gzip.open(image) as stream:
        voxels = stream.read()
    image.write_bytes(gzip.compress(voxels, 1, mtime=0))  # other bytes: nobody looked at them
    assert {f.code for f in errors(_validated(dataset).findings)} == {"OPENNEURO_REFUSES"}
    assert _packed(dataset, out).exported is not None


def _validated(dataset: Path) -> Validation:
    request = make_validate_request(dataset, openneuro=True)
    return validate(request, progress=Silent(), redactor=Redactor())


def _packed(dataset: Path, out: Path) -> Export:
    request = make_export_request(dataset, out)
    return export(request, progress=Silent(), redactor=Redactor())
