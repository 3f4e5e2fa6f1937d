"""The files at a dataset's root: what a new dataset gets, and how a session is added to one.

Pure functions of text. What a lab wrote itself is kept: its description, its README, its columns
of participants.tsv and their definitions. Nothing here holds a date or a folder's name, so that
the same sessions give the same bytes whenever and wherever they are converted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bidsanon.bids.sidecars import SidecarError, read_json_object
from bidsanon.bids.tables import NOT_AVAILABLE, Table, TableError, read_table, write_table
from bidsanon.errors import PolicyError

PARTICIPANTS = "participants.tsv"
TOP_LEVEL_FILES = (
    "dataset_description.json",
    "README",
    "CHANGES",
    PARTICIPANTS,
    "participants.json",
    "scans.json",
)
BIDS_VERSION = "1.10.1"
"""What a new dataset claims: a release that every validator in use knows (3.0.1 and later)."""

OLDEST_PUBLISHED_AGE = 89
READMES = ("README", "README.md", "README.rst", "README.txt")
_CODE_URLS = {
    "heudiconv": "https://github.com/nipy/heudiconv",
    "dcm2niix": "https://github.com/rordenlab/dcm2niix",
}

_README = """# {name}

This dataset follows the Brain Imaging Data Structure (BIDS). Its images were converted from DICOM
by heudiconv and dcm2niix, and every session passed the checks of bidsanon before it was added.

## How the data were de-identified

- The DICOM headers were de-identified by DICOM PS3.15 Annex E before conversion. Each sidecar
  names the method under `DeidentificationMethod` and `DeidentificationMethodCodeSequence`.
- Dates in the `scans.tsv` files are not the real ones, unless a session's method says that it
  retains full dates (code 113106): all dates of a participant were shifted by one number of days,
  to 1925 or before. The first acquisition of each session is set to 12:00:00, and the others
  follow at their true intervals.
- Ages are in years, and {oldest} stands for {oldest} and above.
- The face was removed from each image that shows one. The sidecar of such an image says so.
- Sidecars hold the fields of BIDS and those of dcm2niix that describe the acquisition. Names of
  institutions, stations and people, and free comments, were removed; the serial number of a
  scanner is a pseudonym.
"""

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
        "dataset_description.json": describe_dataset(
            existing.get("dataset_description.json"), name=name, tools=tools
        ),
        "participants.tsv": table,
        "participants.json": describe_columns(
            existing.get("participants.json"), table, name="participants.json"
        ),
    }
    files |= {"scans.json": _json(_SCAN_COLUMNS)} if "scans.json" not in existing else {}
    files |= {"CHANGES": _CHANGES} if "CHANGES" not in existing else {}
    if not any(readme in existing for readme in READMES):
        files["README"] = _README.format(name=name, oldest=OLDEST_PUBLISHED_AGE)
    return {path: text for path, text in files.items() if existing.get(path) != text}


def describe_dataset(existing: str | None, *, name: str, tools: Mapping[str, str]) -> str:
    """Return dataset_description.json: as it is, with the tools added that it does not name yet.

    Raises
    ------
    PolicyError
        If the existing one is not a JSON object.
    """
    described = _read(existing, name="dataset_description.json")
    description = {"Name": name, "BIDSVersion": BIDS_VERSION, "DatasetType": "raw"} | described
    generated_by = list(description.get("GeneratedBy") or ())
    known = {(item.get("Name"), item.get("Version")) for item in generated_by}
    for tool, version in tools.items():
        if (tool, version) not in known:
            url = {"CodeURL": _CODE_URLS[tool]} if tool in _CODE_URLS else {}
            generated_by.append({"Name": tool, "Version": version, **url})
    return _json(description | {"GeneratedBy": generated_by})


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


def describe_columns(existing: str | None, table: str, *, name: str) -> str:
    """Return the JSON file that describes a table's columns: as it is, with ours added.

    An age without Format, Units and Maximum switches the official validator's own check of ages
    off, so those are added to a definition that lacks them.

    Raises
    ------
    PolicyError
        If the existing one is not a JSON object.
    """
    described = _read(existing, name=name)
    for column in read_table(table).columns:
        ours = _PARTICIPANT_COLUMNS.get(column, {})
        theirs = described.get(column, {})
        if ours and isinstance(theirs, dict):
            described[column] = ours | theirs
    return _json(described)


def _read_participants(existing: str | None) -> Table:
    if existing is None:
        return Table(columns=("participant_id",), rows=())
    try:
        table = read_table(existing)
    except TableError as error:
        raise _broken("participants.tsv", error) from error
    if "participant_id" not in table.columns:
        raise _broken("participants.tsv", "it has no column participant_id")
    return table


def _read(text: str | None, *, name: str) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        return read_json_object(text.encode())
    except SidecarError as error:
        raise _broken(name, error) from error


def _broken(name: str, problem: object) -> PolicyError:
    return PolicyError(
        f"{name} of the dataset cannot be understood: {problem}",
        cure=f"repair {name} by hand, and run it again",
    )


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
