"""Puts the template beside where it belongs, and counts what refuses the cut. See README.md."""

from __future__ import annotations

import argparse
import itertools
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from deface_heads import CHANGES, SHARED, Head, read_heads
from records import read_records, write_records
from tables import write_table

from bidsanon.deface.gate import check_cut
from bidsanon.deface.grid import Matrix, block_mean, inverse
from bidsanon.deface.head import REGISTERED_MM, window_of
from bidsanon.deface.registration import Registration
from bidsanon.deface.selfcheck import check

DISTANCES_MM = (0, 5, 8, 12, 16, 20, 30)
DIRECTIONS = {
    "up": (0, 0, 1),
    "back": (0, -1, 0),
    "down": (0, 0, -1),
    "forward": (0, 1, 0),
}
RESULTS = Path(__file__).parent / "results" / "deface_displaced.jsonl"
"""What the table in the documentation was made of."""
INTO_BRAIN = ("up", "back")
CONTRASTS = (
    "unchanged",
    "shading",
    "contrast inverted",
    "T2w-like",
    "FLAIR-like",
)


@dataclass(frozen=True, kw_only=True)
class Displaced:
    """What was refused where the template lies beside its place.

    Attributes
    ----------
    head, contrast, direction, distance_mm
        The case.
    by_registration, by_face, by_brain
        Whether the figures of the registration refuse it, what is left of the face, what is taken
        of the brain.
    brain_known
        Whether the head's own brain could be told from what is around it.
    """

    head: str
    contrast: str
    direction: str
    distance_mm: int
    by_registration: bool
    by_face: bool
    by_brain: bool
    brain_known: bool

    @property
    def case(self) -> tuple[str, str, str, int]:
        """Which case it is."""
        return self.head, self.contrast, self.direction, self.distance_mm

    @property
    def refused(self) -> bool:
        """Whether anything refuses it."""
        return self.by_registration or self.by_face or self.by_brain


def main() -> None:
    """Run all cases and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        heads = [h for h in read_heads(options.shared, Path(folder)) if "made-up" not in h.name]
    results = read_records(Displaced, options.log)
    done = {(each.head, each.contrast) for each in results}
    left = [case for case in itertools.product(heads, CONTRASTS) if _name_of(case) not in done]
    with ProcessPoolExecutor(options.jobs) as pool:
        for tried in as_completed([pool.submit(_try_all, *case) for case in left]):
            results += tried.result()
            write_records(options.log, results)
    lines = list(table(results))
    print("\n".join(lines))
    if options.write:
        write_records(RESULTS, results)
        write_table(options.write, "displaced", lines)


def table(results: Sequence[Displaced]) -> Iterator[str]:
    """Yield the lines of the table: a row for each distance."""
    yield (
        "| mm | cases | refused | by the registration's figures | by what is left of the face, "
        "down and forward | by the brain, up and back | brain known |"
    )
    yield "|---|---|---|---|---|---|---|"
    for distance in sorted({each.distance_mm for each in results}):
        here = [each for each in results if each.distance_mm == distance]
        into = [each for each in here if each.direction in INTO_BRAIN]
        away = [each for each in here if each.direction not in INTO_BRAIN] or into
        cells = (
            str(distance),
            str(len(here)),
            _share([each.refused for each in here]),
            _share([each.by_registration for each in here]),
            _share([each.by_face for each in away]),
            _share([each.by_brain for each in into]),
            _share([each.brain_known for each in here]),
        )
        yield f"| {' | '.join(cells)} |"


def _share(of: Sequence[bool]) -> str:
    return f"{sum(of) / len(of):.0%}"


def _name_of(case: tuple[Head, str]) -> tuple[str, str]:
    return case[0].name, case[1]


def _try_all(thing: Head, contrast: str) -> list[Displaced]:
    rng = np.random.default_rng(zlib.crc32(f"{thing.name} {contrast}".encode()))
    changed = CHANGES[contrast](thing, rng)
    coarse = block_mean(changed.image, REGISTERED_MM)
    seen = replace(changed, image=window_of(coarse).apply(coarse))
    places = [("up", 0)]
    places += itertools.product(DIRECTIONS, (mm for mm in DISTANCES_MM if mm))
    return [_try(seen, contrast, direction, distance) for direction, distance in places]


def _try(changed: Head, contrast: str, direction: str, distance: int) -> Displaced:
    head = changed.image
    step: Matrix = np.eye(4)
    step[:3, 3] = np.array(DIRECTIONS[direction]) * distance
    to_head = changed.place @ step
    registration = Registration(to_head=to_head, similarity=0.0, starts_apart_mm=None, lead=None)
    cut = check_cut(head, inverse(to_head))
    by_brain = cut.brain.refusals()
    return Displaced(
        head=changed.name,
        contrast=contrast,
        direction=direction,
        distance_mm=distance,
        by_registration=bool(check(head, registration).refusals()),
        by_face=len(cut.refusals()) > len(by_brain),
        by_brain=bool(by_brain),
        brain_known=cut.brain.in_cut_ml is not None,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="where real DICOM is")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--log", type=Path, help="where each case becomes a line of JSON; resumed from there"
    )
    parser.add_argument("--write", type=Path, help="a page whose table is replaced")
    return parser.parse_args()


if __name__ == "__main__":
    main()
