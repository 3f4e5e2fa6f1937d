"""Sessions published into one dataset: what is there, what comes to it, what is redone."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path

import nibabel as nib
import pytest
from jsonschema import Draft202012Validator
from runs import run_convert
from sessions import MARA, TOBIAS, bold_mosaic, identifying_strings, t1w_of_lumps, t1w_with_face
from tree_digests import tree_digest

from bidsanon.audit import Journal
from bidsanon.bids.tables import read_table
from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.deface.engines import Attempt, EmbeddedEngine
from bidsanon.deface.grid import Grid
from bidsanon.errors import ConflictError
from bidsanon.files import files_below, is_gzip
from bidsanon.pipeline import convert as pipeline
from bidsanon.pipeline.provenance import image_origins
from bidsanon.pipeline.run import Run
from bidsanon.pipeline.summary import run_summary
from bidsanon.publish import interrupted
from bidsanon.report import read_record
from bidsanon.report.page import render
from bidsanon.resources import schema_path
from bidsanon.validate import validate_dataset


def rows(path: Path) -> list[dict[str, str]]:
    return [dict(row) for row in read_table(path.read_text()).rows]


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if is_gzip(path) else path.read_bytes()


def test_a_session_is_there_with_all_that_belongs_to_it(dataset: Path) -> None:
    names = {str(p.relative_to(dataset)) for p in files_below(dataset)}
    prefix = "sub-01/ses-01"
    assert names == {
        "CHANGES",
        "README",
        "dataset_description.json",
        "participants.json",
        "participants.tsv",
        "scans.json",
        f"{prefix}/sub-01_ses-01_scans.tsv",
        f"{prefix}/dwi/sub-01_ses-01_dwi.bval",
        f"{prefix}/dwi/sub-01_ses-01_dwi.bvec",
        f"{prefix}/dwi/sub-01_ses-01_dwi.json",
        f"{prefix}/dwi/sub-01_ses-01_dwi.nii.gz",
        f"{prefix}/func/sub-01_ses-01_task-rest_bold.json",
        f"{prefix}/func/sub-01_ses-01_task-rest_bold.nii.gz",
    }


def test_nothing_of_the_person_is_in_any_byte(dataset: Path) -> None:
    published = b"".join(str(p).encode() + content(p) for p in files_below(dataset))
    found = [v for v in identifying_strings(MARA) if v.encode() in published]
    assert found == []


def test_every_gate_was_passed_in_order(published_run: Run) -> None:
    gates = [(r.gate.value, r.passed) for r in published_run.gates.results]
    order = "source deidentify fidelity convert deface scrub validate residue publish"
    assert gates == [(gate, True) for gate in order.split()]


def test_screenshot_and_report_went_to_quarantine(published_run: Run) -> None:
    quarantine = published_run.request.private / "quarantine" / "sub-01_ses-01"
    table = (quarantine / "quarantine.tsv").read_text()
    assert "burned-in" in table
    assert "not-an-image" in table
    assert len(list(quarantine.rglob("*.dcm"))) == 2


def test_the_first_acquisition_begins_at_noon_before_1926(dataset: Path) -> None:
    scans = rows(dataset / "sub-01/ses-01/sub-01_ses-01_scans.tsv")
    assert [row.keys() for row in scans] == [{"filename", "acq_time"}] * 2
    first, second = (row["acq_time"] for row in scans)
    assert first[11:19] == "12:00:00"
    assert 1902 <= int(first[:4]) <= 1925
    assert first < second


def test_the_summary_is_as_its_schema_says(published_run: Run) -> None:
    schema = json.loads(schema_path("summary.schema.json").read_text())
    summary = json.loads(json.dumps(run_summary(published_run)))
    assert [e.message for e in Draft202012Validator(schema).iter_errors(summary)] == []
    assert summary["outcome"] == "published"


def test_the_page_shows_the_session(published_run: Run) -> None:
    page = (published_run.request.private / "reports" / "sub-01_ses-01.html").read_text()
    assert "task-rest_bold" in page
    for value in identifying_strings(MARA):
        assert value not in page


def test_what_is_kept_of_the_run_is_what_the_page_says_and_names_nobody(published_run: Run) -> None:
    folder = published_run.request.private / "reports" / "sub-01_ses-01" / "published"
    record = read_record(folder)
    assert record is not None
    page = published_run.request.private / "reports" / "sub-01_ses-01.html"
    assert render(record) == page.read_text()
    for value in identifying_strings(MARA):
        assert value not in (folder / "record.json").read_text()


@pytest.mark.slow
def test_a_second_session_and_a_second_person_are_added(dataset: Path, tmp_path: Path) -> None:
    before = tree_digest(dataset / "sub-01" / "ses-01")
    bold_mosaic(tmp_path / "visit2", person=replace(MARA, study_date="20230607"))
    assert run_convert(tmp_path / "visit2", dataset=dataset, session="02").refusal is None
    bold_mosaic(tmp_path / "tobias", person=TOBIAS)
    assert (
        run_convert(tmp_path / "tobias", dataset=dataset, subject="02", session="01").refusal
        is None
    )

    assert tree_digest(dataset / "sub-01" / "ses-01") == before
    participants = [row["participant_id"] for row in rows(dataset / "participants.tsv")]
    assert participants == ["sub-01", "sub-02"]
    assert not [f for f in validate_dataset(dataset) if f.severity == "error"]
    first, second = (first_day(dataset / "sub-01" / ses) for ses in ("ses-01", "ses-02"))
    assert second - first == date(2023, 6, 7) - date(2023, 5, 17)
    assert MARA.study_date == "20230517"


def first_day(session: Path) -> date:
    scans = rows(next(session.glob("*_scans.tsv")))
    return date.fromisoformat(scans[0]["acq_time"][:10])


@pytest.mark.slow
def test_overwriting_redoes_everything_from_the_new_source(dataset: Path, tmp_path: Path) -> None:
    bold_mosaic(tmp_path / "new", person=MARA, volumes=4, protocol="ep2d_bold_nback")
    with pytest.raises(ConflictError):
        run_convert(tmp_path / "new", dataset=dataset, session="01")
    redone = run_convert(tmp_path / "new", dataset=dataset, session="01", overwrite=True)
    assert redone.refusal is None
    images = {p.name for p in dataset.rglob("*.nii.gz")}
    assert images == {"sub-01_ses-01_task-nback_bold.nii.gz"}
    image = nib.load(next(dataset.rglob("*.nii.gz")))
    assert image.shape[3] == 4


def test_files_that_somebody_added_are_told_before_anything_is_read(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = dataset / "sub-01/ses-01/func/sub-01_ses-01_task-rest_events.tsv"
    events.write_text("onset\tduration\n1\t2\n")
    before = tree_digest(dataset)
    bold_mosaic(tmp_path / "in", person=MARA)
    monkeypatch.setattr(pipeline, "read_source", None)
    with pytest.raises(ConflictError, match="task-rest_events"):
        run_convert(tmp_path / "in", dataset=dataset, session="01", overwrite=True)
    assert tree_digest(dataset) == before


@pytest.mark.slow
def test_the_same_source_gives_the_same_bytes_however_many_jobs(
    source: Path, tmp_path: Path
) -> None:
    first = run_convert(source, dataset=tmp_path / "a" / "ds", session="01", jobs=1)
    assert first.refusal is None
    (tmp_path / "b" / "ds.private").mkdir(parents=True)
    vault = first.request.private / "vault.sqlite"
    shutil.copy(vault, tmp_path / "b" / "ds.private" / "vault.sqlite")
    second = run_convert(source, dataset=tmp_path / "b" / "ds", session="01", jobs=2)
    assert second.refusal is None
    assert tree_digest(tmp_path / "a" / "ds") == tree_digest(tmp_path / "b" / "ds")


def test_a_dry_run_and_an_inspection_write_nothing(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_digest(source)
    arguments = ["convert", str(source), "-o", str(tmp_path / "ds"), "-s", "01", "--dry-run"]
    assert run(cli, arguments) == 0
    text = capsys.readouterr().out
    assert "sub-01/func/sub-01_task-rest_bold.nii.gz" in text
    assert "burned-in" in text
    assert run(cli, ["inspect", str(source), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    schema = json.loads(schema_path("summary.schema.json").read_text())
    assert [e.message for e in Draft202012Validator(schema).iter_errors(summary)] == []
    for value in identifying_strings(MARA):
        assert value not in text + json.dumps(summary)
    assert list(tmp_path.iterdir()) == []
    assert tree_digest(source) == before


def test_the_journal_says_of_each_image_where_it_came_from(
    dataset: Path, published_run: Run
) -> None:
    (entry,) = Journal(dataset.with_name("ds.private")).entries()
    images = {str(path.relative_to(dataset)) for path in dataset.rglob("*.nii.gz")}
    assert entry["images"].keys() == images
    numbers = {one.index: one.series_number for one in published_run.source.series}
    for origin in entry["images"].values():
        assert origin["numbers"] == [numbers[index] for index in origin["series"]]
        assert [uid[:5] for uid in origin["uids"]] == ["2.25."]
    written = json.dumps(entry)
    assert not [one for one in published_run.source.series if one.series_instance_uid in written]
    assert entry["field_maps"] == ["b0-field", "intended-for"]
    assert entry["field_maps_by"] == ["geometry", "shim", "time"]
    assert entry["known_digest"] == ""
    schema = json.loads(schema_path("journal.schema.json").read_text())
    assert [e.message for e in Draft202012Validator(schema).iter_errors(entry)] == []


def test_the_dataset_says_which_tools_profile_and_heuristic_and_nothing_of_its_source(
    dataset: Path, published_run: Run
) -> None:
    origins = image_origins(published_run).values()
    told = [uid for origin in origins for uid in origin.uids] + ["SeriesInstanceUID"]
    published = b"".join(content(path) for path in files_below(dataset))
    assert not [text for text in told if text.encode() in published]
    described = json.loads((dataset / "dataset_description.json").read_text())
    made_by = {tool["Name"]: tool["Version"] for tool in described["GeneratedBy"]}
    assert made_by.keys() == {"bidsanon", "dcm2niix", "heudiconv", "heuristic"}
    assert made_by["heuristic"] == f"sha256:{published_run.policy.heuristic.digest}"
    sidecars = [path.read_text() for path in dataset.rglob("ses-01/*/*.json")]
    assert sidecars
    assert all("profile bids" in sidecar for sidecar in sidecars)


def test_the_same_scans_are_not_published_under_another_label(
    dataset: Path, tmp_path: Path
) -> None:
    bold_mosaic(tmp_path / "again", person=MARA)
    before = tree_digest(dataset)
    refused = run_convert(tmp_path / "again", dataset=dataset, session="02").refusal
    assert refused is not None
    assert [f.location for f in refused.findings if f.code == "SCANS_PUBLISHED"] == [
        "sub-01_ses-01"
    ]
    assert tree_digest(dataset) == before


@pytest.mark.slow
def test_a_session_that_is_removed_leaves_nothing(dataset: Path, tmp_path: Path) -> None:
    before = tree_digest(dataset)
    bold_mosaic(tmp_path / "tobias", person=TOBIAS)
    assert run_convert(tmp_path / "tobias", dataset=dataset, subject="02").refusal is None
    assert run(cli, ["remove", str(dataset), "-s", "02", "--dry-run"]) == 0
    assert tree_digest(dataset) != before
    assert run(cli, ["remove", str(dataset), "-s", "02"]) == 0
    assert tree_digest(dataset) == before


@pytest.mark.slow
def test_a_head_is_published_without_its_face(tmp_path: Path) -> None:
    t1w_with_face(tmp_path / "in")
    published = run_convert(tmp_path / "in", dataset=tmp_path / "ds")
    assert published.refusal is None
    sidecar = json.loads((tmp_path / "ds/sub-01/anat/sub-01_T1w.json").read_text())
    assert any("Face removed" in text for text in sidecar["DeidentificationMethod"])
    codes = {c["CodeValue"] for c in sidecar["DeidentificationMethodCodeSequence"]}
    assert {"113100", "113102", "113105", "113107", "113108", "113111"} <= codes


@pytest.mark.slow
def test_withhold_publishes_the_rest(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt to register what is no head is enough here: the gate's test makes all."""
    attempts = EmbeddedEngine.attempts

    def the_first(engine: EmbeddedEngine, reference: Grid, head: Grid) -> Iterator[Attempt]:
        return islice(attempts(engine, reference, head), 1)

    monkeypatch.setattr(EmbeddedEngine, "attempts", the_first)
    later = replace(MARA, study_date="20230607")
    bold_mosaic(tmp_path / "in" / "bold", person=later)
    t1w_of_lumps(tmp_path / "in" / "t1", person=later)
    run_ = run_convert(tmp_path / "in", dataset=dataset, session="02", withhold=True)
    assert run_.refusal is None
    images = {p.name for p in (dataset / "sub-01/ses-02").rglob("*.nii.gz")}
    assert images == {"sub-01_ses-02_task-rest_bold.nii.gz"}
    assert run_.defaced is not None
    assert run_.defaced.withheld == ("sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz",)


@pytest.mark.slow
def test_a_run_after_a_crash_settles_the_dataset_and_clears_what_was_left(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the renames of publishing, the session is there and its row is not yet."""
    bold_mosaic(tmp_path / "in", person=TOBIAS)
    move = Path.replace

    def dying(path: Path, target: Path) -> Path:
        if path.name == "new-1" and path.parent.name == "change":
            raise KeyboardInterrupt
        return move(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            run_convert(tmp_path / "in", dataset=dataset, subject="02")
    assert [row["participant_id"] for row in rows(dataset / "participants.tsv")] == ["sub-01"]
    stale = dataset.with_name("ds.private") / "work" / "sub-02.1"
    (stale / "source").mkdir(parents=True)
    with pytest.raises(ConflictError, match="exists already"):
        run_convert(tmp_path / "in", dataset=dataset, subject="02")
    assert not interrupted(dataset)
    assert len(rows(dataset / "participants.tsv")) == 2
    assert not stale.exists()


@pytest.mark.slow
def test_the_session_is_claimed_before_its_source_is_read(
    dataset: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever came first removes the work folders of others, so nobody may be reading by then."""
    read = pipeline.read_source

    def another(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(pipeline, "read_source", read)
        with pytest.raises(ConflictError, match="another process"):
            run_convert(source, dataset=dataset, session="02")
        return read(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "read_source", another)
    assert run_convert(source, dataset=dataset, session="02").refusal is None
