"""``bidsanon deidentify``: DICOM de-identified into a folder or an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.defacing import SwitchedDefaceCommand, switched_deface_options
from bidsanon.cli.options import (
    json_option,
    run_options,
    sources_argument,
)

if TYPE_CHECKING:
    from bidsanon.deface import DefaceOptions
    from bidsanon.pipeline.options import RunOptions


@click.command("deidentify", cls=SwitchedDefaceCommand)
@sources_argument
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option(
    "--format",
    "output",
    type=click.Choice(["dicom", "nifti"]),
    default="dicom",
    show_default=True,
    help="DICOM files, or what dcm2niix makes of them.",
)
@click.option(
    "-s",
    "--subject",
    metavar="LABEL|auto",
    help="The person's label; auto: the vault gives each person a number that stays theirs. "
    "Without it the vault gives each person a pseudonym.",
)
@click.option("--name", "patient_name", metavar="NAME", help="What becomes the patient's name.")
@click.option(
    "--private",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The identified side's folder; one for many runs gives the same person the same "
    "pseudonym.  [default: OUT.private, without the suffix of an archive]",
)
@switched_deface_options
@run_options(
    overwrite_help="Replace what an earlier run put at OUT.",
    withhold_help="Leave out series of which files are damaged, or that may still show a face.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@json_option
def command(
    *,
    sources: tuple[Path, ...],
    out: Path,
    output: str,
    subject: str | None,
    patient_name: str | None,
    private: Path | None,
    deface: DefaceOptions | None,
    options: RunOptions,
    dry_run: bool,
    as_json: bool,
) -> int:
    """De-identify DICOM by PS3.15 Annex E into a new folder or archive.

    SOURCE is a folder, an archive, a DICOMDIR or single files; several at once, of one person or
    of several. OUT is a folder that is not there yet or is empty, or a name that ends in .zip,
    .tar.gz or .tgz. DICOM files are named by their new UIDs. OUT appears whole, once every gate has
    passed, or not at all; the originals are only read. Faces stay unless --deface removes them:
    pixels outside the face keep their bits, and what is proved to show none says so.

    Each person gets a pseudonym; -s and --name choose them, and --keep PatientID --keep PatientName
    leaves both as they are.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.deidentify_text import (  # noqa: PLC0415
        deidentify_plan_text,
        deidentify_text,
    )
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.pipeline.deidentify import deidentify  # noqa: PLC0415
    from bidsanon.pipeline.deidentify_plan import plan_deidentification  # noqa: PLC0415
    from bidsanon.pipeline.deidentify_request import (  # noqa: PLC0415
        OutputFormat,
        make_deidentify_request,
    )
    from bidsanon.pipeline.deidentify_summary import (  # noqa: PLC0415
        deidentify_plan_summary,
        deidentify_report_path,
        deidentify_summary,
    )
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    redactor = Redactor()
    progress = progress_on_stderr()
    with failing_as_json("deidentify", wanted=as_json), logging_to_stderr(redactor):
        request = make_deidentify_request(
            sources,
            out=out,
            output=OutputFormat(output),
            subject=subject,
            patient_name=patient_name,
            private=private,
            deface=deface,
            options=options,
        )
        if dry_run:
            plan = plan_deidentification(request, progress=progress)
            if as_json:
                print_json(deidentify_plan_summary(plan))
            else:
                click.echo(deidentify_plan_text(plan))
            return plan.exit_code
        run = deidentify(request, progress=progress, redactor=redactor)
    if as_json:
        print_json(deidentify_summary(run))
    if run.refusal:
        click.echo(f"report: {deidentify_report_path(request)}", err=True)
        raise run.refusal
    if not as_json:
        click.echo(deidentify_text(run))
    return 0
