"""Whether what the user typed leads back to the person: labels stand in every file's name.

The residue search lets a label pass where it stands, since a lab's own codes are often what the
scanner was told as Patient ID. So labels are judged here, by what the source says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from bidsanon.findings import Finding, finding
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.publish import Delivery, SessionPlace, packing_of_out

_KINDS = frozenset({ValueKind.IDENTIFIER, ValueKind.NAME})
_WORDS = re.compile(r"[^\W\d_]+")
_SHORTEST = 3
_SHORTEST_WITHIN = 5
_PERHAPS_CODE = re.compile(r"\((?:0010|0012),")
"""Where labs enter their own codes: the patient and the clinical trial modules."""
_RECORD_NUMBER = re.compile(r"\d{6}")
"""As many digits as hospitals' numbers have, and more than those of a study's participants."""


def label_findings(
    place: SessionPlace, identity: Iterable[IdentifyingValue]
) -> tuple[Finding, ...]:
    """Say where a label is, or holds, what the source calls the person, visit or device.

    Parameters
    ----------
    place
        Where the session goes.
    identity
        Every identifying value of the source.

    Returns
    -------
    tuple
        An error for a number of the hospital's or the scanner's, a warning for what may be a
        code of the study's own; for each label at most one of each.
    """
    return judge_labels({"subject": place.subject, "session": place.session or ""}, identity)


def judge_labels(
    labels: Mapping[str, str], identity: Iterable[IdentifyingValue]
) -> tuple[Finding, ...]:
    """Say where a label is, or holds, what the source calls the person, visit or device.

    Parameters
    ----------
    labels
        What each is the label of, and the label.
    identity
        Every identifying value of the source.
    """
    values = [value for value in identity if value.kind in _KINDS]
    found = {
        (what, code): finding(code, location=f"the {what}'s label", origin=origin)
        for what, label in labels.items()
        for code, origin in sorted(_judged(label, values), reverse=True)
    }
    return tuple(found.values())


def reason_findings(because: str, identity: Iterable[IdentifyingValue]) -> tuple[Finding, ...]:
    """Say where the reason for which faces stay holds what the source says of somebody.

    Parameters
    ----------
    because
        The reason; empty where faces go.
    identity
        Every identifying value of the source.

    Returns
    -------
    tuple
        An error for each place in the source that holds a name's part or a number of it.
    """
    words = frozenset(re.findall(r"\w+", because.casefold()))
    written = _plain(because)
    origins = {value.origin for value in identity if _is_within(value, words, written)}
    return tuple(
        finding("REASON_IDENTIFIES", location="the reason given by --because", origin=origin)
        for origin in sorted(origins)
    )


def out_name_findings(
    delivery: Delivery, identity: Iterable[IdentifyingValue]
) -> tuple[Finding, ...]:
    """Say where the name of OUT, under which it is handed on, holds what the source says.

    Parameters
    ----------
    delivery
        Where the result goes.
    identity
        Every identifying value of the source.

    Returns
    -------
    tuple
        A warning for each place in the source that holds a name's part or a number of it.
    """
    stem = packing_of_out(delivery.out)[1]
    words = frozenset(_WORDS.findall(stem.casefold()))
    written = _plain(stem)
    values = [value for value in identity if value.kind in _KINDS]
    origins = {value.origin for value in values if _is_within(value, words, written)}
    origins |= {origin for _, origin in _judged(stem, values)}
    return tuple(
        finding("OUT_NAME_IDENTIFIES", location="the name of OUT", origin=origin)
        for origin in sorted(origins)
    )


def _is_within(value: IdentifyingValue, words: frozenset[str], written: str) -> bool:
    if value.kind is ValueKind.NAME:
        parts = re.findall(r"\w+", value.text.casefold())
        return any(len(part) >= _SHORTEST and part in words for part in parts)
    if value.kind is ValueKind.IDENTIFIER:
        known = _plain(value.text)
        return len(known) >= _SHORTEST_WITHIN and known in written
    return False


def _judged(label: str, values: Iterable[IdentifyingValue]) -> Iterator[tuple[str, str]]:
    """Yield the code of a finding, and where the source holds what the label says."""
    written = _plain(label)
    for value in values:
        known = _plain(value.text)
        if len(known) < _SHORTEST or not any(c.isdigit() for c in known):
            continue  # too short to lead anywhere; a name without digits is the residue search's
        if known == written or (len(known) >= _SHORTEST_WITHIN and known in written):
            is_code = _PERHAPS_CODE.match(value.origin) and not _RECORD_NUMBER.search(known)
            yield ("LABEL_AS_IN_SOURCE" if is_code else "LABEL_IDENTIFIES"), value.origin


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum()).lstrip("0")
