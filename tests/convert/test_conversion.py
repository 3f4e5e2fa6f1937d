"""heudiconv runs in the private folder, and every selected series comes out or is named."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from plain_staging import stage_plainly, stage_volumes_as_series
from tree_digests import tree_digest

from bidsanon.convert import Heuristic, convert_session, drive, ready_worker, resolve_heuristic
from bidsanon.errors import MissingToolError, PolicyError, SourceError, StorageError
from bidsanon.external import BIDS_VALIDATOR, require_program, run_program
from bidsanon.files import files_below, make_private_folder
from bidsanon.progress import Silent
from bidsanon.session import ConvertedPart, ConvertedSession, DeidentifiedSession

WriteHeuristic = Callable[..., Heuristic]

FOLDER = "{bids_subject_session_dir}"
PREFIX = "{bids_subject_session_prefix}"
ONE_NAME = f"""
    def infotodict(seqinfo):
        return {{("{FOLDER}/func/{PREFIX}_task-x_bold", ("nii.gz",), None):
                 [seqinfo[0].series_id]}}
"""


def _convert(
    session: DeidentifiedSession,
    work: Path,
    heuristic: Heuristic | None = None,
    made: Callable[[ConvertedPart], None] | None = None,
) -> ConvertedSession:
    return convert_session(
        session,
        heuristic=heuristic or resolve_heuristic("auto"),
        subject="01",
        session=None,
        work=work,
        progress=Silent(),
        made=made,
    )


def _edit(session: DeidentifiedSession, **values: Any) -> None:
    for series in session.series:
        for file in series.files:
            header = pydicom.dcmread(file)
            for key, value in values.items():
                setattr(header, key, value)
            header.save_as(file)


def _sidecar(converted: ConvertedSession, place: int = 0) -> dict[str, Any]:
    path = converted.images[place].path.replace(".nii.gz", ".json")
    content: dict[str, Any] = json.loads((converted.root / path).read_text())
    return content


def test_a_session_becomes_bids_with_a_reason_for_each_series_left_out(
    siemens: DeidentifiedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    parts: list[ConvertedPart] = []
    readable: list[bool] = []

    def made(part: ConvertedPart) -> None:
        parts.append(part)
        readable.extend((part.root / image.path).is_file() for image in part.images)

    work = tmp_path / "a work folder; with a name for no shell"
    converted = _convert(siemens, work, made=made)
    assert [(image.path, image.series_index) for image in converted.images] == [
        ("sub-01/anat/sub-01_T1w.nii.gz", 2),
        ("sub-01/dwi/sub-01_dwi.nii.gz", 6),
        ("sub-01/fmap/sub-01_magnitude1.nii.gz", 3),
        ("sub-01/fmap/sub-01_magnitude2.nii.gz", 3),
        ("sub-01/fmap/sub-01_phasediff.nii.gz", 4),
        ("sub-01/func/sub-01_task-rest_bold.nii.gz", 5),
    ]
    assert {(image.datatype, image.suffix) for image in converted.images[:2]} == {
        ("anat", "T1w"),
        ("dwi", "dwi"),
    }
    assert [(one.series_index, one.reason) for one in converted.skipped] == [
        (1, "a scout: its name says so")
    ]
    assert converted.findings == ()
    assert converted.tools.keys() == {"dcm2niix", "heudiconv"}
    _holds_the_session_only(converted)
    assert list(temporary.iterdir()) == []
    assert all(readable)
    assert {part.root for part in parts} == {converted.root}
    assert sorted((i for p in parts for i in p.images), key=lambda i: i.path) == [*converted.images]
    assert [len(part.to_come) for part in parts] == [*reversed(range(len(parts)))]


def test_a_folder_for_temporary_files_may_have_any_name(
    bold: DeidentifiedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary files"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with monkeypatch.context() as nowhere_else:
        nowhere_else.setattr(drive, "_USUAL_PLACES", ("/no such place", "/no-such-place"))
        with pytest.raises(StorageError, match="no other folder for temporary files"):
            _convert(bold, tmp_path / "first")
    assert len(_convert(bold, tmp_path / "a second").images) == 1
    assert list(temporary.iterdir()) == []


def _holds_the_session_only(converted: ConvertedSession) -> None:
    assert [path.name for path in converted.root.iterdir()] == ["sub-01"]
    files = [path.relative_to(converted.root) for path in files_below(converted.root)]
    stems = {image.path.removesuffix(".nii.gz") for image in converted.images}
    table = "sub-01/sub-01_scans.tsv"
    assert {str(file).partition(".")[0] for file in files} == stems | {table.partition(".")[0]}
    assert all(os.access(converted.root / file, os.W_OK) for file in files)
    modes = {(converted.root / file).stat().st_mode & 0o777 for file in files}
    assert modes == {0o644}
    text = (converted.root / table).read_text()
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    assert "\r" not in text
    assert {f"sub-01/{row['filename']}" for row in rows} == {i.path for i in converted.images}
    assert [row["acq_time"] for row in rows] == sorted(row["acq_time"] for row in rows)


@pytest.mark.usefixtures("worker_in_process")
def test_the_word_date_stops_nothing_and_stays_in_the_sidecar(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    _edit(bold, SeriesDescription="UpDated bold", ImageComments="Date")
    converted = _convert(bold, tmp_path / "work")
    assert converted.findings == ()
    assert _sidecar(converted)["SeriesDescription"] == "UpDated bold"


@pytest.mark.usefixtures("worker_in_process")
@pytest.mark.parametrize(
    ("code", "found"),
    [
        (ONE_NAME.replace("_bold", "_blod"), ["INVALID_BIDS_NAME"]),
        (
            ONE_NAME.replace("[seqinfo[0].series_id]", "[info.series_id for info in seqinfo] * 2"),
            ["REPEATED_BIDS_NAME", "SERIES_NAMED_TWICE"],
        ),
    ],
)
def test_a_bad_name_converts_nothing(
    bold: DeidentifiedSession,
    heuristic: WriteHeuristic,
    tmp_path: Path,
    *,
    code: str,
    found: list[str],
) -> None:
    converted = _convert(bold, tmp_path / "work", heuristic(code))
    assert [finding.code for finding in converted.findings] == found
    assert converted.images == ()
    assert list(files_below(converted.root)) == []


@pytest.mark.usefixtures("worker_in_process")
def test_a_heuristic_that_matches_nothing_says_what_to_do(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="matches none") as refusal:
        _convert(bold, tmp_path / "work", heuristic("def infotodict(s):\n    return {}\n"))
    assert refusal.value.exit_code == 3
    assert "bidsanon inspect" in refusal.value.cure


@pytest.mark.slow
def test_one_series_that_fails_is_named_and_takes_no_other_with_it(
    siemens: DeidentifiedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in siemens.series[4].files:
        header = pydicom.dcmread(file)
        header.Rows = 0
        header.save_as(file)
    converted = _convert(siemens, tmp_path / "work")
    assert [(one.code, one.location) for one in converted.findings] == [
        ("SERIES_NOT_CONVERTED", "series 5")
    ]
    assert {image.series_index for image in converted.images} == {2, 3, 4, 6}
    _holds_the_session_only(converted)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(StorageError, match="no space left"):
        _convert(siemens, tmp_path / "work")


@pytest.mark.slow
def test_what_a_heuristic_does_after_conversion_is_kept_and_its_faults_are_its_own(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    good = ONE_NAME.replace('("nii.gz",)', '("nii", "dicom")') + (
        """
    def custom_callable(prefix, outtypes, files):
        import json
        from pathlib import Path
        sidecar = Path(prefix + ".json")
        sidecar.chmod(0o644)
        sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"Known": len(files)}))
"""
    )
    converted = _convert(bold, tmp_path / "work", heuristic(good))
    assert _sidecar(converted)["Known"] == len(bold.series[0].files)
    assert [image.path for image in converted.images] == ["sub-01/func/sub-01_task-x_bold.nii.gz"]
    _holds_the_session_only(converted)
    bad = ONE_NAME + "\n    def custom_callable(*_):\n        1 / 0\n"
    with pytest.raises(PolicyError, match=r"custom_callable: ZeroDivisionError.*line 7"):
        _convert(bold, tmp_path / "work", heuristic(bad))


@pytest.mark.slow
def test_volumes_that_xa_exports_as_series_become_one_run(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    session = stage_volumes_as_series(bold, tmp_path / "xa")
    assert len(session.series) == len(bold.series[0].files) > 1
    converted = _convert(session, tmp_path / "work")
    assert [(image.path, image.series_index) for image in converted.images] == [
        ("sub-01/func/sub-01_task-rest_bold.nii.gz", 1)
    ]
    assert converted.images[0].joined == tuple(one.source.index for one in session.series)
    assert (converted.findings, converted.skipped) == ((), ())


@pytest.mark.usefixtures("worker_in_process")
def test_several_images_under_one_name_are_one_finding(
    siemens: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    two_echoes = ONE_NAME.replace("func", "dwi").replace("task-x_bold", "dwi").replace("[0]", "[2]")
    converted = _convert(siemens, tmp_path / "work", heuristic(two_echoes))
    assert [(one.code, one.location) for one in converted.findings] == [
        ("SEVERAL_IMAGES", "series 3")
    ]
    assert "2 images" in converted.findings[0].message


def test_without_dcm2niix_nothing_starts(
    bold: DeidentifiedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(MissingToolError, match="dcm2niix"):
        _convert(bold, tmp_path / "work")


REAL = {
    "siemens-ve11-epi-mosaic": 4,
    "siemens-ve11-fmap-gre": 3,
    "siemens-ve11-pdt2-tse": 2,
    "siemens-xa10-enhanced-bold": 1,
    "ge-mr750-epi": 1,
    "ge-dv27-b0map": 2,
    "philips-dual-echo-bold": 4,
    "philips-r57-dwi-dicomdir": 1,
    "philips-r53-enhanced-fmap": 2,
    "siemens-ve11-t1w-face": 1,
    "siemens-ve11-dwi-head": 2,
}


TASK_NOT_SAID = {"ge-mr750-epi"}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_sessions_are_valid_bids(
    shared_data: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    session = stage_plainly([shared_data(name)], tmp_path / "staged")
    converted = _convert(session, tmp_path / "work")
    assert len(converted.images) == REAL[name]
    expected = {"TASK_UNNAMED"} if name in TASK_NOT_SAID else set()
    assert {finding.code for finding in converted.findings} == expected
    _is_valid(converted)


@pytest.mark.slow
def test_a_real_siemens_session_of_many_series_is_valid_bids(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    names = [name for name in REAL if name.startswith("siemens-ve11")]
    session = stage_plainly([shared_data(name) for name in names], tmp_path / "staged")
    converted = _convert(session, tmp_path / "work")
    assert len(converted.images) == sum(REAL[name] for name in names)
    assert converted.findings == ()
    _is_valid(converted)


@pytest.mark.slow
def test_an_interrupted_run_loses_its_last_volume_with_a_word(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    session = stage_plainly([shared_data("siemens-xa60-interrupted-bold")], tmp_path / "staged")
    converted = _convert(session, tmp_path / "work")
    assert [one.code for one in converted.findings] == [
        "IMAGE_ASIDE",
        "IMAGE_LEFT_OUT",
        "NOTHING_LEFT",
    ]
    assert "incomplete volume" in converted.findings[0].message
    assert "one volume is no functional run" in converted.findings[2].message


@pytest.mark.slow
def test_the_bundled_heuristic_runs_under_plain_heudiconv(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    command = [
        Path(sys.executable).with_name("heudiconv"), "--files", siemens.folder, "-s", "01",
        "-f", resolve_heuristic("auto").path,
        "-b", "notop", "--minmeta", "-o", tmp_path / "out", "-g", "all",
    ]  # fmt: skip
    plain = {"NO_ET": "1", "TMPDIR": str(drive._plain_place())}  # heudiconv quotes it nowhere
    ended = run_program(command, timeout_s=300, environment=plain)
    assert ended.returncode == 0, ended.stderr
    images = {path.name for path in (tmp_path / "out" / "sub-01").rglob("*.nii.gz")}
    assert images == {Path(i.path).name for i in _convert(siemens, tmp_path / "work").images}


def _is_valid(converted: ConvertedSession) -> None:
    description = {"Name": "x", "BIDSVersion": "1.10.0", "Authors": ["x"], "License": "CC0"}
    (converted.root / "dataset_description.json").write_text(json.dumps(description))
    (converted.root / "README").write_text("A test.\n" * 20)
    command = [require_program(BIDS_VALIDATOR), converted.root, "--ignoreWarnings", "--json"]
    completed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout


@pytest.mark.slow
def test_a_worker_that_loaded_heudiconv_beforehand_converts_the_same(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    auto = resolve_heuristic("auto")
    roots = []
    for name in ("plain", "a path that a shell would read"):
        folder = make_private_folder(tmp_path / name)
        with ready_worker(make_private_folder(folder / "worker")) as worker:
            made = convert_session(
                bold,
                heuristic=auto,
                subject="01",
                session=None,
                work=folder / "heudiconv",
                progress=Silent(),
                worker=worker,
            )
        assert not any((folder / "worker").iterdir())
        roots.append(made.root)
    assert tree_digest(roots[0]) == tree_digest(roots[1])
    assert any(roots[0].rglob("*_bold.nii.gz"))


def test_a_worker_that_gets_no_job_ends_with_its_context(tmp_path: Path) -> None:
    with ready_worker(tmp_path):
        pass
    assert not any(tmp_path.iterdir())
