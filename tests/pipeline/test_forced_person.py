"""A profile that gives everybody the same ID or name serves one person at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
import sessions

from bidsanon.pipeline.deidentify_request import make_deidentify_request
from bidsanon.pipeline.deidentify_source import source_findings
from bidsanon.profile import Profile, amend_profile, load_profile
from bidsanon.progress import Silent
from bidsanon.source import read_source


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        (load_profile("bids"), "PERSONS_APART"),
        (amend_profile(load_profile("bids"), force={"InstitutionName": "X"}), "PERSONS_APART"),
        (amend_profile(load_profile("bids"), force={"PatientID": "X"}), "SEVERAL_PERSONS"),
        (amend_profile(load_profile("bids"), force={"PatientName": "X"}), "SEVERAL_PERSONS"),
    ],
)
def test_several_persons_do_not_get_one_forced_id(
    profile: Profile, code: str, tmp_path: Path
) -> None:
    originals = tmp_path / "in"
    sessions.two_persons(originals)
    source = read_source(
        (originals,), unpack_into=tmp_path / "w", modalities=profile.modalities, progress=Silent()
    )
    request = make_deidentify_request((originals,), out=tmp_path / "out")
    assert code in {found.code for found in source_findings(source, request, profile)}
