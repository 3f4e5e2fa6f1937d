"""What no rule speaks of stays, as far as it is what its attribute means and names nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence

from bidsanon.notes import NoteReason
from bidsanon.profile import amend_profile, load_profile

Deidentified = Callable[..., tuple[Dataset, Any]]
PERSON = {"PatientName": "Quillfeather^Mara", "PatientID": "QF-7719-KX"}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SequenceName", "*tfl3d1_16ns"),
        ("SoftwareVersions", "syngo MR E11"),
        ("ImageType", ["ORIGINAL", "PRIMARY", "M", "ND"]),
        ("Manufacturer", "SIEMENS"),
        ("SliceThickness", "0.8"),
        ("PatientPosition", "HFS"),
        ("PixelSpacing", ["1", "1.5"]),
        ("ImagingFrequency", "123.258723"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.4"),
        ("DiffusionBValue", 1000.0),
        ("ReceiveCoilName", "HeadNeck_64"),
    ],
)
def test_what_names_nobody_stays(deidentified: Deidentified, keyword: str, value: object) -> None:
    after, instance = deidentified(**PERSON, **{keyword: value})
    assert after[keyword].value == value
    assert instance.notes == ()


@pytest.mark.parametrize(
    ("keyword", "value", "kept"),
    [
        ("SequenceName", "tfl_Quillfeather", "tfl"),
        ("SoftwareVersions", "E11 for QF-7719-KX", "E11 for"),
        ("ImageType", ["ORIGINAL", "QUILLFEATHER"], ["ORIGINAL", ""]),
        ("LUTExplanation", "Mara Quillfeather", ""),
        ("ManufacturerModelName", "Prisma QF-7719-KX", "Prisma"),
    ],
)
def test_what_the_headers_say_elsewhere_is_cut(
    deidentified: Deidentified, keyword: str, value: object, kept: object
) -> None:
    after, instance = deidentified(**PERSON, **{keyword: value})
    assert (after[keyword].value or "") == kept
    assert instance.notes


def test_a_free_text_loses_what_has_a_shape_too(deidentified: Deidentified) -> None:
    after, _ = deidentified(**PERSON, DocumentTitle="written to mq@aldwyn.example")
    assert "aldwyn" not in after.DocumentTitle
    assert "written" in after.DocumentTitle


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00180081, "LO", "Vrelkonamisz"),
        (0x00180083, "UT", "Vrelkonamisz"),
        (0x00181314, "PN", "Vrelkonamisz^Q"),
        (0x00200013, "LO", "QF-7719-KX"),
        (0x00189087, "LO", "Vrelkonamisz"),
        (0x00281201, "OW", b"\0\1QF-7719-KX\0\1"),
        (0x00281201, "OW", "QF-7719-KX".encode("utf-16-le")),
        (0x00282000, "OB", b"desc\0\0QF-7719-KX\0"),
        (0x00181088, "LO", "20230517"),
    ],
)
def test_what_is_not_what_its_attribute_means_goes(
    deidentified: Deidentified, tag: int, vr: str, value: object
) -> None:
    dataset = Dataset()
    dataset[tag] = DataElement(tag, vr, value)
    after, instance = deidentified(dataset, **PERSON, StudyDate="20230517")
    assert tag not in after
    assert {note.reason for note in instance.notes} == {NoteReason.OTHER_THAN_MEANT}


def test_a_term_of_the_standard_stays_although_a_person_is_called_so(
    deidentified: Deidentified,
) -> None:
    after, _ = deidentified(
        PatientName="Hfs^Row", PatientPosition="HFS", InPlanePhaseEncodingDirection="ROW"
    )
    assert after.PatientPosition == "HFS"
    assert after.InPlanePhaseEncodingDirection == "ROW"


def test_a_maker_stays_although_a_person_or_a_place_is_called_so(
    deidentified: Deidentified,
) -> None:
    after, _ = deidentified(
        PatientName="Philips^Ada", InstitutionName="Siemens Forum", Manufacturer="Philips"
    )
    assert after.Manufacturer == "Philips"


def test_a_code_meaning_loses_a_name_at_every_depth(deidentified: Deidentified) -> None:
    code = Dataset()
    code.CodeValue = "113100"
    code.CodeMeaning = "MRI for Quillfeather"
    after, instance = deidentified(**PERSON, ProcedureCodeSequence=Sequence([code]))
    assert b"Quillfeather" not in instance.content
    assert after.ProcedureCodeSequence[0].CodeValue == "113100"


@pytest.mark.parametrize(
    ("keyword", "value", "kept"),
    [
        ("SequenceName", "tfl_Quillfeather", "tfl"),
        ("ScanOptions", ["PFP", "QUILLFEATHER"], ["PFP", ""]),
        ("ReceiveCoilName", "HeadNeck_64", "HeadNeck_64"),
    ],
)
def test_what_an_allow_list_admits_names_nobody_either(
    deidentified: Deidentified, keyword: str, value: object, kept: object
) -> None:
    after, _ = deidentified(**PERSON, profile=load_profile("strict"), **{keyword: value})
    assert after[keyword].value == kept


@pytest.mark.parametrize(("vr", "value", "stays"), [("IS", "1000", True), ("LO", "Mara", False)])
def test_what_a_profile_keeps_of_private_data_is_what_it_means(
    deidentified: Deidentified, vr: str, value: str, *, stays: bool
) -> None:
    dataset = Dataset()
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, vr, value)
    after, _ = deidentified(dataset, **PERSON, profile=load_profile("cati"))
    assert (0x0019100C in after) is stays


def test_what_the_user_keeps_stays_whole_with_an_allow_list_too(deidentified: Deidentified) -> None:
    profile = amend_profile(load_profile("strict"), keep=["SequenceName"])
    after, _ = deidentified(**PERSON, profile=profile, SequenceName="tfl_Quillfeather")
    assert after.SequenceName == "tfl_Quillfeather"


@pytest.mark.parametrize(("keyword", "value"), [("PatientSex", "QUILLFEATHER")])
def test_a_characteristic_that_is_kept_names_nobody(
    deidentified: Deidentified, keyword: str, value: str
) -> None:
    after, instance = deidentified(**PERSON, **{keyword: value})
    assert value.encode() not in instance.content
    assert not after.get(keyword)
