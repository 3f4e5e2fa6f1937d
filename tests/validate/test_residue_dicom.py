"""The residue search in DICOM finds what the source said, wherever a header can hold it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from sessions import MARA, siemens_t1w

from bidsanon import workers
from bidsanon.dicom import layouts, parsing
from bidsanon.findings import Finding
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.profile import Profile, amend_profile, load_profile
from bidsanon.validate.residue_dicom import DicomSearch, search_dicom
from bidsanon.validate.residue_headers import DicomOutput

NAME = IdentifyingValue(kind=ValueKind.NAME, text="Wetherby^Ottoline", origin="(0010,0010)")
NUMBER = IdentifyingValue(kind=ValueKind.IDENTIFIER, text="MRN0048812", origin="(0010,0020)")
DAY = IdentifyingValue(kind=ValueKind.DATE, text="20230417", origin="(0008,0020)")
UID = IdentifyingValue(kind=ValueKind.UID, text="1.3.12.2.1107.5.2.43.777", origin="(0020,000D)")
IDENTITY = (NAME, NUMBER, DAY, UID)


@pytest.fixture(scope="module")
def clean_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that says nothing of anybody."""
    path = siemens_t1w(tmp_path_factory.mktemp("image"))[0]
    source = dcmread(path)
    header = Dataset()
    for keyword in (
        *("SOPClassUID", "SOPInstanceUID", "Modality", "Manufacturer", "Rows", "Columns"),
        *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"),
        *("PhotometricInterpretation", "PixelData", "EchoTime", "RepetitionTime"),
    ):
        setattr(header, keyword, source[keyword].value)
    header.StudyInstanceUID, header.SeriesInstanceUID = "2.25.1", "2.25.2"
    header.file_meta = source.file_meta
    header.save_as(path, enforce_file_format=True)
    return path


def search(
    path: Path, *, profile: Profile | None = None, identity: tuple[IdentifyingValue, ...] = IDENTITY
) -> DicomSearch:
    return search_dicom(
        [DicomOutput(path=path, place="series 1")],
        identity,
        profile=profile or load_profile("basic"),
        allowed=(),
        jobs=1,
    )


def found(path: Path, **options: object) -> tuple[Finding, ...]:
    return search(path, **options).residue.findings  # type: ignore[arg-type]


def in_text(header: Dataset) -> None:
    header.add_new(0x00181020, "LO", "syngo Wetherby")


def in_a_sequence(header: Dataset) -> None:
    item = Dataset()
    item.add_new(0x0040A160, "UT", "seen by Ottoline Wetherby")
    outer = Dataset()
    outer.add_new(0x0040A730, "SQ", Sequence([item]))
    header.add_new(0x0040A730, "SQ", Sequence([outer]))


def in_private_text(header: Dataset) -> None:
    header.add_new(0x00290010, "LO", "SOME VENDOR")
    header.add_new(0x00291042, "LO", "MRN0048812")


def in_a_creator(header: Dataset) -> None:
    header.add_new(0x00290010, "LO", "WETHERBY CLINIC")


def in_private_bytes(header: Dataset) -> None:
    header.add_new(0x00290010, "LO", "SOME VENDOR")
    header.add_new(0x00291010, "OB", b"\x01\x02\x00\x07 patient: wetherby\x00\x03\x04\x80\x81")


def in_utf_16(header: Dataset) -> None:
    header.add_new(0x00290010, "LO", "SOME VENDOR")
    header.add_new(0x00291010, "OB", b"\x01\x02" + "Wetherby".encode("utf-16-le") + b"\x80\x81")


def in_unknown(header: Dataset) -> None:
    header.add_new(0x00290010, "LO", "SOME VENDOR")
    header[0x00291010] = DataElement(0x00291010, "UN", b"Ottoline Wetherby ")


def in_another_character_set(header: Dataset) -> None:
    header.SpecificCharacterSet = "ISO_IR 192"
    header.add_new(0x00181020, "LO", "Wétherby é")


def in_a_number(header: Dataset) -> None:
    header.add_new(0x00200012, "IS", "20230417")


def in_a_date(header: Dataset) -> None:
    header.ContentDate = "20230417"


def in_a_uid(header: Dataset) -> None:
    header.FrameOfReferenceUID = "1.3.12.2.1107.5.2.43.777"


def in_base64(header: Dataset) -> None:
    header.add_new(0x0040A160, "UT", base64.b64encode(b"seen by Wetherby").decode())


def in_hexadecimal_numbers(header: Dataset) -> None:
    header.add_new(0x00290010, "LO", "SOME VENDOR")
    header[0x00291010] = DataElement(0x00291010, "UN", b"Wetherby".hex().encode())


def in_quoted_printable(header: Dataset) -> None:
    header.add_new(0x00181020, "LO", "W=65therby=20")


PLACES: list[Callable[[Dataset], None]] = [
    *(in_text, in_a_sequence, in_private_text, in_a_creator, in_private_bytes, in_utf_16),
    *(in_unknown, in_another_character_set, in_a_number, in_a_date, in_a_uid),
    *(in_base64, in_hexadecimal_numbers, in_quoted_printable),
]


def planted(clean_file: Path, path: Path, plant: Callable[[Dataset], None]) -> Path:
    header = dcmread(clean_file)
    plant(header)
    header.save_as(path)
    return path


def test_nothing_is_found_where_nothing_is(clean_file: Path) -> None:
    result = search(clean_file)
    assert result.residue.findings == ()
    assert result.residue.searched == {"name": 1, "identifier": 1, "date": 1, "uid": 1}
    assert result.uids == (("2.25.1", "2.25.2", dcmread(clean_file).SOPInstanceUID),)
    assert result.pixel_bytes == len(dcmread(clean_file).PixelData)


@pytest.mark.parametrize("plant", PLACES)
def test_a_value_is_found_in_every_place_of_a_header(
    clean_file: Path, tmp_path: Path, plant: Callable[[Dataset], None]
) -> None:
    findings = found(planted(clean_file, tmp_path / "planted.dcm", plant))
    assert {finding.code for finding in findings} == {"RESIDUE_FOUND"}
    assert all(finding.location.startswith("series 1, ") for finding in findings)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_a_value_is_found_in_every_encoding(clean_file: Path, tmp_path: Path, syntax: str) -> None:
    source = dcmread(clean_file)
    header = Dataset()  # one that was read can be written in its own byte order only
    header.update(source)
    header.file_meta = source.file_meta
    in_a_sequence(header)
    header["PixelData"].VR = "OW"
    header.file_meta.TransferSyntaxUID = syntax
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    header.save_as(tmp_path / "x", implicit_vr=implicit, little_endian=little)
    assert [finding.code for finding in found(tmp_path / "x")] == ["RESIDUE_FOUND"]


@pytest.mark.parametrize("where", ["preamble", "meta"])
def test_a_value_is_found_before_the_data_set(clean_file: Path, tmp_path: Path, where: str) -> None:
    header = dcmread(clean_file)
    if where == "preamble":
        header.preamble = b"II*\0 Ottoline Wetherby".ljust(128, b"\0")
    else:
        header.file_meta.SourceApplicationEntityTitle = "WETHERBY"
    header.save_as(tmp_path / "x")
    (finding,) = found(tmp_path / "x")
    assert finding.location == f"series 1, {'preamble' if where == 'preamble' else '(0002,0016)'}"


def test_findings_hold_no_value(clean_file: Path, tmp_path: Path) -> None:
    for plant in PLACES:
        said = repr(found(planted(clean_file, tmp_path / plant.__name__, plant))).casefold()
        assert not any(text in said for text in ("wetherby", "ottoline", "0048812", "20230417"))


BORN = IdentifyingValue(kind=ValueKind.DATE, text="19960202", origin="(0010,0030)")


@pytest.mark.parametrize(
    ("text", "is_residue"),
    [
        ("born 2_2_96", True),
        ("2.2.96", True),
        ("visit 3 2-2-96 again", True),
        ("P07 2/2/96/12/30", True),
        ("12_30_02_02_96", True),
        ("X_2_2_2_2_96_2_2", False),
        ("2.4.2.2.96", False),
    ],
)
def test_a_short_day_is_none_where_it_ends_a_row_of_numbers(
    clean_file: Path, tmp_path: Path, text: str, is_residue: bool
) -> None:
    image = dcmread(clean_file)
    image.ImageComments = text
    image.save_as(tmp_path / "image.dcm")
    assert bool(found(tmp_path / "image.dcm", identity=(BORN,))) == is_residue


def test_native_pixels_are_passed_over(clean_file: Path, tmp_path: Path) -> None:
    header = dcmread(clean_file)
    pixels = header.PixelData
    header.PixelData = b"Ottoline Wetherby " + pixels[18:]
    header.save_as(tmp_path / "x")
    result = search(tmp_path / "x")
    assert result.residue.findings == ()
    assert result.pixel_bytes == len(pixels)


@pytest.mark.parametrize(
    "rule", [{"keep": ["SoftwareVersions"]}, {"force": {"SoftwareVersions": "syngo Wetherby"}}]
)
def test_what_the_profile_keeps_on_purpose_is_no_residue(
    clean_file: Path, tmp_path: Path, rule: dict[str, object]
) -> None:
    path = planted(clean_file, tmp_path / "x", in_text)
    assert found(path)
    assert not found(path, profile=amend_profile(load_profile("basic"), **rule))  # type: ignore[arg-type]


@pytest.mark.parametrize("known_as", ["20230417", "202304171015"])
def test_what_is_kept_in_one_attribute_is_residue_in_another(
    clean_file: Path, tmp_path: Path, known_as: str
) -> None:
    def in_a_version_and_in_a_date(header: Dataset) -> None:
        header.add_new(0x00080106, "DT", known_as)
        header.InstructionPerformedDateTime = "20230417"

    path = planted(clean_file, tmp_path / "x", in_a_version_and_in_a_date)
    findings = found(path, profile=load_profile("bids"))
    assert [finding.location for finding in findings] == ["series 1, (0018,9919)"]


def test_what_is_kept_in_a_private_attribute_is_residue_in_another(
    clean_file: Path, tmp_path: Path
) -> None:
    def in_two(header: Dataset) -> None:
        header.add_new(0x00290010, "LO", "SOME VENDOR")
        header.add_new(0x00291042, "LO", "MRN0048812")
        header.add_new(0x00291043, "SH", "MRN0048812")

    path = planted(clean_file, tmp_path / "x", in_two)
    keeping = amend_profile(load_profile("basic"), keep=["(0029,SOME VENDOR,42)"])
    assert [finding.location for finding in found(path, profile=keeping)] == [
        "series 1, (0029,1043)"
    ]


def test_a_day_that_cati_keeps_is_no_residue_where_it_is_kept(
    clean_file: Path, tmp_path: Path
) -> None:
    def in_the_study_date(header: Dataset) -> None:
        header.StudyDate = "20230417"

    path = planted(clean_file, tmp_path / "x", in_the_study_date)
    assert not found(path, profile=load_profile("cati"))


def test_uids_that_are_retained_are_no_residue_wherever_uids_stand(
    clean_file: Path, tmp_path: Path
) -> None:
    def in_references(header: Dataset) -> None:
        item = Dataset()
        item.ReferencedSOPInstanceUID = UID.text
        header.ReferencedImageSequence = Sequence([item])
        header.FrameOfReferenceUID = header.SOPInstanceUID = UID.text
        header.file_meta.MediaStorageSOPInstanceUID = UID.text

    path = planted(clean_file, tmp_path / "x", in_references)
    basic = load_profile("basic")
    assert found(path)
    assert not found(path, profile=amend_profile(basic, add_options=["retain-uids"]))


def test_what_an_allow_list_admits_is_searched(clean_file: Path, tmp_path: Path) -> None:
    path = planted(clean_file, tmp_path / "x", in_text)
    assert found(path, profile=load_profile("strict"))


def test_a_word_of_removed_text_is_not_searched_for_and_that_is_said(clean_file: Path) -> None:
    word = IdentifyingValue(kind=ValueKind.TEXT, text="borecoil", origin="(0021,private,18)")
    result = search(clean_file, identity=(word,))
    assert [(i.reason.value, i.count) for i in result.residue.ignored] == [("one word", 1)]


def test_of_names_that_only_count_some_stand_for_all(clean_file: Path) -> None:
    names = [
        IdentifyingValue(kind=ValueKind.PATH, text=f"wetherby_{n:04d}", origin="file name")
        for n in range(100)
    ]
    result = search(clean_file, identity=tuple(names))
    assert result.residue.searched["path"] == 64
    assert [(i.kind.value, i.count) for i in result.residue.ignored] == [("path", 36)]


def test_names_with_long_numbers_are_all_searched_for(clean_file: Path) -> None:
    names = [
        IdentifyingValue(kind=ValueKind.PATH, text=f"wetherby_{n:06d}", origin="file name")
        for n in range(100)
    ]
    assert search(clean_file, identity=tuple(names)).residue.searched["path"] == 100


def test_a_file_that_cannot_be_understood_is_not_let_pass(clean_file: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(clean_file.read_bytes()[:900] + b"\xff" * 30)
    assert [finding.code for finding in found(tmp_path / "x")] == ["RESIDUE_NOT_SEARCHED"]


def test_many_files_give_the_same_with_one_process_and_with_two(
    clean_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FILES_WORTH_A_WORKER", 2)
    monkeypatch.setattr(workers, "MOST_FILES_A_BATCH", 2)
    outputs = [
        DicomOutput(planted(clean_file, tmp_path / plant.__name__, plant), f"series {n}")
        for n, plant in enumerate(PLACES)
    ]
    results = [
        search_dicom(outputs, IDENTITY, profile=load_profile("basic"), allowed=(), jobs=jobs)
        for jobs in (1, 2)
    ]
    assert results[0] == results[1]
    assert {f.location.partition(",")[0] for f in results[0].residue.findings} == {
        output.place for output in outputs
    }


def frames(header: Dataset, count: int, plant: Callable[[Dataset, int], None]) -> None:
    items = []
    for number in range(count):
        item = Dataset()
        item.add_new(0x00180050, "DS", str(2 + number))
        item.add_new(0x00280030, "DS", [1, 1])
        plant(item, number)
        items.append(item)
    header.add_new(0x52009230, "SQ", Sequence(items))


def in_a_frame_of_text(item: Dataset, number: int) -> None:
    item.add_new(0x00181020, "LO", "syngo Wetherby" if number == 7 else "syngo alright.")


def in_a_frame_of_private_bytes(item: Dataset, number: int) -> None:
    item.add_new(0x00290010, "LO", "SOME VENDOR")
    item.add_new(0x00291010, "OB", b"\x01 wetherby \x02" if number == 7 else b"\x01 nobody.. \x02")


def in_a_frame_of_unknown(item: Dataset, number: int) -> None:
    item.add_new(0x00290010, "LO", "SOME VENDOR")
    value = b"Ottoline Wetherby " if number == 7 else b"nobody who is known"[:18]
    item[0x00291010] = DataElement(0x00291010, "UN", value)


def in_a_frame_of_deep_text(item: Dataset, number: int) -> None:
    inner = Dataset()
    inner.add_new(0x0040A160, "UT", "seen by Wetherby" if number == 7 else "seen by somebody")
    item.add_new(0x00400555, "SQ", Sequence([inner]))


@pytest.mark.parametrize(
    "plant",
    [
        *(in_a_frame_of_text, in_a_frame_of_private_bytes, in_a_frame_of_unknown),
        in_a_frame_of_deep_text,
    ],
    ids=lambda plant: plant.__name__,
)
def test_a_value_is_found_in_one_of_many_frames_that_are_alike(
    clean_file: Path,
    tmp_path: Path,
    plant: Callable[[Dataset, int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parsing, "_WORTH_REMEMBERING", 0)
    monkeypatch.setattr(layouts, "_SHORTEST", 0)
    header = dcmread(clean_file)
    frames(header, 12, plant)
    header.save_as(tmp_path / "x")
    locations = [f.location for f in found(tmp_path / "x") if f.code == "RESIDUE_FOUND"]
    assert locations
    assert all("(5200,9230) > " in location for location in locations)
    header = dcmread(clean_file)
    frames(header, 12, lambda item, _: plant(item, 0))
    header.save_as(tmp_path / "y")
    assert not found(tmp_path / "y")


def test_real_values_are_found_in_an_original(tmp_path: Path) -> None:
    path = siemens_t1w(tmp_path)[0]
    name = IdentifyingValue(kind=ValueKind.NAME, text=MARA.name, origin="(0010,0010)")
    assert any("(0010,0010)" in one.location for one in found(path, identity=(name,)))
