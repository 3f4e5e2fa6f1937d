"""``deidentify``: a source of one person or several, into OUT whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydicom import dcmread
from runs import run_deidentify
from sessions import (
    MARA,
    TOBIAS,
    Person,
    archive,
    bold_mosaic,
    burned_in_capture,
    computed_tomography,
    dicomdir_medium,
    duplicate_instance,
    dwi_mosaic,
    identifying_strings,
    not_dicom,
    second_visit,
    siemens_t1w,
    structured_report,
    truncated_file,
    two_persons,
)
from tree_digests import tree_digest

from bidsanon.audit import MAP_NAME, VALUES_NAME, Journal
from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.demo.person import clock
from bidsanon.errors import ConflictError, GateRefusedError, SourceError, StorageError, UsageError
from bidsanon.files import files_below
from bidsanon.pipeline import deidentify as pipeline
from bidsanon.pipeline.deidentify import deidentify
from bidsanon.pipeline.deidentify_plan import plan_deidentification
from bidsanon.pipeline.deidentify_record import GATES
from bidsanon.pipeline.deidentify_request import OutputFormat, make_deidentify_request
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.deidentify_summary import (
    deidentify_plan_summary,
    deidentify_report_path,
    deidentify_summary,
)
from bidsanon.pipeline.options import RunOptions
from bidsanon.profile import Amendment
from bidsanon.progress import Silent
from bidsanon.publish import DICOMDIR
from bidsanon.redaction import Redactor
from bidsanon.resources import schema_path

SUMMARY = Draft202012Validator(json.loads(schema_path("summary.schema.json").read_text("utf-8")))
JOURNAL = Draft202012Validator(json.loads(schema_path("journal.schema.json").read_text("utf-8")))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's images, a screenshot, a report, and files that are no DICOM."""
    folder = tmp_path_factory.mktemp("Aldwyn_Mara")
    bold_mosaic(folder / "bold", person=MARA)
    burned_in_capture(folder / "screen", person=MARA)
    structured_report(folder / "report", person=MARA)
    not_dicom(folder / "other")
    return folder


@pytest.fixture(scope="module")
def delivered(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DeidentifyRun]:
    out = tmp_path_factory.mktemp("delivered") / "out"
    return out, run_deidentify(source, out=out)


def headers(out: Path) -> Iterator[object]:
    for path in files_below(out):
        yield dcmread(path, stop_before_pixels=True)


def codes(run: DeidentifyRun) -> set[str]:
    return {found.code for result in run.gates.results for found in result.findings}


def holds_nothing_of(person: Person, out: Path) -> bool:
    """Whether nothing identifying is left, but for the time of day, which the profile keeps."""
    time_of_day = clock(person.study_time_s)[:6]
    texts = [text.encode() for text in identifying_strings(person) if text != time_of_day]
    contents = b"".join(path.read_bytes() + os.fsencode(path) for path in files_below(out))
    return not any(text in contents for text in texts)


def test_files_lie_under_their_new_uids(delivered: tuple[Path, DeidentifyRun]) -> None:
    out, done = delivered
    assert done.files == len(list(files_below(out))) > 0
    for path in files_below(out):
        header = dcmread(path, stop_before_pixels=True)
        assert path.relative_to(out).parts == (
            header.StudyInstanceUID,
            header.SeriesInstanceUID,
            f"{header.SOPInstanceUID}.dcm",
        )
        assert header.PatientIdentityRemoved == "YES"
        assert len(header.DeidentificationMethodCodeSequence) > 1


def test_nothing_of_the_person_is_left(delivered: tuple[Path, DeidentifyRun]) -> None:
    assert holds_nothing_of(MARA, delivered[0])


def test_none_is_lost(source: Path, delivered: tuple[Path, DeidentifyRun]) -> None:
    out, done = delivered
    given = len(list(files_below(source)))
    kept = sum(1 for _ in (done.request.private / "quarantine").rglob("*.dcm"))
    assert given == len(list(files_below(out))) + kept + done.source.other_files
    assert kept == len(done.source.quarantine) == 2


def test_the_person_has_the_pseudonym_of_the_vault(
    delivered: tuple[Path, DeidentifyRun],
) -> None:
    names = {(header.PatientID, str(header.PatientName)) for header in headers(delivered[0])}  # type: ignore[attr-defined]
    ((number, name),) = names
    assert number == name
    assert number.startswith("anon-")


def test_what_was_done_is_recorded_without_identity(
    delivered: tuple[Path, DeidentifyRun],
) -> None:
    _, done = delivered
    summary = deidentify_summary(done)
    SUMMARY.validate(summary)
    (entry,) = Journal(done.request.private).entries()
    JOURNAL.validate(entry)
    assert entry["outcome"] == deidentify_summary(delivered[1])["outcome"] == "delivered"
    page = deidentify_report_path(done.request).read_text("utf-8")
    assert "The files reached OUT in one step." in page
    assert entry["command"] == "deidentify"
    assert entry["counts"]["delivered"] == done.files
    for text in (json.dumps(summary), json.dumps(entry), page):
        assert not any(value in text for value in identifying_strings(MARA))
    assert {row["reason"] for row in summary["quarantine"]} == {"burned-in", "not-an-image"}
    assert "pixel data" in page
    assert ("time", "published on purpose") in {
        (row["kind"], row["reason"]) for row in summary["residue"]["ignored"]
    }


def test_faces_are_said_to_be_there_still(delivered: tuple[Path, DeidentifyRun]) -> None:
    assert "FACES_NOT_REMOVED" in codes(delivered[1])


def test_all_gates_of_the_command_were_passed(delivered: tuple[Path, DeidentifyRun]) -> None:
    assert tuple(r.gate for r in delivered[1].gates.results) == GATES[OutputFormat.DICOM]


def test_the_private_folder_is_private_and_keeps_no_copies(
    delivered: tuple[Path, DeidentifyRun],
) -> None:
    private = delivered[1].request.private
    assert private == delivered[0].with_name("out.private")
    assert private.stat().st_mode & 0o777 == 0o700
    assert not [path for path in (private / "work").iterdir() if path.is_dir()]


@pytest.mark.slow
def test_the_same_vault_gives_the_same_bytes_in_one_process_or_two(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidsanon.workers.FILES_WORTH_A_WORKER", 1)
    for name, jobs in (("a", 1), ("b", 2), ("c.zip", 2)):
        run_deidentify(source, out=tmp_path / name, private=tmp_path / "private", jobs=jobs)
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "c.zip") as packed:
        packed.extractall(tmp_path / "c")
    (unpacked,) = (tmp_path / "c").iterdir()
    assert tree_digest(unpacked) == tree_digest(tmp_path / "a")


@pytest.mark.parametrize("name", ["vault.sqlite", MAP_NAME])
def test_a_folder_in_the_place_of_a_private_file_is_told(
    source: Path, tmp_path: Path, name: str
) -> None:
    private = tmp_path / "private"
    (private / name).mkdir(parents=True)
    with pytest.raises(StorageError, match="a folder stands where"):
        run_deidentify(source, out=tmp_path / "out", private=private, deident_map=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a file system that takes no folders")
def test_a_place_where_no_folder_can_be_made_is_told(source: Path) -> None:
    with pytest.raises(StorageError):
        run_deidentify(source, out=Path("/proc/bidsanon-out"))


def test_whoever_comes_second_is_told_what_is_being_done(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = pipeline.read

    def another(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(pipeline, "read", read)
        with pytest.raises(ConflictError, match="another process is de-identifying into this OUT"):
            run_deidentify(source, out=tmp_path / "out")
        return read(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "read", another)
    run_deidentify(source, out=tmp_path / "out")


def test_an_archive_gives_what_its_folder_gives(source: Path, tmp_path: Path) -> None:
    packed = archive(source, kind="gztar").rename(tmp_path / "source.tar.gz")
    run_deidentify(source, out=tmp_path / "a", private=tmp_path / "p")
    run_deidentify(packed, out=tmp_path / "b", private=tmp_path / "p")
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b")


def test_deidentifying_twice_changes_nothing_more(
    delivered: tuple[Path, DeidentifyRun], tmp_path: Path
) -> None:
    out, done = delivered
    run_deidentify(out, out=tmp_path / "again", private=done.request.private)
    assert tree_digest(tmp_path / "again") == tree_digest(out)


def test_another_visit_keeps_the_pseudonym_and_the_interval(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "first", person=MARA)
    second_visit(tmp_path / "second", person=MARA)
    found = {}
    for visit in ("first", "second"):
        run_deidentify(tmp_path / visit, out=tmp_path / f"{visit}.out", private=tmp_path / "p")
        found[visit] = next(headers(tmp_path / f"{visit}.out"))
    assert found["first"].PatientID == found["second"].PatientID  # type: ignore[attr-defined]
    assert found["first"].StudyDate < found["second"].StudyDate < "1926"  # type: ignore[attr-defined]


def test_several_persons_get_a_pseudonym_each(tmp_path: Path) -> None:
    two_persons(tmp_path / "source")
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out")
    assert len({header.PatientID for header in headers(tmp_path / "out")}) == 2  # type: ignore[attr-defined]
    assert "PERSONS_APART" in codes(done)
    assert holds_nothing_of(MARA, tmp_path / "out")
    assert holds_nothing_of(TOBIAS, tmp_path / "out")
    alone = tmp_path / "alone"
    run_deidentify(tmp_path / "source" / "a", out=alone, private=done.request.private)
    names = {path.name for path in files_below(alone)}
    assert names < {path.name for path in files_below(tmp_path / "out")}


@pytest.mark.parametrize("options", [{"subject": "01"}, {"patient_name": "Head"}])
def test_several_persons_never_become_one(tmp_path: Path, options: dict[str, str]) -> None:
    two_persons(tmp_path / "source")
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out", **options)
    assert done.refusal is not None
    assert "SEVERAL_PERSONS" in codes(done)
    assert not (tmp_path / "out").exists()


def test_two_persons_with_one_number_never_get_one_pseudonym(tmp_path: Path) -> None:
    for path in two_persons(tmp_path / "source"):
        header = dcmread(path)
        header.PatientID = "0815"
        header.save_as(path)
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out")
    assert "PERSONS_SHARE_ID" in codes(done)
    assert not (tmp_path / "out").exists()


def test_a_label_and_a_name_may_be_given(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "source", person=MARA)
    run_deidentify(
        tmp_path / "source", out=tmp_path / "out", subject="sub-07", patient_name="Doe^Jo"
    )
    header = next(headers(tmp_path / "out"))
    assert (header.PatientID, str(header.PatientName)) == ("sub-07", "Doe^Jo")  # type: ignore[attr-defined]


def test_a_label_belongs_to_one_person_for_ever(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "a", person=MARA)
    siemens_t1w(tmp_path / "b", person=TOBIAS)
    run_deidentify(tmp_path / "a", out=tmp_path / "a.out", subject="07", private=tmp_path / "p")
    with pytest.raises(UsageError, match="somebody else"):
        run_deidentify(tmp_path / "b", out=tmp_path / "b.out", subject="07", private=tmp_path / "p")


def test_the_persons_own_name_cannot_be_given(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "source", person=MARA)
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out", patient_name=MARA.family_name)
    assert isinstance(done.refusal, GateRefusedError)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["", "a\\b", "a=b", "Jürgen", "x" * 65])
def test_a_name_that_no_header_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    siemens_t1w(tmp_path / "source", person=MARA)
    with pytest.raises(UsageError):
        run_deidentify(tmp_path / "source", out=tmp_path / "out", patient_name=name)


@pytest.mark.parametrize(
    ("name", "why"),
    [("file/out", "below a file"), ("x" * 240, "too long"), ("o" + "\udcff", "UTF-8")],
)
@pytest.mark.parametrize("what", ["out", "private"])
def test_a_place_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, name: str, why: str, what: str
) -> None:
    siemens_t1w(tmp_path / "source", person=MARA)
    (tmp_path / "file").write_text("somebody's")
    with pytest.raises(UsageError, match=why):
        run_deidentify(
            tmp_path / "source",
            **{"out": tmp_path / "out", what: tmp_path / name},
        )
    assert {path.name for path in tmp_path.iterdir()} == {"source", "file"}


def test_what_the_user_keeps_is_kept(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "source", person=MARA)
    run_deidentify(
        tmp_path / "source",
        out=tmp_path / "out",
        amendment=Amendment(keep=("PatientID",)),
    )
    assert next(headers(tmp_path / "out")).PatientID == MARA.patient_id  # type: ignore[attr-defined]


def test_a_damaged_file_goes_to_quarantine_and_the_others_are_delivered(tmp_path: Path) -> None:
    given = truncated_file(tmp_path / "source", person=MARA)
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out")
    assert done.refusal is None
    assert "TRUNCATED_FILES" in codes(done)
    assert done.files == len(given) - 1
    (kept,) = (done.request.private / "quarantine").rglob("truncated/*.dcm")
    assert kept.stat().st_size == given[2].stat().st_size


def test_a_series_with_damaged_files_is_left_out_on_request(tmp_path: Path) -> None:
    truncated_file(tmp_path / "source", person=MARA)
    bold = bold_mosaic(tmp_path / "source" / "bold", person=MARA)
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out", withhold=True)
    assert done.files == len(bold)
    assert "SERIES_WITHHELD" in codes(done)


def test_a_second_file_of_an_instance_goes_to_quarantine(tmp_path: Path) -> None:
    given = duplicate_instance(tmp_path / "source", person=MARA)
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out")
    assert done.files == len(given) - 1
    assert [file.reason.value for file in done.source.quarantine] == ["duplicate"]


def test_what_only_the_deidentification_cannot_read_goes_to_quarantine_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = siemens_t1w(tmp_path / "source", person=MARA)
    deidentify_session = pipeline.deidentify_session

    def losing_one(*arguments: object, **options: object) -> object:
        from dataclasses import replace  # noqa: PLC0415

        made = deidentify_session(*arguments, **options)  # type: ignore[arg-type]
        series = made.series[0]
        return replace(made, series=(replace(series, files=series.files[1:]), *made.series[1:]))

    monkeypatch.setattr(pipeline, "deidentify_session", losing_one)
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out")
    assert done.files == len(given) - 1
    assert [(file.path, file.reason.value) for file in done.source.quarantine] == [
        (given[0], "unreadable")
    ]


def test_a_source_of_nothing_but_other_things_is_no_source(tmp_path: Path) -> None:
    computed_tomography(tmp_path / "source", person=MARA)
    with pytest.raises(SourceError):
        run_deidentify(
            tmp_path / "source", out=tmp_path / "out", amendment=Amendment(modalities=("MR",))
        )
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.private").exists()


def test_a_medium_becomes_a_medium(tmp_path: Path) -> None:
    given = dicomdir_medium(tmp_path / "source", person=MARA)
    run_deidentify(tmp_path / "source", out=tmp_path / "out")
    records = dcmread(tmp_path / "out" / DICOMDIR).DirectoryRecordSequence
    listed = {
        "/".join(record.ReferencedFileID) for record in records if "ReferencedFileID" in record
    }
    there = {
        path.relative_to(tmp_path / "out").as_posix() for path in files_below(tmp_path / "out")
    }
    assert listed == there - {DICOMDIR}
    assert len(listed) == len(given) - 1
    assert holds_nothing_of(MARA, tmp_path / "out")


def test_what_is_found_in_the_copies_is_not_delivered(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deidentify_session = pipeline.deidentify_session

    def planting(*arguments: object, **options: object) -> object:
        made = deidentify_session(*arguments, **options)  # type: ignore[arg-type]
        path = made.series[0].files[0]
        header = dcmread(path)
        header.SoftwareVersions = f"for {MARA.family_name}"
        header.save_as(path)
        return made

    monkeypatch.setattr(pipeline, "deidentify_session", planting)
    done = run_deidentify(source, out=tmp_path / "out")
    assert "RESIDUE_FOUND" in codes(done)
    assert not (tmp_path / "out").exists()
    assert MARA.family_name not in deidentify_report_path(done.request).read_text("utf-8")
    SUMMARY.validate(deidentify_summary(done))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("source", "source/out"), 2),
        (("source/bold", "source"), 2),
        (("source", "link/out"), 2),
        (("nowhere", "out"), 2),
        (("source", "out", "--private", "out/private"), 2),
        (("source", "out", "--private", "source/private"), 2),
        (("source", "source.txt"), 2),
        (("source", "full"), 7),
        (("source", "full", "--overwrite"), 7),
        (("source", "out", "-s", "not a label"), 2),
        (("source", "out", "--profile", "nobody"), 5),
        (("source", "out", "--keep", "NoSuchAttribute"), 2),
        (("empty", "out"), 3),
        (("medium/DICOMDIR", "medium/out"), 2),
    ],
)
def test_refusals_have_their_exit_codes_and_touch_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    bold_mosaic(tmp_path / "source" / "bold", person=MARA)
    dicomdir_medium(tmp_path / "medium", person=MARA)
    (tmp_path / "link").symlink_to("source")
    (tmp_path / "empty").mkdir()
    (tmp_path / "source.txt").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    before = tree_digest(tmp_path)
    assert run(cli, ["deidentify", *arguments]) == code
    assert tree_digest(tmp_path) == before
    said = capsys.readouterr()
    assert "what to do" in said.err
    assert not any(value in said.err + said.out for value in identifying_strings(MARA))


def test_originals_are_only_read(source: Path, tmp_path: Path) -> None:
    before = {path: path.stat() for path in source.rglob("*")}
    run_deidentify(source, out=tmp_path / "out")
    after = {path: path.stat() for path in source.rglob("*")}
    assert {p: (s.st_mtime_ns, s.st_size, s.st_ino) for p, s in before.items()} == {
        p: (s.st_mtime_ns, s.st_size, s.st_ino) for p, s in after.items()
    }


def test_a_dry_run_writes_nothing_and_says_what_would_be(source: Path, tmp_path: Path) -> None:
    request = make_deidentify_request((source,), out=tmp_path / "out")
    plan = plan_deidentification(request, progress=Silent())
    assert list(tmp_path.iterdir()) == []
    assert plan.exit_code == 0
    summary = deidentify_plan_summary(plan)
    SUMMARY.validate(summary)
    assert [row["files"] for row in summary["series"]] == [
        len(series.instances) for series in plan.source.series
    ]
    assert not any(value in json.dumps(summary) for value in identifying_strings(MARA))


@pytest.mark.parametrize(
    ("withhold", "subject", "persons"),
    [(True, None, 1), (False, None, 2), (False, "07", 2)],
    ids=["withheld", "delivered", "refused"],
)
def test_a_dry_run_finds_and_counts_what_the_run_does(
    tmp_path: Path, withhold: bool, subject: str | None, persons: int
) -> None:
    two_persons(tmp_path / "source")
    last = max((tmp_path / "source" / "b").iterdir())
    last.write_bytes(last.read_bytes()[:-20])
    request = make_deidentify_request(
        (tmp_path / "source",),
        out=tmp_path / "out",
        subject=subject,
        options=RunOptions(withhold=withhold),
    )
    plan = plan_deidentification(request, progress=Silent())
    done = deidentify(request, progress=Silent(), redactor=Redactor())
    assert {found.code for found in plan.findings} == codes(done)
    assert deidentify_plan_summary(plan)["persons"] == persons
    assert deidentify_summary(done)["persons"] == persons
    assert ("FACES_NOT_REMOVED" in codes(done)) is (done.refusal is None) is (subject is None)


def test_what_was_asked_for_is_kept_in_the_private_folder(source: Path, tmp_path: Path) -> None:
    done = run_deidentify(
        source, out=tmp_path / "out", deident_map=True, audit_values=True, private=tmp_path / "p"
    )
    written = (done.request.private / MAP_NAME).read_text("utf-8")
    assert MARA.patient_id in written
    assert next(headers(tmp_path / "out")).PatientID in written  # type: ignore[attr-defined]
    assert (done.request.private / VALUES_NAME).stat().st_mode & 0o777 == 0o600
    run_deidentify(source, out=tmp_path / "plain")
    assert not (tmp_path / "plain.private" / MAP_NAME).exists()
    assert not (tmp_path / "plain.private" / VALUES_NAME).exists()


def test_images_come_out_as_nifti_on_request(tmp_path: Path) -> None:
    dwi_mosaic(tmp_path / "source" / "dwi", person=MARA)
    done = run_deidentify(tmp_path / "source", out=tmp_path / "out", output="nifti")
    names = sorted(path.name for path in files_below(tmp_path / "out"))
    (stem,) = {name.partition(".")[0] for name in names}
    assert {name.removeprefix(stem) for name in names} == {".bval", ".bvec", ".json", ".nii.gz"}
    sidecar = json.loads((tmp_path / "out" / f"{stem}.json").read_text())
    assert "DeidentificationMethod" in sidecar
    assert not {"PatientName", "InstitutionName", "AcquisitionDateTime"} & set(sidecar)
    assert holds_nothing_of(MARA, tmp_path / "out")
    assert tuple(r.gate for r in done.gates.results) == GATES[OutputFormat.NIFTI]
    assert "FACES_NOT_REMOVED" in codes(done)
    SUMMARY.validate(deidentify_summary(done))


def test_each_persons_images_have_a_folder_of_their_own(tmp_path: Path) -> None:
    dwi_mosaic(tmp_path / "source" / "a", person=MARA)
    dwi_mosaic(tmp_path / "source" / "b", person=TOBIAS)
    run_deidentify(tmp_path / "source", out=tmp_path / "out", output="nifti")
    folders = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(folders) == 2
    assert all(name.startswith("anon-") for name in folders)


def test_a_failed_report_after_the_delivery_spares_the_vault(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(pipeline, "record_deidentify_run", full)
    with pytest.raises(Exception, match="no space left"):
        run_deidentify(source, out=tmp_path / "out")
    assert (tmp_path / "out").is_dir()
    assert (tmp_path / "out.private" / "vault.sqlite").is_file()


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)
    with pytest.raises(StorageError, match="cannot be written"):
        run_deidentify(source, out=tmp_path / "new" / "out", private=tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_two_runs_into_one_out_do_not_meet(source: Path, tmp_path: Path) -> None:
    from bidsanon.publish import delivery_lock  # noqa: PLC0415

    request = make_deidentify_request((source,), out=tmp_path / "out")
    with delivery_lock(request.delivery), pytest.raises(ConflictError):
        run_deidentify(source, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.6, 1.0, 1.3, 1.6, 1.9, 2.3])
def test_a_run_that_is_killed_leaves_nothing_half_written(tmp_path: Path, after_s: float) -> None:
    siemens_t1w(tmp_path / "source" / "t1w", person=MARA)
    dwi_mosaic(tmp_path / "source" / "dwi", person=MARA)
    private = tmp_path / "out.private"
    out = tmp_path / "out"
    arguments = [sys.executable, "-m", "bidsanon", "deidentify", str(tmp_path / "source"), str(out)]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not out.exists():
        done = run_deidentify(tmp_path / "source", out=out)
        assert done.refusal is None
        left = [path for path in (private / "work").iterdir() if path.is_dir()]
        assert left == []
        assert not (tmp_path / ".out.bidsanon").exists()
    assert holds_nothing_of(MARA, out)
    run_deidentify(tmp_path / "source", out=tmp_path / "whole", private=private)
    assert tree_digest(out) == tree_digest(tmp_path / "whole")
