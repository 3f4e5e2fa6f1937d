"""Whether a placement of the template is trusted, and what is to be done with the face."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bidsanon.deface.cut import WHOLE, Cut
from bidsanon.deface.engines import Engine
from bidsanon.deface.gate import CutCheck, check_cut
from bidsanon.deface.grid import Grid, Matrix
from bidsanon.deface.registration import Registration
from bidsanon.deface.relief import SHALLOW_MM
from bidsanon.deface.selfcheck import SelfCheck, check
from bidsanon.session import DefaceVerdict

NO_TISSUE_ML = 0.5
"""Less than this in the whole of the face's place is no face."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where an engine put the template, and what the self-check says of it.

    Attributes
    ----------
    engine
        Which one.
    registration
        Where.
    selfcheck
        What was measured of the registration.
    refusals
        Why it is not trusted, in words; none where it is.
    cut_check
        What was measured of the cut; None where the registration was refused before.
    """

    engine: Engine
    registration: Registration
    selfcheck: SelfCheck
    refusals: tuple[str, ...]
    cut_check: CutCheck | None = None

    @property
    def to_template(self) -> Matrix:
        """From the head's world to the template's, shape (4, 4)."""
        return self.registration.to_template

    def figures(self) -> dict[str, float]:
        """Return all that was measured, by name."""
        of_cut = self.cut_check.figures() if self.cut_check else {}
        return self.selfcheck.figures() | of_cut


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to be done with the images of an acquisition, and why.

    Attributes
    ----------
    verdict
        How it ends, once the face is cut off where it is "defaced".
    reason
        Why, in words, while nothing has been done.
    once_cut
        The same once the face was cut off.
    figures
        What was measured, by name.
    """

    verdict: DefaceVerdict
    reason: str
    once_cut: str = ""
    figures: dict[str, float] = field(default_factory=dict)


def place_template(
    reference: Grid,
    head: Grid,
    engine: Engine,
    *,
    cut: Cut = WHOLE,
    said_defaced: bool = False,
) -> Placement:
    """Return the first of an engine's attempts that passes the self-check, or the least bad one.

    To pass, its cut has to leave no face and to take no brain, too, unless there is nothing to cut
    because somebody did before.

    Parameters
    ----------
    reference
        The image as it is.
    head
        The same, coarse, brightness 0 to 1.
    engine
        What makes the attempts.
    cut
        What goes.
    said_defaced
        Whether the image's sidecar says that its face was removed.
    """
    refused: list[Placement] = []
    for attempt in engine.attempts(reference, head):
        measured = check(attempt.head, attempt.registration)
        placement = Placement(
            engine=attempt.made_by or engine,
            registration=attempt.registration,
            selfcheck=measured,
            refusals=(*attempt.doubts, *measured.refusals(attempt.limits)),
        )
        if not placement.refusals:
            placement = _with_cut_check(placement, head, cut=cut, said_defaced=said_defaced)
        if not placement.refusals:
            return placement
        refused.append(placement)
    return max(refused, key=lambda placement: placement.selfcheck.sharp)


def _with_cut_check(placement: Placement, head: Grid, *, cut: Cut, said_defaced: bool) -> Placement:
    checked = check_cut(head, placement.to_template, cut=cut, said_defaced=said_defaced)
    refusals = () if checked.already_cut else checked.refusals()
    return replace(placement, cut_check=checked, refusals=refusals)


def decide(placement: Placement, checked: CutCheck) -> Decision:
    """Decide whether there is a face to remove, where it is known where that would be.

    Parameters
    ----------
    placement
        Where the template lies: trusted.
    checked
        What was measured of its cut.
    """
    tissue, once_cut = checked.tissue, ""
    if not tissue.cut_ml:
        verdict, reason = DefaceVerdict.NO_FACE, "the face lies outside the field of view"
    elif checked.already_cut:
        verdict = DefaceVerdict.ALREADY_DEFACED
        reason = f"its face was cut off before: {checked.before.words()}"
    elif tissue.tissue_ml < NO_TISSUE_ML:
        verdict = DefaceVerdict.NO_FACE
        reason = f"nothing is where the face would be ({tissue.tissue_ml:.1f} ml above air)"
    else:
        verdict = DefaceVerdict.DEFACED
        amount = f"{tissue.tissue_ml:.0f} ml of tissue"
        if checked.said_defaced:
            amount += ", although its sidecar says that it had been removed"
        reason, once_cut = f"there is a face: {amount}", f"the face was removed: {amount}"
    return Decision(
        verdict=verdict,
        reason=reason,
        once_cut=once_cut,
        figures=placement.figures() | tissue.figures(),
    )


def decide_without(placement: Placement, relief_mm: float | None) -> Decision:
    """Decide whether an image in which no head was found for certain can hold a face at all."""
    figures = placement.figures()
    if relief_mm is not None:
        figures["relief_mm"] = round(relief_mm, 2)
    if relief_mm is not None and relief_mm <= SHALLOW_MM:
        verdict = DefaceVerdict.NO_FACE
        reason = f"no head, and nowhere shaped by more than {relief_mm:.1f} mm, as a face is"
    else:
        verdict = DefaceVerdict.FAILED
        words = "; ".join(placement.refusals)
        reason = (
            f"the self-check refused the cut: {words}"
            if placement.cut_check
            else f"no head was found for certain ({words})"
        )
    return Decision(verdict=verdict, reason=reason, figures=figures)
