"""A dataset into one archive for sharing: checked, packed, and put in place in one step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon import __version__
from bidsanon.audit import Journal, JournalEntry, Outcome, count_findings, now
from bidsanon.errors import GateRefusedError, UsageError
from bidsanon.files import require_apart, storage_errors
from bidsanon.findings import Finding, errors
from bidsanon.pipeline.existing import require_described
from bidsanon.pipeline.places import require_possible_place, require_private_folder
from bidsanon.pipeline.validate import ValidateRequest, Validation, make_validate_request, validate
from bidsanon.pipeline.workspace import private_words, require_writable
from bidsanon.progress import Progress
from bidsanon.publish import (
    Exported,
    Packing,
    Selection,
    export_archive,
    packing_of_out,
    private_beside,
    require_free_out,
    select_files,
    settle_dataset,
)
from bidsanon.redaction import Redactor

_REJECTED = "FACE_REJECTED"


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What is to be packed, and where it goes.

    Attributes
    ----------
    checks
        What is asked of the dataset before it is packed.
    out
        The archive, with links resolved.
    packing
        Its kind.
    despite_errors
        Whether the dataset is packed although checks find errors; never with an image that a
        person rejected.
    overwrite
        Whether a file that stands at OUT is replaced.
    """

    checks: ValidateRequest
    out: Path
    packing: Packing
    despite_errors: bool = False
    overwrite: bool = False

    @property
    def dataset(self) -> Path:
        """The dataset's folder."""
        return self.checks.dataset

    @property
    def private(self) -> Path:
        """The identified side's folder, which need not be there."""
        return self.checks.private


@dataclass(frozen=True, kw_only=True)
class Export:
    """What became of a dataset that was to be packed.

    Attributes
    ----------
    request
        What was asked for.
    selection
        What of the dataset goes out.
    validation
        What the checks say of it.
    exported
        The archive; None where it was refused, or nothing was to be written.
    refusal
        Why it was refused; None where it was not.
    """

    request: ExportRequest
    selection: Selection
    validation: Validation
    exported: Exported | None = None
    refusal: GateRefusedError | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks say, and what cannot be packed."""
        return tuple(dict.fromkeys((*self.validation.findings, *self.selection.findings)))


def make_export_request(
    dataset: Path,
    out: Path,
    *,
    private: Path | None = None,
    profile: str = "bids",
    openneuro: bool = False,
    despite_errors: bool = False,
    overwrite: bool = False,
    jobs: int = 1,
) -> ExportRequest:
    """Check what the user asks for and return it as a record.

    Parameters
    ----------
    private
        None: ``DATASET.private`` beside the dataset.

    Raises
    ------
    UsageError
        If it cannot be: a dataset that is none, an OUT that is no archive or lies in the dataset
        or the private folder, a private folder in the dataset.
    ConflictError
        If OUT exists and is not to be replaced.
    """
    dataset, out = dataset.resolve(), out.resolve()
    checks = make_validate_request(
        dataset, private=private, profile=profile, openneuro=openneuro, jobs=jobs, hidden=False
    )
    require_described(dataset)
    packing, _ = packing_of_out(out)
    if packing is Packing.FOLDER:
        raise UsageError("OUT is no archive", cure="end its name in .tar.gz, .tgz or .zip")
    require_possible_place(out, name="OUT")
    require_private_folder(checks.private)
    require_apart(checks.private, dataset, first_name="the private folder", second_name="DATASET")
    require_apart(out, dataset, first_name="OUT", second_name="DATASET")
    require_apart(out, checks.private, first_name="OUT", second_name="the private folder")
    require_free_out(out, overwrite=overwrite)
    return ExportRequest(
        checks=checks,
        out=out,
        packing=packing,
        despite_errors=despite_errors,
        overwrite=overwrite,
    )


def export(
    request: ExportRequest, *, dry_run: bool = False, progress: Progress, redactor: Redactor
) -> Export:
    """Check a dataset, and pack what of it goes out.

    Parameters
    ----------
    request
        What is asked for.
    dry_run
        Whether nothing is written.
    progress
        What listens.
    redactor
        Learns what is identifying, for the log.

    Raises
    ------
    BidsanonError
        If it came to no decision: nothing new stands at OUT then.
    """
    require_writable(request.out.parent, words="OUT", cure="choose another OUT")
    if request.private.is_dir():
        beside = private_beside(request.dataset)
        words = private_words(request.private, beside=beside, name="DATASET")
        require_writable(request.private, words=words, cure="choose another with --private")
    settle_dataset(request.dataset)
    selection = select_files(request.dataset)
    validation = validate(request.checks, progress=progress, redactor=redactor)
    refusal = _refusal(request, selection, validation)
    exported = None
    if not refusal and not dry_run:
        with (
            storage_errors("OUT"),
            progress.step("packing", total=len(selection.files)) as step,
        ):
            exported = export_archive(
                selection,
                out=request.out,
                packing=request.packing,
                overwrite=request.overwrite,
                jobs=request.checks.jobs,
                packed=step.advance,
            )
    done = Export(
        request=request,
        selection=selection,
        validation=validation,
        exported=exported,
        refusal=refusal,
    )
    if request.private.is_dir() and not dry_run:
        Journal(request.private).append(_entry(done))
    return done


def _refusal(
    request: ExportRequest, selection: Selection, validation: Validation
) -> GateRefusedError | None:
    """Say why a dataset is not packed; None where it is."""
    wrong = errors(validation.findings)
    rejected = [one for one in wrong if one.code == _REJECTED]
    never = (*errors(selection.findings), *rejected)
    found = tuple(dict.fromkeys((*never, *(() if request.despite_errors else wrong))))
    if not found:
        return None
    return GateRefusedError(
        f"the dataset has {len(found)} error(s): nothing was packed",
        cure="cure them and run it again"
        + ("" if never else " (--despite-errors packs it all the same)"),
        findings=found,
    )


def _entry(done: Export) -> JournalEntry:
    exported = done.exported
    return JournalEntry(
        when=now(),
        command="export",
        outcome=Outcome.DELIVERED if exported else Outcome.REFUSED,
        tools={"bidsanon": __version__},
        counts={
            "files": len(done.selection.files) if exported else 0,
            "left_out": len(done.selection.left_out),
            "errors": len(errors(done.findings)),
        },
        findings=count_findings(done.findings),
        archive_digest=exported.digest if exported else "",
    )
