"""What was de-identified with a vault is converted with it like the originals."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from runs import run_convert, run_deidentify
from sessions import MARA, bold_mosaic, dwi_mosaic, siemens_session
from tree_digests import tree_digest

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
def test_the_originals_and_what_was_made_of_them_give_the_same_session_of_one_person(
    tmp_path: Path,
) -> None:
    source, private = tmp_path / "source", tmp_path / "private"
    bold_mosaic(source / "bold", person=MARA)
    dwi_mosaic(source / "dwi", person=MARA)
    dataset, deidentified = tmp_path / "study", tmp_path / "dicom"
    run_deidentify(source, out=deidentified, private=private)
    run_convert(deidentified, dataset=dataset, session="01", private=private)
    images, before = digests(dataset, "01"), tree_digest(dataset)
    assert len(images) > 2
    run_convert(source, dataset=dataset, session="01", private=private, overwrite=True)
    assert images == digests(dataset, "01")
    assert tree_digest(dataset) == before


@pytest.mark.slow
def test_the_originals_of_what_is_published_are_no_other_session(tmp_path: Path) -> None:
    source, private = tmp_path / "source", tmp_path / "private"
    bold_mosaic(source / "bold", person=MARA)
    dataset, deidentified = tmp_path / "study", tmp_path / "dicom"
    run_deidentify(source, out=deidentified, private=private)
    run_convert(deidentified, dataset=dataset, session="01", private=private)
    run = run_convert(source, dataset=dataset, session="02", private=private)
    assert run.refusal is not None
    assert [found.code for found in run.refusal.findings] == ["SCANS_PUBLISHED"]


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
