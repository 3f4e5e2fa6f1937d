"""Which pictures of heads a page outside the private folder may show: of those nobody doubts.

A head may be shown where bidsanon removed its face, checked that, and the bytes are those that it
published; or where a person looked at these very bytes and accepted them. What a sidecar claims
proves nothing.
"""

from __future__ import annotations

from dataclasses import replace

from bidsanon.audit import FaceVerdict
from bidsanon.bids.faces import FaceClaim
from bidsanon.bids.names import parse_name
from bidsanon.bids.standard import image_kinds
from bidsanon.report.images import ImageEntry
from bidsanon.session import DefaceOutcome, DefaceVerdict

_REJECTED = "a person rejected its defacing"
_CHANGED = "it is not as it was published, and nobody is known to have looked at it since"
_OUTCOMES = {
    DefaceVerdict.NO_FACE: "bidsanon saw no face in it, and nobody is known to have looked",
    DefaceVerdict.ALREADY_DEFACED: "its face was cut off before, and nobody is known to have "
    "looked",
    DefaceVerdict.UNCHECKED: "its defacing was not checked",
    DefaceVerdict.KEPT: "its face was kept on purpose",
    DefaceVerdict.FAILED: "its face could not be removed for certain",
}
_CLAIMS = {
    FaceClaim.REMOVED: "that its face was removed stands in its sidecar alone, and nobody is known "
    "to have looked",
    FaceClaim.KEPT: "its face was kept, as its sidecar says",
    FaceClaim.ABSENT: "that it shows no face stands in its sidecar alone, and nobody is known to "
    "have looked",
    FaceClaim.NOTHING: "nothing says that its face was removed",
}


def why_hidden(
    image: ImageEntry,
    *,
    outcome: DefaceOutcome | None,
    decision: FaceVerdict | None,
    published: str,
) -> str:
    """Say why an image's head is for the private folder alone; empty where anybody may see it.

    Parameters
    ----------
    image
        The image as it is now.
    outcome
        What became of its face when it was published; None where there is no record.
    decision
        What a person said of its bytes.
    published
        The SHA-256 of its bytes as they were published; empty where nobody knows.
    """
    if decision is FaceVerdict.REJECTED:
        return _REJECTED
    if decision is FaceVerdict.ACCEPTED or not may_show_a_face(image):
        return ""
    if image.claim is FaceClaim.KEPT or outcome is None:
        return _CLAIMS[image.claim]
    if not image.digest or image.digest != published:
        return _CHANGED
    if outcome.verdict is DefaceVerdict.DEFACED:
        return ""
    return _OUTCOMES.get(outcome.verdict, _CLAIMS[image.claim])


def may_show_a_face(image: ImageEntry) -> bool:
    """Tell whether an image is of a kind that shows a face, or of one that BIDS does not know."""
    name = parse_name(image.path)
    return image.of_a_face or (name.datatype, name.suffix) not in image_kinds()


def without_picture(image: ImageEntry, why: str) -> ImageEntry:
    """Return what a page says of an image whose head it does not show."""
    return replace(image, mosaic=None, drawn="", hidden=why) if why else image
