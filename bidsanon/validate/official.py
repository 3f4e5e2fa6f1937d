"""The official BIDS validator: how it is run, and what it says as findings.

Its own texts can quote a value of the dataset, so only its codes, the names of fields and the
general meaning of a code are taken over.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bidsanon.errors import ToolFailedError
from bidsanon.external import BIDS_VALIDATOR, require_program, run_program
from bidsanon.findings import Finding, finding

VALIDATOR_TIMEOUT_S = 1800.0
_CLEAN, _ERRORS = 0, 16


def check_official(root: Path) -> tuple[Finding, ...]:
    """Run the official validator on a dataset.

    Parameters
    ----------
    root
        The dataset's folder.

    Returns
    -------
    tuple of Finding
        Each of its errors, and one info for each kind of warning.

    Raises
    ------
    MissingToolError
        If it is not installed.
    ToolFailedError
        If it crashes, or takes longer than half an hour.
    """
    program = require_program(BIDS_VALIDATOR)
    completed = run_program(
        [program, root.absolute(), "--format", "json", "--max-rows=-1"],
        timeout_s=VALIDATOR_TIMEOUT_S,
    )
    if completed.returncode not in {_CLEAN, _ERRORS}:
        raise _failed(f"it ended with code {completed.returncode}")
    try:
        report = json.loads(completed.stdout)["issues"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise _failed("its report cannot be understood") from error
    findings = tuple(_findings(report["issues"], report.get("codeMessages", {})))
    if completed.returncode == _ERRORS and not any(f.severity == "error" for f in findings):
        raise _failed("it says that there are errors and lists none")
    return findings


def _findings(issues: list[dict[str, Any]], meanings: Mapping[str, str]) -> Iterator[Finding]:
    warnings: Counter[str] = Counter()
    first: dict[str, str] = {}
    for issue in issues:
        code = issue["code"]
        location = str(issue.get("location", "")).removeprefix("/")
        if issue.get("severity") == "error":
            yield finding(
                "OFFICIAL_VALIDATOR_ERROR",
                location=location,
                issue=_full_code(issue),
                meaning=_first_sentence(meanings.get(code, "")),
            )
        else:
            warnings[code] += 1
            first.setdefault(code, location)
    for code, count in sorted(warnings.items()):
        yield finding(
            "OFFICIAL_VALIDATOR_WARNING",
            location=first[code],
            issue=code,
            count=count,
            meaning=_first_sentence(meanings.get(code, "")),
        )


def _full_code(issue: Mapping[str, Any]) -> str:
    """Return the code with the field or column that it is about, where that is a name."""
    detail = str(issue.get("subCode", ""))
    return f"{issue['code']}: {detail}" if detail.isidentifier() else str(issue["code"])


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".")


def _failed(problem: str) -> ToolFailedError:
    return ToolFailedError(
        f"the official BIDS validator failed: {problem}",
        cure="run bids-validator-deno on the dataset by hand to see what it says",
    )
