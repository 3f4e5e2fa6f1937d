"""A table that is stored already: what identifies goes, and nothing else moves."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.bids.tables import TableError
from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.moments import session_times
from bidsanon.scrub.stored_tables import LONGEST_LINE, scrub_packed_table, scrub_stored_table

POLICY = TablePolicy(
    device_pseudonym=lambda _: "anon-a",
    clean=lambda text: clean_descriptor(text, frozenset()).text,
)
PEOPLE, EVENTS = "participants.tsv", "sub-01/func/sub-01_task-rest_events.tsv"
SCANS = "sub-01/sub-01_scans.tsv"


def _scrub(
    folder: Path,
    text: str | bytes,
    *,
    table: str = PEOPLE,
    policy: TablePolicy = POLICY,
    definitions: dict[str, object] | None = None,
    shift_days: int | None = None,
    keep_times: bool = False,
) -> tuple[str, tuple[str, ...]]:
    source, target = folder / "in.tsv", folder / "out.tsv"
    source.write_bytes(text.encode() if isinstance(text, str) else text)
    moments = [
        line.split("\t")[1]
        for line in source.read_text("utf-8", "replace").split("\n")[1:-1]
        if "\t" in line
    ]
    times = session_times(moments, (), shift_days=shift_days, keep_times=keep_times)

    def run(place: Path, into: Path | None) -> tuple[str, ...]:
        return scrub_stored_table(
            place, into, policy, table=table, definitions=definitions or {}, moved=times.moved
        )

    words = run(source, target)
    assert run(source, None) == words
    if not words:
        assert not target.exists()
        return source.read_text("utf-8"), words
    if table != SCANS:
        assert run(target, None) == (), "a second time changes something"
    return target.read_text("utf-8"), words


@pytest.mark.parametrize(
    ("header", "before", "after"),
    [
        ("age", "30", "30"),
        ("age", "89", "89"),
        ("age", "89.0", "89.0"),
        ("age", "90", "89"),
        ("age", "93.5", "89"),
        ("age_at_scan", "101", "89"),
        ("age_months", "1200", "1068"),
        ("age", "n/a", "n/a"),
        ("sex", "F", "F"),
        ("handedness", "right", "right"),
        ("score", "20190301", "n/a"),
        ("score", "2019030", "2019030"),
        ("visit", "2019-03-01", "n/a"),
        ("visit", "1915-03-01", "1915-03-01"),
        ("scan_date", "1/3/2019", "n/a"),
        ("scan_date", "1910-03-01", "1910-03-01"),
        ("note", "seen by Dr. Miller", "seen by"),
        ("note", "write to mara.doe@hospital.com", "write to"),
        ("note", "left handed", "left handed"),
        ("device_serial_number", "12345", "anon-a"),
    ],
)
def test_a_cell_of_participants_is_what_may_be_shared(
    tmp_path: Path, header: str, before: str, after: str
) -> None:
    told, words = _scrub(tmp_path, f"participant_id\t{header}\nsub-01\t{before}\n")

    assert told == f"participant_id\t{header}\nsub-01\t{after}\n"
    assert bool(words) == (before != after)


@pytest.mark.parametrize(
    "column",
    [
        *("name", "patient_name", "dob", "birth_date", "email", "mrn", "operator", "randstr"),
        *("donor_name", "surname"),
    ],
)
def test_columns_that_identify_go(tmp_path: Path, column: str) -> None:
    told, words = _scrub(tmp_path, f"participant_id\t{column}\tsex\nsub-01\tDoe\tF\n")

    assert told == "participant_id\tsex\nsub-01\tF\n"
    assert words == (f"column {column} removed",)


def test_the_units_of_an_age_come_from_its_definition(tmp_path: Path) -> None:
    definitions = {"age": {"Units": "months"}}
    text = "participant_id\tage\nsub-01\t800\n"

    assert _scrub(tmp_path, text, definitions=definitions)[1] == ()


@pytest.mark.parametrize(
    "column", ["mrn", "surname", "dob", "patient_name", "experimenter", "e_mail"]
)
def test_columns_that_mean_nothing_else_go_from_any_table(tmp_path: Path, column: str) -> None:
    told, _ = _scrub(tmp_path, f"onset\t{column}\n1\tDoe\n", table=EVENTS)

    assert told == "onset\n1\n"


def test_a_channel_may_have_a_name(tmp_path: Path) -> None:
    text = "name\ttype\tunits\nFp1\tEEG\tuV\n"

    assert _scrub(tmp_path, text, table="sub-01/eeg/sub-01_task-x_channels.tsv")[1] == ()


@pytest.mark.parametrize("text", ["onset\tduration\n1.5\t2\n", "onset\tduration\r\n1.5\t2\r\n"])
def test_what_needs_no_change_is_not_written(tmp_path: Path, text: str) -> None:
    assert _scrub(tmp_path, text, table=EVENTS)[1] == ()


@pytest.mark.parametrize(
    "cell",
    [
        "of 1.3.12.2.1107.5.2.19.30000",
        "2019-03-01",
        "mara.doe@hospital.com",
        "call +49 761 1234567",
    ],
)
def test_dates_and_addresses_go_from_tables_of_events(tmp_path: Path, cell: str) -> None:
    told, _ = _scrub(tmp_path, f"onset\ttrial_type\n1\t{cell}\n2\tgo\n", table=EVENTS)

    assert cell not in told
    assert told.endswith("2\tgo\n")


def test_what_is_known_of_persons_goes_from_any_cell(tmp_path: Path) -> None:
    policy = TablePolicy(
        device_pseudonym=str, clean=str, without_known=lambda text: text.replace("Mara", "")
    )
    told, _ = _scrub(tmp_path, "onset\tx\n1\tMara\n2\tgo\n", table=EVENTS, policy=policy)

    assert told == "onset\tx\n1\tn/a\n2\tgo\n"


def test_a_column_that_is_called_after_a_person_goes_from_any_table(tmp_path: Path) -> None:
    policy = replace(POLICY, without_known=lambda text: text.replace("Mara", ""))
    text, words = _scrub(tmp_path, "onset\tof Mara\n1\tx\n", table=EVENTS, policy=policy)
    assert (text, words) == ("onset\n1\n", ("column column 2 removed",))


def test_names_of_unknown_columns_are_not_repeated(tmp_path: Path) -> None:
    _, words = _scrub(tmp_path, "participant_id\tdate_of_mara_doe\nsub-01\t2019-03-01\n")

    assert words == ("1 date(s) emptied in column 2",)


SCANNED = (
    "filename\tacq_time\toperator\trandstr\n"
    "a.nii\t2018-09-13T10:05:00\tX\t1\nb.nii\t2018-09-13T10:00:00.5\tX\t2\n"
)


@pytest.mark.parametrize(
    ("shift_days", "keep_times", "first", "second"),
    [
        (None, False, "n/a", "n/a"),
        (None, True, "n/a", "n/a"),
        (-40000, False, "1909-03-09T12:04:59.500000", "1909-03-09T12:00:00.000000"),
        (-40000, True, "1909-03-09T10:05:00.000000", "1909-03-09T10:00:00.500000"),
        (-1000, False, "n/a", "n/a"),
    ],
)
def test_acquisition_times_are_shifted_by_the_persons_days_or_emptied(
    tmp_path: Path, shift_days: int | None, keep_times: bool, first: str, second: str
) -> None:
    told, words = _scrub(
        tmp_path, SCANNED, table=SCANS, shift_days=shift_days, keep_times=keep_times
    )

    assert told == f"filename\tacq_time\na.nii\t{first}\nb.nii\t{second}\n"
    assert any("acquisition time" in word for word in words)
    again, more = _scrub(tmp_path, told, table=SCANS, shift_days=shift_days, keep_times=keep_times)
    assert (again, more) == (told, ())


def test_times_that_are_told_from_noon_on_stay_as_they_are_written(tmp_path: Path) -> None:
    text = "filename\tacq_time\na.nii\t1915-03-02T12:00:00\nb.nii\t1915-03-02T12:03:01.5\n"

    assert _scrub(tmp_path, text, table=SCANS)[1] == ()


@pytest.mark.parametrize("written", ["10:00:00", "yesterday", "2019", "2019-03", "20190301"])
def test_what_is_no_moment_is_emptied(tmp_path: Path, written: str) -> None:
    told, _ = _scrub(tmp_path, f"filename\tacq_time\na.nii\t{written}\n", table=SCANS)

    assert told == "filename\tacq_time\na.nii\tn/a\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty line"),
        (b"a\tb\n1\n", "cells"),
        (b"a\tb\n1\t2\t3\n", "cells"),
        (b"a\tb\n\xff\t2\n", "UTF-8"),
        (b"participant_id,name\nsub-01,Doe\n", "tabs"),
        (b"participant_id;name\nsub-01;Doe\n", "tabs"),
        (b"a\tb\r1\t2\r", "lines end"),
        (b"a\n" + b"x" * (LONGEST_LINE + (1 << 18)), "megabyte"),
        (b"x" * (LONGEST_LINE + 5), "megabyte"),
        (b"a\n1\n" + b"x" * (LONGEST_LINE + (1 << 18)), "megabyte"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(TableError, match=words):
        _scrub(tmp_path, content)


@given(
    rows=st.lists(
        st.lists(st.text("abc-0129@+. ", max_size=9), min_size=3, max_size=3), max_size=30
    )
)
def test_rows_stay_rows_whatever_is_in_them(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    text = "participant_id\tage\tnote\n" + "".join("\t".join(["s", *r[1:]]) + "\n" for r in rows)

    told, words = _scrub(tmp_path_factory.mktemp("table"), text)

    lines = told.split("\n")[1:-1]
    assert len(lines) == len(rows)
    assert all(line.count("\t") == 2 for line in lines)
    assert words or told == text


def test_a_packed_table_of_numbers_loses_its_name_and_time_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "a_physio.tsv.gz", tmp_path / "out"
    content = b"1.5\t-2e3\tn/a\n" * 40000
    source.write_bytes(gzip.compress(content, mtime=0))
    assert scrub_packed_table(source, target, POLICY) == ()
    assert not target.exists()
    with gzip.open(source, "wb") as stream:
        stream.write(content)
    assert scrub_packed_table(source, target, POLICY)
    assert gzip.decompress(target.read_bytes()) == content
    assert target.read_bytes()[4:10] == b"\0\0\0\0\0\xff"
    assert scrub_packed_table(target, None, POLICY) == ()


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"1\t2019-03-01\n"),
        gzip.compress(b"1\tmara.doe@hospital.com\n"),
        gzip.compress(b"1\t2\n" * 99)[:-9],
        gzip.compress(b"1\t2\n") + gzip.compress(b"3\t4\n"),
        gzip.compress(b"\xff\xfe\n"),
        gzip.compress(b"1" * (3 << 20)),
        b"",
    ],
    ids=["a date", "an address", "cut", "two members", "no UTF-8", "one long line", "empty"],
)
def test_a_packed_table_that_tells_or_is_damaged_is_refused(tmp_path: Path, packed: bytes) -> None:
    source = tmp_path / "a_physio.tsv.gz"
    source.write_bytes(packed)
    with pytest.raises(TableError):
        scrub_packed_table(source, None, POLICY)
