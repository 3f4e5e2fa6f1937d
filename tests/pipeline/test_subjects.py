"""Who gets which label: from the vault, or from a table that tells who is who."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from pydicom import dcmread
from runs import run_convert, run_deidentify
from sessions import MARA, TOBIAS, bold_mosaic
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.errors import PolicyError, UsageError
from bidsanon.pipeline.subjects import SubjectTable, read_subjects
from bidsanon.vault import Vault

PERSON = "id\x1f4711\x1f"


def table(tmp_path: Path, text: str) -> SubjectTable:
    place = tmp_path / "subjects.csv"
    place.write_text(text)
    return read_subjects(place, dataset=tmp_path / "ds")


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_names_the_subject_by_the_patients_id(
    tmp_path: Path, delimiter: str, end: str
) -> None:
    rows = [("Subject", "site", "source"), ("01", "a", "4712"), ("sub-07", "a", " 4711 "), ()]
    text = end.join(delimiter.join(row) for row in rows)
    assert table(tmp_path, text).label_of([tmp_path], PERSON) == "07"


def test_a_table_names_the_subject_by_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "DICOMDIR").touch()
    text = f"subject;source\n01;a\n02;{tmp_path}/b/\n03;visit.zip\n"
    known = table(tmp_path, text)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert known.label_of([Path("../a")], PERSON) == "01"
    assert known.label_of([tmp_path / "a" / "DICOMDIR"], PERSON) == "01"
    assert known.label_of([tmp_path / "b"], PERSON) == "02"
    assert known.label_of([tmp_path / "visit.zip"], PERSON) == "03"


def test_an_id_in_a_table_is_as_the_vault_takes_it(tmp_path: Path) -> None:
    known = table(tmp_path, "subject;source\n01;Müller  7\n")
    assert known.label_of([], "id\x1fmuller 7") == "01"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no line"),
        ("01;4711\n", "line 1: the header"),
        ("subject;source\n", "no line"),
        ("subject;source\n01;4711\n02;4711\n", "line 3: the source of line 2 again"),
        ("subject;source\n01;4711\n\n01;4711\n", "line 4: the source of line 2 again"),
        ("subject;source\n0 1;4711\n", "line 2: the subject label"),
        ("subject;source\n;4711\n", "line 2: the subject label"),
        ("subject;source\n01;\n", "line 2: it names no source"),
        ("subject;source\n01\n", "line 2: 1 cell"),
        ('subject;source\n01;"4711\n', "quotation marks"),
        ("subject;subject;source\n01;01;4711\n", "line 1: the header"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(PolicyError, match=said) as refused:
        table(tmp_path, text)
    assert "4711" not in refused.value.message + refused.value.cure


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        table(tmp_path, "subject;source\n?;a\n01\n02;b\n03;b\n")
    assert [f"line {n}" in refused.value.message for n in (2, 3, 5)] == [True] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subject;source\n01;4712\n02;other\n", "none of the 2 line"),
        ("subject;source\n01;4711\n02;in\n", "lines 2, 3"),
    ],
)
def test_a_source_has_one_label_in_a_table(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said) as refused:
        table(tmp_path, text).label_of([tmp_path / "in"], PERSON)
    assert "4711" not in refused.value.message + refused.value.cure


def test_a_table_in_the_dataset_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds" / "table.csv").write_text("subject;source\n01;4711\n")
    with pytest.raises(UsageError, match="within the dataset"):
        read_subjects(tmp_path / "ds" / "table.csv", dataset=tmp_path / "ds")


def assign(private: Path, person: str) -> str:
    with Vault.open(private) as vault:
        return vault.assign_subject(person, taken={"02"})


def test_processes_that_ask_at_once_get_a_label_for_each_person(tmp_path: Path) -> None:
    persons = [f"id\x1f{number % 8}" for number in range(32)]
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        labels = list(pool.map(assign, [tmp_path] * len(persons), persons))
    of_person = dict(zip(persons, labels, strict=True))
    assert labels == [of_person[person] for person in persons]
    assert sorted(of_person.values()) == ["01", "03", "04", "05", "06", "07", "08", "09"]


@pytest.mark.parametrize(
    ("taken", "label"),
    [
        (set(), "01"),
        ({"01", "02", "pilot"}, "03"),
        ({"001"}, "002"),
        ({"1", "3"}, "02"),
        ({f"{n:02d}" for n in range(1, 100)}, "100"),
        ({"\u0660\u0661"}, "01"),
    ],
)
def test_a_label_is_the_next_number_that_nobody_has(
    tmp_path: Path, taken: set[str], label: str
) -> None:
    with Vault.open(tmp_path) as vault:
        assert vault.assign_subject("id\x1fx", taken=taken) == label
        assert vault.assign_subject("id\x1fx", taken=set()) == label


def test_a_person_keeps_the_label_that_they_have(tmp_path: Path) -> None:
    with Vault.open(tmp_path) as vault:
        vault.person_plan("id\x1fx", subject="pilot")
        vault.bind_subject("id\x1fx", "pilot")
        assert vault.assign_subject("id\x1fx") == "pilot"
        assert vault.assign_subject("id\x1fy") == "01"


@pytest.mark.slow
def test_the_vault_names_one_person_once_and_for_ever(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    persons = (MARA, TOBIAS, replace(MARA, study_date="20230607"))
    for number, person in enumerate(persons):
        bold_mosaic(tmp_path / str(number), person=person)
        source, session = str(tmp_path / str(number)), str(number)
        arguments = ["convert", source, "-o", str(dataset), "-s", "auto", "-ss", session]
        if not number:
            assert run(cli, [*arguments, "--dry-run"]) == 0
            assert list(tmp_path.glob("ds*")) == []
        assert run(cli, arguments) == 0
    sessions = sorted(str(p.relative_to(dataset)) for p in dataset.glob("sub-*/ses-*"))
    assert sessions == ["sub-01/ses-0", "sub-01/ses-2", "sub-02/ses-1"]
    assert not [p for p in (tmp_path / "ds.private/work").iterdir() if "nameless" in p.name]


@pytest.mark.slow
def test_a_table_names_a_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bold_mosaic(tmp_path / "in", person=MARA)
    place = tmp_path / "who.csv"
    place.write_text(f"subject,source\n07,{MARA.patient_id}\n")
    arguments = ["convert", str(tmp_path / "in"), "-o", str(tmp_path / "ds"), "--json"]
    arguments += ["--subjects", str(place)]
    assert run(cli, arguments) == 0
    assert json.loads(capsys.readouterr().out)["subject"] == "07"
    again = ["convert", str(tmp_path / "in"), "-o", str(tmp_path / "ds"), "-s", "auto"]
    assert run(cli, again) == 7
    assert "sub-07 exists already" in capsys.readouterr().err
    assert not list((tmp_path / "ds.private/work").glob("*nameless*"))
    place.write_text("subject,source\n07,nobody\n")
    before = tree_digest(tmp_path / "ds")
    assert run(cli, arguments) == 5
    assert MARA.patient_id not in "".join(capsys.readouterr())
    assert tree_digest(tmp_path / "ds") == before


@pytest.mark.parametrize("options", [(), ("-s", "01", "--subjects", "x.csv")])
def test_one_thing_says_whose_it_is(
    tmp_path: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["convert", str(tmp_path), "-o", str(tmp_path / "ds"), *options]) == 2
    assert "one of -s LABEL" in capsys.readouterr().err


def test_a_source_of_nobody_gets_no_label_from_the_vault(tmp_path: Path) -> None:
    for path in bold_mosaic(tmp_path / "in"):
        header = dcmread(path)
        header.PatientID = header.PatientName = ""
        header.save_as(path)
    with pytest.raises(UsageError, match="no file says whose"):
        run_convert(tmp_path / "in", dataset=tmp_path / "ds", subject=None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_deidentified_persons_get_labels_of_the_vault(tmp_path: Path) -> None:
    bold_mosaic(tmp_path / "in" / "a", person=MARA)
    bold_mosaic(tmp_path / "in" / "b", person=TOBIAS)
    run_deidentify(tmp_path / "in", out=tmp_path / "out", subject="auto")
    names = {str(dcmread(path).PatientID) for path in (tmp_path / "out").rglob("*.dcm")}
    assert names == {"sub-01", "sub-02"}
