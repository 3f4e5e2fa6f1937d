"""Images that a person looked at and rejected: they are not to be shared as they are."""

from __future__ import annotations

from pathlib import Path

from bidsanon.audit import FaceDecisions
from bidsanon.findings import Finding, finding
from bidsanon.validate.images import dataset_images


def check_rejected(root: Path, decisions: FaceDecisions) -> tuple[Finding, ...]:
    """Say which images of a dataset were rejected, under this name or another.

    An image that cannot be read was looked at by nobody: that it cannot is for others to say.

    Parameters
    ----------
    root
        The dataset's folder.
    decisions
        Those of its private folder.
    """
    readable = (name.path for name in dataset_images(root) if (root / name.path).is_file())
    return tuple(
        finding("FACE_REJECTED", location=image) for image in decisions.rejected(root, readable)
    )
