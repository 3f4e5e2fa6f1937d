"""``deident.map``: complete, without repetition, and for the owner's eyes alone."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persons import JANE

from bidsanon.audit import MAP_NAME, read_deident_map, write_deident_map
from bidsanon.audit.deident_map import COLUMNS, map_text
from bidsanon.errors import StorageError

LATER = replace(JANE, original_study_uid="1.2.4", original_study_date="20190307")


def test_entries_are_added_once_and_sorted(tmp_path: Path) -> None:
    path = tmp_path / "private" / MAP_NAME
    write_deident_map(path, [LATER])
    write_deident_map(path, [JANE, LATER])
    write_deident_map(path, [JANE])
    assert read_deident_map(path) == (JANE, LATER)
    assert path.read_text("utf-8").splitlines()[0].split("\t") == list(COLUMNS)


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "private" / MAP_NAME
    write_deident_map(path, [JANE])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_runs_that_end_together_lose_nobody(tmp_path: Path) -> None:
    entries = [replace(JANE, original_id=f"{n:03d}") for n in range(20)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda entry: write_deident_map(tmp_path / MAP_NAME, [entry]), entries))
    assert read_deident_map(tmp_path / MAP_NAME) == tuple(entries)


def test_a_file_that_is_not_there_has_no_entries(tmp_path: Path) -> None:
    assert read_deident_map(tmp_path / MAP_NAME) == ()


@pytest.mark.parametrize(
    "content", [b"a\tb\n1\t2\n", b"\xff\xfe", map_text([])[:-1].encode() + b"\tx"]
)
def test_a_strange_file_of_that_name_is_never_written_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / MAP_NAME
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"deident\.map"):
        write_deident_map(path, [JANE])
    assert path.read_bytes() == content


@given(text=st.text(st.characters(codec="utf-8")))
def test_whatever_a_name_holds_the_file_can_be_read_again(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("map") / MAP_NAME
    write_deident_map(path, [replace(JANE, original_name=text)])
    (entry,) = read_deident_map(path)
    assert entry.original_name.split() == text.replace("\0", " ").split()
    write_deident_map(path, [replace(JANE, original_name=text)])
    assert read_deident_map(path) == (entry,)
