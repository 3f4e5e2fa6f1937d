"""What a dataset may not hold is refused before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from bidsanon.errors import PolicyError, UsageError
from bidsanon.pipeline.publishable import require_publishable
from bidsanon.profile import amend_profile, bundled_profiles, load_profile


@pytest.mark.parametrize("name", [name for name in bundled_profiles() if name != "cati"])
def test_a_bundled_profile_serves_a_dataset(name: str) -> None:
    require_publishable(load_profile(name))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"add_options": ["retain-full-dates"], "drop_options": ["retain-modified-dates"]},
            "full dates",
        ),
        ({"keep": ["PatientName"]}, "(0010,0010)"),
        ({"keep": ["PatientID", "AccessionNumber"]}, "(0008,0050), (0010,0020)"),
        ({"keep": ["AcquisitionDate"]}, "(0008,0022)"),
        ({"keep": ["AcquisitionDateTime"]}, "(0008,002A)"),
        ({"keep": ["OperatorsName"]}, "(0008,1070)"),
    ],
)
def test_what_no_dataset_may_hold_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match="no dataset may hold") as caught:
        require_publishable(amend_profile(load_profile("bids"), **changes))
    assert told in caught.value.message
    assert "bidsanon deidentify" in caught.value.cure


def test_what_says_nothing_of_a_person_may_be_kept() -> None:
    require_publishable(
        amend_profile(
            load_profile("bids"),
            add_options=["retain-device-identity", "retain-institution-identity", "retain-uids"],
            keep=["SeriesTime", "StationName", "PatientWeight"],
        )
    )


def test_cati_serves_a_dataset_once_its_date_is_shifted() -> None:
    cati = load_profile("cati")
    with pytest.raises(PolicyError, match=r"\(0008,0020\)"):
        require_publishable(cati)
    require_publishable(amend_profile(cati, add_options=["retain-modified-dates"]))
