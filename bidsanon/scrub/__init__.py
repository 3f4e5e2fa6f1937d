"""The scrub stage: sidecars, headers and tables keep what is allowed and nothing else."""

from bidsanon.scrub.images_alone import ScrubbedImages, scrub_images
from bidsanon.scrub.session import scrub_session

__all__ = ["ScrubbedImages", "scrub_images", "scrub_session"]
