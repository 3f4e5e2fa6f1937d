"""What a worker needs to know of the vault to de-identify one person's files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, repr=False)
class PersonPlan:
    """One person's pseudonyms, date shift and keys: plain data that a worker process takes.

    Its keys are secret: it has no repr, and it is never written to a file.

    Attributes
    ----------
    subject
        The subject's label, without ``sub-``.
    patient_id
        What replaces (0010,0020).
    patient_name
        What replaces (0010,0010).
    shift_days
        How many days are added to every date of the person. Negative: into the past.
    uid_key
        The key of UID replacement: the same for the whole vault.
    label_key
        The key of pseudonyms of devices, places and numbers: the same for the whole vault.
    """

    subject: str
    patient_id: str
    patient_name: str
    shift_days: int
    uid_key: bytes
    label_key: bytes
