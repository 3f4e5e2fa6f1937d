"""What a heuristic can do wrong: each is said with its file and line, and what to do."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.convert import (
    Heuristic,
    convert_session,
    drive,
    plan_conversion,
    resolve_heuristic,
)
from bidsanon.convert.job import NOTE, Acquisition, Mode, Origin, Request
from bidsanon.errors import PolicyError, ToolFailedError
from bidsanon.external import Completed, RunningProgram
from bidsanon.progress import Silent
from bidsanon.session import DeidentifiedSession

WriteHeuristic = Callable[..., Heuristic]

NAME = "Mara"
NAMING = """
KEY = ("{bids_subject_session_dir}/func/{bids_subject_session_prefix}_task-x_bold", ("nii.gz",),
       None)
def infotodict(seqinfo):
    return {KEY: [seqinfo[0].series_id]}
"""


def _request(session: DeidentifiedSession, heuristic: Heuristic, work: Path) -> Request:
    (series,) = session.series
    return Request(
        mode=Mode.PLAN,
        heuristic=heuristic,
        subject="01",
        output=work / "out",
        acquisitions=(Acquisition(series=(1,), folder=series.folder, files=series.files),),
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nosuchmodule\n", "ModuleNotFoundError: No module named 'nosuchmodule', line 1 of"),
        ("x = 1\nraise SystemExit(3)\n", "SystemExit: 3, line 2 of"),
        ("x = 1\nraise KeyboardInterrupt\n", "KeyboardInterrupt, line 2 of"),
        ("import os\nos._exit(0)\n", "ended the program by itself, in load"),
    ],
)
def test_one_that_cannot_be_loaded(heuristic: WriteHeuristic, code: str, said: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        heuristic(code + NAMING)
    assert refusal.value.exit_code == 5
    assert said in refusal.value.message
    assert "ourlab" in refusal.value.message
    assert refusal.value.cure


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\ndef infotodict(:\n", "line 2 of ourlab.py"),
        ("def infotodict(s):\nreturn {}\n", "line 2 of ourlab.py"),
        ("def infotodict(s):\n    return {}\n\0", "heuristic ourlab"),
        ("# ééé".encode("latin-1"), "heuristic ourlab"),
    ],
)
def test_one_that_is_no_python(tmp_path: Path, code: str | bytes, said: str) -> None:
    file = tmp_path / "ourlab.py"
    file.write_bytes(code if isinstance(code, bytes) else code.encode())
    with pytest.raises(PolicyError) as refusal:
        resolve_heuristic(str(file))
    assert said in refusal.value.message
    assert "None" not in refusal.value.message


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    for place in (tmp_path / "pipe.py", tmp_path):
        with pytest.raises(PolicyError, match="is no file"):
            resolve_heuristic(f"{place}/")


@pytest.mark.usefixtures("worker_in_process")
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("    raise SystemExit(s[0].patient_id)", "infotodict: SystemExit, line 2 of ourlab.py"),
        ("    raise KeyboardInterrupt", "infotodict: KeyboardInterrupt, line 2 of ourlab.py"),
        ("    raise ValueError(s[0].patient_id)", "infotodict: ValueError, line 2 of ourlab.py"),
        ("    return x", "infotodict: NameError: name 'x' is not defined, line 2 of ourlab.py"),
        ("    return []", "gives list and not a dict, line 1 of ourlab.py"),
        (
            "    return {'anat/T1w': [s[0].series_id]}",
            "is no (template, outtypes, None), line 1 of",
        ),
        ("    return {('x', ('nii.gz',), None): s}", "not the series_id of any series, line 1 of"),
        ("    return {('x', ('nii.gz',), None): ['9-x']}", "not the series_id of any series"),
        ("    return {('{x}', ('nii.gz',), None): [s[0].series_id]}", "fill in the names"),
    ],
)
def test_one_that_fails_over_a_session(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path, code: str, said: str
) -> None:
    ours = heuristic(f"def infotodict(s):\n{code}\n")
    with pytest.raises(PolicyError) as refusal:
        plan_conversion(bold, heuristic=ours, subject="01", session=None, work=tmp_path / "plan")
    assert refusal.value.exit_code == 5
    assert said in refusal.value.message
    assert NAME not in refusal.value.message
    assert "bidsanon heuristic check" in refusal.value.cure


@pytest.mark.usefixtures("worker_in_process")
def test_one_that_changes_the_working_directory_and_prints_without_end_does_no_harm(
    bold: DeidentifiedSession,
    heuristic: WriteHeuristic,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours = heuristic(
        """
        import os, sys
        os.chdir("/")
        print("a" * 3_000_000)
        def infotodict(seqinfo):
            os.chdir("/")
            for _ in range(300):
                print("b" * 100_000)
                print("c" * 100_000, file=sys.stderr)
            name = "{bids_subject_session_dir}/func/{bids_subject_session_prefix}_task-x_bold"
            return {(name, ("nii.gz",), None): [seqinfo[0].series_id]}
        """
    )
    capsys.readouterr()  # what it printed when it was tried
    here = Path.cwd()
    plan = plan_conversion(bold, heuristic=ours, subject="01", session=None, work=tmp_path / "plan")
    assert plan.series[0].names == ("sub-01/func/sub-01_task-x_bold.nii.gz",)
    assert Path.cwd() == here
    out, err = capsys.readouterr()
    assert 1_000_000 <= len(out) <= 2_000_000
    assert len(err) <= 1_000_000


@pytest.mark.usefixtures("worker_in_process")
def test_one_that_ends_the_process_or_never_comes_back_is_to_blame_and_nothing_else_is(
    bold: DeidentifiedSession,
    heuristic: WriteHeuristic,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = tmp_path / "work"
    request = _request(bold, heuristic(NAMING), work)

    def expect(error: type[Exception], said: str, *, asked: bool, status: int | None) -> None:
        def ended(*_: object, **__: object) -> Completed:
            if asked:
                (work / NOTE).write_text("infotodict")
            if status is None:
                raise ToolFailedError("python took longer than 60 s and was stopped")
            return Completed(returncode=status, stdout="", stderr="")

        monkeypatch.setattr(RunningProgram, "finish", ended)
        with pytest.raises(error, match=said):
            drive.drive_worker(request, work=work, timeout_s=60)

    expect(PolicyError, "ended the program by itself, in infotodict", asked=True, status=0)
    expect(PolicyError, "by signal 9: perhaps it took too much memory", asked=True, status=-9)
    expect(PolicyError, "did not come back from infotodict", asked=True, status=None)
    expect(ToolFailedError, "took longer than 60 s", asked=False, status=None)
    expect(ToolFailedError, "stopped with status 3", asked=False, status=3)


def test_one_that_heeds_no_signal_is_stopped_all_the_same(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The worker inherits that the signal is blocked: it heeds none from its very beginning."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    request.addfinalizer(lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before))
    code = b"while True:\n    pass\n"
    (tmp_path / "ourlab.py").write_bytes(code)
    stubborn = Heuristic(
        name="ourlab",
        path=tmp_path / "ourlab.py",
        digest=hashlib.sha256(code).hexdigest(),
        origin=Origin.FILE,
    )
    job = Request(mode=Mode.LOAD, heuristic=stubborn, heuristic_timeout_s=0.2)
    with pytest.raises(PolicyError, match="did not come back from load and was stopped"):
        drive.drive_worker(job, work=tmp_path / "work", timeout_s=300)


@pytest.mark.usefixtures("worker_in_process")
def test_one_that_fails_after_conversion_leaves_nothing_to_publish(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    for number, (code, said) in enumerate(
        [
            ("def custom_callable(*_):\n    raise SystemExit\n", "custom_callable: SystemExit"),
            ("POPULATE_INTENDED_FOR_OPTS = {'nosuch': 1}\n", "POPULATE_INTENDED_FOR_OPTS ask for"),
        ]
    ):
        ours = heuristic(NAMING + code)
        with pytest.raises(PolicyError, match=said):
            convert_session(
                bold,
                heuristic=ours,
                subject="01",
                session=None,
                work=tmp_path / f"work-{number}",
                progress=Silent(),
            )


@pytest.mark.usefixtures("worker_in_process")
def test_one_that_writes_beside_its_session_is_refused_and_nothing_of_it_is_left(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    ours = heuristic(
        NAMING
        + """
def custom_callable(prefix, *_):
    from pathlib import Path
    root = Path(prefix).parents[3]
    for name in ("sub-01/ses-99/anat/sub-01_ses-99_T1w.nii.gz", "sub-02/x.nii.gz", "notes.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
"""
    )
    converted = convert_session(
        bold,
        heuristic=ours,
        subject="01",
        session="02",
        work=tmp_path / "work",
        progress=Silent(),
    )
    assert [found.code for found in converted.findings] == ["OUTSIDE_SESSION"] * 2
    assert [image.path for image in converted.images] == [
        "sub-01/ses-02/func/sub-01_ses-02_task-x_bold.nii.gz"
    ]
    assert [path.name for path in converted.root.rglob("s*") if path.is_dir()] == [
        "sub-01",
        "ses-02",
    ]
