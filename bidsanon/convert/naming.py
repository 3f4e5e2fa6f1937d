"""What is wrong with a name that a heuristic gave, before heudiconv completes it and after."""

from __future__ import annotations

import posixpath

from bidsanon.bids.names import check_name
from bidsanon.bids.nearest import nearest_name

IMAGE = ".nii.gz"

_NUMBERED = "magnitude"
_COMPLETIONS = ("echo-1", "part-mag", "echo-1_part-mag")
_AFTER_ECHO = ("_flip-", "_inv-", "_mt-", "_part-")


def session_folder(subject: str, session: str | None) -> str:
    """Return the session's folder within a dataset, with forward slashes."""
    return f"sub-{subject}/ses-{session}" if session else f"sub-{subject}"


def lies_within_session(name: str, *, subject: str, session: str | None) -> bool:
    """Tell whether a relative path stays within the session's own folder."""
    folder = session_folder(subject, session)
    return posixpath.normpath(name) == name and name.startswith(folder + "/")


def check_prefix(prefix: str) -> str | None:
    """Say why heudiconv must not be given this prefix, or return None if it may.

    heudiconv adds ``echo-`` and ``part-`` itself where a series holds several images, and numbers
    the magnitudes of a field map, so a prefix will do if one of these completions is BIDS.
    """
    problem = check_name(prefix + IMAGE)
    if problem is None or any(check_name(name) is None for name in _completions(prefix)):
        return None
    nearest = nearest_name(prefix + IMAGE)
    return f"{problem}; the nearest that is: {nearest.removesuffix(IMAGE)}" if nearest else problem


def _completions(prefix: str) -> list[str]:
    stem, _, suffix = prefix.rpartition("_")
    completed = [f"{stem}_{entities}_{suffix}{IMAGE}" for entities in _COMPLETIONS]
    later = next((entity for entity in _AFTER_ECHO if entity in stem), None)
    if later:
        completed.append(f"{prefix.replace(later, f'_echo-1{later}')}{IMAGE}")
    if suffix == _NUMBERED:
        completed.append(f"{prefix}1{IMAGE}")
    return completed
