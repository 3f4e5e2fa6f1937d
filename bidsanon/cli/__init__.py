"""The command line: the only place that knows click and rich, and where errors become exit codes.

Commands are imported when they are called: ``bidsanon --help`` must answer at once.
"""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

import click

EXIT_INTERRUPTED = 130

COMMANDS = {
    "convert": "Publish one session's DICOM into a BIDS dataset.",
    "remove": "Take one session out of a BIDS dataset again.",
    "inspect": "Show the series of a source and their proposed BIDS names.",
    "deidentify": "De-identify DICOM into a new folder or archive.",
    "deface": "Remove faces from images, or from all images of a BIDS dataset.",
    "scrub": "Take what identifies out of a dataset that exists already.",
    "validate": "Check a BIDS dataset.",
    "export": "Pack what would be shared of a BIDS dataset.",
    "report": "Make the pages of a BIDS dataset that a person looks at.",
    "review": "Accept or reject each defacing of a BIDS dataset.",
    "heuristic": "List, draft and check the heuristics that name the series.",
    "profile": "Show what a de-identification profile does.",
    "vault": "Show, map, protect or destroy what a private folder knows of persons.",
    "demo": "Make a made-up person's session and convert it.",
    "doctor": "Say what is installed, and what each missing part would add.",
}


class LazyGroup(click.Group):
    """A group whose commands are modules of this package, imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the commands in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"bidsanon.cli.{cmd_name}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"bidsanon.cli.{cmd_name}.command is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from bidsanon import __version__  # noqa: PLC0415 - reading the metadata costs start-up time

        click.echo(f"bidsanon {__version__}")
        ctx.exit()


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and leave.",
)
def cli() -> None:
    """Publish identified DICOM as BIDS, once nothing identifying is left in it.

    Start with `bidsanon demo`, then `bidsanon inspect SOURCE`, then
    `bidsanon convert SOURCE -o DATASET -s 01`.
    """


def main() -> NoReturn:
    """Run ``bidsanon`` and leave with its exit code."""
    try:
        # Imported here, since `import bidsanon.cli` must be light.
        from bidsanon.cli.outcome import interrupt_when_terminated, run  # noqa: PLC0415
        from bidsanon.workers import collect_garbage_seldom  # noqa: PLC0415
    except KeyboardInterrupt:
        click.echo("interrupted: nothing was begun", err=True)
        sys.exit(EXIT_INTERRUPTED)
    collect_garbage_seldom()
    interrupt_when_terminated()
    sys.exit(run(cli))
