"""What was de-identified with a vault is converted with it like the originals."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from runs import run_convert, run_deidentify
from sessions import MARA, bold_mosaic, dwi_mosaic, siemens_session

from bidsanon.audit import Journal
from bidsanon.profile import bundled_profiles


def digests(dataset: Path, session: str) -> dict[str, str]:
    folder = dataset / "sub-01" / f"ses-{session}"
    return {
        path.name.replace(f"ses-{session}", ""): hashlib.sha256(path.read_bytes()).hexdigest()
        for suffix in ("*.nii.gz", "*.bval", "*.bvec")
        for path in sorted(folder.rglob(suffix))
    }


@pytest.mark.slow
def test_the_originals_and_what_was_made_of_them_become_sessions_of_one_person(
    tmp_path: Path,
) -> None:
    source, private = tmp_path / "source", tmp_path / "private"
    bold_mosaic(source / "bold", person=MARA)
    dwi_mosaic(source / "dwi", person=MARA)
    dataset, deidentified = tmp_path / "study", tmp_path / "dicom"
    run_deidentify(source, out=deidentified, private=private)
    for session, place in (("01", deidentified), ("02", source)):
        run_convert(place, dataset=dataset, session=session, private=private)
    images = digests(dataset, "01")
    assert len(images) > 2
    assert images == digests(dataset, "02")
    rows = (dataset / "participants.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows] == ["participant_id", "sub-01"]
    scans = [
        [line.split("\t")[1] for line in path.read_text().splitlines()]
        for path in sorted(dataset.glob("sub-01/ses-*/*_scans.tsv"))
    ]
    assert scans[0] == scans[1]
    methods = {
        path.parent.parent.name: json.loads(path.read_text())["DeidentificationMethod"]
        for path in dataset.glob("sub-01/ses-*/func/*_bold.json")
    }
    assert methods["ses-01"] == methods["ses-02"]


@pytest.mark.slow
@pytest.mark.parametrize("name", bundled_profiles())
def test_a_second_run_with_the_pseudonym_alone_finds_the_person_and_changes_nothing(
    tmp_path: Path, name: str
) -> None:
    siemens_session(tmp_path / "source")
    private = tmp_path / "private"
    run_deidentify(tmp_path / "source", out=tmp_path / "once", private=private, profile=name)
    run_deidentify(tmp_path / "once", out=tmp_path / "twice", private=private, profile=name)
    once, twice = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "once", tmp_path / "twice")
    )
    assert once == twice
    first, second = Journal(private).entries()
    assert second["notes"] == {}
    assert first["counts"]["files"] == second["counts"]["files"]
