"""A drafted heuristic converts its session to the names that were proposed, by itself too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pydicom
import pytest
from plain_staging import stage_plainly, stage_volumes_as_series
from real_sets import MR_SETS

from bidsanon.convert import (
    Draft,
    Heuristic,
    convert_session,
    draft_engine,
    draft_heuristic,
    drive,
    plan_conversion,
    resolve_heuristic,
)
from bidsanon.convert.draft_text import draft_text
from bidsanon.external import run_program
from bidsanon.progress import Silent
from bidsanon.session import DeidentifiedSession


def _draft(session: DeidentifiedSession, work: Path, name: str = "ourlab.py") -> Draft:
    plan = plan_conversion(
        session, heuristic=resolve_heuristic("auto"), subject="01", session=None, work=work / "plan"
    )
    return draft_heuristic(
        session,
        plan,
        follows=resolve_heuristic("auto"),
        file=name,
        clean=lambda text: text,
        work=work / "draft",
    )


def _written(session: DeidentifiedSession, work: Path) -> Heuristic:
    file = work / "ourlab.py"
    file.write_text(_draft(session, work).text)
    return resolve_heuristic(str(file))


def _converted(
    session: DeidentifiedSession, heuristic: Heuristic, work: Path
) -> Sequence[tuple[str, int]]:
    converted = convert_session(
        session,
        heuristic=heuristic,
        subject="01",
        session="02",
        work=work,
        progress=Silent(),
    )
    return [(image.path, image.series_index) for image in converted.images]


@pytest.mark.usefixtures("worker_in_process")
def test_a_draft_says_what_was_seen_and_what_is_left_out(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    draft = _draft(siemens, tmp_path)
    assert draft.rules == 6
    assert [line.split()[0] for line in draft.lines] == [
        "#",
        '{"leave_out":',
        *["#", '{"bids":'] * 5,
    ]
    assert draft.lines[0].startswith("# series 1: 16x16, 1 image, TE 1.37 ms, TR 3.15 ms, sagittal")
    assert "a scout: its name says so" in draft.lines[1]
    assert "magnitude becomes magnitude1 and magnitude2" in draft.lines[4]
    tree = ast.parse(draft.text)
    assert "bidsanon heuristic check ourlab.py SOURCE" in (ast.get_docstring(tree) or "")
    assert all(line in draft.text for line in draft.lines)


@pytest.mark.usefixtures("worker_in_process")
def test_what_identifies_and_what_no_image_is_are_no_part_of_a_rule(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    for series in siemens.series[2:4]:
        for file in series.files:
            header = pydicom.dcmread(file)
            header.ImageType = [*header.ImageType, "DOE"]
            header.save_as(file)
    for file in siemens.series[5].files:
        header = pydicom.dcmread(file)
        del header.Rows
        header.save_as(file)
    plan = plan_conversion(
        siemens,
        heuristic=resolve_heuristic("auto"),
        subject="01",
        session=None,
        work=tmp_path / "plan",
    )
    draft = draft_heuristic(
        siemens,
        plan,
        follows=resolve_heuristic("auto"),
        file="ourlab.py",
        clean=lambda text: text.replace("DOE", ""),
        work=tmp_path / "draft",
    )
    assert "DOE" not in draft.text
    assert draft.lines[-1] == "# series 6: left out whatever the rules say (it holds no image)"


def test_what_is_taken_over_from_auto_stands_beside_the_engine() -> None:
    follows = resolve_heuristic("auto").path.read_text()
    text = draft_text([], follows=follows, version="0", file="ourlab.py")
    own = ast.parse(Path(draft_engine.__file__).read_text())
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    engine = [node.name for node in own.body if isinstance(node, ast.FunctionDef)]
    assert len(names) == len(set(names))
    assert set(engine) | {"custom_callable"} <= set(names)
    assert len(text.splitlines()) < 500


def test_what_custom_callable_refers_to_is_taken_over_and_nothing_else() -> None:
    follows = """
import json
from functools import cache
from re import match, search

SIZE = 3
OTHER = 4

@cache
def size():
    return SIZE

def infotodict(seqinfo):
    return search(OTHER, json)

def custom_callable(*arguments):
    return match(size(), arguments)
"""
    text = draft_text([], follows=follows, version="0", file="ourlab.py")
    assert "from re import match\n" in text
    assert "@cache\ndef size():\n    return SIZE" in text
    assert "SIZE = 3" in text
    assert "OTHER" not in text.partition("SIZE = 3")[2]
    assert "import json" not in text


@pytest.mark.usefixtures("worker_in_process")
def test_a_run_whose_volumes_are_series_is_one_rule(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    session = stage_volumes_as_series(bold, tmp_path / "xa")
    draft = _draft(session, tmp_path)
    assert [line for line in draft.lines if line.startswith("{")] == [
        '{"bids": "func/task-rest_bold", "called": "ep2d_bold_rest"},'
    ]


@pytest.mark.slow
def test_a_draft_runs_under_plain_heudiconv(siemens: DeidentifiedSession, tmp_path: Path) -> None:
    draft = _written(siemens, tmp_path)
    command = [
        Path(sys.executable).with_name("heudiconv"), "--files", siemens.folder, "-s", "01",
        "-ss", "02", "-f", draft.path, "-b", "notop", "--minmeta", "-o", tmp_path / "out",
        "-g", "all",
    ]  # fmt: skip
    plain = {"NO_ET": "1", "TMPDIR": str(drive._plain_place())}  # heudiconv quotes it nowhere
    ended = run_program(command, timeout_s=300, environment=plain)
    assert ended.returncode == 0, ended.stderr
    images = {
        str(path.relative_to(tmp_path / "out"))
        for path in (tmp_path / "out" / "sub-01").rglob("*.nii.gz")
    }
    converted = _converted(siemens, resolve_heuristic("auto"), tmp_path / "work")
    assert images == {path for path, _ in converted}


@pytest.mark.slow
@pytest.mark.parametrize("name", MR_SETS)
def test_a_draft_of_a_real_set_converts_it_as_auto_does(
    shared_data: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    session = stage_plainly([shared_data(name)], tmp_path / "staged")
    draft = _written(session, tmp_path)
    plans = [
        plan_conversion(session, heuristic=one, subject="01", session="02", work=tmp_path / "plan")
        for one in (resolve_heuristic("auto"), draft)
    ]
    assert plans[0].series == plans[1].series
    assert [rule.series for rule in plans[1].rules if not rule.series] == []
    if not any(one.names for one in plans[0].series):
        return
    by_auto = _converted(session, resolve_heuristic("auto"), tmp_path / "auto")
    assert _converted(session, draft, tmp_path / "own") == by_auto


@pytest.mark.slow
def test_a_draft_of_many_series_of_one_vendor_converts_them_as_auto_does(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    names = [name for name in MR_SETS if name.startswith("siemens-ve11")]
    session = stage_plainly([shared_data(name) for name in names], tmp_path / "staged")
    by_auto = _converted(session, resolve_heuristic("auto"), tmp_path / "auto")
    assert _converted(session, _written(session, tmp_path), tmp_path / "own") == by_auto
    assert len(by_auto) > len(names)
