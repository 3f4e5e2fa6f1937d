"""The valid BIDS name that is nearest to an invalid one: what somebody may have meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from bidsanon.bids.names import BidsName, check_name, entity_facts, name_rules, parse_name

_CLOSE = 0.6
_MOST = 3
_LEVELS = ("sub", "ses")


def nearest_name(path: str) -> str | None:
    """Return the valid name that is nearest to an invalid one.

    A label that is needed and not there is written in capitals: ``task-TASK``.

    Parameters
    ----------
    path
        Relative to the dataset, with forward slashes; in a subject's folder.

    Returns
    -------
    str or None
        None where no valid name is near.
    """
    name = parse_name(path)
    folders = [part for part in PurePosixPath(path).parts[:-1] if part.startswith(("sub-", "ses-"))]
    if not folders or path.startswith("/") or ".." in PurePosixPath(path).parts:
        return None
    levels = {level: label for level, _, label in (part.partition("-") for part in folders)}
    tried = (
        _written(name, levels, datatype=datatype, suffix=suffix)
        for datatype, suffix in _kinds(name)
    )
    valid = [one for one in tried if check_name(one) is None]
    return max(valid, key=lambda one: _likeness(one, path), default=None)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _kinds(name: BidsName) -> Iterator[tuple[str, str]]:
    """Yield datatypes and suffixes that may be meant."""
    kinds = {(d, s) for rule in name_rules() for d in rule["datatypes"] for s in rule["suffixes"]}
    known = sorted({suffix for _, suffix in kinds})
    by_letters = {suffix.lower(): suffix for suffix in known}
    meant = [by_letters[found] for found in _close(name.suffix.lower(), sorted(by_letters))]
    for suffix in [name.suffix] if name.suffix in known else meant:
        homes = sorted(datatype for datatype, own in kinds if own == suffix)
        yield from ((d, suffix) for d in ([name.datatype] if name.datatype in homes else homes))


def _written(name: BidsName, levels: dict[str, str], *, datatype: str, suffix: str) -> str:
    rules = [r for r in name_rules() if datatype in r["datatypes"] and suffix in r["suffixes"]]
    allowed = {entity for rule in rules for entity in rule["entities"]}
    needed = set.intersection(*({e for e, r in x["entities"].items() if r} for x in rules))
    facts = entity_facts()
    labels = {entity: _placeholder(entity, facts[entity]) for entity in needed}
    for pair in PurePosixPath(name.path).name.partition(".")[0].split("_")[:-1]:
        key, hyphen, label = pair.partition("-")
        entity = _entity(key, facts)
        mended = _label(label, facts[entity]) if hyphen and entity else ""
        if entity in allowed and mended:
            labels[entity] = mended
    labels |= levels
    ordered = [f"{entity}-{labels[entity]}" for entity in facts if entity in labels]
    folder = "/".join(f"{level}-{levels[level]}" for level in _LEVELS if level in levels)
    return f"{folder}/{datatype}/{'_'.join([*ordered, suffix])}{name.extension}"


def _entity(key: str, facts: dict[str, dict[str, Any]]) -> str:
    by_long_name = {fact["long_name"]: short for short, fact in facts.items()}
    if key.lower() in by_long_name or key.lower() in facts:
        return by_long_name.get(key.lower(), key.lower())
    return next(iter(_close(key, sorted(facts))), "")


def _label(label: str, facts: dict[str, Any]) -> str:
    if facts["enum"]:
        begun = [word for word in facts["enum"] if label.lower().startswith(word.lower())]
        return next(iter([*begun, *_close(label, facts["enum"])]), "")
    return re.sub(r"\D" if facts["format"] == "index" else r"[^A-Za-z0-9+]", "", label)


def _placeholder(entity: str, facts: dict[str, Any]) -> str:
    if facts["enum"]:
        return str(facts["enum"][0])
    return "1" if facts["format"] == "index" else entity.upper()


def _close(word: str, known: Sequence[str]) -> list[str]:
    return difflib.get_close_matches(word, known, n=_MOST, cutoff=_CLOSE)
