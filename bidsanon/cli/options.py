"""Options that several commands share, spelled as heudiconv's users know them."""

from __future__ import annotations

from pathlib import Path

import click

sources_argument = click.argument(
    "sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE..."
)
heuristic_option = click.option(
    "-f",
    "--heuristic",
    default="auto",
    show_default=True,
    metavar="HEURISTIC",
    help="A heuristic's file, a bundled name, or one of heudiconv's names (reproin, ...).",
)
profile_option = click.option(
    "--profile",
    default="bids",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="What is done to each attribute: see `bidsanon profile list`.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout."
)
