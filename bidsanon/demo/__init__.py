"""A made-up person's identified session, to try everything on without anybody's data."""

from bidsanon.demo.session import write_demo_session

__all__ = ["write_demo_session"]
