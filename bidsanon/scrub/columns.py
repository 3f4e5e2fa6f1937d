"""What becomes of each column of a table that is stored already, by its name and its table.

A table is written by people as often as by tools, so a column that nobody knows stays, and its
cells are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from bidsanon.bids.identifying import (
    IDENTIFYING,
    TABLES_ABOUT_PEOPLE,
    KeyKind,
    is_of_age,
    is_of_date,
    kind_of_column,
    kind_of_key,
    words_of,
)
from bidsanon.bids.tables import NOT_AVAILABLE
from bidsanon.bids.written import (
    OLDEST_AGE,
    age_years,
    is_unshifted,
    names_somebodys_address,
    units_per_year,
    words_in_a_row,
    written_date,
)

ACQUISITION_TIME = "acq_time"
LABELS = frozenset({"participant_id", "session_id", "sample_id", "filename"})
"""The columns that say which participant, session or file a row is about."""

DENIED_COLUMNS = IDENTIFYING | {KeyKind.BIRTH, KeyKind.TEXT, KeyKind.PLACE}
"""The kinds of columns that go, and with them what JSON says of them."""
_DATE = re.compile(r"-\d\d-\d\d")
_DIALLED = re.compile(r"\+\d")
_UID = re.compile(r"\d(?:\.\d+){4}\.\d")
_CALLED = ("tel", "phone", "fax", "mobile")
_MANY = 1 << 14
_DEVICE = "deviceserialnumber"


class ColumnAction(StrEnum):
    """What is done with a column."""

    KEEP = "keep"
    """Its cells stay, as far as they hold nothing that identifies."""
    LABEL = "label"
    """Its cells stay as they are: they say what the row is about."""
    REMOVE = "remove"
    """It goes."""
    MOMENT = "moment"
    """When somebody was scanned: shifted, or emptied."""
    DATE = "date"
    """A date that was not shifted is emptied."""
    AGE = "age"
    """What is above 89 years becomes 89."""
    PSEUDONYM = "pseudonym"
    """A device's serial number gets its pseudonym."""


@dataclass(frozen=True, kw_only=True)
class TablePolicy:
    """What the scrub of a table needs to know.

    Attributes
    ----------
    device_pseudonym
        Gives the pseudonym of a scanner's serial number.
    clean
        Takes what identifies out of a free text, by its shape too.
    without_known
        Takes what is known of persons out of a text; None: nothing is known.
    """

    device_pseudonym: Callable[[str], str]
    clean: Callable[[str], str]
    without_known: Callable[[str], str] | None = None

    def holds_known(self, text: str) -> bool:
        """Tell whether what is known of persons stands in a text."""
        return self.without_known is not None and self.without_known(text) != text

    def cleaned(self, text: str) -> str:
        """Take out of a free text what is known of persons, and what identifies by its shape."""
        return self.clean(text if self.without_known is None else self.without_known(text))


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    shown
        What it is called in messages: its name, where that is a known one.
    action
        What is done with it.
    change
        Gives what becomes of a cell.
    always
        Whether each cell has to be looked at, and not only those of which the line is suspicious.
    """

    shown: str
    action: ColumnAction
    change: Callable[[str], str]
    always: bool


def judge_columns(
    names: Sequence[str],
    policy: TablePolicy,
    *,
    table: str,
    definitions: Mapping[str, Any],
    moved: Callable[[str], str],
) -> tuple[Column, ...]:
    """Say what becomes of each column of a table.

    Parameters
    ----------
    names
        The table's header.
    policy
        What the scrub needs to know.
    table
        The table's place in the dataset.
    definitions
        What a JSON file beside the table says of its columns, by column.
    moved
        Gives what becomes of a moment at which somebody was scanned.
    """
    people = TABLES_ABOUT_PEOPLE.search(table) is not None
    about_people = people or not LABELS.isdisjoint(names)
    columns = []
    for number, name in enumerate(names, start=1):
        action = _action(name, about_people=about_people)
        if action is ColumnAction.KEEP and policy.holds_known(name):
            action = ColumnAction.REMOVE
        changes: dict[ColumnAction, Callable[[str], str]] = {
            ColumnAction.KEEP: _free_text(policy, words_too=people),
            ColumnAction.MOMENT: moved,
            ColumnAction.DATE: _emptied_if_real,
            ColumnAction.AGE: _capped_by(_per_year(name, definitions)),
            ColumnAction.PSEUDONYM: lambda cell: policy.device_pseudonym(cell) or NOT_AVAILABLE,
        }
        special = action not in {ColumnAction.KEEP, ColumnAction.LABEL}
        columns.append(
            Column(
                shown=name if _may_be_shown(name) else f"column {number}",
                action=action,
                change=_but_for_nothing(changes.get(action, str)),
                always=special or (people and action is ColumnAction.KEEP),
            )
        )
    return tuple(columns)


def is_suspicious(text: str, without_known: Callable[[str], str] | None) -> bool:
    """Tell whether cells have to be looked at, whatever their columns are called.

    Parameters
    ----------
    text
        A cell, a line, or many lines.
    without_known
        As in :class:`TablePolicy`.
    """
    if "@" in text or _DATE.search(text) or ("+" in text and _DIALLED.search(text)):
        return True
    if _UID.search(text):
        return True
    lowered = text.lower()
    if any(word in lowered for word in _CALLED):
        return True
    return without_known is not None and without_known(text) != text


def _action(name: str, *, about_people: bool) -> ColumnAction:
    kind = kind_of_column(name)
    lowered = name.lower()
    if lowered in LABELS:
        return ColumnAction.LABEL
    if lowered == ACQUISITION_TIME:
        return ColumnAction.MOMENT
    if "".join(words_of(name)) == _DEVICE:
        return ColumnAction.PSEUDONYM
    if kind in DENIED_COLUMNS and (about_people or len(words_of(name)) > 1 or kind_of_key(name)):
        return ColumnAction.REMOVE
    if is_of_date(name):
        return ColumnAction.DATE
    return ColumnAction.AGE if is_of_age(name) else ColumnAction.KEEP


def _may_be_shown(name: str) -> bool:
    """Tell a known name from one that could itself identify somebody."""
    return kind_of_column(name) is not None or name.lower() in {ACQUISITION_TIME, "age"}


def _per_year(name: str, definitions: Mapping[str, Any]) -> float:
    definition = definitions.get(name)
    units = str(definition.get("Units", "")) if isinstance(definition, dict) else ""
    return units_per_year(units or " ".join(words_of(name)))


def _but_for_nothing(change: Callable[[str], str]) -> Callable[[str], str]:
    """Leave cells alone that say nothing."""

    @lru_cache(maxsize=_MANY)
    def changed(cell: str) -> str:
        return cell if cell.strip() in {"", NOT_AVAILABLE} else change(cell)

    return changed


def _emptied_if_real(cell: str) -> str:
    day = written_date(cell, loosely=True)
    return NOT_AVAILABLE if day and is_unshifted(day) else cell


def _capped_by(per_year: float) -> Callable[[str], str]:
    def capped(cell: str) -> str:
        years = age_years(cell, per_year=per_year)
        if years is None or years <= OLDEST_AGE:
            return cell
        return f"{OLDEST_AGE * per_year:g}"

    return capped


def _free_text(policy: TablePolicy, *, words_too: bool) -> Callable[[str], str]:
    """Return what cleans a cell of which nothing is known.

    Parameters
    ----------
    words_too
        Whether several words side by side are enough to be looked at: comments about people.
    """

    def cleaned(cell: str) -> str:
        day = written_date(cell, loosely=words_too)
        if day:
            return NOT_AVAILABLE if is_unshifted(day) else cell
        if names_somebodys_address(cell) or (words_too and words_in_a_row(cell) > 1):
            return policy.cleaned(cell) or NOT_AVAILABLE
        if is_suspicious(cell, policy.without_known):
            return policy.cleaned(cell) or NOT_AVAILABLE
        return cell

    return cleaned
