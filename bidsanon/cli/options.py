"""Options that several commands share, spelled as heudiconv's users know them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
study_option = click.option(
    "--study",
    metavar="N|all",
    help="Where the source holds studies of several days: the session is that of the N-th, or of "
    "all.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout."
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="the number of processors",
    metavar="N",
    help="How many processes at once.",
)
private_option = click.option(
    "--private",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The identified side's folder.  [default: DATASET.private]",
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file whose first line is the vault's passphrase.  [default: the variable "
    "BIDSANON_PASSPHRASE, where there is one]",
)
_REMEMBERING = (
    click.option(
        "--deident-map",
        is_flag=True,
        help="Add original names and IDs and their replacements to deident.map, in the private "
        "folder.",
    ),
    click.option(
        "--audit-values",
        is_flag=True,
        help="Keep the original and the cleaned value of every attribute that is changed in "
        "audit-values.sqlite, in the private folder.",
    ),
    passphrase_option,
)
severities_option = click.option(
    "--profile",
    default="bids",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="A lab's file says how much findings weigh.",
)
_profile_option = click.option(
    "--profile",
    default="bids",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="What is done to each attribute: see `bidsanon profile list`.",
)


def _forced(
    _: click.Context, __: click.Parameter, written: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Part what is forced into the attribute, whose creator may hold "=", and its value."""
    pairs = []
    for text in written:
        begin = text.find(")") + 1 if text.startswith("(") else 0
        end = text.find("=", begin)
        if end < 0:
            raise click.BadParameter("write ATTR=VALUE")
        pairs.append((text[:end].strip(), text[end + 1 :]))
    return tuple(pairs)


_AMENDMENTS = (
    click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME",
        help="Add an option of PS3.15 Table E.1-1 to the profile, or drop one by no-NAME: "
        "retain-safe-private, retain-uids, retain-device-identity, retain-institution-identity, "
        "retain-patient-characteristics, retain-full-dates, retain-modified-dates, "
        "clean-descriptors, clean-structured-content, clean-graphics. Repeatable.",
    ),
    click.option(
        "--keep",
        multiple=True,
        metavar="ATTR",
        help="Keep an attribute at every depth: by keyword, tag, or (group,creator,element). "
        "Repeatable.",
    ),
    click.option(
        "--remove",
        multiple=True,
        metavar="ATTR",
        help="Remove an attribute at every depth. Repeatable.",
    ),
    click.option(
        "--force",
        multiple=True,
        metavar="ATTR=VALUE",
        callback=_forced,
        help="Set an attribute to a value at every depth; one that is absent is inserted at the "
        "top. Repeatable.",
    ),
    click.option(
        "--modality",
        "modalities",
        multiple=True,
        metavar="CS",
        help="Let this modality through, in place of those of the profile. Repeatable.",
    ),
)


def subjects_option(what_for: str) -> Callable[..., Any]:
    """Return the option of a table of subjects.

    Parameters
    ----------
    what_for
        How its help begins: what it is for, up to "a table" or "one".
    """
    return click.option(
        "--subjects",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"{what_for} with the columns subject;source (or , or tab). A source is a patient ID, "
        "or the path of a folder or archive. It lies outside the dataset.",
    )


def taking(
    options: Sequence[Callable[..., Any]], command: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a command that takes options, in the order in which its help lists them."""
    for option in reversed(options):
        command = option(command)
    return command


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take a profile and changes to it.

    The command gets `profile` (a name or a file) and `amendment`
    (a :class:`bidsanon.profile.Amendment`).
    """
    return _profile_option(amendment_options(command))


def amendment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take changes to a profile as `amendment`."""

    @functools.wraps(command)
    def with_amendment(
        *,
        options: tuple[str, ...],
        keep: tuple[str, ...],
        remove: tuple[str, ...],
        force: tuple[tuple[str, str], ...],
        modalities: tuple[str, ...],
        **others: Any,
    ) -> Any:
        from bidsanon.profile import Amendment  # noqa: PLC0415 - start-up time

        amendment = Amendment(
            options=options, keep=keep, remove=remove, force=force, modalities=modalities
        )
        return command(amendment=amendment, **others)

    return taking(_AMENDMENTS, with_amendment)


def run_options(
    *, overwrite_help: str, withhold_help: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a command take what every run lets its user choose.

    The command gets `options`, a :class:`bidsanon.pipeline.options.RunOptions`.

    Parameters
    ----------
    overwrite_help, withhold_help
        What `--overwrite` and `--withhold` do in this command.
    """
    choices = (
        jobs_option,
        click.option("--overwrite", is_flag=True, help=overwrite_help),
        click.option("--withhold", is_flag=True, help=withhold_help),
        *_REMEMBERING,
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_options(
            *,
            profile: str,
            amendment: Any,
            jobs: int,
            overwrite: bool,
            withhold: bool,
            deident_map: bool,
            audit_values: bool,
            passphrase_file: Path | None,
            **others: Any,
        ) -> Any:
            from bidsanon.pipeline.options import RunOptions  # noqa: PLC0415 - start-up time

            options = RunOptions(
                profile=profile,
                amendment=amendment,
                jobs=jobs,
                overwrite=overwrite,
                withhold=withhold,
                deident_map=deident_map,
                audit_values=audit_values,
                passphrase_file=passphrase_file,
            )
            return command(options=options, **others)

        return policy_options(taking(choices, with_options))

    return decorate
