"""Gradient tables and scans.tsv."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.scrub.gradients import GradientError, scrub_gradients
from bidsanon.scrub.scans import (
    Clock,
    parse_moment,
    read_acquisition_times,
    scrub_scans,
    session_clock,
)

MOMENTS = st.datetimes(datetime(1902, 1, 1), datetime(1925, 12, 30))  # noqa: DTZ001


def test_numbers_stay_as_they_are_written() -> None:
    assert scrub_gradients("0  1000\t999.50 \r\n\r\n", extension=".bval") == "0 1000 999.50\n"
    assert scrub_gradients("0 1\n-0 1e-05\n1 0", extension=".bvec") == "0 1\n-0 1e-05\n1 0\n"


@pytest.mark.parametrize(
    ("text", "extension", "said"),
    [
        ("0 1\n2 3\n", ".bval", "2 rows, not 1"),
        ("0 1\n", ".bvec", "1 rows, not 3"),
        ("", ".bval", "0 rows"),
        ("0 1\n0\n0 1\n", ".bvec", "differ in length"),
        ("0 Mara\n", ".bval", "not a number"),
        ("0 nan\n", ".bval", "not a number"),
        ("0 1_000\n", ".bval", "not a number"),
    ],
)
def test_what_is_no_gradient_table_is_refused(text: str, extension: str, said: str) -> None:
    with pytest.raises(GradientError, match=said):
        scrub_gradients(text, extension=extension)


def test_the_first_acquisition_is_set_to_noon_and_the_others_follow() -> None:
    times = {
        "b.nii.gz": parse_moment("1912-03-04T08:20:00.250000"),
        "a.nii.gz": parse_moment("1912-03-04T08:15:00"),
        "late.nii.gz": parse_moment("1912-03-05T00:15:00"),
        "never.nii.gz": None,
    }

    table = scrub_scans(times, [*times, "added.nii.gz"], session_clock(times, otherwise=None))

    assert table == (
        "filename\tacq_time\n"
        "a.nii.gz\t1912-03-04T12:00:00.000000\n"
        "b.nii.gz\t1912-03-04T12:05:00.250000\n"
        "late.nii.gz\t1912-03-05T04:00:00.000000\n"
        "added.nii.gz\tn/a\n"
        "never.nii.gz\tn/a\n"
    )


def test_a_session_of_which_no_image_says_when_it_began_has_its_first_acquisition() -> None:
    clock = session_clock({"a.nii.gz": None}, otherwise="1912-03-04T08:10:00")

    assert clock.time_to_noon("08:10:30") == "12:00:30"


@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_intervals_are_kept_to_the_microsecond(moments: list[datetime]) -> None:
    times: dict[str, datetime | None] = {f"{i}.nii.gz": m for i, m in enumerate(moments)}

    table = scrub_scans(times, times, session_clock(times, otherwise=None))

    moved = read_acquisition_times(table)
    shifts = {moved[name] - moment for name, moment in times.items() if moment}  # type: ignore[operator]
    assert len(shifts) == 1
    assert min(m for m in moved.values() if m).time().isoformat() == "12:00:00"


def test_moving_twice_changes_nothing_more() -> None:
    times = {"a.nii.gz": parse_moment("1912-03-04T08:15:00.5")}
    once = scrub_scans(times, times, session_clock(times, otherwise=None))

    again = read_acquisition_times(once)

    assert scrub_scans(again, again, session_clock(again, otherwise=None)) == once


def test_a_time_of_day_moves_with_the_session() -> None:
    clock = Clock(first=parse_moment("1912-03-04T08:15:00"))

    assert clock.time_to_noon("08:16:30") == "12:01:30"
    assert clock.time_to_noon("half past eight") is None
    assert clock.time_to_noon("08:16:30+01:00") is None
    assert Clock(first=None).time_to_noon("08:16:30") is None
