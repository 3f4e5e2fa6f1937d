"""One made-up person in a few records, for tests of what is done to them."""

from __future__ import annotations

from bidsanon.audit import MapEntry
from bidsanon.vault import PersonPlan

JANE = MapEntry(
    original_id="4711",
    original_name="Doe^Jane",
    new_id="sub-01",
    new_name="sub-01",
    original_study_uid="1.2.3",
    new_study_uid="2.25.9",
    original_study_date="20180307",
    new_study_date="19100102",
)
"""Who became whom."""

PLAN = PersonPlan(
    subject="01",
    patient_id="pseudo-7",
    patient_name="pseudo-name-7",
    shift_days=-36_524,
    uid_key=b"u" * 32,
    label_key=b"l" * 32,
)
"""What is done to a person's files."""
