"""Writes a session's page: one HTML file that needs nothing else, and asks nothing of a network."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, write_text
from bidsanon.findings import Severity
from bidsanon.report import words
from bidsanon.report.record import SessionReport
from bidsanon.session import DefaceOutcome

_TEMPLATE = "session.html.jinja"


def write_report(record: SessionReport, path: Path) -> None:
    """Write the page of one session, readable by its owner only.

    Parameters
    ----------
    record
        What it says.
    path
        Where to, within the private folder; the folder is made if it is not there.
    """
    make_private_folder(path.parent)
    write_text(path, render(record), mode=PRIVATE_FILE_MODE)


def render(record: SessionReport) -> str:
    """Return the page's HTML."""
    return render_page(
        _TEMPLATE,
        report=record,
        errors=record.findings(Severity.ERROR),
        warnings=record.findings(Severity.WARNING),
        faces=[(outcome, embed_pictures(outcome)) for outcome in record.defaced],
    )


def render_page(template: str, **values: object) -> str:
    """Return the HTML of a page.

    Parameters
    ----------
    template
        A file of this folder.
    **values
        What it is filled with.
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    """Return what knows the templates: compiling them takes longer than filling them."""
    environment = Environment(
        loader=PackageLoader("bidsanon.report", package_path="."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    environment.filters["action"] = words.action_words
    environment.filters["counted"] = words.counted
    environment.filters["figure"] = words.figure
    environment.filters["sentence"] = words.sentence
    environment.filters["moment"] = words.moment
    environment.filters["kind"] = words.kind_words
    environment.filters["view"] = words.view_words
    return environment


def embed_pictures(outcome: DefaceOutcome) -> dict[str, dict[str, str]]:
    """Return an image's pictures as data URIs, by view and then by "before" and "after"."""
    views: dict[str, dict[str, str]] = {}
    for name, path in outcome.pictures.items():
        moment, _, view = name.partition("-")
        if path.is_file():
            encoded = base64.b64encode(path.read_bytes()).decode("ascii")
            views.setdefault(view, {})[moment] = f"data:image/png;base64,{encoded}"
    return views
