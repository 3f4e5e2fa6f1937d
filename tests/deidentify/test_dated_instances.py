"""Dates of instances: moved once, never guessed, in step with ages, and never let through."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, config, dcmread
from pydicom.sequence import Sequence

from bidsanon.deidentify import deidentify_instance
from bidsanon.dicom.dates import DateShift, format_date, parse_date
from bidsanon.dicom.encoding import EXPLICIT_LITTLE
from bidsanon.dicom.file_format import read_file, write_file_head
from bidsanon.dicom.uids import replace_uid
from bidsanon.dicom.writing import write_element
from bidsanon.notes import Note, NoteReason
from bidsanon.profile import Profile, amend_profile, load_profile
from bidsanon.vault import PersonPlan

Deidentified = Callable[..., tuple[Dataset, Any]]

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
STUDY_DATE, SERIES_DATE, ACQUISITION_DATE, CONTENT_DATE = (
    0x00080020,
    0x00080021,
    0x00080022,
    0x00080023,
)
ACQUISITION_DATETIME, STUDY_TIME, ACQUISITION_TIME = 0x0008002A, 0x00080030, 0x00080032
BIRTH_DATE, AGE = 0x00100030, 0x00101010

VRS = {
    **dict.fromkeys((STUDY_DATE, SERIES_DATE, ACQUISITION_DATE, CONTENT_DATE, BIRTH_DATE), "DA"),
    **dict.fromkeys((STUDY_TIME, ACQUISITION_TIME), "TM"),
    ACQUISITION_DATETIME: "DT",
    AGE: "AS",
}


def instance_of(values: dict[int, str], *, sop_class: str = MR, uid: str = "1.3.12.2") -> bytes:
    """Write values as they are given, valid or not."""
    plain = {0x00080016: ("UI", sop_class), 0x00080018: ("UI", uid)}
    plain |= {tag: (VRS.get(tag, "CS"), text) for tag, text in values.items()}
    head = write_file_head(
        sop_class_uid=sop_class.encode(),
        sop_instance_uid=uid.encode(),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    return head + b"".join(
        write_element(tag, vr, text.encode(), EXPLICIT_LITTLE)
        for tag, (vr, text) in sorted(plain.items())
    )


@pytest.fixture
def cleaned(plan: PersonPlan, bids: Profile) -> Callable[..., tuple[dict[int, str], set[Any]]]:
    """Give a function that de-identifies values, and returns what is left of them and the notes."""

    def clean(
        values: dict[int, str], *, profile: Profile = bids, **more: Any
    ) -> tuple[dict[int, str], set[tuple[str, NoteReason]]]:
        instance = deidentify_instance(instance_of(values, **more), profile=profile, plan=plan)
        file = read_file(instance.content)
        left = {tag: file.value(tag).decode() for tag in VRS if tag in file.top}
        return left, {(note.place, note.reason) for note in instance.notes}

    return clean


Cleaned = Callable[..., tuple[dict[int, str], set[Any]]]


@pytest.mark.parametrize(
    ("tag", "text", "reason"),
    [
        (SERIES_DATE, "***", NoteReason.INVALID_DATE),
        (SERIES_DATE, "20181301", NoteReason.INVALID_DATE),
        (SERIES_DATE, "20180301-20180305", NoteReason.INVALID_DATE),
        (SERIES_DATE, "201803", NoteReason.INVALID_DATE),
        (SERIES_DATE, "99991231", NoteReason.DATE_TOO_LATE),
        (SERIES_DATE, "00010101", NoteReason.DATE_TOO_LATE),
        (ACQUISITION_DATETIME, "2018", NoteReason.PARTIAL_DATE),
        (ACQUISITION_DATETIME, "201809+0200", NoteReason.PARTIAL_DATE),
        (ACQUISITION_DATETIME, "20180301250000", NoteReason.INVALID_DATE),
        (ACQUISITION_DATETIME, "20450301", NoteReason.DATE_TOO_LATE),
        (ACQUISITION_TIME, "noon", NoteReason.INVALID_TIME),
    ],
)
def test_what_cannot_be_moved_is_never_guessed_and_is_noted(
    tag: int, text: str, reason: NoteReason, cleaned: Cleaned
) -> None:
    left, notes = cleaned({STUDY_DATE: "20180307", tag: text})
    assert left.get(tag, "") == ""
    assert notes == {(f"({tag >> 16:04X},{tag & 0xFFFF:04X})", reason)}


def test_an_invalid_date_becomes_what_its_type_asks_for(cleaned: Cleaned) -> None:
    values = {STUDY_DATE: "***", ACQUISITION_DATETIME: "***", CONTENT_DATE: "***"}
    classic, _ = cleaned(values)
    assert classic == {STUDY_DATE: "", CONTENT_DATE: ""}
    enhanced, _ = cleaned(values, sop_class=ENHANCED_MR)
    assert enhanced == {
        STUDY_DATE: "",
        ACQUISITION_DATETIME: "19000101000000",
        CONTENT_DATE: "19000101",
    }


def test_one_invalid_value_of_several_is_emptied_alone(cleaned: Cleaned) -> None:
    left, notes = cleaned({STUDY_DATE: "20180307", ACQUISITION_DATE: "20180307\\***\\20180309"})
    moved = DateShift(days=-36_524).da("20180307"), DateShift(days=-36_524).da("20180309")
    assert left[ACQUISITION_DATE] == f"{moved[0]}\\\\{moved[1]}"
    assert notes == {("(0008,0022)", NoteReason.INVALID_DATE)}


def test_a_note_counts_the_elements_of_all_depths(
    deidentified: Deidentified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.IGNORE)
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.IGNORE)
    frames = [Dataset() for _ in range(3)]
    for frame in frames:
        frame.AcquisitionDate = "***"
    dataset = Dataset()
    dataset.StudyDate = "20180307"
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    _, instance = deidentified(dataset)
    note = Note(place="(0008,0022)", reason=NoteReason.INVALID_DATE, count=3)
    assert note in instance.notes


@pytest.mark.parametrize("text", ["20180307", "2018.03.07", "20180307 "])
def test_an_old_form_of_a_date_is_moved_and_written_anew(text: str, cleaned: Cleaned) -> None:
    left, notes = cleaned({STUDY_DATE: text})
    assert left == {STUDY_DATE: DateShift(days=-36_524).da("20180307")}
    assert notes == set()


def test_fraction_offset_and_time_of_day_stay(cleaned: Cleaned) -> None:
    left, _ = cleaned(
        {
            STUDY_DATE: "20180307",
            STUDY_TIME: "235959.999999",
            ACQUISITION_DATETIME: "20180307235959.999999+0530",
        }
    )
    assert left[STUDY_TIME] == "235959.999999"
    day = DateShift(days=-36_524).da("20180307")
    assert left[ACQUISITION_DATETIME] == f"{day}235959.999999+0530"


moments = st.datetimes(min_value=datetime(2012, 1, 1), max_value=datetime(2024, 1, 1))  # noqa: DTZ001


@settings(max_examples=40)
@given(one=moments, other=moments)
def test_the_interval_between_any_two_moments_is_kept(
    one: datetime, other: datetime, cleaned: Cleaned
) -> None:
    left, _ = cleaned(
        {
            STUDY_DATE: f"{one:%Y%m%d}",
            ACQUISITION_DATE: f"{other:%Y%m%d}",
            ACQUISITION_DATETIME: f"{other:%Y%m%d%H%M%S.%f}",
        }
    )
    first, second = parse_date(left[STUDY_DATE]), parse_date(left[ACQUISITION_DATE])
    assert first is not None
    assert second is not None
    assert second - first == other.date() - one.date()
    assert left[ACQUISITION_DATETIME] == f"{second:%Y%m%d}{other:%H%M%S.%f}"


# Instances that were de-identified before, and some that only pretend.


def replaced(plan: PersonPlan) -> str:
    return replace_uid("1.3.12.2", key=plan.uid_key)


def test_an_instance_of_this_vault_keeps_its_dates(cleaned: Cleaned, plan: PersonPlan) -> None:
    dates = {STUDY_DATE: "19100307", SERIES_DATE: "18990101", ACQUISITION_DATETIME: "1910030712"}
    left, notes = cleaned(dates, uid=replaced(plan))
    assert left == dates
    assert notes == {("(0008,0021)", NoteReason.OUTSIDE_SHIFTED_YEARS)}


def test_a_date_that_somebody_put_back_is_moved(cleaned: Cleaned, plan: PersonPlan) -> None:
    dates = {STUDY_DATE: "19100307", SERIES_DATE: "20180307", ACQUISITION_DATETIME: "1926010112"}
    left, _ = cleaned(dates, uid=replaced(plan))
    assert left == {
        STUDY_DATE: "19100307",
        SERIES_DATE: DateShift(days=-36_524).da("20180307"),
        ACQUISITION_DATETIME: DateShift(days=-36_524).dt("1926010112"),
    }


def test_an_instance_of_another_vault_is_moved(cleaned: Cleaned, plan: PersonPlan) -> None:
    foreign = replace_uid("1.3.12.2", key=bytes(32))
    left, _ = cleaned({STUDY_DATE: "20180307", SERIES_DATE: "19990101"}, uid=foreign)
    assert left[SERIES_DATE] == DateShift(days=-36_524).da("19990101")
    assert plan.uid_key != bytes(32)


def test_dates_that_another_program_moved_stay_but_for_what_it_may_have_left(
    cleaned: Cleaned,
) -> None:
    profile = amend_profile(load_profile("bids"), keep=["PatientAge"])
    left, _ = cleaned({STUDY_DATE: "19100307", SERIES_DATE: "20180307"}, profile=profile)
    assert left == {STUDY_DATE: "19100307", SERIES_DATE: DateShift(days=-36_524).da("20180307")}


@given(
    study=st.dates(min_value=date(1902, 1, 1), max_value=date(2060, 1, 1)),
    series=st.dates(),
    known=st.booleans(),
    marked=st.booleans(),
)
def test_no_instance_whatever_it_pretends_keeps_a_date_of_the_years_of_scanners(
    *,
    study: date,
    series: date,
    known: bool,
    marked: bool,
    plan: PersonPlan,
    cleaned: Cleaned,
) -> None:
    marks = {0x00120062: "YES", 0x00280303: "MODIFIED"} if marked else {}
    uid = replaced(plan) if known else "1.3.12.2"
    dates = {STUDY_DATE: f"{study:%Y%m%d}", SERIES_DATE: format_date(series)}
    left, _ = cleaned(dates | marks, uid=uid)
    for tag, before in ((STUDY_DATE, study), (SERIES_DATE, series)):
        after = parse_date(left.get(tag, ""))
        if before.year >= 1980:
            assert after is None or (after != before and after.year < 1980)


def test_of_several_dates_of_which_none_is_valid_nothing_is_left(cleaned: Cleaned) -> None:
    left, notes = cleaned({ACQUISITION_DATE: "20230231\\20239999", CONTENT_DATE: "never\\ "})
    assert left.get(ACQUISITION_DATE, "") == left.get(CONTENT_DATE, "") == ""
    assert ("(0008,0022)", NoteReason.INVALID_DATE) in notes


def test_a_session_long_after_the_first_keeps_its_interval_and_says_so(
    cleaned: Cleaned, plan: PersonPlan
) -> None:
    left, notes = cleaned({STUDY_DATE: "20300307", SERIES_DATE: "20300308"})
    assert left == {STUDY_DATE: "19300308", SERIES_DATE: "19300309"}
    outside = {
        ("(0008,0020)", NoteReason.OUTSIDE_SHIFTED_YEARS),
        ("(0008,0021)", NoteReason.OUTSIDE_SHIFTED_YEARS),
    }
    assert notes == outside
    again, _ = cleaned(left, uid=replaced(plan))
    assert again == left


# Ages and births.


@pytest.mark.parametrize(
    ("age", "after", "reason"),
    [
        ("089Y", "089Y", None),
        ("090Y", "089Y", NoteReason.AGE_CAPPED),
        ("120Y", "089Y", NoteReason.AGE_CAPPED),
        ("999W", "999W", None),
        ("999M", "999M", None),
        ("1200M", "089Y", NoteReason.AGE_CAPPED),
        ("5000W", "089Y", NoteReason.AGE_CAPPED),
        ("0450M", "", NoteReason.INVALID_AGE),
        ("45", "", NoteReason.INVALID_AGE),
        ("45Y", "", NoteReason.INVALID_AGE),
        ("***", "", NoteReason.INVALID_AGE),
        ("000Y", "000Y", None),
    ],
)
def test_an_age_is_capped_in_every_unit(
    age: str, after: str, reason: NoteReason | None, cleaned: Cleaned
) -> None:
    left, notes = cleaned({STUDY_DATE: "20180307", AGE: age})
    assert left[AGE] == after
    assert notes == ({("(0010,1010)", reason)} if reason else set())


@pytest.fixture(scope="module")
def with_births(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path: Path = tmp_path_factory.mktemp("profile") / "births.toml"
    path.write_text(
        'start = "bids"\nname = "births"\ndescription = "With births."\n'
        'clean = [{ attribute = "PatientBirthDate", how = "dates", reason = "the study asks" }]\n'
    )
    return load_profile(str(path))


def test_a_birth_date_that_is_kept_moves_with_the_study(
    cleaned: Cleaned, with_births: Profile
) -> None:
    left, notes = cleaned(
        {STUDY_DATE: "20180307", BIRTH_DATE: "19700615", AGE: "047Y"}, profile=with_births
    )
    birth, study = parse_date(left[BIRTH_DATE]), parse_date(left[STUDY_DATE])
    assert birth is not None
    assert study is not None
    assert study - birth == date(2018, 3, 7) - date(1970, 6, 15)
    assert left[AGE] == "047Y"
    assert notes == set()


@pytest.mark.parametrize("study", ["20180307", ""])
@pytest.mark.parametrize("known", [True, False])
def test_a_birth_date_that_could_tell_an_age_over_89_is_emptied(
    study: str, known: bool, cleaned: Cleaned, with_births: Profile, plan: PersonPlan
) -> None:
    uid = replaced(plan) if known else "1.3.12.2"
    left, notes = cleaned({STUDY_DATE: study, BIRTH_DATE: "19280306"}, profile=with_births, uid=uid)
    assert left[BIRTH_DATE] == ""
    assert notes == {("(0010,0030)", NoteReason.BIRTH_DATE_EMPTIED)}


def test_a_birth_date_that_lies_after_the_shifted_study_was_not_shifted(
    cleaned: Cleaned, with_births: Profile, plan: PersonPlan
) -> None:
    dates = {STUDY_DATE: "19100307", BIRTH_DATE: "19200615"}
    left, _ = cleaned(dates, profile=with_births, uid=replaced(plan))
    assert left[BIRTH_DATE] not in {"19200615", ""}
    dates = {STUDY_DATE: "19100307", BIRTH_DATE: "18700615"}
    left, _ = cleaned(dates, profile=with_births, uid=replaced(plan))
    assert left == dates


@given(
    study=st.dates(min_value=date(2012, 1, 1), max_value=date(2024, 1, 1)),
    days=st.integers(0, 45_000),
)
def test_birth_date_and_cap_agree_whatever_the_days(
    study: date, days: int, plan: PersonPlan, with_births: Profile
) -> None:
    birth = study - timedelta(days=days)
    content = instance_of({STUDY_DATE: f"{study:%Y%m%d}", BIRTH_DATE: f"{birth:%Y%m%d}"})
    plan = dataclasses.replace(plan, shift_days=-39_000)
    once = deidentify_instance(content, profile=with_births, plan=plan)
    kept = dcmread(io.BytesIO(once.content)).PatientBirthDate
    if days >= 90 * 365 + 23:
        assert kept == ""
    if days < 90 * 365 + 21:
        assert kept == DateShift(days=-39_000).da(f"{birth:%Y%m%d}")
    twice = deidentify_instance(once.content, profile=with_births, plan=plan)
    assert twice.content == once.content


def test_a_birth_date_beside_full_dates_is_guarded_too(cleaned: Cleaned, bids: Profile) -> None:
    profile = amend_profile(
        bids,
        add_options=["retain-full-dates"],
        drop_options=["retain-modified-dates"],
        keep=["PatientBirthDate"],
    )
    left, _ = cleaned({STUDY_DATE: "20180307", BIRTH_DATE: "19700615"}, profile=profile)
    assert left[BIRTH_DATE] == "19700615"
    left, notes = cleaned({STUDY_DATE: "20180307", BIRTH_DATE: "19280101"}, profile=profile)
    assert left[BIRTH_DATE] == ""
    assert notes == {("(0010,0030)", NoteReason.BIRTH_DATE_EMPTIED)}


def test_whoever_keeps_the_age_as_it_is_keeps_the_birth_date_as_it_is(
    cleaned: Cleaned, bids: Profile
) -> None:
    profile = amend_profile(bids, keep=["PatientBirthDate", "PatientAge"])
    values = {STUDY_DATE: "20180307", BIRTH_DATE: "19280101", AGE: "090Y"}
    left, _ = cleaned(values, profile=profile)
    assert left | {STUDY_DATE: ""} == values | {STUDY_DATE: ""}


UNLISTED_DATES = {
    0x00080404: ("DT", "202304171015"),
    0x0008041F: ("DT", "20230417"),
    0x00140102: ("DA", "20230417"),
    0x40101025: ("DT", "20230417101530.5"),
    0x40101041: ("DT", "20230417101530"),
}
KNOWN_TO_OTHERS = {0x00143076: ("DA", "20230417"), 0x00144078: ("DA", "20230417")}


@pytest.mark.parametrize(
    ("profile", "days"),
    [
        (load_profile("bids"), -36_524),
        (load_profile("pmod"), -36_524),
        (load_profile("basic"), None),
        (load_profile("cati"), None),
        (load_profile("strict"), None),
        (amend_profile(load_profile("basic"), add_options=["retain-full-dates"]), 0),
    ],
    ids=lambda value: value.title if isinstance(value, Profile) else "",
)
def test_dates_that_the_table_does_not_list_are_treated_as_those_that_it_lists(
    plan: PersonPlan, written: Callable[..., bytes], profile: Profile, days: int | None
) -> None:
    header = Dataset()
    header.StudyDate = header.AcquisitionDate = "20230417"
    for tag, (vr, value) in (UNLISTED_DATES | KNOWN_TO_OTHERS).items():
        header.add_new(tag, vr, value)
    instance = deidentify_instance(written(header), profile=profile, plan=plan)
    left = read_file(instance.content)
    for tag, (vr, value) in UNLISTED_DATES.items():
        if days is None:
            assert tag not in left.top
        else:
            shift = DateShift(days=days)
            moved = shift.dt(value) if vr == "DT" else shift.da(value)
            assert left.value(tag).decode() == (moved if days else value)
    whole = days == 0
    assert {tag for tag in KNOWN_TO_OTHERS if tag in left.top} == (
        set(KNOWN_TO_OTHERS) if whole else set()
    )
