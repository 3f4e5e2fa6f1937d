"""What is asked of a cut before it is made: that the face is gone after it, and the brain whole.

Registration and self-check say where the face is; this looks at what the cut would leave and take.
Nothing here is told where the brain or the face ends: both are found in the image.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bidsanon.bids.faces import FaceClaim, face_claim
from bidsanon.deface.brain import BrainCheck, check_brain
from bidsanon.deface.cascade import VIEWS_DEG, views_with_face
from bidsanon.deface.cut import WHOLE, Cut, FaceTissue, cut_mask, face_tissue
from bidsanon.deface.grid import Grid, Matrix
from bidsanon.deface.visage import EMPTY_SHARE, Visage, front_of, visage_of


@dataclass(frozen=True, kw_only=True)
class CutCheck:
    """What a head shows before a cut and after it, and what the cut takes of the brain.

    Attributes
    ----------
    before, after
        The front of the head.
    empty
        How much of the air where the face would be has one value, 0 to 1.
    said_defaced
        Whether the image's sidecar says that its face was removed.
    brain
        What the cut takes of the brain.
    tissue
        What it takes at all.
    views_before, views_after
        In how many views a face is found as in a photograph; None where that was not tried.
    """

    before: Visage
    after: Visage
    empty: float
    said_defaced: bool
    brain: BrainCheck
    tissue: FaceTissue
    views_before: int | None
    views_after: int | None

    @property
    def already_cut(self) -> bool:
        """Whether somebody cut the face off before.

        The image has to show that: a head without a face, and air of one value in its place, or a
        sidecar that says why.
        """
        return (
            self.before.cut_off
            and not self.views_before
            and (self.empty >= EMPTY_SHARE or self.said_defaced)
        )

    def figures(self) -> dict[str, float]:
        """Return the figures by name, rounded as they are reported."""
        views = {"views_before": self.views_before, "views_after": self.views_after}
        return {
            **self.before.figures("before"),
            **self.after.figures("after"),
            **self.brain.figures(),
            **{name: float(count) for name, count in views.items() if count is not None},
        }

    def refusals(self) -> tuple[str, ...]:
        """Say, in words, why the cut is refused; nothing means that it is not."""
        left = []
        if self.after.shown:
            left.append(f"the cut would leave {self.after.words()}")
        if self.views_before and self.views_after:
            left.append(
                f"a face would still be found in {self.views_after} of {len(VIEWS_DEG)} views"
            )
        return (*left, *self.brain.refusals())


def check_cut(
    head: Grid, to_template: Matrix, *, cut: Cut = WHOLE, said_defaced: bool = False
) -> CutCheck:
    """Look at a head before a cut and after it.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.
    to_template
        From its world to the template's.
    cut
        What goes.
    said_defaced
        Whether the image's sidecar says that its face was removed.
    """
    goes = cut_mask(head.values.shape, head.affine, to_template, cut=cut)
    left = Grid(values=np.where(goes, 0, head.values).astype(np.float32), affine=head.affine)
    front = front_of(head, to_template)
    views_before = views_with_face(head, to_template)
    return CutCheck(
        before=visage_of(front),
        after=visage_of(front_of(left, to_template)),
        empty=front.empty,
        said_defaced=said_defaced,
        brain=check_brain(head, to_template, cut=cut),
        tissue=face_tissue(head, goes),
        views_before=views_before,
        # Without a face before, what is found after is none.
        views_after=views_with_face(left, to_template) if views_before else views_before,
    )


def says_defaced(sidecar: Path) -> bool:
    """Tell whether a sidecar says that the face was removed, in words or as a code of CID 7050.

    Never believed by itself: see :attr:`CutCheck.already_cut`.
    """
    try:
        content = json.loads(sidecar.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return False
    return isinstance(content, dict) and face_claim(content) is FaceClaim.REMOVED
