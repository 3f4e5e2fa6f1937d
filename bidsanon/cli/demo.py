"""``bidsanon demo``: a made-up person's session, converted."""

from __future__ import annotations

import os
from pathlib import Path

import click

DEFAULT_FOLDER = Path("bidsanon-demo")


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path), default=DEFAULT_FOLDER, metavar="[DIR]")
def command(*, folder: Path) -> int:
    """Make a made-up person's session as DICOM in DIR, and convert it.

    DIR (bidsanon-demo by default) must be empty or not there. It gets dicom/, the dataset/ and
    the dataset.private/ folder.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import logging_to_stderr  # noqa: PLC0415
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.cli.text import run_text  # noqa: PLC0415
    from bidsanon.demo import write_demo_session  # noqa: PLC0415
    from bidsanon.errors import UsageError  # noqa: PLC0415
    from bidsanon.files import storage_errors  # noqa: PLC0415
    from bidsanon.pipeline.convert import convert  # noqa: PLC0415
    from bidsanon.pipeline.options import RunOptions  # noqa: PLC0415
    from bidsanon.pipeline.request import make_request  # noqa: PLC0415
    from bidsanon.pipeline.summary import report_path  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "the demo's folder is a file, or not empty", cure="name a new one: bidsanon demo DIR"
        )
    progress = progress_on_stderr()
    redactor = Redactor()
    dicom = folder / "dicom"
    with storage_errors("the demo's folder"), progress.step("making a session"):
        dicom.mkdir(parents=True)
        write_demo_session(dicom)
    with logging_to_stderr(redactor):
        request = make_request(
            (dicom,),
            dataset=folder / "dataset",
            subject="01",
            session="01",
            options=RunOptions(jobs=os.cpu_count() or 1),
        )
        run = convert(request, progress=progress, redactor=redactor)
    if run.refusal:
        click.echo(f"report: {report_path(run)}", err=True)
        raise run.refusal
    click.echo(run_text(run))
    click.echo(
        f"dicom:   {dicom.absolute()} (a made-up person's; delete it when you like)\n"
        f"dataset: {request.place.dataset}"
    )
    return 0
