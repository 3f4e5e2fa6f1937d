"""The lab's own file, from a session's DICOM to the dataset: what it fills, and what it weighs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from runs import plan_convert, run_convert
from sessions import MARA, bold_mosaic
from tree_digests import tree_digest

from bidsanon.findings import Finding, Gate, GateResult, Severity
from bidsanon.pipeline.remove import make_remove_request, remove
from bidsanon.pipeline.run import Run

LAB = """description = "Ours."
start = "bids"
[dataset]
Name = "Balloons"
Authors = ["Lovelace, Ada"]
License = "CC0"
citation = true
README = "# Balloons\\n\\nWhy they burst."
[dataset.participants.age]
LongName = "age at the visit"
"""
STRICT = '[severity]\nDATASET_NO_ETHICS = "error"\n'


def lab_file(folder: Path, more: str = "") -> str:
    path = folder / "lab.toml"
    path.write_text(LAB + more)
    return str(path)


def said(run: Run) -> GateResult:
    return next(result for result in run.gates.results if result.gate is Gate.VALIDATE)


def test_the_dataset_says_what_the_lab_says_and_forgets_it_with_the_session(
    tmp_path: Path,
) -> None:
    source, dataset = tmp_path / "bold", tmp_path / "ds"
    bold_mosaic(source, person=MARA)
    foretold = plan_convert(source, dataset=dataset, session="01", profile=lab_file(tmp_path))
    assert not dataset.exists()
    run = run_convert(source, dataset=dataset, session="01", profile=lab_file(tmp_path))
    assert run.refusal is None
    assert of_dataset(foretold.findings) == of_dataset(said(run).findings) != []
    description = json.loads((dataset / "dataset_description.json").read_text())
    assert description["Name"] == "Balloons"
    assert "Authors" not in description
    assert 'given-names: "Ada"' in (dataset / "CITATION.cff").read_text()
    assert (dataset / "README").read_text().startswith("# Balloons")
    columns = json.loads((dataset / "participants.json").read_text())
    assert columns["age"]["LongName"] == "age at the visit"
    told = {f.code for f in said(run).findings}
    assert {"DATASET_NO_ETHICS", "DATASET_NO_FUNDING"} <= told
    assert not [c for c in told if c.startswith("PRIVACY_")]
    assert not told & {"DATASET_NO_AUTHORS", "DATASET_NO_LICENSE", "DATASET_TEXT_KEPT"}

    (dataset / "README").write_text("# Somebody wrote this\n")
    weighed = lab_file(tmp_path, STRICT)
    refused = plan_convert(source, dataset=dataset, session="02", profile=weighed)
    assert [(f.code, f.severity, f.location) for f in of_dataset(refused.findings)][:2] == [
        ("DATASET_TEXT_KEPT", "warning", "README"),
        ("DATASET_NO_ETHICS", "error", "dataset_description.json#/EthicsApprovals"),
    ]
    assert refused.exit_code == 4

    (dataset / "README").unlink()
    remove(make_remove_request(dataset, subject="01", session="01", private=None))
    assert not dataset.exists()


def of_dataset(findings: Iterable[Finding]) -> list[Finding]:
    return [found for found in findings if found.code.startswith("DATASET_")]


@pytest.mark.slow
def test_what_a_lab_weighs_as_an_error_and_what_events_tell_refuses_the_session(
    tmp_path: Path,
) -> None:
    source, dataset = tmp_path / "bold", tmp_path / "ds"
    bold_mosaic(source, person=MARA)
    run = run_convert(source, dataset=dataset, session="01", profile=lab_file(tmp_path))
    before = tree_digest(dataset)
    events = tmp_path / "events.tsv"
    events.write_text("onset\tduration\tvisit_date\tage\n1\t1\t2023-05-17\t93\n")
    refused = run_convert(
        source,
        dataset=dataset,
        session="01",
        overwrite=True,
        profile=lab_file(tmp_path, STRICT),
        events=[f"{_run_name(run)}={events}"],
    )
    assert refused.refusal is not None
    stopped = {f.code for f in said(refused).findings if f.severity is Severity.ERROR}
    assert stopped == {"DATASET_NO_ETHICS", "PRIVACY_DATE", "PRIVACY_AGE"}
    assert tree_digest(dataset) == before


def _run_name(run: Run) -> str:
    """Return what --events calls the session's functional run."""
    (name,) = [i.path for i in run.converted.images] if run.converted else [""]
    return "_".join(Path(name).name.split("_")[2:-1])
