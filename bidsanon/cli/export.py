"""``bidsanon export``: a BIDS dataset into one archive for sharing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.options import jobs_option, json_option, private_option, severities_option

if TYPE_CHECKING:
    from bidsanon.pipeline.export import Export

_FEW = 10


@click.command("export")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DATASET")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--openneuro", is_flag=True, help="Refuse also what OpenNeuro would not take.")
@private_option
@severities_option
@click.option(
    "--despite-errors",
    is_flag=True,
    help="Pack the dataset although the checks find errors; never with an image that a person "
    "rejected in `bidsanon review`.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that stands at OUT.")
@click.option("--dry-run", is_flag=True, help="Check, say what would go, and write nothing.")
@jobs_option
@json_option
def command(
    *,
    dataset: Path,
    out: Path,
    openneuro: bool,
    private: Path | None,
    profile: str,
    despite_errors: bool,
    overwrite: bool,
    dry_run: bool,
    jobs: int,
    as_json: bool,
) -> int:
    """Pack what would be shared of a BIDS dataset into OUT.tar.gz, OUT.tgz or OUT.zip.

    What goes is what OpenNeuro uploads: every file, sourcedata, derivatives and code too, and
    nothing hidden but .bidsignore; so no .git. Links within the dataset become the files that they
    lead to. The dataset is checked as by `bidsanon validate` first, and one with errors is refused.

    The archive holds the folder dataset and beside it manifest-sha256.txt, by which
    `sha256sum -c manifest-sha256.txt` checks what was unpacked. The same dataset gives the same
    bytes. OUT appears whole or not at all.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.pipeline.export import export, make_export_request  # noqa: PLC0415
    from bidsanon.pipeline.export_summary import export_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor, printable_lines  # noqa: PLC0415

    redactor = Redactor()
    with failing_as_json("export", wanted=as_json), logging_to_stderr(redactor):
        request = make_export_request(
            dataset,
            out,
            private=private,
            profile=profile,
            openneuro=openneuro,
            despite_errors=despite_errors,
            overwrite=overwrite,
            jobs=jobs,
        )
        done = export(request, dry_run=dry_run, progress=progress_on_stderr(), redactor=redactor)
    if as_json:
        print_json(export_summary(done))
    if done.refusal:
        raise done.refusal
    if not as_json:
        click.echo(printable_lines(_lines(done)))
    return 0


def _lines(done: Export) -> list[str]:
    """Return what ``export`` prints."""
    from bidsanon.cli.text import finding_lines  # noqa: PLC0415 - start-up time
    from bidsanon.findings import Severity  # noqa: PLC0415

    selection, exported, out = done.selection, done.exported, done.request.out
    amount = f"{len(selection.files)} file(s), {selection.size} bytes"
    lines = finding_lines(done.findings, least=Severity.WARNING)
    if exported:
        lines.append(f"{amount} were packed into {out}")
    else:
        lines.append(f"{amount} would go into {out}  (dry run: nothing is written)")
    if selection.left_out:
        shown = ", ".join(selection.left_out[:_FEW])
        more = f" and {len(selection.left_out) - _FEW} more" * (len(selection.left_out) > _FEW)
        lines.append(f"left out, since hidden: {shown}{more}")
    if exported:
        lines.append(f"sha256: {exported.digest}  ({exported.size} bytes)")
    return lines
