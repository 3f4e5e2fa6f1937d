"""What may be published about the person, and when the images were acquired."""

from __future__ import annotations

import re
from datetime import date

from bidsanon.deidentify.cleanings import OLDEST_AGE_YEARS
from bidsanon.dicom.dates import DATES_AND_TIMES, is_valid_time, parse_date
from bidsanon.dicom.file_format import DicomFile
from bidsanon.session import Participant

_SEX = 0x00100040
_AGE = 0x00101010
_BIRTH_DATE = 0x00100030
_STUDY_DATE = 0x00080020
_ACQUISITION_DATETIME = 0x0008002A
_DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_AGE_FORM = re.compile(r"(\d{3})([DWMY])")
_MOMENT = re.compile(r"(\d{8})(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6}))?(?:[+-]\d{4})?")


def participant_of(file: DicomFile) -> Participant:
    """Read age and sex from one file: the age as it says, or from the birth date."""
    sex = file.ascii(_SEX)
    age = _stated_age(file)
    if age is None:
        age = _years_between(_day(file, _BIRTH_DATE), _day(file, _STUDY_DATE))
    return Participant(
        age_years=None if age is None else min(age, OLDEST_AGE_YEARS),
        sex=sex if sex in ("M", "F", "O") else None,
    )


def moment_of(file: DicomFile) -> str:
    """Return when an instance was acquired: YYYYMMDDHHMMSS.FFFFFF, or empty where unknown."""
    match = _MOMENT.fullmatch(file.ascii(_ACQUISITION_DATETIME))
    if match and parse_date(match[1]):
        return _moment(match[1], match[2] + (match[3] or "00") + (match[4] or "00"), match[5])
    for date_tag, time_tag in DATES_AND_TIMES:
        day, time = file.ascii(date_tag), file.ascii(time_tag)
        if time and is_valid_time(time) and parse_date(day):
            seconds, _, fraction = time.partition(".")
            return _moment(day, seconds, fraction)
    return ""


def iso_moment(moment: str) -> str:
    """Write a moment as ISO 8601."""
    day, time = moment[:8], moment[8:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"


def _moment(day: str, time: str, fraction: str | None) -> str:
    return f"{day}{time:0<6}.{fraction or '':0<6}"


def _day(file: DicomFile, tag: int) -> date | None:
    return parse_date(file.ascii(tag))


def _stated_age(file: DicomFile) -> int | None:
    """Return the age (0010,1010) in whole years; "000Y" is what scanners write for no age."""
    match = _AGE_FORM.fullmatch(file.ascii(_AGE))
    if match is None or match[0] == "000Y":
        return None
    return int(int(match[1]) * _DAYS[match[2]] / _DAYS["Y"])


def _years_between(birth: date | None, then: date | None) -> int | None:
    if birth is None or then is None or then < birth:
        return None
    return then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))
