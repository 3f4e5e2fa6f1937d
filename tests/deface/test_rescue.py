"""Images that no start of their own leads to: what other images and other engines do for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from heads import KnowingEngine, pose, posed_head, registration, stored_values, write_image
from sessions.converted import defaced_session

from bidsanon.bids.names import parse_name
from bidsanon.deface import USUAL, DefaceOptions, deface_session, engines, stage
from bidsanon.deface.cut import cut_mask
from bidsanon.deface.deciding import place_template
from bidsanon.deface.engines import Attempt, NearbyEngine, RescuedEngine
from bidsanon.deface.grid import Grid, Matrix
from bidsanon.deface.head import brightness
from bidsanon.deface.registration import _matrix, _pose_of, landmarks_apart_mm, register_near
from bidsanon.errors import ToolFailedError
from bidsanon.progress import Silent
from bidsanon.session import ConvertedImage, DefaceOutcome, DefaceVerdict

pytestmark = pytest.mark.usefixtures("without_opencv")

ANAT = "sub-01/ses-01/anat/sub-01_ses-01"
T1W, ANGIO = f"{ANAT}_T1w.nii.gz", f"{ANAT}_angio.nii.gz"
MOVED = pose(shift_mm=(4, -5, 6), turn_deg=(4, -3, 5))
LOST = KnowingEngine(to_head=pose(shift_mm=(0, 0, 60)))


def slab_of(head: Grid, first: int, last: int) -> Grid:
    """Crop a head to some axial slices."""
    affine = head.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [0, 0, first]
    return Grid(values=head.values[:, :, first:last].copy(), affine=affine)


def test_a_place_is_a_pose_on_a_turn() -> None:
    place = pose(shift_mm=(9, -31, 4), turn_deg=(70, -50, 110), scale=1.2)
    place[:3, :3] = place[:3, :3] @ np.array([[1, 0.1, -0.05], [0, 0.9, 0.08], [0, 0, 1.1]])
    assert np.allclose(_matrix(*_pose_of(place)), place)


def test_a_head_is_found_near_where_it_may_be() -> None:
    found = register_near(posed_head(MOVED), np.eye(4))
    assert landmarks_apart_mm(found.to_head, MOVED) < 2
    assert found.starts_apart_mm is not None


def test_a_slab_with_little_brain_is_found_from_another_image() -> None:
    slab = slab_of(posed_head(MOVED), 18, 36)
    placement = place_template(slab, brightness(slab), NearbyEngine([np.eye(4)]))
    assert placement.refusals == ()
    assert 0.15 < placement.selfcheck.brain_in_view < 0.4
    assert "another image" in placement.engine.version


def test_a_head_far_from_where_the_other_image_has_it_is_not_trusted() -> None:
    away = pose(shift_mm=(0, 30, 0))
    head = posed_head(away)
    placement = place_template(head, head, NearbyEngine([np.eye(4)]))
    assert placement.refusals


class Failing:
    """FSL without its libraries."""

    name = version = "failing"

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:
        del reference, head
        raise ToolFailedError("it fails", cure="")
        yield


def test_another_engine_tries_where_the_first_one_fails(upright_head: Grid) -> None:
    found = KnowingEngine(to_head=np.eye(4), name="other", version="other 2")
    placement = place_template(upright_head, upright_head, RescuedEngine(LOST, Failing(), found))
    assert placement.refusals == ()
    assert (placement.engine.name, placement.engine.version) == ("other", "other 2")


def test_an_engine_that_fails_as_a_rescue_is_as_good_as_none(upright_head: Grid) -> None:
    placement = place_template(upright_head, upright_head, RescuedEngine(LOST, Failing()))
    assert placement.refusals
    assert placement.engine.name == LOST.name


def test_fsl_rescues_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_program", lambda _: Path("/bin/true"))
    monkeypatch.setattr(engines, "require_program", lambda _: Path("/bin/true"))
    assert isinstance(engines.choose_engine("auto"), RescuedEngine)
    assert not isinstance(engines.choose_engine("bidsanon"), RescuedEngine)


def deface(root: Path, paths: list[str], options: DefaceOptions, jobs: int) -> list[DefaceOutcome]:
    images = []
    for path in paths:
        name = parse_name(path)
        images.append(
            ConvertedImage(path=path, series_index=1, datatype=name.datatype, suffix=name.suffix)
        )
    converted = defaced_session(root, paths).converted
    object.__setattr__(converted, "images", tuple(images))
    defaced = deface_session(
        converted, options=options, pictures=root.parent / "p", jobs=jobs, progress=Silent()
    )
    return list(defaced.outcomes)


class KnowingTheWhole:
    """An engine that knows where a whole head lies, and never finds a slab."""

    name = version = "whole"

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:
        whole = reference.values.shape[2] > 40
        yield Attempt(registration=registration(MOVED if whole else LOST.to_head), head=head)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole head, and a slab of it whose registration fails."""
    monkeypatch.setattr(stage, "choose_engine", lambda *_args, **_kwargs: KnowingTheWhole())
    root = tmp_path / "root"
    head = posed_head(MOVED)
    write_image(root / T1W, head.values, head.affine)
    slab = slab_of(head, 18, 36)
    write_image(root / ANGIO, slab.values + 0.01, slab.affine)
    return root


@pytest.mark.slow
def test_a_sessions_other_image_rescues_a_slab(session: Path) -> None:
    whole, slab = deface(session, [T1W, ANGIO], USUAL, jobs=1)
    assert (whole.verdict, whole.engine) == (DefaceVerdict.DEFACED, "whole")
    assert (slab.verdict, slab.engine) == (DefaceVerdict.DEFACED, "bidsanon"), slab.reason
    assert "another image of the session" in slab.engine_version
    grid = slab_of(posed_head(MOVED), 18, 36)
    goes = cut_mask(grid.values.shape, grid.affine, np.linalg.inv(MOVED))
    removed = stored_values(session / ANGIO) == 0
    assert (removed == goes).mean() > 0.97


def test_another_persons_image_rescues_nothing(session: Path) -> None:
    other = ANGIO.replace("sub-01", "sub-02")
    (session / other).parent.mkdir(parents=True)
    (session / ANGIO).rename(session / other)
    before = (session / other).read_bytes()
    _, slab = deface(session, [T1W, other], USUAL, jobs=1)
    assert slab.verdict is DefaceVerdict.FAILED
    assert (session / other).read_bytes() == before


@pytest.mark.slow
def test_who_asks_for_pydeface_gets_nothing_else(session: Path) -> None:
    _, slab = deface(session, [T1W, ANGIO], DefaceOptions(engine="pydeface"), jobs=1)
    assert slab.verdict is DefaceVerdict.FAILED


@pytest.mark.slow
def test_an_image_that_nothing_rescues_keeps_its_first_refusal(
    session: Path, upright_head: Grid
) -> None:
    far: Matrix = upright_head.affine.copy()
    far[:3, 3] += (0, 70, 0)
    write_image(session / ANGIO, upright_head.values[:, :, 18:36], far)
    _, slab = deface(session, [T1W, ANGIO], USUAL, jobs=1)
    assert slab.verdict is DefaceVerdict.FAILED
    assert slab.engine == "whole"
