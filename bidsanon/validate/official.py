"""The official BIDS validator: how it is run, and what it says as findings.

Its own texts can quote a value of the dataset, so only its codes, the names of fields and the
general meaning of a code are taken over.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from bidsanon.errors import ToolFailedError
from bidsanon.external import BIDS_VALIDATOR, require_program, run_program
from bidsanon.findings import Finding, finding

VALIDATOR_TIMEOUT_S = 1800.0
_CLEAN, _ERRORS = 0, 16


def check_official(
    root: Path, *, schema: Path | None = None, config: Path | None = None
) -> tuple[Finding, ...]:
    """Run the official validator on a dataset.

    Parameters
    ----------
    root
        The dataset's folder.
    schema
        The BIDS standard as a JSON file (:func:`bids_schema_file`); None for the one that the
        validator brings.
    config
        A JSON file of the validator's: which of its codes weigh how much. None for its own weights.

    Returns
    -------
    tuple of Finding
        Each of its errors, and one info for each kind of warning.

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
        options += ["--config", str(config.absolute())]
    completed = run_program([program, root.absolute(), *options], timeout_s=VALIDATOR_TIMEOUT_S)
    if completed.returncode not in {_CLEAN, _ERRORS}:
        raise _failed(f"it ended with code {completed.returncode}")
    try:
        report = json.loads(completed.stdout)["issues"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise _failed("its report cannot be understood") from error
    # One field that fits none of several forms is told once for each of them.
    findings = tuple(dict.fromkeys(_findings(report["issues"], report.get("codeMessages", {}))))
    if completed.returncode == _ERRORS and not any(f.severity == "error" for f in findings):
        raise _failed("it says that there are errors and lists none")
    return findings


def bids_schema_file() -> Path:
    """Return the BIDS standard as the installed bidsschematools has it, for `schema`.

    It can be newer than the one that the validator brings.
    """
    return Path(str(files("bidsschematools") / "data" / "schema.json"))


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
