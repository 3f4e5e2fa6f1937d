"""A dataset that exists already is scrubbed in one step, and again without harm."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from foreign import NAME, SERIAL, SIDECAR, foreign_dataset, told
from sessions.converted import nifti
from tree_digests import tree_digest

from bidsanon.audit import Journal
from bidsanon.errors import ConflictError, UsageError
from bidsanon.pipeline import scrub as pipeline
from bidsanon.pipeline.scrub import ScrubRun, scrub
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.progress import Silent
from bidsanon.publish import interrupted, publishing_folder, settle_dataset
from bidsanon.publish import transaction as redo_log
from bidsanon.redaction import Redactor
from bidsanon.vault import Vault

SCANS = "sub-01/sub-01_scans.tsv"
BOLD = "sub-01/func/sub-01_task-rest_bold"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign_dataset(tmp_path_factory.mktemp("foreign") / "ds")


@pytest.fixture
def dataset(foreign: Path, tmp_path: Path) -> Path:
    return shutil.copytree(foreign, tmp_path / "ds")


def _scrub(dataset: Path, **options: object) -> ScrubRun:
    request = make_scrub_request(dataset, jobs=2, **options)  # type: ignore[arg-type]
    return scrub(request, progress=Silent(), redactor=Redactor())


def _codes(run: ScrubRun) -> list[str]:
    return sorted(found.code for found in run.scrubbed.findings)


def test_nothing_planted_is_left_but_where_nothing_is_touched(dataset: Path) -> None:
    assert len(told(dataset)) > 12, "the dataset tells too little to test with"

    run = _scrub(dataset)

    assert run.refusal is None
    assert set(told(dataset)) == {
        ".heudiconv/01/info/dicominfo.tsv",
        "code/convert.sh",
        "sourcedata/sub-01/a.dcm",
    }
    assert set(run.scrubbed.leftovers) == {".heudiconv/"}
    assert {"code/", "sourcedata/", "README"} == set(run.scrubbed.left_alone)


def test_a_second_time_changes_nothing(dataset: Path) -> None:
    _scrub(dataset)
    before = tree_digest(dataset)

    run = _scrub(dataset)

    assert run.scrubbed.changes == ()
    assert tree_digest(dataset) == before


def test_what_describes_the_acquisition_and_every_voxel_stay(dataset: Path) -> None:
    _scrub(dataset)

    sidecar = json.loads((dataset / f"{BOLD}.json").read_text())
    assert sidecar == {
        "Modality": "MR",
        "EchoTime": 0.03,
        "RepetitionTime": 2,
        "TaskName": "rest",
        "SliceTiming": [0, 0.5, 1],
        "DeviceSerialNumber": sidecar["DeviceSerialNumber"],
        "TaskDescription": "lie still, says",
    }
    assert list(sidecar) == [key for key in SIDECAR if key in sidecar]
    shape = (40, 40, 30)
    assert gzip.decompress((dataset / f"{BOLD}.nii.gz").read_bytes()) == nifti(shape)
    t1w = (dataset / "sub-01/anat/sub-01_T1w.nii").read_bytes()
    assert t1w == nifti(shape, version=2)
    assert (dataset / SCANS).read_text() == (
        "filename\tacq_time\nfunc/sub-01_task-rest_bold.nii.gz\tn/a\n"
    )
    assert (dataset / "participants.tsv").read_text() == (
        "participant_id\tage\tvisited\nsub-01\t89\tn/a\n"
    )
    described = json.loads((dataset / "dataset_description.json").read_text())
    assert described["Authors"] == ["A. Author"]


def test_files_keep_their_indentation_and_permissions(dataset: Path) -> None:
    (dataset / f"{BOLD}.json").chmod(0o640)

    _scrub(dataset)

    assert (dataset / f"{BOLD}.json").read_text().startswith('{\n    "Modality"')
    assert (dataset / "task-rest_bold.json").read_text().startswith('{\n\t"Modality"')
    assert (dataset / f"{BOLD}.json").stat().st_mode & 0o777 == 0o640
    assert (dataset / f"{BOLD}.nii.gz").stat().st_mode & 0o777 == 0o444


def test_one_scanner_has_one_pseudonym(dataset: Path) -> None:
    _scrub(dataset)
    serials = {
        json.loads(path.read_text())["DeviceSerialNumber"] for path in dataset.rglob("*bold.json")
    }
    assert len(serials) == 1
    assert SERIAL not in serials


def test_a_dry_run_says_what_a_run_does_and_writes_nothing(dataset: Path) -> None:
    before = tree_digest(dataset.parent)
    planned = _scrub(dataset, dry_run=True, remove=(".heudiconv/",))
    assert tree_digest(dataset.parent) == before

    done = _scrub(dataset, remove=(".heudiconv",))

    assert [(c.name, c.words) for c in planned.scrubbed.changes] == [
        (c.name, c.words) for c in done.scrubbed.changes
    ]
    assert planned.removed == done.removed == (".heudiconv/",)
    assert not (dataset / ".heudiconv").exists()


def test_what_is_removed_is_what_the_list_names(dataset: Path) -> None:
    before = tree_digest(dataset)
    for name in ("sub-01", "README", "derivatives", ".."):
        with pytest.raises(UsageError, match="no leftover"):
            _scrub(dataset, remove=(name,))
    assert tree_digest(dataset) == before

    _scrub(dataset, remove=("sourcedata", ".heudiconv"))

    assert set(told(dataset)) == {"code/convert.sh"}


def test_what_a_tool_left_among_code_is_listed_and_can_be_removed(dataset: Path) -> None:
    left = dataset / "code/bidscoin"
    left.mkdir()
    (left / "bidscoin.log").write_text("a\n")

    assert "code/bidscoin/" in _scrub(dataset, dry_run=True).scrubbed.leftovers
    _scrub(dataset, remove=("code/bidscoin",))

    assert not left.exists()
    assert (dataset / "code/convert.sh").exists()


def test_times_of_day_stay_where_they_are_asked_for(dataset: Path) -> None:
    _scrub(dataset, keep_times=True)

    sidecar = json.loads((dataset / f"{BOLD}.json").read_text())
    assert sidecar["AcquisitionTime"] == "10:00:00.000000"
    assert "AcquisitionDateTime" not in sidecar


def test_dates_are_shifted_where_the_vault_knows_the_person(dataset: Path) -> None:
    private = dataset.with_name("ds.private")
    with Vault.open(private) as vault:
        days = vault.person_plan("mara", subject="01", anchor_date="20180913").shift_days
        vault.bind_subject("mara", "01")

    run = _scrub(dataset)

    assert "SCRUB_TIMES_EMPTIED" not in _codes(run)
    moment = (dataset / SCANS).read_text().split("\t")[-1].strip()
    assert moment.endswith("T12:00:00.000000")
    assert 1900 < int(moment[:4]) < 1926
    assert days < 0
    assert _scrub(dataset).scrubbed.changes == ()


def test_the_vaults_pseudonym_of_a_scanner_is_used(dataset: Path) -> None:
    private = dataset.with_name("ds.private")
    Vault.open(private).close()
    _scrub(dataset)
    first = json.loads((dataset / f"{BOLD}.json").read_text())["DeviceSerialNumber"]
    other = foreign_dataset(dataset.with_name("other"))
    _scrub(other, private=private)
    assert json.loads((other / f"{BOLD}.json").read_text())["DeviceSerialNumber"] == first


def test_the_journal_remembers_and_nothing_is_made_where_there_is_none(dataset: Path) -> None:
    private = dataset.with_name("ds.private")
    _scrub(dataset)
    assert not private.exists()
    private.mkdir(mode=0o700)
    _scrub(dataset)
    (entry,) = Journal(private).entries()
    assert (entry["command"], entry["outcome"]) == ("scrub", "published")
    assert entry["counts"]["files"] > 12
    assert entry["counts"]["changed"] == 0


def test_a_link_becomes_a_file_only_where_it_changes(dataset: Path) -> None:
    annex = dataset / ".git/annex/objects"
    annex.mkdir(parents=True)
    for name in (f"{BOLD}.nii.gz", "sub-01/dwi/sub-01_dwi.bval"):
        place = dataset / name
        shutil.move(place, annex / place.name)
        place.symlink_to(os.path.relpath(annex / place.name, place.parent))
    before = tree_digest(annex)

    run = _scrub(dataset)

    assert tree_digest(annex) == before
    assert not (dataset / f"{BOLD}.nii.gz").is_symlink()
    assert (dataset / "sub-01/dwi/sub-01_dwi.bval").is_symlink()
    assert [c.name for c in run.scrubbed.changes if c.was_link] == [f"{BOLD}.nii.gz"]
    assert run.scrubbed.left_alone[".git/"] == "its history keeps what is cleaned now"


def test_a_link_to_another_file_of_the_dataset_stays_one(dataset: Path) -> None:
    link = dataset / "sub-01/func/sub-01_task-again_bold.json"
    link.symlink_to("sub-01_task-rest_bold.json")

    run = _scrub(dataset)

    assert link.is_symlink()
    assert NAME not in link.read_text()
    names = [change.name for change in run.scrubbed.changes]
    assert f"{BOLD}.json" in names
    assert link.relative_to(dataset).as_posix() not in names


def test_a_hard_link_elsewhere_keeps_what_it_was(dataset: Path) -> None:
    elsewhere = dataset.with_name("copy.nii.gz")
    os.link(dataset / f"{BOLD}.nii.gz", elsewhere)
    before = elsewhere.read_bytes()

    _scrub(dataset)

    assert elsewhere.read_bytes() == before


def test_what_cannot_be_cleaned_stays_and_is_named_and_the_rest_is_cleaned(dataset: Path) -> None:
    bad = {
        "sub-01/anat/sub-01_T2w.json": b'{"EchoTime": ',
        "sub-01/anat/sub-01_T2w.nii.gz": gzip.compress(nifti((9, 9, 9)))[:-30],
        "sub-01/func/sub-01_task-x_events.tsv": b"a\tb\n1\n",
        "sub-01/dwi/sub-01_run-2_dwi.bval": b"0 Mara\n",
        "sub-01/dwi/sub-01_run-2_dwi.bvec": b"0 1\n",
        "sub-01/eeg/sub-01_task-x_eeg.edf": b"0 Mara",
        "sub-01/anat/sub-01_extra2.zip": b"PK\x03\x04",
    }
    for name, content in bad.items():
        (dataset / name).parent.mkdir(exist_ok=True)
        (dataset / name).write_bytes(content)
    (dataset / "sub-01/away.json").symlink_to("/etc/hostname")
    (dataset / "sub-01/loop").symlink_to("loop")

    run = _scrub(dataset)

    assert run.refusal is not None
    assert {f.location for f in run.scrubbed.findings if f.code == "SCRUB_NOT_CLEANED"} == set(bad)
    assert _codes(run).count("SCRUB_NOT_READ") == 2
    assert all((dataset / name).read_bytes() == content for name, content in bad.items())
    assert not any(NAME in values for values in told(dataset / "sub-01").values())


def test_a_key_that_stands_twice_hides_nothing(dataset: Path) -> None:
    sidecar = dataset / "sub-01/anat/sub-01_T2w.json"
    sidecar.write_text(f'{{"EchoTime": "{NAME}", "EchoTime": 0.03}}')

    _scrub(dataset)

    assert json.loads(sidecar.read_text()) == {"EchoTime": 0.03}
    assert NAME not in sidecar.read_text()


def test_a_dataset_that_somebody_wrote_meanwhile_is_not_changed(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = pipeline.scrub_dataset

    def meddled(*arguments: object, **options: object) -> object:
        done = look(*arguments, **options)  # type: ignore[arg-type]
        file = dataset / f"{BOLD}.json"
        file.unlink()
        file.write_text("{}")
        return done

    monkeypatch.setattr(pipeline, "scrub_dataset", meddled)
    with pytest.raises(ConflictError, match="somebody wrote"):
        _scrub(dataset)
    assert NAME in (dataset / "sub-01/anat/sub-01_T1w.json").read_text()
    assert not (publishing_folder(dataset) / "scrub").exists()


class Crash(BaseException):
    """Stands for a power cut: nothing after it runs."""


@pytest.mark.parametrize("moment", [1, 2, 5, 9, 12, 30])
def test_a_crash_at_any_moment_leaves_the_dataset_as_it_was_or_complete(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    dataset = shutil.copytree(foreign, tmp_path / "ds")
    before = tree_digest(dataset)
    count = 0
    rename = Path.replace

    def dying(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == moment:
            raise Crash
        return rename(self, target)

    with monkeypatch.context() as context:
        context.setattr(Path, "replace", dying)
        context.setattr(redo_log, "remove_tree", lambda _: None)
        context.setattr(pipeline, "remove_tree", lambda _: None)
        try:
            _scrub(dataset)
        except Crash:
            pass
        else:
            assert moment > 12, "the crash did not strike"
    settle_dataset(dataset)

    assert not interrupted(dataset)
    if tree_digest(dataset) != before:
        assert _scrub(dataset).scrubbed.changes == ()


def _scrub_and_kill(dataset: Path, *, after_s: float) -> float:
    """Kill a scrub some seconds after it begins to change the dataset; say how long it did."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bidsanon", "scrub", dataset],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    changing = publishing_folder(dataset) / "change"
    while process.poll() is None and not changing.exists():
        time.sleep(0.0005)
    began = time.monotonic()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    lasted_s = time.monotonic() - began
    process.kill()
    process.wait()
    return lasted_s


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_dataset_as_it_was_or_complete(
    foreign: Path, tmp_path: Path
) -> None:
    changes_s = _scrub_and_kill(shutil.copytree(foreign, tmp_path / "whole"), after_s=60)
    outcomes = []
    while len(outcomes) < 8 or (len(set(outcomes)) < 2 and len(outcomes) < 40):
        dataset = shutil.copytree(foreign, tmp_path / f"ds{len(outcomes)}")
        before = tree_digest(dataset)
        _scrub_and_kill(dataset, after_s=changes_s * (len(outcomes) % 8) / 5)
        settle_dataset(dataset)
        was = tree_digest(dataset) == before
        assert was or _scrub(dataset).scrubbed.changes == ()
        outcomes.append(was)
    assert set(outcomes) == {True, False}


def test_the_times_that_pet_needs_are_told_from_noon_on(dataset: Path) -> None:
    folder = dataset / "sub-01/pet"
    folder.mkdir()
    for run, zero in (("1", "10:00:00"), ("2", "10:40:30")):
        said = {"TimeZero": zero, "MolarActivityMeasTime": "09:00:00", "ScanStart": 0}
        (folder / f"sub-01_run-{run}_pet.json").write_text(json.dumps(said))

    _scrub(dataset)

    first, second = (
        json.loads((folder / f"sub-01_run-{run}_pet.json").read_text()) for run in "12"
    )
    assert (first["TimeZero"], second["TimeZero"]) == ("12:00:00", "12:40:30")
    assert first["MolarActivityMeasTime"] == "11:00:00"
    assert _scrub(dataset).scrubbed.changes == ()
