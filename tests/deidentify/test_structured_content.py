"""Reports with Clean Structured Content: the tree stays, and nothing in it says who."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID, ComprehensiveSRStorage, ExplicitVRBigEndian, ImplicitVRLittleEndian

from bidsanon.deidentify import DeidentifiedInstance
from bidsanon.profile import Profile, amend_profile, load_profile

Deidentified = Callable[..., tuple[Dataset, DeidentifiedInstance]]
IMAGE = "1.3.12.2.1107.5.2.99.7"


@pytest.fixture(scope="module")
def cleaning() -> Profile:
    """Give the profile for sharing with structured content cleaned."""
    return amend_profile(load_profile("bids"), add_options=["clean-structured-content"])


def code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def content(
    concept: Dataset, value_type: str, *, children: list[Dataset] | None = None, **value: object
) -> Dataset:
    item = Dataset()
    item.RelationshipType = "CONTAINS"
    item.ValueType = value_type
    item.ConceptNameCodeSequence = [concept]
    for keyword, content_value in value.items():
        setattr(item, keyword, content_value)
    if children:
        item.ContentSequence = children
    return item


def reference() -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    item.ReferencedSOPInstanceUID = IMAGE
    return item


def measured(value: str) -> Dataset:
    item = Dataset()
    item.NumericValue = value
    item.MeasurementUnitsCodeSequence = [code("mm", "millimetre", "UCUM")]
    return item


def report() -> Dataset:
    data_set = Dataset()
    data_set.SOPClassUID = ComprehensiveSRStorage
    data_set.SOPInstanceUID = "1.3.12.2.1107.5.2.98"
    data_set.StudyDate = "20180907"
    data_set.PatientName = "Quist^Mara"
    data_set.PatientID = "X-4711"
    data_set.Modality = "SR"
    data_set.ValueType = "CONTAINER"
    data_set.ConceptNameCodeSequence = [code("126000", "Imaging Measurement Report")]
    observer = content(code("121008", "Person Observer Name"), "PNAME", PersonName="Ferrant^Odo")
    place = content(
        code("121009", "Person Observer's Organization Name"), "TEXT", TextValue="St. Elsewhere"
    )
    observer.ContentSequence = [place]
    data_set.ContentSequence = [
        observer,
        content(code("121030", "Subject ID"), "TEXT", TextValue="LOCAL77120"),
        content(code("121031", "Subject Birth Date"), "DATE", Date="19610203"),
        content(code("121022", "Accession Number"), "TEXT", TextValue="QQ8812"),
        content(
            code("X1", "Name of the referring hospital", "99SITE"), "TEXT", TextValue="Elsewhere"
        ),
        content(code("121012", "Device Observer UID"), "UIDREF", UID="1.3.12.2.1107.5.2.43.1"),
        content(code("111526", "DateTime Started"), "DATETIME", DateTime="20180907143015"),
        content(
            code("121071", "Finding"),
            "TEXT",
            TextValue="Mara Quist shows no lesion, call 030 1234567",
            children=[
                content(code("121206", "Distance"), "NUM", MeasuredValueSequence=[measured("17.5")])
            ],
        ),
        content(
            code("121112", "Source of Measurement"), "IMAGE", ReferencedSOPSequence=[reference()]
        ),
    ]
    return data_set


def items(data_set: Dataset) -> Iterator[Dataset]:
    for item in data_set.get("ContentSequence", ()):
        yield item
        yield from items(item)


def named(data_set: Dataset) -> dict[str, Dataset]:
    return {item.ConceptNameCodeSequence[0].CodeValue: item for item in items(data_set)}


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_nothing_in_the_tree_says_who(
    deidentified: Deidentified, written: Callable[..., bytes], cleaning: Profile, syntax: UID | None
) -> None:
    file = written(report(), **({"transfer_syntax": syntax} if syntax else {}))
    _, instance = deidentified(file, profile=cleaning)
    for said in (
        "Quist",
        "Mara",
        "Ferrant",
        "Elsewhere",
        "LOCAL77120",
        "1961",
        "QQ8812",
        "1234567",
    ):
        assert said.encode() in file
        assert said.encode() not in instance.content, said
    assert IMAGE.encode() not in instance.content


def test_the_tree_and_what_was_found_stay(deidentified: Deidentified, cleaning: Profile) -> None:
    cleaned, _ = deidentified(report(), profile=cleaning)
    before, after = named(report()), named(cleaned)
    assert list(after) == list(before)
    assert [i.get("ValueType") for i in items(cleaned)] == [
        i.get("ValueType") for i in items(report())
    ]
    assert after["121071"].TextValue.startswith("shows no lesion")
    assert after["121206"].MeasuredValueSequence[0].NumericValue == 17.5
    assert after["121008"].PersonName != ""
    assert after["121030"].TextValue != ""


def test_dates_are_shifted_and_references_replaced(
    deidentified: Deidentified, cleaning: Profile
) -> None:
    cleaned, _ = deidentified(report(), profile=cleaning)
    after = named(cleaned)
    started = after["111526"].DateTime
    assert (started[:8], started[8:14]) == (cleaned.StudyDate, "143015")
    image = after["121112"].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert image != IMAGE
    alone, _ = deidentified(SOPInstanceUID=IMAGE, profile=cleaning)
    assert image == alone.SOPInstanceUID


def test_the_option_is_named_in_the_method_codes(
    deidentified: Deidentified, cleaning: Profile
) -> None:
    cleaned, _ = deidentified(report(), profile=cleaning)
    codes = {code.CodeValue for code in cleaned.DeidentificationMethodCodeSequence}
    assert "113104" in codes


def test_cleaning_twice_changes_nothing_more(deidentified: Deidentified, cleaning: Profile) -> None:
    _, once = deidentified(report(), profile=cleaning)
    _, twice = deidentified(once.content, profile=cleaning)
    assert named(dcmread_bytes(twice.content)) == named(dcmread_bytes(once.content))


def dcmread_bytes(content: bytes) -> Dataset:
    from io import BytesIO  # noqa: PLC0415

    return dcmread(BytesIO(content))


def test_without_the_option_the_content_is_gone(deidentified: Deidentified) -> None:
    cleaned, _ = deidentified(report())
    assert set(named(cleaned)) == {"121106"}


def test_an_acquisition_context_loses_who_and_keeps_how(
    deidentified: Deidentified, cleaning: Profile
) -> None:
    contrast = content(code("109056", "Contrast given"), "TEXT", TextValue="none")
    operator = content(code("X2", "Operator", "99SITE"), "TEXT", TextValue="Odo Ferrant")
    cleaned, _ = deidentified(AcquisitionContextSequence=[contrast, operator], profile=cleaning)
    texts = [item.TextValue for item in cleaned.AcquisitionContextSequence]
    assert texts[0] == "none"
    assert "Ferrant" not in texts[1]


@pytest.mark.parametrize("name", ["test-SR.dcm", "reportsi.dcm"])
def test_a_real_report_keeps_its_tree_and_loses_its_names(
    name: str, shared_data: Callable[[str], Path], deidentified: Deidentified, cleaning: Profile
) -> None:
    path = shared_data("malformed-and-odd") / name
    original = dcmread(path)
    cleaned, _ = deidentified(path.read_bytes(), profile=cleaning)
    assert [i.get("ValueType") for i in items(cleaned)] == [
        i.get("ValueType") for i in items(original)
    ]
    names = {str(i.PersonName) for i in items(original) if "PersonName" in i and i.PersonName}
    assert not names & {str(i.PersonName) for i in items(cleaned) if "PersonName" in i}
    uids = {i.UID for i in items(original) if "UID" in i}
    assert not uids & {i.UID for i in items(cleaned) if "UID" in i}
