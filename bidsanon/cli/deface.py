"""``bidsanon deface``: faces removed from images, or from all images of a BIDS dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli import EXIT_INTERRUPTED
from bidsanon.cli.defacing import deface_options
from bidsanon.cli.options import jobs_option, json_option

if TYPE_CHECKING:
    from bidsanon.deface import DefaceOptions


@click.command("deface")
@click.argument(
    "places",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="IMAGE...|DATASET",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Where defaced copies go: a folder, or an image for one image. The originals stay.",
)
@click.option(
    "--in-place",
    is_flag=True,
    help="Replace the images: the originals are gone afterwards.",
)
@click.option(
    "--check-only",
    is_flag=True,
    help="Say which images show a face, and write nothing.",
)
@deface_options
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Draw each head, before and after, into a folder for you alone, outside any dataset.",
)
@jobs_option
@json_option
def command(
    *,
    places: tuple[Path, ...],
    out: Path | None,
    in_place: bool,
    check_only: bool,
    deface: DefaceOptions,
    pictures: Path | None,
    jobs: int,
    as_json: bool,
) -> int:
    """Remove the face from images, or from all images of a BIDS dataset that show one.

    Say where they go: -o OUT leaves the originals as they are, --in-place replaces them, one by
    one, and a backup is yours to make. Of a dataset, OUT gets a copy that holds no image that was
    not looked at: derivatives, sourcedata and hidden folders stay behind. An image whose face
    could not be removed for certain is left as it is, or does not go to OUT, and the exit code is
    4. Sidecars say how the face went; nothing else is de-identified.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.deface_text import deface_text, interrupted_text, warnings  # noqa: PLC0415
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.pipeline.deface import deface as deface_run  # noqa: PLC0415
    from bidsanon.pipeline.deface_request import make_deface_request  # noqa: PLC0415
    from bidsanon.pipeline.deface_run import DefaceRun  # noqa: PLC0415
    from bidsanon.pipeline.deface_summary import deface_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    with failing_as_json("deface", wanted=as_json), logging_to_stderr(Redactor()):
        request = make_deface_request(
            places,
            out=out,
            in_place=in_place,
            check_only=check_only,
            options=deface,
            pictures=pictures,
            jobs=jobs,
        )
        run = DefaceRun(request=request)
        try:
            deface_run(run, progress=progress_on_stderr())
        except KeyboardInterrupt:
            click.echo(interrupted_text(run), err=True)
            return EXIT_INTERRUPTED
    print_json(deface_summary(run)) if as_json else click.echo(deface_text(run))
    if run.refusal:
        for line in warnings(run):
            click.echo(line, err=True)
        raise run.refusal
    return 0
