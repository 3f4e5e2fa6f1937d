"""Files and folders are brought to the disk, each once, however many there are."""

import os
from collections import Counter
from pathlib import Path

import pytest

from bidsanon.files import sync_all


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Count how often each file is brought to the disk, by its inode."""
    counts: Counter[int] = Counter()
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        counts[os.fstat(descriptor).st_ino] += 1
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return counts


@pytest.mark.parametrize("count", [0, 1, 50])
def test_each_file_and_folder_is_brought_to_the_disk_once(
    tmp_path: Path, synced: Counter[int], count: int
) -> None:
    for number in range(count):
        (tmp_path / f"{number}").write_text("x")
    paths = [tmp_path, *tmp_path.iterdir()]

    sync_all(paths)

    assert synced == Counter(path.stat().st_ino for path in paths)


def test_what_cannot_be_brought_to_the_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync_all(tmp_path / str(number) for number in range(40))
