"""Whether OpenNeuro would take a dataset: its validator's settings, and what it refuses.

They are those of its release 5.8.0, of 2026, read in its public source code. It runs the official
validator with the severities of ``data/openneuro_validator.json``, takes no microscopy, and goes by
a schema of its own, which is that of the standard but for the file ``datacite.yml``. So its word
follows from what the validator says by the schema that it brings, as long as that is the same; the
one that bidsschematools brings can be newer, and is what OpenNeuro will go by next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bidsanon.bids.ignored import read_ignored
from bidsanon.bids.root_documents import DATACITE
from bidsanon.bids.sharing import BIDSIGNORE, SharedTree
from bidsanon.findings import Finding, errors, finding
from bidsanon.resources import data_path
from bidsanon.validate.dataset import DatasetChecks
from bidsanon.validate.official import OfficialReport

RELEASE = "5.8.0"
"""The release of OpenNeuro of which the settings are."""
SCHEMA = "1.2.7"
"""The version of the standard's schema that OpenNeuro's own, 1.2.7-datacite, was made from."""
_TYPES = ("raw", "derivative")
"""Told by this module: the official validator's option for it ends in a crash."""
_REFUSED_DATATYPES = frozenset({"micr"})
_AUTHORS = "NO_AUTHORS"
_SAID_BY_REFUSAL = {_AUTHORS: "DATASET_NO_AUTHORS"}


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
    said
        The codes of findings that say less of the same.
    """

    taken: bool | None
    findings: tuple[Finding, ...]
    said: frozenset[str] = frozenset()


def openneuro_settings() -> Path:
    """Return OpenNeuro's configuration of the official validator."""
    return data_path("openneuro_validator.json")


def check_openneuro_rules(
    root: Path,
    *,
    description: Mapping[str, Any] | None,
    shared: SharedTree,
    checks: DatasetChecks,
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
    checks
        What other checks found, and the official validator said: it is not said again.
    """
    others = (
        *_refused_types(description),
        *_refused_datatypes(shared),
        *_other_schema(checks.official),
        *_uploaded(root, shared),
    )
    if checks.official is None:
        return Taking(taken=False if errors(others) else None, findings=others)
    refused = _by_its_schema(checks.official.weighed(_severities()), shared)
    later = _by_its_schema(checks.newest, shared).errors if checks.newest else ()
    codes = refused.codes & _SAID_BY_REFUSAL.keys()
    return Taking(
        taken=not (refused.errors or errors(others)),
        findings=(*_in_words(refused.errors, later, said=checks.findings), *others),
        said=frozenset(_SAID_BY_REFUSAL[code] for code in codes),
    )


@cache
def _severities() -> dict[str, str]:
    """Return how much OpenNeuro lets codes of the official validator weigh."""
    settings = json.loads(openneuro_settings().read_text("utf-8"))
    return {one["code"]: severity for severity, listed in settings.items() for one in listed}


def _by_its_schema(report: OfficialReport, shared: SharedTree) -> OfficialReport:
    """Leave out what OpenNeuro's own schema does not say: authors may stand in datacite.yml."""
    if not any(file.name == DATACITE for file in shared.files):
        return report
    return report.without({"NOT_INCLUDED"}, location=DATACITE).without({_AUTHORS})


def _in_words(
    refused: Iterable[Finding], later: Iterable[Finding], *, said: Sequence[Finding]
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


def _refused_datatypes(shared: SharedTree) -> Iterator[Finding]:
    """Say which folders of subjects and sessions hold what OpenNeuro does not take."""
    folders = {file.name.rpartition("/")[0] for file in shared.files}
    for folder in sorted({above for name in folders for above in _datatype_folder(name)}):
        yield finding("OPENNEURO_MODALITY", location=folder)


def _datatype_folder(folder: str) -> Iterator[str]:
    """Yield the refused folder of a datatype that a folder is or lies in."""
    parts = folder.split("/")
    depth = 2 if len(parts) > 1 and parts[1].startswith("ses-") else 1
    if parts[0].startswith("sub-") and _REFUSED_DATATYPES & set(parts[depth : depth + 1]):
        yield "/".join(parts[: depth + 1])


def _other_schema(official: OfficialReport | None) -> Iterator[Finding]:
    if official and official.schema != SCHEMA:
        yield finding(
            "OPENNEURO_OTHER_SCHEMA",
            release=RELEASE,
            theirs=SCHEMA,
            here=official.schema or "another",
        )


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
