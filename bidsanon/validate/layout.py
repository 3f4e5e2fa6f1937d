"""pybids: what a user's code will find of a session, by its entities."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bidsanon.bids.names import BidsName
from bidsanon.findings import Finding, finding
from bidsanon.validate.images import dataset_images

_PYBIDS_NAMES = {
    "sub": "subject",
    "ses": "session",
    "task": "task",
    "acq": "acquisition",
    "ce": "ceagent",
    "rec": "reconstruction",
    "dir": "direction",
    "run": "run",
    "mod": "modality",
    "echo": "echo",
    "flip": "flip",
    "inv": "inv",
    "mt": "mt",
    "part": "part",
    "proc": "proc",
    "space": "space",
    "recording": "recording",
    "chunk": "chunk",
}
_NUMBERED = {"run", "echo", "flip", "inv", "chunk"}


def check_layout(
    root: Path, subject: str | None = None, session: str | None = None
) -> tuple[Finding, ...]:
    """Open a dataset with pybids and look for its images by their entities.

    Parameters
    ----------
    root
        The dataset's folder.
    subject, session
        Labels without their prefix, to look for the images of one subject or session only.

    Returns
    -------
    tuple of Finding
        One error for each image that pybids does not find.
    """
    root = root.resolve()  # as pybids names what it finds
    images = [
        image
        for image in dataset_images(root)
        if subject in {None, image.entities.get("sub")}
        and session in {None, image.entities.get("ses")}
    ]
    if not images:
        return ()
    with warnings.catch_warnings():
        # pybids warns of what its own dependencies deprecate.
        warnings.simplefilter("ignore")
        layout = _layout_class()(root, validate=False, derivatives=False)
        return tuple(
            finding("LAYOUT_IMAGE_NOT_FOUND", location=image.path)
            for image in images
            if str(root / image.path) not in layout.get(**_query(image), return_type="filename")
        )


def _query(image: BidsName) -> Mapping[str, Any]:
    """Ask for what the name says, and for images that lack the entities it lacks."""
    asked: dict[str, Any] = {
        "suffix": image.suffix,
        "extension": image.extension,
        "datatype": image.datatype,
    }
    for entity, name in _PYBIDS_NAMES.items():
        label = image.entities.get(entity)
        if label is None:
            asked[name] = _query_class().NONE
        else:
            asked[name] = int(label) if entity in _NUMBERED and label.isdigit() else label
    return asked


@cache
def _layout_class() -> Any:
    # Imported here: it takes a third of a second.
    from bids import BIDSLayout  # noqa: PLC0415

    return BIDSLayout


@cache
def _query_class() -> Any:
    from bids.layout import Query  # noqa: PLC0415

    return Query
