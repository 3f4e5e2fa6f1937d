"""What an instance says of its own de-identification is true, complete and said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from written_elements import file_of

from bidsanon.deidentify import deidentify_instance
from bidsanon.deidentify.recognition import METHOD_PREFIX
from bidsanon.dicom.confidentiality import METHOD_CODES
from bidsanon.dicom.encoding import EXPLICIT_LITTLE
from bidsanon.dicom.file_format import read_file
from bidsanon.dicom.writing import write_element
from bidsanon.notes import NoteReason
from bidsanon.profile import Profile, amend_profile, bundled_profiles, load_profile
from bidsanon.vault import PersonPlan

Deidentified = Callable[..., tuple[Dataset, Any]]

MR = b"1.2.840.10008.5.1.4.1.1.4"
FULL, MODIFIED = "113106", "113107"


@pytest.fixture(scope="module")
def full(bids: Profile) -> Profile:
    return amend_profile(
        bids, add_options=["retain-full-dates"], drop_options=["retain-modified-dates"]
    )


def code(value: str, scheme: str = "DCM", meaning: str = "as the program wrote it") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def codes_of(dataset: Dataset) -> list[str]:
    return [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]


def test_an_instance_that_says_it_twice_says_it_once(bids: Profile, plan: PersonPlan) -> None:
    elements = [(0x00080016, "UI", MR), (0x00080018, "UI", b"1.2.3")]
    elements += [(0x00120062, "CS", b"NO")] * 2 + [(0x00280303, "CS", b"UNMODIFIED")] * 2
    content = file_of(b"".join(write_element(*one, EXPLICIT_LITTLE) for one in elements))
    after = read_file(deidentify_instance(content, profile=bids, plan=plan).content)
    tags = [element.tag for element in after.data_set.elements]
    for tag, value in ((0x00120062, b"YES"), (0x00280303, b"MODIFIED")):
        assert tags.count(tag) == 1
        assert after.value(tag) == value


def test_codes_of_before_and_of_now_are_joined(deidentified: Deidentified, bids: Profile) -> None:
    earlier = [code("113102"), code("defacing_7", "99LAB", "Faces were cut"), code("113100")]
    after, _ = deidentified(DeidentificationMethodCodeSequence=Sequence(earlier))
    own = [value for value, _, _ in bids.method_codes if value != "113100"]
    assert codes_of(after) == ["113102", "defacing_7", "113100", *own]
    meanings = {
        item.CodeValue: item.CodeMeaning for item in after.DeidentificationMethodCodeSequence
    }
    assert meanings["113102"] == METHOD_CODES["113102", "DCM"].meaning
    assert meanings["defacing_7"] == "Faces were cut"


@pytest.mark.parametrize(
    "item",
    [
        code("1", "99LAB", "by Dr. Quillfeather"),
        code("1", "99LAB", ""),
        code("mara@q.org", "99LAB", "cut by uillfeather"),
        Dataset(),
    ],
)
def test_a_code_that_identifies_or_says_nothing_goes_whole(
    item: Dataset, deidentified: Deidentified, bids: Profile
) -> None:
    after, instance = deidentified(
        PatientName="Quillfeather^Mara", DeidentificationMethodCodeSequence=Sequence([item])
    )
    assert codes_of(after) == [value for value, _, _ in bids.method_codes]
    assert b"uillfeather" not in instance.content


def test_an_earlier_run_of_bidsanon_is_retained_and_this_one_appended(
    deidentified: Deidentified, basic: Profile, bids: Profile
) -> None:
    _, first = deidentified(PatientID="QF-7719", profile=basic)
    after, second = deidentified(first.content, profile=bids)
    assert after.DeidentificationMethod == [basic.method, bids.method]
    third, _ = deidentified(second.content, profile=bids)
    assert third.DeidentificationMethod == [basic.method, bids.method]


def test_an_earlier_method_in_another_character_set_is_read(deidentified: Deidentified) -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    after, _ = deidentified(dataset, DeidentificationMethod=["gekürzt", "von Dr. Müller geprüft"])
    assert after.DeidentificationMethod[0] == "gekürzt"
    assert "Müller" not in str(after.DeidentificationMethod)


@pytest.mark.parametrize("name", bundled_profiles())
def test_the_method_names_bidsanon_by_what_it_is_recognised_by(name: str) -> None:
    method = load_profile(name).method
    assert method.encode().startswith(METHOD_PREFIX)
    assert len(method) <= 64


@pytest.mark.parametrize(
    ("earlier", "date", "options", "said", "dates"),
    [
        (None, "20180307", "bids", "MODIFIED", {MODIFIED}),
        ("UNMODIFIED", "20180307", "bids", "MODIFIED", {MODIFIED}),
        ("REMOVED", "", "bids", "REMOVED", {MODIFIED}),
        ("REMOVED", "20180307", "bids", "MODIFIED", {MODIFIED}),
        (None, "20180307", "full", "UNMODIFIED", {FULL}),
        ("MODIFIED", "20180307", "full", "MODIFIED", {MODIFIED}),
        ("REMOVED", "", "full", "REMOVED", {FULL}),
        ("MODIFIED", "20180307", "basic", "REMOVED", set()),
        ("DR OAKLEY", "20180307", "basic", "REMOVED", set()),
    ],
)
def test_what_was_done_to_the_dates_is_true(
    *,
    earlier: str | None,
    date: str,
    options: str,
    said: str,
    dates: set[str],
    deidentified: Deidentified,
    request: pytest.FixtureRequest,
) -> None:
    dataset = Dataset()
    if earlier:
        dataset.LongitudinalTemporalInformationModified = earlier
    if earlier == "MODIFIED":
        dataset.DeidentificationMethodCodeSequence = Sequence([code(MODIFIED)])
    profile = request.getfixturevalue(options)
    after, _ = deidentified(dataset, StudyDate=date, profile=profile)
    assert after.LongitudinalTemporalInformationModified == said
    assert {FULL, MODIFIED}.intersection(codes_of(after)) == dates


@pytest.mark.parametrize("keyword", ["BurnedInAnnotation", "RecognizableVisualFeatures"])
@pytest.mark.parametrize(("value", "after"), [("NO", "NO"), ("YES", "YES"), ("MARA Q", None)])
def test_nothing_is_claimed_of_pixels_that_were_not_touched(
    keyword: str, value: str, after: str | None, deidentified: Deidentified
) -> None:
    dataset = Dataset()
    setattr(dataset, keyword, value)
    assert deidentified(dataset)[0].get(keyword) == after
    assert keyword not in deidentified(Dataset())[0]


def test_the_copy_for_heudiconv_holds_no_earlier_words_either(deidentified: Deidentified) -> None:
    _, instance = deidentified(
        marked=False,
        DeidentificationMethod="dcdtchg change Dates",
        DeidentificationMethodCodeSequence=Sequence([code(MODIFIED)]),
    )
    assert b"Date" not in instance.content
    assert not instance.notes


def test_what_is_cut_from_an_earlier_method_is_noted(deidentified: Deidentified) -> None:
    _, instance = deidentified(DeidentificationMethod="by hand, call 0171/5551234")
    assert {(n.place, n.reason) for n in instance.notes} == {("(0012,0063)", NoteReason.TELEPHONE)}


@pytest.mark.filterwarnings("ignore:The value length")  # mri_reface's code value is long
def test_a_real_refaced_head_keeps_the_mark_of_the_program_that_did_it(
    shared_data: Callable[[str], Any], bids: Profile, plan: PersonPlan, deidentified: Deidentified
) -> None:
    path = next(p for p in sorted(shared_data("ge-hd16-t1-already-deidentified").rglob("*.dcm")))
    before = dcmread(path, stop_before_pixels=True)
    after, instance = deidentified(path.read_bytes())
    assert after.DeidentificationMethod == [*before.DeidentificationMethod, bids.method]
    own = [value for value, _, _ in bids.method_codes]
    assert codes_of(after) == [*codes_of(before), *(v for v in own if v not in codes_of(before))]
    staged = deidentify_instance(path.read_bytes(), profile=bids, plan=plan, marked=False)
    assert b"Date" not in staged.content
    assert b"Modified Dates" in instance.content
