"""``bidsanon validate``: whether a BIDS dataset is what it should be, and holds nobody."""

from __future__ import annotations

from pathlib import Path

import click

from bidsanon.cli.options import jobs_option, json_option, passphrase_option, private_option


@click.command("validate")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DATASET")
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="SOURCE",
    help="Search every name and byte for what these originals say of persons: a folder, an "
    "archive, a DICOMDIR or a file. Repeatable.",
)
@click.option(
    "--vault",
    is_flag=True,
    help="Search for what the private folder knows: its vault, and deident.map and "
    "audit-values.sqlite where they are kept.",
)
@private_option
@click.option(
    "--profile",
    default="bids",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="What counts as identifying in the originals; a lab's file says how much findings weigh.",
)
@click.option(
    "--openneuro", is_flag=True, help="Say also whether OpenNeuro would take the dataset."
)
@passphrase_option
@jobs_option
@json_option
def command(
    *,
    dataset: Path,
    against: tuple[Path, ...],
    vault: bool,
    private: Path | None,
    profile: str,
    openneuro: bool,
    passphrase_file: Path | None,
    jobs: int,
    as_json: bool,
) -> int:
    """Check a BIDS dataset, whoever made it; nothing of it is changed.

    By the JSON Schemas, the official validator and pybids, and for what tells who somebody is; with
    --against or --vault also for what is left of the persons whose it is. Exit code 0 when none of
    the findings is an error, 4 otherwise.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.cli.validate_text import validation_text  # noqa: PLC0415
    from bidsanon.pipeline.validate import make_validate_request, validate  # noqa: PLC0415
    from bidsanon.pipeline.validate_summary import validate_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    redactor = Redactor()
    with failing_as_json("validate", wanted=as_json), logging_to_stderr(redactor):
        request = make_validate_request(
            dataset,
            against=against,
            vault=vault,
            private=private,
            profile=profile,
            openneuro=openneuro,
            passphrase_file=passphrase_file,
            jobs=jobs,
        )
        validation = validate(request, progress=progress_on_stderr(), redactor=redactor)
    if as_json:
        print_json(validate_summary(validation))
    else:
        click.echo(validation_text(validation))
    return validation.exit_code
