"""The de-identifiers that the suite is put to: bidsanon, and others where they are installed."""

from __future__ import annotations

import hashlib
import io
from functools import cache

from pydicom import dcmread

from bidsanon.deidentify import NotUnderstoodError, deidentify_instance
from bidsanon.profile import load_profile
from bidsanon.vault import PersonPlan
from planted.checks import UNREADABLE
from planted.suite import Tool

_SHIFT_DAYS = -33_333


def bidsanon(profile: str) -> Tool:
    """Return bidsanon with one of its profiles, file by file."""
    rules = load_profile(profile)

    def clean(files: dict[str, bytes]) -> dict[str, bytes | None]:
        after: dict[str, bytes | None] = {}
        for name, content in files.items():
            try:
                instance = deidentify_instance(content, profile=rules, plan=_plan(_person(content)))
            except NotUnderstoodError:
                after[name] = None
            else:
                after[name] = instance.content
        return after

    return clean


def _person(content: bytes) -> str:
    try:
        return str(dcmread(io.BytesIO(content), specific_tags=["PatientID"]).get("PatientID", ""))
    except UNREADABLE:
        return ""


@cache
def _plan(person: str) -> PersonPlan:
    number = int.from_bytes(hashlib.sha256(person.encode()).digest()[:2])
    return PersonPlan(
        subject=f"{number}",
        patient_id=f"pseudo-{number}",
        patient_name=f"pseudo-{number}",
        shift_days=_SHIFT_DAYS - number % 100,
        uid_key=b"u" * 32,
        label_key=b"l" * 32,
    )
