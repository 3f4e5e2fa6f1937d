"""The search for people in a dataset, with what its private folder knows of it.

The folder knows which defaced images a person accepted. Its vault, where it is asked, knows by how
many days the dates of each subject were shifted.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bidsanon.audit import FaceDecisions, FaceVerdict
from bidsanon.findings import Finding
from bidsanon.validate.privacy import check_privacy
from bidsanon.vault import Vault


def find_people(
    dataset: Path,
    *,
    private: Path,
    vault: bool,
    passphrase_file: Path | None,
    hidden: bool = True,
) -> tuple[Finding, ...]:
    """Look for people in a dataset.

    Parameters
    ----------
    dataset
        Its folder.
    private
        Its private folder, which may be missing.
    vault
        Whether the vault there is asked.
    passphrase_file
        Where the vault's passphrase is.
    hidden
        Whether hidden files are looked at.

    Raises
    ------
    BidsanonError
        If the private folder cannot be read.
    """
    shifts: dict[str, int] = {}
    if vault:
        with Vault.preview(private, passphrase_file=passphrase_file) as opened:
            shifts = opened.shifts_by_subject()
    accepted = _accepted(dataset, FaceDecisions.read(private))
    return check_privacy(dataset, shifts=shifts, accepted=accepted, hidden=hidden)


def _accepted(dataset: Path, decisions: FaceDecisions) -> Collection[str]:
    """Return the images that a person accepted as they are now, by their bytes."""
    images = dict.fromkeys(one.image for one in decisions.made)
    there = (image for image in images if (dataset / image).is_file())
    return frozenset(
        image for image in there if decisions.verdict_of(dataset / image) is FaceVerdict.ACCEPTED
    )
