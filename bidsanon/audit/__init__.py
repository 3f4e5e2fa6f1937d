"""The journal of what was done, run by run."""

from bidsanon.audit.journal import (
    JOURNAL_NAME,
    Journal,
    JournalEntry,
    Outcome,
    count_findings,
    now,
)

__all__ = ["JOURNAL_NAME", "Journal", "JournalEntry", "Outcome", "count_findings", "now"]
