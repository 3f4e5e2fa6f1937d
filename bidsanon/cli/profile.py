"""``bidsanon profile``: what each profile does to each attribute."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bidsanon.cli.options import amendment_options, json_option

if TYPE_CHECKING:
    from bidsanon.profile import Amendment, AttributeRow, Profile


@click.group("profile")
def command() -> None:
    """Show what a de-identification profile does, or check one."""


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the bundled profiles."""
    from bidsanon.cli.outcome import print_json  # noqa: PLC0415 - start-up time
    from bidsanon.profile import bundled_profiles, load_profile  # noqa: PLC0415

    profiles = [load_profile(name) for name in bundled_profiles()]
    if as_json:
        listed = [{"name": p.name, "description": p.description} for p in profiles]
        print_json({"profiles": listed})
        return
    for profile in profiles:
        click.echo(f"{profile.name:<10} {profile.description}")


@command.command("show", short_help="Print what a profile does to each attribute.")
@click.argument("name", default="bids", metavar="[NAME|FILE.toml]")
@amendment_options
@json_option
def show(*, name: str, amendment: Amendment, as_json: bool) -> None:
    """Print what a profile (by default bids) does to each attribute, private ones included."""
    from bidsanon.cli.outcome import failing_as_json, print_json  # noqa: PLC0415 - start-up time
    from bidsanon.profile import load_profile  # noqa: PLC0415

    with failing_as_json("profile", wanted=as_json):
        profile = amendment.apply(load_profile(name))
    if as_json:
        rows = (*profile.describe(), *profile.describe_private())
        print_json({**_summary(profile), "attributes": [asdict(row) for row in rows]})
        return
    click.echo(_heading(profile))
    for row in profile.describe():
        click.echo(_line(row))
    private = profile.describe_private()
    others = "others are" if private else "all are"
    click.echo(f"\nPrivate attributes, in whatever block their creator has; {others} removed:")
    for row in private:
        click.echo(_line(row))


@command.command("check", short_help="Say all that is wrong with a profile of your own.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.toml")
@json_option
def check(*, file: Path, as_json: bool) -> None:
    """Check a profile of your own: say all that is wrong with it at once, or that it is valid."""
    from bidsanon.cli.outcome import failing_as_json, print_json  # noqa: PLC0415 - start-up time
    from bidsanon.profile import load_profile  # noqa: PLC0415

    with failing_as_json("profile", wanted=as_json):
        profile = load_profile(str(file))
    if as_json:
        print_json(_summary(profile))
        return
    click.echo(f"valid\n{_heading(profile)}".rstrip())


def _summary(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.title,
        "description": profile.description,
        "method": profile.method,
        "options": sorted(profile.options),
        "modalities": sorted(profile.modalities),
        "allow_list": profile.allow_list,
        "digest": profile.digest,
        "variations": [asdict(variation) for variation in profile.variations],
        "severity": {code: severity.value for code, severity in profile.severities.items()},
        "dataset": _said(profile),
    }


def _said(profile: Profile) -> list[str]:
    """Name what the lab says of its dataset."""
    facts = profile.dataset
    return [
        *facts.description,
        *(["README"] if facts.readme else []),
        *(f"participants.{column}" for column in facts.columns),
    ]


def _heading(profile: Profile) -> str:
    lines = [
        f"{profile.title}: {profile.method}",
        f"options: {', '.join(sorted(profile.options)) or 'none'}",
        f"modalities: {', '.join(sorted(profile.modalities))}",
        f"digest: {profile.digest}",
    ]
    lines += [f"{v.name}: {v.give or 'no option'} ({v.reason})" for v in profile.variations]
    lines += [f"{code}: {severity}" for code, severity in sorted(profile.severities.items())]
    lines += [f"dataset: {', '.join(_said(profile))}"] if _said(profile) else []
    return "\n".join([*lines, ""])


def _line(row: AttributeRow) -> str:
    why = f"  [{row.reason or row.option}]" if row.reason or row.option else ""
    return f"{row.tag:<28} {row.action:<6} {row.name}: {row.happens}{why}"
