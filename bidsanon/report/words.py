"""What the page calls things: gates, reasons, verdicts, kinds of values, figures."""

from __future__ import annotations

from datetime import datetime

from bidsanon.audit import FaceVerdict
from bidsanon.bids.faces import FaceClaim
from bidsanon.dicom.confidentiality import Action
from bidsanon.findings import Gate, Severity
from bidsanon.ocr import INSTALL
from bidsanon.report.record import GateState, Outcome
from bidsanon.session import DefaceVerdict, PixelReading, QuarantineReason

GATES = {
    Gate.SOURCE: ("Source", "One person, readable, and only images for conversion."),
    Gate.DEIDENTIFY: (
        "De-identify",
        "Every attribute of PS3.15 Table E.1-1, at every depth, by the profile.",
    ),
    Gate.FIDELITY: (
        "Fidelity",
        "dcm2niix says the same of the originals and of the de-identified copies.",
    ),
    Gate.CONVERT: ("Convert", "Every selected series came out under a valid BIDS name."),
    Gate.DEFACE: (
        "Deface",
        "Every image that shows a face was defaced and passed its self-check.",
    ),
    Gate.SCRUB: ("Scrub", "Sidecars, headers and tables hold what is allowed and nothing else."),
    Gate.VALIDATE: (
        "Validate",
        "The JSON Schemas, the official BIDS validator and pybids agree with the dataset.",
    ),
    Gate.RESIDUE: (
        "Residue",
        "No identifying value of the source is in any name or byte to be published.",
    ),
    Gate.PUBLISH: ("Publish", "The session reached the dataset in one step."),
}

DELIVERY_GATES = GATES | {
    Gate.SOURCE: ("Source", "Readable, and only images; the rest is in quarantine."),
    Gate.CONVERT: ("Convert", "dcm2niix made images of every series."),
    Gate.RESIDUE: ("Residue", "No identifying value of the source was found in what is delivered."),
    Gate.PUBLISH: ("Publish", "The files reached OUT in one step."),
}
"""Where files are delivered and no session is published."""

GATE_STATES = {
    GateState.PASSED: ("Passed", "✓"),
    GateState.REFUSED: ("Refused", "✕"),
    GateState.NOT_REACHED: ("Not reached", "○"),
}

SEVERITIES = {
    Severity.ERROR: "Error",
    Severity.WARNING: "Warning",
    Severity.INFO: "Note",
}

OUTCOMES = {
    Outcome.PUBLISHED: (
        "Published",
        "The session passed every gate and is in the dataset.",
    ),
    Outcome.WITHHELD_SOME: (
        "Published in part",
        "The session is in the dataset without the images that were withheld: see Faces.",
    ),
    Outcome.REFUSED: (
        "Refused",
        "Nothing was published; the dataset is as it was before the run.",
    ),
    Outcome.UNFINISHED: (
        "Not finished",
        "The run ended before the last gate. Nothing was published.",
    ),
}

OUTCOME_MARKS = {
    Outcome.PUBLISHED: ("good", "✓"),
    Outcome.WITHHELD_SOME: ("warn", "!"),
    Outcome.REFUSED: ("bad", "✕"),
    Outcome.UNFINISHED: ("quiet", "○"),
}

UNRECORDED = ("In the dataset", "There is no record of how it was made.")

DECISIONS = {
    None: "Not decided about",
    FaceVerdict.ACCEPTED: "Accepted by a person",
    FaceVerdict.REJECTED: "Rejected by a person",
}

CLAIMS = {
    FaceClaim.REMOVED: "No record; its sidecar says that the face was removed",
    FaceClaim.KEPT: "No record; its sidecar says why the face was kept",
    FaceClaim.ABSENT: "No record; its sidecar says that there was no face",
    FaceClaim.NOTHING: "Nobody knows: there is no record",
}

MOST_PLACES = 50
"""How many places of a finding a page lists."""

QUARANTINE = {
    QuarantineReason.BURNED_IN: "The file says that its pixels hold annotations (burned in).",
    QuarantineReason.SECONDARY_CAPTURE: "A screenshot or a scanned page.",
    QuarantineReason.NOT_AN_IMAGE: "A report, a presentation state, raw data: not an image.",
    QuarantineReason.TEXT_IN_PIXELS: "Text was seen in its pixels, or in those of its like.",
    QuarantineReason.PATIENT_PROTOCOL: "A protocol or dose page: text about the person as pixels.",
    QuarantineReason.MODALITY: "The profile does not allow its modality.",
    QuarantineReason.UNREADABLE: "It says that it is DICOM and cannot be understood.",
    QuarantineReason.TRUNCATED: "It ends before its pixel data do.",
    QuarantineReason.DUPLICATE: "Another file holds the same instance.",
    QuarantineReason.FACE: "Its face could not be removed for certain.",
    QuarantineReason.DICOMDIR: "A medium's directory: read, and never copied.",
}

VERDICTS = {
    DefaceVerdict.DEFACED: "Defaced, and the self-check passed",
    DefaceVerdict.NO_FACE: "No face in the image",
    DefaceVerdict.ALREADY_DEFACED: "Already defaced: left as it was",
    DefaceVerdict.NOT_NEEDED: "Shows no face by its kind",
    DefaceVerdict.UNCHECKED: "Cut where other images have the face: not checked",
    DefaceVerdict.KEPT: "Kept on purpose: nothing was removed",
    DefaceVerdict.FAILED: "Failed: not published",
}

SURENESS = {
    "headers": "By its headers",
    "name": "By its name only",
    "conflicting": "Conflicting",
    "heuristic": "By the heuristic only",
}

ACTIONS = {
    Action.REMOVE: "Removed",
    Action.EMPTY: "Emptied",
    Action.DUMMY: "Replaced by a dummy",
    Action.KEEP: "Kept",
    Action.CLEAN: "Cleaned",
    Action.REPLACE_UID: "UID replaced",
}

KINDS = {
    "name": "Names",
    "identifier": "Numbers and labels of persons, visits and devices",
    "uid": "DICOM UIDs",
    "date": "Dates, in the usual written forms",
    "time": "Times of day",
    "place": "Institutions, departments, addresses, stations",
    "text": "Free text that was removed",
    "path": "Names of original files and folders",
}

VIEWS = {
    "front": "front",
    "left": "left side",
    "right": "right side",
    "sagittal": "sagittal plane",
    "coronal": "coronal plane",
    "axial": "axial plane",
}


def pixels_words(pixels: PixelReading | None) -> str:
    """Say whether anybody looked for burned-in text in the pixels."""
    if pixels is None:
        return (
            "The pixels were not read: burned-in text was looked for in what headers say of an "
            f"image, and nowhere else ({INSTALL} adds a reader)."
        )
    undecoded = (
        f" {counted(pixels.undecoded, 'image')} could not be decoded and looked at."
        if pixels.undecoded
        else ""
    )
    return (
        f"{pixels.reader} looked for burned-in text in {counted(pixels.frames, 'frame')}, a "
        f"sample of each kind of image of each series.{undecoded}"
    )


def action_words(code: str) -> str:
    """Return what an action of Table E.1-1 does, by its code."""
    return next((text for action, text in ACTIONS.items() if action == code), code)


def kind_words(kind: str) -> str:
    """Return what a kind of identifying value is called."""
    return KINDS.get(kind, kind.capitalize())


def view_words(view: str) -> str:
    """Return what a view of a head is called."""
    return VIEWS.get(view, view)


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: "1 file", "2 files", "1 series", "2 series"."""
    plural = noun if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def byte_words(size: float) -> str:
    """Write how large a file is: "812 bytes", "1.4 MB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004 - the units of SI
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def sentence(text: str) -> str:
    """Make a sentence of a reason: a capital first, a full stop last."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def moment(when: datetime) -> str:
    """Write when something was, to the minute: "4 March 2026, 15:09 UTC"."""
    return f"{when.day} {when:%B %Y, %H:%M %Z}".strip()


def figure(value: float) -> str:
    """Write a figure with three digits that say something, and never with an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
