"""What is asked of defacing, from the request to the dataset, the page and the journal."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from runs import run_convert
from sessions import MARA, t1w_of_lumps, t1w_with_face
from tree_digests import tree_digest

from bidsanon.deface import DefaceOptions, LooksAhead
from bidsanon.deface.acquisition import Acquisition
from bidsanon.errors import UsageError
from bidsanon.findings import Gate, Severity
from bidsanon.pipeline.request import make_request
from bidsanon.pipeline.run import Run
from bidsanon.pipeline.summary import run_summary
from bidsanon.resources import schema_path

WITH_CONSENT = DefaceOptions(engine="none", because="consent for faces")


def last_entry(private: Path) -> dict[str, object]:
    line = (private / "journal.jsonl").read_text("utf-8").splitlines()[-1]
    entry: dict[str, object] = json.loads(line)
    schema = json.loads(schema_path("journal.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(entry)
    return entry


def page(run: Run) -> str:
    (found,) = (run.request.private / "reports").glob("*.html")
    return found.read_text("utf-8")


@pytest.mark.slow
def test_faces_that_are_kept_are_published_with_the_reason_on_record(tmp_path: Path) -> None:
    t1w_of_lumps(tmp_path / "in")
    run = run_convert(tmp_path / "in", dataset=tmp_path / "ds", deface=WITH_CONSENT)
    assert run.refusal is None
    (deface,) = (result for result in run.gates.results if result.gate is Gate.DEFACE)
    assert [(f.code, f.severity) for f in deface.findings] == [("FACE_KEPT", Severity.WARNING)]
    summary = json.loads(json.dumps(run_summary(run)))
    schema = json.loads(schema_path("summary.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(summary)
    (image,) = summary["deface"]
    assert (image["verdict"], image["reason"]) == ("kept", "consent for faces")
    assert last_entry(run.request.private)["faces_kept"] == "consent for faces"
    assert "consent for faces" in page(run).casefold()
    sidecar = next((tmp_path / "ds").rglob("anat/*.json")).read_text("utf-8")
    assert "Face removed" not in sidecar
    assert "Face not removed: consent for faces" in sidecar
    assert "113102" not in sidecar


def test_a_reason_that_names_the_person_is_refused_and_not_written_down(tmp_path: Path) -> None:
    t1w_of_lumps(tmp_path / "in")
    name = MARA.name.split("^")[0]
    asked = DefaceOptions(engine="none", because=f"{name} does not mind")
    run = run_convert(tmp_path / "in", dataset=tmp_path / "ds", deface=asked)
    assert run.refusal is not None
    refused = next(result for result in run.gates.results if not result.passed)
    assert refused.gate is Gate.DEIDENTIFY
    assert "REASON_IDENTIFIES" in {found.code for found in refused.findings}
    assert last_entry(run.request.private)["faces_kept"] == ""
    assert name not in page(run)
    assert name not in json.dumps(run_summary(run))
    assert not (tmp_path / "ds" / "sub-01").exists()


def test_a_reason_is_asked_for_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="reason"):
        make_request(
            (tmp_path / "in",),
            dataset=tmp_path / "ds",
            subject="01",
            deface=DefaceOptions(engine="none"),
        )
    assert not (tmp_path / "ds.private").exists()


@pytest.mark.slow
def test_a_defacemask_is_published_beside_its_image(tmp_path: Path) -> None:
    t1w_with_face(tmp_path / "in")
    options = DefaceOptions(masks=True, keep_ears=True)
    run = run_convert(tmp_path / "in", dataset=tmp_path / "ds", deface=options)
    assert run.refusal is None
    anat = tmp_path / "ds/sub-01/anat"
    mask = nibabel.load(anat / "sub-01_mod-T1w_defacemask.nii.gz")
    image = nibabel.load(anat / "sub-01_T1w.nii.gz")
    assert np.allclose(mask.affine, image.affine)
    removed = np.asarray(mask.dataobj) == 0
    assert removed.any()
    assert not np.asarray(image.dataobj)[removed].any()
    sidecar = json.loads((anat / "sub-01_T1w.json").read_text("utf-8"))
    assert sidecar["DeidentificationMethod"][-1].endswith("the ears kept")


@pytest.mark.slow
def test_a_head_that_was_looked_at_while_the_rest_converted_gives_the_same_bytes(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # heads are looked at while another process converts, and only then
    t1w_with_face(tmp_path / "in", person=replace(MARA, study_date="20230607"))
    begun: list[str] = []
    look = LooksAhead._look

    def counted(self: LooksAhead, acquisition: Acquisition) -> None:
        begun.append(acquisition.shown.path)
        look(self, acquisition)

    monkeypatch.setattr(LooksAhead, "_look", counted)
    digests = []
    for jobs in (1, 2):
        place = tmp_path / str(jobs)
        if jobs > 1:
            (place / "ds.private").mkdir(parents=True)
            shutil.copy(tmp_path / "1/ds.private/vault.sqlite", place / "ds.private")
        run = run_convert(tmp_path / "in", source, dataset=place / "ds", jobs=jobs)
        assert run.refusal is None
        digests.append(tree_digest(place / "ds"))
    assert begun == ["sub-01/anat/sub-01_T1w.nii.gz"]
    assert digests[0] == digests[1]
