"""The search for people with what the private folder knows, and weighed as the lab wants it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from privacy_trees import HEAD, findings_of, raw_dataset, write, write_image

from bidsanon.audit import FaceDecision, FaceVerdict, record_decision
from bidsanon.files import sha256
from bidsanon.findings import Severity
from bidsanon.pipeline.validate import make_validate_request, validate
from bidsanon.pipeline.validate_privacy import find_people
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.vault import Vault

SCANNED = date(2019, 5, 17)


def shifted(private: Path, subject: str) -> date:
    """Return the day that a vault makes of the day of a scan."""
    with Vault.open(private) as vault:
        plan = vault.person_plan("a person", subject=subject, anchor_date="20190517")
        vault.bind_subject("a person", subject)
    return SCANNED + timedelta(days=plan.shift_days)


@pytest.mark.parametrize(("years_off", "found"), [(0, set()), (-60, {"PRIVACY_SHIFT_UNEQUAL"})])
def test_the_vault_tells_dates_that_were_shifted_otherwise(
    tmp_path: Path, years_off: int, found: set[str]
) -> None:
    dataset, private = raw_dataset(tmp_path / "ds", whole=False), tmp_path / "ds.private"
    day = shifted(private, "01")
    day = day.replace(year=day.year + years_off)
    write(dataset, "sub-01/sub-01_scans.tsv", f"filename\tacq_time\nanat/a\t{day}T12:00:00\n")
    asked = find_people(dataset, private=private, vault=True, passphrase_file=None)
    assert {one.code for one in asked} == found
    assert find_people(dataset, private=private, vault=False, passphrase_file=None) == ()


def test_an_image_that_a_person_accepted_needs_no_other_proof(tmp_path: Path) -> None:
    dataset, private = raw_dataset(tmp_path / "ds", whole=False), tmp_path / "ds.private"
    name = "sub-01/anat/sub-01_T2w.nii.gz"
    image = write_image(dataset, name, shape=HEAD)

    def asked() -> dict[str, list[str]]:
        found = find_people(dataset, private=private, vault=False, passphrase_file=None)
        return dict(findings_of(found))

    assert asked() == {"PRIVACY_FACE": [name]}
    decision = FaceDecision(
        image=name,
        sha256=sha256(image),
        size=image.stat().st_size,
        verdict=FaceVerdict.ACCEPTED,
        when="2026-01-01T00:00:00Z",
    )
    record_decision(private, decision)
    assert asked() == {}
    write_image(dataset, name, shape=(*HEAD[:2], HEAD[2] + 1))
    assert asked() == {"PRIVACY_FACE": [name]}


def test_validate_weighs_what_it_finds_as_the_lab_does(tmp_path: Path) -> None:
    dataset = raw_dataset(tmp_path / "ds", whole=False)
    write_image(dataset, "sub-01/anat/sub-01_T2w.nii.gz", shape=HEAD)
    lab = tmp_path / "lab.toml"
    lab.write_text('description = "x"\nstart = "bids"\n[severity]\nPRIVACY_FACE = "error"\n')
    request = make_validate_request(dataset, profile=str(lab))
    done = validate(request, progress=Silent(), redactor=Redactor())
    (face,) = [one for one in done.findings if one.code == "PRIVACY_FACE"]
    assert face.severity is Severity.ERROR
    assert done.exit_code == 4
