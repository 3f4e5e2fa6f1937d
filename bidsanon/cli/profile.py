"""``bidsanon profile``: what each profile does to each attribute."""

from __future__ import annotations

from dataclasses import asdict

import click

from bidsanon.cli.options import json_option


@click.group("profile")
def command() -> None:
    """Show what a de-identification profile does."""


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


@command.command("show")
@click.argument("name", default="bids", metavar="[NAME|FILE.toml]")
@json_option
def show(*, name: str, as_json: bool) -> None:
    """Print what a profile (by default bids) does to each attribute."""
    from bidsanon.cli.outcome import failing_as_json, print_json  # noqa: PLC0415 - start-up time
    from bidsanon.profile import load_profile  # noqa: PLC0415

    with failing_as_json("profile", wanted=as_json):
        profile = load_profile(name)
    rows = profile.describe()
    if as_json:
        print_json(
            {
                "name": profile.name,
                "method": profile.method,
                "options": sorted(profile.options),
                "modalities": sorted(profile.modalities),
                "digest": profile.digest,
                "attributes": [asdict(row) for row in rows],
            }
        )
        return
    click.echo(f"{profile.name}: {profile.method}")
    click.echo(f"modalities: {', '.join(sorted(profile.modalities))}")
    click.echo(f"digest: {profile.digest}\n")
    for row in rows:
        why = f"  [{row.reason or row.option}]" if row.reason or row.option else ""
        click.echo(f"{row.tag:<28} {row.action:<6} {row.name}: {row.happens}{why}")
