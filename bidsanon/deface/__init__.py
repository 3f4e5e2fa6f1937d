"""Stage 4: the face is removed from what shows one, and the removal is checked.

The modules that work with images are imported when they are first asked for: scipy takes longer to
import than a small session to de-identify.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from bidsanon.deface.options import USUAL, DefaceOptions, require_options

if TYPE_CHECKING:
    from bidsanon.deface.ahead import LooksAhead
    from bidsanon.deface.engines import EngineRow, available_engines
    from bidsanon.deface.image import deface_image
    from bidsanon.deface.stage import (
        deface_images,
        deface_session,
        withhold_failed,
        withhold_rejected,
    )

__all__ = [
    "USUAL",
    "DefaceOptions",
    "EngineRow",
    "LooksAhead",
    "available_engines",
    "deface_image",
    "deface_images",
    "deface_session",
    "require_options",
    "withhold_failed",
    "withhold_rejected",
]

_MODULES = {
    "EngineRow": "engines",
    "LooksAhead": "ahead",
    "available_engines": "engines",
    "deface_image": "image",
    "deface_images": "stage",
    "deface_session": "stage",
    "withhold_failed": "stage",
    "withhold_rejected": "stage",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
