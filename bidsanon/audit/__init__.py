"""What was done: the journal, and on request what identifies (the mapping, the values)."""

from bidsanon.audit.changed_values import (
    VALUES_NAME,
    ChangedValue,
    ChangedValues,
    new_part,
    write_part,
)
from bidsanon.audit.deident_map import MAP_NAME, MapEntry, read_deident_map, write_deident_map
from bidsanon.audit.journal import (
    JOURNAL_NAME,
    Journal,
    JournalEntry,
    Outcome,
    count_findings,
    now,
)

__all__ = [
    "JOURNAL_NAME",
    "MAP_NAME",
    "VALUES_NAME",
    "ChangedValue",
    "ChangedValues",
    "Journal",
    "JournalEntry",
    "MapEntry",
    "Outcome",
    "count_findings",
    "new_part",
    "now",
    "read_deident_map",
    "write_deident_map",
    "write_part",
]
