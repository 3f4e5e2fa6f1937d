"""Decisions about defaced images are kept whole, and hold for the bytes that were looked at."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bidsanon.audit import (
    DECISIONS_NAME,
    FaceDecision,
    FaceDecisions,
    FaceVerdict,
    record_decision,
    withdraw_decision,
)
from bidsanon.errors import StorageError
from bidsanon.resources import schema_path

T1W = "sub-01/anat/sub-01_T1w.nii.gz"
T2W = "sub-01/anat/sub-01_T2w.nii.gz"
NO_STATE = (
    f'{{"image": "a", "sha256": "{"0" * 64}", "size": 1, "verdict": "accepted", "when": "", '
    '"state": ["1"]}'
)
NO_DIGEST = '{"image": "a", "sha256": "0", "size": 1, "verdict": "accepted", "when": ""}'


def a_decision(
    content: bytes = b"image", *, image: str = T1W, verdict: str = "accepted"
) -> FaceDecision:
    return FaceDecision(
        image=image,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        verdict=FaceVerdict(verdict),
        when="2031-04-05T06:07:08Z",
    )


def an_image(root: Path, content: bytes, *, image: str = T1W) -> Path:
    path = root / image
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_what_is_recorded_is_read_back_and_is_what_the_schema_says(tmp_path: Path) -> None:
    record_decision(tmp_path, a_decision())
    returned = record_decision(tmp_path, a_decision(image=T2W, verdict="rejected"))

    assert FaceDecisions.read(tmp_path) == returned
    assert [one.image for one in returned.made] == [T1W, T2W]
    path = tmp_path / DECISIONS_NAME
    schema = json.loads(schema_path("decisions.schema.json").read_text("utf-8"))
    assert not list(Draft202012Validator(schema).iter_errors(json.loads(path.read_text())))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_there_are_no_decisions_where_nobody_decided(tmp_path: Path) -> None:
    assert not FaceDecisions.read(tmp_path / "not-there").made


def test_a_later_decision_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    record_decision(tmp_path, a_decision(verdict="rejected"))
    record_decision(tmp_path, a_decision(verdict="accepted"))
    (decision,) = FaceDecisions.read(tmp_path).made
    assert decision.verdict is FaceVerdict.ACCEPTED


def test_a_decision_about_other_bytes_at_the_same_place_stays(tmp_path: Path) -> None:
    record_decision(tmp_path, a_decision(b"rejected", verdict="rejected"))
    decisions = record_decision(tmp_path, a_decision(b"defaced again"))
    assert decisions.verdict_of(an_image(tmp_path, b"rejected")) is FaceVerdict.REJECTED
    assert decisions.verdict_of(an_image(tmp_path, b"defaced again")) is FaceVerdict.ACCEPTED

    left = withdraw_decision(tmp_path, T1W, a_decision(b"defaced again").sha256)
    assert left.verdict_of(an_image(tmp_path, b"rejected")) is FaceVerdict.REJECTED
    assert left.verdict_of(an_image(tmp_path, b"defaced again")) is None


def test_a_decision_can_be_taken_back(tmp_path: Path) -> None:
    record_decision(tmp_path, a_decision())
    withdraw_decision(tmp_path, T1W, a_decision().sha256)
    withdraw_decision(tmp_path, T2W, a_decision().sha256)
    assert not FaceDecisions.read(tmp_path).made


def test_a_decision_holds_for_the_bytes_alone(tmp_path: Path) -> None:
    decisions = FaceDecisions(made=(a_decision(b"image", verdict="rejected"),))
    assert decisions.verdict_of(an_image(tmp_path, b"image")) is FaceVerdict.REJECTED
    assert decisions.verdict_of(an_image(tmp_path, b"other")) is None
    assert decisions.verdict_of(an_image(tmp_path, b"longer one")) is None


def test_bytes_that_were_rejected_are_so_under_another_name(tmp_path: Path) -> None:
    decisions = FaceDecisions(
        made=(
            a_decision(b"image", verdict="rejected"),
            a_decision(b"image", image=T2W, verdict="accepted"),
        )
    )
    elsewhere = "sub-07/anat/sub-07_T1w.nii.gz"
    an_image(tmp_path, b"image", image=elsewhere)
    an_image(tmp_path, b"image", image=T2W)
    an_image(tmp_path, b"fine!", image=T1W)
    assert list(decisions.rejected(tmp_path, [elsewhere, T1W, T2W])) == [elsewhere, T2W]


def test_no_image_is_read_where_none_was_rejected(tmp_path: Path) -> None:
    decisions = FaceDecisions(made=(a_decision(),))
    assert not list(decisions.rejected(tmp_path, ["not/there.nii.gz"]))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"version": 2, "decisions": []}',
        '{"version": 1}',
        '{"version": 1, "decisions": [{}]}',
        '{"version": 1, "decisions": ["x"]}',
        f'{{"version": 1, "decisions": [{NO_DIGEST}]}}',
        f'{{"version": 1, "decisions": [{NO_STATE}]}}',
        "[" * 100_000,
    ],
    ids=["empty", "list", "later", "none", "no-record", "text", "no-digest", "no-state", "deep"],
)
def test_decisions_that_cannot_be_understood_are_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / DECISIONS_NAME
    path.write_text(content)
    with pytest.raises(StorageError, match="cannot be understood"):
        FaceDecisions.read(tmp_path)
    with pytest.raises(StorageError, match="cannot be understood"):
        record_decision(tmp_path, a_decision())
    assert path.read_text() == content


def test_decisions_of_several_at_once_are_all_kept(tmp_path: Path) -> None:
    images = [f"sub-{n:02}/anat/sub-{n:02}_T1w.nii.gz" for n in range(24)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: record_decision(tmp_path, a_decision(image=name)), images))
    assert [one.image for one in FaceDecisions.read(tmp_path).made] == images
