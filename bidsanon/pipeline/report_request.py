"""What the user asks of ``report``, checked before anything is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon.errors import ConflictError, UsageError
from bidsanon.files import require_apart
from bidsanon.pipeline.existing import private_folder_of, require_dataset
from bidsanon.pipeline.validate import ValidateRequest, make_validate_request
from bidsanon.pipeline.workspace import require_writable

INDEX = "index.html"
REPORTS = "reports"

_MADE_BY = b'<meta name="generator" content="bidsanon">'
_HEAD_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """A dataset whose pages are wanted.

    Attributes
    ----------
    checks
        How it is validated; its dataset and its private folder are those of the pages.
    out
        Where the pages go.
    is_private
        Whether that is in the private folder: pages there show every head, before its defacing
        too.
    """

    checks: ValidateRequest
    out: Path
    is_private: bool

    @property
    def dataset(self) -> Path:
        """The dataset's folder."""
        return self.checks.dataset

    @property
    def private(self) -> Path:
        """The identified side's folder, which need not be there."""
        return self.checks.private


def make_report_request(
    dataset: Path,
    *,
    out: Path | None = None,
    private: Path | None = None,
    profile: str = "bids",
    jobs: int = 1,
) -> ReportRequest:
    """Check what the user asks for and return it as a record.

    Parameters
    ----------
    out
        None: ``reports`` in the private folder, which is made where there is none.

    Raises
    ------
    UsageError
        If it cannot be: no dataset, a private folder that is not there, pages within the dataset.
    ConflictError
        If OUT holds other files than such pages.
    StorageError
        If OUT cannot be written.
    """
    require_dataset(dataset)
    checks = make_validate_request(dataset.absolute(), private=private, profile=profile, jobs=jobs)
    private_folder_of(dataset, checks.private)
    out = (out or checks.private / REPORTS).absolute()
    require_apart(out, dataset, first_name="the folder of the pages", second_name="the dataset")
    is_private = out.resolve().is_relative_to(checks.private.resolve())
    if out.exists() and not out.is_dir():
        raise UsageError("OUT is a file", cure="give a folder with -o")
    if not is_private:
        _require_ours(out)
    require_writable(out, words="the folder of the pages", cure="choose another with -o")
    return ReportRequest(checks=checks, out=out, is_private=is_private)


def is_our_page(path: Path) -> bool:
    """Tell whether a file is a page that bidsanon wrote."""
    try:
        with path.open("rb") as stream:
            return _MADE_BY in stream.read(_HEAD_BYTES)
    except OSError:
        return False


def _require_ours(out: Path) -> None:
    """Refuse a folder of something else: pages of the same names could be written over."""
    if out.is_dir() and any(out.iterdir()) and not is_our_page(out / INDEX):
        raise ConflictError(
            "OUT holds other files than the pages of a dataset",
            cure="give a new folder with -o",
        )
