"""Writes pages: each one HTML file that needs nothing else, and asks nothing of a network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, write_text
from bidsanon.findings import Severity
from bidsanon.report import plots, words
from bidsanon.report.dataset import DatasetReport, SessionView, group_findings
from bidsanon.report.record import SessionReport
from bidsanon.session import DefaceOutcome

_SESSION, _DATASET = "session.html.jinja", "dataset.html.jinja"
_PUBLIC_FILE_MODE = 0o644


def write_report(record: SessionReport, path: Path, *, published: str = "") -> None:
    """Write the page of one session's run, readable by its owner only.

    Parameters
    ----------
    record
        What it says.
    path
        Where to, within the private folder; the folder is made if it is not there.
    published
        The name of the page of what is published, where this is that of a run that was refused.
    """
    make_private_folder(path.parent)
    write_text(path, render(record, published=published), mode=PRIVATE_FILE_MODE)


def write_page(html: str, path: Path, *, private: bool) -> None:
    """Write a page whole or not at all.

    Parameters
    ----------
    private
        Whether only its owner may read it.
    """
    write_text(path, html, mode=PRIVATE_FILE_MODE if private else _PUBLIC_FILE_MODE)


def render(record: SessionReport, *, published: str = "") -> str:
    """Return the HTML of a run's page; for `published` see :func:`write_report`."""
    return render_session(record.name, record=record, view=None, private=True, published=published)


def render_session(
    label: str,
    *,
    record: SessionReport | None,
    view: SessionView | None,
    private: bool,
    published: str = "",
) -> str:
    """Return the HTML of a session's page.

    Parameters
    ----------
    label
        "sub-01, ses-02".
    record
        What is known of the run that made it; None where nothing is.
    view
        What its files are now; None where nobody looked.
    private
        Whether the page is for the private folder. Others show no head before its defacing, and
        after it those alone that the view names.
    published
        The name of the page of what is published, where this is that of a run that was refused.
    """
    defaced = record.defaced if record else ()
    shown = view.heads if view else frozenset()
    return render_page(
        _SESSION,
        label=label,
        report=record,
        view=view,
        private=private,
        published_page=published,
        errors=record.findings(Severity.ERROR) if record else (),
        warnings=record.findings(Severity.WARNING) if record else (),
        faces=[
            (outcome, embed_pictures(outcome, private=private))
            if private or outcome.path in shown
            else (outcome, {})
            for outcome in defaced
        ],
    )


def render_dataset(report: DatasetReport, *, private: bool) -> str:
    """Return the HTML of a dataset's page."""
    return render_page(_DATASET, report=report, private=private)


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
    environment.filters |= {
        "action": words.action_words,
        "counted": words.counted,
        "figure": words.figure,
        "grouped": group_findings,
        "jpeg": _embedding("image/jpeg"),
        "kind": words.kind_words,
        "line": plots.line,
        "moment": words.moment,
        "png": _embedding("image/png"),
        "sentence": words.sentence,
        "stems": plots.stems,
        "view": words.view_words,
    }
    return environment


def embed_pictures(outcome: DefaceOutcome, *, private: bool = True) -> dict[str, dict[str, str]]:
    """Return an image's pictures as data URIs, by view and then by "before" and "after".

    Parameters
    ----------
    private
        Whether those before the defacing may be shown.
    """
    embed = _embedding("image/png")
    views: dict[str, dict[str, str]] = {}
    for name, path in outcome.pictures.items():
        moment, _, view = name.partition("-")
        if path.is_file() and (private or moment == "after"):
            views.setdefault(view, {})[moment] = embed(path.read_bytes())
    return views


def _embedding(kind: str) -> Callable[[bytes], str]:
    def embed(content: bytes) -> str:
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

    return embed
