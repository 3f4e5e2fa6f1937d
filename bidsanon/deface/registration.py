"""Placing the template on a head: normalised mutual information from many starts.

What makes it reliable is the many starts, not the optimiser: 27 turns of up to 30 degrees, each at
three places, are tried on coarse voxels; the best go on to finer ones.

The head's scale is let go from the first step on: with it, starts that find the head agree.
Nothing here is random.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from bidsanon.deface.grid import (
    Grid,
    Matrix,
    Points,
    inverse,
    points_of,
    pose_matrix,
    rotation,
    transform,
)
from bidsanon.deface.head import centre_of_mass_mm
from bidsanon.deface.similarity import Similarity
from bidsanon.deface.template import template_centre_mm, template_level

_POSE_SIZE = 12
_WITH_SCALES = np.arange(9)
_AFFINE = np.arange(_POSE_SIZE)
# One optimiser's step: 10 mm, 0.15 rad, 10 % of scale, 0.06 of shear.
_STEPS = np.array([10.0] * 3 + [0.15] * 3 + [0.1] * 3 + [0.06] * 3)
# How far scales and shears go before they cost 0.02 squared.
_USUAL = np.array([np.inf] * 6 + [0.25] * 3 + [0.2] * 3)
_REGULARISATION = 0.02

_COARSE_SHIFTS_MM = (24.0, 12.0)
_NEAR_SHIFT_MM = 10.0
_TURN_RAD = np.radians(30)
_HEAD_HEIGHT_MM = 110.0
_CROWN_BRIGHTNESS = 0.12
_CROWN_PERCENTILE = 99.7
_STEP_TOLERANCE = 0.05

# Brow, crown, back, side and base of the head, from its centre of mass, in columns.
_LANDMARKS_MM = np.array(
    [[0, 0, 0, 60, 0], [70, 0, -90, 0, 60], [0, 60, 0, 0, -50]], dtype=np.float64
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step from coarse to fine.

    Attributes
    ----------
    size_mm
        The voxels on which it works.
    samples
        How many samples of the template it carries into the head, at most.
    starts
        How many of the best poses so far go in.
    parameters
        Which of the pose's numbers it changes.
    evaluations
        How often the measure may be taken for each start.
    step
        The optimiser's first step, as a share of the usual one.
    tolerance
        A round that adds less than this share to the similarity is the last one.
    """

    size_mm: float
    samples: int
    starts: int
    parameters: npt.NDArray[np.intp]
    evaluations: int
    step: float
    tolerance: float = 1e-4


STAGES = (
    Stage(size_mm=8.0, samples=6000, starts=4, parameters=_WITH_SCALES, evaluations=300, step=1.0),
    Stage(size_mm=5.0, samples=10000, starts=2, parameters=_WITH_SCALES, evaluations=500, step=0.5),
    Stage(
        size_mm=3.0,
        samples=15000,
        starts=1,
        parameters=_AFFINE,
        evaluations=900,
        step=0.3,
        tolerance=1e-5,
    ),
)
# Where the two best starts end farther apart than this, the last stage decides between them.
_SAME_MM = 5.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Registration:
    """Where the template lies on the head.

    Attributes
    ----------
    to_head
        From the template's world to the head's, shape (4, 4).
    similarity
        Normalised mutual information, 1 (nothing in common) to 2, less a penalty for lying outside
        the field of view.
    starts_apart_mm
        How far apart the two best starts put the head's landmarks; None where there was one start.
    lead
        How much more similar the best start ended than the second best; None as above.
    """

    to_head: Matrix
    similarity: float
    starts_apart_mm: float | None
    lead: float | None

    @property
    def to_template(self) -> Matrix:
        """From the head's world to the template's, shape (4, 4)."""
        return inverse(self.to_head)


def register(
    head: Grid,
    *,
    turns: Sequence[Matrix] | None = None,
    scale: float = 1.0,
    stages: Sequence[Stage] = STAGES,
) -> Registration:
    """Place the template on a head.

    Parameters
    ----------
    head
        Brightness 0 to 1, voxels of about 2 mm.
    turns
        The turns to start from, each of shape (3, 3); :func:`small_turns` if None.
    scale
        The head's size to start from, as a share of the template's.
    stages
        From coarse to fine. The first one takes its starts from a search over turns and places.
    """
    similarity = Similarity(head, size_mm=stages[0].size_mm, samples=stages[0].samples)
    found = _coarse_search(similarity, small_turns() if turns is None else turns, scale)
    return _from_coarse_to_fine(head, found, similarity, stages)


def register_near(
    head: Grid, start: Matrix, *, stages: Sequence[Stage] = STAGES[1:]
) -> Registration:
    """Place the template on a head near a place where it may lie.

    Parameters
    ----------
    head
        Brightness 0 to 1, voxels of about 2 mm.
    start
        From the template's world to the head's, shape (4, 4): where it lies on another image of
        the same head. Starts to all sides of it are tried too.
    stages
        From coarse to fine.
    """
    similarity = Similarity(head, size_mm=stages[0].size_mm, samples=stages[0].samples)
    pose, turn = _pose_of(start)
    poses = [pose]
    for axis, sign in itertools.product(range(3), (-1, 1)):
        moved = pose.copy()
        moved[axis] += sign * _NEAR_SHIFT_MM
        poses.append(moved)
    found = _best_first(_Candidate.of(each, turn, similarity) for each in poses)
    return _from_coarse_to_fine(head, found, similarity, stages)


def _from_coarse_to_fine(
    head: Grid, found: list[_Candidate], similarity: Similarity, stages: Sequence[Stage]
) -> Registration:
    """Take the best candidates through the stages; `similarity` is that of the first one."""
    apart: float | None = None
    lead: float | None = None
    for number, stage in enumerate(stages):
        if number:
            similarity = Similarity(head, size_mm=stage.size_mm, samples=stage.samples)
        starts = stage.starts if apart is None or apart <= _SAME_MM else max(2, stage.starts)
        found = _best_first(_refine(similarity, stage, start) for start in found[:starts])
        if len(found) > 1:
            apart = landmarks_apart_mm(found[0].to_head, found[1].to_head)
            lead = found[0].similarity - found[1].similarity
    return Registration(
        to_head=found[0].to_head, similarity=found[0].similarity, starts_apart_mm=apart, lead=lead
    )


def small_turns() -> tuple[Matrix, ...]:
    """Return the 27 turns by -30, 0 or 30 degrees about each axis."""
    angles = itertools.product((-_TURN_RAD, 0.0, _TURN_RAD), repeat=3)
    return tuple(rotation(each) for each in angles)


def axis_turns() -> tuple[Matrix, ...]:
    """Return the 24 turns that put each axis on any other: for an orientation that was lost."""
    quarters = (0.0, np.pi / 2, np.pi, -np.pi / 2)
    turns = (np.round(rotation(each)) for each in itertools.product(quarters, repeat=3))
    unique = {tuple((turn + 0.0).ravel()): turn for turn in turns}
    return tuple(unique.values())


def landmarks_apart_mm(first: Matrix, second: Matrix) -> float:
    """Return how far apart two registrations put the brow, crown, back, side and base."""
    landmarks = template_centre_mm()[:, np.newaxis] + _LANDMARKS_MM
    gaps = transform(first, landmarks) - transform(second, landmarks)
    return float(np.sqrt((gaps**2).sum(axis=0)).max())


def _coarse_search(
    similarity: Similarity, turns: Iterable[Matrix], scale: float
) -> list[_Candidate]:
    """Try each turn at each place and move the better ones about."""
    places = _starting_places(similarity.head)
    found = []
    for turn in turns:
        tried = [_Candidate.of(_pose_at(place, scale), turn, similarity) for place in places]
        found.append(_shift_about(similarity, _best_first(tried)[0]))
    return _best_first(found)


def _starting_places(coarse: Grid) -> tuple[Points, ...]:
    """Return the shifts that put centre on centre of mass, crown on crown, centre on middle."""
    template = template_level(8.0)
    centre = template_centre_mm()
    mass = centre_of_mass_mm(coarse) - centre
    middle = coarse.centre_mm - centre
    crown, template_crown = _crown_mm(coarse), _crown_mm(template)
    if crown is None or template_crown is None:
        return mass, middle
    return mass, crown - template_crown, middle


def _pose_at(place: Points, scale: float) -> Points:
    pose = np.zeros(_POSE_SIZE)
    pose[:3] = place
    pose[6:9] = np.log(scale)
    return pose


def _crown_mm(head: Grid) -> Points | None:
    """Return the middle of a head's upper part at the height of its top: long necks do not count.

    Returns
    -------
    Points or None
        Shape (3,), in world millimetres; None where nothing is brighter than air.
    """
    bright = head.values > _CROWN_BRIGHTNESS
    if not bright.any():
        return None
    points = points_of(head, bright)
    top = float(np.percentile(points[2], _CROWN_PERCENTILE))
    upper = points[:, points[2] > top - _HEAD_HEIGHT_MM]
    return np.array([upper[0].mean(), upper[1].mean(), top])


def _shift_about(similarity: Similarity, start: _Candidate) -> _Candidate:
    """Walk along each axis, first in long steps and then in short ones, while it gets better."""
    best = start
    for step in _COARSE_SHIFTS_MM:
        for axis, sign in itertools.product((2, 1, 0), (-1, 1)):
            pose = best.pose.copy()
            pose[axis] += sign * step
            moved = _Candidate.of(pose, start.turn, similarity)
            best = max(best, moved, key=_similarity_of)
    return best


def _refine(similarity: Similarity, stage: Stage, start: _Candidate) -> _Candidate:
    """Let Powell's method change some of a pose's numbers."""
    steps = _STEPS[stage.parameters] * stage.step

    def pose_of(steps_taken: Points) -> Points:
        pose = start.pose.copy()
        pose[stage.parameters] += steps_taken * steps
        return pose

    def cost(steps_taken: Points) -> float:
        pose = pose_of(steps_taken)
        unusual = float(((_REGULARISATION * pose / _USUAL) ** 2).sum())
        return unusual - similarity(_matrix(pose, start.turn))

    result = optimize.minimize(
        cost,
        np.zeros(len(steps)),
        method="Powell",
        options={"xtol": _STEP_TOLERANCE, "ftol": stage.tolerance, "maxfev": stage.evaluations},
    )
    pose = pose_of(result.x)
    return _Candidate(similarity=-float(result.fun), pose=pose, turn=start.turn)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Candidate:
    """A pose on top of a turn, and how similar the head is there."""

    similarity: float
    pose: Points
    turn: Matrix

    @classmethod
    def of(cls, pose: Points, turn: Matrix, similarity: Similarity) -> _Candidate:
        return cls(similarity=similarity(_matrix(pose, turn)), pose=pose, turn=turn)

    @property
    def to_head(self) -> Matrix:
        return _matrix(self.pose, self.turn)


def _matrix(pose: Points, turn: Matrix) -> Matrix:
    return pose_matrix(pose, centre_mm=template_centre_mm(), turn=turn)


def _pose_of(to_head: Matrix) -> tuple[Points, Matrix]:
    """Return the pose and the turn, shape (3, 3), of which :func:`_matrix` makes a matrix."""
    turn, upper = np.linalg.qr(to_head[:3, :3])
    signs = np.sign(np.diag(upper))
    turn, upper = turn * signs, upper * signs[:, np.newaxis]
    scales = np.diag(upper)
    shears = upper / scales
    centre = template_centre_mm()
    pose = np.zeros(_POSE_SIZE)
    pose[:3] = to_head[:3, :3] @ centre + to_head[:3, 3] - centre
    pose[6:9] = np.log(scales)
    pose[9:] = shears[0, 1], shears[0, 2], shears[1, 2]
    return pose, turn


def _similarity_of(candidate: _Candidate) -> float:
    return candidate.similarity


def _best_first(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    return sorted(candidates, key=_similarity_of, reverse=True)
