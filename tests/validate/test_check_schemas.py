"""What the JSON Schemas say of a dataset: the file, the key, the rule and no value."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.bids.tree import list_tree
from bidsanon.findings import Finding, Severity, errors
from bidsanon.validate import check_schemas

Edit = Callable[..., None]


def _only_error(dataset: Path) -> Finding:
    (found,) = errors(check_schemas(list_tree(dataset)))
    return found


def test_a_valid_dataset_has_no_error(dataset: Path) -> None:
    assert errors(check_schemas(list_tree(dataset))) == ()


def test_a_missing_field_is_named_with_the_rule_that_requires_it(dataset: Path, edit: Edit) -> None:
    edit("*_bold.json", TaskName=None)

    found = _only_error(dataset)

    assert found.code == "SCHEMA_REQUIRED_MISSING"
    assert found.location.endswith("task-rest_bold.json#/TaskName")
    assert "func.MRIFuncRequired" in found.message


def test_a_field_that_is_inherited_is_not_missing(dataset: Path, edit: Edit) -> None:
    edit("*_bold.json", TaskName=None)
    (dataset / "task-rest_bold.json").write_text('{"TaskName": "rest"}')

    assert errors(check_schemas(list_tree(dataset))) == ()


def test_a_wrong_value_is_located_where_it_is_inherited_from(dataset: Path, edit: Edit) -> None:
    edit("*_bold.json", EchoTime=None)
    (dataset / "task-rest_bold.json").write_text('{"EchoTime": "Doe^Mara"}')

    found = _only_error(dataset)

    assert found.code == "SCHEMA_VALUE_INVALID"
    assert found.location == "task-rest_bold.json#/EchoTime"
    assert "Mara" not in str(found)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("FlipAngle", 400, "is not number > 0 <= 360 or array"),
        ("PhaseEncodingDirection", "AP", "is none of i, i-, j"),
        ("TaskName", 7, "is not of the type string"),
        ("SliceTiming", ["Mara"], "is not of the type number"),
        ("EffectiveEchoSpacing", -1, "is not greater than 0"),
        (
            "DeidentificationMethodCodeSequence",
            [{"CodeValue": 1}],
            "CodeValue is not of the type string",
        ),
    ],
)
def test_a_wrong_value_is_described_and_not_quoted(
    dataset: Path, edit: Edit, key: str, value: object, said: str
) -> None:
    edit("*_bold.json", **{key: value})

    found = next(iter(errors(check_schemas(list_tree(dataset)))))

    assert f"_bold.json#/{key}" in found.location
    assert said in found.message
    assert "Mara" not in str(found)
    assert found.cure


def test_a_rule_about_several_fields_says_what_bids_says(dataset: Path, edit: Edit) -> None:
    edit("*_bold.json", VolumeTiming=[0, 2, 4])

    messages = [found.message for found in errors(check_schemas(list_tree(dataset)))]

    assert any("mutually exclusive" in message for message in messages)


def test_rules_of_an_entity_hold_for_names_that_have_it(dataset: Path, edit: Edit) -> None:
    edit("*_bold.json", EchoTime=None)
    assert errors(check_schemas(list_tree(dataset))) == ()

    for path in list(dataset.rglob("*_bold.*")):
        path.rename(path.with_name(path.name.replace("_bold", "_echo-1_bold")))

    assert "EntitiesEchoMetadata" in _only_error(dataset).message


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("dataset_description.json", {"Name": None}, "SCHEMA_REQUIRED_MISSING"),
        ("dataset_description.json", {"Authors": "A"}, "SCHEMA_VALUE_INVALID"),
        ("dataset_description.json", {"GeneratedBy": [{}]}, "SCHEMA_REQUIRED_MISSING"),
        (
            "participants.json",
            {"age": {"Units": "year", "Maximum": 120}},
            "SCHEMA_COLUMN_INVALID",
        ),
        ("scans.json", {"acq_time": "x"}, "SCHEMA_COLUMN_INVALID"),
    ],
)
def test_the_files_at_the_root_are_checked(
    dataset: Path, edit: Edit, name: str, changes: dict[str, object], code: str
) -> None:
    edit(name, **changes)

    found = next(f for f in check_schemas(list_tree(dataset)) if f.code == code)

    assert found.location.startswith(f"{name}#/")
    assert (found.severity is Severity.ERROR) is (code != "SCHEMA_COLUMN_INVALID")


@pytest.mark.parametrize("name", ["participants.json", "task-rest_bold.json"])
def test_what_is_no_json_is_named(dataset: Path, name: str) -> None:
    (dataset / name).write_text("{'Mara': 1}")

    found = _only_error(dataset)

    assert (found.code, found.location) == ("SCHEMA_NOT_JSON", name)


def test_recommended_fields_are_told_once_for_each_kind_of_image(dataset: Path) -> None:
    infos = [f for f in check_schemas(list_tree(dataset)) if f.severity is Severity.INFO]

    assert {found.code for found in infos} == {"SCHEMA_RECOMMENDED_MISSING"}
    bold = next(found for found in infos if "bold" in found.message)
    assert "CogAtlasID" in bold.message
    assert not any("InstitutionName" in found.message for found in infos)
    assert not any("StationName" in found.message for found in infos)


@pytest.mark.parametrize(("authors", "told"), [(None, 0), ([], 0), (["A. L."], 1), (["A", "B"], 0)])
def test_one_author_is_doubtful_and_none_is_asked_for_elsewhere(
    dataset: Path, edit: Edit, authors: list[str] | None, told: int
) -> None:
    edit("dataset_description.json", Authors=authors)

    codes = [found.code for found in check_schemas(list_tree(dataset))]

    assert codes.count("SCHEMA_RULE_DOUBTFUL") == told


def test_an_image_of_a_kind_that_is_not_known_is_left_to_the_official_validator(
    dataset: Path,
) -> None:
    image = next(dataset.rglob("*_bold.nii.gz"))
    image.rename(image.with_name(image.name.replace("_bold", "_unknown")))

    assert errors(check_schemas(list_tree(dataset))) == ()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("ses-01/func/sub-01_ses-01_task-rest_bold.nii.gz", None),
        ("ses-01/func/sub-01 ses-01_task-rest_bold.nii.gz", "SCHEMA_VALUE_DOUBTFUL"),
        ("§", "SCHEMA_VALUE_INVALID"),
    ],
)
def test_a_path_that_only_holds_what_its_pattern_asks_for_is_doubtful(
    dataset: Path, edit: Edit, path: str, code: str | None
) -> None:
    edit("*_phasediff.json", IntendedFor=[path], B0FieldIdentifier=None)

    said = [f.code for f in check_schemas(list_tree(dataset)) if "IntendedFor" in f.location]

    assert said == ([code] if code else [])
