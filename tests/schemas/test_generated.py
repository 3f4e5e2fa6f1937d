"""The JSON Schemas of BIDS are what the script makes of bidsschematools, and say what BIDS says."""

import csv
import importlib
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import bidsschematools.schema
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from bidsanon.bids.standard import bids_version, data_kinds
from bidsanon.resources import schema_path

FOLDER = schema_path("bids")
FILES = sorted(FOLDER.rglob("*.schema.json"))


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """The script, as Python runs it: with its folder on the path."""
    sys.path.insert(0, str(FOLDER.parent))
    yield importlib.import_module("generate")
    sys.path.remove(str(FOLDER.parent))
    for name in ("generate", "conditions", "writing"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def registry() -> Registry:
    contents = [json.loads(path.read_text("utf-8")) for path in FILES]
    return Registry().with_resources(
        (content["$id"], Resource.from_contents(content)) for content in contents
    )


def _validator(name: str, registry: Registry) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return Draft202012Validator(schema, registry=registry)


def test_what_is_committed_is_what_the_script_writes(tmp_path: Path, generate: ModuleType) -> None:
    made_with = json.loads((FOLDER / "metadata.schema.json").read_text("utf-8"))["$comment"]
    if not made_with.endswith(version("bidsschematools")):
        pytest.skip(f"another bidsschematools is installed; the schemas were {made_with}")

    generate.write_all(tmp_path / "bids")

    written = {p.relative_to(tmp_path / "bids"): p for p in (tmp_path / "bids").rglob("*.*")}
    committed = {p.relative_to(FOLDER): p for p in FOLDER.rglob("*.*")}
    assert written.keys() == committed.keys()
    for name, path in written.items():
        assert path.read_text("utf-8") == committed[name].read_text("utf-8"), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".schema.json"))
def test_every_file_is_a_schema_of_its_own_version(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))

    Draft202012Validator.check_schema(schema)
    urn, owner, bids, tool, *name = schema["$id"].split(":")
    assert (urn, owner) == ("urn", "bidsanon")
    assert bids == f"bids-{bids_version()}"
    assert tool.startswith("bidsschematools-")
    assert name[-1] == path.name.removesuffix(".schema.json")


def test_every_reference_leads_somewhere(registry: Registry) -> None:
    for path in sorted((FOLDER / "sidecars").glob("*.json")):
        schema = json.loads(path.read_text("utf-8"))
        Draft202012Validator(schema, registry=registry).is_valid({"EchoTime": 0.03})
        for entity in schema.get("$defs", {}):
            reference = {"$ref": f"{schema['$id']}#/$defs/{entity}"}
            Draft202012Validator(reference, registry=registry).is_valid({"EchoTime": 0.03})


DESCRIPTION = {"Name": "A study", "BIDSVersion": "1.10.0", "DatasetType": "raw", "Authors": ["A"]}
DERIVATIVE = DESCRIPTION | {"DatasetType": "derivative", "GeneratedBy": [{"Name": "fMRIPrep"}]}
GENETIC = {"GeneticLevel": "Genetic", "SampleOrigin": "blood"}
BOLD = {"TaskName": "rest", "RepetitionTime": 2.0}
ASL = {
    "ArterialSpinLabelingType": "PASL",
    "BackgroundSuppression": False,
    "BolusCutOffFlag": False,
    "EchoTime": 0.01,
    "M0Type": "Absent",
    "MRAcquisitionType": "3D",
    "MagneticFieldStrength": 3,
    "PostLabelingDelay": 1.8,
    "RepetitionTimePreparation": 4,
    "TotalAcquiredPairs": 5,
}


@pytest.mark.parametrize(
    ("kind", "sidecar"),
    [
        ("anat_T1w", {}),
        ("func_bold", BOLD),
        ("func_bold", {"TaskName": "rest", "VolumeTiming": [0, 1], "SliceTiming": [0, 0.5]}),
        ("fmap_phasediff", {"EchoTime1": 0.004, "EchoTime2": 0.007}),
        ("fmap_epi", {"PhaseEncodingDirection": "j-", "TotalReadoutTime": 0.05}),
        ("perf_asl", ASL),
        ("perf_asl", ASL | {"MRAcquisitionType": "2D", "SliceTiming": [0, 1]}),
    ],
)
def test_a_valid_sidecar_is_accepted(
    kind: str, sidecar: dict[str, object], registry: Registry
) -> None:
    errors = list(_validator(f"sidecars/{kind}", registry).iter_errors(sidecar))

    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    ("kind", "sidecar"),
    [
        ("func_bold", {"RepetitionTime": 2.0}),
        ("func_bold", {"TaskName": "rest"}),
        ("func_bold", BOLD | {"VolumeTiming": [0, 1]}),
        ("func_bold", {"TaskName": "rest", "VolumeTiming": [0, 1]}),
        ("func_bold", BOLD | {"EchoTime": "30 ms"}),
        ("func_bold", BOLD | {"PhaseEncodingDirection": "AP"}),
        ("func_bold", BOLD | {"FlipAngle": 400}),
        ("fmap_phasediff", {"EchoTime1": 0.004}),
        ("fmap_phase1", {"EchoTime": [0.004, 0.005]}),
        ("fmap_epi", {"TotalReadoutTime": 0.05}),
        ("fmap_epi", {"PhaseEncodingDirection": "j-"}),
        ("fmap_fieldmap", {}),
        ("perf_asl", {k: v for k, v in ASL.items() if k != "M0Type"}),
        ("perf_asl", ASL | {"MRAcquisitionType": "2D"}),
        ("perf_asl", ASL | {"M0Type": "Estimate"}),
        ("perf_asl", ASL | {"BolusCutOffFlag": True}),
        ("perf_asl", ASL | {"LookLocker": True}),
        ("pet_pet", {}),
    ],
)
def test_an_invalid_sidecar_is_refused(
    kind: str, sidecar: dict[str, object], registry: Registry
) -> None:
    assert not _validator(f"sidecars/{kind}", registry).is_valid(sidecar)


def test_what_json_schema_cannot_say_is_listed_with_the_reason() -> None:
    text = (FOLDER / "not_expressed.tsv").read_text("utf-8").splitlines()
    rows = list(csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE))

    by_rule = {row["rule"]: row for row in rows}
    slice_timing = by_rule["checks.func.SliceTimingGreaterThanRepetitionTime"]
    assert slice_timing["reason"] == "computes with several values"
    assert slice_timing["holds_for"] == "func: bold"
    assert by_rule["checks.func.RepetitionTimeMismatch"]["reason"] == "needs the image itself"
    assert all(all(row.values()) for row in rows)


def test_no_rule_about_json_is_lost(generate: ModuleType) -> None:
    """Each rule of BIDS is in the schemas, or in the list, or can never hold."""
    standard = generate.Generator()._standard["rules"]
    said = set(json.loads((FOLDER / "rules.schema.json").read_text("utf-8"))["$defs"])
    listed = {row.split("\t")[0] for row in (FOLDER / "not_expressed.tsv").read_text().splitlines()}
    rules = {
        **dict(generate._flatten(standard["sidecars"], "fields")),
        **dict(generate._flatten(standard["json"], "fields")),
    }
    checks = dict(generate._flatten(standard["checks"], "checks"))
    about_json = {f"checks.{name}" for name, rule in checks.items() if _about_json(rule)}

    lost = (rules.keys() | about_json) - said - listed
    assert lost == NEVER


NEVER = {
    "continuous.PhysioTypeRequired": "its selector is false",
    "checks.references.Sources": "it asks for a DatasetType that there is not",
    "checks.nirs.NIRSChannelCount": "it asks for a NIfTI image of NIRS",
}.keys()


def _about_json(rule: dict[str, object]) -> bool:
    return any(word in json.dumps(rule) for word in ("sidecar.", "in sidecar", "json.", "in json"))


def test_every_datatype_and_suffix_that_may_have_json_has_a_schema() -> None:
    """By the standard's own rules about file names."""
    standard = json.loads(bidsschematools.schema.load_schema().to_json())["rules"]["files"]
    named = {
        f"{datatype}_{suffix}"
        for group in standard["raw"].values()
        for rule in group.values()
        if ".json" in rule.get("extensions", ())
        for datatype in rule.get("datatypes", ())
        for suffix in rule["suffixes"]
    }
    there = {path.name.removesuffix(".schema.json") for path in (FOLDER / "sidecars").iterdir()}

    assert named <= there
    derivatives = {f"{kind.datatype}_{kind.suffix}" for kind in data_kinds().values()} - named
    assert there - named == derivatives
    assert {"func_bold", "func_events", "func_physio", "beh_beh", "pet_blood"} <= named


@pytest.mark.parametrize(
    ("document", "right", "wrong"),
    [
        ("dataset_description", DESCRIPTION, DESCRIPTION | {"Name": None}),
        ("dataset_description", DESCRIPTION, DESCRIPTION | {"DatasetType": "derivative"}),
        ("dataset_description", DERIVATIVE, DERIVATIVE | {"GeneratedBy": [{"Version": "1"}]}),
        ("dataset_description", DERIVATIVE, DERIVATIVE | {"DatasetType": "derivatives"}),
        ("sessions", {"acq_time": {"Description": "x"}}, {"acq_time": "x"}),
        ("scans", {"acq_time": {"Units": "s"}}, {"acq_time": {"Units": 3}}),
        ("samples", {"sample_id": {"Levels": {"a": "b"}}}, {"sample_id": {"Levels": ["a"]}}),
        ("phenotype", {"Derivative": True, "a": {}}, {"Derivative": "yes"}),
        ("genetic_info", GENETIC, GENETIC | {"SampleOrigin": "moon"}),
    ],
)
def test_the_other_json_files_of_a_dataset(
    document: str, right: dict[str, object], wrong: dict[str, object], registry: Registry
) -> None:
    validator = _validator(document, registry)

    assert list(validator.iter_errors(right)) == []
    assert not validator.is_valid({k: v for k, v in wrong.items() if v is not None})


def test_recommended_fields_and_units_are_noted() -> None:
    rules = json.loads((FOLDER / "rules.schema.json").read_text("utf-8"))["$defs"]
    fields = json.loads((FOLDER / "metadata.schema.json").read_text("utf-8"))["$defs"]

    assert "Manufacturer" in rules["mri.MRIHardware"]["x-recommended"]
    assert "HardcopyDeviceSoftwareVersion" in rules["mri.MRIHardware"]["x-deprecated"]
    assert fields["EchoTime1"]["x-unit"] == "s"


def test_an_age_above_the_limit_cannot_be_declared(registry: Registry) -> None:
    validator = _validator("participants", registry)

    assert validator.is_valid({"age": {"Description": "x", "Units": "year", "Maximum": 89}})
    assert validator.is_valid({"age": {"Description": "x", "Units": "week", "Maximum": 200}})
    assert not validator.is_valid({"age": {"Description": "x", "Units": "year", "Maximum": 120}})
    assert not validator.is_valid({"iq": "not a definition"})


@pytest.mark.parametrize("path", sorted(FOLDER.parent.glob("*.schema.json")), ids=lambda p: p.name)
def test_every_schema_written_by_hand_is_one_and_is_listed(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))

    Draft202012Validator.check_schema(schema)
    name = path.name.removesuffix(".schema.json").replace("_", "-")
    assert schema["$id"] == f"urn:bidsanon:{name}"
    assert f"`{path.name}`" in (FOLDER.parent / "README.md").read_text("utf-8")
