"""What must not be in a dataset: what its sources say of persons, and what a private folder knows.

A source is harvested as ``convert`` does it, and no copy is made. A private folder holds originals
only where somebody asked for them to be kept: in the database of changed values, in deident.map,
and in quarantine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import MAP_NAME, read_deident_map
from bidsanon.deidentify import harvest_files
from bidsanon.findings import Finding, finding
from bidsanon.profile import Profile
from bidsanon.progress import Progress
from bidsanon.session import IdentifyingValue, ValueKind, merge_identity
from bidsanon.source import find_originals


@dataclass(frozen=True, kw_only=True)
class Known:
    """What must not be in a dataset. Identified.

    Attributes
    ----------
    identity
        Every identifying value, each once.
    findings
        What of the sources could not be read.
    """

    identity: tuple[IdentifyingValue, ...] = ()
    findings: tuple[Finding, ...] = ()


def known_identity(
    sources: Sequence[Path],
    *,
    private: Path | None,
    profile: Profile,
    jobs: int,
    progress: Progress,
) -> Known:
    """Collect what must not be in a dataset.

    Parameters
    ----------
    sources
        Folders, archives, DICOMDIRs and single files.
    private
        A private folder; None: it is not asked.
    profile
        What counts as identifying.
    jobs
        How many processes may work at once.
    progress
        Who listens.

    Raises
    ------
    BidsanonError
        If a source cannot be read, or the private folder cannot.
    """
    sources_say = _of_sources(sources, profile, jobs, progress) if sources else Known()
    folder_says = _of_private_folder(private) if private else Known()
    return Known(
        identity=merge_identity((sources_say.identity, folder_says.identity)),
        findings=(*sources_say.findings, *folder_says.findings),
    )


def published_labels(dataset: Path) -> tuple[tuple[str, str], ...]:
    """Return the labels of a dataset's subjects and sessions, which stand in every name.

    Returns
    -------
    tuple
        Of what each is the label ("subject"), and the label without its prefix; each once, sorted.
    """
    folders = {
        "subject": dataset.glob("sub-*"),
        "session": dataset.glob("sub-*/ses-*"),
    }
    return tuple(
        sorted(
            {
                (what, folder.name.partition("-")[2])
                for what, found in folders.items()
                for folder in found
                if folder.is_dir()
            },
            reverse=True,
        )
    )


def _of_sources(sources: Sequence[Path], profile: Profile, jobs: int, progress: Progress) -> Known:
    with tempfile.TemporaryDirectory(prefix="bidsanon-") as scratch:
        originals = find_originals(sources, unpack_into=Path(scratch), progress=progress)
        harvested = harvest_files(originals.files, profile=profile, jobs=jobs, progress=progress)
    names = (
        IdentifyingValue(kind=ValueKind.PATH, text=name, origin="file name")
        for name in originals.names
    )
    unknown = harvested.not_understood
    return Known(
        identity=(*harvested.identity, *names),
        findings=(finding("ORIGINALS_IN_PART", count=unknown),) if unknown else (),
    )


def _of_private_folder(private: Path) -> Known:
    """Return what deident.map says."""
    identity = []
    for entry in read_deident_map(private / MAP_NAME):
        identity += [
            IdentifyingValue(kind=ValueKind.IDENTIFIER, text=entry.original_id, origin=MAP_NAME),
            IdentifyingValue(kind=ValueKind.NAME, text=entry.original_name, origin=MAP_NAME),
            IdentifyingValue(kind=ValueKind.UID, text=entry.original_study_uid, origin=MAP_NAME),
            IdentifyingValue(kind=ValueKind.DATE, text=entry.original_study_date, origin=MAP_NAME),
        ]
    return Known(identity=tuple(value for value in identity if value.text))
