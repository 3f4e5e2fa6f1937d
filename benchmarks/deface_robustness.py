"""Defaces heads in many poses, contrasts and fields of view, and what is no head; counts errors.

See README.md beside this.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from deface_heads import CHANGES, SHARED, Head, read_heads, read_non_heads
from records import read_records, write_records
from scipy import ndimage
from tables import write_table

from bidsanon.deface.cut import cut_mask
from bidsanon.deface.deciding import decide, decide_without, place_template
from bidsanon.deface.engines import EmbeddedEngine
from bidsanon.deface.grid import (
    Grid,
    Matrix,
    Points,
    block_mean,
    inverse,
    points_of,
    sample_like,
    transform,
)
from bidsanon.deface.head import REGISTERED_MM, window_of
from bidsanon.deface.relief import surface_relief_mm
from bidsanon.deface.selfcheck import brain_in_view
from bidsanon.deface.template import face_template
from bidsanon.session import DefaceVerdict

GOOD_MM = 8.0
"""A registration is good below this mean error, at the brain's surface and at the face's."""
FAR_MM = 15.0
"""An error from here on must never be accepted."""
ENOUGH_BRAIN = 0.7
"""With more of the brain in view than this, a good registration must be accepted."""
BRAIN_LOST = 0.001
"""A share of the brain that is lost beyond this is a failure."""

RESULTS = Path(__file__).parent / "results" / "deface_robustness.jsonl"
"""What the table in the documentation was made of, without the figures."""

_TISSUE = 0.1
_HALF = 0.5

Case = tuple[Head, str, int]
CaseName = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one case.

    Attributes
    ----------
    head, change, seed
        The case.
    verdict, reason
        What was decided, and why.
    error_mm
        The greater of the mean errors at the surfaces of brain and face; None for no head.
    has_face
        Whether there is a face to remove.
    brain_in_view
        Share of the brain inside the field of view; 0 for no head.
    brain_lost
        Share of the brain in view that the cut takes.
    face_left
        Share of the tissue within pydeface's face mask that the cut leaves.
    figures
        What the self-check measured.
    seconds
        What it took, beside other processes.
    """

    head: str
    change: str
    seed: int
    verdict: str
    reason: str
    error_mm: float | None
    has_face: bool
    brain_in_view: float
    brain_lost: float
    face_left: float
    figures: dict[str, float]
    seconds: float

    @property
    def case(self) -> CaseName:
        """Which case it is."""
        return self.head, self.change, self.seed

    @property
    def accepted(self) -> bool:
        """Whether the image would be published."""
        return self.verdict != DefaceVerdict.FAILED

    @property
    def good(self) -> bool:
        """Whether the template lies where it should; anywhere where there is nothing to remove."""
        if self.error_mm is None:
            return False
        return self.error_mm < GOOD_MM or not self.has_face

    @property
    def success(self) -> bool:
        """Whether it was accepted, the template lies well, and no brain is lost."""
        return self.accepted and self.good and self.brain_lost < BRAIN_LOST

    @property
    def wrong_accept(self) -> bool:
        """Whether it was accepted with the template far off, or a shape that is no head was cut.

        Where there is no face, a template far off does harm only where it takes brain.
        """
        if self.error_mm is None:
            return self.verdict == DefaceVerdict.DEFACED
        if not self.has_face:
            return self.accepted and self.brain_lost >= BRAIN_LOST
        return self.accepted and self.error_mm >= FAR_MM

    @property
    def wrong_reject(self) -> bool:
        """Whether a good registration with enough of the brain in view was refused."""
        return self.good and not self.accepted and self.brain_in_view > ENOUGH_BRAIN


def main() -> None:
    """Run all cases and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        heads = list(read_heads(options.shared, Path(folder)))
        non_heads = list(read_non_heads(options.shared, Path(folder)))
    chosen = [name for name in CHANGES if not options.changes or name in options.changes]
    cases = [(h, c, s) for s in range(options.seeds) for h in heads for c in chosen]
    cases += [(thing, "no head", 0) for thing in non_heads]
    results = _try_all(cases, jobs=options.jobs, log=options.log)
    lines = list(table(results))
    print("\n".join(lines))
    if options.write:
        write_records(RESULTS, [replace(result, figures={}) for result in results])
        write_table(options.write, "robustness", lines)


def _try_all(cases: Sequence[Case], *, jobs: int, log: Path | None) -> list[Result]:
    """Try each case that is not in the log yet; each result goes there as soon as it is known."""
    done = {result.case: result for result in read_records(Result, log)}
    left = [case for case in cases if _name_of(case) not in done]
    with ProcessPoolExecutor(jobs) as pool:
        for tried in as_completed([pool.submit(_try_case, *case) for case in left]):
            result = tried.result()
            done[result.case] = result
            write_records(log, done.values())
    return [done[_name_of(case)] for case in cases]


def table(results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines of the table: a row for each change, and one for all with enough brain.

    Errors are the median and the greatest of what was cut, losses and leftovers the greatest.
    """
    names = ("change", "cases", "success", "error mm", "brain lost", "face left", "wrong accepts")
    yield f"| {' | '.join(names)} | wrong rejects |"
    yield "|---|---|---|---|---|---|---|---|"
    for change in dict.fromkeys(r.change for r in results):
        yield _row(change, [r for r in results if r.change == change])
    heads = [r for r in results if r.error_mm is not None]
    yield _row("**all heads**", heads)
    enough = [r for r in heads if r.brain_in_view > ENOUGH_BRAIN]
    yield _row("**over 70 % of the brain in view**", enough)


def _row(name: str, results: Sequence[Result]) -> str:
    heads = [r for r in results if r.error_mm is not None]
    cut = [r for r in heads if r.verdict == DefaceVerdict.DEFACED]
    success = f"{sum(r.success for r in heads)}/{len(heads)}" if heads else "-"
    lost = f"{max((r.brain_lost for r in cut), default=0):.2%}" if cut else "-"
    left = f"{max((r.face_left for r in cut), default=0):.1%}" if cut else "-"
    accepts, rejects = sum(r.wrong_accept for r in results), sum(r.wrong_reject for r in results)
    errors = [r.error_mm for r in cut if r.error_mm is not None]
    error = f"{np.median(errors):.1f}, {max(errors):.1f}" if errors else "-"
    cells = (name, len(results), success, error, lost, left, accepts, rejects)
    return f"| {' | '.join(map(str, cells))} |"


def _try_case(thing: Head, change: str, seed: int) -> Result:
    """Make a case, deface it as the program does, and compare with what is known."""
    rng = np.random.default_rng(zlib.crc32(f"{thing.name} {change} {seed}".encode()))
    changed = CHANGES[change](thing, rng) if thing.to_head is not None else thing
    started = time.perf_counter()
    coarse = block_mean(changed.image, REGISTERED_MM)
    head = window_of(coarse).apply(coarse)
    placement = place_template(changed.image, head, EmbeddedEngine())
    if placement.cut_check and not placement.refusals:
        decision = decide(placement, placement.cut_check)
    else:
        decision = decide_without(placement, surface_relief_mm(head))
    seconds = time.perf_counter() - started
    known = changed.to_head
    found = placement.registration.to_head
    lost, left = (0.0, 0.0) if known is None else _harm(head, known, placement.to_template)
    if decision.verdict != DefaceVerdict.DEFACED:
        lost = 0.0
    return Result(
        head=thing.name,
        change=change,
        seed=seed,
        verdict=decision.verdict,
        reason=decision.reason,
        error_mm=None if known is None else error_mm(found, known),
        has_face=changed.has_face and known is not None,
        brain_in_view=0.0 if known is None else brain_in_view(head, known),
        brain_lost=lost,
        face_left=left,
        figures=decision.figures,
        seconds=seconds,
    )


def _name_of(case: Case) -> CaseName:
    head, change, seed = case
    return head.name, change, seed


def error_mm(found: Matrix, known: Matrix) -> float:
    """Return the greater of the mean errors at the surfaces of brain and face, in mm."""
    gaps = (transform(found, p) - transform(known, p) for p in _surfaces())
    return max(float(np.sqrt((gap**2).sum(axis=0)).mean()) for gap in gaps)


@cache
def _surfaces() -> tuple[Points, Points]:
    """Return points, shape (3, n), of the template's brain and of the edge of its face mask."""
    template = face_template()
    face = template.face & (template.head.values > _TISSUE)
    edge = face & ~ndimage.binary_erosion(template.face, border_value=1)
    return template.brain_hull_mm(), points_of(template.head, edge)


def _harm(head: Grid, known: Matrix, to_template: Matrix) -> tuple[float, float]:
    """Return the share of the brain that the cut takes, and of the face that it leaves."""
    template, shape = face_template(), head.values.shape
    cut = cut_mask(shape, head.affine, to_template)

    def there(mask: np.ndarray) -> np.ndarray:
        grid = Grid(values=mask.astype(np.float32), affine=template.head.affine)
        return sample_like(grid, shape, head.affine, to_grid=inverse(known), outside=0) > _HALF

    brain, face = there(template.brain), there(template.face) & (head.values > _TISSUE)
    return _share(brain & cut, brain), _share(face & ~cut, face)


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(np.count_nonzero(part)) / max(1, int(np.count_nonzero(whole)))


def _options(arguments: Iterable[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="where real DICOM is")
    parser.add_argument("--seeds", type=int, default=3, help="how often each change is made")
    parser.add_argument("--changes", nargs="*", help="only these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--log",
        type=Path,
        help="where each case becomes a line of JSON; cases in it already are not tried",
    )
    parser.add_argument("--write", type=Path, help="a page whose table is replaced")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
