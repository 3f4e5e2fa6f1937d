"""A dataset to which several processes add sessions at once, and some of them are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sessions import MARA, TOBIAS, Person, bold_mosaic, dwi_mosaic

from bidsanon.audit import Journal
from bidsanon.bids.tables import read_table
from bidsanon.files import files_below
from bidsanon.publish import Ledger, interrupted
from bidsanon.validate import validate_dataset

PERSONS = [
    replace(person, patient_id=f"{person.patient_id}{letter}", family_name=f"{name}{letter}")
    for person, name in ((MARA, "Quill"), (TOBIAS, "Brand"))
    for letter in ("A", "B")
]
DAYS = ("20230517", "20230607")


@dataclass(frozen=True)
class Visit:
    source: Path
    subject: str
    session: str

    @property
    def name(self) -> str:
        return f"sub-{self.subject}_ses-{self.session}"


def visits(folder: Path) -> list[Visit]:
    """Two visits of four persons."""
    made = []
    for number, person in enumerate(PERSONS, start=1):
        for visit, day in enumerate(DAYS, start=1):
            source = folder / f"{number}-{visit}"
            write(source, replace(person, study_date=day))
            made.append(Visit(source, f"{number:02d}", f"{visit:02d}"))
    return made


def write(source: Path, person: Person) -> None:
    bold_mosaic(source / "bold", person=person)
    dwi_mosaic(source / "dwi", person=person)


def start(visit: Visit, dataset: Path, *, subject: str = "") -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "bidsanon", "convert", str(visit.source), "-o", str(dataset)]
    line += ["-s", subject or visit.subject, "-ss", visit.session, "--jobs", "1"]
    return subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def end(process: subprocess.Popen[bytes]) -> int:
    _, said = process.communicate(timeout=900)
    assert process.returncode in {0, 7, -signal.SIGKILL}, said.decode()
    return process.returncode


def published(dataset: Path) -> set[str]:
    return {"_".join(p.parts[-2:]) for p in dataset.glob("sub-*/ses-*")}


def require_consistent(dataset: Path) -> None:
    """Dataset, journal and ledger tell of the same sessions, and the dataset is valid."""
    there = published(dataset)
    private = dataset.with_name(f"{dataset.name}.private")
    entries = [e for e in Journal(private).entries() if e["outcome"] == "published"]
    told = Counter(f"sub-{e['subject']}_ses-{e['session']}" for e in entries)
    assert told == Counter(there)
    ledger = Ledger.read(private, dataset)
    assert {one.session for one in ledger.additions} == there
    for name in there:
        files = {p.relative_to(dataset).as_posix() for p in files_below(dataset)}
        assert set(ledger.files_of(name)) == {
            f for f in files if f.startswith(name.replace("_", "/") + "/")
        }
        images = {image for e in entries for image in e["images"] if name in image}
        assert len(images) == 2
        assert images <= files
    rows = read_table((dataset / "participants.tsv").read_text()).rows
    assert [r["participant_id"] for r in rows] == sorted({n.partition("_")[0] for n in there})
    assert not [f for f in validate_dataset(dataset) if f.severity == "error"]
    assert not list(dataset.rglob("*events*"))
    assert "TODO" not in "".join(p.read_text() for p in dataset.rglob("*.json"))


@pytest.mark.slow
def test_eight_processes_add_to_one_dataset_at_once(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    processes = [start(visit, dataset) for visit in visits(tmp_path / "in")]
    assert [end(process) for process in processes] == [0] * 8
    assert len(published(dataset)) == 8
    require_consistent(dataset)
    assert not [p for p in (tmp_path / "ds.private/work").iterdir() if p.is_dir()]


@pytest.mark.slow
def test_the_vault_names_persons_apart_that_come_at_once(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    made = visits(tmp_path / "in")
    processes = [start(visit, dataset, subject="auto") for visit in made]
    assert [end(process) for process in processes] == [0] * 8
    expected = {f"sub-{n:02d}_ses-{s:02d}" for n in range(1, 5) for s in (1, 2)}
    assert published(dataset) == expected
    require_consistent(dataset)


@pytest.mark.slow
def test_one_session_is_published_by_one_of_those_that_come_at_once(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    visit = visits(tmp_path / "in")[0]
    codes = [end(process) for process in [start(visit, dataset) for _ in range(4)]]
    assert Counter(codes) == {0: 1, 7: 3}
    require_consistent(dataset)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_whoever_is_killed_leaves_a_session_or_nothing(tmp_path: Path, seed: int) -> None:
    """One is published first, to measure how long that takes and to have something to lose."""
    dataset = tmp_path / "ds"
    first, *others = visits(tmp_path / "in")
    began = time.monotonic()
    assert end(start(first, dataset)) == 0
    alone_s = time.monotonic() - began
    moments = random.Random(seed)  # noqa: S311 - the same moments for the same seed
    processes = [start(visit, dataset) for visit in others]
    deadlines = [moments.uniform(0.1, 3.5 * alone_s) for _ in processes[1:]]
    deadlines.append(0.3 * alone_s)  # one is killed however many processors there are
    began = time.monotonic()
    for process, deadline in sorted(zip(processes, deadlines, strict=True), key=lambda one: one[1]):
        time.sleep(max(0.0, began + deadline - time.monotonic()))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    codes = {visit.name: end(process) for visit, process in zip(others, processes, strict=True)}
    finished = {name for name, code in codes.items() if code == 0} | {first.name}
    if not interrupted(dataset):
        assert finished <= published(dataset)
    redone = {visit.name: end(start(visit, dataset)) for visit in others}
    for name, code in redone.items():
        assert code == 7 if name in finished else code in {0, 7}
    assert published(dataset) == {first.name, *codes}
    require_consistent(dataset)
    work = tmp_path / "ds.private/work"
    assert not [p for p in work.iterdir() if p.is_dir()]
    told = json.dumps(codes)
    assert str(-signal.SIGKILL) in told, f"nobody was killed: {told}"
