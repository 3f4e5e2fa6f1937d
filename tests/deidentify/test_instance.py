"""The two promises on single files: nothing identifying stays, nothing scientific is lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sessions
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian
from sessions.people import identifying_strings
from written_elements import file_of

from bidsanon.deidentify import NotUnderstoodError, deidentify_instance
from bidsanon.demo.person import MARA, Person, clock
from bidsanon.dicom.confidentiality import table_rows
from bidsanon.dicom.encoding import EXPLICIT_LITTLE
from bidsanon.dicom.file_format import read_file, write_file_head
from bidsanon.dicom.writing import write_element
from bidsanon.identity import ValueKind
from bidsanon.notes import Note, NoteReason
from bidsanon.profile import Profile
from bidsanon.vault import PersonPlan

Deidentified = Callable[..., tuple[Dataset, Any]]
Builder = Callable[[Path], list[Path]]

BUILDERS = (
    sessions.siemens_t1w,
    sessions.implicit_vr,
    sessions.big_endian,
    sessions.un_encoded_sequence,
    sessions.preamble_and_ae_titles,
    sessions.nested_sequences_with_names,
    sessions.name_in_description,
    sessions.enhanced_mr_names_in_functional_groups,
    sessions.bold_mosaic,
    sessions.dwi_mosaic,
    sessions.real_csa,
    sessions.patient_protocol,
    sessions.structured_report,
    sessions.burned_in_capture,
    sessions.phoenix_report,
)


def planted_in(content: bytes, person: Person = MARA) -> list[str]:
    """List what must not stand in a file and does. Times of day stay in staged DICOM."""
    time = clock(person.study_time_s)[:6]
    return [t for t in identifying_strings(person) if t != time and t.encode() in content]


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
@pytest.mark.parametrize("name", ["bids", "basic"])
def test_nothing_that_was_planted_stays(
    builder: Builder, name: str, plan: PersonPlan, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    profile: Profile = request.getfixturevalue(name)
    for path in builder(tmp_path):
        assert planted_in(path.read_bytes())
        instance = deidentify_instance(path.read_bytes(), profile=profile, plan=plan)
        assert planted_in(instance.content) == []
        dcmread(io.BytesIO(instance.content)).walk(lambda _, element: str(element.value))


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_pixels_are_the_same_bytes(
    builder: Builder, deidentified: Deidentified, tmp_path: Path
) -> None:
    for path in builder(tmp_path)[:1]:
        before = dcmread(path)
        after, _ = deidentified(path.read_bytes())
        assert before.get("PixelData") == after.get("PixelData")
        assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID


def test_a_name_in_three_scripts_is_gone_and_harvested(
    bids: Profile, plan: PersonPlan, tmp_path: Path
) -> None:
    path = sessions.japanese_name(tmp_path)[0]
    instance = deidentify_instance(path.read_bytes(), profile=bids, plan=plan)
    for part in ("山田", "太郎", "たろう"):
        assert part.encode("iso2022_jp") not in instance.content
    names = [v.text for v in instance.identity if v.kind is ValueKind.NAME]
    assert "Yamada^Tarou=山田^太郎=やまだ^たろう" in names


def test_the_patient_becomes_the_pseudonym_of_the_vault(deidentified: Deidentified) -> None:
    after, _ = deidentified(PatientName="Quillfeather^Mara", PatientID="QF-7719")
    assert after.PatientID == "pseudo-7"
    assert after.PatientName == "pseudo-name-7"


def test_under_the_basic_profile_too(deidentified: Deidentified, basic: Profile) -> None:
    after, _ = deidentified(PatientName="Quillfeather^Mara", PatientID="QF-7719", profile=basic)
    assert after.PatientID == "pseudo-7"
    assert after.PatientName == "pseudo-name-7"


def test_a_file_says_that_it_was_deidentified_and_how(
    deidentified: Deidentified, bids: Profile
) -> None:
    after, _ = deidentified(PatientID="QF-7719")
    assert after.PatientIdentityRemoved == "YES"
    assert after.DeidentificationMethod == bids.method
    assert after.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [
        (item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning)
        for item in after.DeidentificationMethodCodeSequence
    ]
    assert codes == list(bids.method_codes)
    assert codes[0][0] == "113100"


def test_dates_that_were_removed_are_said_to_be(deidentified: Deidentified, basic: Profile) -> None:
    after, _ = deidentified(StudyDate="20230517", profile=basic)
    assert after.LongitudinalTemporalInformationModified == "REMOVED"
    assert after.StudyDate == ""


def test_the_copy_that_heudiconv_reads_does_not_say_how(deidentified: Deidentified) -> None:
    codes = Dataset()
    codes.CodeMeaning = "Retain Longitudinal Temporal Information Modified Dates Option"
    after, instance = deidentified(
        marked=False,
        DeidentificationMethod="by hand, at St Aldwyn",
        DeidentificationMethodCodeSequence=Sequence([codes]),
    )
    assert "DeidentificationMethod" not in after
    assert "DeidentificationMethodCodeSequence" not in after
    assert b"Date" not in instance.content
    assert after.PatientIdentityRemoved == "YES"


def test_what_an_earlier_deidentifier_said_is_retained_and_cleaned(
    deidentified: Deidentified, bids: Profile
) -> None:
    after, instance = deidentified(
        PatientIdentityRemoved="NO",
        PatientName="Quillfeather^Mara",
        DeidentificationMethod=["by Dr. Quillfeather", "mri_reface 0.3.4", ""],
    )
    assert after.PatientIdentityRemoved == "YES"
    assert after.DeidentificationMethod == ["by", "mri_reface 0.3.4", bids.method]
    assert Note(place="(0012,0063)", reason=NoteReason.TITLE_WITH_NAME, count=1) in instance.notes


def test_the_file_meta_names_the_instance_whatever_its_uids_vr(
    bids: Profile, plan: PersonPlan
) -> None:
    head = write_file_head(
        sop_class_uid=b"1.2.840.10008.5.1.4.1.1.4",
        sop_instance_uid=b"1.3.12.2.1107",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    body = write_element(0x00080018, "UN", b"1.3.12.2.1107", EXPLICIT_LITTLE)
    instance = deidentify_instance(head + body, profile=bids, plan=plan)
    after = dcmread(io.BytesIO(instance.content))
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert instance.sop_instance_uid == after.SOPInstanceUID


def test_preamble_and_file_meta_are_written_anew(
    deidentified: Deidentified, tmp_path: Path
) -> None:
    path = sessions.preamble_and_ae_titles(tmp_path)[0]
    before = dcmread(path)
    after, instance = deidentified(path.read_bytes())
    assert instance.content[:132] == bytes(128) + b"DICM"
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == instance.sop_instance_uid
    assert after.file_meta.MediaStorageSOPClassUID == before.SOPClassUID
    assert after.file_meta.ImplementationVersionName == "BIDSANON"
    assert "SourceApplicationEntityTitle" not in after.file_meta
    assert "PrivateInformation" not in after.file_meta
    assert MARA.station in {v.text for v in instance.identity if v.origin == "(0002,0016)"}


def test_a_deflated_file_stays_deflated(
    deidentified: Deidentified, written: Callable[..., bytes]
) -> None:
    content = written(transfer_syntax=DeflatedExplicitVRLittleEndian, PatientID="QF-7719")
    after, _ = deidentified(content)
    assert after.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    assert after.PatientID == "pseudo-7"


def test_a_file_without_a_sop_instance_uid_is_refused(bids: Profile, plan: PersonPlan) -> None:
    content = file_of(write_element(0x00100020, "LO", b"QF-7719", EXPLICIT_LITTLE))
    with pytest.raises(NotUnderstoodError, match="SOP Instance UID"):
        deidentify_instance(content, profile=bids, plan=plan)


def test_one_uid_becomes_one_uid_everywhere(deidentified: Deidentified) -> None:
    uid = "1.3.12.2.1107.5.2.43.999217.20230517"
    reference = Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    reference.ReferencedSOPInstanceUID = uid
    first, _ = deidentified(
        FrameOfReferenceUID=uid, ReferencedInstanceSequence=Sequence([reference, reference])
    )
    second, _ = deidentified(SOPInstanceUID=uid)
    new = second.SOPInstanceUID
    assert new != uid
    assert first.FrameOfReferenceUID == new
    assert [item.ReferencedSOPInstanceUID for item in first.ReferencedInstanceSequence] == [
        new,
        new,
    ]
    kept = first.ReferencedInstanceSequence[0].ReferencedSOPClassUID
    assert kept == "1.2.840.10008.5.1.4.1.1.4"


@given(days=st.integers(0, 9000))
@settings(max_examples=30)
def test_intervals_are_kept(deidentified: Deidentified, days: int) -> None:
    from datetime import date, timedelta  # noqa: PLC0415

    first = date(1998, 2, 27)
    second = first + timedelta(days=days)
    after, _ = deidentified(
        StudyDate=f"{first:%Y%m%d}", AcquisitionDateTime=f"{second:%Y%m%d}101112.5+0100"
    )
    shifted = date.fromisoformat(after.StudyDate)
    assert date.fromisoformat(after.AcquisitionDateTime[:8]) - shifted == second - first
    assert after.AcquisitionDateTime[8:] == "101112.5+0100"
    assert shifted != first


def test_times_of_day_stay_and_are_searched_for_all_the_same(deidentified: Deidentified) -> None:
    after, instance = deidentified(AcquisitionTime="101112.345")
    assert after.AcquisitionTime == "101112.345"
    assert (ValueKind.TIME, "101112.345") in {(v.kind, v.text) for v in instance.identity}


@pytest.mark.parametrize("value", ["***", "2023051", "20231301"])
def test_what_is_no_date_is_emptied_and_not_guessed(
    deidentified: Deidentified, written: Callable[..., bytes], value: str
) -> None:
    content = written(StudyDate="20230517").replace(b"20230517", value.ljust(8).encode())
    after, _ = deidentified(content)
    assert after.StudyDate == ""


@pytest.mark.parametrize(("age", "kept"), [("036Y", "036Y"), ("093Y", "089Y"), ("011M", "011M")])
def test_ages_are_capped(deidentified: Deidentified, age: str, kept: str) -> None:
    after, _ = deidentified(PatientAge=age)
    assert after.PatientAge == kept


def test_a_name_is_cut_from_a_description(deidentified: Deidentified) -> None:
    after, instance = deidentified(
        PatientName="Quillfeather^Mara", SeriesDescription="t1_mprage_Quillfeather_sag"
    )
    assert "Quillfeather" not in after.SeriesDescription
    assert "t1_mprage" in after.SeriesDescription
    assert b"Quillfeather" not in instance.content


def test_a_name_that_only_a_sequence_tells_is_cut_too(deidentified: Deidentified) -> None:
    other = Dataset()
    other.PersonName = "Thornbury^Ignatius"
    after, instance = deidentified(
        ContributingEquipmentSequence=Sequence([other]),
        OperatorIdentificationSequence=Sequence([other]),
        SeriesDescription="bold Thornbury rest",
    )
    assert b"Thornbury" not in instance.content
    assert "bold" in after.SeriesDescription


def test_an_attribute_that_no_table_lists_stays(deidentified: Deidentified) -> None:
    after, _ = deidentified(EchoTime=2.5, SequenceName="tfl3d1", ManufacturerModelName="Prisma")
    assert after.EchoTime == 2.5
    assert after.SequenceName == "tfl3d1"
    assert after.ManufacturerModelName == "Prisma"


def test_groups_that_do_not_belong_into_a_data_set_go(
    deidentified: Deidentified, written: Callable[..., bytes]
) -> None:
    body = written(PatientID="QF-7719")
    length = write_element(0x00100000, "UL", b"\x10\0\0\0", EXPLICIT_LITTLE)
    record = write_element(0x00041500, "CS", b"IM0001", EXPLICIT_LITTLE)
    odd = write_element(0x00010010, "LO", b"ALDWYN", EXPLICIT_LITTLE)
    after, instance = deidentified(body + length + record + odd)
    assert b"IM0001" not in instance.content
    assert b"ALDWYN" not in instance.content
    assert 0x00100000 not in after


def test_overlays_and_curves_go(deidentified: Deidentified) -> None:
    dataset = Dataset()
    dataset[0x60003000] = DataElement(0x60003000, "OW", b"\1\2" * 20)
    dataset[0x60000022] = DataElement(0x60000022, "LO", "Quillfeather")
    dataset[0x60024000] = DataElement(0x60024000, "LT", "Quillfeather")
    dataset[0x50103000] = DataElement(0x50103000, "OW", b"\1\2" * 20)
    after, _ = deidentified(dataset, EchoTime=2.5)
    assert not [e.tag for e in after if e.tag.group >> 8 in (0x50, 0x60)]


def test_a_sequence_that_is_removed_goes_whole(deidentified: Deidentified, basic: Profile) -> None:
    inner = Dataset()
    inner.BodyPartExamined = "KNEE"
    inner.RequestingPhysician = "Thornbury^Ignatius"
    after, instance = deidentified(RequestAttributesSequence=Sequence([inner]), profile=basic)
    assert "RequestAttributesSequence" not in after
    assert b"KNEE" not in instance.content
    assert ("Thornbury^Ignatius", "(0032,1032)") in {(v.text, v.origin) for v in instance.identity}
    assert instance.changes["X"] == 1


def test_the_code_of_an_institution_is_harvested_with_its_sequence(
    deidentified: Deidentified,
) -> None:
    code = Dataset()
    code.CodeValue = "A17"
    code.CodingSchemeDesignator = "99ALDWYN"
    code.CodeMeaning = "St Aldwyn Infirmary"
    _, instance = deidentified(InstitutionCodeSequence=Sequence([code]))
    assert ("St Aldwyn Infirmary", ValueKind.PLACE) in {(v.text, v.kind) for v in instance.identity}


@pytest.mark.parametrize("transfer_syntax", [ImplicitVRLittleEndian, None])
def test_attributes_that_pydicom_does_not_know_go(
    deidentified: Deidentified, written: Callable[..., bytes], transfer_syntax: Any
) -> None:
    dataset = Dataset()
    dataset[0x00100012] = DataElement(0x00100012, "UN", b"Mazzie")
    dataset[0x00100045] = DataElement(0x00100045, "UN", b"a comment ")
    syntax = {"transfer_syntax": transfer_syntax} if transfer_syntax else {}
    after, instance = deidentified(written(dataset, EchoTime=2.5, **syntax))
    assert 0x00100012 not in after
    assert ("Mazzie", ValueKind.NAME) in {(v.text, v.kind) for v in instance.identity}


def test_private_attributes_stay_by_creator_and_in_their_block(deidentified: Deidentified) -> None:
    dataset = Dataset()
    dataset.add_new(0x00190010, "LO", "ALDWYN SLEEP COHORT")
    dataset.add_new(0x00190037, "LO", "SIEMENS MR HEADER")
    dataset.add_new(0x00191008, "LO", "Quillfeather")
    dataset.add_new(0x0019370A, "US", 36)
    dataset.add_new(0x001937FE, "LO", "Quillfeather")
    dataset.add_new(0x00210010, "LO", "SIEMENS MR HEADER")
    dataset.add_new(0x002110FE, "LO", "Quillfeather")
    after, _ = deidentified(dataset, EchoTime=2.5)
    private = {int(e.tag): e.value for e in after if e.tag.is_private}
    assert private == {0x00190037: "SIEMENS MR HEADER", 0x0019370A: 36}


def test_private_attributes_without_a_creator_go(deidentified: Deidentified) -> None:
    dataset = Dataset()
    dataset.add_new(0x0019100A, "US", 36)
    dataset.add_new(0x00190001, "LO", "Quillfeather")
    after, _ = deidentified(dataset, EchoTime=2.5)
    assert not [e for e in after if e.tag.is_private]


def test_the_basic_profile_keeps_no_private_attribute(
    deidentified: Deidentified, basic: Profile
) -> None:
    dataset = Dataset()
    dataset.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    dataset.add_new(0x0019100A, "US", 36)
    after, _ = deidentified(dataset, EchoTime=2.5, profile=basic)
    assert not [e for e in after if e.tag.is_private]


def test_a_creator_that_nobody_knows_is_not_named_as_an_origin(deidentified: Deidentified) -> None:
    dataset = Dataset()
    dataset.add_new(0x00190010, "LO", "ALDWYN SLEEP COHORT")
    dataset.add_new(0x00191008, "PN", "Quillfeather^Mara")
    _, instance = deidentified(dataset, EchoTime=2.5)
    assert "(0019,private,08)" in {v.origin for v in instance.identity}


def test_what_stays_published_is_not_harvested(deidentified: Deidentified) -> None:
    _, instance = deidentified(
        SeriesDescription="bold rest", StudyComments="bold rest", PatientSex="F", Modality="MR"
    )
    assert not {"bold rest", "F", "MR"} & {v.text for v in instance.identity}


def test_a_list_of_private_blocks_goes_with_what_it_lists(deidentified: Deidentified) -> None:
    block = Dataset()
    block.PrivateGroupReference = 0x0019
    block.PrivateCreatorReference = "ALDWYN SLEEP COHORT"
    after, instance = deidentified(PrivateDataElementCharacteristicsSequence=Sequence([block]))
    assert "PrivateDataElementCharacteristicsSequence" not in after
    assert b"ALDWYN" not in instance.content


TAGS = [row.number for row in table_rows() if row.number and row.number != 0x00080018]
VRS = st.sampled_from(
    ["AE", "AS", "CS", "DA", "DT", "LO", "LT", "OB", "PN", "SQ", "TM", "UI", "UN"]
)


@given(
    elements=st.dictionaries(st.sampled_from(TAGS), st.tuples(VRS, st.binary(max_size=40))),
    characters=st.sampled_from([b"", b"ISO_IR 192", b"\\\\ISO 2022 IR 87", b"nonsense"]),
)
def test_any_value_of_any_vr_is_cleaned_or_refused(
    bids: Profile,
    plan: PersonPlan,
    elements: dict[int, tuple[str, bytes]],
    characters: bytes,
) -> None:
    there = {0x00080005: ("CS", characters), 0x00080016: ("UI", b"1.2"), 0x00080018: ("UI", b"1.3")}
    body = b"".join(
        write_element(tag, vr, value, EXPLICIT_LITTLE)
        for tag, (vr, value) in sorted((there | elements).items())
    )
    content = file_of(body)
    try:
        once = deidentify_instance(content, profile=bids, plan=plan)
    except NotUnderstoodError:
        return
    assert deidentify_instance(once.content, profile=bids, plan=plan).content


def test_what_is_cut_from_a_private_value_is_searched_for(deidentified: Deidentified) -> None:
    dataset = Dataset()
    ours = dataset.private_block(0x0019, "GEMS_ACQU_01", create=True)
    ours.add_new(0x9E, "LO", "EFGRE3D for Mrs. Wexcombe")
    analysis = dataset.private_block(0x0099, "NQHeader", create=True)
    analysis.add_new(0x02, "UI", "1.3.12.2.77.4711")
    after, instance = deidentified(dataset)
    assert after.private_block(0x0019, "GEMS_ACQU_01")[0x9E].value == "EFGRE3D for"
    found = {(one.kind, one.text, one.origin) for one in instance.identity}
    assert found >= {
        (ValueKind.TEXT, "Mrs. Wexcombe", "(0019,GEMS_ACQU_01,9E)"),
        (ValueKind.UID, "1.3.12.2.77.4711", "(0099,NQHeader,02)"),
    }


def test_a_second_pass_takes_nothing_more_away(
    basic: Profile, plan: PersonPlan, tmp_path: Path
) -> None:
    path = sessions.nested_sequences_with_names(tmp_path)[0]
    once = deidentify_instance(path.read_bytes(), profile=basic, plan=plan)
    twice = deidentify_instance(once.content, profile=basic, plan=plan)
    assert twice.content == once.content
    assert not twice.changes
    assert not twice.identity


@given(data=st.binary(max_size=300), place=st.floats(0, 1, exclude_max=True))
def test_a_damaged_file_is_cleaned_or_refused(
    written: Callable[..., bytes], bids: Profile, plan: PersonPlan, data: bytes, place: float
) -> None:
    inner = Dataset()
    inner.PatientName = "Quillfeather"
    content = written(PatientName="Quillfeather", ReferencedInstanceSequence=Sequence([inner]))
    at = 132 + int(place * (len(content) - 132))
    damaged = content[:at] + data + content[at + len(data) :]
    try:
        instance = deidentify_instance(damaged, profile=bids, plan=plan)
    except NotUnderstoodError:
        return
    assert read_file(instance.content).value(0x00100010) in (b"", b"pseudo-name-7")
