"""A dataset that bidsanon made, and a private folder that is not where it is looked for."""

from __future__ import annotations

from pathlib import Path

from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sidecars import SidecarError, read_json_file
from bidsanon.errors import UsageError
from bidsanon.findings import Finding, finding
from bidsanon.pipeline.places import may_enter
from bidsanon.vault import VAULT_NAME


def lacks_private(dataset: Path, private: Path) -> bool:
    """Tell whether bidsanon made a dataset, and what it knows of it is not in a private folder.

    The folder may have been moved, or the dataset renamed. Where others made the dataset with
    bidsanon and share it, theirs is not here either.
    """
    return not (private / VAULT_NAME).is_file() and _is_ours(dataset)


def check_private(dataset: Path, private: Path) -> tuple[Finding, ...]:
    """Say where what bidsanon knows of a dataset is missing: nobody knows what was rejected."""
    if not lacks_private(dataset, private):
        return ()
    return (finding("PRIVATE_FOLDER_MISSING", folder=private.name),)


def require_known(dataset: Path, private: Path) -> None:
    """Refuse to add to a dataset that bidsanon made without the vault that knows its persons.

    With a new vault a person who is in the dataset already would be taken for another, and get
    another label and other dates. An empty folder says that this is meant.

    Raises
    ------
    UsageError
        If it would be so.
    """
    if not may_enter(private):
        return  # that it cannot be written is said of it
    if private.is_dir() and not any(private.iterdir()):
        return
    if lacks_private(dataset, private) and any(dataset.glob("sub-*")):
        raise UsageError(
            f"bidsanon made this dataset, and there is no vault in {private.name}, where what it "
            "knows of the dataset's persons should be: they would get other labels and dates",
            cure="name the private folder as it is called now with --private; to begin anew "
            "without it, make an empty folder and name that",
        )


def _is_ours(dataset: Path) -> bool:
    try:
        made_by = read_json_file(dataset / DESCRIPTION).get("GeneratedBy")
    except SidecarError:
        return False
    programs = made_by if isinstance(made_by, list) else []
    return any(isinstance(one, dict) and one.get("Name") == "bidsanon" for one in programs)
