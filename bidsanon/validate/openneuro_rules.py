"""Whether OpenNeuro would take a dataset: its validator's configuration, and what it refuses.

``data/openneuro_validator.json`` says which of the official validator's codes weigh how much there,
as of 2026. OpenNeuro validates with the rules that the validator brings; those that bidsschematools
brings can be newer, and are what it will validate with next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bidsanon.bids.ignored import read_ignored
from bidsanon.bids.sharing import BIDSIGNORE, SharedTree
from bidsanon.errors import ToolFailedError
from bidsanon.findings import Finding, errors, finding
from bidsanon.resources import data_path
from bidsanon.validate.official import bids_schema_file, check_official

_TYPES = ("raw", "derivative")
_FAILED = "OFFICIAL_VALIDATOR_FAILED"


@dataclass(frozen=True, kw_only=True)
class Taking:
    """Whether OpenNeuro would take a dataset.

    Attributes
    ----------
    taken
        Whether nothing says that it would not, as it validates now; None where nobody knows, since
        the official validator could not be asked.
    findings
        What it would refuse, now or with newer rules, and what it leaves behind.
    """

    taken: bool | None
    findings: tuple[Finding, ...]


def check_openneuro_rules(
    root: Path,
    *,
    description: Mapping[str, Any] | None,
    shared: SharedTree,
    said: Sequence[Finding] = (),
) -> Taking:
    """Say whether OpenNeuro would take a dataset.

    Parameters
    ----------
    root
        The dataset's folder.
    description
        Its dataset_description.json; None where that cannot be read.
    shared
        What of it is shared.
    said
        What other checks found: it is not said again.

    Raises
    ------
    MissingToolError
        If the official validator is not installed.
    """
    others = (*_refused_types(description), *_uploaded(root, shared))
    if any(one.code == _FAILED for one in said):
        return Taking(taken=False if errors(others) else None, findings=others)
    check = partial(check_official, root, config=data_path("openneuro_validator.json"))
    try:
        with ThreadPoolExecutor(2) as pool:
            now, newer = pool.submit(check), pool.submit(check, schema=bids_schema_file())
            refused, later = errors(now.result()), errors(newer.result())
    except ToolFailedError as error:
        unknown = finding(_FAILED, problem=error.message)
        return Taking(taken=False if errors(others) else None, findings=(unknown, *others))
    return Taking(
        taken=not (refused or errors(others)),
        findings=(*_in_words(refused, later, said=said), *others),
    )


def _in_words(
    refused: Iterable[Finding], later: Iterable[Finding], *, said: Iterable[Finding]
) -> Iterator[Finding]:
    """Say each of the official validator's errors once."""
    known = {(one.location, one.message) for one in said}
    for code, found in (("OPENNEURO_REFUSES", refused), ("OPENNEURO_WILL_REFUSE", later)):
        for error in found:
            if (error.location, error.message) not in known:
                known.add((error.location, error.message))
                yield finding(code, location=error.location, said=error.message)


def _refused_types(description: Mapping[str, Any] | None) -> Iterator[Finding]:
    if (description or {}).get("DatasetType", _TYPES[0]) not in _TYPES:
        yield finding("OPENNEURO_TYPE", location="dataset_description.json#/DatasetType")


def _uploaded(root: Path, shared: SharedTree) -> Iterator[Finding]:
    """Say what is hidden, and what is uploaded although the validator does not look at it."""
    deep = [name for name in shared.left_out if "/" in name.rstrip("/")]
    if deep:
        yield finding("OPENNEURO_HIDDEN_FILES", location=deep[0], count=len(deep))
    behind = [name for name in shared.left_out if name not in deep]
    if behind:
        yield finding("OPENNEURO_STAYS_BEHIND", location=behind[0], count=len(behind))
    ignored = read_ignored(root)
    unseen = [f.name for f in shared.files if f.name != BIDSIGNORE and ignored.hides(f.name)]
    if unseen:
        yield finding("OPENNEURO_IGNORED_GOES", location=unseen[0], count=len(unseen))
