"""Every gate can say no, and afterwards the dataset is byte for byte what it was."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from runs import run_convert
from sessions import (
    MARA,
    TOBIAS,
    bold_mosaic,
    burned_in_capture,
    csa_stripped,
    t1w_of_lumps,
    truncated_file,
    two_persons,
)
from tree_digests import tree_digest

from bidsanon.errors import ConflictError, SourceError, UsageError
from bidsanon.findings import Gate, finding
from bidsanon.pipeline import convert as pipeline
from bidsanon.pipeline.run import Run
from bidsanon.session import ScrubbedSession


@pytest.fixture(autouse=True)
def _dataset_untouched(dataset: Path) -> Iterator[None]:
    """Hold in every test here that what was refused left no trace in the dataset."""
    before = tree_digest(dataset)
    yield
    assert tree_digest(dataset) == before
    leftovers = [p for p in dataset.with_name("ds.private").glob("work/*") if p.is_dir()]
    assert leftovers == []


def refused_by(run: Run) -> tuple[Gate, set[str]]:
    """Return the gate that refused, and the codes of its errors."""
    assert run.refusal is not None
    last = run.gates.results[-1]
    return last.gate, {f.code for f in run.refusal.findings}


def plant_after_scrub(monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], None]) -> None:
    """Let something go wrong after scrubbing, as a bug in a stage would."""
    scrub = pipeline.scrub_session

    def leaky(*args: Any, **kwargs: Any) -> ScrubbedSession:
        scrubbed = scrub(*args, **kwargs)
        plant(next((scrubbed.root).glob("sub-*/ses-*")))
        return scrubbed

    monkeypatch.setattr(pipeline, "scrub_session", leaky)


def test_source_refuses_two_persons(dataset: Path, tmp_path: Path) -> None:
    two_persons(tmp_path / "in")
    run = run_convert(tmp_path / "in", dataset=dataset, session="02")
    assert refused_by(run) == (Gate.SOURCE, {"SEVERAL_PERSONS"})
    assert "2 persons" in run.refusal.findings[0].message


def test_source_refuses_a_truncated_file_among_good_ones(dataset: Path, tmp_path: Path) -> None:
    truncated_file(tmp_path / "in")
    run = run_convert(tmp_path / "in", dataset=dataset, session="02")
    assert refused_by(run) == (Gate.SOURCE, {"TRUNCATED_FILES"})


def test_a_burned_in_capture_alone_is_nothing_to_convert(dataset: Path, tmp_path: Path) -> None:
    burned_in_capture(tmp_path / "in")
    with pytest.raises(SourceError, match="burned-in"):
        run_convert(tmp_path / "in", dataset=dataset, session="02")


def test_deidentify_refuses_what_it_does_not_understand(
    dataset: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deidentify = pipeline.deidentify_session

    def puzzled(*args: Any, **kwargs: Any) -> Any:
        session = deidentify(*args, **kwargs)
        odd = finding("INSTANCE_NOT_UNDERSTOOD", location="series 1", count=1, reason="odd")
        return replace(session, findings=(*session.findings, odd))

    monkeypatch.setattr(pipeline, "deidentify_session", puzzled)
    run = run_convert(source, dataset=dataset, session="02")
    assert refused_by(run) == (Gate.DEIDENTIFY, {"INSTANCE_NOT_UNDERSTOOD"})


def test_fidelity_refuses_lost_csa_fields(
    dataset: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deidentify = pipeline.deidentify_session

    def without_csa(*args: Any, **kwargs: Any) -> Any:
        session = deidentify(*args, **kwargs)
        for file in (f for series in session.series for f in series.files):
            header = pydicom.dcmread(file)
            for tag in [e.tag for e in header if e.tag.group == 0x0029]:
                del header[tag]
            header.save_as(file)
        return session

    begun: list[object] = []
    monkeypatch.setattr(pipeline, "deidentify_session", without_csa)
    monkeypatch.setattr(pipeline.LooksAhead, "begin", begun.append)
    run = run_convert(source, dataset=dataset, session="02")
    gate, codes = refused_by(run)
    assert gate is Gate.FIDELITY
    assert begun == []
    assert "FIDELITY_KEY_LOST" in codes
    lost = " ".join(f"{f.location} {f.message}" for f in run.refusal.findings)
    assert "PhaseEncodingDirection" in lost


def test_convert_refuses_an_invalid_name(dataset: Path, source: Path, tmp_path: Path) -> None:
    heuristic = tmp_path / "ourlab.py"
    heuristic.write_text(
        "def infotodict(seqinfo):\n"
        "    key = ('sub-{subject}/{session}/func/sub-{subject}_{session}_bolt',"
        " ('nii.gz',), None)\n"
        "    return {key: [s.series_id for s in seqinfo]}\n"
    )
    run = run_convert(source, dataset=dataset, session="02", heuristic=str(heuristic))
    gate, codes = refused_by(run)
    assert (gate, "INVALID_BIDS_NAME" in codes) == (Gate.CONVERT, True)


def test_convert_refuses_slices_at_uneven_distances(dataset: Path, tmp_path: Path) -> None:
    slices = t1w_of_lumps(tmp_path / "in")
    slices[len(slices) // 2].unlink()
    run = run_convert(tmp_path / "in", dataset=dataset, session="02")
    assert refused_by(run) == (Gate.CONVERT, {"SLICES_UNEVEN"})


@pytest.mark.slow
def test_deface_refuses_what_fails_its_self_check(dataset: Path, tmp_path: Path) -> None:
    t1w_of_lumps(tmp_path / "in")
    run = run_convert(tmp_path / "in", dataset=dataset, session="02")
    assert refused_by(run) == (Gate.DEFACE, {"DEFACE_FAILED"})


def test_scrub_refuses_a_file_that_it_does_not_know(
    dataset: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deface = pipeline.deface_session

    def littering(converted: Any, **kwargs: Any) -> Any:
        folder = next(converted.root.glob("sub-*/ses-*/func"))
        (folder / "sub-01_ses-02_notes.docx").write_bytes(b"notes")
        return deface(converted, **kwargs)

    monkeypatch.setattr(pipeline, "deface_session", littering)
    run = run_convert(source, dataset=dataset, session="02")
    assert refused_by(run) == (Gate.SCRUB, {"SCRUB_UNKNOWN_FILE"})


def test_validate_refuses_what_the_official_validator_refuses(
    dataset: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_few_b_values(session: Path) -> None:
        bval = next(session.glob("dwi/*.bval"))
        bval.write_text("0\n")

    plant_after_scrub(monkeypatch, too_few_b_values)
    run = run_convert(source, dataset=dataset, session="02")
    gate, codes = refused_by(run)
    assert (gate, "OFFICIAL_VALIDATOR_ERROR" in codes) == (Gate.VALIDATE, True)


def in_a_sidecar(session: Path) -> None:
    sidecar = next(session.glob("func/*_bold.json"))
    text = sidecar.read_text()
    sidecar.write_text(text.replace("{", f'{{\n  "Instructions": "{MARA.family_name}",', 1))


def in_a_nifti_header(session: Path) -> None:
    image = next(session.glob("func/*_bold.nii.gz"))
    content = bytearray(gzip.decompress(image.read_bytes()))
    content[148 : 148 + len(MARA.family_name)] = MARA.family_name.encode()
    image.write_bytes(gzip.compress(bytes(content), mtime=0))


def in_a_file_name(session: Path) -> None:
    for path in session.glob("func/*_bold.*"):
        path.rename(path.with_name(path.name.replace("task-rest", f"task-{MARA.family_name}")))
    scans = next(session.glob("*_scans.tsv"))
    scans.write_text(scans.read_text().replace("task-rest", f"task-{MARA.family_name}"))


@pytest.mark.parametrize(
    "plant",
    [
        in_a_sidecar,
        pytest.param(in_a_nifti_header, marks=pytest.mark.slow),
        pytest.param(in_a_file_name, marks=pytest.mark.slow),
    ],
)
def test_residue_refuses_an_identifying_value(
    dataset: Path, source: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], None]
) -> None:
    plant_after_scrub(monkeypatch, plant)
    run = run_convert(source, dataset=dataset, session="02")
    assert refused_by(run) == (Gate.RESIDUE, {"RESIDUE_FOUND"})
    said = " ".join(f"{f.location} {f.message} {f.cure}" for f in run.refusal.findings)
    assert MARA.family_name.lower() not in said.lower()


def test_publish_refuses_a_session_that_exists(dataset: Path, source: Path) -> None:
    with pytest.raises(ConflictError, match="exists already"):
        run_convert(source, dataset=dataset, session="01")


def test_a_label_of_somebody_else_is_refused(dataset: Path, tmp_path: Path) -> None:
    bold_mosaic(tmp_path / "in", person=TOBIAS)
    with pytest.raises(UsageError, match="sub-01"):
        run_convert(tmp_path / "in", dataset=dataset, session="02")


def test_a_refusal_is_written_down(dataset: Path, tmp_path: Path) -> None:
    csa_stripped(tmp_path / "in")
    two_persons(tmp_path / "in2")
    run = run_convert(tmp_path / "in2", dataset=dataset, session="02")
    private = run.request.private
    page = (private / "reports" / "sub-01_ses-02_refused.html").read_text()
    assert "SEVERAL_PERSONS" in page
    assert '"outcome": "refused"' in (private / "journal.jsonl").read_text()
