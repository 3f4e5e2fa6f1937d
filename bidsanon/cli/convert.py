"""``bidsanon convert``: one session's DICOM into a BIDS dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.defacing import deface_options
from bidsanon.cli.linking import field_map_options
from bidsanon.cli.options import (
    heuristic_option,
    json_option,
    private_option,
    run_options,
    sources_argument,
    study_option,
    subjects_option,
)

if TYPE_CHECKING:
    from bidsanon.bids.field_maps import FieldMapOptions
    from bidsanon.deface import DefaceOptions
    from bidsanon.pipeline.options import RunOptions


@click.command("convert")
@sources_argument
@click.option(
    "-o",
    "--dataset",
    "dataset",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DATASET",
    help="The BIDS dataset; made if it is not there.",
)
@click.option(
    "-s",
    "--subject",
    metavar="LABEL|auto",
    help="The person's BIDS label; auto: the one that the vault knows the person by, or else the "
    "next free number.",
)
@subjects_option("Instead of -s: a table")
@click.option("-ss", "--session", metavar="LABEL", help="The visit's BIDS label.")
@study_option
@heuristic_option
@private_option
@click.option(
    "--known",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="What the lab knows of its images and no header says, by suffix: "
    '{"asl": {"BackgroundSuppression": true}}.',
)
@click.option(
    "--events",
    multiple=True,
    metavar="RUN=FILE.tsv",
    help="The events of a functional run, which is said as its image's name says it: "
    "task-rest_run-1=FILE.tsv. Repeatable.",
)
@deface_options
@field_map_options
@run_options(
    overwrite_help="Redo the session if it exists.",
    withhold_help="Publish the rest without images or series that failed.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@json_option
def command(
    *,
    sources: tuple[Path, ...],
    dataset: Path,
    subject: str | None,
    subjects: Path | None,
    session: str | None,
    study: str | None,
    heuristic: str,
    private: Path | None,
    deface: DefaceOptions,
    field_maps: FieldMapOptions,
    known: Path | None,
    events: tuple[str, ...],
    options: RunOptions,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Publish one session's identified DICOM into a BIDS dataset.

    SOURCE is a folder, an archive, a DICOMDIR or single files; several at once. They are one
    person's, of one session. Nothing is published unless every gate has passed.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.cli.text import plan_text, run_text  # noqa: PLC0415
    from bidsanon.pipeline.convert import convert  # noqa: PLC0415
    from bidsanon.pipeline.options import AUTO  # noqa: PLC0415
    from bidsanon.pipeline.plan import plan_session  # noqa: PLC0415
    from bidsanon.pipeline.request import make_request  # noqa: PLC0415
    from bidsanon.pipeline.subjects import read_subjects  # noqa: PLC0415
    from bidsanon.pipeline.summary import plan_summary, report_path, run_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    if (subject is None) == (subjects is None):
        raise click.UsageError("give one of -s LABEL, -s auto and --subjects FILE")
    redactor = Redactor()
    progress = progress_on_stderr()
    with failing_as_json("convert", wanted=as_json), logging_to_stderr(redactor):
        request = make_request(
            sources,
            dataset=dataset,
            subject=None if subject == AUTO else subject,
            subjects=subjects,
            study=study,
            session=session,
            private=private,
            heuristic=heuristic,
            deface=deface,
            field_maps=field_maps,
            known=known,
            events=events,
            options=options,
        )
        if subjects is not None:
            read_subjects(subjects, dataset=request.place.dataset)
        if dry_run:
            plan = plan_session(request, progress=progress)
            print_json(plan_summary(plan)) if as_json else click.echo(plan_text(plan))
            return plan.exit_code
        run = convert(request, progress=progress, redactor=redactor)
    if as_json:
        print_json(run_summary(run))
    if run.refusal:
        click.echo(f"report: {report_path(run)}", err=True)
        raise run.refusal
    if not as_json:
        click.echo(run_text(run))
    return 0
