"""The page about one session that a person looks at."""

from bidsanon.report.page import write_report
from bidsanon.report.record import (
    GateEntry,
    GateState,
    IgnoredEntry,
    Outcome,
    QuarantineEntry,
    ResidueEntry,
    SeriesEntry,
    SessionReport,
    gate_entries,
    quarantine_entries,
    series_entries,
)

__all__ = [
    "GateEntry",
    "GateState",
    "IgnoredEntry",
    "Outcome",
    "QuarantineEntry",
    "ResidueEntry",
    "SeriesEntry",
    "SessionReport",
    "gate_entries",
    "quarantine_entries",
    "series_entries",
    "write_report",
]
