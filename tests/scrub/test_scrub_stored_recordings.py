"""A recording that is stored already: its header loses who and when, its samples nothing."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recordings import FAMILY, GIVEN, NEW_SEGMENT, NUMBER, SAMPLES, edf, fif, markers

from bidsanon.bids.edf import EdfError, read_edf_header
from bidsanon.bids.fif import FifError
from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.moments import session_times
from bidsanon.scrub.stored_recordings import (
    RecordingError,
    RecordingPolicy,
    scrub_stored_brainvision,
    scrub_stored_edf,
    scrub_stored_fif,
)

STEM = "sub-01_task-rest_eeg"
SHIFT = -40_000
ZEROS = "0" * 20


def _policy(
    *, shift: int | None = None, keep_times: bool = False, known: str = ""
) -> RecordingPolicy:
    texts = TablePolicy(
        device_pseudonym=str,
        clean=lambda text: clean_descriptor(text, frozenset()).text,
        without_known=(lambda text: text.replace(known, "")) if known else None,
    )
    began = () if shift is None else ("2019-05-17T08:00:00",)
    times = session_times(began, (), shift_days=shift, keep_times=keep_times)
    return RecordingPolicy(texts=texts, times=times, keep_times=keep_times)


def _edf(folder: Path, content: bytes, policy: RecordingPolicy) -> tuple[tuple[str, ...], bytes]:
    source, target = folder / f"{STEM}.edf", folder / "target"
    source.write_bytes(content)
    words = scrub_stored_edf(source, target, policy, name=f"sub-01/eeg/{STEM}.edf")
    return words, target.read_bytes() if target.exists() else content


def _text(
    folder: Path, content: str | bytes, policy: RecordingPolicy, extension: str = ".vmrk"
) -> tuple[tuple[str, ...], bytes]:
    source, target = folder / f"{STEM}{extension}", folder / "target"
    raw = content.encode() if isinstance(content, str) else content
    source.write_bytes(raw)
    words = scrub_stored_brainvision(source, target, policy)
    return words, target.read_bytes() if target.exists() else raw


def test_an_edf_header_loses_person_and_moment_and_keeps_sex_and_device(tmp_path: Path) -> None:
    words, written = _edf(tmp_path, edf(), _policy())
    assert words == ("who and when taken out of the header",)
    header = read_edf_header(written)
    assert (header.patient, header.recording) == ("X F X X", "Startdate X X X Sony")
    assert (header.day, header.time) == ("01.01.85", "00.00.00")
    assert written[184:] == edf()[184:]
    assert FAMILY.encode() not in written
    assert NUMBER.encode() not in written


def test_an_edf_header_that_tells_nothing_is_left_alone(tmp_path: Path) -> None:
    content = edf("sub-01 X X X", "Startdate X X X Sony", "01.01.85", "00.00.00")
    assert _edf(tmp_path, content, _policy()) == ((), content)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert _edf(tmp_path, b"", _policy()) == ((), b"")


def test_the_time_of_an_edf_stays_where_it_is_asked_for(tmp_path: Path) -> None:
    _, written = _edf(tmp_path, edf(), _policy(keep_times=True))
    assert read_edf_header(written).time == "08.13.22"


def test_an_edf_of_which_a_note_names_somebody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="annotations"):
        _edf(tmp_path, edf(note=f"{GIVEN} sneezes"), _policy(known=GIVEN))
    assert _edf(tmp_path, edf(note="eyes closed"), _policy(known=GIVEN))[0]


@pytest.mark.parametrize("content", [b"0       short", b"PK" + bytes(300), edf()[:300]])
def test_what_is_no_edf_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(EdfError):
        _edf(tmp_path, content, _policy())


@pytest.mark.parametrize(
    ("policy", "moment"),
    [
        (_policy(), ZEROS),
        (_policy(shift=SHIFT), "19091110121322123456"),
        (_policy(shift=SHIFT, keep_times=True), "19091110081322123456"),
    ],
)
def test_the_moment_of_a_segment_is_shifted_or_emptied(
    tmp_path: Path, policy: RecordingPolicy, moment: str
) -> None:
    words, written = _text(tmp_path, markers(NEW_SEGMENT), policy)
    assert words == ("1 marker(s) cleaned",)
    assert written.decode() == markers(NEW_SEGMENT.replace("20190517081322123456", moment))


def test_only_comments_with_words_and_what_is_known_change(tmp_path: Path) -> None:
    kept = ["Mk2=Stimulus,S  1,5,1,0", "Mk3=Comment,blink,6,1,0", "Mk4=Response,R  2,7,1,0"]
    _, written = _text(
        tmp_path,
        markers(*kept, f"Mk5=Comment,Dr. {FAMILY} came in,8,1,0", f"Mk6=Stimulus,{GIVEN},9,1,0"),
        _policy(known=GIVEN),
    )
    lines = written.decode().split("\r\n")
    assert [line for line in lines if line in kept] == kept
    assert FAMILY not in written.decode()
    assert "Mk6=Stimulus,,9,1,0" in lines


def test_a_name_of_a_file_that_is_gone_becomes_the_texts_own(tmp_path: Path) -> None:
    old = markers(data=f"{FAMILY}_{GIVEN}.eeg")
    words, written = _text(tmp_path, old, _policy())
    assert words == ("1 name(s) of files corrected",)
    assert written.decode() == markers(data=f"{STEM}.eeg")
    (tmp_path / f"{FAMILY}_{GIVEN}.eeg").touch()
    (tmp_path / "target").unlink()
    assert _text(tmp_path, old, _policy())[0] == ()


def test_an_older_text_keeps_its_encoding_and_its_settings(tmp_path: Path) -> None:
    text = "Codepage=ANSI\nCh1=Fp1,,0.1,µV\n[Comment]\nImpedance [kOhm] at 16:53:08 :\nFp1: 5\n"
    words, written = _text(tmp_path, text.encode("latin-1"), _policy(), ".vhdr")
    assert words == ("1 line(s) cleaned",)
    assert written == text.replace(" at 16:53:08", " ").encode("latin-1")


def test_what_somebody_typed_below_the_settings_is_cleaned(tmp_path: Path) -> None:
    kept = "NumberOfChannels=1\nDataPoints=20190304\nCh1=Fp1,,0.0488281,uV\n[Comment]\n"
    typed = f"Patient: {GIVEN} {FAMILY}\nborn=03.04.1985\nIndex seen 3/4/1985 with S/N 13120542\n"
    _, written = _text(tmp_path, (kept + typed).encode(), _policy(), ".vhdr")
    assert written.decode() == f"{kept}\n\nIndex seen with S/N\n"


def _fif(folder: Path, content: bytes, policy: RecordingPolicy) -> tuple[tuple[str, ...], bytes]:
    source, target = folder / "sub-01_meg.fif", folder / "target"
    target.unlink(missing_ok=True)
    source.write_bytes(content)
    words = scrub_stored_fif(source, target, policy)
    return words, target.read_bytes() if target.exists() else content


@pytest.mark.parametrize(
    ("policy", "moment"),
    [
        (_policy(), datetime(1920, 1, 1, 12, tzinfo=UTC)),
        (_policy(shift=SHIFT), datetime(1909, 11, 10, 12, tzinfo=UTC)),
        (_policy(shift=SHIFT, keep_times=True), datetime(1909, 11, 10, 8, 13, 22, tzinfo=UTC)),
        (_policy(shift=-400_000), datetime(1920, 1, 1, 12, tzinfo=UTC)),
        (_policy(shift=-10_000), datetime(1920, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_fif_file_loses_the_person_and_its_date_is_shifted(
    tmp_path: Path, policy: RecordingPolicy, moment: datetime
) -> None:
    words, written = _fif(tmp_path, fif(), policy)
    assert words == ("who and when taken out of 3 tag(s)",)
    assert len(written) == len(fif())
    assert SAMPLES in written
    assert FAMILY.encode() not in written
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    assert struct.pack(">2i", seconds, 0) in written
    assert _fif(tmp_path, written, policy) == ((), written)


def test_a_fif_file_of_nobody_is_left_alone(tmp_path: Path) -> None:
    content = fif(anonymous=True, day=-2_000_000_000)
    content = content.replace(struct.pack(">i", 2_433_769), struct.pack(">i", 2_400_000))
    assert _fif(tmp_path, content, _policy()) == ((), content)
    assert _fif(tmp_path, b"", _policy()) == ((), b"")


def test_what_is_known_goes_from_the_texts_of_a_fif_file(tmp_path: Path) -> None:
    _, written = _fif(tmp_path, fif(), _policy(known="nothing"))
    assert b"said nothing" not in written
    assert b"said        " in written


@pytest.mark.parametrize("content", [b"no", fif()[:50], fif()[4:]])
def test_what_is_no_fif_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FifError):
        _fif(tmp_path, content, _policy())


def test_tags_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    tags = bytearray(fif())
    tags[36 + 12 : 36 + 16] = struct.pack(">i", 36)
    with pytest.raises(FifError, match="circle"):
        _fif(tmp_path, bytes(tags), _policy())


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no text"):
        _text(tmp_path, b"\0\1", _policy())


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    _, once = _text(tmp_path, markers(NEW_SEGMENT, "Mk2=Comment,ask Dr. Mara,1,1,0"), _policy())
    (tmp_path / "target").unlink()
    assert _text(tmp_path, once, _policy()) == ((), once)
    _, once = _edf(tmp_path, edf(), _policy())
    (tmp_path / "target").unlink()
    assert _edf(tmp_path, once, _policy()) == ((), once)
