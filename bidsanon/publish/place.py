"""Where a session goes in a dataset, and whether it may go there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.errors import ConflictError, UsageError
from bidsanon.files import require_apart

_LABEL = re.compile(r"[0-9A-Za-z]+")


@dataclass(frozen=True, kw_only=True)
class SessionPlace:
    """A session's place in a dataset.

    Attributes
    ----------
    dataset
        The dataset's folder.
    subject, session
        Labels without their prefix; session may be None.
    """

    dataset: Path
    subject: str
    session: str | None

    @property
    def relative(self) -> PurePosixPath:
        """The session's folder, relative to the dataset."""
        subject = PurePosixPath(f"sub-{self.subject}")
        return subject / f"ses-{self.session}" if self.session else subject

    @property
    def name(self) -> str:
        """What the session is called in file names: ``sub-01_ses-02``."""
        return "_".join(self.relative.parts)

    @property
    def exists(self) -> bool:
        """Whether the dataset holds the session."""
        return (self.dataset / self.relative).exists()

    @property
    def is_alone(self) -> bool:
        """Whether the dataset holds no other session of the subject."""
        if self.session is None:
            return True
        subject = self.dataset / f"sub-{self.subject}"
        return all(path.name == self.relative.name for path in subject.glob("ses-*"))


def clean_label(text: str, *, prefix: str) -> str:
    """Return a BIDS label without its prefix.

    Parameters
    ----------
    text
        What the user gave: ``01`` or ``sub-01``.
    prefix
        ``sub-`` or ``ses-``.

    Raises
    ------
    UsageError
        If the label is not letters and digits only.
    """
    label = text.removeprefix(prefix)
    if not _LABEL.fullmatch(label) or not label.isascii():
        kind = "subject" if prefix == "sub-" else "session"
        raise UsageError(
            f"the {kind} label may hold letters and digits only",
            cure=f"choose another, such as {prefix}01; never a name or a record number",
        )
    return label


def require_dataset_folder(dataset: Path, *, private: Path) -> None:
    """Refuse a place that cannot be a BIDS dataset of its own.

    Raises
    ------
    UsageError
        If it is a file, a folder that holds something else than a BIDS dataset, or shares its
        tree with the private folder.
    """
    if dataset.exists() and not dataset.is_dir():
        raise UsageError("the DATASET is a file", cure="give a folder with -o")
    if dataset.is_dir() and any(dataset.iterdir()):
        described = (dataset / DESCRIPTION).is_file()
        if not described:
            raise UsageError(
                "the DATASET holds files but no dataset_description.json: it is no BIDS dataset",
                cure="give an empty or a new folder with -o",
            )
    require_apart(private, dataset, first_name="the private folder", second_name="the dataset")


def private_beside(dataset: Path) -> Path:
    """Return where a dataset's private folder is without ``--private``."""
    return dataset.with_name(f"{dataset.name}.private")


def require_free(place: SessionPlace, *, overwrite: bool) -> None:
    """Refuse a session that exists, or that does not fit with how the subject is laid out.

    Raises
    ------
    ConflictError
        If the session exists and `overwrite` is not set, or the subject has sessions and this
        one has no label, or the other way round.
    """
    subject = place.dataset / f"sub-{place.subject}"
    if not subject.is_dir():
        return
    has_sessions = any(subject.glob("ses-*"))
    if has_sessions and place.session is None:
        raise ConflictError(
            f"sub-{place.subject} has sessions in this dataset", cure="name this one with -ss"
        )
    if not has_sessions and place.session is not None and any(subject.iterdir()):
        raise ConflictError(
            f"sub-{place.subject} has no sessions in this dataset",
            cure="leave out -ss and use --overwrite, or choose another subject label",
        )
    if place.exists and not overwrite:
        raise ConflictError(
            f"{place.name} exists already in the dataset",
            cure="give a further visit a label of its own with -ss, or redo this one from the new "
            "source with --overwrite",
        )
