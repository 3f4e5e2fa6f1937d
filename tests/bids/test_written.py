"""The forms in which programs and people write days, and what only looks like one."""

from __future__ import annotations

from datetime import date

import pytest

from bidsanon.bids.written import names_somebodys_account, written_date


@pytest.mark.parametrize(
    "text",
    [
        "2019-03-11",
        "2019-03-11 14:37:52.123 +0100",
        "2019_Mar_11_1437",
        "2019-03-11_14h37.52.123",
        "2019/3/11 14:37",
        "2019_3_11",
        "20190311T143752",
        "11.3.2019 08:00",
        "11-Mar-2019 14:37:52",
        "11-MAR-19",
        "11MAR19:14:37:52",
        "11MAR2019",
        "March 11th, 2019",
        "Mon Mar 11 14:37:52 2019",
        "Mon Mar 11 14:37:52 CET 2019",
        "Mon, 11 Mar 2019 14:37:52 +0100",
        "11 mrt 2019",
        "11 marca 2019",
        "11 марта 2019",
        "2019年3月11日",
        "2019년 3월 11일 14:37",
    ],
)
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert written_date(text, loosely=True) == date(2019, 3, 11)


@pytest.mark.parametrize(
    "text",
    [
        "2021.2.3",
        "3.5.2",
        "1-2-3",
        "set 2 10",
        "mar-1",
        "Sun 12",
        "Monday",
        "2019/3-11",
        "2019_13_11",
        "2019_Moo_11",
        "11-MAR19",
        "110319",
    ],
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert written_date(text, loosely=True) is None


def test_a_key_that_says_nothing_of_dates_needs_the_standards_form() -> None:
    assert written_date("2019-03-11T14:37:52Z", loosely=False) == date(2019, 3, 11)
    assert written_date("2019_Mar_11_1437", loosely=False) is None
    assert written_date("11-MAR-19", loosely=False) is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("# user quillfeather", True),
        ("# user quillfeather\n", True),
        ("# user root", False),
        ("# user interface of the task", False),
        ("# hostname c0ffee", False),
        ("USER=quillfeather", True),
        ("export LOGNAME=mq", True),
        ("USER=ubuntu", False),
        ("[quillfeather@lab12: Mon Mar 11 14:37:52 2019] 3dcalc -a x", True),
        ("[root@lab12: Mon Mar 11 14:37:52 2019] 3dcalc", False),
        ("the user quillfeather", False),
    ],
)
def test_an_account_that_a_program_wrote_is_told(line: str, told: bool) -> None:
    assert names_somebodys_account(line) is told
