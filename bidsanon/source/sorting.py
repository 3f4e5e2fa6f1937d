"""What of the source is an image for conversion, and why the rest is not.

Chosen by SOP class, image type, conversion type, the capturing device and the series' name rather
than by modality: screenshots and text plots are often stored as MR images. CTP's filter for
burned-in pixels and pydicom/deid's list ask the same; that an image is DERIVED or SECONDARY is not
enough here, or no reformatted image and no diffusion map would be left.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from pydicom.config import IGNORE
from pydicom.uid import UID

from bidsanon.session import QuarantineReason
from bidsanon.source.header import MEDIA_STORAGE_DIRECTORY, Header, Soundness

_SCREENSHOT_TYPES = frozenset(
    {
        "CSA REPORT",  # Siemens: plots and tables as pixels
        "DEMOGRAPHICDATA",  # a page about the person
        "DUMMY IMAGE",  # Siemens: pixels that stand for a raw data file
        "POSDISP",  # Siemens: a localiser with the planned slices drawn into it
        "REPORTDATA",  # a page of a report
        "SCREEN SAVE",  # GE, Philips
        "SCREEN SHOT",
        "SCREENSAVE",
        "SCREENSHOT",
    }
)
_TEXT_PAGE = re.compile(
    r"patient[ _-]*protocol|(?:dose|exam|contrast|protocol)[ _-]*(?:report|record|summary|page)"
    r"|dose[ _-]*info|nomination[ _-]*form",
    re.IGNORECASE,
)
_REPORT = re.compile(r"(?<![a-z])report(?![a-z])", re.IGNORECASE)
_SAVED_SCREEN = re.compile(
    r"(?<![a-z])saved?(?![a-z])|screen[ _-]*(?:save|shot|capture|grab)|snap[ _-]*shot",
    re.IGNORECASE,
)
_CAPTURED = re.compile("Secondary Capture|Hardcopy")  # of a screen; of a film with its margins
_STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_PRESENTATION_STATES = "1.2.840.10008.5.1.4.1.1.11."


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """What is let through.

    Attributes
    ----------
    modalities
        The modalities (0008,0060) of images.
    structured_content
        Whether structured reports are.
    graphics
        Whether presentation states are.
    """

    modalities: frozenset[str]
    structured_content: bool = False
    graphics: bool = False


def quarantine_reason(header: Header, admitted: Admitted) -> QuarantineReason | None:
    """Say why a file is not converted; None if it is to be.

    Parameters
    ----------
    header
        What the file says about itself.
    admitted
        What the profile, and what is made of the files, let through.
    """
    if _is_admitted_document(header, admitted):
        return _reason_by_soundness(header, pixels=False)
    if header.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
        return QuarantineReason.DICOMDIR
    if not header.sop_class_uid:
        return QuarantineReason.UNREADABLE
    return (
        _reason_by_kind(header)
        or (QuarantineReason.MODALITY if _is_of_another(header, admitted.modalities) else None)
        or _reason_by_soundness(header, pixels=True)
    )


def _is_admitted_document(header: Header, admitted: Admitted) -> bool:
    """Whether a file is a report or a presentation state (PS3.4 B.5), and these are wanted."""
    uid = header.sop_class_uid
    return (admitted.structured_content and uid.startswith(_STRUCTURED_REPORTS)) or (
        admitted.graphics and uid.startswith(_PRESENTATION_STATES)
    )


def _reason_by_kind(header: Header) -> QuarantineReason | None:
    name = _name(header.sop_class_uid)
    if "Image Storage" not in name:
        return QuarantineReason.NOT_AN_IMAGE
    if "YES" in header.burned_in.upper():
        return QuarantineReason.BURNED_IN
    if _is_text_page(header):
        return QuarantineReason.PATIENT_PROTOCOL
    if _CAPTURED.search(name) or _is_screenshot(header):
        return QuarantineReason.SECONDARY_CAPTURE
    return None


def _is_text_page(header: Header) -> bool:
    words = (header.description, *header.image_type)
    return any(map(_TEXT_PAGE.search, words)) or _REPORT.search(header.description) is not None


def _is_screenshot(header: Header) -> bool:
    types = {part.upper() for part in header.image_type}
    return (
        bool(header.conversion_type)
        or header.captured
        or _SAVED_SCREEN.search(header.description) is not None
        or bool(types & _SCREENSHOT_TYPES)
        or (header.form.samples > 1 and {"DERIVED", "SECONDARY"} <= types)
    )


def _is_of_another(header: Header, modalities: Collection[str]) -> bool:
    if not header.modality and header.soundness is not Soundness.WHOLE:
        return False  # it ends before it could say
    return header.modality not in modalities


def _reason_by_soundness(header: Header, *, pixels: bool) -> QuarantineReason | None:
    without_pixels = header.soundness is Soundness.WITHOUT_PIXELS
    if header.soundness is Soundness.ENDS_EARLY or (pixels and without_pixels):
        return QuarantineReason.TRUNCATED
    if header.soundness is Soundness.NOT_UNDERSTOOD:
        return QuarantineReason.UNREADABLE
    if not (header.series_uid and header.sop_instance_uid):
        return QuarantineReason.UNREADABLE
    return None


@cache
def _name(sop_class_uid: str) -> str:
    """Return the name of a SOP class of the standard; a private one's UID is its name."""
    return UID(sop_class_uid, validation_mode=IGNORE).name
