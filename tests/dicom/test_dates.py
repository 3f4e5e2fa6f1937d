"""Dates and datetimes of DICOM, moved by whole days or emptied."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.dicom.dates import (
    DateShift,
    format_date,
    is_valid_datetime,
    is_valid_time,
    parse_date,
    written_forms,
)

days_of_life = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31))
shifts = st.integers(min_value=-60_000, max_value=60_000)


@pytest.mark.parametrize(
    ("text", "shifted"),
    [
        ("20180307", "20180308"),
        ("20180307 ", "20180308"),
        ("2018.03.07", "20180308"),
        ("20240228", "20240229"),
        ("19991231", "20000101"),
    ],
)
def test_a_date_is_moved_by_whole_days(text: str, shifted: str) -> None:
    assert DateShift(days=1).da(text) == shifted


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "***", "00000000", "20181301", "20180230", "2018", "201803", "2018-03-07"),
        *("20180307-20180308", "٢٠١٨٠٣٠٧", "99991231x"),
    ],
)
def test_an_invalid_date_is_emptied_and_not_guessed(text: str) -> None:
    assert DateShift(days=1).da(text) == ""


def test_a_date_that_leaves_the_calendar_is_emptied() -> None:
    assert DateShift(days=-1).da("00010101") == ""
    assert DateShift(days=1).da("99991231") == ""


@pytest.mark.parametrize(
    ("text", "shifted"),
    [
        ("20181019212528.232500", "20181020212528.232500"),
        ("20181019212528.232500+0200", "20181020212528.232500+0200"),
        ("20181019212528", "20181020212528"),
        ("2018101921", "2018102021"),
        ("20181019", "20181020"),
        ("20181019235960", "20181020235960"),
        ("20181019212528.2325001 ", "20181020212528.2325001"),
    ],
)
def test_a_datetime_keeps_its_time_its_offset_and_its_precision(text: str, shifted: str) -> None:
    assert DateShift(days=1).dt(text) == shifted


@pytest.mark.parametrize("text", ["2018", "201810", "2018-0500", "201810+0200"])
def test_a_partial_datetime_names_no_day_and_is_emptied(text: str) -> None:
    assert is_valid_datetime(text)
    assert DateShift(days=1).dt(text) == ""


def test_what_was_moved_before_stays_and_what_was_not_is_moved() -> None:
    shift = DateShift(days=-36_524, stay=(date(1902, 1, 1), date(1925, 12, 31)))
    assert shift.da("19100307") == "19100307"
    assert shift.da("1910.03.07") == "19100307"
    assert shift.dt("19251231235959.5+0100") == "19251231235959.5+0100"
    assert shift.da("20180307") == DateShift(days=-36_524).da("20180307")
    assert shift.dt("19260101") == DateShift(days=-36_524).dt("19260101")


def test_a_birth_stays_only_up_to_the_day_to_which_births_were_moved() -> None:
    years = (date(1902, 1, 1), date(1925, 12, 31))
    assert DateShift(days=-1, stay=years).da("19100307", birth=True) == "19100306"
    shift = DateShift(days=-1, stay=years, births_stay_until=date(1910, 12, 31))
    assert shift.da("19100307", birth=True) == "19100307"
    assert shift.da("19110307", birth=True) == "19110306"
    assert shift.da("19110307") == "19110307"


def test_a_date_that_is_moved_too_late_is_emptied() -> None:
    shift = DateShift(days=-36_525, latest=date(1925, 12, 31))
    assert shift.da("20251231") == "19251231"
    assert shift.da("20260101") == ""
    assert shift.da("99991231") == ""


@given(first=days_of_life, days=st.integers(-60_000, -20_000))
def test_what_was_moved_is_not_moved_again(first: date, days: int) -> None:
    years = (date.min, date(1925, 12, 31))
    once = DateShift(days=days, latest=years[1]).da(format_date(first))
    assert DateShift(days=days, stay=years, latest=years[1]).da(once) == once


@pytest.mark.parametrize(
    "text",
    [
        *("", "***", "20", "20181", "20181319", "2018101925", "201810192160", "20181019x"),
        *("20181019212528.", "20181019212528+9900", "20181019212528+0199", "+0200"),
    ],
)
def test_an_invalid_datetime_is_emptied(text: str) -> None:
    assert DateShift(days=1).dt(text) == ""


@pytest.mark.parametrize(
    "text", ["21", "2125", "212528", "212528.2", "212528.1234567", "21:25:28.5", "235960", "08 "]
)
def test_a_time_is_valid(text: str) -> None:
    assert is_valid_time(text)


@pytest.mark.parametrize(
    "text", ["", "24", "2160", "212561", "2125.5", "212528.", "***", "9", "noon"]
)
def test_a_time_is_not_valid(text: str) -> None:
    assert not is_valid_time(text)


@given(first=days_of_life, second=days_of_life, days=shifts)
def test_intervals_between_dates_are_kept(first: date, second: date, days: int) -> None:
    moved = [parse_date(DateShift(days=days).da(format_date(day))) for day in (first, second)]
    assert moved[0] is not None
    assert moved[1] is not None
    assert moved[1] - moved[0] == second - first


@given(moment=st.datetimes(), days=shifts)
def test_a_datetime_moves_as_its_date_does(moment: datetime, days: int) -> None:
    text = f"{moment.year:04d}{moment:%m%d%H%M%S.%f}"
    moved = DateShift(days=days).dt(text)
    assert moved[:8] == DateShift(days=days).da(text[:8])
    assert not moved or moved[8:] == text[8:]


@given(day=days_of_life, days=shifts)
def test_shifting_back_gives_the_date_again(day: date, days: int) -> None:
    moved = DateShift(days=days).da(format_date(day))
    assert DateShift(days=-days).da(moved) == format_date(day)


@given(text=st.text(), days=shifts)
def test_no_text_makes_shifting_fail(text: str, days: int) -> None:
    for shifted in (DateShift(days=days).da(text), DateShift(days=days).dt(text)):
        assert shifted == "" or parse_date(shifted[:8])


def test_a_day_is_known_in_the_forms_in_which_it_is_written() -> None:
    forms = written_forms("20180307")
    assert {
        *("20180307", "2018-03-07", "07.03.2018", "3/7/2018", "7.3.2018", "07032018"),
        *("07-03-18", "7 march 2018", "7. märz 2018", "mar 7, 2018", "07mar2018"),
        *("7.3.18", "3/7/18", "07mar18", "7-mar-18", "7_mar_2018"),
    } <= set(forms)
    assert len(forms) == len(set(forms))
    assert written_forms("***") == ()


@given(day=days_of_life)
def test_written_forms_hold_day_and_year(day: date) -> None:
    for form in written_forms(format_date(day)):
        assert str(day.day) in form
        assert f"{day.year % 100:02d}" in form


def test_a_shift_is_the_same_for_a_leap_day() -> None:
    assert DateShift(days=-365).da("20240229") == format_date(date(2024, 2, 29) - timedelta(365))
