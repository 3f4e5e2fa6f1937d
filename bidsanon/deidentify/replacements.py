"""What replaces the values of one person: pure functions of the vault's plan and the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bidsanon.deidentify.descriptors import CleanedText, clean_descriptor
from bidsanon.deidentify.known_values import searched_values
from bidsanon.dicom.dates import DateShift, is_valid_time
from bidsanon.dicom.uids import PADDING, replace_uid
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.vault import PersonPlan, PseudonymForm, make_pseudonym

DEVICE = "device"
"""The kind of pseudonym that a device's serial number, station name or title has."""

_BETWEEN_VALUES = "\\"


class Replacements:
    r"""Replaces values, the same value always by the same.

    Values of several parts (``\`` between them) are replaced part by part, but for free text.

    Parameters
    ----------
    plan
        The person's plan from the vault.
    known
        What the session or instance says about person, staff, place and time: cut from text.
    shift
        How dates are moved; None: all by the person's days.
    words
        What the profile adds to the vocabulary, in lower case.
    """

    def __init__(
        self,
        plan: PersonPlan,
        *,
        known: Iterable[IdentifyingValue] = (),
        shift: DateShift | None = None,
        words: frozenset[str] = frozenset(),
    ) -> None:
        self.plan = plan
        self.shift = shift or DateShift(days=plan.shift_days)
        self._known = searched_values(known)
        self._words = words

    def uid(self, text: str) -> str:
        """Return what replaces a UID; the standard's own UIDs stay."""
        return _each(text, lambda uid: replace_uid(uid, key=self.plan.uid_key))

    def date(self, text: str) -> str:
        """Return a DA value shifted by the person's days; an invalid one gives ''."""
        return _each(text, self.shift.da)

    def datetime(self, text: str) -> str:
        """Return a DT value with its date shifted and its time kept; an invalid one gives ''."""
        return _each(text, self.shift.dt)

    def time(self, text: str) -> str:
        """Return a TM value as it is; an invalid one gives ''."""
        return _each(text, lambda time: time if is_valid_time(time) else "")

    def pseudonym(self, kind: str, text: str) -> str:
        """Return a keyed pseudonym of sixteen characters; one that was made so before stays.

        Parameters
        ----------
        kind
            What it is a pseudonym of: the same text gives another pseudonym for another kind.
        text
            The value, of which padding is ignored; an empty one gives ''.
        """
        return _each(text, lambda value: self._pseudonym(kind, value.strip(PADDING)))

    def device(self, text: str) -> str:
        """Return the pseudonym of a device: one serial number, one pseudonym, wherever it is."""
        return self.pseudonym(DEVICE, text)

    def descriptor(self, text: str) -> str:
        """Return a free text without what identifies."""
        return self.clean_text(text).text

    def clean_text(self, text: str) -> CleanedText:
        """Return a free text without what identifies, and what was cut from it."""
        return clean_descriptor(text, self._known)

    def without_known(self, text: str, kinds: frozenset[ValueKind] | None = None) -> CleanedText:
        """Return a text without what the headers say elsewhere, and what was cut from it.

        Parameters
        ----------
        text
            A code or a name of a thing, of which the shape alone says nothing.
        kinds
            Which kinds of values are cut; None: all.
        """
        known = self._known
        if kinds is not None:
            known = frozenset((kind, value) for kind, value in known if kind in kinds)
        return clean_descriptor(text, known, by_shape=False)

    def text_of_vocabulary(self, text: str) -> CleanedText:
        """Return what is left of a free text by the vocabulary, and what was cut from it."""
        return clean_descriptor(text, self._known, vocabulary=self._words)

    def _pseudonym(self, kind: str, value: str) -> str:
        if not value:
            return ""
        key, form = self.plan.label_key, PseudonymForm.SHORT
        return make_pseudonym(kind, value, key=key, form=form)


def _each(text: str, replace: Callable[[str], str]) -> str:
    return _BETWEEN_VALUES.join(map(replace, text.split(_BETWEEN_VALUES)))
