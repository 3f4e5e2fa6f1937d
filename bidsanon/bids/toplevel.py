"""The files at a dataset's root: what a new dataset gets, and how a session is added to one.

Pure functions of text. What a lab wrote itself is kept: its description, its README, its columns
of participants.tsv and their definitions. Nothing here holds a date or a folder's name, so that
the same sessions give the same bytes whenever and wherever they are converted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bidsanon.bids.dataset_facts import CITATION, NOTHING_SAID, DatasetFacts
from bidsanon.bids.root_documents import (
    DESCRIPTION,
    OLDEST_PUBLISHED_AGE,
    broken_root_file,
    filled_documents,
    kept_documents,
    read_root_json,
    root_documents,
    root_json_text,
)
from bidsanon.bids.sidecars import json_like
from bidsanon.bids.tables import NOT_AVAILABLE, Table, TableError, read_table, write_table

PARTICIPANTS = "participants.tsv"
PARTICIPANTS_COLUMNS = "participants.json"
TOP_LEVEL_FILES = (
    DESCRIPTION,
    "README",
    "CHANGES",
    PARTICIPANTS,
    PARTICIPANTS_COLUMNS,
    "scans.json",
    CITATION,
)
_CHANGES = """1.0.0 Not Released
  - Sessions converted from DICOM and de-identified by bidsanon.
"""

_PARTICIPANT_COLUMNS: dict[str, dict[str, Any]] = {
    "age": {
        "Description": f"Age at the first session; {OLDEST_PUBLISHED_AGE} stands for that and more",
        "Units": "year",
        "Format": "number",
        "Maximum": OLDEST_PUBLISHED_AGE,
    },
    "sex": {
        "Description": "Sex as the scanner's operator entered it",
        "Levels": {"M": "male", "F": "female", "O": "other"},
    },
}

_SCAN_COLUMNS = {
    "acq_time": {
        "Description": (
            "When the acquisition began. The date is shifted, by one number of days for all of a "
            "participant; the session's first acquisition is set to 12:00:00 and the others "
            "follow at their true intervals"
        )
    },
}


def dataset_files(
    existing: Mapping[str, str],
    *,
    name: str,
    tools: Mapping[str, str],
    participant: Mapping[str, str],
    replace: bool = False,
    facts: DatasetFacts = NOTHING_SAID,
) -> dict[str, str]:
    """Return the files at the root that are to be written once a session is added.

    Parameters
    ----------
    existing
        The text of each file that the root holds already, by name: those of
        :data:`TOP_LEVEL_FILES` and any file whose name begins with README.
    name
        The dataset's name, for a new dataset. It must not identify anybody.
    tools
        The version of each tool that made the session, by name.
    participant
        The row of participants.tsv, as :func:`participant_row` makes it.
    replace
        Whether the row's values overrule those that stand there (the session is redone).
    facts
        What the lab says of its dataset.

    Returns
    -------
    dict
        Text by name; files that stay as they are left out.

    Raises
    ------
    PolicyError
        If an existing file cannot be understood.
    """
    table = merge_participants(existing.get("participants.tsv"), participant, replace=replace)
    files = {
        **root_documents(existing, name=name, tools=tools, facts=facts),
        "participants.tsv": table,
        PARTICIPANTS_COLUMNS: describe_columns(
            existing.get(PARTICIPANTS_COLUMNS), table, name=PARTICIPANTS_COLUMNS, facts=facts
        ),
    }
    files |= {"scans.json": root_json_text(_SCAN_COLUMNS)} if "scans.json" not in existing else {}
    files |= {"CHANGES": _CHANGES} if "CHANGES" not in existing else {}
    return {path: text for path, text in files.items() if existing.get(path) != text}


def filled_files(existing: Mapping[str, str], *, name: str, facts: DatasetFacts) -> dict[str, str]:
    """Return the files at the root that change where the lab's facts fill what nobody wrote.

    No session comes: nothing else is added.

    Parameters
    ----------
    existing, name, facts
        As for :func:`dataset_files`.

    Raises
    ------
    PolicyError
        If an existing file cannot be understood.
    """
    files = filled_documents(existing, name=name, facts=facts)
    if PARTICIPANTS in existing and facts.columns:
        standing = read_root_json(existing.get(PARTICIPANTS_COLUMNS), name=PARTICIPANTS_COLUMNS)
        described = _with_columns(
            standing, _read_participants(existing[PARTICIPANTS]).columns, facts, ours={}
        )
        if described != standing:
            files[PARTICIPANTS_COLUMNS] = json_like(
                existing.get(PARTICIPANTS_COLUMNS, "").encode(), described
            )
    return files


def kept_by_hand(existing: Mapping[str, str], *, name: str, facts: DatasetFacts) -> tuple[str, ...]:
    """Say where the lab's own file says something else than a person wrote into the dataset.

    That stays as it is, unless the lab asks for the contrary.

    Parameters
    ----------
    existing, name, facts
        As for :func:`dataset_files`.

    Returns
    -------
    tuple of str
        The files, with a JSON pointer after ``#`` where it is a field.

    Raises
    ------
    PolicyError
        If an existing file cannot be understood.
    """
    columns = read_root_json(existing.get(PARTICIPANTS_COLUMNS), name=PARTICIPANTS_COLUMNS)
    differing = (
        f"{PARTICIPANTS_COLUMNS}#/{column}"
        for column, said in facts.columns.items()
        if not facts.overrule and _differ(columns.get(column, {}), said)
    )
    return (*kept_documents(existing, name=name, facts=facts), *differing)


def participant_row(
    subject: str, *, age_years: int | None = None, sex: str | None = None
) -> dict[str, str]:
    """Return one row of participants.tsv; what is not known is left out.

    Parameters
    ----------
    subject
        The label, without ``sub-``.
    age_years
        Age at the session; more than 89 is published as 89.
    sex
        "M", "F" or "O".
    """
    row = {"participant_id": f"sub-{subject}"}
    if age_years is not None:
        row["age"] = str(min(age_years, OLDEST_PUBLISHED_AGE))
    if sex is not None:
        row["sex"] = sex
    return row


def merge_participants(
    existing: str | None, row: Mapping[str, str], *, replace: bool = False
) -> str:
    """Return participants.tsv with a row added, or brought up to date.

    Values that stand there are kept unless `replace` is set: the age is that at the first session,
    and what a lab corrected by hand stays corrected. A column is added when a row first needs it.

    Raises
    ------
    PolicyError
        If the existing table cannot be understood.
    """
    table = _read_participants(existing)
    columns = (*table.columns, *(column for column in row if column not in table.columns))
    rows = {known["participant_id"]: dict(known) for known in table.rows}
    standing = rows.setdefault(row["participant_id"], {})
    for column, value in row.items():
        if replace or standing.get(column, NOT_AVAILABLE) == NOT_AVAILABLE:
            standing[column] = value
    return write_table(columns, (rows[participant] for participant in sorted(rows)))


def without_participant(existing: str | None, participant: str) -> str | None:
    """Return participants.tsv without a participant's row; None where there is no such row.

    Parameters
    ----------
    existing
        The table; None where there is none.
    participant
        What the row is called: "sub-01".

    Raises
    ------
    PolicyError
        If the existing table cannot be understood.
    """
    table = _read_participants(existing)
    rows = [row for row in table.rows if row["participant_id"] != participant]
    return None if len(rows) == len(table.rows) else write_table(table.columns, rows)


def values_added_by_hand(existing: str | None, row: Mapping[str, str]) -> tuple[str, ...]:
    """Name the columns in which a participant's row holds what no session brought.

    Parameters
    ----------
    existing
        The table; None where there is none.
    row
        The row that sessions brought, as :func:`participant_row` makes it.

    Raises
    ------
    PolicyError
        If the existing table cannot be understood.
    """
    table = _read_participants(existing)
    standing = [one for one in table.rows if one["participant_id"] == row["participant_id"]]
    return tuple(
        column
        for column in table.columns
        if column not in row and any(one[column] != NOT_AVAILABLE for one in standing)
    )


def describe_columns(
    existing: str | None, table: str, *, name: str, facts: DatasetFacts = NOTHING_SAID
) -> str:
    """Return the JSON file that describes a table's columns: as it is, with ours added.

    What the lab says of a column goes before ours, and what stands there before both.

    An age without Format, Units and Maximum switches the official validator's own check of ages
    off, so those are added to a definition that lacks them.

    Raises
    ------
    PolicyError
        If the existing one is not a JSON object.
    """
    described = read_root_json(existing, name=name)
    columns = read_table(table).columns
    return root_json_text(_with_columns(described, columns, facts, ours=_PARTICIPANT_COLUMNS))


def _with_columns(
    described: Mapping[str, Any],
    columns: Iterable[str],
    facts: DatasetFacts,
    *,
    ours: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what describes columns, with what the lab and `ours` say of them added."""
    added = dict(described)
    for column in columns:
        said = {**ours.get(column, {}), **facts.columns.get(column, {})}
        theirs = added.get(column, {})
        if said and isinstance(theirs, dict):
            added[column] = theirs | said if facts.overrule else said | theirs
    return added


def _differ(theirs: Any, said: Mapping[str, Any]) -> bool:
    """Tell whether two definitions of a column give one of its facts different values."""
    return isinstance(theirs, dict) and any(theirs.get(key, said[key]) != said[key] for key in said)


def _read_participants(existing: str | None) -> Table:
    if existing is None:
        return Table(columns=("participant_id",), rows=())
    try:
        table = read_table(existing)
    except TableError as error:
        raise broken_root_file("participants.tsv", error) from error
    if "participant_id" not in table.columns:
        raise broken_root_file("participants.tsv", "it has no column participant_id")
    return table
