"""What fields of recordings say of people: SNIRF, NWB and EEGLAB have names of their own.

Other fields are looked at as those of a sidecar are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bidsanon.bids.identifying import labels_in
from bidsanon.bids.recorded_fields import (
    FieldKind,
    field_says_nothing,
    kind_of_field,
    plain_field,
)
from bidsanon.bids.written import is_unshifted, written_date
from bidsanon.validate.privacy_json import json_spots
from bidsanon.validate.privacy_spots import Spot

_SHOWN = frozenset(
    (
        *("filepath", "filename", "history", "setname", "datfile", "sessiondescription"),
        *("experimentdescription", "description", "identifier", "sessionid", "chanlocs", "ref"),
        *("scriptfilename", "sourcescript", "weight", "age", "genotype", "protocol", "group"),
    )
)
"""What programs call fields, and nobody is called."""
_POSITION = re.compile(r"#/\((\d+)\)")
_SPECIFICATIONS = "specifications"
"""Where NWB keeps its own schemas, with the names of those who wrote them."""
_TOLD = {
    FieldKind.SUBJECT: ("PRIVACY_HEADER_TEXT", "field"),
    FieldKind.STAFF: ("PRIVACY_IDENTIFYING_KEY", "key"),
    FieldKind.PLACE: ("PRIVACY_PLACE_KEY", "key"),
    FieldKind.TYPED: ("PRIVACY_FREE_TEXT", "key"),
}
_DATES = {FieldKind.BEGAN: "PRIVACY_DATE", FieldKind.WRITTEN: "PRIVACY_DATE_PERHAPS"}
_NAMED = {
    FieldKind.SUBJECT: "what it says of the subject",
    FieldKind.BEGAN: "the recording's date",
}
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d.*")
_NOON = re.compile(r"12:?00:?00(?:\.0*)?Z?")
_MOST_REMEMBERED = 1 << 12

Field = tuple[tuple[str, ...], str]


def field_spots(name: str, fields: Iterable[Field]) -> Iterator[Spot]:
    """Yield what fields tell.

    Parameters
    ----------
    name
        The file's place within the dataset.
    fields
        The names above each text, its own the last, and the text.
    """
    own = labels_in(name)
    others: dict[str, dict[str, None]] = {}
    told: set[tuple[str, str]] = set()
    for names, text in fields:
        key = names[-1] if names else ""
        if names[:1] == (_SPECIFICATIONS,) and text.startswith("{"):
            continue
        spots = list(_known(name, kind_of_field(key), key, text.strip(), own))
        for spot in spots:
            same = (spot.code, str(spot.details))
            if same not in told:
                told.add(same)
                yield spot
        values = others.setdefault(key, {})
        if not spots and len(values) < _MOST_REMEMBERED:
            values[text] = None
    said = {key: [*values] for key, values in others.items()}
    for spot in json_spots(name, said, labels=own):
        yield replace(spot, location=_shown(spot.location, [*said]))


def _shown(location: str, keys: list[str]) -> str:
    """Return a location with the field's own name, where programs give it."""
    match = _POSITION.search(location)
    key = keys[int(match[1]) - 1] if match else ""
    if match is None or plain_field(key) not in _SHOWN:
        return location
    return f"{location[: match.start()]}#/{key}"


def _known(
    name: str, kind: FieldKind | None, key: str, text: str, own: frozenset[str]
) -> Iterator[Spot]:
    """Yield what a field of a known name says."""
    if kind is None or field_says_nothing(text) or text in own:
        return
    if kind in _TOLD:
        code, detail = _TOLD[kind]
        yield Spot(code=code, location=name, details={detail: _NAMED.get(kind, key)})
    elif kind is FieldKind.TIME and _CLOCK.fullmatch(text) and not _NOON.fullmatch(text):
        yield Spot(code="PRIVACY_TIME_OF_DAY", location=name, details={"key": key})
    elif kind in _DATES:
        day = written_date(text[: len("2021-03-12")], loosely=True)
        if day is not None and is_unshifted(day):
            details = {"field": _NAMED.get(kind, key)}
            yield Spot(code=_DATES[kind], location=name, details=details)
