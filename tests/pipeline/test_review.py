"""A person decides about each image that had a face, and about the bytes that were shown."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from made_pages import BOLD, T1W, T2W, a_foreign_dataset, a_published_dataset, ball, write_nifti
from tree_digests import tree_digest

from bidsanon.audit import DECISIONS_NAME, FaceDecisions, FaceVerdict
from bidsanon.errors import UsageError
from bidsanon.files import sha256
from bidsanon.pipeline.review import Review, make_review_request, review_summary
from bidsanon.report import keep_record, read_record
from bidsanon.report.review import ReviewSite
from bidsanon.report.serving import Answer
from bidsanon.resources import schema_path
from bidsanon.session import DefaceVerdict
from bidsanon.vault import VAULT_NAME

ACCEPTED, REJECTED = FaceVerdict.ACCEPTED, FaceVerdict.REJECTED


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return a_published_dataset(tmp_path / "ds")


def private(dataset: Path) -> Path:
    return dataset.with_name(f"{dataset.name}.private")


def a_review(dataset: Path) -> Review:
    return Review.of(make_review_request(dataset))


def a_site(dataset: Path) -> ReviewSite:
    return ReviewSite("ds", a_review(dataset))


def content(answer: Answer | None) -> dict[str, Any]:
    assert answer is not None
    return dict(json.loads(answer.content))


def decide(site: ReviewSite, number: int, verdict: str | None) -> Answer | None:
    shown = content(site.get(f"images/{number}"))
    sent = {"sha256": shown["sha256"], "verdict": verdict}
    return site.post(f"images/{number}/decision", sent)


def test_images_that_had_a_face_are_shown_and_no_others(dataset: Path) -> None:
    assert [item.path for item in a_review(dataset).items] == [T1W, T2W]
    assert BOLD not in [item.path for item in a_review(dataset).items]


def test_a_head_is_shown_as_it_was_before_and_after(dataset: Path) -> None:
    shown = a_review(dataset).show(0)
    assert {name.partition("-")[0] for name in shown.pictures} == {"before", "after"}
    assert shown.sha256 == sha256(dataset / T1W)
    assert shown.figures == {"sharp": 0.05}
    assert "600 ml of tissue were removed" in shown.about


def test_a_head_of_which_no_picture_is_kept_is_drawn_as_it_is(dataset: Path) -> None:
    shown = a_review(dataset).show(1)
    assert {name.partition("-")[0] for name in shown.pictures} == {"now"}
    assert len(shown.pictures) == 6
    assert all(picture.startswith(b"\x89PNG") for picture in shown.pictures.values())


def test_what_was_changed_since_is_drawn_as_it_is(dataset: Path) -> None:
    write_nifti(dataset / T1W, ball((20, 24, 22)) + 9)
    shown = a_review(dataset).show(0)
    assert {name.partition("-")[0] for name in shown.pictures} == {"now"}
    assert "not as it was published" in shown.about
    assert not shown.figures


def test_an_image_that_cannot_be_read_is_told_and_not_decided_about(dataset: Path) -> None:
    (dataset / T1W).write_bytes(b"broken")
    site = a_site(dataset)
    assert "NIfTI" in content(site.get("images/0"))["problem"]
    (dataset / T1W).unlink()
    shown = content(site.get("images/0"))
    assert (shown["problem"], shown["sha256"]) == ("it cannot be read", "")


def test_decisions_are_saved_at_once_and_taken_back(dataset: Path) -> None:
    site = a_site(dataset)
    before = tree_digest(dataset)
    assert content(decide(site, 0, "rejected")) == {"decision": "rejected"}
    assert content(decide(site, 1, "accepted")) == {"decision": "accepted"}
    decisions = FaceDecisions.read(private(dataset))
    assert decisions.verdict_of(dataset / T1W) is REJECTED
    assert decisions.verdict_of(dataset / T2W) is ACCEPTED

    assert content(decide(site, 0, None)) == {"decision": None}
    assert FaceDecisions.read(private(dataset)).verdict_of(dataset / T1W) is None
    assert tree_digest(dataset) == before


def test_what_was_decided_before_is_known_for_the_same_bytes_alone(dataset: Path) -> None:
    site = a_site(dataset)
    decide(site, 0, "accepted")
    decide(site, 1, "rejected")
    write_nifti(dataset / T1W, ball((20, 24, 22)) + 9)
    assert [item.decision for item in a_review(dataset).items] == [None, REJECTED]
    assert content(a_site(dataset).get("images/1"))["decision"] == "rejected"


def test_what_nobody_wrote_since_it_was_decided_about_is_listed_without_being_read(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(dataset)
    decide(site, 0, "accepted")
    decide(site, 1, "rejected")
    read: list[Path] = []
    monkeypatch.setattr("bidsanon.audit.decisions.sha256", lambda path: read.append(path) or "")
    monkeypatch.setattr("bidsanon.pipeline.review.read_header", read.append)
    assert [item.decision for item in a_review(dataset).items] == [ACCEPTED, REJECTED]
    assert not read
    (dataset / T1W).touch()
    assert [item.decision for item in a_review(dataset).items] == [None, REJECTED]
    assert read == [dataset / T1W]


def test_what_is_kept_of_another_datasets_session_is_not_said_of_this_one(dataset: Path) -> None:
    """Two that share a private folder may have sessions of one name; the last one's run is kept."""
    kept = private(dataset) / "reports" / "sub-01_ses-a" / "published"
    theirs = read_record(kept)
    assert theirs is not None
    spared = replace(theirs.defaced[0], verdict=DefaceVerdict.NOT_NEEDED)
    others = dict.fromkeys(theirs.published, "0" * 64)
    keep_record(replace(theirs, defaced=(spared,), published=others), kept)

    review = a_review(dataset)
    assert [item.path for item in review.items] == [T1W, T2W]
    assert {name.partition("-")[0] for name in review.show(0).pictures} == {"now"}


def test_a_copy_of_the_dataset_is_read_for_its_decisions(dataset: Path, tmp_path: Path) -> None:
    site = a_site(dataset)
    decide(site, 0, "accepted")
    decide(site, 1, "rejected")
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    review = Review.of(make_review_request(copy, private=private(dataset)))
    assert [item.decision for item in review.items] == [ACCEPTED, REJECTED]


def test_a_decision_is_about_the_bytes_that_were_shown(dataset: Path) -> None:
    site = a_site(dataset)
    shown = content(site.get("images/0"))
    seen = sha256(dataset / T1W)
    write_nifti(dataset / T1W, ball((20, 24, 22)) + 9)
    site.post("images/0/decision", {"sha256": shown["sha256"], "verdict": "accepted"})
    decisions = FaceDecisions.read(private(dataset))
    assert [(one.image, one.sha256) for one in decisions.made] == [(T1W, seen)]
    assert decisions.verdict_of(dataset / T1W) is None


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("images/0/decision", {"sha256": "0" * 64, "verdict": "accepted"}, HTTPStatus.CONFLICT),
        ("images/0/decision", {"verdict": "accepted"}, HTTPStatus.CONFLICT),
        ("images/0/decision", {"sha256": None, "verdict": "perhaps"}, HTTPStatus.CONFLICT),
        ("images/0/decision", {"sha256": [], "verdict": {}}, HTTPStatus.CONFLICT),
        ("images/1/decision", {"sha256": "", "verdict": "accepted"}, None),
        ("images/7/decision", {}, None),
        ("images/0", {}, None),
        ("", {}, None),
    ],
)
def test_nothing_else_can_be_decided(
    dataset: Path, path: str, sent: dict[str, Any], status: HTTPStatus | None
) -> None:
    site = a_site(dataset)
    site.get("images/0")
    answer = site.post(path, sent)
    assert (answer and answer.status) == status
    assert not (private(dataset) / DECISIONS_NAME).exists()


def test_what_cannot_be_saved_is_said_to_the_person(dataset: Path) -> None:
    site = a_site(dataset)
    shown = content(site.get("images/0"))
    (private(dataset) / DECISIONS_NAME).write_text("{")
    sent = {"sha256": shown["sha256"], "verdict": "accepted"}
    answer = site.post("images/0/decision", sent)
    assert answer is not None
    assert answer.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "cannot be understood" in content(answer)["problem"]


def test_the_page_and_what_belongs_to_it_are_served_and_nothing_else(dataset: Path) -> None:
    site = a_site(dataset)
    page = site.get("")
    assert page is not None
    assert T1W.encode() in page.content
    for path in ("review.css", "review.js", "images/0"):
        assert site.get(path) is not None, path
    picture = site.get("images/0/before-front.png")
    assert picture is not None
    assert picture.content.startswith(b"\x89PNG")
    for path in (
        "images/0/now-front.png",
        "images/1/after-front.png",
        "images/99",
        "images/-1",
        "session.css",
        "../vault.sqlite",
        "images/0/..",
        "?",
    ):
        assert site.get(path) is None, path


def test_names_are_never_markup(tmp_path: Path) -> None:
    nasty = "sub-<b>/anat/sub-x_T1w.nii"
    write_nifti(tmp_path / "ds" / nasty, ball((12, 12, 12)))
    page = a_site(tmp_path / "ds").get("")
    assert page is not None
    assert b"sub-<b>" not in page.content
    assert b"sub-&lt;b&gt;" in page.content


def test_a_dataset_of_others_gets_a_private_folder_with_the_first_decision(tmp_path: Path) -> None:
    dataset = a_foreign_dataset(tmp_path / "ds")
    site = a_site(dataset)
    shown = content(site.get("images/0"))
    assert "Nobody knows" in shown["about"]
    assert not private(dataset).exists()
    decide(site, 0, "accepted")
    assert [path.name for path in private(dataset).glob("*.json")] == [DECISIONS_NAME]


def test_what_a_sidecar_claims_of_the_face_is_told(tmp_path: Path) -> None:
    dataset = a_foreign_dataset(tmp_path / "ds")
    sidecar = Path(f"{str(dataset / T1W).removesuffix('.nii.gz')}.json")
    sidecar.write_text(json.dumps({"DeidentificationMethod": ["Face removed by a program"]}))
    about = content(a_site(dataset).get("images/0"))["about"]
    assert about == "No record; its sidecar says that the face was removed."


def test_the_summary_is_as_its_schema_says(dataset: Path) -> None:
    site = a_site(dataset)
    decide(site, 0, "rejected")
    summary = json.loads(json.dumps(review_summary(a_review(dataset))))
    jsonschema.validate(summary, json.loads(schema_path("summary.schema.json").read_text()))
    assert summary["counts"] == {"accepted": 0, "rejected": 1, "undecided": 1}


def test_what_cannot_be_reviewed_is_refused(dataset: Path) -> None:
    with pytest.raises(UsageError):
        make_review_request(dataset / "not-there")
    with pytest.raises(UsageError):
        make_review_request(dataset, private=dataset / "private")
    with pytest.raises(UsageError, match="no private folder at --private"):
        make_review_request(dataset, private=dataset.with_name("mistyped"))


def test_decisions_that_may_lie_elsewhere_are_told(dataset: Path) -> None:
    made_by = {"GeneratedBy": [{"Name": "bidsanon"}]}
    (dataset / "dataset_description.json").write_text(json.dumps(made_by))
    private(dataset).rename(dataset.with_name("moved"))
    assert [found.code for found in a_review(dataset).findings] == ["PRIVATE_FOLDER_MISSING"]
    with_vault = dataset.with_name("moved")
    (with_vault / VAULT_NAME).touch()
    review = Review.of(make_review_request(dataset, private=with_vault))
    assert not review.findings
