"""Where errors become messages and exit codes, and nowhere else."""

from __future__ import annotations

import traceback
from pathlib import Path

import click

from bidsanon.errors import BidsanonError, GateRefusedError

EXIT_BUG = 1
EXIT_INTERRUPTED = 130
_MANY = 20


def run(command: click.Command) -> int:
    """Run a command to its end and return its exit code."""
    try:
        result = command.main(standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: nothing was published", err=True)
        return EXIT_INTERRUPTED
    except BidsanonError as error:
        show_error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        show_bug(error)
        return EXIT_BUG
    return result if isinstance(result, int) else 0


def show_error(error: BidsanonError) -> None:
    """Say on stderr what happened and what to do next."""
    click.echo(f"error: {error.message}", err=True)
    if isinstance(error, GateRefusedError):
        for finding in error.findings[:_MANY]:
            where = f" [{finding.location}]" if finding.location else ""
            click.echo(f"  {finding.code}{where}: {finding.message}", err=True)
            click.echo(f"    what to do: {finding.cure}", err=True)
        if len(error.findings) > _MANY:
            click.echo(f"  and {len(error.findings) - _MANY} more: see the report", err=True)
    if error.cure:
        click.echo(f"what to do: {error.cure}", err=True)


def show_bug(error: Exception) -> None:
    """Say where a bug struck, and not what the exception says: that may be identifying."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "bidsanon" in Path(f.filename).parts] or list(frames)
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    click.echo(
        f"error: a bug in bidsanon ({type(error).__name__} at {place}); nothing was published\n"
        "what to do: report it with this line; the details may identify somebody and are not "
        "shown",
        err=True,
    )
