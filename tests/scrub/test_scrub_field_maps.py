"""The field maps of what is published: linked to what is there, and never to anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sessions.converted import converted_session, defaced_session

from bidsanon.bids.field_maps import USUAL_LINKS, FieldMapOptions
from bidsanon.findings import errors
from bidsanon.scrub import scrub_session
from bidsanon.session import DefacedSession, ScrubbedSession

FOLDER = "sub-01/ses-01"
BOLD = f"{FOLDER}/func/sub-01_ses-01_task-rest_bold"
DWI = f"{FOLDER}/dwi/sub-01_ses-01_dwi"
PHASE = f"{FOLDER}/fmap/sub-01_ses-01_phasediff"


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    root = tmp_path / "heudiconv"
    root.mkdir()
    return root


def _scrub(
    defaced: DefacedSession, into: Path, field_maps: FieldMapOptions = USUAL_LINKS
) -> ScrubbedSession:
    into.mkdir()
    return scrub_session(defaced, into=into, device_pseudonym=str.lower, field_maps=field_maps)


def _said(scrubbed: ScrubbedSession, image: str) -> dict[str, object]:
    content = json.loads((scrubbed.root / f"{image}.json").read_text())
    return {k: v for k, v in content.items() if k.startswith("B0Field") or k == "IntendedFor"}


def test_a_session_s_field_map_is_linked_to_its_runs(tree: Path, tmp_path: Path) -> None:
    scrubbed = _scrub(converted_session(tree), tmp_path / "out")
    assert errors(scrubbed.findings) == ()
    assert _said(scrubbed, PHASE) == {
        "B0FieldIdentifier": "phase_ses01_1",
        "IntendedFor": [f"bids::{DWI}.nii.gz", f"bids::{BOLD}.nii.gz"],
    }
    assert _said(scrubbed, BOLD) == {"B0FieldSource": "phase_ses01_1"}
    assert _said(scrubbed, f"{FOLDER}/anat/sub-01_ses-01_T1w") == {}


def test_what_is_withheld_is_neither_linked_nor_linked_to(tree: Path, tmp_path: Path) -> None:
    images = [image.path for image in converted_session(tree).converted.images]
    withheld = defaced_session(tree, images, withheld=[f"{BOLD}.nii.gz"])
    scrubbed = _scrub(withheld, tmp_path / "out")
    assert _said(scrubbed, PHASE)["IntendedFor"] == [f"bids::{DWI}.nii.gz"]

    no_phase = defaced_session(tree, images, withheld=[f"{PHASE}.nii.gz"])
    scrubbed = _scrub(no_phase, tmp_path / "again")
    assert _said(scrubbed, BOLD) == {}
    assert _said(scrubbed, f"{FOLDER}/fmap/sub-01_ses-01_magnitude1") == {}


def test_what_a_heuristic_has_linked_stays(tree: Path, tmp_path: Path) -> None:
    defaced = converted_session(tree)
    sidecar = tree / f"{PHASE}.json"
    content = json.loads(sidecar.read_text())
    sidecar.chmod(0o644)
    gone = "ses-01/func/sub-01_ses-01_task-other_bold.nii.gz"
    own = f"ses-01/dwi/{DWI.rpartition('/')[2]}.nii.gz"
    sidecar.write_text(json.dumps(content | {"IntendedFor": [own, gone]}))
    scrubbed = _scrub(defaced, tmp_path / "out")
    assert _said(scrubbed, PHASE) == {"IntendedFor": [own]}
    assert _said(scrubbed, BOLD) == {}


def test_nothing_is_linked_where_that_is_asked(tree: Path, tmp_path: Path) -> None:
    none = FieldMapOptions(links=frozenset())
    scrubbed = _scrub(converted_session(tree), tmp_path / "out", field_maps=none)
    assert [_said(scrubbed, image) for image in (PHASE, BOLD, DWI)] == [{}, {}, {}]


def test_a_run_of_another_shim_lacks_a_field_map_and_that_is_said(
    tree: Path, tmp_path: Path
) -> None:
    defaced = converted_session(tree)
    _shim(tree, BOLD, [7, 7, 7])
    scrubbed = _scrub(defaced, tmp_path / "out")
    assert _places(scrubbed, "FIELD_MAP_LACKING") == [f"{BOLD}.nii.gz"]
    assert _places(scrubbed, "FIELD_MAP_UNUSED") == []


def test_a_field_map_that_fits_no_run_is_said_to_be_unused(tree: Path, tmp_path: Path) -> None:
    defaced = converted_session(tree)
    for run in (BOLD, DWI):
        _shim(tree, run, [7, 7, 7])
    scrubbed = _scrub(defaced, tmp_path / "out")
    assert _places(scrubbed, "FIELD_MAP_LACKING") == [f"{DWI}.nii.gz", f"{BOLD}.nii.gz"]
    assert _places(scrubbed, "FIELD_MAP_UNUSED") == [
        f"{FOLDER}/fmap/sub-01_ses-01_magnitude1.nii.gz"
    ]


def _shim(tree: Path, image: str, currents: list[int]) -> None:
    sidecar = tree / f"{image}.json"
    content = json.loads(sidecar.read_text())
    sidecar.chmod(0o644)
    sidecar.write_text(json.dumps(content | {"ShimSetting": currents}))


def _places(scrubbed: ScrubbedSession, code: str) -> list[str]:
    return [found.location for found in scrubbed.findings if found.code == code]
