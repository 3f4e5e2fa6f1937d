"""What replaces the values of one person: pure functions of the vault's plan and the session."""

from __future__ import annotations

from collections.abc import Iterable

from bidsanon.deidentify.descriptors import CleanedText
from bidsanon.session import IdentifyingValue
from bidsanon.vault.plan import PersonPlan


class Replacements:
    """Replaces values, the same value always by the same.

    Values of several parts ("\\" between them) are replaced part by part, but for free text.

    Parameters
    ----------
    plan
        The person's plan from the vault.
    known
        What the session or instance says about person, staff, place and time: cut from text.
    """

    def __init__(self, plan: PersonPlan, *, known: Iterable[IdentifyingValue] = ()) -> None:
        self.plan = plan

    def uid(self, text: str) -> str:
        """Return what replaces a UID; the standard's own UIDs stay."""
        raise NotImplementedError

    def date(self, text: str) -> str:
        """Return a DA value shifted by the person's days; an invalid one gives ''."""
        raise NotImplementedError

    def datetime(self, text: str) -> str:
        """Return a DT value with its date shifted and its time kept; an invalid one gives ''."""
        raise NotImplementedError

    def time(self, text: str) -> str:
        """Return a TM value as it is; an invalid one gives ''."""
        raise NotImplementedError

    def pseudonym(self, kind: str, text: str) -> str:
        """Return a keyed pseudonym: "anon-" and ten characters of base 32.

        Parameters
        ----------
        kind
            What it is a pseudonym of ("device", "accession"): the same text gives another
            pseudonym for another kind.
        text
            The value, which is stripped first; an empty one gives ''.
        """
        raise NotImplementedError

    def descriptor(self, text: str) -> str:
        """Return a free text without what identifies."""
        return self.clean_text(text).text

    def clean_text(self, text: str) -> CleanedText:
        """Return a free text without what identifies, and what was cut from it."""
        raise NotImplementedError
