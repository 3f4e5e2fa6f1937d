"""The scrub stage: sidecars, headers and tables keep what is allowed and nothing else."""

from bidsanon.scrub.session import scrub_session

__all__ = ["scrub_session"]
