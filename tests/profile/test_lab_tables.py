"""The lab's tables [dataset] and [severity]: what is read, and all that is wrong at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidsanon.errors import GateRefusedError, PolicyError
from bidsanon.findings import Gate, Severity, finding, finding_codes
from bidsanon.pipeline.gates import GateLog
from bidsanon.profile import Profile, load_profile

HEAD = 'description = "Made for a test."\nstart = "bids"\n'


def load(folder: Path, text: str) -> Profile:
    path = folder / "lab.toml"
    path.write_text(HEAD + text, "utf-8")
    return load_profile(str(path))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load(folder, text)
    return caught.value.message


def test_a_profile_without_tables_says_nothing_and_weighs_as_usual() -> None:
    profile = load_profile("bids")
    assert profile.dataset.description == {}
    assert profile.severities == {}


def test_the_tables_change_nothing_of_what_happens_to_attributes(tmp_path: Path) -> None:
    plain = load(tmp_path, "")
    told = load(tmp_path, '[dataset]\nName = "A"\n[severity]\nNO_FACE = "error"\n')
    assert told.digest == plain.digest
    assert told.dataset.name == "A"
    assert told.severities == {"NO_FACE": Severity.ERROR}


def test_a_readme_is_read_from_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / "about.md").write_text("# Study\n")
    profile = load(tmp_path, '[dataset]\nREADME-file = "about.md"\n')
    assert profile.dataset.readme == "# Study\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[severity]\nRESIDUE_FOUND = "warning"', "severity.RESIDUE_FOUND: it stays an error"),
        ('[severity]\nPRIVACY_MAPPING = "info"', "stays an error"),
        ('[severity]\nPRIVACY_FACES = "error"', "perhaps PRIVACY_FACE is meant"),
        ('[severity]\nzzz = "error"', "no finding of this code (docs"),
        ('[severity]\nNO_FACE = "fatal"', "give one of error, warning, info"),
        ('[dataset]\nAutors = ["A"]', "there is no Autors here"),
        ('[dataset]\nAuthors = "A"', "write a list"),
        ("[dataset]\nAuthors = []", "dataset.Authors"),
        ('[dataset]\nName = "TODO: name"', "no TODO"),
        ('[dataset]\nName = " "', "dataset.Name"),
        ('[dataset]\nDatasetDOI = "none"', "DOI, such as"),
        ('[dataset]\nAuthors = [{ given-names = "A" }]', "dataset.Authors[0]"),
        ('[dataset]\nREADME-file = "gone.md"', "README-file: there is no such file"),
        ('[dataset]\nREADME-file = "."', "README-file: it is no file"),
        ('[dataset]\nREADME-file = "todo.md"', "holds a TODO"),
        ('[dataset]\nREADME-file = "latin.md"', "no text in UTF-8"),
        ('[dataset]\nREADME = "a"\nREADME-file = "todo.md"', "not both"),
        ('[dataset]\ncitation = true\nAuthors = ["A"]', "needs Name in this table"),
        ("[dataset]\ncitation = true", "needs Name and Authors"),
        ('[dataset.participants.group]\nLevel = "a"', "there is no Level here"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "todo.md").write_text("TODO\n")
    (tmp_path / "latin.md").write_bytes(b"\xe9")
    assert words in refusal(tmp_path, text)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        '[severity]\nRESIDUE_FOUND = "info"\nNO_FACE = "bad"\nX = "error"\n'
        '[dataset]\nFunding = "x"\nAutors = 1\nREADME-file = "gone"\n',
    )
    for place in ("RESIDUE_FOUND", "NO_FACE", "X:", "Funding", "Autors", "README-file"):
        assert place in message


def test_errors_of_all_gates_but_validate_stay_errors(tmp_path: Path) -> None:
    guarding = [
        code
        for code in finding_codes().values()
        if code.severity is Severity.ERROR and code.gate is not Gate.VALIDATE
    ]
    assert all(code.fixed for code in guarding)
    fixed = [code.code for code in finding_codes().values() if code.fixed]
    lowered = "".join(f'{code} = "warning"\n' for code in fixed)
    assert refusal(tmp_path, f"[severity]\n{lowered}").count("stays an error") == len(fixed)
    assert load(tmp_path, f"[severity]\n{lowered.replace('warning', 'error')}").severities


def test_what_leads_to_a_person_cannot_be_made_a_warning() -> None:
    fixed = {code.code for code in finding_codes().values() if code.fixed}
    assert {"RESIDUE_FOUND", "DEFACE_FAILED", "PRIVACY_IDENTIFYING_KEY"} <= fixed
    assert {"PRIVACY_KEY_FILE", "PRIVACY_NOT_READ", "FACE_REJECTED"} <= fixed
    assert not {"PRIVACY_DICOM", "OFFICIAL_VALIDATOR_ERROR", "NO_FACE"} & fixed


def test_a_gate_weighs_findings_as_the_lab_does() -> None:
    face = finding("NO_FACE", location="a.nii.gz", reason="none")
    GateLog().judge(Gate.DEFACE, [face])
    strict = GateLog({"NO_FACE": Severity.ERROR})
    with pytest.raises(GateRefusedError) as caught:
        strict.judge(Gate.DEFACE, [face])
    assert [one.severity for one in caught.value.findings] == [Severity.ERROR]
    lax = GateLog({"PRIVACY_DICOM": Severity.WARNING})
    lax.judge(Gate.VALIDATE, [finding("PRIVACY_DICOM", where="sourcedata", count=1)])
    assert lax.results[0].passed
