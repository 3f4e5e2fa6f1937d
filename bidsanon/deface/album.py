"""The pictures of one acquisition, before and after, drawn alike."""

from __future__ import annotations

from pathlib import Path

from bidsanon.deface.cut import Cut
from bidsanon.deface.grid import Grid, Matrix
from bidsanon.deface.head import Window
from bidsanon.deface.pictures import Pose, draw, save


class Album:
    """The pictures of one acquisition, before and after, drawn alike.

    Parameters
    ----------
    folder
        A private folder; nothing is drawn if None.
    stem
        What the files' names begin with.
    window
        The values that are drawn black and white.
    to_template
        From the head's world to the template's; None where that is not known, and the head is
        drawn as it lay in the scanner.
    cut
        What is outlined.
    """

    def __init__(
        self,
        *,
        folder: Path | None,
        stem: str,
        window: Window,
        to_template: Matrix | None,
        cut: Cut,
    ) -> None:
        self.files: dict[str, Path] = {}
        self._folder = folder
        self._stem = stem
        self._window = window
        self._to_template = to_template
        self._cut = cut
        self._surface: float | None = None

    @property
    def draws(self) -> bool:
        """Whether anything is drawn."""
        return self._folder is not None

    def add(self, reference: Grid, *, when: str) -> None:
        """Draw a head, "before" or "after"."""
        if self._folder is None:
            return
        pose = Pose.of(reference, self._window, self._to_template)
        self._surface = self._surface or pose.surface_brightness()
        pictures = draw(pose, surface=self._surface, cut=self._cut)
        self.files |= save(pictures, self._folder, stem=self._stem, when=when)
