"""What is asked of a cut before it is made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from heads import pose

from bidsanon.deface import gate
from bidsanon.deface.brain import BrainCheck
from bidsanon.deface.cut import FaceTissue, cut_mask
from bidsanon.deface.gate import CutCheck, check_cut, says_defaced
from bidsanon.deface.grid import Grid
from bidsanon.deface.visage import Visage

FACE = Visage(nose_mm=20.0, eyes_mm=8.0, forward=1.0, brow_mm=104.0, in_view=1.0)
NONE = Visage(nose_mm=0.0, eyes_mm=0.0, forward=0.0, brow_mm=104.0, in_view=1.0)
GOOD = CutCheck(
    before=FACE,
    after=NONE,
    empty=0.0,
    said_defaced=False,
    brain=BrainCheck(in_cut_ml=0.0, near_cut_ml=0.0),
    tissue=FaceTissue(cut_ml=1000.0, tissue_ml=700.0, tissue_share=0.2),
    views_before=3,
    views_after=0,
)


def test_a_good_cut_passes(upright_head: Grid) -> None:
    checked = check_cut(upright_head, np.eye(4))
    assert checked.before.shown
    assert not checked.after.shown
    assert checked.refusals() == ()
    assert not checked.already_cut


def test_a_cut_beside_the_face_is_refused_for_what_it_leaves(upright_head: Grid) -> None:
    # The nose of a head that lies 30 mm higher than is believed.
    beside = pose(shift_mm=(0, 60, 0))
    whys = " ".join(check_cut(upright_head, np.linalg.inv(beside)).refusals())
    assert "would leave a nose" in whys
    assert "of the face as far forward" in whys


@pytest.mark.parametrize(
    ("checked", "why"),
    [
        (replace(GOOD, after=FACE), "would leave a nose of 20 mm"),
        (replace(GOOD, brain=BrainCheck(in_cut_ml=1.2, near_cut_ml=1.2)), "1.2 ml of the brain"),
        (replace(GOOD, views_after=1), "found in 1 of 3 views"),
    ],
)
def test_each_doubt_refuses(checked: CutCheck, why: str) -> None:
    assert GOOD.refusals() == ()
    assert why in " ".join(checked.refusals())


def test_a_face_found_after_only_is_none() -> None:
    assert replace(GOOD, views_before=0, views_after=1).refusals() == ()
    assert replace(GOOD, views_before=None, views_after=None).refusals() == ()


def test_a_head_that_was_cut_before_is_known(upright_head: Grid) -> None:
    goes = cut_mask(upright_head.values.shape, upright_head.affine, np.eye(4))
    values = np.where(goes, 0, upright_head.values).astype(np.float32)
    checked = check_cut(Grid(values=values, affine=upright_head.affine), np.eye(4))
    assert checked.already_cut


@pytest.mark.parametrize(
    ("checked", "already"),
    [
        (replace(GOOD, before=NONE, views_before=0, empty=0.99), True),
        (replace(GOOD, before=NONE, views_before=None, empty=0.99), True),
        (replace(GOOD, before=NONE, views_before=0, empty=0.5), False),
        (replace(GOOD, before=NONE, views_before=0, empty=0.5, said_defaced=True), True),
        (replace(GOOD, before=NONE, views_before=1, empty=0.99, said_defaced=True), False),
        (replace(GOOD, before=FACE, views_before=0, empty=0.99, said_defaced=True), False),
        (replace(GOOD, before=replace(NONE, in_view=0.3), views_before=0, empty=1.0), False),
        (replace(GOOD, before=replace(NONE, brow_mm=84), views_before=0, empty=1.0), False),
    ],
)
def test_a_sidecar_is_never_believed_against_the_image(checked: CutCheck, already: bool) -> None:
    assert checked.already_cut is already


def test_figures_say_how_many_views() -> None:
    figures = GOOD.figures()
    assert (figures["views_before"], figures["views_after"]) == (3, 0)
    assert figures["nose_mm_before"] == 20
    assert figures["brain_in_cut_ml"] == 0
    assert "views_before" not in replace(GOOD, views_before=None, views_after=None).figures()


def test_views_after_are_counted_only_where_there_was_a_face(
    monkeypatch: pytest.MonkeyPatch, upright_head: Grid
) -> None:
    counts = iter([2, 0, 0])
    monkeypatch.setattr(gate, "views_with_face", lambda *_: next(counts))
    first = check_cut(upright_head, np.eye(4))
    assert (first.views_before, first.views_after) == (2, 0)
    second = check_cut(upright_head, np.eye(4))
    assert (second.views_before, second.views_after) == (0, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"DeidentificationMethod": "Defaced with pydeface"}, True),
        ({"DeidentificationMethod": ["Removed names", "Face removed by x 1.0"]}, True),
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": "113102"}]}, True),
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": "113100"}]}, False),
        ({"DeidentificationMethod": "names removed"}, False),
        ({"ProtocolName": "defaced"}, False),
        ([1], False),
    ],
)
def test_what_a_sidecar_says_is_read(tmp_path: Path, content: object, said: bool) -> None:
    sidecar = tmp_path / "s_T1w.json"
    sidecar.write_text(json.dumps(content))
    assert says_defaced(sidecar) is said


def test_a_sidecar_that_is_none_says_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"\xff{")
    assert not says_defaced(broken)
    assert not says_defaced(tmp_path / "missing.json")
