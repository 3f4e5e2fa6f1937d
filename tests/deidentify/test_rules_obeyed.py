"""A profile's own rules act at every depth, and what it forces is there."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from pydicom import DataElement, Dataset, Sequence, dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from bidsanon.deidentify import deidentify_instance
from bidsanon.dicom.confidentiality import Option
from bidsanon.profile import Profile, amend_profile, load_profile
from bidsanon.vault import PersonPlan

Deidentified = Callable[..., tuple[Dataset, Any]]
FUNCTIONAL_GROUPS = "SharedFunctionalGroupsSequence"


def nested(**attributes: object) -> Dataset:
    """Make a data set with attributes at the top and two sequences deep."""
    inner, middle, outer = Dataset(), Dataset(), Dataset()
    for dataset in (inner, outer):
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
    middle.FrameContentSequence = Sequence([inner])
    setattr(outer, FUNCTIONAL_GROUPS, Sequence([middle]))
    return outer


def deep(dataset: Dataset) -> Dataset:
    groups = dataset[FUNCTIONAL_GROUPS][0]
    inner: Dataset = groups.FrameContentSequence[0]
    return inner


def amended(name: str = "bids", **changes: Any) -> Profile:
    return amend_profile(load_profile(name), **changes)


def test_keep_remove_and_force_act_at_every_depth(deidentified: Deidentified) -> None:
    profile = amended(
        keep=["OperatorsName"], remove=["SliceThickness"], force={"InstitutionName": "A place"}
    )
    instance = nested(OperatorsName="Jane Doe", SliceThickness="2", InstitutionName="St Mary")
    after, _ = deidentified(instance, profile=profile)
    for place in (after, deep(after)):
        assert place.OperatorsName == "Jane Doe"
        assert "SliceThickness" not in place
        assert place.InstitutionName == "A place"


def test_what_is_kept_is_not_cut_from_other_texts(deidentified: Deidentified) -> None:
    said = {"InstitutionName": "Hollingberry", "SeriesDescription": "t1 of Hollingberry"}
    after, _ = deidentified(**said)
    assert after.SeriesDescription == "t1 of"
    after, _ = deidentified(**said, profile=amended(keep=["InstitutionName"]))
    assert after.SeriesDescription == "t1 of Hollingberry"


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_what_is_forced_and_absent_is_inserted_at_the_top_alone(
    deidentified: Deidentified, written: Callable[..., bytes], syntax: Any
) -> None:
    profile = amended(
        force={
            "InstitutionName": "A place",
            "MagneticFieldStrength": "7",
            "ContentDate": "19010203",
            "B1rms": "1.5",
            "AcquisitionMatrix": r"64\0\0\64",
        }
    )
    content = written(nested(SliceThickness="2"), transfer_syntax=syntax)
    after, _ = deidentified(content, profile=profile)
    assert after.InstitutionName == "A place"
    assert after.MagneticFieldStrength == 7
    assert after.ContentDate == "19010203"
    assert after.B1rms == 1.5
    assert after.AcquisitionMatrix == [64, 0, 0, 64]
    assert "InstitutionName" not in deep(after)
    tags = [element.tag for element in after]
    assert tags == sorted(tags)


def test_forcing_again_changes_nothing(
    plan: PersonPlan, written: Callable[..., bytes], deidentified: Deidentified
) -> None:
    profile = amended(force={"InstitutionName": "A place", "MagneticFieldStrength": "7"})
    content = written(SliceThickness="2")
    once = deidentify_instance(content, profile=profile, plan=plan).content
    assert deidentify_instance(once, profile=profile, plan=plan).content == once
    after, _ = deidentified(once, profile=profile)
    assert after.InstitutionName == "A place"


def test_a_private_rule_follows_its_creator_into_any_block(deidentified: Deidentified) -> None:
    instance = Dataset()
    for block, creator in ((0x11, "LAB ONE"), (0x15, "LAB TWO")):
        instance.add(DataElement(0x00990000 + block, "LO", creator))
        instance.add(DataElement(0x00990000 + (block << 8) + 1, "LO", "a value"))
        instance.add(DataElement(0x00990000 + (block << 8) + 2, "LO", "another"))
    profile = amended(keep=["(0099,LAB TWO,01)"], force={"(0099,LAB TWO,02)": "forced"})
    after, _ = deidentified(instance, profile=profile)
    assert after[0x00991501].value == "a value"
    assert after[0x00991502].value == "forced"
    assert after[0x00990015].value == "LAB TWO"
    assert 0x00990011 not in after
    assert 0x00991101 not in after


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        (Option.RETAIN_DEVICE_IDENTITY, {"DeviceSerialNumber": "45152", "StationName": "MR3"}),
        (
            Option.RETAIN_INSTITUTION_IDENTITY,
            {"InstitutionName": "St Mary", "InstitutionAddress": "Oak Street"},
        ),
        (Option.RETAIN_UIDS, {"StudyInstanceUID": "1.3.12.2.1107.5.2.19.1"}),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, {"PatientSex": "F", "PatientWeight": 61.5}),
    ],
)
def test_an_option_that_is_added_to_the_profile_for_sharing_really_keeps(
    option: Option, kept: dict[str, object], deidentified: Deidentified
) -> None:
    after, _ = deidentified(
        profile=amended(add_options=[option]), **{k: str(v) for k, v in kept.items()}
    )
    assert {keyword: after.get(keyword) for keyword in kept} == kept


def test_an_option_that_is_added_to_the_allow_list_acts_on_what_it_does_not_list(
    deidentified: Deidentified,
) -> None:
    said = {"InstitutionName": "St Mary", "StationName": "MR3", "BodyPartThickness": "3"}
    after, _ = deidentified(profile=load_profile("strict"), **said)
    assert not set(said) & set(after.dir())
    profile = amended("strict", add_options=["retain-institution-identity"])
    after, _ = deidentified(profile=profile, **said)
    assert after.InstitutionName == "St Mary"
    assert "StationName" not in after


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        (load_profile("bids"), "MODIFIED"),
        (load_profile("basic"), "REMOVED"),
        (load_profile("cati"), "UNMODIFIED"),
        (amended("basic", add_options=["retain-full-dates"]), "UNMODIFIED"),
        (amended("basic", keep=["AcquisitionDate"]), "UNMODIFIED"),
    ],
)
def test_the_mark_about_dates_is_true(
    profile: Profile, says: str, deidentified: Deidentified
) -> None:
    after, _ = deidentified(profile=profile, StudyDate="20130308", AcquisitionDate="20130308")
    assert after.LongitudinalTemporalInformationModified == says


def test_what_a_run_amended_is_in_the_method(deidentified: Deidentified) -> None:
    after, _ = deidentified(profile=amended(keep=["StationName"]), SliceThickness="2")
    assert after.DeidentificationMethod == "bidsanon, profile bids, amended, PS3.15 2026d Annex E"


def test_a_file_with_everything_removed_is_still_read(plan: PersonPlan, written: Any) -> None:
    done = deidentify_instance(written(), profile=load_profile("strict"), plan=plan)
    assert dcmread(io.BytesIO(done.content)).SOPInstanceUID.startswith("2.25.")


@pytest.mark.parametrize(
    ("changes", "keyword", "value"),
    [
        ({"add_options": ["retain-institution-identity"]}, "InstitutionName", "St Mary"),
        ({"add_options": ["retain-device-identity"]}, "StationName", "MR3SOUTH"),
        ({"add_options": ["retain-uids"]}, "StudyInstanceUID", "1.3.12.2.1107.5.2.19.1"),
        ({"keep": ["OperatorsName"]}, "OperatorsName", "Jane Doe"),
    ],
)
def test_what_is_kept_on_purpose_is_not_searched_for(
    changes: dict[str, Any], keyword: str, value: str, deidentified: Deidentified
) -> None:
    def harvested(profile: Profile) -> set[str]:
        _, instance = deidentified(profile=profile, **{keyword: value})
        return {found.text for found in instance.identity}

    assert value in harvested(load_profile("bids"))
    assert value not in harvested(amended(**changes))
