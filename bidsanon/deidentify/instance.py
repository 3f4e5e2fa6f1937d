"""One instance by itself: bytes in, bytes out, and what was taken out of it."""

from __future__ import annotations

from dataclasses import dataclass

from bidsanon.deidentify.deidentifier import Deidentifier, counted
from bidsanon.deidentify.harvest import settle
from bidsanon.identity import IdentifyingValue
from bidsanon.notes import Note, settle_notes
from bidsanon.profile import Profile
from bidsanon.vault.plan import PersonPlan


@dataclass(frozen=True, kw_only=True)
class DeidentifiedInstance:
    """One instance without what identifies.

    Attributes
    ----------
    content
        The DICOM file.
    sop_instance_uid
        Its new (0008,0018).
    identity
        What was taken out of it.
    changes
        How many elements each action touched, by the action's code.
    notes
        What was cut, emptied or changed where, and why.
    """

    content: bytes
    sop_instance_uid: str
    identity: tuple[IdentifyingValue, ...]
    changes: dict[str, int]
    notes: tuple[Note, ...] = ()


def deidentify_instance(
    content: bytes, *, profile: Profile, plan: PersonPlan, marked: bool = True
) -> DeidentifiedInstance:
    """De-identify one DICOM file by itself.

    Its free text loses whatever the file says about person, staff, place and time, wherever it
    says so. For many files of one person use :class:`Deidentifier`, which decides only once.

    Parameters
    ----------
    content
        A DICOM file.
    profile
        What is done to each attribute.
    plan
        The person's pseudonyms, date shift and keys.
    marked
        Whether (0012,0063) and (0012,0064) are written.

    Raises
    ------
    NotUnderstoodError
        If any of it cannot be understood.
    """
    first = Deidentifier(profile=profile, plan=plan)
    first.clean(content)
    deidentifier = first.knowing(first.harvest.drain().identity, marked=marked)
    cleaned = deidentifier.clean(content)
    return DeidentifiedInstance(
        content=b"".join(cleaned.pieces),
        sop_instance_uid=cleaned.sop_instance_uid,
        identity=settle([deidentifier.harvest.drain()]),
        changes=counted(deidentifier.changes),
        notes=settle_notes([deidentifier.notes]),
    )
