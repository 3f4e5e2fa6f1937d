"""``bidsanon scrub``: sidecars, tables and image headers of a dataset that exists already."""

from __future__ import annotations

from pathlib import Path

import click

from bidsanon.cli.options import jobs_option, json_option, passphrase_option, private_option


@click.command("scrub")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DATASET")
@click.option("--dry-run", is_flag=True, help="List what would change, and change nothing.")
@click.option(
    "--keep-times",
    is_flag=True,
    help="Let times of day stay where they are, in sidecars and tables.",
)
@click.option(
    "--remove",
    multiple=True,
    metavar="NAME",
    help="Remove what another tool left, as the list names it (.heudiconv), or sourcedata: it is "
    "gone afterwards. Repeatable.",
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="SOURCE",
    help="Take what these originals say of persons out of texts: a folder, an archive, a DICOMDIR "
    "or a file. Repeatable.",
)
@click.option(
    "--profile",
    default="bids",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="A lab's file: its [dataset] fills what nobody wrote of the dataset. And what counts as "
    "identifying in the originals.",
)
@private_option
@passphrase_option
@jobs_option
@json_option
def command(
    *,
    dataset: Path,
    dry_run: bool,
    keep_times: bool,
    remove: tuple[str, ...],
    against: tuple[Path, ...],
    profile: str,
    private: Path | None,
    passphrase_file: Path | None,
    jobs: int,
    as_json: bool,
) -> int:
    """Take what identifies out of a BIDS dataset, whoever made it.

    Sidecars keep the fields of BIDS and those of dcm2niix that describe the acquisition; image and
    gzip headers lose their texts; tables their identifying columns, real dates and ages over 89;
    EDF, BDF, FIF and BrainVision person and date. Derivatives and raw data within are cleaned
    too. Voxels and samples keep their bits. All of it changes in one step, and a second run changes
    nothing. There is no way back: make a backup, or look at --dry-run first. What cannot be cleaned
    stays as it is and is named, and the exit code is 4. Faces are not looked for: see `bidsanon
    deface`.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.cli.scrub_text import scrub_text  # noqa: PLC0415
    from bidsanon.pipeline.scrub import scrub  # noqa: PLC0415
    from bidsanon.pipeline.scrub_request import make_scrub_request  # noqa: PLC0415
    from bidsanon.pipeline.scrub_summary import scrub_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    redactor = Redactor()
    with failing_as_json("scrub", wanted=as_json), logging_to_stderr(redactor):
        request = make_scrub_request(
            dataset,
            private=private,
            against=against,
            remove=remove,
            profile=profile,
            keep_times=keep_times,
            dry_run=dry_run,
            passphrase_file=passphrase_file,
            jobs=jobs,
        )
        run = scrub(request, progress=progress_on_stderr(), redactor=redactor)
    print_json(scrub_summary(run)) if as_json else click.echo(scrub_text(run))
    if run.refusal:
        raise run.refusal
    return 0
