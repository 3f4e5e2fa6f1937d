"""What recordings, pages and other files that are no images say of people; what is not read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_trees import findings_of, raw_dataset, small_picture, write
from recordings import FAMILY, GIVEN, NEW_SEGMENT, NUMBER, edf, fif, markers

from bidsanon.bids.edf import EdfError, read_edf_header, without_person
from bidsanon.validate.privacy import check_privacy

EEG = "sub-01/eeg/sub-01_task-rest_eeg"
MEG = "sub-01/meg/sub-01_task-rest_meg"
NOTHING = ("X X X X", "Startdate X X X Sony", "01.01.85", "00.00.00")
NOBODY = "Mk1=New Segment,,1,1,0,00000000000000000000"
UNKNOWN = b"a recording".ljust(124) + b"\0\1IM" + bytes(200)


def spoil(root: Path, files: dict[str, str | bytes]) -> dict[str, list[str]]:
    raw_dataset(root, whole=False)
    for name, content in files.items():
        write(root, name, content)
    return dict(findings_of(check_privacy(root)))


RAISED: list[tuple[str, str, str | bytes]] = [
    ("PRIVACY_HEADER_TEXT", f"{EEG}.edf", edf(recording="", day="01.01.85")),
    ("PRIVACY_HEADER_TEXT", f"{EEG}.edf", edf(NUMBER, "", "01.01.85")),
    ("PRIVACY_HEADER_TEXT", f"{EEG}.edf", edf("X X X Quillfeather", "", "01.01.85")),
    ("PRIVACY_HEADER_TEXT", f"{EEG}.edf", edf("X", day="01.01.85")),
    ("PRIVACY_HEADER_TEXT", f"{EEG}.bdf", edf(GIVEN, "", "01.01.85", magic=b"\xffBIOSEMI")),
    ("PRIVACY_DATE", f"{EEG}.edf", edf("X X X X", "")),
    ("PRIVACY_NAME", f"{EEG}.edf", edf(*NOTHING, note=f"{FAMILY}^{GIVEN}")),
    ("PRIVACY_NAME_PERHAPS", f"{EEG}.edf", edf(*NOTHING, note=f"Peter {FAMILY}")),
    ("PRIVACY_NOT_READ", f"{EEG}.edf", edf(*NOTHING)[:300]),
    ("PRIVACY_DATE", f"{EEG}.vmrk", markers(NEW_SEGMENT)),
    ("PRIVACY_FREE_TEXT", f"{EEG}.vmrk", markers("Mk2=Comment,she sneezes now,1,1,0")),
    ("PRIVACY_HEADER_TEXT", f"{EEG}.vmrk", markers(NOBODY, data=f"{FAMILY}_{GIVEN}.eeg")),
    ("PRIVACY_DATE_PERHAPS", f"{EEG}.vhdr", "[Comment]\nPatient: born 3.4.1985\n"),
    ("PRIVACY_CONTACT", f"{EEG}.vhdr, line 1", "; ask q@hospital.org\n"),
    ("PRIVACY_HEADER_TEXT", f"{MEG}.fif", fif(day=0)),
    ("PRIVACY_DATE", f"{MEG}.fif", fif()),
    ("PRIVACY_BIRTH_DATE", f"{MEG}.fif", fif(day=0)),
    ("PRIVACY_NOT_READ", f"{MEG}.fif", fif()[:50]),
    ("PRIVACY_NOT_READ", f"{EEG}.edf", b"0       no"),
    ("PRIVACY_KIND_NOT_READ", f"{MEG}.sqd", UNKNOWN),
    ("PRIVACY_KIND_NOT_READ", f"{EEG}.eeg", bytes(300)),
    ("PRIVACY_KIND_NOT_READ", "sourcedata/a.bin", b"\x08\x00" + b"words and no elements" * 9),
    ("PRIVACY_NAME", "derivatives/a/b.html, line 1", f"<p>{FAMILY}^{GIVEN}</p>"),
    ("PRIVACY_FOLDER", "derivatives/a/b.svg, line 1", f"<svg>/home/{FAMILY}/a.nii</svg>"),
    (
        "PRIVACY_ACCOUNT",
        "derivatives/fs/sub-01/stats/aseg.stats, line 2",
        f"# a\n# user {FAMILY}\n",
    ),
    ("PRIVACY_NAME", "code/notes.txt, line 2", f"of\n{FAMILY}^{GIVEN}\n".encode("utf-16")),
    ("PRIVACY_NO_UTF_8", "phenotype/a.tsv", "participant_id\tb\nsub-01\té\n".encode("latin-1")),
    ("PRIVACY_NAME", "sub-01/a.tsv, row 1", f"a\tb\n1\tKöhl^{GIVEN}\n".encode("latin-1")),
]


@pytest.mark.parametrize(
    ("code", "place", "content"), RAISED, ids=[f"{code} {place}" for code, place, _ in RAISED]
)
def test_what_is_private_is_found(
    tmp_path: Path, code: str, place: str, content: str | bytes
) -> None:
    found = spoil(tmp_path, {place.partition(", ")[0]: content})
    assert found.get(code) == [place], found


NEAR: list[dict[str, str | bytes]] = [
    {f"{EEG}.edf": edf(*NOTHING)},
    {f"{EEG}.edf": edf("sub-01", "BioSemi ActiveTwo", "01.01.85")},
    {f"{EEG}.bdf": edf("01 F X X", *NOTHING[1:], magic=b"\xffBIOSEMI")},
    {f"{EEG}.edf": edf(*NOTHING, note="Sleep stage W")},
    {f"{EEG}.vmrk": markers(NOBODY, "Mk2=Stimulus,S  1,5,1,0", "Mk3=Comment,blink,9,1,0")},
    {f"{EEG}.vmrk": markers(NOBODY, data="$b.eeg")},
    {f"{EEG}.vmrk": markers(NOBODY, data="other.eeg"), "sub-01/eeg/other.eeg": b"text"},
    {f"{EEG}.vmrk": markers("Mk1=New Segment,,1,1,0,19070108120000000000")},
    {f"{EEG}.eeg": bytes(300), f"{EEG}.vhdr": "[Common Infos]\n"},
    {f"{MEG}.fif": fif(anonymous=True, day=-2_000_000_000)},
    {f"{EEG}.edf": b"", f"{EEG}.bdf": b"", f"{EEG}.set": b"", f"{MEG}.fif": b"", f"{EEG}.eeg": b""},
    {"stimuli/sound.wav": b"RIFF" + bytes(100)},
    {"derivatives/a/surface.gii": "<GIFTI><Data>eJzt=</Data></GIFTI>"},
    {"derivatives/a/figure.png": small_picture()},
]


@pytest.mark.parametrize("files", NEAR, ids=" ".join)
def test_what_is_near_raises_nothing(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert spoil(tmp_path, files) == {}


def test_what_begins_like_dicom_and_holds_words_is_not_called_dicom(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"sourcedata/a.bin": b"\x08\x00" + b"words, no elements" * 9}
    assert set(spoil(tmp_path, files)) == {"PRIVACY_KIND_NOT_READ"}


def test_files_of_one_kind_that_nobody_read_are_one_finding(tmp_path: Path) -> None:
    raw_dataset(tmp_path, whole=False)
    for number in range(5):
        write(tmp_path, f"sub-01/eeg/a{number}.sqd", UNKNOWN)
    (found,) = check_privacy(tmp_path)
    assert found.message.startswith("5 file(s) (.sqd)")
    assert found.message.endswith("also in sub-01/eeg/a1.sqd, sub-01/eeg/a2.sqd and 2 more")


def test_an_ending_that_is_a_name_is_not_repeated(tmp_path: Path) -> None:
    raw_dataset(tmp_path, whole=False)
    write(tmp_path, "sub-01/eeg/a.anna", bytes(10))
    (found,) = check_privacy(tmp_path)
    assert "anna" not in found.message


def test_a_text_that_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bidsanon.validate.privacy_texts._MOST_CHARACTERS", 1000)
    assert spoil(tmp_path, {"code/a.log": "words\n" * 1000}) == {
        "PRIVACY_KIND_NOT_READ": ["code/a.log"]
    }


FIELD = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)


@given(patient=FIELD, recording=FIELD, keep_time=st.booleans())
def test_a_cleaned_header_tells_nothing_and_stays_as_it_is(
    patient: str, recording: str, *, keep_time: bool
) -> None:
    def cleaned(begin: bytes) -> bytes:
        return without_person(begin, clean=lambda _: "", own=(), keep_time=keep_time)

    once = cleaned(edf(patient, recording)[:256])
    assert read_edf_header(once).told() == ()
    assert cleaned(once) == once
    assert read_edf_header(once).time == ("08.13.22" if keep_time else "00.00.00")


@given(st.binary(max_size=300))
def test_what_is_no_edf_is_an_error_that_says_so(content: bytes) -> None:
    with pytest.raises(EdfError, match="EDF"):
        read_edf_header(content)
