"""What the user asks for, checked before anything is read or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bidsanon.bids.field_maps import USUAL_LINKS, FieldMapOptions
from bidsanon.bids.tables import Table
from bidsanon.convert import (
    NOTHING_KNOWN,
    Heuristic,
    KnownFacts,
    load_known,
    resolve_heuristic,
)
from bidsanon.deface import USUAL, DefaceOptions
from bidsanon.external import BIDS_VALIDATOR, DCM2NIIX, require_program
from bidsanon.pipeline.events import clean_events, load_events, require_events_again
from bidsanon.pipeline.faces_kept import require_defacing
from bidsanon.pipeline.lost_private import require_known
from bidsanon.pipeline.options import USUAL_RUN, RunOptions
from bidsanon.pipeline.places import (
    require_possible_place,
    require_private_folder,
    require_sources,
)
from bidsanon.pipeline.publishable import require_publishable
from bidsanon.pipeline.studies import clean_study
from bidsanon.pipeline.workspace import private_words
from bidsanon.profile import Profile
from bidsanon.publish import (
    Ledger,
    SessionPlace,
    clean_label,
    private_beside,
    require_dataset_folder,
    require_free,
    require_nothing_added,
)


@dataclass(frozen=True, kw_only=True)
class ConvertRequest:
    """One session to convert.

    Attributes
    ----------
    sources
        Folders, archives, DICOMDIRs or files: identified, never written to.
    place
        Where the session goes. Its subject is empty until the source is read where the vault or a
        table names it.
    private
        The identified side's folder.
    subjects
        A table of subjects and sources; None: there is none.
    study
        Which day's studies are the session: "1", "2", ... or "all"; None: there is one day only.
    heuristic
        A name or a file.
    deface
        What is asked of defacing.
    field_maps
        How field maps are linked to what they correct.
    known
        A file of what the lab knows of its images and no header says.
    events
        Files of events, by the functional run that they are of.
    options
        How the run goes about it.
    """

    sources: tuple[Path, ...]
    place: SessionPlace
    private: Path
    subjects: Path | None = None
    study: str | None = None
    heuristic: str = "auto"
    deface: DefaceOptions = USUAL
    field_maps: FieldMapOptions = USUAL_LINKS
    known: Path | None = None
    events: Mapping[str, Path] = field(default_factory=dict)
    options: RunOptions = USUAL_RUN

    @property
    def private_words(self) -> str:
        """Which folder the private folder is, for messages."""
        return private_words(
            self.private, beside=private_beside(self.place.dataset), name="DATASET"
        )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The profile, the heuristic, the lab's facts and events of a run, loaded and valid."""

    profile: Profile
    heuristic: Heuristic
    known: KnownFacts = NOTHING_KNOWN
    events: Mapping[str, Table] = field(default_factory=dict)


def make_request(
    sources: tuple[Path, ...],
    *,
    dataset: Path,
    subject: str | None = None,
    session: str | None = None,
    private: Path | None = None,
    subjects: Path | None = None,
    study: str | None = None,
    heuristic: str = "auto",
    deface: DefaceOptions = USUAL,
    field_maps: FieldMapOptions = USUAL_LINKS,
    known: Path | None = None,
    events: Iterable[str] = (),
    options: RunOptions = USUAL_RUN,
) -> ConvertRequest:
    """Check what the user asks for and return it as a record.

    Parameters
    ----------
    subject
        None: the vault gives the person a label, or `subjects` does.
    private
        None: ``DATASET.private`` beside the dataset.
    subjects
        A table of subjects and sources.
    study
        Which day's studies are the session; None: there may be one day only.
    events
        Each as ``task-rest_run-1=FILE.tsv``.

    Raises
    ------
    UsageError
        If it cannot be: a label that is not letters and digits, a dataset that is a file, a
        private folder in the dataset, a source that is not there, options of defacing that
        contradict each other, events of nothing.
    """
    dataset = dataset.resolve()  # one private folder, however the dataset is named
    private = (private or private_beside(dataset)).absolute()
    require_possible_place(dataset, name="the dataset")
    require_private_folder(private)
    require_dataset_folder(dataset, private=private)
    require_sources(sources, {"the dataset": dataset, "the private folder": private})
    require_known(dataset, private)
    place = SessionPlace(
        dataset=dataset,
        subject=clean_label(subject, prefix="sub-") if subject is not None else "",
        session=clean_label(session, prefix="ses-") if session is not None else None,
    )
    return ConvertRequest(
        sources=sources,
        place=place,
        private=private,
        subjects=subjects,
        study=clean_study(study),
        heuristic=heuristic,
        deface=require_defacing(deface),
        field_maps=field_maps,
        known=known,
        events=clean_events(events),
        options=options,
    )


def load_policy(request: ConvertRequest) -> Policy:
    """Load the profile and the heuristic, and make sure that the programs are there.

    Raises
    ------
    PolicyError
        If the profile, the heuristic, the file of known facts or a table of events is invalid, or
        the profile keeps what no dataset may hold.
    UsageError
        If the profile cannot be amended as the run asks, or keeps such things as amended.
    MissingToolError
        If dcm2niix or the official validator is not installed.
    """
    require_program(DCM2NIIX)
    require_program(BIDS_VALIDATOR)
    profile = request.options.load_profile()
    require_publishable(profile)
    return Policy(
        profile=profile,
        heuristic=resolve_heuristic(request.heuristic),
        known=load_known(request.known) if request.known else NOTHING_KNOWN,
        events=load_events(request.events),
    )


def require_replaceable(request: ConvertRequest) -> None:
    """Refuse a place that the session cannot have, before anything is read.

    Raises
    ------
    ConflictError
        If the session exists and may not be replaced, does not fit with how the subject is laid
        out, or holds files that somebody added, or events that are not given again.
    """
    require_free(request.place, overwrite=request.options.overwrite)
    require_nothing_added(request.place, Ledger.read(request.private, request.place.dataset))
    require_events_again(request.place, request.events)
