"""The de-identification stage: PS3.15 Annex E on DICOM files, and the identity harvest."""

from bidsanon.deidentify.instance import DeidentifiedInstance, deidentify_instance
from bidsanon.deidentify.mapping import map_entries, map_entry
from bidsanon.deidentify.replacements import Replacements
from bidsanon.deidentify.staging import HarvestedFiles, deidentify_session, harvest_files
from bidsanon.dicom.encoding import NotUnderstoodError

__all__ = [
    "DeidentifiedInstance",
    "HarvestedFiles",
    "NotUnderstoodError",
    "Replacements",
    "deidentify_instance",
    "deidentify_session",
    "harvest_files",
    "map_entries",
    "map_entry",
]
