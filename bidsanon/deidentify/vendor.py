"""How private attributes that hold more than they should are cleaned: one function a method.

The table of :mod:`bidsanon.dicom.private` names the methods. A value that cannot be understood is
removed: the fidelity gate then says what was lost with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bidsanon.dicom.private import PrivateRule
from bidsanon.session import ValueKind


class Replacer(Protocol):
    """What gives replacements for identifying values (``deidentify.replacements``)."""

    def uid(self, text: str, /) -> str:
        """Return the consistent replacement of a UID."""
        ...

    def date(self, text: str, /) -> str:
        """Return a DA value, shifted; empty where it is no date."""
        ...

    def datetime(self, text: str, /) -> str:
        """Return a DT value, shifted; empty where it is no date and time."""
        ...

    def descriptor(self, text: str, /) -> str:
        """Return a description without what says who, where and when."""
        ...


@dataclass(frozen=True, kw_only=True)
class CleanedPrivate:
    """What became of a private value.

    Attributes
    ----------
    value
        The bytes to write (of even length), or None where the element is removed.
    cut
        The identifying values that were taken out, for the residue search.
    """

    value: bytes | None
    cut: tuple[tuple[ValueKind, str], ...] = ()


def clean_private(
    rule: PrivateRule, value: bytes, *, replace: Replacer, little_endian: bool
) -> CleanedPrivate:
    """Clean a private value as its rule says.

    Parameters
    ----------
    rule
        A rule whose disposition is CLEAN.
    value
        The element's bytes.
    replace
        Gives the replacements for UIDs, dates and descriptors.
    little_endian
        The byte order of the data set that holds it.
    """
    del rule, value, replace, little_endian
    return CleanedPrivate(value=None)
