"""EEGLAB's recordings lose who, where and when, and no number."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from eeglab import TELLING, eeglab
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat

from bidsanon.bids import matlab_elements
from bidsanon.bids.matlab import read_matlab
from bidsanon.bids.matlab_elements import MatlabError
from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.stored_matlab import scrub_stored_matlab

NAME = "sub-01/eeg/sub-01_task-rest_eeg.set"
POLICY = TablePolicy(
    device_pseudonym=str,
    clean=lambda text: clean_descriptor(text, frozenset()).text,
    without_known=lambda text: text.replace("Quillfeather", ""),
)
_WRITTEN = (Path(scipy.__file__).parent / "io/matlab/tests/data").glob("test*_[67]*.mat")
OF_MATLAB = sorted(path for path in _WRITTEN if "hdf5" not in path.name)


def scrubbed(
    folder: Path, content: bytes, *, keep_times: bool = False
) -> tuple[tuple[str, ...], bytes]:
    source, target = folder / "x.set", folder / "target"
    source.write_bytes(content)
    words = scrub_stored_matlab(source, target, POLICY, name=NAME, keep_times=keep_times)
    dry = scrub_stored_matlab(source, None, POLICY, name=NAME, keep_times=keep_times)
    assert dry == words
    return words, target.read_bytes() if words else content


def texts(content: bytes) -> dict[str, str]:
    return {".".join(one.names): one.text.strip() for one in read_matlab(io.BytesIO(content)).texts}


def numbers(content: bytes) -> Any:
    return loadmat(io.BytesIO(content), simplify_cells=True)


@pytest.mark.parametrize("packed", [False, True])
def test_fields_of_who_where_and_when_are_emptied(tmp_path: Path, *, packed: bool) -> None:
    content = eeglab(packed=packed, **TELLING)
    words, written = scrubbed(tmp_path, content)
    assert words == (
        "7 field(s) that say who, where or when emptied",
        "when it was written taken out of the heading",
    )
    assert {key: text for key, text in texts(written).items() if text} == {
        "EEG.setname": "rest",
        "EEG.chanlocs.labels": "Cz",
        "EEG.event.type": "S  1",
        "EEG.history": "EEG = pop_loadset('filepath', '",
        "EEG.note": "'s 東京",
    }
    before, after = numbers(content), numbers(written)
    assert np.array_equal(after["EEG"]["data"], before["EEG"]["data"])
    assert np.array_equal(after["x"], before["x"])
    assert after["EEG"]["event"] == before["EEG"]["event"]
    assert b"uillfeather" not in (written if not packed else zlib.decompress(written[136:]))
    assert b"Created" not in written
    assert scrubbed(tmp_path, written) == ((), written)


def test_only_what_changes_is_packed_anew(tmp_path: Path) -> None:
    content = eeglab(packed=True, subject="4711")
    _, written = scrubbed(tmp_path, content)
    (size,) = struct.unpack_from("<I", content, 132)
    (other,) = struct.unpack_from("<I", written, 132)
    assert written[136 + other :] == content[136 + size :]


def test_what_names_no_one_stays(tmp_path: Path) -> None:
    content = eeglab(subject="01", comments="", history="EEG = pop_eegfiltnew(EEG, 1, 40);")
    words, written = scrubbed(tmp_path, content)
    assert words == ("when it was written taken out of the heading",)
    assert written[128:] == content[128:]


def test_time_of_day_stays_where_it_is_asked_for(tmp_path: Path) -> None:
    content = eeglab(MeasurementTime="10:11:12")
    assert "EEG.MeasurementTime" in texts(scrubbed(tmp_path, content, keep_times=True)[1])
    assert not texts(scrubbed(tmp_path, content)[1])["EEG.MeasurementTime"]


@pytest.mark.parametrize("path", OF_MATLAB, ids=lambda path: path.name)
def test_files_that_matlab_wrote_are_read_and_keep_their_content(
    tmp_path: Path, path: Path
) -> None:
    content = path.read_bytes()
    try:
        _, written = scrubbed(tmp_path, content)
    except MatlabError as error:
        written = content
        assert {"only MATLAB understands" in str(error), "func" in path.name} == {True}  # noqa: PT017
    assert written[128:] == content[128:]


@pytest.mark.parametrize("kind", ["6.1_SOL2", "6.5.1_GLNX86", "7.1_GLNX86", "7.4_GLNX86"])
def test_texts_that_matlab_wrote_are_read(kind: str) -> None:
    path = next(path for path in OF_MATLAB if path.name == f"teststring_{kind}.mat")
    assert list(texts(path.read_bytes()).values()) == [
        '"Do nine men interpret?" "Nine men," I nod.'
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n",
        b"text",
        eeglab()[:200],
        eeglab(packed=True)[:-9],
        eeglab()[:128] + bytes(99),
        eeglab()[:128] + struct.pack("<4I", 14, 8, 6, 99),
        eeglab()[:126] + b"XX" + eeglab()[128:],
    ],
)
def test_what_is_no_such_file_or_damaged_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(MatlabError):
        scrubbed(tmp_path, content)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert scrubbed(tmp_path, b"") == ((), b"")


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab_elements, "_ALWAYS_UNPACKED", 1 << 20)
    head = struct.pack("<2I", 14, 1 << 24) + struct.pack("<4I", 6, 8, 6, 0)
    bomb = zlib.compress(head + bytes(1 << 24), 9)
    content = eeglab()[:128] + struct.pack("<2I", 15, len(bomb)) + bomb
    with pytest.raises(MatlabError):
        scrubbed(tmp_path, content)


WHOLE = {packed: eeglab(packed=packed, subject="4711", comments="x") for packed in (False, True)}


@settings(max_examples=80, deadline=None)
@given(packed=st.booleans(), data=st.data())
def test_a_damaged_file_is_read_or_refused(*, packed: bool, data: st.DataObject) -> None:
    whole = WHOLE[packed]
    place = data.draw(st.integers(0, min(len(whole), 1200) - 1))
    other = data.draw(st.binary(min_size=1, max_size=4))
    try:
        read_matlab(io.BytesIO(whole[:place] + other + whole[place + len(other) :]))
    except MatlabError:
        return
