"""Cuts that are not made: of faces that are gone already, and where doubts remain."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from heads import KnowingEngine, pose, registration, write_image

from bidsanon.deface import deciding
from bidsanon.deface.acquisition import group_acquisitions
from bidsanon.deface.brain import BrainCheck, check_brain
from bidsanon.deface.cut import Cut, cut_mask
from bidsanon.deface.deciding import place_template
from bidsanon.deface.engines import Attempt, EmbeddedEngine
from bidsanon.deface.gate import CutCheck, check_cut
from bidsanon.deface.grid import Grid, Matrix, block_mean
from bidsanon.deface.head import REGISTERED_MM, brightness
from bidsanon.deface.image import deface_acquisition
from bidsanon.deface.options import Faces
from bidsanon.deface.voxels import mean_volume, read_header
from bidsanon.external import DCM2NIIX, require_program
from bidsanon.session import DefaceOutcome, DefaceVerdict

SharedData = Callable[[str], Path]
PYDEFACE = Cut(faces=Faces.PYDEFACE)
OLD_HEAD = Path("/usr/share/mricron/templates/ch2.nii.gz")


def cut_by_hand(head: Grid, cut: Cut, *, noise: float = 0.0) -> Grid:
    goes = cut_mask(head.values.shape, head.affine, np.eye(4), cut=cut)
    air = np.abs(np.random.default_rng(5).normal(0, noise, head.values.shape))
    values = np.maximum(np.where(goes, 0, head.values), air)
    return Grid(values=values.astype(np.float32), affine=head.affine)


def outcome_of(
    folder: Path, head: Grid, engine: KnowingEngine, *, sidecar: dict[str, object] | None = None
) -> tuple[DefaceOutcome, bool]:
    """Deface a head, and say whether its file is as it was."""
    path = write_image(folder / "s_T1w.nii.gz", head.values, head.affine)
    if sidecar is not None:
        path.with_name("s_T1w.json").write_text(json.dumps(sidecar))
    before = path.read_bytes()
    (acquisition,) = group_acquisitions(folder, {path.name: read_header(path)})
    (outcome,) = deface_acquisition(acquisition, engine=engine, pictures=None).outcomes
    return outcome, path.read_bytes() == before


@pytest.mark.parametrize("cut", [Cut(), PYDEFACE], ids=["ours", "pydeface's"])
def test_a_head_that_was_defaced_before_is_left_alone(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine, cut: Cut
) -> None:
    outcome, untouched = outcome_of(tmp_path, cut_by_hand(upright_head, cut), knowing_engine)
    assert outcome.verdict is DefaceVerdict.ALREADY_DEFACED, outcome.reason
    assert "no relief of nose and eyes" in outcome.reason
    assert untouched


def test_measured_air_where_the_face_was_needs_a_sidecar_that_explains_it(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    bare = cut_by_hand(upright_head, PYDEFACE, noise=0.01)
    outcome, untouched = outcome_of(tmp_path / "unsaid", bare, knowing_engine)
    assert outcome.verdict is DefaceVerdict.DEFACED
    assert not untouched
    said = {"DeidentificationMethod": ["Defaced by a tool of ours"]}
    outcome, untouched = outcome_of(tmp_path / "said", bare, knowing_engine, sidecar=said)
    assert outcome.verdict is DefaceVerdict.ALREADY_DEFACED
    assert untouched


def test_a_sidecar_does_not_save_a_face(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    said = {"DeidentificationMethodCodeSequence": [{"CodeValue": "113102"}]}
    outcome, untouched = outcome_of(tmp_path, upright_head, knowing_engine, sidecar=said)
    assert outcome.verdict is DefaceVerdict.DEFACED
    assert "although its sidecar says" in outcome.reason
    assert not untouched


def test_the_report_says_what_was_seen_before_and_after(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    outcome, _ = outcome_of(tmp_path, upright_head, knowing_engine)
    figures = outcome.figures
    assert figures["nose_mm_before"] > 12
    assert figures["nose_mm_after"] < 6
    assert figures["face_forward_before"] > 0.9
    assert figures["face_forward_after"] == 0
    assert figures["brain_in_cut_ml"] == 0


@dataclass(frozen=True)
class TwiceTrying(KnowingEngine):
    """An engine with two attempts, of which the second lies a little further up."""

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:
        del reference
        for to_head in (self.to_head, self.to_head @ pose(shift_mm=(0, 0, 1))):
            yield Attempt(registration=registration(to_head), head=head)


def refusing(times: int) -> Callable[..., CutCheck]:
    """Make a check that finds brain in the cut, the first times that it is asked."""
    left = iter([True] * times)

    def check(head: Grid, to_template: Matrix, *, cut: Cut, said_defaced: bool) -> CutCheck:
        checked = check_cut(head, to_template, cut=cut, said_defaced=said_defaced)
        takes = BrainCheck(in_cut_ml=3.0, near_cut_ml=3.0)
        return replace(checked, brain=takes) if next(left, False) else checked

    return check


@pytest.mark.slow
def test_where_a_cut_is_refused_the_next_attempt_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, upright_head: Grid
) -> None:
    monkeypatch.setattr(deciding, "check_cut", refusing(1))
    placed = place_template(upright_head, upright_head, TwiceTrying(to_head=np.eye(4)))
    assert placed.refusals == ()
    assert placed.registration.to_head[2, 3] == pytest.approx(1)
    monkeypatch.setattr(deciding, "check_cut", refusing(2))
    outcome, untouched = outcome_of(tmp_path, upright_head, TwiceTrying(to_head=np.eye(4)))
    assert outcome.verdict is DefaceVerdict.FAILED
    assert outcome.reason == (
        "the self-check refused the cut: the cut would take 3.0 ml of the brain"
    )
    assert outcome.figures["brain_in_cut_ml"] == 3
    assert untouched


def real_head(name: str, shared_data: SharedData, scratch: Path) -> Path:
    """Return a real head as an image."""
    if name == "ch2":
        if not OLD_HEAD.exists():
            pytest.skip("Debian's mricron-data is not installed")
        return OLD_HEAD
    command = [require_program(DCM2NIIX), "-z", "n", "-f", "%s", "-o", scratch, shared_data(name)]
    subprocess.run(command, check=True, capture_output=True)
    return min(scratch.glob("*.nii"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["siemens-ve11-t1w-face", "siemens-ve11-dwi-head", "ch2"])
def test_real_heads_show_a_face_before_and_none_after_and_keep_their_brains(
    tmp_path: Path, shared_data: SharedData, name: str
) -> None:
    whole = mean_volume(read_header(real_head(name, shared_data, tmp_path)))
    head = brightness(block_mean(whole, REGISTERED_MM))
    placed = place_template(head, head, EmbeddedEngine())
    assert placed.refusals == ()
    to_head = placed.registration.to_head
    for cut in (Cut(), PYDEFACE):
        checked = check_cut(head, placed.to_template, cut=cut)
        assert checked.before.shown
        assert checked.after.cut_off
        assert checked.brain.in_cut_ml == 0
        assert checked.views_after in {None, 0}
        goes = cut_mask(head.values.shape, head.affine, placed.to_template, cut=cut)
        bare = Grid(values=np.where(goes, 0, head.values).astype(np.float32), affine=head.affine)
        assert check_cut(bare, placed.to_template).already_cut
    for wrong in (pose(shift_mm=(0, -11, 11)), pose(shift_mm=(0, -12, 12))):
        assert check_brain(head, np.linalg.inv(to_head @ wrong)).refusals()
