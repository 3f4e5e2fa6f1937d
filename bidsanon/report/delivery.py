"""What the page of one de-identification says: a plain record, which the pipeline fills.

Nothing in it identifies anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, write_text
from bidsanon.findings import Finding, Severity
from bidsanon.report.page import render_page
from bidsanon.report.record import (
    GateEntry,
    GateState,
    QuarantineEntry,
    ResidueEntry,
    SeriesEntry,
)
from bidsanon.session import Note, PixelReading

_TEMPLATE = "delivery.html.jinja"


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """All that the page of one de-identification says.

    Attributes
    ----------
    version
        Of bidsanon.
    when
        When the run ended.
    seconds
        How long it took.
    out, private
        Where the result and the private folder are.
    output
        What was delivered: "dicom" or "nifti".
    persons
        How many persons there are images of.
    files
        How many files were delivered.
    profile, profile_digest, profile_lines
        The profile's name, the SHA-256 of what it decides, and what it is in sentences.
    gates
        The gates of this command in their order.
    series
        Each series of the source, and what it became.
    quarantine
        How many files were not de-identified, by reason.
    other_files
        How many files were no DICOM.
    pixels
        How the pixels were looked at for text; None where nobody looked.
    changes
        How many elements each action touched, by the action's code.
    notes
        What was cut, emptied or changed where, why, and how often.
    residue
        What was searched for; None where the search was not reached.
    bytes_searched, pixel_bytes
        How long the headers are that were searched, and the pixel data that were not.
    removed_keys
        How often each sidecar key was removed.
    tools
        Name to version.
    """

    version: str
    when: datetime
    out: Path
    private: Path
    output: str
    persons: int
    files: int
    profile: str
    gates: tuple[GateEntry, ...]
    seconds: float | None = None
    profile_digest: str = ""
    profile_lines: tuple[str, ...] = ()
    series: tuple[SeriesEntry, ...] = ()
    quarantine: tuple[QuarantineEntry, ...] = ()
    other_files: int = 0
    pixels: PixelReading | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    residue: ResidueEntry | None = None
    bytes_searched: int = 0
    pixel_bytes: int = 0
    removed_keys: Mapping[str, int] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused_by(self) -> GateEntry | None:
        """The gate that stopped the run."""
        return next((entry for entry in self.gates if entry.state is GateState.REFUSED), None)

    @property
    def delivered(self) -> bool:
        """Whether the result is at OUT."""
        return all(entry.state is GateState.PASSED for entry in self.gates)

    def findings(self, severity: Severity) -> tuple[Finding, ...]:
        """Return all gates' findings of one severity."""
        return tuple(
            found for entry in self.gates for found in entry.findings if found.severity is severity
        )


def write_delivery_report(record: DeliveryReport, path: Path) -> None:
    """Write the page of one de-identification, readable by its owner only.

    Parameters
    ----------
    record
        What it says.
    path
        Where to, within the private folder; the folder is made if it is not there.
    """
    make_private_folder(path.parent)
    page = render_page(
        _TEMPLATE,
        report=record,
        errors=record.findings(Severity.ERROR),
        warnings=record.findings(Severity.WARNING),
    )
    write_text(path, page, mode=PRIVATE_FILE_MODE)
