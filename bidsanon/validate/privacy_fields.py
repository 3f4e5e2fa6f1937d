"""What fields of recordings say of people: SNIRF, NWB and EEGLAB have names of their own.

Other fields are looked at as those of a sidecar are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bidsanon.bids.identifying import labels_in, says_nothing
from bidsanon.bids.written import is_unshifted, written_date
from bidsanon.validate.privacy_json import json_spots
from bidsanon.validate.privacy_spots import Spot

_NO_LETTER = re.compile(r"[^a-z]")
_SUBJECT = frozenset({"subjectid", "subject", "patientid", "participantid"})
_STAFF = frozenset({"experimenter", "operator", "technician", "relatedpersons"})
_PLACES = frozenset({"institution", "lab", "hospital"})
_BEGAN = frozenset(
    {"measurementdate", "sessionstarttime", "timestampsreferencetime", "recordingdate"}
)
_WRITTEN = frozenset({"filecreatedate"})
_TIME = frozenset({"measurementtime"})
_TYPED = frozenset(
    {"comments", "notes", "usercomment", "subjectcomment", "surgery", "pharmacology"}
)
_SHOWN = frozenset(
    (
        *("filepath", "filename", "history", "setname", "datfile", "sessiondescription"),
        *("experimentdescription", "description", "identifier", "sessionid", "chanlocs", "ref"),
        *("scriptfilename", "sourcescript", "weight", "age", "genotype", "protocol", "group"),
    )
)
"""What programs call fields, and nobody is called."""
_NO_WORDS = re.compile(r"(?:no|none|see) (?:comments?|descriptions?)", re.IGNORECASE)
_POSITION = re.compile(r"#/\((\d+)\)")
_SPECIFICATIONS = "specifications"
"""Where NWB keeps its own schemas, with the names of those who wrote them."""
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
        spots = list(_known(name, _plain(key), key, text.strip(), own))
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
    if match is None or _plain(key) not in _SHOWN:
        return location
    return f"{location[: match.start()]}#/{key}"


def _plain(key: str) -> str:
    return _NO_LETTER.sub("", key.lower())


def _known(name: str, plain: str, key: str, text: str, own: frozenset[str]) -> Iterator[Spot]:
    """Yield what a field of a known name says."""
    if says_nothing(text) or text in own or _NO_WORDS.fullmatch(text):
        return
    if plain in _SUBJECT:
        details = {"field": "what it says of the subject"}
        yield Spot(code="PRIVACY_HEADER_TEXT", location=name, details=details)
    elif plain in _STAFF:
        yield Spot(code="PRIVACY_IDENTIFYING_KEY", location=name, details={"key": key})
    elif plain in _PLACES:
        yield Spot(code="PRIVACY_PLACE_KEY", location=name, details={"key": key})
    elif plain in _TYPED:
        yield Spot(code="PRIVACY_FREE_TEXT", location=name, details={"key": key})
    elif plain in _TIME and _CLOCK.fullmatch(text) and not _NOON.fullmatch(text):
        yield Spot(code="PRIVACY_TIME_OF_DAY", location=name, details={"key": key})
    elif plain in _BEGAN | _WRITTEN:
        day = written_date(text[: len("2021-03-12")], loosely=True)
        if day is not None and is_unshifted(day):
            began = plain in _BEGAN
            code = "PRIVACY_DATE" if began else "PRIVACY_DATE_PERHAPS"
            field = "the recording's date" if began else key
            yield Spot(code=code, location=name, details={"field": field})
