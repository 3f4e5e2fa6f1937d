"""What the tests of defacing share."""

from __future__ import annotations

import numpy as np
import pytest
from heads import KnowingEngine, posed_head

from bidsanon.deface import cascade
from bidsanon.deface.grid import Grid


@pytest.fixture(scope="session")
def upright_head() -> Grid:
    """The mean head as it is, brightness 0 to 1, on voxels of 4 mm."""
    return posed_head(np.eye(4))


@pytest.fixture(scope="session")
def knowing_engine() -> KnowingEngine:
    """The engine for heads that lie as the template does."""
    return KnowingEngine(to_head=np.eye(4))


@pytest.fixture
def without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no views: most of the time of a check, where what it finds is not the point."""
    monkeypatch.setattr(cascade, "_cascades", tuple)
