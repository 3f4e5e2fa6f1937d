"""The benchmarks of defacing count what they say that they count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)


def result(**changed: object):  # noqa: ANN201 - the module is no part of the package
    from deface_robustness import Result  # noqa: PLC0415 - found once the fixture ran

    right = Result(
        head="a head",
        change="none",
        seed=0,
        verdict="defaced",
        reason="",
        error_mm=1.0,
        has_face=True,
        brain_in_view=1.0,
        brain_lost=0.0,
        face_left=0.0,
        figures={},
        seconds=1.0,
    )
    return replace(right, **changed)


@pytest.mark.parametrize(
    ("changed", "success", "wrong_accept", "wrong_reject"),
    [
        ({}, True, False, False),
        ({"error_mm": 9.0}, False, False, False),
        ({"error_mm": 16.0}, False, True, False),
        ({"error_mm": 16.0, "verdict": "failed"}, False, False, False),
        ({"verdict": "failed"}, False, False, True),
        ({"verdict": "failed", "brain_in_view": 0.6}, False, False, False),
        ({"brain_lost": 0.01}, False, False, False),
        ({"error_mm": None}, False, True, False),
        ({"error_mm": None, "verdict": "no-face"}, False, False, False),
        ({"error_mm": None, "verdict": "failed"}, False, False, False),
        ({"has_face": False, "error_mm": 16.0, "verdict": "no-face"}, True, False, False),
        ({"has_face": False, "error_mm": 16.0, "brain_lost": 0.01}, False, True, False),
        ({"has_face": False, "error_mm": 16.0, "verdict": "failed"}, False, False, True),
    ],
)
def test_a_case_is_judged_by_what_became_of_it(
    changed: dict[str, object], success: bool, wrong_accept: bool, wrong_reject: bool
) -> None:
    case = result(**changed)
    judged = case.success, case.wrong_accept, case.wrong_reject
    assert judged == (success, wrong_accept, wrong_reject)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    from deface_robustness import Result  # noqa: PLC0415 - found once the fixture ran
    from records import read_records, write_records  # noqa: PLC0415 - likewise

    log = tmp_path / "log.jsonl"
    assert read_records(Result, log) == []
    kept = [result(), result(seed=1, error_mm=None)]
    write_records(log, kept)
    assert read_records(Result, log) == kept


def test_a_made_up_head_lies_where_its_reference_says() -> None:
    from deface_heads import Head, _made_up  # noqa: PLC0415 - found once the fixture ran

    from bidsanon.deface.grid import sample_like  # noqa: PLC0415
    from bidsanon.deface.template import face_template  # noqa: PLC0415

    template = Head(name="template", image=face_template().head, to_head=np.eye(4))
    made_up = _made_up(template, (0.9, 1.1, 1.0), 3)
    grid = face_template().head
    back = sample_like(
        made_up.image, grid.values.shape, grid.affine, to_grid=made_up.place, outside=0.0
    )
    assert np.corrcoef(back.ravel(), grid.values.ravel())[0, 1] > 0.97
    assert not np.allclose(made_up.place, np.eye(4), atol=0.05)


def test_ratios_are_to_the_program_itself() -> None:
    from deface import REFERENCE, Turn, table  # noqa: PLC0415 - found once the fixture ran

    ours = Turn(
        head="h",
        program=REFERENCE,
        turn=0,
        cold_s=4.0,
        several_s=6.0,
        several_wall_s=6.5,
        beside_s=7.0,
        beside_wall_s=5.5,
        memory_mb=250.0,
    )
    theirs = replace(ours, program="other", cold_s=8.0, several_s=12.0)
    *_, first, second = table([ours, theirs])
    assert (
        first == "| h | bidsanon deface | 4.0 | 1.00 | 2.0 | 1.00 | 6.0 | 6.5 | 7.0 | 5.5 | 250 |"
    )
    assert second == "| h | other | 8.0 | 2.00 | 4.0 | 2.00 | 12.0 | 6.5 | 7.0 | 5.5 | 250 |"
