"""JSON of which BIDS knows nothing is named: nobody can clean it by a list.

But for that of derivatives, of which each program writes its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bidsanon.pipeline.scrub import scrub
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("people.json", True),
        ("sub-01/people.json", True),
        ("dataset_description.json", False),
        ("participants.json", False),
        ("task-rest_bold.json", False),
        ("derivatives/x/people.json", False),
    ],
)
def test_json_that_bids_does_not_know_is_named(tmp_path: Path, name: str, unknown: bool) -> None:
    derived = tmp_path / "derivatives/x/dataset_description.json"
    derived.parent.mkdir(parents=True)
    derived.write_text(json.dumps({"DatasetType": "derivative"}))
    (tmp_path / "sub-01").mkdir()
    (tmp_path / name).write_text(json.dumps({"contact": "Quillfeather"}), "utf-8")

    request = make_scrub_request(tmp_path, dry_run=True)
    run = scrub(request, progress=Silent(), redactor=Redactor())

    found = [f.location for f in run.scrubbed.findings if f.code == "SCRUB_JSON_UNKNOWN"]
    assert found == ([name] if unknown else [])
