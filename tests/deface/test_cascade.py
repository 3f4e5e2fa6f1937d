"""Faces as OpenCV finds them in photographs, where it is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from optional import lacking

from bidsanon.deface import cascade
from bidsanon.deface.cascade import VIEWS_DEG, opencv_version, views_with_face
from bidsanon.deface.cut import cut_mask
from bidsanon.deface.grid import Grid
from bidsanon.deface.template import face_template

HERE = np.eye(4)


class Finder:
    """Finds a face in every second picture, or in each."""

    def __init__(self, *, every: int) -> None:
        self.asked = 0
        self.sizes: set[tuple[int, int]] = set()
        self._every = every

    def detectMultiScale(  # noqa: N802 - OpenCV's name
        self, picture: np.ndarray, *_: float, **sizes: tuple[int, int]
    ) -> list[tuple[int, int, int, int]]:
        self.asked += 1
        self.sizes |= {picture.shape, *sizes.values()}
        return [(1, 1, 5, 5)] * (self.asked % self._every == 0)


def test_a_view_counts_where_both_cascades_find_a_face(
    monkeypatch: pytest.MonkeyPatch, upright_head: Grid
) -> None:
    both = (Finder(every=1), Finder(every=3))
    monkeypatch.setattr(cascade, "_cascades", lambda: both)
    assert views_with_face(upright_head, HERE) == 1
    assert both[0].asked == len(VIEWS_DEG)


def test_without_opencv_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, upright_head: Grid
) -> None:
    monkeypatch.setattr(cascade, "_cascades", lambda: ())
    assert views_with_face(upright_head, HERE) is None


def test_opencv_counts_as_installed_only_with_its_cascades(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "cv2"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cv2", raising=False)  # loaded by a test before
    assert opencv_version() is None


@pytest.mark.slow
def test_a_face_is_found_before_the_cut_and_not_after() -> None:
    if opencv_version() is None:
        lacking("the extra faces")
    head = face_template().head
    goes = cut_mask(head.values.shape, head.affine, HERE)
    cut = Grid(values=np.where(goes, 0, head.values).astype(np.float32), affine=head.affine)
    assert views_with_face(head, HERE) == len(VIEWS_DEG)
    assert views_with_face(cut, HERE) == 0
