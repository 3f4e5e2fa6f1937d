"""How free text is cleaned: what says how it was acquired stays, who, where and when goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CleanedText:
    """A text without what identifies, and what was cut.

    Attributes
    ----------
    text
        What is left.
    cut
        The pieces that were cut, in their order. Identified: for the harvest only.
    """

    text: str
    cut: tuple[str, ...] = ()
