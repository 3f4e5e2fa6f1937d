"""Made-up records of sessions, for the tests of their pages."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bidsanon.findings import Finding, Gate, GateResult, Severity
from bidsanon.report import (
    IgnoredEntry,
    QuarantineEntry,
    ResidueEntry,
    SeriesEntry,
    SessionReport,
    gate_entries,
)
from bidsanon.session import QuarantineReason

T1W = "sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz"
BOLD = "sub-01/ses-02/func/sub-01_ses-02_task-rest_bold.nii.gz"


def a_finding(gate: Gate, severity: Severity, message: str = "what was found") -> Finding:
    return Finding(
        code="A_CODE",
        gate=gate,
        severity=severity,
        location="series 3",
        message=message,
        cure="what to do",
    )


def passed(*findings: Finding) -> tuple[GateResult, ...]:
    return tuple(
        GateResult(gate=gate, findings=tuple(f for f in findings if f.gate is gate))
        for gate in Gate
    )


def a_record(**changes: object) -> SessionReport:
    record = SessionReport(
        version="9.8.7",
        when=datetime(2031, 4, 5, 6, 7, tzinfo=UTC),
        seconds=12.3,
        dataset=Path("/data/study"),
        private=Path("/data/study.private"),
        subject="01",
        session="02",
        profile="bids",
        profile_lines=("Clean Descriptors",),
        heuristic="auto",
        series=(
            SeriesEntry(index=1, description="t1_mprage", modality="MR", files=160, images=(T1W,)),
            SeriesEntry(index=2, description="scout", modality="MR", files=3, skipped="a scout"),
        ),
        quarantine=(QuarantineEntry(reason=QuarantineReason.BURNED_IN, count=2),),
        gates=gate_entries(passed()),
        fidelity=("All fields agree.",),
        changes={"X": 1234},
        residue=ResidueEntry(
            searched={"name": 11},
            ignored=(IgnoredEntry(kind="text", reason="too short", origin="(0010,0040)", count=1),),
        ),
        removed_keys={"StationName": 6},
        tools={"bidsanon": "9.8.7", "dcm2niix": "v1.2.3"},
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def a_refusal() -> SessionReport:
    results = [*passed()[:4]]
    error = a_finding(Gate.DEFACE, Severity.ERROR, "the face could not be removed")
    results.append(GateResult(gate=Gate.DEFACE, findings=(error,)))
    return a_record(gates=gate_entries(results), residue=None)


def write_png(path: Path, *, grey: int = 0x80) -> Path:
    """Write a picture of one grey element."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    content += chunk(b"IDAT", zlib.compress(bytes([0, grey]))) + chunk(b"IEND", b"")
    path.write_bytes(content)
    return path
