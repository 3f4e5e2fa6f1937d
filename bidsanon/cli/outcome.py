"""Where errors become messages and exit codes, and nowhere else."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from bidsanon import reached
from bidsanon.cli import EXIT_INTERRUPTED
from bidsanon.errors import BidsanonError, GateRefusedError, StorageError, UsageError
from bidsanon.redaction import RedactionFilter, Redactor, printable

EXIT_BUG = 1


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command to its end and return its exit code.

    Parameters
    ----------
    command
        What to run.
    arguments
        What stands after the program's name; None: as it was called.
    """
    reached.begin()
    try:
        return _run(command, list(sys.argv[1:] if arguments is None else arguments))
    except (OSError, SystemExit) as error:
        if not _is_lost_output(error):
            raise
        lost = _lost_output(is_closed=isinstance(error, SystemExit))
    _give_up_stdout()
    show_error(lost)
    return lost.exit_code


def _run(command: click.Command, given: list[str]) -> int:
    try:
        result = command.main(given, prog_name="bidsanon", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        if "--json" in given:
            _print_usage_error(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"interrupted: {_what_is_there()}", err=True)
        return EXIT_INTERRUPTED
    except BidsanonError as error:
        show_error(error)
        return error.exit_code
    except Exception as error:
        if _is_lost_output(error):
            raise
        # The one place where a bug becomes an exit code.
        bug = described_bug(error)
        show_error(bug)
        if "--json" in given:
            _print_failure(next(iter(given), ""), bug)
        return EXIT_BUG
    return result if isinstance(result, int) else 0


def interrupt_when_terminated() -> None:
    """Let SIGTERM end this process as Ctrl-C does.

    A cluster's scheduler ends a job by it, and the scratch folders, which hold what is
    identified, must be gone then too.
    """

    def terminated(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminated)


def show_error(error: BidsanonError) -> None:
    """Say on stderr what happened and what to do next."""
    click.echo(printable(f"error: {error.message}"), err=True)
    if isinstance(error, GateRefusedError):
        from bidsanon.cli.text import refusal_lines  # noqa: PLC0415 - start-up time

        for line in refusal_lines(error.findings):
            click.echo(f"  {line}", err=True)
    if error.cure:
        click.echo(f"what to do: {error.cure}", err=True)


def described_bug(error: Exception) -> BidsanonError:
    """Say where a bug struck, and not what the exception says: that may be identifying."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "bidsanon" in Path(f.filename).parts] or list(frames)
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return BidsanonError(
        f"a bug in bidsanon ({type(error).__name__} at {place}); {_what_is_there()}",
        cure="report it with this line; the details may identify somebody and are not shown",
    )


def _what_is_there() -> str:
    """Say whether something may have been published."""
    if reached.was_reached():
        return "look whether OUT or the dataset is there and whole: it was being put in its place"
    return "nothing was published"


def _is_lost_output(error: BaseException) -> bool:
    """Tell whether it is stdout that could not be written; of a closed pipe click makes an exit."""
    if isinstance(error, SystemExit):
        return True  # no command leaves by itself
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, OSError) and frames[-1].name == click.echo.__name__


def _lost_output(*, is_closed: bool) -> BidsanonError:
    """Say that stdout was closed by its reader, as ``head`` does, or is full."""
    if is_closed:
        return StorageError(
            f"what read stdout left before everything was said; {_what_is_there()}",
            cure="nothing if you wanted the beginning only (`| head`); else run it again",
        )
    return StorageError(
        f"what is to be said cannot be written to stdout; {_what_is_there()}",
        cure="make room where stdout goes, or let it go elsewhere, and run it again if need be",
    )


def _give_up_stdout() -> None:
    """Let what is left to be written go nowhere, so that Python does not fail over it."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def failing_as_json(command: str, *, wanted: bool) -> Iterator[None]:
    """Print the summary of an error on stdout, where JSON is wanted, before it is raised on."""
    try:
        yield
    except GateRefusedError:
        raise
    except BidsanonError as error:
        if wanted:
            _print_failure(command, error)
        raise


def _print_failure(command: str, error: BidsanonError) -> None:
    from bidsanon.pipeline.summary import failure_summary  # noqa: PLC0415 - start-up time

    print_json(failure_summary(command, error))


def _print_usage_error(error: click.ClickException) -> None:
    """Print the summary of a command line that click refused."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "bidsanon"
    refused = UsageError(error.format_message(), cure=f"`{path} --help` says what it takes")
    _print_failure(" ".join(path.split()[1:2]), refused)


def print_json(record: object) -> None:
    """Print one JSON object on stdout."""
    click.echo(json.dumps(record, indent=2, ensure_ascii=False))


@contextlib.contextmanager
def logging_to_stderr(redactor: Redactor) -> Iterator[None]:
    """Let warnings of libraries reach stderr, without what identifies."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.ERROR)
    handler.addFilter(RedactionFilter(redactor))
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.removeHandler(handler)
