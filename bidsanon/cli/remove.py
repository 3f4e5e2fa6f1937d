"""``bidsanon remove``: one session out of a BIDS dataset again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.options import json_option, private_option

if TYPE_CHECKING:
    from bidsanon.pipeline.remove import RemoveRequest
    from bidsanon.publish.removal import Removal


@click.command("remove")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DATASET")
@click.option("-s", "--subject", required=True, metavar="LABEL", help="The person's BIDS label.")
@click.option("-ss", "--session", metavar="LABEL", help="The visit's BIDS label.")
@private_option
@click.option(
    "--all",
    "by_hand_too",
    is_flag=True,
    help="Remove with it what was added to the session or changed in it since it was published.",
)
@click.option("--dry-run", is_flag=True, help="Print what would go and change nothing.")
@json_option
def command(
    *,
    dataset: Path,
    subject: str,
    session: str | None,
    private: Path | None,
    by_hand_too: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take one session out of a BIDS dataset again.

    What `bidsanon convert` added for it goes, and nothing else: its folder, the participant's row
    with the last session, what only it brought to the files at the dataset's root. Where somebody
    added files to the session or changed them, nothing goes without --all. Derivatives are listed
    and stay. The vault still knows the person: `bidsanon vault destroy` ends that.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import failing_as_json, print_json  # noqa: PLC0415
    from bidsanon.pipeline.remove import (  # noqa: PLC0415
        make_remove_request,
        plan_remove,
        remove,
        remove_summary,
    )
    from bidsanon.redaction import printable_lines  # noqa: PLC0415

    with failing_as_json("remove", wanted=as_json):
        request = make_remove_request(
            dataset, subject=subject, session=session, private=private, by_hand_too=by_hand_too
        )
        removal = plan_remove(request) if dry_run else remove(request)
    if as_json:
        print_json(remove_summary(request, removal, planned=dry_run))
    else:
        click.echo(printable_lines(_lines(request, removal, planned=dry_run)))
    return 0


def _lines(request: RemoveRequest, removal: Removal, *, planned: bool) -> list[str]:
    from bidsanon.pipeline.remove import private_left  # noqa: PLC0415 - start-up time

    place = request.place
    if planned:
        lines = [f"{place.name} would go from {place.dataset}  (dry run: nothing is changed)"]
    else:
        lines = [f"{place.name} was removed from {place.dataset}"]
    lines += [f"  {name}" for name in removal.files]
    lines += [
        f"  {name}: {'goes too' if text is None else 'stays, without what the session brought'}"
        for name, text in sorted(removal.root.items())
    ]
    lines += [f"stays in the dataset, made by others: {path}" for path in removal.left]
    lines += [f"stays in the private folder: {path}" for path in private_left(request)]
    return lines
