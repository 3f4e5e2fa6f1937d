"""A session is de-identified file by file, by however many workers, into a private folder."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sessions
from pydicom import Dataset, dcmread
from sessions.people import identifying_strings
from tree_digests import tree_digest

from bidsanon import workers
from bidsanon.deidentify import deidentify_session, work
from bidsanon.demo.person import MARA, clock
from bidsanon.errors import StorageError
from bidsanon.findings import Severity
from bidsanon.identity import ValueKind
from bidsanon.notes import NoteReason
from bidsanon.profile import Profile
from bidsanon.progress import Silent
from bidsanon.session import DeidentifiedSession, SourceSession
from bidsanon.source import read_source
from bidsanon.vault import PersonPlan

Stage = Callable[..., DeidentifiedSession]


@pytest.fixture
def stage(tmp_path: Path, bids: Profile, plan: PersonPlan) -> Stage:
    """Give a function that de-identifies a source into a folder."""

    def run(
        source: SourceSession, *, into: str = "dicom", profile: Profile = bids, **more: Any
    ) -> DeidentifiedSession:
        options = {"jobs": 1, "progress": Silent(), **more}
        return deidentify_session(
            source, profile=profile, plan=plan, folder=tmp_path / into, **options
        )

    return run


@pytest.fixture
def source(tmp_path: Path) -> SourceSession:
    """Give a session of several series, and documents for the quarantine."""
    folder = tmp_path / "source"
    sessions.siemens_session(folder / "images")
    sessions.structured_report(folder / "documents")
    sessions.burned_in_capture(folder / "capture")
    return read(folder)


def read(folder: Path) -> SourceSession:
    return read_source(
        [folder],
        unpack_into=folder.parent / "unpacked",
        modalities=frozenset({"MR"}),
        progress=Silent(),
    )


def test_the_copies_lie_in_a_private_folder_in_the_order_of_the_source(
    stage: Stage, source: SourceSession
) -> None:
    staged = stage(source)
    assert [one.source for one in staged.series] == list(source.series)
    assert staged.findings == ()
    for one in staged.series:
        assert one.folder == staged.folder / f"series-{one.source.index:04d}"
        assert one.files == tuple(sorted(one.folder.iterdir()))
        numbers = [dcmread(file).InstanceNumber for file in one.files]
        assert numbers == [instance.instance_number for instance in one.source.instances]
    folders = [staged.folder, *(one.folder for one in staged.series)]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    files = [file for one in staged.series for file in one.files]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_nothing_identifying_is_in_the_copies_and_all_of_it_in_the_harvest(
    stage: Stage, source: SourceSession
) -> None:
    staged = stage(source)
    content = b"".join(file.read_bytes() for one in staged.series for file in one.files)
    harvested = {value.text for value in staged.identity}
    time = clock(MARA.study_time_s)[:6]
    for text in identifying_strings(MARA):
        assert text.encode() not in content or text == time
        assert any(text in one for one in harvested), text


def test_the_copies_do_not_say_how_but_the_session_does(
    stage: Stage, source: SourceSession, bids: Profile
) -> None:
    staged = stage(source)
    header = dcmread(staged.series[0].files[0])
    assert "DeidentificationMethod" not in header
    assert "DeidentificationMethodCodeSequence" not in header
    assert staged.method == bids.method
    codes = [(code.value, code.scheme, code.meaning) for code in staged.method_codes]
    assert codes == [tuple(code) for code in bids.method_codes]


def test_each_series_says_what_was_done_before_and_now(
    stage: Stage, tmp_path: Path, bids: Profile
) -> None:
    for path in sessions.siemens_t1w(tmp_path / "source"):
        header = dcmread(path)
        header.DeidentificationMethod = ["mri_reface 0.3.4", "checked by Dr. Oakley"]
        header.save_as(path)
    (series,) = stage(read(tmp_path / "source")).series
    assert series.methods == ("mri_reface 0.3.4", bids.method)
    codes = [(code.value, code.scheme, code.meaning) for code in series.method_codes]
    assert codes == [tuple(code) for code in bids.method_codes]


def test_a_session_long_after_the_first_is_told_once(stage: Stage, tmp_path: Path) -> None:
    paths = sessions.siemens_t1w(tmp_path / "source")
    for path in paths:
        header = dcmread(path)
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = "20400307"
        header.save_as(path)
    staged = stage(read(tmp_path / "source"))
    (told,) = staged.findings
    assert told.code == "DATES_OUTSIDE_SHIFTED_YEARS"
    assert told.severity is Severity.WARNING
    assert staged.first_acquisition is not None
    assert staged.first_acquisition.startswith("1940-03-08")


def test_notes_of_a_session_are_counted_over_its_files(stage: Stage, tmp_path: Path) -> None:
    paths = sessions.siemens_t1w(tmp_path / "source")
    for path in paths:
        header = dcmread(path)
        header.ImageComments = "ask mara@oakley.org"
        header.save_as(path)
    notes = {(n.place, n.reason): n.count for n in stage(read(tmp_path / "source")).notes}
    assert notes["(0020,4000)", NoteReason.E_MAIL] == len(paths)


def test_more_workers_give_the_same_bytes_and_the_same_session(
    stage: Stage, source: SourceSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = stage(source, into="one")
    monkeypatch.setattr(workers, "FILES_WORTH_A_WORKER", 1)
    monkeypatch.setattr(workers, "MOST_FILES_A_BATCH", 3)
    together = stage(source, into="two", jobs=2)
    assert tree_digest(alone.folder) == tree_digest(together.folder)
    for name in ("identity", "participant", "first_acquisition", "changes", "findings", "notes"):
        assert getattr(alone, name) == getattr(together, name), name


def test_progress_is_told_of_each_file(stage: Stage, source: SourceSession) -> None:
    told: list[int] = []

    class Listener:
        def advance(self, count: int = 1) -> None:
            told.append(count)

        @contextmanager
        def step(self, name: str, *, total: int | None = None) -> Iterator[Listener]:
            del name
            told.append(-(total or 0))
            yield self

    stage(source, progress=Listener())
    assert sum(told) == 0
    assert len(told) > 1


def test_the_participant_is_who_the_headers_say(stage: Stage, source: SourceSession) -> None:
    participant = stage(source).participant
    assert participant.age_years == MARA.age_years
    assert participant.sex == MARA.sex


def test_without_the_option_nothing_is_said_of_the_participant(
    stage: Stage, source: SourceSession, basic: Profile
) -> None:
    staged = stage(source, profile=basic)
    assert staged.participant.age_years is None
    assert staged.participant.sex is None
    assert staged.first_acquisition is None


@pytest.mark.parametrize(
    ("age", "birth", "years"),
    [
        ("093Y", "", 89),
        ("011M", "", 0),
        ("026M", "", 2),
        ("", "19900518", 32),
        ("", "19900517", 33),
        ("", "19010101", 89),
        ("", "20240101", None),
        ("", "***", None),
        ("000Y", "", None),
        ("OLD", "", None),
    ],
)
def test_the_age_is_in_whole_years_and_capped(
    stage: Stage,
    tmp_path: Path,
    age: str,
    birth: str,
    years: int | None,
) -> None:
    folder = tmp_path / "source"
    for file in sessions.siemens_t1w(folder):
        dataset = dcmread(file)
        dataset[0x00101010].value = ""
        dataset.PatientBirthDate = ""
        dataset.save_as(file)
        content = file.read_bytes()
        content = content.replace(b"\x10\x00\x10\x10AS\0\0", as_element(b"\x10\x10", "AS", age))
        content = content.replace(b"\x10\x00\x30\0DA\0\0", as_element(b"\x30\0", "DA", birth))
        file.write_bytes(content)
    assert stage(read(folder)).participant.age_years == years


def as_element(number: bytes, vr: str, text: str) -> bytes:
    value = text.encode() + b" " * (len(text) % 2)
    return b"\x10\x00" + number + vr.encode() + len(value).to_bytes(2, "little") + value


def test_the_first_acquisition_has_the_shifted_date_and_the_true_time(
    stage: Stage, source: SourceSession
) -> None:
    staged = stage(source)
    headers = [dcmread(file) for one in staged.series for file in one.files]
    first = min(f"{one.AcquisitionDate}{one.AcquisitionTime}" for one in headers)
    assert staged.first_acquisition is not None
    day, time = staged.first_acquisition.split("T")
    assert day.replace("-", "") == first[:8]
    assert time.replace(":", "") == first[8:]


@pytest.mark.parametrize("cut", ["in the pixels", "in a sequence", "with damage inside"])
def test_what_only_a_damaged_file_says_is_harvested_too(
    stage: Stage, tmp_path: Path, cut: str
) -> None:
    folder = tmp_path / "source"
    sessions.siemens_t1w(folder)
    odd = dcmread(folder / "IM0001")
    odd.OperatorsName = "Ferrant^Odo"
    odd.InstitutionName = "Elsewhere General"
    odd.SOPInstanceUID += ".9"
    inner = Dataset()
    inner.TextValue = "inside"
    odd.add_new(0x00209990, "SQ", [inner])
    odd.save_as(folder / "odd")
    content = (folder / "odd").read_bytes()
    if cut == "in the pixels":
        content = content[:-300]
    elif cut == "in a sequence":
        content = content[: content.index(b"inside") + 3]
    else:
        content = content.replace(b"\x40\x00\x60\xa1", b"\xfe\xff\x60\xa1")
    (folder / "odd").write_bytes(content)
    staged = stage(read(folder))
    harvested = {value.text for value in staged.identity}
    assert {"Ferrant^Odo", "Elsewhere General"} <= harvested
    (good,) = staged.series
    assert all(b"Ferrant" not in file.read_bytes() for file in good.files)


def test_what_only_quarantined_files_say_is_harvested_too(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    sessions.siemens_t1w(folder)
    other = replace(MARA, operator="Featherstonehaugh^Ada")
    sessions.burned_in_capture(folder / "capture", person=other)
    session = read(folder)
    assert session.quarantine
    staged = stage(session)
    names = {value.text for value in staged.identity if value.kind is ValueKind.NAME}
    assert "Featherstonehaugh^Ada" in names
    assert len(list(staged.folder.rglob("*.dcm"))) == sum(
        len(one.source.instances) for one in staged.series
    )


def test_a_name_that_another_series_tells_is_cut_from_a_description(
    stage: Stage, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    sessions.siemens_t1w(folder / "one")
    for path in sessions.bold_mosaic(folder / "two"):
        dataset = dcmread(path)
        dataset.OperatorsName = ""
        dataset.SeriesDescription = "bold Wexcombe rest"
        dataset.save_as(path)
    staged = stage(read(folder))
    content = b"".join(file.read_bytes() for one in staged.series for file in one.files)
    assert MARA.operator.startswith("Wexcombe")
    assert b"Wexcombe" not in content


def test_an_instance_that_cannot_be_understood_stops_the_session(
    stage: Stage, source: SourceSession
) -> None:
    broken = source.series[1].instances[0].path
    content = bytearray(broken.read_bytes())
    at = content.index(b"\x08\x00\x60\x00CS")
    content[at + 4 : at + 6] = b"c\0"
    broken.write_bytes(content)
    staged = stage(source)
    (found,) = staged.findings
    assert found.code == "INSTANCE_NOT_UNDERSTOOD"
    assert found.severity is Severity.ERROR
    assert found.location == "series 2"
    assert "1 file(s)" in found.message
    assert len(staged.series[1].files) == len(source.series[1].instances) - 1
    assert not any(part in found.message for part in identifying_strings(MARA))


def test_an_instance_that_has_gone_stops_the_session(stage: Stage, source: SourceSession) -> None:
    source.series[0].instances[0].path.unlink()
    (found,) = stage(source).findings
    assert "cannot be read" in found.message


def test_a_second_run_into_the_same_folder_leaves_nothing_of_the_first(
    stage: Stage, source: SourceSession
) -> None:
    first = stage(source)
    (first.series[0].folder / "stray.dcm").write_bytes(b"")
    digest = tree_digest(stage(source).folder)
    assert digest == tree_digest(stage(source, into="fresh").folder)


def test_no_space_left_is_said_so(
    stage: Stage, source: SourceSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(work.os, "open", full)
    with pytest.raises(StorageError, match="no space left"):
        stage(source)
