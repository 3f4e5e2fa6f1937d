"""``bidsanon report``: the pages of a dataset that a person looks at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.options import jobs_option, json_option, private_option, severities_option

if TYPE_CHECKING:
    from bidsanon.pipeline.report import Report

_FEW = 10


@click.command("report")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DATASET")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the pages go, outside the dataset.  [default: reports in the private folder]",
)
@private_option
@severities_option
@jobs_option
@json_option
def command(
    *,
    dataset: Path,
    out: Path | None,
    private: Path | None,
    profile: str,
    jobs: int,
    as_json: bool,
) -> int:
    """Make a page of a BIDS dataset, whoever made it, and one of each session.

    They show what `bidsanon validate` says, a mosaic of every image, a carpet of each functional
    run, b-values, and of what bidsanon made each gate and each defacing. The pages need no network
    and nothing else than themselves. Those in the private folder show every head, before its
    defacing too; others show a head only where bidsanon removed its face and checked that, or a
    person accepted it in `bidsanon review`. Exit code 0 once they are written, whatever they say.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.pipeline.report import report, report_summary  # noqa: PLC0415
    from bidsanon.pipeline.report_request import make_report_request  # noqa: PLC0415
    from bidsanon.redaction import Redactor, printable_lines  # noqa: PLC0415

    redactor = Redactor()
    with failing_as_json("report", wanted=as_json), logging_to_stderr(redactor):
        request = make_report_request(dataset, out=out, private=private, profile=profile, jobs=jobs)
        made = report(request, progress=progress_on_stderr(), redactor=redactor)
    if as_json:
        print_json(report_summary(made))
    else:
        click.echo(printable_lines(_lines(made)))
    return 0


def _lines(made: Report) -> list[str]:
    from bidsanon.pipeline.report import report_summary  # noqa: PLC0415 - start-up time

    summary = report_summary(made)
    counts = summary["counts"]
    held = f"{summary['sessions']} session(s), {summary['images']} image(s)"
    lines = [f"{held}: {counts['error']} error(s), {counts['warning']} warning(s)"]
    undrawn = [f"not drawn: {one['path']}: {one['problem']}" for one in summary["undrawn"]]
    lines += undrawn[:_FEW]
    if len(undrawn) > _FEW:
        lines.append(f"and {len(undrawn) - _FEW} more that were not drawn: see the pages")
    undecided = sum(face["decision"] is None for face in summary["faces"])
    if undecided:
        lines.append(
            f"{undecided} image(s) may show a face and nobody has decided about them: "
            "`bidsanon review` shows them one by one"
        )
    if summary["hidden"]:
        lines.append(
            f"{len(summary['hidden'])} image(s) are not shown on these pages, since they may show "
            "a face: the pages say why; those in the private folder show them"
        )
    if summary["shows_faces"]:
        lines.append("the pages show faces: keep them private")
    return [*lines, f"report: {summary['report']}"]
