"""When a stored session's scans and its subject's sessions are said to have begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidsanon.bids.tree import list_tree
from bidsanon.scrub.stored_files import DatasetPolicy, FileScrub

SESSIONS = "sub-01/sub-01_sessions.tsv"


def written(root: Path, name: str, *, shifts: dict[str, int], keep_times: bool) -> str:
    """Return what becomes of a file of a dataset."""
    policy = DatasetPolicy(device_pseudonym=str, clean=str, shifts=shifts, keep_times=keep_times)
    files = {file.name: file for file in list_tree(root).files}
    (root.parent / "laid").mkdir()
    change = FileScrub(files, policy, root.parent / "laid").scrub(0, files[name]).change
    assert change is not None
    assert change.staged is not None
    return change.staged.read_text()


@pytest.mark.parametrize(
    ("shifts", "keep_times", "days"),
    [
        ({}, False, ("1910-03-01T12:00:00.000000", "n/a")),
        ({"01": -40_000}, False, ("1910-03-01T12:00:00.000000", "1913-11-12T12:00:00.000000")),
        ({"01": -40_000}, True, ("1910-03-01T08:15:00", "1913-11-12T09:30:00.000000")),
        ({"02": -40_000}, False, ("1910-03-01T12:00:00.000000", "n/a")),
    ],
)
def test_each_session_begins_at_noon_of_its_own_day(
    tmp_path: Path, shifts: dict[str, int], days: tuple[str, str], *, keep_times: bool
) -> None:
    table = "session_id\tacq_time\nses-1\t1910-03-01T08:15:00\nses-2\t2023-05-19T09:30:00\n"
    (tmp_path / "ds" / SESSIONS).parent.mkdir(parents=True)
    (tmp_path / "ds" / SESSIONS).write_text(table)
    left = written(tmp_path / "ds", SESSIONS, shifts=shifts, keep_times=keep_times)
    assert left == f"session_id\tacq_time\nses-1\t{days[0]}\nses-2\t{days[1]}\n"
