"""``bidsanon validate``: whether a BIDS dataset is what it should be."""

from __future__ import annotations

from pathlib import Path

import click

from bidsanon.cli.options import json_option


@click.command("validate")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DATASET")
@json_option
def command(*, dataset: Path, as_json: bool) -> int:
    """Check a BIDS dataset with the JSON Schemas, the official validator and pybids.

    Exit code 0 when none of the findings is an error, 4 otherwise.
    """
    # What the command needs is imported here: `bidsanon --help` must answer at once.
    from bidsanon.cli.outcome import failing_as_json, print_json  # noqa: PLC0415
    from bidsanon.cli.text import finding_lines  # noqa: PLC0415
    from bidsanon.errors import UsageError  # noqa: PLC0415
    from bidsanon.findings import Severity  # noqa: PLC0415
    from bidsanon.pipeline.summary import validate_summary  # noqa: PLC0415
    from bidsanon.publish import settle_dataset  # noqa: PLC0415
    from bidsanon.validate import validate_dataset  # noqa: PLC0415

    with failing_as_json("validate", wanted=as_json):
        if not dataset.is_dir():
            raise UsageError("the DATASET is not a folder", cure="check how it is spelled")
        settle_dataset(dataset)
        findings = validate_dataset(dataset)
    summary = validate_summary(dataset, findings)
    if as_json:
        print_json(summary)
    else:
        for line in finding_lines(findings, least=Severity.INFO):
            click.echo(line)
        click.echo("the dataset has errors" if summary["exit_code"] else "the dataset is valid")
    return int(summary["exit_code"])
