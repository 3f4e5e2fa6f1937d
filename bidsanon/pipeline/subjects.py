"""Which label a source gets that is not named by ``-s``: the vault's own, or that of a table.

A table has a line for each source, ``subject;source``: the label, and the patient's ID as the DICOM
files have it or the path of the folder or archive. It tells who is who, so it may not lie within
the dataset, and no message repeats what stands in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bidsanon.bids.tables import TableError, read_table
from bidsanon.bids.toplevel import PARTICIPANTS
from bidsanon.errors import GateRefusedError, PolicyError, UsageError
from bidsanon.findings import Gate, errors
from bidsanon.pipeline.options import AUTO
from bidsanon.pipeline.originals import anchor_date
from bidsanon.pipeline.request import ConvertRequest
from bidsanon.publish import clean_label
from bidsanon.resources import schema_errors
from bidsanon.session import SourceSession
from bidsanon.source import is_patient_id
from bidsanon.vault import Vault

SCHEMA = "subjects.schema.json"

_DELIMITERS = ";,\t"
_COLUMNS = frozenset({"subject", "source"})
_MOST_NAMED = 20


@dataclass(frozen=True, kw_only=True, repr=False)
class SubjectLine:
    """One line of a table of subjects. Identified.

    Attributes
    ----------
    number
        Which line, counted from 1.
    subject
        The label, without ``sub-``.
    source
        A patient ID or a path.
    """

    number: int
    subject: str
    source: str


@dataclass(frozen=True, kw_only=True, repr=False)
class SubjectTable:
    """A table of subjects. Identified.

    Attributes
    ----------
    place
        The file.
    lines
        Its lines.
    """

    place: Path
    lines: tuple[SubjectLine, ...]

    def label_of(self, sources: Iterable[Path], person: str) -> str:
        """Return the label of a source.

        Parameters
        ----------
        sources
            As the user gave them.
        person
            What tells the person from another within the vault.

        Raises
        ------
        PolicyError
            If no line names the source, or several do and differ.
        """
        paths = {path for source in sources for path in _paths_of(source)}
        named = [
            line
            for line in self.lines
            if is_patient_id(line.source, person) or paths & self._places(line.source)
        ]
        labels = {line.subject for line in named}
        if not labels:
            raise PolicyError(
                f"none of the {len(self.lines)} line(s) of the table of subjects names the source",
                cure="add a line with its patient ID (0010,0020) or its path; `bidsanon inspect "
                "SOURCE --identified` shows the ID",
            )
        if len(labels) > 1:
            numbers = ", ".join(str(line.number) for line in named)
            raise PolicyError(
                f"lines {numbers} of the table of subjects give the source different labels",
                cure="leave the line that is right",
            )
        return labels.pop()

    def _places(self, source: str) -> set[Path]:
        """Return which paths a line may mean: below the table's folder, or where one stands."""
        if "\0" in source:
            return set()
        return {(self.place.parent / source).resolve(), Path(source).resolve()}


def read_subjects(place: Path, *, dataset: Path) -> SubjectTable:
    """Read a table of subjects and check all of it.

    Parameters
    ----------
    place
        The file: a header ``subject;source``, parted by semicolons, commas or tabs.
    dataset
        The dataset's folder.

    Raises
    ------
    UsageError
        If it is not there, or lies within the dataset.
    PolicyError
        If it cannot be understood: with the number of each line that is wrong.
    """
    if place.resolve().is_relative_to(dataset.resolve()):
        raise UsageError(
            "the table of subjects lies within the dataset, and it tells who is who",
            cure="move it elsewhere, such as into the private folder",
        )
    try:
        text = place.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(
            "the table of subjects cannot be read", cure="check how it is spelled"
        ) from error
    except UnicodeDecodeError as error:
        raise PolicyError("the table of subjects is not UTF-8", cure="save it as UTF-8") from error
    lines, problems = _parsed(text)
    problems += _problems(lines)
    if problems:
        shown = "; ".join(problems[:_MOST_NAMED])
        more = len(problems) - _MOST_NAMED
        raise PolicyError(
            f"the table of subjects is invalid: {shown}{f'; and {more} more' if more > 0 else ''}",
            cure="correct these lines: each holds a label of letters and digits, and a source of "
            "its own",
        )
    cleaned = (replace(line, subject=clean_label(line.subject, prefix="sub-")) for line in lines)
    return SubjectTable(place=place.resolve(), lines=tuple(cleaned))


def with_subject(
    request: ConvertRequest, source: SourceSession, *, preview: bool
) -> ConvertRequest:
    """Return a request of which the subject is known.

    Parameters
    ----------
    request
        What the user asks for.
    source
        What was read.
    preview
        Whether nothing is to be written: for dry runs.

    Raises
    ------
    GateRefusedError
        If the source is of several persons.
    PolicyError
        If the table has no label for it.
    UsageError
        If no file says whose it is, and the vault is to give the label.
    """
    if request.place.subject:
        return request
    refused = [found for found in errors(source.findings) if "PERSONS" in found.code]
    if refused:
        raise GateRefusedError(
            f"the {Gate.SOURCE.value} gate refused: nothing was published",
            cure="give one person's files at a time",
            findings=refused,
        )
    if request.subjects is not None:
        label = read_subjects(request.subjects, dataset=request.place.dataset).label_of(
            request.sources, source.person
        )
    else:
        label = _label_of_vault(request, source, preview=preview)
    return replace(request, place=replace(request.place, subject=label))


def _label_of_vault(request: ConvertRequest, source: SourceSession, *, preview: bool) -> str:
    if any(found.code == "PERSON_NOT_TOLD" for found in source.findings):
        raise UsageError(
            "no file says whose it is, so nobody can tell whether the person has a label already",
            cure=f"give one with -s, or a line of --subjects with the source's path, not -s {AUTO}",
        )
    opened = Vault.preview if preview else Vault.open
    with opened(request.private, passphrase_file=request.options.passphrase_file) as vault:
        return vault.assign_subject(
            source.person,
            taken=_labels_in(request.place.dataset),
            anchor_date=anchor_date(source),
            instance_uid=source.instance_uid,
        )


def _labels_in(dataset: Path) -> frozenset[str]:
    """Return the labels that a dataset uses, in the names of folders and in its table."""
    labels = {path.name for path in dataset.glob("sub-*")} if dataset.is_dir() else set()
    table = dataset / PARTICIPANTS
    if table.is_file():
        try:
            rows = read_table(table.read_text("utf-8", errors="replace")).rows
        except TableError:
            rows = ()  # publishing says so
        labels |= {row.get("participant_id", "") for row in rows}
    return frozenset(label.removeprefix("sub-") for label in labels)


def _paths_of(source: Path) -> Iterator[Path]:
    path = source.resolve()
    yield path
    if path.name.upper() == "DICOMDIR":
        yield path.parent


def _parsed(text: str) -> tuple[list[SubjectLine], list[str]]:
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[SubjectLine] = []
    problems: list[str] = []
    columns: list[str] = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if not columns:
                columns = [name.casefold() for name in stripped]
                if not set(columns) >= _COLUMNS or len(set(columns)) != len(columns):
                    return [], ["line 1: the header must name the columns subject and source"]
            elif len(stripped) == len(columns):
                row = dict(zip(columns, stripped, strict=True))
                lines.append(
                    SubjectLine(
                        number=reader.line_num, subject=row["subject"], source=row["source"]
                    )
                )
            elif any(stripped):
                problems.append(
                    f"line {reader.line_num}: {len(stripped)} cell(s), the header has "
                    f"{len(columns)}"
                )
    except csv.Error:
        problems.append(f"line {reader.line_num}: its quotation marks do not close")
    if not (lines or problems):
        problems.append("it holds no line")
    return lines, problems


def _problems(lines: Iterable[SubjectLine]) -> list[str]:
    problems = []
    first: dict[str, int] = {}
    for line in lines:
        row = {"subject": line.subject, "source": line.source}
        for error in schema_errors(SCHEMA, [row]):
            schema: Any = error.schema
            problems.append(f"line {line.number}: {schema['description']}")
        known = first.setdefault(line.source.casefold(), line.number)
        if line.source and known != line.number:
            problems.append(f"line {line.number}: the source of line {known} again")
    return problems
