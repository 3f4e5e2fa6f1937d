"""What travels between the stages. The order of the stages is the order of these types.

    SourceSession -> DeidentifiedSession -> ConvertedSession -> DefacedSession -> ScrubbedSession

Each holds the one before it, so identified DICOM cannot reach a later stage unnoticed: heudiconv
takes a DeidentifiedSession and nothing else. The stages know these records and not each other.
Paths below ``source`` are identified; everything else is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bidsanon.findings import Finding
from bidsanon.identity import IdentifyingValue
from bidsanon.notes import Note


class QuarantineReason(StrEnum):
    """Why a file of the source is not converted."""

    BURNED_IN = "burned-in"
    """BurnedInAnnotation (0028,0301) is YES."""
    SECONDARY_CAPTURE = "secondary-capture"
    """A screenshot or scanned page, by SOP class, image type or conversion type."""
    NOT_AN_IMAGE = "not-an-image"
    """A report, presentation state, PDF, raw data, waveform or private object."""
    TEXT_IN_PIXELS = "text-in-pixels"
    """Words were found in its pixels, or in those of an image made as it is."""
    PATIENT_PROTOCOL = "patient-protocol"
    """A "Patient Protocol" or dose page: identifying text as pixels."""
    MODALITY = "modality"
    """Its modality is not in the profile's list."""
    UNREADABLE = "unreadable"
    """It says that it is DICOM and cannot be understood."""
    TRUNCATED = "truncated"
    """It ends before its pixel data do."""
    DUPLICATE = "duplicate"
    """Another file holds the same instance (same SOP Instance UID)."""
    FACE = "face"
    """Its face could not be removed for certain, and what fails is left out."""
    DICOMDIR = "dicomdir"
    """A medium's directory: read, and never copied."""


@dataclass(frozen=True, kw_only=True)
class SourceInstance:
    """One identified DICOM file.

    Attributes
    ----------
    path
        The original file (or its copy from an archive). Identified, never written to.
    sop_class_uid, sop_instance_uid, transfer_syntax_uid
        As the file says.
    instance_number
        (0020,0013), or None.
    """

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    instance_number: int | None


@dataclass(frozen=True, kw_only=True)
class SourceSeries:
    """The images of one series that are to be converted.

    Attributes
    ----------
    index
        1, 2, ... in acquisition order: "series 3" in messages. Carries nothing identifying.
    series_instance_uid
        (0020,000E), identified.
    series_number
        (0020,0011), or None.
    modality
        (0008,0060).
    description
        (0008,103E) or else the protocol name. An operator typed it: identified.
    study_date
        (0008,0020) as the file says, or an empty string. Identified.
    start
        When its first instance was acquired, as sortable text. Identified.
    instances
        In the order of their instance numbers.
    """

    index: int
    series_instance_uid: str
    series_number: int | None
    modality: str
    description: str
    study_date: str
    start: str
    instances: tuple[SourceInstance, ...]


@dataclass(frozen=True, kw_only=True)
class QuarantinedFile:
    """A file of the source that is not converted, and why."""

    path: Path
    reason: QuarantineReason
    series_index: int | None = None


@dataclass(frozen=True, kw_only=True)
class PixelReading:
    """That the pixels of a source were looked at for text.

    Attributes
    ----------
    reader
        What read them, with its version.
    frames
        How many frames were looked at.
    undecoded
        How many images could not be looked at, because they cannot be decoded here.
    """

    reader: str
    frames: int
    undecoded: int


@dataclass(frozen=True, kw_only=True)
class SourceSession:
    """One person's identified DICOM of one session.

    Attributes
    ----------
    roots
        The folders in which the files are (archives: where they were unpacked).
    given
        The names that the user gave as SOURCE, and all names of files and folders below them:
        what an original name could look like when it leaks.
    person
        What tells this person from another within the vault: Patient ID (0010,0020) and its
        issuer, normalised; the name where there is no ID. Identified.
    series
        In acquisition order.
    quarantine
        What is not converted.
    other_files
        How many files were no DICOM at all.
    findings
        What the source gate says.
    persons
        Of each file, what tells its person from another within the vault, where a source may
        hold several. Identified.
    pixels
        How the pixels were looked at for text; None where nothing is installed that could.
    unpacked
        The archive or compressed file of which each folder or file was unpacked. Identified.
    """

    roots: tuple[Path, ...]
    given: tuple[str, ...]
    person: str
    series: tuple[SourceSeries, ...]
    quarantine: tuple[QuarantinedFile, ...]
    other_files: int
    findings: tuple[Finding, ...] = ()
    persons: Mapping[Path, str] = field(default_factory=dict)
    pixels: PixelReading | None = None
    unpacked: Mapping[Path, Path] = field(default_factory=dict)

    @property
    def instance_uid(self) -> str:
        """The SOP Instance UID of the first image; empty where there is none. Identified."""
        return next((i.sop_instance_uid for s in self.series for i in s.instances), "")


@dataclass(frozen=True, kw_only=True)
class Participant:
    """What may be published about the person.

    Attributes
    ----------
    age_years
        Age at the session, at most 89; None where unknown or not kept.
    sex
        "M", "F" or "O"; None where unknown or not kept.
    """

    age_years: int | None = None
    sex: str | None = None


@dataclass(frozen=True, kw_only=True)
class CodedConcept:
    """A code of CID 7050, as (0012,0064) and BIDS's DeidentificationMethodCodeSequence hold it."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class DeidentifiedSeries:
    """One series as de-identified copies.

    Attributes
    ----------
    source
        The series that it was made from.
    folder
        The folder that holds its files and nothing else.
    files
        In the order of the source's instances.
    methods
        How the series was de-identified, in words: before, as its first instance says, and now.
    method_codes
        The same as codes.
    """

    source: SourceSeries
    folder: Path
    files: tuple[Path, ...]
    methods: tuple[str, ...] = ()
    method_codes: tuple[CodedConcept, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeidentifiedSession:
    """De-identified copies in the private folder, and what was taken out of them.

    Attributes
    ----------
    source
        What it was made from.
    folder
        Holds a folder for each series.
    series
        In acquisition order.
    identity
        Every identifying value that was removed or replaced, each once, sorted.
    participant
        What may be published about the person.
    method
        (0012,0063): what was done, in words.
    method_codes
        (0012,0064).
    first_acquisition
        When the session's first image was acquired, ISO 8601 with the shifted date and the true
        time of day: the staged copies keep times, the publication does not.
    changes
        How many elements each action touched, by the action's code.
    findings
        What the de-identification gate says.
    notes
        What was cut, emptied or changed where, and why.
    """

    source: SourceSession
    folder: Path
    series: tuple[DeidentifiedSeries, ...]
    identity: tuple[IdentifyingValue, ...]
    participant: Participant
    method: str
    method_codes: tuple[CodedConcept, ...]
    first_acquisition: str | None
    changes: dict[str, int]
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ConvertedImage:
    """One NIfTI image that heudiconv wrote.

    Attributes
    ----------
    path
        The image, relative to the session's root, with forward slashes.
    series_index
        Which series it came from; the first of them where several were joined.
    datatype, suffix
        As its name says ("anat", "T1w").
    joined
        All the series that it came from; empty where it is one.
    """

    path: str
    series_index: int
    datatype: str
    suffix: str
    joined: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SkippedSeries:
    """A series that the heuristic leaves out on purpose, and why."""

    series_index: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ConvertedPart:
    """Images of a session that is still being converted: they may be read, and not yet be changed.

    Attributes
    ----------
    root
        What will be the session's root.
    images
        What was made for one of the heuristic's names.
    to_come
        The names that are still to be converted: paths without an extension.
    """

    root: Path
    images: tuple[ConvertedImage, ...]
    to_come: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConvertedSession:
    """What heudiconv made, in the private folder.

    Attributes
    ----------
    deidentified
        What it was made from.
    root
        A folder that holds ``sub-…/`` and nothing else.
    subject, session
        Labels without their prefix; session may be None.
    images
        Sorted by path.
    skipped
        The series that the heuristic left out.
    tools
        Name to version: dcm2niix, heudiconv.
    findings
        What the conversion and the fidelity gates say.
    """

    deidentified: DeidentifiedSession
    root: Path
    subject: str
    session: str | None
    images: tuple[ConvertedImage, ...]
    skipped: tuple[SkippedSeries, ...]
    tools: dict[str, str]
    findings: tuple[Finding, ...] = ()


class DefaceVerdict(StrEnum):
    """How the defacing of one image ended."""

    DEFACED = "defaced"
    """The face was removed and the self-check passed."""
    NO_FACE = "no-face"
    """There is no face tissue in the image: nothing to remove."""
    ALREADY_DEFACED = "already-defaced"
    """A head whose face somebody cut off before: nothing was removed."""
    NOT_NEEDED = "not-needed"
    """An image of this kind does not show a face."""
    UNCHECKED = "unchecked"
    """Too thin for a check of its own: cut where other images have the face."""
    KEPT = "kept"
    """Nothing was removed, for the reason that the user gave."""
    FAILED = "failed"
    """The self-check refused: the image is not published."""


@dataclass(frozen=True, kw_only=True)
class DefaceOutcome:
    """What was done about the face in one image.

    Attributes
    ----------
    path
        The image, relative to the session's root.
    verdict
        How it ended.
    engine
        What registered the template: "bidsanon" or "pydeface"; empty where nothing ran.
    engine_version
        Of what it is made and in which version, in words; empty where nothing ran.
    reason
        Why, in words.
    figures
        The self-check's figures, by name.
    pictures
        PNG files in the private folder, by name ("before-front", "after-left", ...).
    mask
        The defacemask that was written, relative to the session's root; empty if none was.
    """

    path: str
    verdict: DefaceVerdict
    engine: str
    reason: str
    engine_version: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, Path] = field(default_factory=dict)
    mask: str = ""


@dataclass(frozen=True, kw_only=True)
class DefacedSession:
    """The converted session with faces removed (in place, in the private folder).

    Attributes
    ----------
    converted
        What it was made from.
    outcomes
        One for each image of `converted`, in its order.
    withheld
        Images that were taken out because they failed (``--withhold``).
    findings
        What the defacing gate says.
    """

    converted: ConvertedSession
    outcomes: tuple[DefaceOutcome, ...]
    withheld: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScrubbedSession:
    """The session as it is to be published.

    Attributes
    ----------
    defaced
        What it was made from.
    root
        Holds ``sub-…/`` and nothing else.
    removed_keys
        How often each sidecar key was removed. Names of keys, never values.
    findings
        What the scrub gate says.
    """

    defaced: DefacedSession
    root: Path
    removed_keys: dict[str, int]
    findings: tuple[Finding, ...] = ()

    @property
    def subject(self) -> str:
        """The subject's label, without ``sub-``."""
        return self.defaced.converted.subject

    @property
    def session(self) -> str | None:
        """The session's label, without ``ses-``."""
        return self.defaced.converted.session
