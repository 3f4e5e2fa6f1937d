"""Whether an instance was de-identified before, and how its dates are moved in consequence.

An instance was de-identified with this vault if its SOP Instance UID is one of the vault's own
replacements, which nobody makes without the key. Under a profile that retains UIDs, its marks and
the patient's pseudonym have to say it, and the day of the study: nobody was scanned on a day that
bidsanon shifts to.

It fails closed. Whatever an instance says of itself, a date after the years to which dates are
shifted is moved.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bidsanon.dicom.dates import FIRST_SCANNED_YEAR, SHIFTED_YEARS, DateShift, parse_date
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.uids import is_replacement_uid
from bidsanon.vault.plan import PersonPlan

METHOD_PREFIX = b"bidsanon, profile "
"""How (0012,0063) begins where bidsanon wrote it."""

WHEN = (0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x0008002A)
"""What says when an instance was made: Study, Series, Acquisition and Content Date, and the
Acquisition DateTime. The first that is there stands for the others."""

_SOP_INSTANCE_UID = 0x00080018
_PATIENT_ID = 0x00100020
_PATIENT_IDENTITY_REMOVED = 0x00120062
_DEIDENTIFICATION_METHOD = 0x00120063
_TEMPORAL_INFORMATION_MODIFIED = 0x00280303
_FIRST_DAY = date(SHIFTED_YEARS.start, 1, 1)
_LAST_DAY = date(SHIFTED_YEARS.stop - 1, 12, 31)


def date_shift(file: DicomFile, plan: PersonPlan, day: date | None) -> DateShift:
    """Return how the dates of an instance are moved.

    In one that was de-identified before with this vault, those up to 1925 stay; where its own day
    is a later one on which nobody was scanned (a session long after the person's first), those up
    to the end of that year, but for births. In one that some other program moved to 1902 to 1925,
    the dates in these years stay, but for births: there is no proof that they were moved. All
    other dates are moved by the person's days. What then is later than 1925 and later than the
    year of the instance itself is no date of the session (31 December 9999), and is not let
    through.

    Parameters
    ----------
    file
        The instance. Identified.
    plan
        The person's plan.
    day
        The day on which it was made, from :func:`day_of`.
    """
    scanned = day is not None and day.year >= FIRST_SCANNED_YEAR
    own_last = _LAST_DAY if day is None or scanned else max(_LAST_DAY, _end_of_year(day))
    stay = None
    births = None
    if _is_of_this_vault(file, plan, day):
        stay, births = (date.min, own_last), _LAST_DAY
    elif day is not None and _FIRST_DAY <= day <= _LAST_DAY:
        stay = _FIRST_DAY, _LAST_DAY
    shift = DateShift(days=plan.shift_days, stay=stay, births_stay_until=births)
    moved = day and shift.moved(day)
    looks_shifted = moved is not None and moved.year < FIRST_SCANNED_YEAR
    latest = max(_LAST_DAY, _end_of_year(moved)) if moved and looks_shifted else _LAST_DAY
    return replace(shift, latest=latest)


def day_of(file: DicomFile) -> date | None:
    """Return the day on which an instance was made, as it says; None where it does not say."""
    for tag in WHEN:
        day = parse_date(file.ascii(tag)[:10])
        day = day or parse_date(file.ascii(tag)[:8])
        if day is not None:
            return day
    return None


def _is_of_this_vault(file: DicomFile, plan: PersonPlan, day: date | None) -> bool:
    uid = file.ascii(_SOP_INSTANCE_UID)
    if is_replacement_uid(uid, key=plan.uid_key):
        return True
    if day is None or not SHIFTED_YEARS.start <= day.year < FIRST_SCANNED_YEAR:
        return False
    marked = (
        file.value(_PATIENT_IDENTITY_REMOVED) == b"YES"
        and file.value(_TEMPORAL_INFORMATION_MODIFIED) == b"MODIFIED"
    )
    methods = file.value(_DEIDENTIFICATION_METHOD).split(b"\\")
    named = file.value(_PATIENT_ID) == plan.patient_id.encode()
    return marked and (named or any(method.startswith(METHOD_PREFIX) for method in methods))


def _end_of_year(day: date) -> date:
    return date(day.year, 12, 31)
