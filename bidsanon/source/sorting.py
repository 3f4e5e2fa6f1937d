"""What of the source is an image for conversion, and why the rest is not.

Chosen by SOP class, image type and conversion type rather than by modality: screenshots and text
plots are often stored as MR images.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from pydicom.config import IGNORE
from pydicom.uid import UID

from bidsanon.session import QuarantineReason
from bidsanon.source.header import MEDIA_STORAGE_DIRECTORY, Header, Soundness

_SCREENSHOT_TYPES = frozenset(
    {
        "CSA REPORT",  # Siemens: plots and tables as pixels
        "DUMMY IMAGE",  # Siemens: pixels that stand for a raw data file
        "POSDISP",  # Siemens: a localiser with the planned slices drawn into it
        "SCREEN SAVE",  # GE, Philips
        "SCREEN SHOT",
        "SCREENSAVE",
        "SCREENSHOT",
    }
)
_TEXT_PAGE = re.compile(
    r"patient[ _-]*protocol|(?:dose|exam|contrast|protocol)[ _-]*(?:report|record|summary|page)"
    r"|dose[ _-]*info",
    re.IGNORECASE,
)
_COLOUR = 3


def quarantine_reason(header: Header, modalities: Collection[str]) -> QuarantineReason | None:
    """Say why a file is not converted; None if it is to be.

    Parameters
    ----------
    header
        What the file says about itself.
    modalities
        The modalities (0008,0060) that the profile lets through.
    """
    if header.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
        return QuarantineReason.DICOMDIR
    if not header.sop_class_uid:
        return QuarantineReason.UNREADABLE
    return (
        _reason_by_kind(header)
        or (QuarantineReason.MODALITY if _is_of_another(header, modalities) else None)
        or _reason_by_soundness(header)
    )


def _reason_by_kind(header: Header) -> QuarantineReason | None:
    name = _name(header.sop_class_uid)
    if "Image Storage" not in name:
        return QuarantineReason.NOT_AN_IMAGE
    if header.burned_in.upper() == "YES":
        return QuarantineReason.BURNED_IN
    if _TEXT_PAGE.search(header.description) or any(map(_TEXT_PAGE.search, header.image_type)):
        return QuarantineReason.PATIENT_PROTOCOL
    if "Secondary Capture" in name or _is_screenshot(header):
        return QuarantineReason.SECONDARY_CAPTURE
    return None


def _is_screenshot(header: Header) -> bool:
    types = {part.upper() for part in header.image_type}
    return (
        bool(header.conversion_type)
        or bool(types & _SCREENSHOT_TYPES)
        or (header.samples == _COLOUR and {"DERIVED", "SECONDARY"} <= types)
    )


def _is_of_another(header: Header, modalities: Collection[str]) -> bool:
    if not header.modality and header.soundness is not Soundness.WHOLE:
        return False  # it ends before it could say
    return header.modality not in modalities


def _reason_by_soundness(header: Header) -> QuarantineReason | None:
    if header.soundness is Soundness.ENDS_EARLY:
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
