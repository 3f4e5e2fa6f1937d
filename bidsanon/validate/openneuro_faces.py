"""What is known of the face in each image, and no more: a claim in a sidecar proves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from bidsanon.audit import FaceDecisions, FaceVerdict
from bidsanon.bids.faces import (
    OTHER_IMAGES,
    PHOTO,
    FaceClaim,
)
from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.sharing import SharedTree
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS, SidecarTree
from bidsanon.files import sha256
from bidsanon.validate.openneuro_evidence import (
    Affirmation,
    Evidence,
    Point,
    Statement,
    contradicted,
    known,
    not_known,
    some_of,
)
from bidsanon.validate.privacy_faces import claim_of, may_be_head


class FaceState(StrEnum):
    """What is known of the face in one image of a kind that shows one. The gravest come first."""

    REJECTED = "rejected"
    """A person looked at these very bytes and rejected them."""
    KEPT = "kept"
    """Its sidecar says that the face was kept."""
    SILENT = "silent"
    """Nothing says what became of it."""
    CLAIMED = "claimed"
    """Its sidecar says that it was removed; nobody is known to have looked."""
    ACCEPTED = "accepted"
    """A person looked at these very bytes and accepted them."""
    CHECKED = "checked"
    """bidsanon removed it and checked that, and these are the bytes that it published."""


_LOOK = "look at them (`bidsanon review`), or let `bidsanon deface --check-only` look"
_SAID = {
    FaceState.REJECTED: (contradicted, "were rejected in `bidsanon review`"),
    FaceState.KEPT: (
        contradicted,
        "keep their face, as their sidecars say: affirm consent and ethics for these instead",
    ),
    FaceState.SILENT: (not_known, f"say nothing of a face: {_LOOK}"),
    FaceState.CLAIMED: (
        not_known,
        f"are defaced as their sidecars say, and nobody is known to have looked: {_LOOK}",
    ),
    FaceState.ACCEPTED: (known, "were looked at by a person and accepted"),
    FaceState.CHECKED: (
        known,
        "were defaced and checked by bidsanon, and are as it published them",
    ),
}


def face_states(root: Path, evidence: Evidence) -> dict[str, FaceState]:
    """Find out what is known of the face in each image that shows one by its kind.

    Parameters
    ----------
    root
        The dataset's folder.
    evidence
        What is shared of it, what was decided and what was published.
    """
    tree = SidecarTree(root)
    return {
        name.path: _state(root, name, tree, evidence)
        for name in _images_in_subjects(evidence.shared)
        if may_be_head(name, root / name.path)
    }


def affirm_faces(
    states: Mapping[str, FaceState], shared: SharedTree, *, rejected: frozenset[str] = frozenset()
) -> Affirmation:
    """Go through what is known of faces.

    Parameters
    ----------
    states
        What is known of each image of a kind that shows a face.
    shared
        What of the dataset is shared.
    rejected
        Every file that holds an image which a person rejected, of whatever kind and wherever.
    """
    others = sorted(rejected - states.keys())
    elsewhere = (
        (
            contradicted(
                f"{len(others)} other file(s) {_SAID[FaceState.REJECTED][1]}: {some_of(others)}"
            ),
        )
        if others
        else ()
    )
    statements = (*elsewhere, *_statements(states, shared))
    return Affirmation(point=Point.FACES, statements=statements)


def _images_in_subjects(shared: SharedTree) -> Iterator[BidsName]:
    for file in shared.files:
        if file.name.startswith("sub-") and file.name.endswith(IMAGE_EXTENSIONS):
            yield parse_name(file.name)


def _state(root: Path, name: BidsName, tree: SidecarTree, evidence: Evidence) -> FaceState:
    verdict = _verdict(root / name.path, evidence.decisions)
    claim = claim_of(tree, name.path)
    if verdict is FaceVerdict.REJECTED:
        return FaceState.REJECTED
    if claim is FaceClaim.KEPT:
        return FaceState.KEPT
    if verdict is FaceVerdict.ACCEPTED:
        return FaceState.ACCEPTED
    if claim is FaceClaim.NOTHING:
        return FaceState.SILENT
    published = evidence.published.get(name.path)
    as_published = published is not None and sha256(root / name.path) == published
    return FaceState.CHECKED if as_published else FaceState.CLAIMED


def _verdict(image: Path, decisions: FaceDecisions) -> FaceVerdict | None:
    try:
        return decisions.verdict_of(image)
    except OSError:
        return None


def _in_state(states: Mapping[str, FaceState], state: FaceState) -> list[str]:
    return sorted(image for image, its in states.items() if its is state)


def _statements(states: Mapping[str, FaceState], shared: SharedTree) -> Iterator[Statement]:
    for state, (state_it, words) in _SAID.items():
        images = _in_state(states, state)
        if images:
            yield state_it(
                f"{len(images)} of {len(states)} image(s) of kinds that show a face {words}: "
                f"{some_of(images)}"
            )
    if shared.problems:
        unread = [problem.name for problem in shared.problems]
        yield not_known(f"{len(unread)} file(s) or folder(s) cannot be read: {some_of(unread)}")
    elif not states:
        yield known("there is no image of a kind that shows a face in the subjects' folders")
    elsewhere = [file.name for file in shared.files if _is_elsewhere(file.name)]
    if elsewhere:
        yield not_known(
            f"{len(elsewhere)} other image(s) are shared too, and nobody looked whether they show "
            f"a face: {some_of(elsewhere)}"
        )


def _is_elsewhere(name: str) -> bool:
    """Tell whether a file may show a face and is no NIfTI image in a subject's folder."""
    plain = name.lower()
    if plain.endswith(OTHER_IMAGES) or parse_name(name).suffix == PHOTO:
        return True
    return plain.endswith(IMAGE_EXTENSIONS) and not (
        name.startswith("sub-") and name.endswith(IMAGE_EXTENSIONS)
    )
