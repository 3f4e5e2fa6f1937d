"""What convert publishes needs no scrub, and what scrub rewrites stays known to the ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from bidsanon.files import sha256, write_bytes
from bidsanon.pipeline.remove import make_remove_request, remove
from bidsanon.pipeline.scrub import ScrubRun, scrub
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.progress import Silent
from bidsanon.publish import Ledger
from bidsanon.redaction import Redactor


def _scrub(dataset: Path) -> ScrubRun:
    return scrub(make_scrub_request(dataset), progress=Silent(), redactor=Redactor())


def test_what_convert_publishes_needs_no_scrub(dataset: Path) -> None:
    run = _scrub(dataset)

    assert run.scrubbed.changes == ()
    assert run.refusal is None
    assert not run.scrubbed.leftovers


def test_a_published_session_that_was_scrubbed_can_be_removed(dataset: Path) -> None:
    private = dataset.with_name("ds.private")
    (sidecar,) = dataset.rglob("*_dwi.json")
    content = json.loads(sidecar.read_text()) | {"StationName": "as an earlier version let it be"}
    sidecar.write_text(json.dumps(content))
    _pretend_that_it_was_published_so(sidecar, dataset, private)

    run = _scrub(dataset)

    assert [change.name for change in run.scrubbed.changes] == [
        sidecar.relative_to(dataset).as_posix()
    ]
    request = make_remove_request(dataset, subject="01", session="01", private=None)
    assert remove(request).by_hand == ()


def test_what_was_changed_by_hand_stays_changed_by_hand(dataset: Path) -> None:
    (sidecar,) = dataset.rglob("*_dwi.json")
    content = json.loads(sidecar.read_text()) | {"StationName": "somewhere", "FlipAngle": 12}
    sidecar.write_text(json.dumps(content))

    _scrub(dataset)

    name = sidecar.relative_to(dataset).as_posix()
    ledger = Ledger.read(dataset.with_name("ds.private"), dataset)
    assert ledger.files_of("sub-01_ses-01")[name] != sha256(sidecar)


def _pretend_that_it_was_published_so(file: Path, dataset: Path, private: Path) -> None:
    ledger = Ledger.read(private, dataset)
    digest = {file.relative_to(dataset).as_posix(): sha256(file)}
    additions = tuple(replace(one, files={**one.files, **digest}) for one in ledger.additions)
    write_bytes(private / ledger.file, replace(ledger, additions=additions).text.encode())
