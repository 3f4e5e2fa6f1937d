"""What a run keeps in the private folder when it is asked to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydicom import dcmread
from runs import run_convert
from sessions import MARA, bold_mosaic

from bidsanon.audit import JOURNAL_NAME, MAP_NAME, VALUES_NAME, Journal, read_deident_map
from bidsanon.errors import UsageError
from bidsanon.files import files_below
from bidsanon.vault import passphrase, read_contents


def test_what_identifies_lies_in_the_private_folder_alone_and_never_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passphrase, "RECOMMENDED_COST", passphrase.CHEAP_COST)
    source, dataset, private = tmp_path / "source", tmp_path / "ds", tmp_path / "ds.private"
    files = bold_mosaic(source, person=MARA)
    comment = f"Dr. Kestrel saw {MARA.family_name}, 45yo, call 555-0123"
    for file in files:
        header = dcmread(file)
        header.ImageComments = comment
        header.save_as(file)
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    run = run_convert(
        source, dataset=dataset, deident_map=True, audit_values=True, passphrase_file=secret
    )
    assert run.refusal is None

    original = dcmread(files[0], stop_before_pixels=True)
    (entry,) = read_deident_map(private / MAP_NAME)
    assert (entry.original_id, entry.original_name, entry.new_id) == (
        original.PatientID,
        str(original.PatientName),
        "sub-01",
    )
    with closing(sqlite3.connect(private / VALUES_NAME)) as connection:
        query = "SELECT DISTINCT command, original, cleaned FROM changed_value WHERE place = ?"
        rows = connection.execute(query, ("(0010,0010)",)).fetchall()
    assert rows == [("convert", str(original.PatientName), "sub-01")]
    contents = read_contents(private)
    assert contents is not None
    assert contents.protected
    assert not {MAP_NAME, VALUES_NAME} & {path.name for path in files_below(dataset)}

    (journal,) = Journal(private).entries()
    assert set(journal["notes"]["(0020,4000)"]) >= {"title-with-name", "name", "age", "telephone"}
    written = (private / JOURNAL_NAME).read_text("utf-8")
    for value in ("Kestrel", MARA.family_name, "45yo", "555-0123", original.PatientID):
        assert value not in written

    with pytest.raises(UsageError, match="protected by a passphrase"):
        run_convert(source, dataset=dataset, subject="02")


def test_nothing_of_it_is_kept_unasked(dataset: Path) -> None:
    private = dataset.with_name("ds.private")
    assert not {MAP_NAME, VALUES_NAME} & {path.name for path in private.iterdir()}
