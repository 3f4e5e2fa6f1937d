"""The official BIDS validator: how it is run, and what it says as findings.

Its own texts can quote a value of the dataset, so only its codes, the names of fields and the
general meaning of a code are taken over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TextIO

from bidsanon.errors import ToolFailedError
from bidsanon.external import BIDS_VALIDATOR, require_program, run_program
from bidsanon.findings import Finding, finding
from bidsanon.validate.json_stream import JsonStream

VALIDATOR_TIMEOUT_S = 1800.0
_CLEAN, _ERRORS = 0, 16
_ERROR, _WARNING = "error", "warning"
_VERSION = "schemaVersion"
_TAKEN_OVER = frozenset({"code", "subCode", "severity", "location"})
_SAID_OTHERWISE = frozenset({"NO_AUTHORS", "TOO_FEW_AUTHORS"})
"""Warnings of which other checks say the same, with the place and a cure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficialIssue:
    """One thing that the official validator says.

    Attributes
    ----------
    code
        Its code.
    field
        The field or column that it is about; empty where it is about none.
    severity
        "error", "warning" or "ignore".
    location
        Where: a path within the dataset.
    meaning
        What the code means, in its words.
    count
        How often it says so; of warnings of one code only the first place is kept.
    """

    code: str
    field: str
    severity: str
    location: str
    meaning: str
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class OfficialReport:
    """What the official validator says of a dataset.

    Attributes
    ----------
    issues
        Each of its errors, and one for each kind of warning.
    schema
        The version of the standard's schema that it went by; empty where it does not say.
    """

    issues: tuple[OfficialIssue, ...]
    schema: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Each of its errors, and one info for each kind of warning that nothing else says."""
        # One field that fits none of several forms is told once for each of them.
        return tuple(dict.fromkeys((*self.errors, *_warnings(self.issues))))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Each of its errors."""
        wrong = (issue for issue in self.issues if issue.severity == _ERROR)
        return tuple(dict.fromkeys(map(_error, wrong)))

    @property
    def codes(self) -> frozenset[str]:
        """The codes of its errors."""
        return frozenset(issue.code for issue in self.issues if issue.severity == _ERROR)

    def weighed(self, severities: Mapping[str, str]) -> OfficialReport:
        """Return what it would say under a configuration that gives codes other severities."""
        issues = (replace(i, severity=severities.get(i.code, i.severity)) for i in self.issues)
        return replace(self, issues=tuple(issues))

    def without(self, codes: Collection[str], *, location: str = "") -> OfficialReport:
        """Return what it would say without some codes; with `location`, without those there."""
        return replace(
            self,
            issues=tuple(
                issue
                for issue in self.issues
                if issue.code not in codes or (location and issue.location != location)
            ),
        )


def ask_official(
    root: Path, *, schema: Path | None = None, config: Path | None = None
) -> OfficialReport:
    """Run the official validator on a dataset.

    Parameters
    ----------
    root
        The dataset's folder.
    schema
        The BIDS standard as a JSON file (:func:`bids_schema_file`); None for the one that the
        validator brings.
    config
        A JSON file of the validator's: which of its codes weigh how much. Only errors are told
        then, which needs less memory. None for its own weights, and all that it says.

    Raises
    ------
    MissingToolError
        If it is not installed.
    ToolFailedError
        If it crashes, as on a schema or a configuration that it cannot read, or takes longer than
        half an hour.
    """
    program = require_program(BIDS_VALIDATOR)
    options = ["--format", "json", "--max-rows=-1"]
    if schema is not None:
        options += ["--schema", schema.absolute().as_uri()]
    if config is not None:
        options += ["--config", str(config.absolute()), "--ignoreWarnings"]
    try:
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            command: list[str | Path] = [program, root.absolute(), *options]
            ended = run_program(command, timeout_s=VALIDATOR_TIMEOUT_S, output=said)
            if ended.returncode not in {_CLEAN, _ERRORS}:
                raise _failed(f"it ended with code {ended.returncode}")
            said.seek(0)
            report = _read_report(said)
    except OSError as error:
        raise _failed("its report cannot be kept in the temporary folder") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _failed("its report cannot be understood") from error
    if ended.returncode == _ERRORS and not report.errors:
        raise _failed("it says that there are errors and lists none")
    return report


def bids_schema_file() -> Path:
    """Return the BIDS standard as the installed bidsschematools has it, for `schema`.

    It can be newer than the one that the validator brings.
    """
    return Path(str(files("bidsschematools") / "data" / "schema.json"))


def _read_report(said: TextIO) -> OfficialReport:
    """Take over the issues and the schema's version.

    An issue can quote a value of any length, and the summary repeats each participant.
    """
    issues: tuple[OfficialIssue, ...] | None = None
    schema = ""
    stream = JsonStream(said)
    for part in stream.members():
        if part == "issues":
            issues = _read_issues(stream)
        elif part == "summary":
            summary = stream.value(wanted={_VERSION})
            schema = str(summary.get(_VERSION, ""))
        else:
            stream.value()
    stream.end()
    if issues is None:
        raise ValueError("it lists no issues")
    return OfficialReport(issues=issues, schema=schema)


def _read_issues(stream: JsonStream) -> tuple[OfficialIssue, ...]:
    issues: list[OfficialIssue] | None = None
    meanings: dict[str, str] = {}
    for part in stream.members():
        if part == "issues":
            issues = list(_sorted(map(_issue, stream.items(wanted=_TAKEN_OVER))))
        elif part == "codeMessages":
            meanings = stream.value()
        else:
            stream.value()
    if issues is None:
        raise ValueError("it lists no issues")
    return tuple(replace(i, meaning=_first_sentence(meanings.get(i.code, ""))) for i in issues)


def _sorted(issues: Iterable[OfficialIssue]) -> Iterator[OfficialIssue]:
    """Yield the errors, and then one warning of each kind, sorted: its own order is of chance."""
    errors: list[OfficialIssue] = []
    first: dict[str, OfficialIssue] = {}
    warnings: Counter[str] = Counter()
    for issue in issues:
        if issue.severity == _ERROR:
            errors.append(issue)
        else:
            warnings[issue.code] += 1
            first.setdefault(issue.code, issue)
    yield from sorted(errors, key=attrgetter("location", "code", "field"))
    yield from (replace(first[code], count=warnings[code]) for code in sorted(warnings))


def _issue(issue: Mapping[str, Any]) -> OfficialIssue:
    """Take over an issue, yet without what its code means, which is told once for all."""
    code, detail = str(issue["code"]), str(issue.get("subCode", ""))
    return OfficialIssue(
        code=code,
        field=detail if detail.isidentifier() else "",
        severity=str(issue.get("severity", _ERROR)),
        location=str(issue.get("location", "")).removeprefix("/"),
        meaning="",
    )


def _error(issue: OfficialIssue) -> Finding:
    return finding(
        "OFFICIAL_VALIDATOR_ERROR",
        location=issue.location,
        issue=f"{issue.code}: {issue.field}" if issue.field else issue.code,
        meaning=issue.meaning,
    )


def _warnings(issues: Iterable[OfficialIssue]) -> Iterator[Finding]:
    for issue in issues:
        if issue.severity == _WARNING and issue.code not in _SAID_OTHERWISE:
            yield finding(
                "OFFICIAL_VALIDATOR_WARNING",
                location=issue.location,
                issue=issue.code,
                count=issue.count,
                meaning=issue.meaning,
            )


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".")


def _failed(problem: str) -> ToolFailedError:
    return ToolFailedError(
        f"the official BIDS validator failed: {problem}",
        cure="run bids-validator-deno on the dataset by hand to see what it says",
    )
