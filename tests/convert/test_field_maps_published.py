"""Field maps of a whole session: named, converted, linked, and accepted by the validator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sessions
from runs import run_convert
from sessions.contrasts import opposite_polarities

from bidsanon.bids.field_maps import FieldMapOptions, Link
from bidsanon.deface import DefaceOptions

KEYS = ("B0FieldIdentifier", "B0FieldSource", "IntendedFor")
FACES_KEPT = DefaceOptions(engine="none", because="a made-up person")
BOLD = "func/sub-01_task-rest_bold"


def _links(dataset: Path) -> dict[str, dict[str, Any]]:
    """Return what the sidecars say of field maps, by the image's path below the subject."""
    said = {}
    for file in sorted((dataset / "sub-01").rglob("*.json")):
        content = json.loads(file.read_text())
        links = {key: content[key] for key in KEYS if key in content}
        if links:
            said[str(file.relative_to(dataset / "sub-01").with_suffix(""))] = links
    return said


@pytest.mark.slow
def test_opposite_polarities_are_one_field_map_of_the_run(tmp_path: Path) -> None:
    opposite_polarities(tmp_path / "source")
    run = run_convert(tmp_path / "source", dataset=tmp_path / "study", deface=FACES_KEPT)
    assert run.refusal is None
    half = {"B0FieldIdentifier": "pepolar_1", "IntendedFor": [f"bids::sub-01/{BOLD}.nii.gz"]}
    assert _links(tmp_path / "study") == {
        "fmap/sub-01_dir-AP_epi": half,
        "fmap/sub-01_dir-PA_epi": half,
        BOLD: {"B0FieldSource": "pepolar_1"},
    }


@pytest.mark.slow
def test_a_session_that_is_redone_is_linked_anew(tmp_path: Path) -> None:
    sessions.siemens_session(tmp_path / "source")
    dataset = tmp_path / "study"
    run_convert(tmp_path / "source", dataset=dataset, deface=FACES_KEPT)
    first = _links(dataset)
    assert first["fmap/sub-01_phasediff"]["IntendedFor"] == [
        f"bids::sub-01/{BOLD}.nii.gz",
        "bids::sub-01/dwi/sub-01_dwi.nii.gz",
    ]
    for file in (tmp_path / "source" / "6").iterdir():
        file.unlink()
    only = FieldMapOptions(links=frozenset({Link.INTENDED_FOR}))
    run_convert(
        tmp_path / "source", dataset=dataset, deface=FACES_KEPT, overwrite=True, field_maps=only
    )
    again = _links(dataset)
    assert again.keys() == first.keys() - {BOLD, "dwi/sub-01_dwi"}
    assert {tuple(said["IntendedFor"]) for said in again.values()} == {
        (f"bids::sub-01/{BOLD}.nii.gz",)
    }
