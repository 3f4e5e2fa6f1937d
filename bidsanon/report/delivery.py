"""What the page of one de-identification says: a plain record, which the pipeline fills.

Nothing in it identifies anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, write_text
from bidsanon.findings import Severity
from bidsanon.notes import Note
from bidsanon.report.page import embed_pictures, render_page
from bidsanon.report.record import (
    GateState,
    RunReport,
)
from bidsanon.session import DefaceOutcome

_TEMPLATE = "delivery.html.jinja"


@dataclass(frozen=True, kw_only=True)
class DeliveryReport(RunReport):
    """All that the page of one de-identification says.

    Attributes
    ----------
    out
        Where the result is.
    output
        What was delivered: "dicom" or "nifti".
    persons
        How many persons there are images of.
    files
        How many files were delivered.
    notes
        What was cut, emptied or changed where, why, and how often.
    bytes_searched, pixel_bytes
        How long the headers are that were searched, and the pixel data that were not.
    faces_asked
        Whether faces were to be removed.
    defaced
        What was done about the face in each image.
    """

    out: Path
    output: str
    persons: int
    files: int
    notes: tuple[Note, ...] = ()
    bytes_searched: int = 0
    pixel_bytes: int = 0
    faces_asked: bool = False
    defaced: tuple[DefaceOutcome, ...] = ()

    @property
    def delivered(self) -> bool:
        """Whether the result is at OUT."""
        return all(entry.state is GateState.PASSED for entry in self.gates)


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
        view=None,
        private=True,
        errors=record.findings(Severity.ERROR),
        warnings=record.findings(Severity.WARNING),
        faces=[(outcome, embed_pictures(outcome)) for outcome in record.defaced],
    )
    write_text(path, page, mode=PRIVATE_FILE_MODE)
