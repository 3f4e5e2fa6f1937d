"""What ``validate`` calls a name as DICOM writes it, ``scrub`` takes out; the rest stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sessions.converted import nifti

from bidsanon.pipeline.scrub import scrub
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.validate.privacy import check_privacy

_BOLD = "sub-01/func/sub-01_task-rest_bold"
_FILES = {
    f"{_BOLD}.json": {"SeriesDescription": "rest Doe^Mara", "Instructions": "ask Doe^Mara"},
    "participants.json": {
        "note": {"Description": "as told by Doe^Mara", "Levels": {"1": "Doe^Mara"}}
    },
    "derivatives/a/dataset_description.json": {"Name": "a", "BIDSVersion": "1.8.0"},
    "derivatives/a/sub-01/func/sub-01_desc-x_bold.json": {"Something": "of Doe^Mara"},
}
_TABLES = {
    "participants.tsv": "participant_id\tnote\nsub-01\tcall Doe^Mara +47 21 30 40 50\n",
    "sub-01/func/sub-01_task-rest_events.tsv": "onset\tduration\tsaid\n1\t1\tDoe^Mara\n",
}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "ds"
    description = {"Name": "rest", "BIDSVersion": "1.8.0"}
    for name, content in {"dataset_description.json": description, **_FILES}.items():
        _write(root / name, json.dumps(content))
    for name, text in _TABLES.items():
        _write(root / name, text)
    (root / f"{_BOLD}.nii").write_bytes(nifti())
    return root


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _scrub(dataset: Path) -> None:
    scrub(make_scrub_request(dataset, jobs=1), progress=Silent(), redactor=Redactor())


def _named(dataset: Path) -> list[str]:
    """Return where names are found, and in how many places."""
    found = [found for found in check_privacy(dataset) if found.code == "PRIVACY_NAME"]
    return [f"{one.location}: {one.message}" for one in found]


def test_no_name_is_found_in_what_was_scrubbed(dataset: Path) -> None:
    said = "\n".join(_named(dataset))
    assert all(name in said for name in (*_TABLES, "participants.json", f"{_BOLD}.json", "desc-x"))
    _scrub(dataset)
    assert not _named(dataset)
    assert json.loads((dataset / f"{_BOLD}.json").read_text()) == {
        "SeriesDescription": "rest",
        "Instructions": "ask",
    }
    table = (dataset / "sub-01/func/sub-01_task-rest_events.tsv").read_text()
    assert table == "onset\tduration\tsaid\n1\t1\tn/a\n"


@pytest.mark.parametrize("text", ["fMRI^rest", "head^brain", "T2^star", "STUDIES^FUNCTIONAL"])
def test_protocols_and_units_with_a_caret_stay(dataset: Path, text: str) -> None:
    _scrub(dataset)
    sidecar = {"SeriesDescription": text, "ProtocolName": text}
    _write(dataset / f"{_BOLD}.json", json.dumps(sidecar))
    table = f"participant_id\tprotocol\tcount\nsub-01\t{text}\t10^3/uL\n"
    _write(dataset / "participants.tsv", table)
    _scrub(dataset)
    assert json.loads((dataset / f"{_BOLD}.json").read_text()) == sidecar
    assert (dataset / "participants.tsv").read_text() == table
