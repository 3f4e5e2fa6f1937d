"""``bidsanon vault``: what a private folder remembers of persons, and how it forgets."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bidsanon.cli import EXIT_INTERRUPTED
from bidsanon.cli.options import json_option, passphrase_option
from bidsanon.cli.outcome import failing_as_json, print_json

if TYPE_CHECKING:
    from bidsanon.vault import VaultContents

_place = click.argument("place", type=click.Path(path_type=Path), metavar="DATASET")
_yes = click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")


@click.group("vault")
def command() -> None:
    """Show, map, protect or destroy what a private folder knows of persons.

    DATASET is the dataset (or the OUT of `bidsanon deidentify`) beside which the private folder
    lies, or the private folder itself.
    """


@command.command("show", short_help="Say what is in the vault.")
@_place
@json_option
def show(*, place: Path, as_json: bool) -> None:
    """Say what is in the vault: how many persons, which labels, whether it is protected."""
    with failing_as_json("vault", wanted=as_json):
        private = _private_folder(place)
        shown = _shown(private, _contents(private))
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        if name == "schema":
            continue  # the version of the file: for programs
        text = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{name.replace('_', ' ') + ':':<16} {_words(text)}")


@command.command("map", short_help="Print deident.map: who became whom.")
@_place
@json_option
def map_(*, place: Path, as_json: bool) -> None:
    """Print deident.map: original names and IDs, and what replaced them. It identifies."""
    from bidsanon.audit import MAP_NAME, map_text, read_deident_map  # noqa: PLC0415 - start-up time
    from bidsanon.errors import UsageError  # noqa: PLC0415

    with failing_as_json("vault", wanted=as_json):
        private = _private_folder(place)
        path = private / MAP_NAME
        if not path.is_file() and _contents(private).destroyed:
            raise UsageError(
                "the vault was destroyed, and with it every mapping of names and IDs",
                cure="nobody can tell any more who became whom, but from the originals",
            )
        if not path.is_file():
            raise UsageError(
                "no run has written a mapping of names and IDs: the vault holds keyed hashes only",
                cure="run `bidsanon convert` or `bidsanon deidentify` with --deident-map",
            )
        entries = read_deident_map(path)
    if as_json:
        print_json({"map": [asdict(entry) for entry in entries]})
    else:
        click.echo(map_text(entries), nl=False)


@command.command("protect", short_help="Put a passphrase on the vault.")
@_place
@passphrase_option
def protect(*, place: Path, passphrase_file: Path | None) -> None:
    """Put a passphrase on the vault: without it, the file tells nothing of the key.

    Only vault.sqlite is protected: deident.map, audit-values.sqlite, quarantine and reports stay as
    they are.
    """
    from bidsanon.vault import protect_vault, read_passphrase  # noqa: PLC0415 - start-up time

    protect_vault(_private_folder(place), read_passphrase(passphrase_file))
    click.echo("the vault is protected: keep the passphrase, nobody can recover it")
    click.echo("other files of the private folder are not: they stay as they are")


@command.command("unprotect")
@_place
@passphrase_option
def unprotect(*, place: Path, passphrase_file: Path | None) -> None:
    """Take the passphrase off the vault."""
    from bidsanon.vault import read_passphrase, unprotect_vault  # noqa: PLC0415 - start-up time

    unprotect_vault(_private_folder(place), read_passphrase(passphrase_file))
    click.echo("the vault is not protected by a passphrase any more")


@command.command("forget-values", short_help="Delete the values that --audit-values kept.")
@_place
@_yes
def forget_values(*, place: Path, yes: bool) -> None:
    """Overwrite and delete the original and cleaned values that --audit-values kept."""
    from bidsanon.audit import VALUES_NAME, forget_changed_values  # noqa: PLC0415 - start-up time
    from bidsanon.vault import vault_alone  # noqa: PLC0415

    private = _private_folder(place)
    if not (private / VALUES_NAME).is_file():
        click.echo(f"there is no {VALUES_NAME} in the private folder: nothing to forget")
        return
    _confirm(f"{VALUES_NAME} will be overwritten and deleted.", yes=yes)
    with vault_alone(private):
        forget_changed_values(private)
    click.echo(f"{VALUES_NAME} is gone")


@command.command("destroy", short_help="Destroy the key and all that leads to a person.")
@_place
@_yes
def destroy(*, place: Path, yes: bool) -> None:
    """Destroy the key, every date shift and whatever else here leads to a person.

    Quarantined files, reports with faces, deident.map and audit-values.sqlite go with it; the
    journal stays. Nobody can turn pseudonyms and dates back afterwards, and no session can be
    added with the same pseudonyms. Backups, snapshots and the originals are yours to delete.
    """
    from bidsanon.vault import (  # noqa: PLC0415 - start-up time
        destroy_vault,
        forgotten_by_destroying,
    )

    private = _private_folder(place)
    names = (name for name in forgotten_by_destroying(private) if not name.startswith("."))
    others = ", ".join(names) or "nothing else"
    _confirm(
        f"The key and all date shifts will be overwritten, and these deleted: {others}.\n"
        "Nobody can undo it.",
        yes=yes,
    )
    destroy_vault(private)
    click.echo("the key is destroyed: pseudonyms and dates can never be turned back")
    click.echo("what only you can delete: the originals, backups and snapshots of the folder")


def _private_folder(place: Path) -> Path:
    """Return the private folder that is meant.

    Raises
    ------
    UsageError
        If there is no vault, or the private folder may not be entered.
    """
    from bidsanon.errors import UsageError  # noqa: PLC0415 - start-up time
    from bidsanon.publish import packing_of_out  # noqa: PLC0415
    from bidsanon.vault import VAULT_NAME  # noqa: PLC0415

    place = place.resolve()
    _, stem = packing_of_out(place)
    beside = [place.with_name(f"{name}.private") for name in (place.name, stem) if name]
    try:
        for private in (place, *beside):
            if (private / VAULT_NAME).is_file():
                return private
    except PermissionError as error:
        raise UsageError(
            "the private folder may not be entered",
            cure="check its permissions: it is open to its owner alone",
        ) from error
    raise UsageError(
        "there is no vault: neither in this folder nor in a private folder beside it",
        cure="give the dataset, or the folder that --private named",
    )


def _contents(private: Path) -> VaultContents:
    from bidsanon.vault import read_contents  # noqa: PLC0415 - start-up time

    contents = read_contents(private)
    assert contents is not None  # noqa: S101 (the vault was there a moment ago)
    return contents


def _shown(private: Path, contents: VaultContents) -> dict[str, Any]:
    from bidsanon.audit import (  # noqa: PLC0415 - start-up time
        MAP_NAME,
        VALUES_NAME,
        Journal,
        Outcome,
    )

    published: set[str] = set()
    for entry in Journal(private).entries():
        if not entry.get("subject"):
            continue
        session = entry.get("session")
        name = f"sub-{entry['subject']}" + (f"_ses-{session}" if session else "")
        if entry.get("outcome") in {Outcome.PUBLISHED, Outcome.DELIVERED}:
            published.add(name)
        elif entry.get("outcome") == Outcome.REMOVED:
            published.discard(name)
    return {
        "private": str(private),
        "schema": contents.schema_version,
        "protected": contents.protected,
        "destroyed": contents.destroyed,
        "persons": contents.persons,
        "labels": [f"sub-{label}" for label in contents.labels],
        "sessions": sorted(published),
        "deident_map": (private / MAP_NAME).is_file(),
        "audit_values": (private / VALUES_NAME).is_file(),
    }


def _words(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value or value == 0 else "none"


def _confirm(warning: str, *, yes: bool) -> None:
    """Ask whether it is meant; anything but yes ends the command, and nothing is changed."""
    if yes:
        return
    click.echo(warning, err=True)
    try:
        meant = click.confirm("Go on?", err=True)
    except click.Abort:
        meant = False
    if not meant:
        click.echo("nothing was changed (--yes goes on without asking)", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED)
