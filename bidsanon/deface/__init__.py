"""Stage 4: the face is removed from what shows one, and the removal is checked."""

from bidsanon.deface.engines import EngineRow, available_engines
from bidsanon.deface.image import deface_image
from bidsanon.deface.options import USUAL, DefaceOptions, require_options
from bidsanon.deface.stage import deface_images, deface_session, withhold_failed

__all__ = [
    "USUAL",
    "DefaceOptions",
    "EngineRow",
    "available_engines",
    "deface_image",
    "deface_images",
    "deface_session",
    "require_options",
    "withhold_failed",
]
