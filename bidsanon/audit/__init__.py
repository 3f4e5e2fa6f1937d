"""What was done and decided, and on request what identifies (the mapping, the values)."""

from bidsanon.audit.changed_values import (
    VALUES_NAME,
    ChangedValue,
    ChangedValues,
    forget_changed_values,
    new_part,
    read_originals,
    write_part,
)
from bidsanon.audit.decisions import (
    DECISIONS_NAME,
    FaceDecision,
    FaceDecisions,
    FaceVerdict,
    record_decision,
    withdraw_decision,
)
from bidsanon.audit.deident_map import (
    MAP_NAME,
    MapEntry,
    map_text,
    read_deident_map,
    write_deident_map,
)
from bidsanon.audit.journal import (
    JOURNAL_NAME,
    ImageOrigin,
    Journal,
    JournalEntry,
    Outcome,
    count_findings,
    now,
)

__all__ = [
    "DECISIONS_NAME",
    "JOURNAL_NAME",
    "MAP_NAME",
    "VALUES_NAME",
    "ChangedValue",
    "ChangedValues",
    "FaceDecision",
    "FaceDecisions",
    "FaceVerdict",
    "ImageOrigin",
    "Journal",
    "JournalEntry",
    "MapEntry",
    "Outcome",
    "count_findings",
    "forget_changed_values",
    "map_text",
    "new_part",
    "now",
    "read_deident_map",
    "read_originals",
    "record_decision",
    "withdraw_decision",
    "write_deident_map",
    "write_part",
]
