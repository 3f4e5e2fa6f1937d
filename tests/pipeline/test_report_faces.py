"""A page outside the private folder shows no head of which anybody may doubt that its face is gone.

What is a picture of a head is told by its bytes: each image is drawn once for itself.
"""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_pages import (
    BOLD,
    DWI,
    T1W,
    T2W,
    a_foreign_dataset,
    a_published_dataset,
    ball,
    say,
    write_nifti,
)
from session_records import a_refusal

from bidsanon.audit import FaceDecision, FaceVerdict, now, record_decision
from bidsanon.bids.faces import FaceClaim
from bidsanon.files import sha256
from bidsanon.pipeline.report import Report, report
from bidsanon.pipeline.report_faces import why_hidden
from bidsanon.pipeline.report_images import describe_image
from bidsanon.pipeline.report_request import make_report_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.report import SessionReport, keep_record, read_record
from bidsanon.report.images import ImageEntry
from bidsanon.session import DefaceOutcome, DefaceVerdict

PAGE = "sub-01_ses-a.html"
IMAGES = (T1W, T2W, BOLD, DWI)


@pytest.fixture(autouse=True, scope="module")
def at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        say(patch)
        yield


def pages(dataset: Path, out: Path | None = None) -> Report:
    request = make_report_request(dataset, out=out)
    return report(request, progress=Silent(), redactor=Redactor())


def drawn(dataset: Path, folder: Path) -> set[str]:
    """Which images' mosaics are in any of the pages of a folder."""
    html = "".join(page.read_text("utf-8") for page in folder.glob("*.html"))
    found = set()
    for image in IMAGES:
        mosaic = describe_image(dataset, image).mosaic
        assert mosaic is not None
        if base64.b64encode(mosaic.jpeg).decode() in html:
            found.add(image)
    return found


def defacing_pictures(dataset: Path, folder: Path) -> set[str]:
    """Which pictures of defacings are in any of the pages of a folder."""
    html = "".join(page.read_text("utf-8") for page in folder.glob("*.html"))
    kept = dataset.with_name("ds.private") / "reports"
    pictures = list(kept.glob("*/*/pictures-*/*.png"))
    assert pictures
    return {p.name for p in pictures if base64.b64encode(p.read_bytes()).decode() in html}


def decide(dataset: Path, image: str, verdict: FaceVerdict) -> None:
    path = dataset / image
    decision = FaceDecision(
        image=image, sha256=sha256(path), size=path.stat().st_size, verdict=verdict, when=now()
    )
    record_decision(dataset.with_name("ds.private"), decision)


def let_defacing_have_ended(dataset: Path, verdict: DefaceVerdict, *, run: str) -> None:
    folder = dataset.with_name("ds.private") / "reports" / "sub-01_ses-a"
    record = read_record(folder / "published")
    assert record is not None
    outcomes = tuple(replace(one, verdict=verdict) for one in record.defaced)
    told: SessionReport = record if run == "published" else a_refusal()
    keep_record(replace(told, defaced=outcomes), folder / run)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    return a_foreign_dataset(tmp_path / "ds")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return a_published_dataset(tmp_path / "ds")


def test_without_a_proof_a_head_is_not_shown_and_the_page_says_why(
    foreign: Path, tmp_path: Path
) -> None:
    pages(foreign, tmp_path / "out")
    assert drawn(foreign, tmp_path / "out") == {BOLD, DWI}
    html = (tmp_path / "out" / PAGE).read_text()
    assert html.count("Not shown here") == 2
    assert "nothing says that its face was removed" in html
    assert "bidsanon review" in html


def test_what_a_sidecar_claims_proves_nothing(foreign: Path, tmp_path: Path) -> None:
    sidecar = foreign / T1W.replace(".nii.gz", ".json")
    sidecar.write_text(json.dumps({"DeidentificationMethod": ["defaced by a tool"]}))
    pages(foreign, tmp_path / "out")
    assert drawn(foreign, tmp_path / "out") == {BOLD, DWI}
    assert "stands in its sidecar alone" in (tmp_path / "out" / PAGE).read_text()


def test_a_dataset_without_a_private_folder_gets_one_for_its_pages(foreign: Path) -> None:
    made = pages(foreign)
    private = foreign.with_name("ds.private")
    assert made.index == private / "reports" / "index.html"
    assert {stat.S_IMODE(f.stat().st_mode) for f in (private, private / "reports")} == {0o700}
    assert {stat.S_IMODE(page.stat().st_mode) for page in made.pages} == {0o600}
    assert drawn(foreign, private / "reports") == set(IMAGES)


def test_a_head_that_bidsanon_defaced_and_checked_is_shown_as_it_was_published(
    published: Path, tmp_path: Path
) -> None:
    pages(published, tmp_path / "out")
    assert drawn(published, tmp_path / "out") == set(IMAGES)
    assert {n.partition("-")[0] for n in defacing_pictures(published, tmp_path / "out")} == {
        "after"
    }


def test_a_rejected_head_is_shown_nowhere_else(published: Path, tmp_path: Path) -> None:
    decide(published, T1W, FaceVerdict.REJECTED)
    pages(published, tmp_path / "out")
    assert drawn(published, tmp_path / "out") == {T2W, BOLD, DWI}
    assert not defacing_pictures(published, tmp_path / "out")
    assert "a person rejected its defacing" in (tmp_path / "out" / PAGE).read_text()
    assert drawn(published, pages(published).index.parent) == set(IMAGES)


def test_a_head_that_changed_is_hidden_until_a_person_accepts_it(
    published: Path, tmp_path: Path
) -> None:
    write_nifti(published / T1W, ball((20, 24, 22)) + 3)
    pages(published, tmp_path / "out")
    assert drawn(published, tmp_path / "out") == {T2W, BOLD, DWI}
    assert not defacing_pictures(published, tmp_path / "out")

    decide(published, T1W, FaceVerdict.ACCEPTED)
    pages(published, tmp_path / "out")
    assert drawn(published, tmp_path / "out") == set(IMAGES)
    # These are of the bytes that were published, which nobody accepted.
    assert not defacing_pictures(published, tmp_path / "out")


@pytest.mark.parametrize(
    "verdict",
    [
        DefaceVerdict.NO_FACE,
        DefaceVerdict.ALREADY_DEFACED,
        DefaceVerdict.UNCHECKED,
        DefaceVerdict.KEPT,
        DefaceVerdict.FAILED,
    ],
)
def test_a_head_whose_face_was_not_removed_for_certain_is_hidden(
    published: Path, tmp_path: Path, verdict: DefaceVerdict
) -> None:
    let_defacing_have_ended(published, verdict, run="published")
    pages(published, tmp_path / "out")
    assert drawn(published, tmp_path / "out") == {BOLD, DWI}
    assert not defacing_pictures(published, tmp_path / "out")


def test_the_page_of_a_refused_run_shows_its_heads_in_the_private_folder_alone(
    published: Path, tmp_path: Path
) -> None:
    let_defacing_have_ended(published, DefaceVerdict.FAILED, run="refused")
    decide(published, T1W, FaceVerdict.REJECTED)
    pages(published, tmp_path / "out")
    assert (tmp_path / "out" / "sub-01_ses-a_refused.html").is_file()
    assert not defacing_pictures(published, tmp_path / "out")
    own = pages(published).index.parent
    assert "<img" in (own / "sub-01_ses-a_refused.html").read_text()


def test_an_image_of_an_unknown_kind_counts_as_a_head(tmp_path: Path) -> None:
    (tmp_path / "ds").mkdir()
    for name in ("func/sub-01_T1w.nii.gz", "scans/sub-01_photo.nii.gz", "sub-01_bold.nii.gz"):
        write_nifti(tmp_path / "ds" / "sub-01" / name, ball((12, 12, 12)))
    pages(tmp_path / "ds", tmp_path / "out")
    html = (tmp_path / "out" / "sub-01.html").read_text()
    assert html.count("Not shown here") == 3
    assert "<img" not in html


DIGESTS = st.sampled_from(["", "a" * 64, "b" * 64])


@given(
    verdict=st.none() | st.sampled_from(DefaceVerdict),
    claim=st.sampled_from(FaceClaim),
    decision=st.none() | st.sampled_from(FaceVerdict),
    digest=DIGESTS,
    published=DIGESTS,
    name=st.sampled_from([T1W, T2W, "sub-01/pet/sub-01_pet.nii.gz", "sub-01/x/sub-01_y.nii"]),
)
def test_no_head_is_shown_without_a_proof(
    *,
    verdict: DefaceVerdict | None,
    claim: FaceClaim,
    decision: FaceVerdict | None,
    digest: str,
    published: str,
    name: str,
) -> None:
    image = ImageEntry(path=name, suffix="x", digest=digest, of_a_face=True, claim=claim)
    outcome = DefaceOutcome(path=name, verdict=verdict, engine="", reason="") if verdict else None
    why = why_hidden(image, outcome=outcome, decision=decision, published=published)
    checked = verdict is DefaceVerdict.DEFACED and digest == published != ""
    proof = decision is FaceVerdict.ACCEPTED or (checked and claim is not FaceClaim.KEPT)
    assert (not why) == (proof and decision is not FaceVerdict.REJECTED)
