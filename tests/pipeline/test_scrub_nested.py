"""Datasets within a dataset are cleaned in the same run, each as what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from foreign import NAME, NUMBER, SERIAL, SIDECAR, foreign_dataset, told
from sessions.converted import named_gzip, nifti
from tree_digests import tree_digest

from bidsanon.pipeline.scrub import ScrubRun, scrub
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor

QC = "derivatives/mriqc"
FIGURES = {"cjv": 0.41, "size_x": 176, "summary": {"mean": [1.5, 2.5]}}


def _write(root: Path, name: str, content: str | bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _description(kind: str) -> str:
    return json.dumps({"Name": "x", "BIDSVersion": "1.9.0", "DatasetType": kind})


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset with a derivative that is described, one that is not, and raw data within."""
    root = tmp_path / "ds"
    _write(root, "dataset_description.json", _description("raw"))
    _write(root, "participants.tsv", "participant_id\nsub-01\n")
    measured = {**FIGURES, "bids_meta": SIDECAR, "who": f"Dr. {NAME}", "made": "2018-09-13"}
    _write(root, f"{QC}/dataset_description.json", _description("derivative"))
    _write(root, f"{QC}/sub-01/anat/sub-01_T1w.json", json.dumps(measured))
    _write(root, f"{QC}/group_T1w.tsv", f"bids_name\tcjv\tPatientID\nsub-01\t0.4\t{NUMBER}\n")
    _write(root, f"{QC}/sub-01/figures/sub-01_T1w.svg", "<svg/>")
    _write(root, f"{QC}/sub-01/figures/sub-01_T2w.svg", "<svg/>")
    _write(root, f"{QC}/sub-01_T1w.html", "<html/>")
    _write(root, f"{QC}/.git/config", "[core]")
    _write(root, f"{QC}/.cache/state.json", json.dumps({"seen_by": "nobody"}))
    _write(root, f"{QC}/.listed.tsv", "name\nnobody\n")
    _write(root, "derivatives/old/sub-01/anat/sub-01_T1w.nii.gz", named_gzip(nifti((9, 9, 9))))
    _write(root, "derivatives/notes.txt", "said nothing")
    foreign_dataset(root / "sourcedata/raw")
    return root


def _scrub(dataset: Path, **options: object) -> ScrubRun:
    request = make_scrub_request(dataset, jobs=2, **options)  # type: ignore[arg-type]
    return scrub(request, progress=Silent(), redactor=Redactor())


def test_derivatives_and_raw_data_within_are_cleaned_in_one_run(dataset: Path) -> None:
    before = set(told(dataset))
    run = _scrub(dataset)
    left = {
        "sourcedata/raw/.heudiconv/01/info/dicominfo.tsv",
        "sourcedata/raw/code/convert.sh",
        "sourcedata/raw/sourcedata/sub-01/a.dcm",
    }
    assert set(told(dataset)) == left < before
    assert run.refusal is None
    assert {change.name for change in run.scrubbed.changes} > {
        f"{QC}/sub-01/anat/sub-01_T1w.json",
        f"{QC}/group_T1w.tsv",
        "derivatives/old/sub-01/anat/sub-01_T1w.nii.gz",
        "sourcedata/raw/sub-01/func/sub-01_task-rest_bold.json",
    }


def test_what_was_computed_stays(dataset: Path) -> None:
    _scrub(dataset)
    left = json.loads((dataset / f"{QC}/sub-01/anat/sub-01_T1w.json").read_text())
    assert {key: left[key] for key in FIGURES} == FIGURES
    assert left["bids_meta"]["RepetitionTime"] == 2
    assert SERIAL not in json.dumps(left)
    assert (dataset / f"{QC}/group_T1w.tsv").read_text() == "bids_name\tcjv\nsub-01\t0.4\n"


def test_what_is_left_alone_is_named_by_kind_and_place(dataset: Path) -> None:
    run = _scrub(dataset, dry_run=True)
    kinds = "of a kind that is not cleaned: look at it"
    assert run.scrubbed.left_alone == {
        f"{QC}/**/*.svg": kinds,
        f"{QC}/**/*.html": kinds,
        f"{QC}/.git/": "its history keeps what is cleaned now",
        f"{QC}/.cache/": "hidden: look at it",
        f"{QC}/.listed.tsv": "hidden: look at it",
        "derivatives/": run.scrubbed.left_alone["derivatives/"],
        "sourcedata/raw/README": "written by people: read it",
        "sourcedata/raw/code/": run.scrubbed.left_alone["sourcedata/raw/code/"],
        "sourcedata/raw/sourcedata/": run.scrubbed.left_alone["sourcedata/raw/sourcedata/"],
    }
    assert run.scrubbed.leftovers == {"sourcedata/raw/.heudiconv/": "heudiconv"}
    places = {f.location for f in run.scrubbed.findings if f.code == "SCRUB_DERIVATIVE"}
    assert places == {QC, "derivatives/old"}


def test_a_second_time_changes_nothing(dataset: Path) -> None:
    _scrub(dataset)
    before = tree_digest(dataset)
    assert _scrub(dataset).scrubbed.changes == ()
    assert tree_digest(dataset) == before


def test_a_derivative_by_its_own_folder_is_cleaned_as_within_the_whole(dataset: Path) -> None:
    _scrub(dataset / QC)
    alone = (dataset / f"{QC}/sub-01/anat/sub-01_T1w.json").read_text()
    assert json.loads(alone)["cjv"] == FIGURES["cjv"]
    assert NAME not in alone


def test_a_leftover_within_can_be_removed(dataset: Path) -> None:
    _scrub(dataset, remove=("sourcedata/raw/.heudiconv",))
    assert not (dataset / "sourcedata/raw/.heudiconv").exists()


def test_of_originals_that_are_removed_nothing_else_is_said(dataset: Path) -> None:
    run = _scrub(dataset, remove=("sourcedata",))
    places = [*(change.name for change in run.changes), *run.left_alone]
    places += [found.location for found in run.findings]
    assert [place for place in places if place.startswith("sourcedata/")] == []
    assert run.removed == ("sourcedata/",)
    assert not (dataset / "sourcedata").exists()
    assert told(dataset) == {}
