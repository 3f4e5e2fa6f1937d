"""The page on which a person accepts or rejects each defacing, as a site to be served."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Protocol

from bidsanon.audit import FaceVerdict
from bidsanon.errors import BidsanonError
from bidsanon.report.page import render_page
from bidsanon.report.serving import CSS, HTML, PNG, SCRIPT, Answer, json_answer
from bidsanon.report.words import figure

_IMAGE = re.compile(r"images/(\d{1,9})")
_PICTURE = re.compile(r"images/(\d{1,9})/([a-z]+-[a-z]+)\.png")
_DECISION = re.compile(r"images/(\d{1,9})/decision")
_REMEMBERED = 24  # images that were shown: a decision about them can be taken back


@dataclass(frozen=True, kw_only=True)
class ReviewItem:
    """One image to be decided about.

    Attributes
    ----------
    path
        Relative to the dataset.
    decision
        What was decided about its bytes; None where nothing was.
    """

    path: str
    decision: FaceVerdict | None


@dataclass(frozen=True, kw_only=True)
class ShownImage:
    """An image as it is shown.

    Attributes
    ----------
    path
        Relative to the dataset.
    sha256
        Of its bytes; empty where they cannot be read.
    about
        What became of its face, in a sentence.
    figures
        The self-check's.
    pictures
        Each picture as PNG, by "before-front", "after-left", "now-axial" and the like.
    problem
        Why it cannot be shown; empty where it can.
    """

    path: str
    sha256: str
    about: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    problem: str = ""


class Reviewed(Protocol):
    """What is reviewed: the images of one dataset."""

    @property
    def items(self) -> Sequence[ReviewItem]:
        """The images, with what is decided now."""

    def show(self, number: int) -> ShownImage:
        """Return one of them as it is shown."""

    def decide(self, number: int, sha256: str, verdict: FaceVerdict | None) -> None:
        """Keep what was decided about an image's bytes, or take it back."""


class ReviewSite:
    """Serves what is reviewed.

    Parameters
    ----------
    name
        What the dataset is called.
    reviewed
        Its images.
    """

    def __init__(self, name: str, reviewed: Reviewed) -> None:
        self._name = name
        self._reviewed = reviewed
        self._shown: dict[int, ShownImage] = {}
        self._lock = threading.Lock()

    def get(self, path: str) -> Answer | None:
        """Return the page, what belongs to it, an image or one of its pictures."""
        if path == "":
            return Answer(content=self._page(), kind=HTML)
        if path == "review.css":
            return Answer(content=_file("session.css") + _file("review.css"), kind=CSS)
        if path == "review.js":
            return Answer(content=_file("review.js"), kind=SCRIPT)
        if match := _IMAGE.fullmatch(path):
            return self._image(int(match[1]))
        if match := _PICTURE.fullmatch(path):
            return self._picture(int(match[1]), match[2])
        return None

    def post(self, path: str, content: dict[str, Any]) -> Answer | None:
        """Keep a decision, or end."""
        if path == "end":
            return json_answer({"ended": True}, is_last=True)
        match = _DECISION.fullmatch(path)
        return self._decide(int(match[1]), content) if match else None

    def _page(self) -> bytes:
        html = render_page("review.html.jinja", name=self._name, items=self._reviewed.items)
        return html.encode()

    def _image(self, number: int) -> Answer | None:
        shown = self._show(number)
        if shown is None:
            return None
        return json_answer(
            {
                "path": shown.path,
                "sha256": shown.sha256,
                "about": shown.about,
                "problem": shown.problem,
                "figures": {name: figure(value) for name, value in shown.figures.items()},
                "pictures": sorted(shown.pictures),
                "decision": self._reviewed.items[number].decision,
            }
        )

    def _picture(self, number: int, name: str) -> Answer | None:
        shown = self._shown.get(number)
        content = shown.pictures.get(name) if shown else None
        return Answer(content=content, kind=PNG) if content else None

    def _decide(self, number: int, content: dict[str, Any]) -> Answer | None:
        """Keep what was decided about the bytes that were shown, and about no others."""
        shown = self._shown.get(number)
        if shown is None or shown.problem:
            return None
        said = content.get("verdict")
        if said not in [None, *FaceVerdict] or content.get("sha256") != shown.sha256:
            return _problem("the image is not the one that was shown", HTTPStatus.CONFLICT)
        verdict = FaceVerdict(said) if said else None
        try:
            with self._lock:
                self._reviewed.decide(number, shown.sha256, verdict)
        except BidsanonError as error:
            return _problem(f"{error.message}; {error.cure}", HTTPStatus.INTERNAL_SERVER_ERROR)
        return json_answer({"decision": verdict})

    def _show(self, number: int) -> ShownImage | None:
        """Return an image as it is now; the pictures of one image at a time are drawn."""
        if number >= len(self._reviewed.items):
            return None
        with self._lock:
            shown = self._reviewed.show(number)
            self._shown.pop(number, None)
            self._shown[number] = shown
            while len(self._shown) > _REMEMBERED:
                del self._shown[next(iter(self._shown))]
        return shown


@cache
def _file(name: str) -> bytes:
    return (files("bidsanon.report") / name).read_bytes()


def _problem(words: str, status: HTTPStatus) -> Answer:
    return json_answer({"problem": words}, status=status)
