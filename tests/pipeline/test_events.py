"""Tables of events: given by the user, published with their run, and never lost without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import run_convert
from sessions import MARA, bold_mosaic
from tree_digests import tree_digest

from bidsanon.bids.tables import Table
from bidsanon.errors import BidsanonError, ConflictError, PolicyError, UsageError
from bidsanon.findings import Gate
from bidsanon.pipeline.events import (
    clean_events,
    foresee_events,
    load_events,
    require_events_again,
    write_events,
)
from bidsanon.pipeline.remove import make_remove_request, remove
from bidsanon.publish import SessionPlace

TABLE = "onset\tduration\ttrial_type\n0.5\t1\tface\n4\t\thouse\n"


def _file(folder: Path, text: str | bytes) -> Path:
    file = folder / "events.tsv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize("text", ["task-rest", "task-rest=", "rest=a.tsv", "=a.tsv"])
def test_what_names_no_run_or_no_file_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"RUN=FILE\.tsv"):
        clean_events([text])


def test_two_tables_of_one_run_are_refused() -> None:
    with pytest.raises(UsageError, match="task-rest twice"):
        clean_events(["task-rest=a.tsv", "task-rest=b.tsv"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the table is empty"),
        ("onset\ttrial_type\n1\tface\n", "first columns"),
        ("onset\tduration\n1\t2\nsoon\t2\n", "onset in row 2"),
        ("onset\tduration\n1\t1 s\n", "duration in row 1"),
        ("onset\tduration\n1\n", "row 1 has 1 cells"),
        (b"onset\tduration\n1\t\xff\n", "not UTF-8"),
    ],
)
def test_what_is_no_table_of_events_is_refused(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    with pytest.raises(PolicyError, match=told):
        load_events({"task-rest": _file(tmp_path, text)})


def test_a_table_that_is_not_there_is_named_by_its_run(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="task-rest cannot be read"):
        load_events({"task-rest": tmp_path / "none.tsv"})


def test_a_table_goes_beside_all_echoes_and_parts_of_its_run(tmp_path: Path) -> None:
    func = tmp_path / "sub-01" / "ses-02" / "func"
    func.mkdir(parents=True)
    for name in ("task-n_run-1_echo-1_part-mag_bold", "task-n_run-2_bold", "task-n_run-3_sbref"):
        (func / f"sub-01_ses-02_{name}.nii.gz").touch()
    table = Table(columns=("onset", "duration"), rows=({"onset": "1", "duration": "2"},))
    given = {"task-n_run-1": table, "task-n_run-3": table}
    (found,) = write_events(tmp_path, given)
    assert (found.code, found.location) == ("EVENTS_OF_NO_RUN", "--events task-n_run-3")
    assert "task-n_run-1, task-n_run-2" in found.message
    (written,) = func.glob("*.tsv")
    assert written.name == "sub-01_ses-02_task-n_run-1_events.tsv"
    assert written.read_text() == "onset\tduration\n1\t2\n"


def test_a_table_of_no_run_is_foreseen_before_anything_is_converted() -> None:
    names = ("sub-01/func/sub-01_task-rest_bold.nii.gz", "sub-01/anat/sub-01_T1w.nii.gz")
    (found,) = foresee_events(["task-rest", "task-motor"], names)
    assert (found.code, found.location) == ("EVENTS_OF_NO_RUN", "--events task-motor")
    assert "published; those that are: task-rest" in found.message


def test_a_session_is_not_replaced_by_one_that_lacks_its_events(tmp_path: Path) -> None:
    place = SessionPlace(dataset=tmp_path, subject="01", session=None)
    require_events_again(place, {})
    (tmp_path / "sub-01" / "func").mkdir(parents=True)
    (tmp_path / "sub-01" / "func" / "sub-01_task-rest_events.tsv").touch()
    require_events_again(place, {"task-rest": tmp_path})
    with pytest.raises(ConflictError, match="events of task-rest"):
        require_events_again(place, {"task-other": tmp_path})


@pytest.mark.slow
def test_events_come_and_go_with_their_session(tmp_path: Path) -> None:
    bold_mosaic(tmp_path / "source")
    dataset, events = tmp_path / "study", f"task-rest={_file(tmp_path, TABLE)}"
    assert run_convert(tmp_path / "source", dataset=dataset, events=[events]).refusal is None
    (published,) = dataset.rglob("*_events.tsv")
    assert published.name == "sub-01_task-rest_events.tsv"
    assert published.read_text() == TABLE.replace("\t\t", "\tn/a\t")
    before = tree_digest(dataset)
    with pytest.raises(BidsanonError, match="would lose them"):
        run_convert(tmp_path / "source", dataset=dataset, overwrite=True)
    again = run_convert(tmp_path / "source", dataset=dataset, overwrite=True, events=[events])
    assert again.refusal is None
    assert tree_digest(dataset) == before
    remove(make_remove_request(dataset, subject="01", session=None, private=None))
    assert not list(dataset.rglob("*.tsv"))


@pytest.mark.slow
def test_events_that_name_the_person_are_refused(tmp_path: Path) -> None:
    bold_mosaic(tmp_path / "source")
    name = MARA.name.partition("^")[0]
    events = f"task-rest={_file(tmp_path, TABLE.replace('house', f'seen by {name}'))}"
    run = run_convert(tmp_path / "source", dataset=tmp_path / "study", events=[events])
    assert run.refusal is not None
    assert [r.gate for r in run.gates.results if not r.passed] == [Gate.RESIDUE]
    assert not (tmp_path / "study").exists()
