"""The scrub stage: sidecars, headers and tables keep what is allowed and nothing else."""

from bidsanon.scrub.images_alone import ScrubbedImages, scrub_images
from bidsanon.scrub.session import scrub_session
from bidsanon.scrub.sidecars import add_face_removed

__all__ = ["ScrubbedImages", "add_face_removed", "scrub_images", "scrub_session"]
