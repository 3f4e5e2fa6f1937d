"""``bidsanon heuristic``: what names the series."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.options import json_option, policy_options, sources_argument

if TYPE_CHECKING:
    from bidsanon.pipeline.request import ConvertRequest
    from bidsanon.profile import Amendment


@click.group("heuristic")
def command() -> None:
    """List, draft and check the heuristics that name the series."""


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the bundled heuristics and heudiconv's own."""
    from bidsanon.cli.outcome import print_json  # noqa: PLC0415 - start-up time
    from bidsanon.convert import list_heuristics  # noqa: PLC0415

    rows = list_heuristics()
    if as_json:
        print_json({"heuristics": [asdict(row) for row in rows]})
        return
    for row in rows:
        click.echo(f"{row.name:<24} {row.origin:<10} {row.summary}".rstrip())


@command.command("new", short_help="Draft a heuristic for a source's series.")
@sources_argument
@click.option(
    "-o",
    "--out",
    "place",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="The heuristic to write.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@policy_options
@json_option
def new(
    *,
    sources: tuple[Path, ...],
    place: Path,
    overwrite: bool,
    profile: str,
    amendment: Amendment,
    as_json: bool,
) -> int:
    """Draft a heuristic that names a source's series as `auto` does, one rule a line.

    It is a Python file for you to read and change: its first lines say how. It holds nothing that
    identifies, and plain heudiconv runs it too.
    """
    from bidsanon.cli.heuristic_text import draft_text  # noqa: PLC0415
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.pipeline.heuristic import new_heuristic  # noqa: PLC0415
    from bidsanon.pipeline.heuristic_summary import draft_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    with failing_as_json("heuristic new", wanted=as_json), logging_to_stderr(Redactor()):
        drafted = new_heuristic(
            _request(sources, heuristic="auto", profile=profile, amendment=amendment),
            place=place,
            overwrite=overwrite,
            progress=progress_on_stderr(),
        )
    print_json(draft_summary(drafted)) if as_json else click.echo(draft_text(drafted))
    return 0


@command.command("check", short_help="Try a heuristic on a source, and convert nothing.")
@click.argument("heuristic", metavar="HEURISTIC")
@sources_argument
@click.option(
    "-s",
    "--subject",
    default="01",
    show_default=True,
    metavar="LABEL",
    help="The person's BIDS label.",
)
@click.option("-ss", "--session", metavar="LABEL", help="The visit's BIDS label.")
@policy_options
@json_option
def check(
    *,
    heuristic: str,
    sources: tuple[Path, ...],
    subject: str,
    session: str | None,
    profile: str,
    amendment: Amendment,
    as_json: bool,
) -> int:
    """Try a heuristic on a source: which series it names, and what is wrong with the names.

    HEURISTIC is a file, a bundled name, or one of heudiconv's names (reproin, ...). Nothing is
    written. The exit code is 0 if `bidsanon convert` could use the names, 5 if not, and 4 if it
    would refuse the source for another reason.
    """
    from bidsanon.cli.heuristic_text import check_text  # noqa: PLC0415
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.pipeline.heuristic import check_heuristic  # noqa: PLC0415
    from bidsanon.pipeline.heuristic_summary import check_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    with failing_as_json("heuristic check", wanted=as_json), logging_to_stderr(Redactor()):
        checked = check_heuristic(
            _request(
                sources,
                heuristic=heuristic,
                profile=profile,
                amendment=amendment,
                subject=subject,
                session=session,
            ),
            progress=progress_on_stderr(),
        )
    print_json(check_summary(checked)) if as_json else click.echo(check_text(checked))
    return checked.exit_code


def _request(
    sources: tuple[Path, ...],
    *,
    heuristic: str,
    profile: str,
    amendment: Amendment,
    subject: str = "01",
    session: str | None = None,
) -> ConvertRequest:
    from bidsanon.pipeline.options import RunOptions  # noqa: PLC0415 - start-up time
    from bidsanon.pipeline.request import make_request  # noqa: PLC0415

    return make_request(
        sources,
        dataset=Path(tempfile.gettempdir()) / "bidsanon-heuristic-writes-nothing",
        subject=subject,
        session=session,
        heuristic=heuristic,
        options=RunOptions(profile=profile, amendment=amendment),
    )
