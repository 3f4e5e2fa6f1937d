"""Whatever is done to a file, the scrub cleans it or says that it cannot; it never breaks off."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

import pytest
from foreign import foreign_dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.bids.tree import TreeFile, list_tree
from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.scrub import stored_files
from bidsanon.scrub.stored_files import DatasetPolicy, FileScrub, ScrubbedFile

POLICY = DatasetPolicy(
    device_pseudonym=lambda _: "anon-a",
    clean=lambda text: clean_descriptor(text, frozenset()).text,
)
_EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "end"]),
        st.one_of(st.integers(0, 400), st.integers(0, 1 << 20)),
        st.binary(min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign_dataset(tmp_path_factory.mktemp("foreign") / "ds")


def _edited(raw: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, new in edits:
        at = place % (len(raw) + 1)
        raw = {
            "set": raw[:at] + new + raw[at + len(new) :],
            "cut": raw[:at] + raw[at + len(new) :],
            "insert": raw[:at] + new + raw[at:],
            "end": raw[:at],
        }[kind]
    return raw


def _scrub(root: Path, into: Path | None) -> tuple[TreeFile, ScrubbedFile]:
    (file,) = list_tree(root).files
    return file, FileScrub({file.name: file}, POLICY, into).scrub(0, file)


@settings(max_examples=150)
@given(number=st.integers(0, 1 << 10), edits=_EDITS)
def test_a_damaged_file_is_cleaned_or_named(
    foreign: Path, tmp_path: Path, number: int, edits: list[tuple[str, int, bytes]]
) -> None:
    files = [path for path in sorted(foreign.glob("**/sub-01*.*")) if path.is_file()]
    original = files[number % len(files)]
    for folder in (tmp_path / "ds", tmp_path / "into"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    place = tmp_path / "ds" / original.relative_to(foreign)
    place.parent.mkdir(parents=True)
    place.write_bytes(_edited(original.read_bytes(), edits))

    file, told = _scrub(tmp_path / "ds", None)
    _, done = _scrub(tmp_path / "ds", tmp_path / "into")

    assert done.findings == told.findings
    assert (done.change and done.change.words) == (told.change and told.change.words)
    if done.change is None or done.change.staged is None:
        assert not list((tmp_path / "into").iterdir())
        return
    file.path.unlink()
    shutil.copy(done.change.staged, file.path)
    assert _scrub(tmp_path / "ds", None)[1].change is None, "a second time changes something"


def test_a_file_in_a_folder_that_cannot_be_written_is_named_before_anything_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, text = "sub-01/anat/sub-01_T1w.json", '{"PatientName": "Doe^Mara"}'
    (tmp_path / "ds" / name).parent.mkdir(parents=True)
    (tmp_path / "ds" / name).write_text(text)
    (tmp_path / "laid").mkdir()
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    _, scrubbed = _scrub(tmp_path / "ds", tmp_path / "laid")
    assert [(f.code, f.location) for f in scrubbed.findings] == [("SCRUB_NOT_WRITABLE", name)]
    assert scrubbed.change is None


def _failing(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(stored_files, "scrub_stored_image", fail)
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds/sub-01_T1w.nii").touch()
    return tmp_path / "ds"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        _scrub(_failing(number, tmp_path, monkeypatch), None)


def test_a_file_that_a_disk_cannot_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, scrubbed = _scrub(_failing(errno.EIO, tmp_path, monkeypatch), None)
    assert [found.code for found in scrubbed.findings] == ["SCRUB_NOT_CLEANED"]
