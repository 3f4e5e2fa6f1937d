"""What ``--audit-values`` keeps: original and cleaned value of what was changed, and no more."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from bidsanon.audit import VALUES_NAME, ChangedValue, ChangedValues, new_part, write_part
from bidsanon.errors import StorageError


def value(place: str, original: str | bytes | None, cleaned: str | bytes | None) -> ChangedValue:
    return ChangedValue(
        instance="2.25.1", place=place, action="D", original=original, cleaned=cleaned
    )


REMOVED = value("(0010,0030)", "19700101", None)
REPLACED = value("(0010,0010)", "Doe^Jane", "sub-01")
BINARY = value("(0029,SIEMENS CSA HEADER,20)", b"SV10\x00old", b"SV10\x00new")


def begin(private: Path) -> ChangedValues:
    return ChangedValues.begin(private, command="deidentify", subject="01", session=None)


def rows(private: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(private / VALUES_NAME)) as connection:
        return connection.execute(
            "SELECT run, command, subject, instance, place, original, cleaned FROM changed_value"
        ).fetchall()


def test_each_change_is_a_row_with_its_run(tmp_path: Path) -> None:
    for _ in range(2):
        with begin(tmp_path) as changed:
            changed.add([REPLACED, REMOVED])
    heading = ("deidentify", "01", "2.25.1")
    assert rows(tmp_path) == [
        (1, *heading, "(0010,0010)", "Doe^Jane", "sub-01"),
        (1, *heading, "(0010,0030)", "19700101", None),
        (2, *heading, "(0010,0010)", "Doe^Jane", "sub-01"),
        (2, *heading, "(0010,0030)", "19700101", None),
    ]


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    with begin(tmp_path / "private"):
        pass
    assert stat.S_IMODE((tmp_path / "private" / VALUES_NAME).stat().st_mode) == 0o600


def test_a_run_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), begin(tmp_path) as changed:  # noqa: PT012
        changed.add([REPLACED])
        raise KeyboardInterrupt
    assert rows(tmp_path) == []
    assert b"Doe^Jane" not in (tmp_path / VALUES_NAME).read_bytes()
    assert list((tmp_path / "work").iterdir()) == []


def test_parts_of_workers_are_added_as_they_were_written_and_removed(tmp_path: Path) -> None:
    with begin(tmp_path) as changed:
        first, second = new_part(changed.parts), new_part(changed.parts)
        write_part(second, [REMOVED])
        write_part(first, [BINARY])
        write_part(first, [value("(0010,4000)", "line\nbreak \udcff", "")])
        assert stat.S_IMODE(first.stat().st_mode) == 0o600
        changed.add_part(first)
        changed.add_part(second)
        assert not list(changed.parts.iterdir())
    assert [row[4:] for row in rows(tmp_path)] == [
        ("(0029,SIEMENS CSA HEADER,20)", b"SV10\x00old", b"SV10\x00new"),
        ("(0010,4000)", "line\nbreak ?", ""),
        ("(0010,0030)", "19700101", None),
    ]


def test_a_value_that_stands_in_many_places_is_stored_once(tmp_path: Path) -> None:
    with begin(tmp_path) as changed:
        changed.add(value(f"(0010,{n:04X})", b"x" * 5000, "Doe") for n in range(100))
        changed.add([value("(0040,0001)", b"Doe", "Doe")])
    assert (tmp_path / VALUES_NAME).stat().st_size < 100_000
    assert rows(tmp_path)[-1][-2:] == (b"Doe", "Doe")


def test_of_pixels_the_length_and_the_digest_are_kept(tmp_path: Path) -> None:
    with begin(tmp_path) as changed:
        changed.add([value("(7FE0,0010)", bytes(2_000_000), None)])
    ((*_, original, _),) = rows(tmp_path)
    assert str(original).startswith("2000000 bytes, SHA-256 ")


def test_a_file_that_is_no_database_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / VALUES_NAME).write_bytes(b"something else" * 100)
    with pytest.raises(StorageError, match="changed values") as caught:
        begin(tmp_path)
    assert "forget-values" in caught.value.cure
