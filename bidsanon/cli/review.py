"""``bidsanon review``: a person accepts or rejects each defacing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bidsanon.cli.options import json_option, private_option

if TYPE_CHECKING:
    from bidsanon.pipeline.review import Review


@click.command("review")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DATASET")
@private_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="one that is free",
    metavar="N",
    help="The port of the page, for a tunnel from another computer: ssh -L N:127.0.0.1:N.",
)
@click.option("--list", "only_list", is_flag=True, help="Print what is decided, and serve nothing.")
@json_option
def command(
    *, dataset: Path, private: Path | None, port: int, only_list: bool, as_json: bool
) -> int:
    """Accept or reject the defacing of each image of a BIDS dataset, with a key press.

    Opens a page on this computer alone (127.0.0.1), at an address with a token that is printed on
    stderr. Each decision is saved at once in the private folder, for the image's bytes. What is
    rejected is an error of `bidsanon validate`, and `bidsanon convert` does not publish it again.
    Done on the page, or Ctrl-C, ends it.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import failing_as_json, print_json  # noqa: PLC0415
    from bidsanon.cli.text import finding_lines  # noqa: PLC0415
    from bidsanon.findings import Severity  # noqa: PLC0415
    from bidsanon.pipeline.review import (  # noqa: PLC0415
        Review,
        make_review_request,
        review_summary,
        serve_review,
    )
    from bidsanon.redaction import printable_lines  # noqa: PLC0415

    with failing_as_json("review", wanted=as_json):
        review = Review.of(make_review_request(dataset, private=private, port=port))
        for line in finding_lines(review.findings, least=Severity.WARNING):
            click.echo(line, err=True)
        if review.candidates and not only_list:
            serve_review(review, tell=_tell)
    if as_json:
        print_json(review_summary(review))
    else:
        click.echo(printable_lines(_lines(review)))
    return 0


def _tell(url: str) -> None:
    click.echo(f"open this page, and give its address to nobody: {url}", err=True)
    click.echo("Ctrl-C ends it; each decision is saved when it is made", err=True)


def _lines(review: Review) -> list[str]:
    from bidsanon.pipeline.review import review_summary  # noqa: PLC0415 - start-up time

    summary = review_summary(review)
    if not summary["images"]:
        return ["no image is of a kind that shows a face: there is nothing to decide"]
    counts = summary["counts"]
    lines = [f"{one['decision'] or 'undecided':<10} {one['path']}" for one in summary["images"]]
    return [*lines, ", ".join(f"{count} {words}" for words, count in counts.items())]
