"""pybids: what a user's code will find of a session, by its entities."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from bidsanon.bids.names import BidsName
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS, LARGEST_JSON
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
_BESIDE_IMAGES = re.compile(r"/sub-[^/]*\.(?:json|tsv|bval|bvec)\Z")
"""What pybids need not look at: images alone are asked for, by what their own names say."""
_WHAT_PYBIDS_RAISES = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


def check_layout(
    root: Path, subject: str | None = None, session: str | None = None
) -> tuple[Finding, ...]:
    """Open a dataset with pybids and look for its images by their entities.

    What sidecars say is not asked for: one that cannot be understood is for the schemas to name.

    Parameters
    ----------
    root
        The dataset's folder.
    subject, session
        Labels without their prefix, to look for the images of one subject or session only.

    Returns
    -------
    tuple of Finding
        One error for each image that pybids does not find, or the one that it finds nothing.
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
    description = root / DESCRIPTION
    if description.is_file() and description.stat().st_size > LARGEST_JSON:
        return (finding("LAYOUT_NOT_READ", problem="its description is too large"),)
    try:
        found = _found_by_pybids(root)
    except _WHAT_PYBIDS_RAISES as error:
        return (finding("LAYOUT_NOT_READ", problem=type(error).__name__),)
    return tuple(
        finding("LAYOUT_IMAGE_NOT_FOUND", location=image.path)
        for image in images
        if found.get(str(root / image.path)) != _asked_for(image)
    )


def _found_by_pybids(root: Path) -> dict[str, dict[str, str]]:
    """Return what pybids takes for the entities of each image, by the image's path."""
    with warnings.catch_warnings():
        # pybids warns of what its own dependencies deprecate.
        warnings.simplefilter("ignore")
        layout_class, indexer_class, ignored = _pybids()
        indexer = indexer_class(
            validate=False, index_metadata=False, ignore=[*ignored, _BESIDE_IMAGES]
        )
        layout = layout_class(
            root, validate=False, derivatives=False, indexer=indexer, config=[_entities_below(root)]
        )
        wanted = {"suffix", "extension", "datatype", *_PYBIDS_NAMES.values()}
        return {
            file.path: {
                k: str(v) for k, v in file.get_entities(metadata=False).items() if k in wanted
            }
            for file in layout.get(extension=list(IMAGE_EXTENSIONS))
        }


def _entities_below(root: Path) -> dict[str, Any]:
    """Return pybids' own rules of entities, for what stands below a folder.

    As they are, they look at whole paths: of a dataset in ``/data/eeg/study`` everything is EEG.
    """
    rules: dict[str, Any] = json.loads(_rules_of_pybids().read_text("utf-8"))
    above = rf"\A{re.escape(str(root))}(?s:.*?)"
    for entity in rules["entities"]:
        if "pattern" in entity:
            entity["pattern"] = above + entity["pattern"]
    return rules


def _asked_for(image: BidsName) -> dict[str, str]:
    """Return what a user asks for: what the name says, and none of the entities that it lacks."""
    asked = {
        "suffix": image.suffix,
        "extension": image.extension,
        "datatype": image.datatype,
    }
    for entity, name in _PYBIDS_NAMES.items():
        label = image.entities.get(entity)
        if label is not None:
            asked[name] = label
    return asked


@cache
def _rules_of_pybids() -> Path:
    from bids.config import get_option  # noqa: PLC0415

    return Path(get_option("config_paths")["bids"])


@cache
def _pybids() -> tuple[Any, Any, Collection[Any]]:
    # Imported here: it takes a third of a second.
    from bids import BIDSLayout  # noqa: PLC0415
    from bids.layout import BIDSLayoutIndexer  # noqa: PLC0415
    from bids.layout.validation import DEFAULT_LOCATIONS_TO_IGNORE  # noqa: PLC0415

    return BIDSLayout, BIDSLayoutIndexer, DEFAULT_LOCATIONS_TO_IGNORE
