"""What can go wrong in a way that a user can act on, and the exit code of each.

An error's text says what and where; its cure says what to do next. Neither holds an identifying
value: an original file is named by its place in the session ("series 3"), never by its path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bidsanon.findings import Finding


class BidsanonError(Exception):
    """The base of every error that is a user's to solve.

    Parameters
    ----------
    message
        What happened, and where.
    cure
        What to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


class UsageError(BidsanonError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class SourceError(BidsanonError):
    """There is nothing usable in the source, or it cannot be read."""

    exit_code = 3


class GateRefusedError(BidsanonError):
    """A gate said no, and nothing was published.

    Parameters
    ----------
    message
        Which gate, and why.
    cure
        What to do next.
    findings
        What the gate found.
    """

    exit_code = 4

    def __init__(self, message: str, *, cure: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(message, cure=cure)
        self.findings = tuple(findings)


class StorageError(BidsanonError):
    """A file could not be written (no space, no permission): nothing was published."""

    exit_code = 4


class ToolFailedError(BidsanonError):
    """A tool that bidsanon drives was there and failed: nothing was published."""

    exit_code = 4


class PolicyError(BidsanonError):
    """A profile, a heuristic or a table is invalid."""

    exit_code = 5


class MissingToolError(BidsanonError):
    """A program that is needed is not installed."""

    exit_code = 6


class ConflictError(BidsanonError):
    """The session exists already, or somebody else is writing."""

    exit_code = 7
