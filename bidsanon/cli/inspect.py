"""``bidsanon inspect``: the series of a source and their proposed BIDS names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.options import (
    heuristic_option,
    json_option,
    policy_options,
    sources_argument,
    study_option,
    subjects_option,
)

if TYPE_CHECKING:
    from bidsanon.pipeline.inspect import Inspection
    from bidsanon.profile import Amendment

_FORMATS = ("text", "tsv", "json", "html")


@click.command("inspect")
@sources_argument
@subjects_option("Show the names with the label that this table gives the source: one")
@study_option
@heuristic_option
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default=None,
    show_default="text",
    help="Print lines for people, a table for spreadsheets, JSON (as --json), or a page for a "
    "browser.",
)
@click.option(
    "-o",
    "--out",
    "place",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it to FILE, which must not be there yet, and not to stdout.",
)
@click.option(
    "--identified",
    is_flag=True,
    help="Add what the originals say: the patient's name, ID and birth date, the study's date, and "
    "the series' original descriptions. Do not share that.",
)
@policy_options
@json_option
def command(
    *,
    sources: tuple[Path, ...],
    subjects: Path | None,
    study: str | None,
    heuristic: str,
    form: str | None,
    place: Path | None,
    identified: bool,
    profile: str,
    amendment: Amendment,
    as_json: bool,
) -> int:
    """Show the series of a source, their proposed BIDS names, and what would be quarantined.

    Nothing is written but FILE, and without --identified nothing identifying is shown: descriptions
    are shown as they would be published. The names are those of a subject labelled 01, unless
    --subjects gives another; beside each stands whether the headers say so, only the series' name,
    or whether they conflict. Where `bidsanon convert` would refuse the source, the findings say so,
    and the exit code is 0 all the same: this command only shows. --subjects and --study mean what
    they mean to `convert`, and what is wrong with them is refused here too. `bidsanon convert
    --dry-run` shows the names with your labels of subject and visit.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import failing_as_json, logging_to_stderr  # noqa: PLC0415
    from bidsanon.cli.progress import progress_on_stderr  # noqa: PLC0415
    from bidsanon.pipeline.inspect import (  # noqa: PLC0415
        USUAL_SUBJECT,
        inspect_source,
        require_place_for_table,
        write_inspection,
    )
    from bidsanon.pipeline.options import RunOptions  # noqa: PLC0415
    from bidsanon.pipeline.request import make_request  # noqa: PLC0415
    from bidsanon.pipeline.subjects import read_subjects  # noqa: PLC0415
    from bidsanon.redaction import Redactor  # noqa: PLC0415

    if as_json and form not in {None, "json"}:
        raise click.UsageError(f"--json and --format {form} contradict each other")
    nowhere = Path(tempfile.gettempdir()) / "bidsanon-inspect-writes-nothing"
    wanted = as_json or form == "json"
    with failing_as_json("inspect", wanted=wanted), logging_to_stderr(Redactor()):
        request = make_request(
            sources,
            dataset=nowhere,
            subject=None if subjects else USUAL_SUBJECT,
            subjects=subjects,
            study=study,
            heuristic=heuristic,
            options=RunOptions(profile=profile, amendment=amendment),
        )
        if subjects is not None:
            read_subjects(subjects, dataset=nowhere)
        if place is not None:
            require_place_for_table(place, sources)
        found = inspect_source(request, identified=identified, progress=progress_on_stderr())
        text = _shown(found, "json" if wanted else form or "text")
        if place is not None:
            write_inspection(place, text, identified=identified)
    if place is None:
        click.echo(text, nl=False)
    return 0


def _shown(inspection: Inspection, form: str) -> str:
    from bidsanon.cli.text import identified_lines, inspect_text  # noqa: PLC0415 - start-up time
    from bidsanon.pipeline.inspect import (  # noqa: PLC0415
        inspection_html,
        inspection_json,
        inspection_tsv,
    )

    if form != "text":
        forms = {"tsv": inspection_tsv, "json": inspection_json, "html": inspection_html}
        return forms[form](inspection)
    lines = [inspect_text(inspection.plan), *identified_lines(inspection.originals)]
    return "\n".join(lines) + "\n"
