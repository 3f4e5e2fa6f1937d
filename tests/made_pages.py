"""A small dataset with a private folder, as ``convert`` leaves them, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from additions import add
from session_records import a_record, a_refusal, write_png

from bidsanon.files import sha256
from bidsanon.findings import Finding, finding
from bidsanon.pipeline import report
from bidsanon.pipeline.validate import ValidateRequest, Validation
from bidsanon.report import SeriesEntry, SessionReport, keep_record
from bidsanon.session import DefaceOutcome, DefaceVerdict

T1W = "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz"
T2W = "sub-01/ses-a/anat/sub-01_ses-a_T2w.nii.gz"
BOLD = "sub-01/ses-a/func/sub-01_ses-a_task-rest_bold.nii.gz"
DWI = "sub-01/ses-a/dwi/sub-01_ses-a_dwi.nii.gz"
VIEWS = ("front", "left", "right", "sagittal", "coronal", "axial")


def ball(shape: tuple[int, ...], volumes: int = 0) -> np.ndarray:
    """A bright ball in the middle of a volume."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    values = (1000 * np.exp(-3 * sum(axis**2 for axis in axes))).astype(np.int16)
    return np.stack([values + n % 3 for n in range(volumes)], axis=-1) if volumes else values


def write_nifti(path: Path, values: np.ndarray, affine: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, np.diag([2.0, 2, 2, 1]) if affine is None else affine)
    image.to_filename(path)
    return path


def a_foreign_dataset(root: Path) -> Path:
    """A dataset that bidsanon did not make: an anatomical image, a bold run and a diffusion run."""
    write_nifti(root / T1W, ball((20, 24, 22)))
    write_nifti(root / T2W, ball((20, 24, 22)) + 5)
    write_nifti(root / BOLD, ball((12, 12, 8), volumes=6))
    write_nifti(root / DWI, ball((12, 12, 8), volumes=3))
    bold, dwi = (str(root / name).removesuffix(".nii.gz") for name in (BOLD, DWI))
    Path(f"{bold}.json").write_text(json.dumps({"RepetitionTime": 1.5, "TaskName": "rest"}))
    Path(f"{bold.removesuffix('bold')}events.tsv").write_text(
        "onset\tduration\ttrial_type\n1\t1\tgo\n2.5\t1\tstop\n4\t1\tgo\n"
    )
    Path(f"{dwi}.bval").write_text("0 1000 995\n")
    Path(f"{dwi}.bvec").write_text("0 1 0\n0 0 1\n0 0 0\n")
    (root / "participants.tsv").write_text("participant_id\tage\tsex\nsub-01\t33\tF\n")
    described = {"Name": "A study", "BIDSVersion": "1.10.1", "License": "CC0", "Authors": ["A"]}
    (root / "dataset_description.json").write_text(json.dumps(described))
    return root


def a_published_dataset(root: Path) -> Path:
    """The same as ``convert`` leaves it, with a record of the defacing of both heads."""
    add(root, "01/a")
    a_foreign_dataset(root)
    folder = root.with_name(f"{root.name}.private") / "reports" / "sub-01_ses-a"
    published = {name: sha256(root / name) for name in (T1W, T2W, BOLD, DWI)}
    record = replace(_record(root.parent), published=published)
    keep_record(record, folder / "published")
    ledger = root.with_name(f"{root.name}.private") / "published" / f"{root.name}.json"
    content = json.loads(ledger.read_text())
    content["additions"][-1]["files"] |= digests(root)
    ledger.write_text(json.dumps(content))
    return root


def digests(root: Path) -> dict[str, str]:
    return {name: sha256(root / name) for name in (T1W, T2W, BOLD, DWI)}


def keep_refusal(root: Path, name: str) -> None:
    """Let the last run of a session have been refused."""
    keep_record(a_refusal(), root.with_name(f"{root.name}.private") / "reports" / name / "refused")


def _record(scratch: Path) -> SessionReport:
    pictures = {
        f"{moment}-{view}": write_png(scratch / f"{moment}-{view}.png", grey=number)
        for number, (moment, view) in enumerate(
            ((moment, view) for moment in ("before", "after") for view in VIEWS), start=1
        )
    }
    defaced = tuple(
        DefaceOutcome(
            path=path,
            verdict=DefaceVerdict.DEFACED,
            engine="bidsanon",
            reason="600 ml of tissue were removed",
            figures={"sharp": 0.05},
            pictures=pictures if path == T1W else {},
        )
        for path in (T1W, T2W)
    )
    spared = DefaceOutcome(path=BOLD, verdict=DefaceVerdict.NOT_NEEDED, engine="", reason="EPI")
    series = SeriesEntry(index=1, description="t1", modality="MR", files=3, images=(T1W, T2W))
    record = a_record(subject="01", session="a", series=(series,))
    return replace(record, defaced=(*defaced, spared))


def say(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    """Let validating say this, at once."""

    def validate(request: ValidateRequest, **_: object) -> Validation:
        return Validation(request=request, findings=findings)

    monkeypatch.setattr(report, "validate", validate)


def rejected(path: str) -> Finding:
    return finding("FACE_REJECTED", location=path)
