"""What a dataset should say of itself before it is shared, and no scanner knows.

Authors, a licence, the ethics approval, the funding, and what the study is about: asked for where
they are missing, and never made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bidsanon.bids.dataset_facts import CITATION
from bidsanon.bids.root_documents import (
    DATACITE,
    DESCRIPTION,
    READMES,
    citation_gives,
    datacite_gives,
    is_unfilled,
    says_nothing_of_study,
)
from bidsanon.bids.sidecars import SidecarError, read_json_file, read_json_object
from bidsanon.findings import Finding, finding

ASKED = {
    "Authors": "DATASET_NO_AUTHORS",
    "License": "DATASET_NO_LICENSE",
    "EthicsApprovals": "DATASET_NO_ETHICS",
    "Funding": "DATASET_NO_FUNDING",
}
"""The fields of dataset_description.json that are asked for, and by which finding."""
_LARGEST_TEXT = 1 << 20


def check_description(root: Path) -> tuple[Finding, ...]:
    """Say what a dataset does not say of itself.

    A dataset_description.json that cannot be understood is for the schemas to say.

    Parameters
    ----------
    root
        The dataset's folder.
    """
    try:
        description = read_json_file(root / DESCRIPTION)
    except SidecarError:
        return ()
    names = (CITATION, DATACITE, *READMES)
    texts = {name: _text(root / name) for name in names if (root / name).is_file()}
    return tuple(_missing(description, texts))


def foresee_description(texts: Mapping[str, str]) -> tuple[Finding, ...]:
    """Say what a dataset would not say of itself, as :func:`check_description` would.

    Parameters
    ----------
    texts
        What the files at its root would hold, by name.
    """
    try:
        description = read_json_object(texts.get(DESCRIPTION, "").encode())
    except SidecarError:
        return ()
    return tuple(_missing(description, texts))


def _missing(description: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[Finding]:
    cited = citation_gives(texts.get(CITATION, "")) | datacite_gives(texts.get(DATACITE, ""))
    for field, code in ASKED.items():
        if field not in cited and is_unfilled(description.get(field)):
            yield finding(code, location=f"{DESCRIPTION}#/{field}")
    readme = next((name for name in READMES if name in texts), None)
    if readme and says_nothing_of_study(texts[readme]):
        yield finding("DATASET_README_SAYS_LITTLE", location=readme)


def _text(path: Path) -> str:
    """Return the beginning of a text; empty where there is none."""
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_TEXT).decode("utf-8", "replace")
    except OSError:
        return ""
