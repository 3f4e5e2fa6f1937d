"""``bidsanon validate --against`` and ``--vault``: what a dataset still says of persons."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import pytest
from persons import JANE
from pydicom import Dataset, dcmread
from sessions import MARA, TOBIAS, archive, bold_mosaic, siemens_t1w, structured_report, two_persons

from bidsanon.audit import MAP_NAME, ChangedValue, ChangedValues, write_deident_map
from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.dicom.file_format import read_file
from bidsanon.errors import SourceError, UsageError
from bidsanon.findings import Finding
from bidsanon.identity import ValueKind
from bidsanon.pipeline.validate import make_validate_request
from bidsanon.pipeline.validate_identity import (
    Known,
    joined,
    known_of_private_folder,
    known_of_sources,
    published_labels,
)
from bidsanon.profile import load_profile
from bidsanon.progress import Silent
from bidsanon.resources import schema_path
from bidsanon.source.person import Patient, person_key
from bidsanon.validate.residue import search_residue
from bidsanon.validate.residue_digests import randstr_of
from bidsanon.vault import Vault

SCHEMA = json.loads(schema_path("summary.schema.json").read_text("utf-8"))


def of_sources(*sources: Path) -> Known:
    return known_of_sources(sources, profile=load_profile("bids"), jobs=1, progress=Silent())


def of_private(private: Path, dataset: Path) -> Known:
    return known_of_private_folder(
        private,
        dataset=dataset,
        passphrase_file=None,
        profile=load_profile("bids"),
        jobs=1,
        progress=Silent(),
    )


def found(root: Path, known: Known, allowed: Iterable[str] = ()) -> tuple[Finding, ...]:
    return search_residue(
        root, known.identity, allowed=allowed, jobs=1, lookups=known.lookups
    ).findings


def dataset(tmp_path: Path, text: str) -> Path:
    root = tmp_path / "ds"
    (root / "sub-01" / "anat").mkdir(parents=True)
    (root / "sub-01" / "anat" / "sub-01_T1w.json").write_text(json.dumps({"Note": text}))
    return root


@pytest.mark.parametrize("packed", [False, True])
def test_what_the_originals_say_of_the_person_is_found(tmp_path: Path, packed: bool) -> None:
    siemens_t1w(tmp_path / "dicom")
    source = tmp_path / "dicom"
    if packed:
        source = archive(source)
    family = MARA.name.partition("^")[0]
    known = of_sources(source)
    assert found(dataset(tmp_path, f"of {family.lower()}"), known)
    assert found(dataset(tmp_path / "clean", "of nobody"), known) == ()


def test_originals_may_be_of_several_persons_and_no_images(tmp_path: Path) -> None:
    two_persons(tmp_path / "dicom")
    for person in (MARA, TOBIAS):
        text = f"{person.name.partition('^')[0]}"
        assert found(dataset(tmp_path / person.patient_id, text), of_sources(tmp_path / "dicom"))
    structured_report(tmp_path / "report")
    assert of_sources(tmp_path / "report").identity


def test_damaged_originals_are_told_and_searched_for_as_far_as_they_go(tmp_path: Path) -> None:
    paths = siemens_t1w(tmp_path / "dicom")
    for path in paths:
        path.write_bytes(path.read_bytes()[:-300])
    known = of_sources(tmp_path / "dicom")
    assert [one.code for one in known.findings] == ["ORIGINALS_IN_PART"]
    (tmp_path / "dicom" / "notes.txt").write_text("no DICOM")
    codes = {one.code for one in of_sources(tmp_path / "dicom").findings}
    assert codes == {"ORIGINALS_IN_PART", "ORIGINALS_NO_DICOM"}
    assert found(dataset(tmp_path, MARA.patient_id), known)


def test_without_dicom_nothing_can_be_searched_for(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("no DICOM")
    with pytest.raises(SourceError):
        of_sources(tmp_path)


def test_the_hash_that_heudiconv_writes_is_found(tmp_path: Path) -> None:
    path = bold_mosaic(tmp_path / "dicom")[0]
    hashed = randstr_of(read_file(path.read_bytes()))
    (finding,) = found(dataset(tmp_path, hashed), of_sources(tmp_path / "dicom"))
    assert "hashed by heudiconv" in finding.message
    assert hashed not in str(finding)


def test_the_hash_is_the_one_that_heudiconv_writes(tmp_path: Path) -> None:
    from heudiconv.bids import get_formatted_scans_key_row  # noqa: PLC0415 (seconds)

    for path in (bold_mosaic(tmp_path)[0], siemens_t1w(tmp_path)[0]):
        assert randstr_of(read_file(path.read_bytes())) == get_formatted_scans_key_row(path)[2]


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A private folder whose vault knows one person, without an issuer."""
    folder = tmp_path / "ds.private"
    patient = Patient(id="QF7719KX", issuer="", name="Doe^Jane", birth_date="")
    with Vault.open(folder) as vault:
        vault.person_plan(person_key([patient], study_uid=""), subject="01")
    return folder


@pytest.mark.parametrize("written", ["QF7719KX", "qf7719kx", "sub-QF7719KX_T1w", "id=QF7719KX;"])
def test_an_id_that_the_vault_knows_by_its_hash_is_found(
    tmp_path: Path, private: Path, written: str
) -> None:
    root = dataset(tmp_path, f"of {written}")
    (finding,) = found(root, of_private(private, root))
    assert "the vault" in finding.message
    assert "7719" not in str(finding)


def test_other_text_is_not_known_to_the_vault(tmp_path: Path, private: Path) -> None:
    root = dataset(tmp_path, "QF7719KZ or XQF7719KX and 1.2.840.113619.2.5.77.1")
    assert found(root, of_private(private, root)) == ()


def test_deident_map_and_changed_values_are_searched_for(tmp_path: Path, private: Path) -> None:
    write_deident_map(private / MAP_NAME, [JANE])
    with ChangedValues.begin(private, command="convert", subject="01", session=None) as changed:
        changed.add(
            ChangedValue(instance="2.25.1", place=place, action="X", original=text, cleaned=None)
            for place, text in (
                ("(0008,0080)", "St Aldwyn Infirmary"),
                ("(0008,1110)[1](0010,0020)", "HX-80231"),
                ("(0029,SIEMENS CSA HEADER,20)", b"of Mara Quillfeather"),
            )
        )
    root = dataset(tmp_path, "clean")
    known = of_private(private, root)
    told = {(value.kind, value.text) for value in known.identity}
    assert told >= {
        (ValueKind.NAME, JANE.original_name),
        (ValueKind.UID, JANE.original_study_uid),
        (ValueKind.DATE, JANE.original_study_date),
        (ValueKind.PLACE, "St Aldwyn Infirmary"),
        (ValueKind.IDENTIFIER, "HX-80231"),
    }
    for number, text in enumerate(("Jane Doe", "aldwyn", "hx80231", "2018-03-07")):
        assert found(dataset(tmp_path / str(number), text), known), text


def test_quarantined_originals_are_searched_for(tmp_path: Path, private: Path) -> None:
    structured_report(private / "quarantine" / "sub-01" / "not-an-image")
    root = dataset(tmp_path, MARA.patient_id)
    assert found(root, of_private(private, root))


def test_a_folder_without_vault_is_refused(tmp_path: Path) -> None:
    root = dataset(tmp_path, "clean")
    with pytest.raises(UsageError, match="no private folder"):
        make_validate_request(root, vault=True)
    (tmp_path / "ds.private").mkdir()
    with pytest.raises(UsageError, match="no vault"):
        of_private(tmp_path / "ds.private", root)


def test_originals_within_the_dataset_are_refused(tmp_path: Path) -> None:
    root = dataset(tmp_path, "clean")
    (root / "sourcedata").mkdir()
    with pytest.raises(UsageError, match="lies within"):
        make_validate_request(root, against=(root / "sourcedata",))


def test_labels_are_told_without_their_prefix(tmp_path: Path) -> None:
    root = dataset(tmp_path, "clean")
    (root / "sub-01" / "ses-a").mkdir()
    (root / "sub-x.txt").touch()
    assert published_labels(root) == (("subject", "01"), ("session", "a"))


def test_what_two_know_is_joined_once(tmp_path: Path) -> None:
    bold_mosaic(tmp_path / "dicom")
    known = of_sources(tmp_path / "dicom")
    assert joined([known, known]).identity == joined([known]).identity


def _renamed(paths: Iterable[Path], patient_id: str) -> None:
    for path in paths:
        content: Dataset = dcmread(path)
        content.PatientID = patient_id
        content.save_as(path)


def test_the_command_says_what_is_left_and_what_was_not_searched_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _renamed(bold_mosaic(tmp_path / "dicom"), "P0042")
    root = dataset(tmp_path, "of Mara Quillfeather")
    shutil.move(root / "sub-01", root / "sub-P0042")
    arguments = ["validate", str(root), "--against", str(tmp_path / "dicom")]

    assert run(cli, [*arguments, "--json"]) == 4
    printed = json.loads(capsys.readouterr().out)
    jsonschema.validate(printed, SCHEMA)
    codes = {one["code"]: one["location"] for one in printed["findings"]}
    assert codes["RESIDUE_FOUND"] == "sub-P0042/anat/sub-01_T1w.json#/Note"
    assert codes["LABEL_AS_IN_SOURCE"] == "the subject number 1's label"
    assert printed["residue"]["searched"]["name"] >= 1

    assert run(cli, arguments) == 4
    text = capsys.readouterr().out
    assert "searched 1 file(s)" in text
    assert "not searched for" in text
    assert "Quillfeather" not in text
