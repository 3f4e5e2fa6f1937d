"""Profiles are read from TOML, and all that is wrong with one is said at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bidsanon.dicom.confidentiality import Option
from bidsanon.errors import PolicyError
from bidsanon.profile import Action, Cleaning, PrivateKey, bundled_profiles, load_profile
from bidsanon.resources import schema_path

HEAD = 'description = "Made for a test."\n'


def write(folder: Path, text: str) -> str:
    path = folder / "lab.toml"
    path.write_text(HEAD + text, "utf-8")
    return str(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load_profile(write(folder, text))
    assert caught.value.cure
    return caught.value.message


def test_bundled_profiles_carry_their_own_names() -> None:
    assert {"basic", "bids"} <= set(bundled_profiles())
    for name in bundled_profiles():
        assert load_profile(name).name == name


def test_the_schema_is_valid_and_lists_the_options_of_the_code() -> None:
    schema = json.loads(schema_path("profile.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["options"]["items"]["enum"] == [str(option) for option in Option]


def test_the_schema_describes_every_key() -> None:
    def undescribed(node: object, path: str) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.get("properties", {}).items():
                if not {"description", "$ref"} & set(value):
                    yield f"{path}/{key}"
            for key, value in node.items():
                yield from undescribed(value, f"{path}/{key}")
        elif isinstance(node, list):
            for index, value in enumerate(node):
                yield from undescribed(value, f"{path}[{index}]")

    schema = json.loads(schema_path("profile.schema.json").read_text("utf-8"))
    assert list(undescribed(schema, "")) == []


def test_every_rule_of_a_bundled_profile_says_why() -> None:
    for name in bundled_profiles():
        assert [rule for rule in load_profile(name).rules if not rule.decision.reason] == []


def test_cati_speaks_of_its_38_attributes() -> None:
    elements = {
        "0008": "0020 0031 0032 0033 103E",
        "0010": "0010",
        "0019": "0A 0C 1E 5A 7E 9F",
        "0021": "5A",
        "0025": "07",
        "0027": "60",
        "0043": "2C 2F 39",
        "0051": "0A 0B 0C 0E 0F 11 16",
        "2001": "03 0B 13 14 18 1B 81",
        "2005": "1D 74 75 76 A1 A9",
    }
    listed = {f"{group},{element}" for group, them in elements.items() for element in them.split()}
    assert len(listed) == 38
    spoken = set()
    for rule in load_profile("cati").rules:
        key = rule.attribute
        if isinstance(key, PrivateKey):
            spoken.add(f"{key.group:04X},{key.element:02X}")
        else:
            spoken.add(f"{key >> 16:04X},{key & 0xFFFF:04X}")
        assert rule.decision.action in {Action.KEEP, Action.CLEAN}
    assert spoken - {"0010,0020"} == listed


def test_a_users_profile_starts_from_a_bundled_one_and_overrules_it(tmp_path: Path) -> None:
    profile = load_profile(
        write(
            tmp_path,
            """
            name = "our-lab"
            start = "bids"
            keep = ["StudyDescription", "(0008,1010)", "(0019,SIEMENS MR HEADER,0A)"]
            remove = [{ attribute = "PatientWeight", reason = "not needed here" }]
            empty = ["PatientSex"]
            clean = [{ attribute = "PatientComments", how = "descriptors" }]
            [force]
            Manufacturer = "A scanner"
            """,
        )
    )
    rules = {rule.attribute: rule.decision for rule in profile.rules}
    assert rules[0x00081030].action is Action.KEEP
    assert rules[0x00081010].action is Action.KEEP
    private = PrivateKey(group=0x19, creator="SIEMENS MR HEADER", element=0x0A)
    assert rules[private].action is Action.KEEP
    assert rules[0x00101030].reason == "not needed here"
    assert rules[0x00100040].action is Action.EMPTY
    assert rules[0x00104000].cleaning is Cleaning.DESCRIPTORS
    assert (rules[0x00080070].action, rules[0x00080070].value) == (Action.DUMMY, "A scanner")
    assert profile.options == load_profile("bids").options
    assert profile.modalities == load_profile("bids").modalities
    assert profile.name == "our-lab"


def test_options_and_modalities_replace_those_of_the_start(tmp_path: Path) -> None:
    profile = load_profile(
        write(tmp_path, 'start = "bids"\noptions = ["retain-uids"]\nmodalities = ["US"]')
    )
    assert profile.options == {Option.RETAIN_UIDS}
    assert profile.modalities == {"US"}


def test_a_lab_adds_its_words_to_the_vocabulary(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, 'start = "strict"\nvocabulary = ["OurTask"]\n'))
    assert profile.vocabulary
    assert profile.words == {"ourtask"}
    assert profile.digest != load_profile("strict").digest
    assert "vocabulary" in refusal(tmp_path, 'start = "strict"\nvocabulary = ["our task"]\n')


def test_a_profile_without_a_name_is_not_named_after_its_file(tmp_path: Path) -> None:
    assert load_profile(write(tmp_path, 'modalities = ["MR"]')).name == "own"


def test_a_keyword_that_pydicom_lacks_is_known(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, 'modalities = ["MR"]\nkeep = ["NameToUse"]'))
    assert [rule.attribute for rule in profile.rules] == [0x00100012]


def test_all_problems_of_form_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        """
        modalities = []
        options = ["retain-everything"]
        keeep = []
        clean = [{ attribute = "PatientID", how = "well" }]
        """,
    )
    for place in ("modalities", "options[0]", "keeep", "clean[0].how"):
        assert place in message


def test_all_problems_of_meaning_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        """
        start = "nowhere"
        options = ["retain-full-dates", "retain-modified-dates"]
        keep = ["PatientNaem", "(0019,100A)", "(0008,9999)", "PatientID"]
        remove = ["(0010,0020)"]
        """,
    )
    for place in ("start", "options", "keep[0]", "keep[1]", "keep[2]", "remove[0]"):
        assert f"{place}: " in message
    assert "exclude each other" in message
    assert "keep[3] already" in message


def test_a_problem_of_form_hides_none_of_meaning(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, 'start = "bids"\nkeep = ["PatientNaem", "(0019,SIEMENS MR HEADER)"]\n'
    )
    assert "keep[0]: PatientNaem is no keyword" in message
    assert "keep[1]: '(0019,SIEMENS MR HEADER)' will not do" in message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("option = []", "there is no option here, only name, description, start, options"),
        ('name = "Our lab"', "name: 'Our lab' will not do. What the profile is called"),
        ('options = ["retain-uid"]', "'retain-uid' will not do: give one of retain-safe-private"),
        ("name = 3", "name: 3 will not do: write a text, in quotes"),
        ('remove = "PatientAge"', "remove: 'PatientAge' will not do: write a list, in square"),
        ('allow-list = "yes"', "allow-list: 'yes' will not do: write true or false"),
        ('clean = ["PatientAge"]', "clean[0]: 'PatientAge' will not do: write a table, in curly"),
        ("keep = [{ attribut = 1 }]", "An attribute, or { attribute = ..., reason = ... }."),
        ('clean = [{ attribute = "PatientAge" }]', "clean[0]: how missing"),
    ],
)
def test_problems_of_form_are_told_in_words_and_not_in_patterns(
    tmp_path: Path, line: str, words: str
) -> None:
    assert words in refusal(tmp_path, f'start = "bids"\n{line}\n')


def test_the_two_date_options_exclude_each_other(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        'modalities = ["MR"]\noptions = ["retain-full-dates", "retain-modified-dates"]',
    )
    assert "retain-full-dates and retain-modified-dates exclude each other" in message


def test_modalities_are_needed_where_there_is_no_start(tmp_path: Path) -> None:
    assert "modalities" in refusal(tmp_path, "")


def test_what_is_no_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 2" in refusal(tmp_path, "keep == 1")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="UTF-8"):
        load_profile(str(path))


def test_a_name_that_nobody_knows_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_profile(str(tmp_path / "jane_doe.toml"))
    assert "jane" not in caught.value.message + caught.value.cure
    assert "bids" in caught.value.cure


def test_problems_of_form_and_of_meaning_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('start = "bids"\nkeeep = []\nkeep = ["PatientNaem"]\n', "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_profile(str(path))
    for problem in ("description", "keeep", "keep[0]: PatientNaem is no keyword"):
        assert problem in caught.value.message


@pytest.mark.parametrize(
    ("attribute", "value", "problem"),
    [
        ("PatientAge", "30", "the value is none of VR AS"),
        ("StudyDate", "2013-03-08", "the value is none of VR DA"),
        ("Modality", "magnetic", "the value is none of VR CS"),
        ("EchoTime", "long", "the value is none of VR DS"),
        ("InstanceNumber", "1\\\\2", "2 values are too many or too few"),
        ("PatientName", "x" * 65, "the value is none of VR PN"),
        ("SliceThickness", " ", "no value is given"),
        ("ReferencedStudySequence", "1", "cannot be given as text"),
        ("FrameOfReferenceUID", "1.2.3", "tears references apart"),
        ("PixelData", "1", "the pixels cannot be read"),
        ("Rows", "12", "the pixels cannot be read"),
        ("SOPInstanceUID", "1.2.3", "always replaced"),
        ("SpecificCharacterSet", "ISO_IR 192", "cannot be read"),
        ("PatientIdentityRemoved", "NO", "written by bidsanon"),
        ("(0002,0016)", "AE", "written anew"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_without_repeating_it(
    tmp_path: Path, attribute: str, value: str, problem: str
) -> None:
    message = refusal(tmp_path, f'start = "bids"\n[force]\n"{attribute}" = "{value}"')
    assert f"{attribute}: " in message
    assert problem in message
    assert value.strip() in ("", "1", "12") or value not in message


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("PatientName", "Head^Phantom"),
        ("PatientAge", "030Y"),
        ("StudyDate", "19000101"),
        ("EchoTime", "3.5"),
        ("ImageType", "ORIGINAL\\\\PRIMARY"),
        ("MagneticFieldStrength", "3"),
        ("DiffusionGradientOrientation", "0\\\\0\\\\1"),
        ("(0019,SIEMENS MR HEADER,0C)", "1000"),
        ("(0099,ANYBODY,01)", "anything"),
    ],
)
def test_a_value_that_fits_is_taken(tmp_path: Path, attribute: str, value: str) -> None:
    profile = load_profile(write(tmp_path, f'start = "bids"\n[force]\n"{attribute}" = "{value}"'))
    assert profile.rules[-1].decision.value == value.replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("rule", "attribute", "problem"),
    [
        ("keep", "(0002,0016)", "written anew"),
        ("keep", "SOPInstanceUID", "select retain-uids"),
        ("keep", "StudyInstanceUID", "select retain-uids"),
        ("keep", "DeidentificationMethod", "written by bidsanon"),
        ("remove", "PixelData", "the pixels cannot be read"),
        ("remove", "SeriesInstanceUID", "always replaced"),
        ("empty", "SOPClassUID", "cannot be read"),
        ("remove", "LongitudinalTemporalInformationModified", "written by bidsanon"),
    ],
)
def test_a_rule_that_could_not_be_obeyed_is_refused(
    tmp_path: Path, rule: str, attribute: str, problem: str
) -> None:
    message = refusal(tmp_path, f'start = "bids"\n{rule} = ["{attribute}"]')
    assert f"{rule}[0]: {attribute}: " in message
    assert problem in message


def test_a_uid_is_kept_where_all_are(tmp_path: Path) -> None:
    text = 'modalities = ["MR"]\noptions = ["retain-uids"]\nkeep = ["StudyInstanceUID"]'
    assert load_profile(write(tmp_path, text)).rules


def test_private_cleaning_needs_a_private_attribute_that_the_table_lists(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        """
        start = "basic"
        clean = [
          { attribute = "PatientID", how = "private" },
          { attribute = "(0099,NOBODY,01)", how = "private" },
        ]
        """,
    )
    assert "clean[0]: PatientID: it is not private" in message
    assert "clean[1]: (0099,NOBODY,01): the table of private attributes does not list it" in message


def test_an_option_that_is_added_overrules_the_rules_of_the_start(tmp_path: Path) -> None:
    options = [*sorted(load_profile("bids").options), "retain-device-identity"]
    profile = load_profile(write(tmp_path, f'start = "bids"\noptions = {json.dumps(options)}'))
    serial = profile.decide(0x00181000, sop_class_uid="", path=())
    assert (serial.action, serial.option) == (Action.KEEP, Option.RETAIN_DEVICE_IDENTITY)
    name = profile.decide(0x00100010, sop_class_uid="", path=())
    assert name.cleaning is Cleaning.PSEUDONYM
