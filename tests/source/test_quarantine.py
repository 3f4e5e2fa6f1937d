"""The quarantine folder, and the facts that a table shows."""

from __future__ import annotations

import csv
import gzip
import zipfile
from pathlib import Path

import pytest
import sessions
from instances import Read, Write

from bidsanon.source import series_facts, write_quarantine


def table(folder: Path) -> list[dict[str, str]]:
    text = (folder / "quarantine.tsv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def test_quarantined_files_are_copied_with_their_reason(
    tmp_path: Path, write: Write, read: Read
) -> None:
    write("image")
    write("shot", BurnedInAnnotation="YES")
    write("page", SeriesDescription="Patient Protocol")
    folder = tmp_path / "private" / "quarantine"
    write_quarantine(read(), folder)
    assert [(row["copy"], row["reason"]) for row in table(folder)] == [
        ("burned-in/000001.dcm", "burned-in"),
        ("patient-protocol/000001.dcm", "patient-protocol"),
    ]
    for row in table(folder):
        assert (folder / row["copy"]).read_bytes() == Path(row["original"]).read_bytes()


def test_the_quarantine_is_private(tmp_path: Path, write: Write, read: Read) -> None:
    write("image")
    write("shot", BurnedInAnnotation="YES").chmod(0o444)
    folder = tmp_path / "private" / "quarantine" / "visit"
    write_quarantine(read(), folder)
    for path in (tmp_path / "private").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_without_quarantined_files_there_is_no_folder(
    tmp_path: Path, write: Write, read: Read
) -> None:
    write("image")
    write_quarantine(read(), tmp_path / "quarantine")
    assert not (tmp_path / "quarantine").exists()


@pytest.mark.parametrize(
    "name", ["tab\there", "line\nend", b"latin-\xe9".decode("utf-8", "surrogateescape")]
)
def test_any_file_name_fits_the_table(tmp_path: Path, write: Write, read: Read, name: str) -> None:
    write("image")
    write(name, BurnedInAnnotation="YES")
    folder = tmp_path / "quarantine"
    write_quarantine(read(), folder)
    assert len(table(folder)) == 1


def test_facts_of_a_classic_series(tmp_path: Path, read: Read) -> None:
    sessions.siemens_t1w(tmp_path / "source")
    facts = series_facts(read().series[0])
    assert facts.files == len(read().series[0].instances)
    assert facts.rows > 0
    assert facts.columns > 0
    assert facts.echo_time_ms
    assert facts.repetition_time_ms
    assert "ORIGINAL" in facts.image_type


def test_facts_of_an_enhanced_series_are_in_its_functional_groups(
    tmp_path: Path, read: Read
) -> None:
    sessions.enhanced_mr_names_in_functional_groups(tmp_path / "source")
    facts = series_facts(read().series[0])
    assert facts.frames > 1
    assert facts.echo_time_ms
    assert facts.repetition_time_ms


def pack(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))
    return archive


def test_what_came_out_of_an_archive_is_called_by_the_archive_and_its_member(
    tmp_path: Path, write: Write, read: Read
) -> None:
    write("image")
    write("visit/shot.dcm", BurnedInAnnotation="YES")
    archive = pack(tmp_path / "a.zip", tmp_path / "source")
    folder = tmp_path / "quarantine"
    write_quarantine(read(archive), folder)
    assert [row["original"] for row in table(folder)] == [f"{archive}: visit/shot.dcm"]


@pytest.mark.parametrize("archived", [False, True])
def test_what_was_compressed_is_called_by_the_compressed_file(
    tmp_path: Path, write: Write, read: Read, archived: bool
) -> None:
    write("image")
    shot = write("shot.dcm", BurnedInAnnotation="YES")
    shot.with_name("shot.dcm.gz").write_bytes(gzip.compress(shot.read_bytes()))
    shot.unlink()
    source = pack(tmp_path / "a.zip", tmp_path / "source") if archived else tmp_path / "source"
    folder = tmp_path / "quarantine"
    write_quarantine(read(source), folder)
    wanted = f"{source}: shot.dcm.gz" if archived else f"{shot}.gz"
    assert [row["original"] for row in table(folder)] == [wanted]
