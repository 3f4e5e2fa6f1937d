"""Images that a person looked at and rejected: they are not to be shared, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bidsanon.audit import FaceDecisions
from bidsanon.bids.sharing import list_shared
from bidsanon.findings import Finding, finding


def check_rejected(root: Path, decisions: FaceDecisions) -> tuple[Finding, ...]:
    """Say which files of a dataset are images that were rejected, under this name or another.

    A copy in ``derivatives`` or ``sourcedata`` is shared too. What cannot be read was looked at by
    nobody: that it cannot is for others to say.

    Parameters
    ----------
    root
        The dataset's folder.
    decisions
        Those of its private folder.
    """
    return tuple(
        finding("FACE_REJECTED", location=image)
        for image in decisions.rejected(root, _shared_files(root))
    )


def _shared_files(root: Path) -> Iterator[str]:
    """Yield what is shared; nothing is walked through until the first is asked for."""
    yield from (file.name for file in list_shared(root).files)
