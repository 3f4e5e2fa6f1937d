"""``bidsanon heuristic``: what names the series."""

from __future__ import annotations

from dataclasses import asdict

import click

from bidsanon.cli.options import json_option


@click.group("heuristic")
def command() -> None:
    """List the heuristics that name the series."""


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
