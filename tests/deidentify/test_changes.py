"""What is told of each value that was changed, and of who became whom."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sessions
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from sessions.people import identifying_strings

from bidsanon import workers
from bidsanon.audit import VALUES_NAME, ChangedValue, ChangedValues
from bidsanon.deidentify import deidentify_session, map_entries
from bidsanon.deidentify.deidentifier import Deidentifier
from bidsanon.demo.person import MARA
from bidsanon.profile import Profile
from bidsanon.progress import Silent
from bidsanon.session import DeidentifiedSession, SourceSession
from bidsanon.source import read_source
from bidsanon.vault import PersonPlan

Written = Callable[..., bytes]


@pytest.fixture
def changes(
    bids: Profile, plan: PersonPlan, written: Written
) -> Callable[..., dict[str, ChangedValue]]:
    """Give a function that de-identifies a file and says what was changed, by place."""

    def change(dataset: Dataset | None = None, **attributes: object) -> dict[str, ChangedValue]:
        deidentifier = Deidentifier(profile=bids, plan=plan)
        cleaned = deidentifier.clean(written(dataset, **attributes))
        return {change.place: change for change in deidentifier.changed_values(cleaned)}

    return change


def test_a_replaced_value_is_told_with_what_replaced_it(
    changes: Callable[..., dict[str, ChangedValue]],
) -> None:
    changed = changes(PatientName="Doe^Jane")["(0010,0010)"]
    assert (changed.original, changed.cleaned) == ("Doe^Jane", "pseudo-name-7")
    assert changed.action in {"Z", "C"}


def test_a_removed_value_and_an_inserted_one_lack_a_side(
    changes: Callable[..., dict[str, ChangedValue]],
) -> None:
    told = changes(PatientAddress="1 Main St")
    removed, inserted = told["(0010,1040)"], told["(0012,0062)"]
    assert (removed.action, removed.original, removed.cleaned) == ("X", "1 Main St", None)
    assert (inserted.action, inserted.original, inserted.cleaned) == ("", None, "YES")


def test_what_stays_is_not_told(changes: Callable[..., dict[str, ChangedValue]]) -> None:
    assert "(0018,0081)" not in changes(EchoTime="2.46", PatientName="Doe^Jane")


def test_the_instance_is_called_by_its_new_uid(
    changes: Callable[..., dict[str, ChangedValue]],
) -> None:
    told = changes(PatientName="Doe^Jane")
    assert {change.instance for change in told.values()} == {told["(0008,0018)"].cleaned}


def test_a_place_within_sequences_says_which_item(
    changes: Callable[..., dict[str, ChangedValue]],
) -> None:
    frames = []
    for moment in ("20180307101500", "20180307101502"):
        frame, content = Dataset(), Dataset()
        content.FrameAcquisitionDateTime = moment
        content.FrameAcquisitionDuration = 2000.0
        frame.FrameContentSequence = Sequence([content])
        frames.append(frame)
    told = changes(PerFrameFunctionalGroupsSequence=Sequence(frames))
    place = "(5200,9230)[2](0020,9111)[1]"
    assert told[f"{place}(0018,9074)"].original == "20180307101502"
    assert f"{place}(0018,9220)" not in told


def test_a_removed_sequence_is_told_attribute_by_attribute(
    changes: Callable[..., dict[str, ChangedValue]],
) -> None:
    other = Dataset()
    other.PatientID = "4711"
    told = changes(OtherPatientIDsSequence=Sequence([other]))["(0010,1002)[1](0010,0020)"]
    assert (told.action, told.original, told.cleaned) == ("X", "4711", None)


def test_a_private_place_is_called_by_its_creator(
    changes: Callable[..., dict[str, ChangedValue]],
) -> None:
    dataset = Dataset()
    block = dataset.private_block(0x0009, "ACME LAB", create=True)
    block.add_new(0x01, "LO", "Jane's knee")
    told = changes(dataset)
    assert told["(0009,ACME LAB,01)"].original == "Jane's knee"
    assert told["(0009,0010)"].cleaned is None


def test_titles_in_the_file_meta_information_are_told(
    bids: Profile, plan: PersonPlan, tmp_path: Path
) -> None:
    path, *_ = sessions.preamble_and_ae_titles(tmp_path)
    deidentifier = Deidentifier(profile=bids, plan=plan)
    told = {c.place: c for c in deidentifier.changed_values(deidentifier.clean(path.read_bytes()))}
    title = dcmread(path).file_meta.SourceApplicationEntityTitle
    assert (told["(0002,0016)"].original, told["(0002,0016)"].cleaned) == (title, None)


@pytest.fixture
def source(tmp_path: Path) -> SourceSession:
    """Give a session of several series."""
    sessions.siemens_session(tmp_path / "source")
    return read_source(
        [tmp_path / "source"],
        unpack_into=tmp_path / "unpacked",
        modalities=frozenset({"MR"}),
        progress=Silent(),
    )


def stage(
    source: SourceSession, bids: Profile, plan: PersonPlan, folder: Path, **more: object
) -> DeidentifiedSession:
    options = {"jobs": 1, "progress": Silent(), **more}
    return deidentify_session(source, profile=bids, plan=plan, folder=folder, **options)  # type: ignore[arg-type]


def test_a_whole_session_is_told_in_the_same_order_by_any_number_of_workers(
    source: SourceSession,
    bids: Profile,
    plan: PersonPlan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(name: str, jobs: int) -> list[tuple[object, ...]]:
        private = tmp_path / name
        with ChangedValues.begin(private, command="x", subject="01", session=None) as changed:
            stage(source, bids, plan, private / "dicom", jobs=jobs, changed=changed)
        with closing(sqlite3.connect(private / VALUES_NAME)) as connection:
            query = "SELECT id, instance, place, action, original, cleaned FROM changed_value"
            return connection.execute(query).fetchall()

    alone = told("one", 1)
    monkeypatch.setattr(workers, "FILES_WORTH_A_WORKER", 1)
    monkeypatch.setattr(workers, "MOST_FILES_A_BATCH", 3)
    assert told("two", 2) == alone
    files = sum(len(series.instances) for series in source.series)
    assert len({row[1] for row in alone}) == files
    originals = {str(row[4]) for row in alone}
    for text in identifying_strings(MARA):
        assert any(text in original for original in originals), text


def test_the_map_says_who_became_whom_whatever_the_profile_keeps(
    source: SourceSession, bids: Profile, plan: PersonPlan, tmp_path: Path
) -> None:
    staged = stage(source, bids, plan, tmp_path / "dicom")
    (entry,) = map_entries(staged)
    original = dcmread(source.series[0].instances[0].path)
    copy = dcmread(staged.series[0].files[0])
    assert (entry.original_id, entry.new_id) == (original.PatientID, plan.patient_id)
    assert (entry.original_name, entry.new_name) == (original.PatientName, plan.patient_name)
    assert (entry.original_study_uid, entry.new_study_uid) == (
        original.StudyInstanceUID,
        copy.StudyInstanceUID,
    )
    assert (entry.original_study_date, entry.new_study_date) == (
        original.StudyDate,
        copy.StudyDate,
    )


def test_the_map_pairs_a_copy_with_its_own_original_where_others_are_lost(
    source: SourceSession, bids: Profile, plan: PersonPlan, tmp_path: Path
) -> None:
    staged = stage(source, bids, plan, tmp_path / "dicom")
    series = next(one for one in staged.series if len(one.files) > 1)
    header = dcmread(series.source.instances[1].path)
    header.PatientID = "4712"
    buffer = io.BytesIO()
    header.save_as(buffer)
    series.source.instances[1].path.write_bytes(buffer.getvalue())
    (entry,) = map_entries(replace(staged, series=(replace(series, files=series.files[1:]),)))
    assert entry.original_id == "4712"
