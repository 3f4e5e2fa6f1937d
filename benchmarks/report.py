"""Measures ``bidsanon report`` on a dataset of many sessions. See README.md beside this."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
from measuring import measure
from PIL import Image
from residue import MEMORY_TARGET_MB

from bidsanon import __version__
from bidsanon.audit import Journal, JournalEntry, Outcome
from bidsanon.files import make_private_folder, sha256
from bidsanon.findings import Gate, GateResult, finding
from bidsanon.pipeline.report import report
from bidsanon.pipeline.report_request import make_report_request
from bidsanon.pipeline.workspace import Workspace
from bidsanon.progress import Silent
from bidsanon.publish import Ledger
from bidsanon.publish.ledger import Addition
from bidsanon.redaction import Redactor
from bidsanon.report import SessionReport, gate_entries, keep_record
from bidsanon.session import DefaceOutcome, DefaceVerdict

HEAD = """\
| sessions | images | findings | wall s | CPU s | own memory MB | largest process MB | pages MB |
|---|---|---|---|---|---|---|---|"""
_MEGABYTE = 1e6
_PROFILE = "bids"
_WHEN = datetime(2031, 4, 5, 6, 7, tzinfo=UTC)
_PICTURES = [
    f"{moment}-{view}"
    for moment in ("before", "after")
    for view in ("front", "left", "right", "sagittal", "coronal", "axial")
]
_PICTURE_SIZE = (90, 110)
_PLACES = 60
_SESSIONS_OF_A_SUBJECT = 5
_RADIUS = 0.7
_IMAGES = {
    "anat": ("T1w", (96, 96, 96), {"EchoTime": 0.003, "StationName": "AWP00"}),
    "func": ("task-rest_bold", (48, 48, 24, 40), {"RepetitionTime": 1.5, "TaskName": "rest"}),
}


def main() -> None:
    """Make the datasets, make their pages, and print what that took."""
    arguments = _arguments()
    if arguments.report:
        _report_here(arguments.report, jobs=arguments.jobs)
        return
    print(HEAD)
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        for sessions in arguments.sessions:
            root = make_sessions(Path(folder) / f"sessions-{sessions}", count=sessions)
            print(_row(root, arguments), flush=True)
    print(
        f"\nWith --jobs {arguments.jobs}. Target: own memory below {MEMORY_TARGET_MB} MB. The "
        "largest process is the official validator."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--report", type=Path, help="only make the pages of this dataset")
    parser.add_argument("--work", type=Path, help="where the datasets are made")
    return parser.parse_args()


def make_sessions(root: Path, *, count: int) -> Path:
    """Make a dataset with an anatomical image and a functional run in each session.

    Beside it lies a private folder with the record of each. The sidecars hold what is a finding, so
    that there are as many of these as sessions.
    """
    root.mkdir(parents=True)
    described = {"Name": "Made by code", "BIDSVersion": "1.10.0", "License": "CC0"}
    (root / "dataset_description.json").write_text(json.dumps(described))
    stored = {datatype: _image(root, datatype) for datatype in _IMAGES}
    for number in range(count):
        subject, session = divmod(number, _SESSIONS_OF_A_SUBJECT)
        labels = (f"sub-{subject + 1:04d}", f"ses-{session + 1}")
        for datatype, (suffix, _, sidecar) in _IMAGES.items():
            folder = root.joinpath(*labels, datatype)
            folder.mkdir(parents=True)
            stem = f"{'_'.join(labels)}_{suffix}"
            os.link(stored[datatype], folder / f"{stem}.nii.gz")
            (folder / f"{stem}.json").write_text(json.dumps(sidecar))
    for path in stored.values():
        path.unlink()
    _remember(root)
    subjects = sorted(path.name for path in root.glob("sub-*"))
    (root / "participants.tsv").write_text("\n".join(["participant_id", *subjects, ""]))
    return root


def _image(root: Path, datatype: str) -> Path:
    """Write one image of a kind: a ball with noise, the same each time."""
    _, shape, _ = _IMAGES[datatype]
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape[:3]), indexing="ij")
    ball = sum(axis**2 for axis in grid) < _RADIUS
    noise = np.random.default_rng(0).integers(0, 200, shape)
    values = (1000 * ball.reshape(ball.shape + (1,) * (len(shape) - 3)) + noise).astype(np.int16)
    path = root / f"{datatype}.nii.gz"
    nib.Nifti1Image(values, np.diag([2.5, 2.5, 2.5, 1])).to_filename(path)
    return path


def _remember(root: Path) -> None:
    """Make the private folder that converting so many sessions would have left."""
    private = make_private_folder(root.with_name(f"{root.name}.private"))
    pictures = dict(_pictures(make_private_folder(private / "made")))
    additions = []
    for number, folder in enumerate(sorted(root.glob("sub-*/ses-*")), start=1):
        subject, session = (name.partition("-")[2] for name in folder.relative_to(root).parts)
        name = "_".join(folder.relative_to(root).parts)
        files = {
            path.relative_to(root).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        record = _record(root, private, folder, pictures)
        published = {path: digest for path, digest in files.items() if path.endswith(".nii.gz")}
        kept = Workspace(private=private, name=name).published_record
        keep_record(replace(record, published=published), kept)
        additions.append(
            Addition(
                number=number,
                session=name,
                participant={"participant_id": f"sub-{subject}"},
                tools={"bidsanon": __version__},
                replace=False,
                dataset_name=root.name,
                files=files,
            )
        )
        Journal(private).append(_entry(subject, session))
    ledger = replace(Ledger.read(private, root), additions=tuple(additions))
    make_private_folder((private / ledger.file).parent)
    (private / ledger.file).write_text(ledger.text, "utf-8")


def _pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    grey = np.random.default_rng(0).integers(0, 255, _PICTURE_SIZE).astype(np.uint8)
    for name in _PICTURES:
        Image.fromarray(grey).save(folder / f"{name}.png")
        yield name, folder / f"{name}.png"


def _record(root: Path, private: Path, folder: Path, pictures: dict[str, Path]) -> SessionReport:
    (image,) = (path.relative_to(root).as_posix() for path in folder.rglob("*_T1w.nii.gz"))
    said = [finding("NO_FACE", location=image, reason="made by code") for _ in range(_PLACES)]
    results = [
        GateResult(gate=gate, findings=tuple(one for one in said if one.gate is gate))
        for gate in Gate
    ]
    subject, session = (name.partition("-")[2] for name in folder.relative_to(root).parts)
    outcome = DefaceOutcome(
        path=image,
        verdict=DefaceVerdict.DEFACED,
        engine="bidsanon",
        reason="600 ml of tissue were removed",
        figures={"sharp": 0.05},
        pictures=pictures,
    )
    return SessionReport(
        version=__version__,
        when=_WHEN,
        dataset=root,
        private=private,
        subject=subject,
        session=session,
        profile=_PROFILE,
        heuristic="auto",
        gates=gate_entries(results),
        defaced=(outcome,),
    )


def _entry(subject: str, session: str) -> JournalEntry:
    notes = {f"(0008,{place:04X})": {"cut": place} for place in range(1, _PLACES)}
    return JournalEntry(
        when=_WHEN.strftime("%Y-%m-%dT%H:%M:%SZ"),
        command="convert",
        outcome=Outcome.PUBLISHED,
        subject=subject,
        session=session,
        profile=_PROFILE,
        profile_digest="0" * 64,
        tools={"bidsanon": __version__, "dcm2niix": "v1.0", "heudiconv": "1.5"},
        notes=notes,
    )


def _row(root: Path, arguments: argparse.Namespace) -> str:
    out = root.with_name(f"{root.name}.private")
    log = root.with_name("log")
    command = [sys.executable, __file__, "--report", root, "--jobs", str(arguments.jobs)]
    cost = measure(command, log=log)
    said = json.loads(log.read_text("utf-8").splitlines()[-1])
    pages = sum(page.stat().st_size for page in out.rglob("*.html"))
    return (
        f"| {said['sessions']:,} | {said['images']:,} | {said['findings']:,} | "
        f"{cost.wall_s:.0f} | {cost.cpu_s:.0f} | {said['memory_mb']:.0f} | {cost.memory_mb:.0f} | "
        f"{pages / _MEGABYTE:.0f} |"
    )


def _report_here(root: Path, *, jobs: int) -> None:
    """Make a dataset's pages, and print how many and what this process took at its peak."""
    made = report(make_report_request(root, jobs=jobs), progress=Silent(), redactor=Redactor())
    said = {
        "sessions": len(made.sessions),
        "images": sum(row.images for row in made.sessions),
        "findings": len(made.findings),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / (1 << 20),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
