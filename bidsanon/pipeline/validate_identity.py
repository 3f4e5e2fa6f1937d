"""What must not be in a dataset: what its sources say of persons, and what a private folder knows.

A source is harvested as ``convert`` does it, and no copy is made. A private folder holds originals
in quarantine, and where somebody asked for it in the database of changed values and in deident.map.
Its vault knows persons and series by keyed hashes alone: what the dataset says is hashed and
compared.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import MAP_NAME, read_deident_map, read_originals
from bidsanon.deidentify import harvest_files
from bidsanon.deidentify.harvest import Harvest, Harvested, settle
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.reading import read_path
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.errors import SourceError, UsageError
from bidsanon.findings import Finding, finding
from bidsanon.identity import IdentifyingValue, ValueKind, merge_identity
from bidsanon.pipeline.validate_vault import VaultLookup
from bidsanon.profile import Profile
from bidsanon.progress import Progress
from bidsanon.publish import Ledger
from bidsanon.source import find_originals
from bidsanon.validate.residue_digests import DigestIndex, randstr_of
from bidsanon.validate.residue_search import Lookup
from bidsanon.vault import Vault, read_contents

_UTF_8 = b"ISO_IR 192"
_BEFORE_FRAMES = 0x52009229
_ATTRIBUTE = re.compile(r"\(?([0-9A-F]{4}),(?:(.*),)?([0-9A-F]{2,4})\)")
_QUARANTINE = "quarantine"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What must not be in a dataset. Identified.

    Attributes
    ----------
    identity
        Every identifying value, each once.
    lookups
        What finds values that are known by their hashes.
    findings
        What of the sources could not be read.
    """

    identity: tuple[IdentifyingValue, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    findings: tuple[Finding, ...] = ()


def known_of_sources(
    sources: Sequence[Path], *, profile: Profile, jobs: int, progress: Progress
) -> Known:
    """Collect what sources say of persons, of one or of many.

    Parameters
    ----------
    sources
        Folders, archives, DICOMDIRs and single files.
    profile
        What counts as identifying.
    jobs
        How many processes may work at once.
    progress
        Who listens.

    Raises
    ------
    BidsanonError
        If a source cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="bidsanon-") as scratch:
        originals = find_originals(sources, unpack_into=Path(scratch), progress=progress)
        harvested = harvest_files(originals.files, profile=profile, jobs=jobs, progress=progress)
        made = [
            (hashed, "a file's UIDs, hashed by heudiconv") for hashed in _randstrs(originals.files)
        ]
    names = (
        IdentifyingValue(kind=ValueKind.PATH, text=name, origin="file name")
        for name in originals.names
    )
    counts = {
        "ORIGINALS_IN_PART": harvested.not_understood,
        "ORIGINALS_NO_DICOM": originals.other_files,
    }
    return Known(
        identity=(*harvested.identity, *names),
        lookups=(DigestIndex((), made),),
        findings=tuple(finding(code, count=count) for code, count in counts.items() if count),
    )


def known_of_private_folder(
    private: Path,
    *,
    dataset: Path,
    passphrase_file: Path | None,
    profile: Profile,
    jobs: int,
    progress: Progress,
) -> Known:
    """Collect what a private folder knows of persons.

    Parameters
    ----------
    private
        The private folder.
    dataset
        The dataset, for what was published into it.
    passphrase_file
        Where the vault's passphrase is; None: in the environment, where there is one.
    profile, jobs, progress
        As for :func:`known_of_sources`.

    Raises
    ------
    UsageError
        If it knows nothing.
    BidsanonError
        If it cannot be read.
    """
    if read_contents(private) is None:
        raise UsageError(
            "there is no vault in the private folder",
            cure="name the folder that is the dataset's with --private, or leave out --vault",
        )
    quarantined = _of_quarantine(private, profile, jobs, progress)
    with Vault.preview(private, passphrase_file=passphrase_file) as vault:
        recogniser = vault.recogniser()
    series = {uid for one in Ledger.read(private, dataset).additions for uid in one.series}
    labels = [label for _, label in published_labels(dataset)]
    return Known(
        identity=merge_identity(
            (quarantined.identity, _of_map(private), settle([_of_changed_values(private)]))
        ),
        lookups=(VaultLookup(recogniser, series, labels), *quarantined.lookups),
        findings=quarantined.findings,
    )


def joined(known: Iterable[Known]) -> Known:
    """Join what several know."""
    known = tuple(known)
    return Known(
        identity=merge_identity(one.identity for one in known),
        lookups=tuple(lookup for one in known for lookup in one.lookups),
        findings=tuple(found for one in known for found in one.findings),
    )


def published_labels(dataset: Path) -> tuple[tuple[str, str], ...]:
    """Return the labels of a dataset's subjects and sessions, which stand in every name.

    Returns
    -------
    tuple
        Of what each is the label ("subject"), and the label without its prefix; each once, sorted.
    """
    folders = {"subject": dataset.glob("sub-*"), "session": dataset.glob("sub-*/ses-*")}
    labels = {
        (what, folder.name.partition("-")[2])
        for what, found in folders.items()
        for folder in found
        if folder.is_dir()
    }
    return tuple(sorted(labels, reverse=True))


def _randstrs(files: Iterable[Path]) -> Iterator[str]:
    """Yield heudiconv's hash of each file's UIDs."""
    for path in files:
        try:
            yield randstr_of(read_path(path, until=_BEFORE_FRAMES))
        except (NotUnderstoodError, OSError):
            continue  # harvesting counted it


def _of_quarantine(private: Path, profile: Profile, jobs: int, progress: Progress) -> Known:
    """Return what quarantined originals say; their names are numbers."""
    folder = private / _QUARANTINE
    if not folder.is_dir():
        return Known()
    try:
        known = known_of_sources([folder], profile=profile, jobs=jobs, progress=progress)
    except SourceError:
        return Known()  # nothing was quarantined, or somebody took it away
    own = tuple(value for value in known.identity if value.kind is not ValueKind.PATH)
    return Known(identity=own, lookups=known.lookups, findings=known.findings)


def _of_map(private: Path) -> tuple[IdentifyingValue, ...]:
    kinds = {
        "original_id": ValueKind.IDENTIFIER,
        "original_name": ValueKind.NAME,
        "original_study_uid": ValueKind.UID,
        "original_study_date": ValueKind.DATE,
    }
    return tuple(
        IdentifyingValue(kind=kind, text=text, origin=MAP_NAME)
        for entry in read_deident_map(private / MAP_NAME)
        for attribute, kind in kinds.items()
        if (text := str(getattr(entry, attribute)))
    )


def _of_changed_values(private: Path) -> Harvested:
    harvest = Harvest()
    for place, original in read_originals(private):
        step = _ATTRIBUTE.fullmatch(place.rpartition("](")[2])
        if step is None:
            continue
        group, creator, element = step.groups()
        tag = int(group, 16) << 16 | int(element, 16)
        raw = original if isinstance(original, bytes) else original.encode()
        vr = "UN" if tag & 0x10000 else dictionary_vr(tag)
        harvest.take(tag, vr, raw, character_set=_UTF_8, creator=creator or "")
    return harvest.drain()
