"""Damaged files of every kind end in findings, never in an error."""

from __future__ import annotations

import gzip
import io
import itertools
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_trees import write
from recordings import NEW_SEGMENT, edf, fif, markers
from sessions.converted import nifti

from bidsanon.validate import privacy_lines
from bidsanon.validate.privacy import check_privacy
from bidsanon.validate.privacy_lines import TableLines, TableUnreadableError

JSON = b'{"PatientName": "x", "AcquisitionDateTime": ["2023-05-17"], "a": {"age": 91}}'
TABLE = b"participant_id\tage\tvisit_date\nsub-01\t93\t2023-05-17\n"


def packed_tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("a/1.json")
        member.size = len(JSON)
        archive.addfile(member, io.BytesIO(JSON))
    return stream.getvalue()


def packed_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.json", JSON)
    return stream.getvalue()


WHOLE = {
    "sub-01/anat/sub-01_T1w.nii": nifti(shape=(40, 40, 40)),
    "sub-01/anat/sub-01_T2w.nii.gz": gzip.compress(nifti(version=2, order=">")),
    "sub-01/anat/sub-01_T1w.json": JSON,
    "participants.tsv": TABLE,
    "sub-01/func/sub-01_task-a_physio.tsv.gz": gzip.compress(TABLE),
    "sourcedata/a.tgz": packed_tar(),
    "sourcedata/a.zip": packed_zip(),
    "sourcedata/a.dcm": bytes(128) + b"DICM" + bytes(200),
    "sub-01/eeg/sub-01_eeg.edf": edf(note="said nothing"),
    "sub-01/eeg/sub-01_eeg.vmrk": markers(NEW_SEGMENT, "Mk2=Comment,a b,1,1,0").encode(),
    "sub-01/meg/sub-01_meg.fif": fif(),
    "code/a.csv": b"a,b\nsub-01,4711081\n",
    "sub-01/dwi/sub-01_dwi.bval": b"0 1000\n",
    "README": b"TODO\n",
}


@settings(max_examples=150)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    spots=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=25),
    length=st.none() | st.integers(0, 400),
)
def test_a_damaged_file_is_no_error(
    name: str, spots: list[tuple[int, int]], length: int | None
) -> None:
    content = bytearray(WHOLE[name])
    for place, value in spots:
        if place < len(content):
            content[place] = value
    with TemporaryDirectory() as folder:
        write(Path(folder), name, bytes(content[:length]))
        check_privacy(Path(folder))


@pytest.mark.parametrize(
    ("rows", "is_bomb"),
    [(b"1.5\n" * 50_000, True), (b"1.5" * 999 + b"\n", False), (b"1.5\n" * 900, False)],
)
def test_a_table_of_rows_without_end_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, rows: bytes, *, is_bomb: bool
) -> None:
    monkeypatch.setattr(privacy_lines, "_MANY_ROWS", 1000)
    lines = TableLines(lambda: io.BytesIO(gzip.compress(rows)), packed=True)
    if not is_bomb:
        assert len(list(lines)) == rows.count(b"\n")
        return
    read = itertools.takewhile(lambda numbered: numbered[0] < 9000, lines)
    with pytest.raises(TableUnreadableError, match="rows"):
        list(read)


def test_a_table_that_unpacks_without_end_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(privacy_lines, "_HARMLESS", 1 << 16)
    packed = gzip.compress((b"1.5\t" * 200 + b"\n") * 2000)
    with pytest.raises(TableUnreadableError, match="unpacks"):
        list(TableLines(lambda: io.BytesIO(packed), packed=True))


def test_an_image_of_impossible_dimensions_is_no_error(tmp_path: Path) -> None:
    content = bytearray(nifti(shape=(40, 40, 40)))
    content[40:56] = (3).to_bytes(2, "little") + b"\xff\xff\x01\x00\x01\x00" + bytes(8)
    content[80:92] = b"\xff\xff\x7f\x7f" * 3
    write(tmp_path, "sub-01/anat/sub-01_T1w.nii", bytes(content))
    check_privacy(tmp_path)
