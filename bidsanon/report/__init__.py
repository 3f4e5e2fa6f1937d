"""The pages that a person looks at: of a run, of a session, of a dataset."""

from bidsanon.report.delivery import DeliveryReport, write_delivery_report
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
from bidsanon.report.stored import keep_record, read_record

__all__ = [
    "DeliveryReport",
    "GateEntry",
    "GateState",
    "IgnoredEntry",
    "Outcome",
    "QuarantineEntry",
    "ResidueEntry",
    "SeriesEntry",
    "SessionReport",
    "gate_entries",
    "keep_record",
    "quarantine_entries",
    "read_record",
    "series_entries",
    "write_delivery_report",
    "write_report",
]
