"""The de-identification stage: PS3.15 Annex E on DICOM files, and the identity harvest."""

from bidsanon.deidentify.instance import DeidentifiedInstance, deidentify_instance
from bidsanon.deidentify.mapping import map_entries, map_entry
from bidsanon.deidentify.replacements import Replacements
from bidsanon.deidentify.staging import deidentify_session
from bidsanon.dicom.encoding import NotUnderstoodError

__all__ = [
    "DeidentifiedInstance",
    "NotUnderstoodError",
    "Replacements",
    "deidentify_instance",
    "deidentify_session",
    "map_entries",
    "map_entry",
]
