"""JSON that is stored already: sidecars by allow-list, descriptions that people write by deny-list.

What a tool writes beside data is kept field by field. What people write of their dataset and of
the columns of its tables has no list of fields, and loses what is known to identify.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from bidsanon.bids.identifying import OF_AUTHORS, KeyKind, kind_of_column, kind_of_key
from bidsanon.bids.keys import KeyAction, key_rules, rules_for
from bidsanon.bids.names import parse_name
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sidecars import json_like, read_bounded, read_json_object
from bidsanon.bids.standard import data_kinds
from bidsanon.bids.written import is_unshifted, names_somebodys_address, written_date, written_names
from bidsanon.plain_names import names_in_words
from bidsanon.scrub.columns import DENIED_COLUMNS
from bidsanon.scrub.sidecars import OTHER_KEYS, SidecarPolicy, cleaned, scrub_sidecar

_DENIED = DENIED_COLUMNS | {KeyKind.TIME}
_OF_TABLES = frozenset(
    (
        *("participants", "sessions", "scans", "samples", "events", "channels", "electrodes"),
        *("optodes", "blood", "physio", "physioevents", "stim", "aslcontext", "beh"),
    )
)
_WITH_TITLE = re.compile(r"\b(?:Dr|Prof|Mr|Mrs|Ms|Frau|Herr|Mme|Mlle)\b\.? ?[A-ZÀ-Þ]")
_PHENOTYPE = "phenotype"


class JsonKind(StrEnum):
    """What a JSON file of a dataset is."""

    SIDECAR = "sidecar"
    """It says how data were acquired."""
    COLUMNS = "columns"
    """It says what the columns of a table are, and how they were recorded."""
    DESCRIPTION = "description"
    """Somebody wrote it, or nobody knows what it is."""


@dataclass(frozen=True, kw_only=True)
class ScrubbedJson:
    """A JSON file as it may be shared.

    Attributes
    ----------
    text
        What it is to hold; None: as it stands.
    words
        What changes, in words that repeat no value.
    misfits
        Keys that may stay but whose value has none of the allowed shapes.
    """

    text: str | None
    words: tuple[str, ...]
    misfits: tuple[str, ...]


def kind_of_json(name: str) -> JsonKind:
    """Return what a JSON file is, by its place in the dataset."""
    path = PurePosixPath(name)
    suffix = parse_name(name).suffix or path.stem
    if suffix in _OF_TABLES or path.parts[0] == _PHENOTYPE:
        return JsonKind.COLUMNS
    if path.name != DESCRIPTION and suffix in _sidecar_suffixes():
        return JsonKind.SIDECAR
    return JsonKind.DESCRIPTION


@cache
def _sidecar_suffixes() -> frozenset[str]:
    return frozenset(suffix for _, suffix in data_kinds())


def read_stored_json(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Read a JSON file, and what it holds.

    Raises
    ------
    SidecarError
        If it cannot be understood, or is larger than any sidecar.
    """
    raw = read_bounded(path)
    return raw, read_json_object(raw)


def scrub_stored_json(
    name: str,
    raw: bytes,
    content: dict[str, Any],
    policy: SidecarPolicy,
    *,
    derived: bool = False,
) -> ScrubbedJson:
    """Say what a JSON file is to hold.

    Parameters
    ----------
    name
        Its place in the dataset.
    raw, content
        As :func:`read_stored_json` gives them.
    policy
        What the scrub needs to know.
    derived
        Whether a program wrote it of other data: its figures stand in fields that nobody lists.

    Raises
    ------
    SidecarError
        If what stays of it cannot be written.
    """
    kind = kind_of_json(name)
    scrub = {
        JsonKind.SIDECAR: _derived if derived else _sidecar,
        JsonKind.COLUMNS: _columns,
        JsonKind.DESCRIPTION: _description,
    }[kind]
    kept, removed, replaced, misfits = scrub(name, content, policy)
    ordered = {key: kept[key] for key in content if key in kept}
    words = [
        *(f"{key}{f' ({n} times)' if n > 1 else ''} removed" for key, n in sorted(removed.items())),
        *(f"{key} replaced" for key in replaced),
    ]
    if _says_twice(raw):
        words.append("keys that stood there twice removed")
    elif ordered == content and not words:
        return ScrubbedJson(text=None, words=(), misfits=())
    return ScrubbedJson(text=json_like(raw, ordered), words=tuple(words), misfits=misfits)


_Scrubbed = tuple[dict[str, Any], Counter[str], tuple[str, ...], tuple[str, ...]]


def _sidecar(name: str, content: dict[str, Any], policy: SidecarPolicy) -> _Scrubbed:
    scrubbed = scrub_sidecar(content, policy, rules_for(parse_name(name).suffix))
    return scrubbed.content, scrubbed.removed, scrubbed.replaced, scrubbed.misfits


def _columns(name: str, content: dict[str, Any], policy: SidecarPolicy) -> _Scrubbed:
    """Keep the fields of the suffix, and what is said of columns."""
    suffix = parse_name(name).suffix or PurePosixPath(name).stem
    fields = rules_for(suffix)
    columns = {
        key: value
        for key, value in content.items()
        if key not in fields and isinstance(value, dict)
    }
    others = {key: value for key, value in content.items() if key not in columns}
    scrubbed = scrub_sidecar(others, policy, fields)
    denial = _Denial(policy.without_known)
    denial.removed += scrubbed.removed
    kept = {}
    for column, definition in columns.items():
        if kind_of_column(column) in DENIED_COLUMNS:
            denial.removed[column] += 1
        elif policy.without_known(column) != column:
            denial.removed[OTHER_KEYS] += 1
        else:
            kept[column] = denial.without_denied(definition)
    replaced = len([column for column in kept if kept[column] != columns[column]])
    said = ("(definitions of columns)",) if replaced else ()
    changed = (*scrubbed.replaced, *said)
    return {**kept, **scrubbed.content}, denial.removed, changed, scrubbed.misfits


def _derived(_: str, content: dict[str, Any], policy: SidecarPolicy) -> _Scrubbed:
    """Keep all but what is known to identify; what looks like it is cut from texts."""

    def without_persons(text: str) -> str:
        text = policy.without_known(text)
        return policy.clean(text) if _looks_identifying(text) else text

    def changed(key: str, value: Any) -> Any:
        rule = key_rules().get(key)
        if rule is None or not isinstance(value, str):
            return value
        if rule.action is KeyAction.PSEUDONYM:
            return policy.device_pseudonym(value)
        return policy.clean(value) if rule.action is KeyAction.CLEAN else value

    return _denied(content, _Denial(policy.without_known, without_persons, changed))


def _looks_identifying(text: str) -> bool:
    if names_in_words(text) or names_somebodys_address(text) or written_names(text):
        return True
    if _WITH_TITLE.search(text):
        return True
    day = written_date(text, loosely=False)
    return day is not None and is_unshifted(day)


def _description(_: str, content: dict[str, Any], policy: SidecarPolicy) -> _Scrubbed:
    return _denied(content, _Denial(policy.without_known))


def _denied(content: dict[str, Any], denial: _Denial) -> _Scrubbed:
    kept = denial.without_denied(content)
    replaced = tuple(_shown(key) for key in kept if kept[key] != content[key])
    return kept, denial.removed, replaced, ()


class _Denial:
    """What takes keys that identify out at every depth, and what is known out of texts.

    Parameters
    ----------
    known
        Takes what is known of persons out of a text: a key of which something is cut goes.
    clean
        What is done with each text; None: the same.
    changed
        What is done with a value before, by its key.

    Attributes
    ----------
    removed
        How often each key was removed so far.
    """

    def __init__(
        self,
        known: Callable[[str], str],
        clean: Callable[[str], str] | None = None,
        changed: Callable[[str, Any], Any] = lambda _, value: value,
    ) -> None:
        self._known = known
        self._clean = clean or known
        self._changed = changed
        self.removed: Counter[str] = Counter()

    def without_denied(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return what stays of an object."""
        kept = {}
        for key, value in content.items():
            denied = _is_denied(key) or (key not in key_rules() and self._known(key) != key)
            left = None if denied else self._part(key, self._changed(key, value))
            if left is None and value is not None:
                self.removed[_shown(key)] += 1
            else:
                kept[key] = left
        return kept

    def _part(self, key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.without_denied(value)
        if isinstance(value, list):
            return [self._part(key, part) for part in value]
        return cleaned(value, str if key in OF_AUTHORS else self._clean)


def _is_denied(key: str) -> bool:
    rule = key_rules().get(key)
    if rule is not None:
        return rule.action in {KeyAction.REMOVE, KeyAction.TIME}
    return kind_of_key(key) in _DENIED


def _shown(key: str) -> str:
    return key if key in key_rules() or kind_of_key(key) else OTHER_KEYS


def _says_twice(raw: bytes) -> bool:
    """Tell whether an object has a key twice: the first value stands there, and is not read."""
    twice = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({key for key, _ in pairs}) < len(pairs)

    json.loads(raw.decode("utf-8-sig"), object_pairs_hook=look)
    return twice
