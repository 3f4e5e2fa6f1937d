"""What names and sidecars say of faces; a claim that is not understood is none."""

from __future__ import annotations

import pytest

from bidsanon.bids.faces import FaceClaim, face_claim, kind_shows_face


@pytest.mark.parametrize(
    ("sidecar", "claim"),
    [
        ({}, FaceClaim.NOTHING),
        ({"DeidentificationMethod": "Defaced with pydeface"}, FaceClaim.REMOVED),
        ({"DeidentificationMethod": ["names", "Face removed by x"]}, FaceClaim.REMOVED),
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": "113102"}]}, FaceClaim.REMOVED),
        ({"DeidentificationMethod": ["Face not removed: defaced elsewhere"]}, FaceClaim.KEPT),
        ({"DeidentificationMethod": "Face not removed: consent"}, FaceClaim.KEPT),
        ({"DeidentificationMethod": ["x", "No face to remove: defaced before"]}, FaceClaim.ABSENT),
        ({"DeidentificationMethod": 7, "DeidentificationMethodCodeSequence": 1}, FaceClaim.NOTHING),
    ],
)
def test_a_sidecar_claims_that_the_face_is_gone_or_kept(
    sidecar: dict[str, object], claim: FaceClaim
) -> None:
    assert face_claim(sidecar) is claim


def test_a_kind_that_depends_on_its_voxels_may_show_a_face_where_nobody_knows_them() -> None:
    assert kind_shows_face("fmap", "magnitude1", lambda: None).asked
    assert kind_shows_face("fmap", "magnitude1", lambda: 8.0).asked
    assert not kind_shows_face("fmap", "magnitude1", lambda: 27.0).asked


def test_the_header_is_not_asked_where_the_kind_decides() -> None:
    def never() -> float:
        raise AssertionError

    assert kind_shows_face("anat", "T1w", never).asked
    assert not kind_shows_face("func", "bold", never).asked
    assert not kind_shows_face("fmap", "epi", never).asked
    assert not kind_shows_face("anat", "defacemask", never).asked
