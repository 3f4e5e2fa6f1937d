"""What tools leave in a dataset's folder that is no part of it, told by the tools' own habits."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

HISTORIES = (".git", ".datalad", ".svn", ".hg")
"""Folders of version control, which are not looked into: they hold what was removed, too."""

_LEFT_BY = {
    ".heudiconv": "heudiconv",
    ".bidsmgr": "BIDS Manager",
    "tmp_dcm2bids": "dcm2bids",
    "bidscoin": "BIDScoin",
    ".bidscoin": "BIDScoin",
    ".pybids": "pybids",
    ".bids_db": "pybids",
    ".bidsanon": "bidsanon",
}
_LEFT_FILE = (
    (re.compile(r"dicominfo(?:_ses-\w+)?\.tsv|filegroup(?:_ses-\w+)?\.json"), "heudiconv"),
    (re.compile(r"\w+\.(?:auto|edit)\.txt"), "heudiconv"),
    (re.compile(r"bidsmap\w*\.(?:yaml|yml)"), "BIDScoin"),
    (re.compile(r"Protocol_Translator\.json"), "bidskit"),
    (re.compile(r"ezBIDS_core(?:_OLD)?\.json"), "ezBIDS"),
    (re.compile(r"layout_index\.sqlite"), "pybids"),
    (re.compile(r"crash-\d{8}-\d{6}-.*\.(?:txt|pklz)"), "nipype"),
    (re.compile(r"quarantine\.tsv|journal\.jsonl|audit-values\.sqlite"), "bidsanon"),
)


def leftover_of(name: str) -> tuple[str, str] | None:
    """Return what a tool left a file in (or the file), and the tool; None where none did."""
    path = PurePosixPath(name)
    for depth, part in enumerate(path.parts[:-1], start=1):
        if part in HISTORIES:
            return "/".join(path.parts[:depth]), part
        if part in _LEFT_BY:
            return "/".join(path.parts[:depth]), _LEFT_BY[part]
    for pattern, tool in _LEFT_FILE:
        if pattern.fullmatch(path.name):
            return name, tool
    return None
