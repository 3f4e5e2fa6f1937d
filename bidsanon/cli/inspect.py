"""``bidsanon inspect``: the series of a source and their proposed BIDS names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.options import heuristic_option, json_option, policy_options, sources_argument

if TYPE_CHECKING:
    from bidsanon.profile import Amendment


@click.command("inspect")
@sources_argument
@heuristic_option
@policy_options
@json_option
def command(
    *,
    sources: tuple[Path, ...],
    heuristic: str,
    profile: str,
    amendment: Amendment,
    as_json: bool,
) -> int:
    """Show the series of a source, their proposed BIDS names, and what would be quarantined.

    Nothing is written, and nothing identifying is shown: descriptions are shown as they would be
    published. The names are those of a subject labelled 01. Where `bidsanon convert` would refuse
    the source, the findings say so, and the exit code is 0 all the same: this command only shows.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import (  # noqa: PLC0415
        failing_as_json,
        logging_to_stderr,
        print_json,
    )
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.cli.text import inspect_text  # noqa: PLC0415
    from bidsanon.pipeline.options import RunOptions  # noqa: PLC0415
    from bidsanon.pipeline.plan import plan_session  # noqa: PLC0415
    from bidsanon.pipeline.request import make_request  # noqa: PLC0415
    from bidsanon.pipeline.summary import inspect_summary  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    nowhere = Path(tempfile.gettempdir()) / "bidsanon-inspect-writes-nothing"
    with failing_as_json("inspect", wanted=as_json), logging_to_stderr(Redactor()):
        request = make_request(
            sources,
            dataset=nowhere,
            subject="01",
            heuristic=heuristic,
            options=RunOptions(profile=profile, amendment=amendment),
        )
        plan = plan_session(request, progress=progress_on_stderr())
    print_json(inspect_summary(plan)) if as_json else click.echo(inspect_text(plan))
    return 0
