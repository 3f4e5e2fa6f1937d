"""What the names of files and folders give away: what tools left, keys, pictures, labels.

Names that a tool writes are told by the tool's own habits; a label is told by its shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import PurePosixPath

from bidsanon.bids.identifying import is_usual_name
from bidsanon.bids.leftovers import leftover_of
from bidsanon.bids.tree import DatasetTree
from bidsanon.bids.written import LAST_SHIFTED_YEAR
from bidsanon.dicom.terms import is_acquisition_term
from bidsanon.validate.privacy_spots import Spot

_KEYS = re.compile(
    r"deident\.map|vault\.sqlite(?:-wal|-shm)?|audit-values\.sqlite|.+\.(?:key|pem|pfx|p12|kdbx)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.env|credentials\.json",
    re.IGNORECASE,
)
_KEYS_PERHAPS = re.compile(
    r"^keys?$|(?:^|[^a-z])(?:mapping|linkage|link(?:ing)?[-_ ]?(?:table|file|list)|crosswalk"
    r"|(?:subjects?|participants?|patients?|study)[-_ ]?keys?|id[-_ ]?(?:key|list|map|table)"
    r"|key[-_ ]?(?:list|table|file)|re-?ident\w*|pseudonyms?"
    r"|master[-_ ]?list|code[-_ ]?list|patient[-_ ]?list|zuordnung|schluessel\w*|schlüssel\w*)"
    r"(?:$|[^a-z])",
    re.IGNORECASE,
)
_TABLES = frozenset({".tsv", ".csv", ".txt", ".json", ".xlsx", ".xls", ".ods", ".sqlite", ".db"})
OFFICE = frozenset(
    [
        ".xlsx",
        ".xls",
        ".xlsm",
        ".ods",
        ".docx",
        ".doc",
        ".odt",
        ".rtf",
        ".mdb",
        ".accdb",
        ".sav",
        ".sas7bdat",
        ".dta",
        ".rdata",
        ".rds",
        *(".pdf", ".ppt", ".pptx", ".odp", ".pages", ".sqlite", ".db", ".pkl", ".pickle"),
        *(".eml", ".msg", ".vcf", ".ics"),
    ]
)
PICTURES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".png",
        ".tif",
        ".tiff",
        ".bmp",
        ".gif",
        ".heic",
        ".mp4",
        ".mov",
        ".avi",
        ".mpg",
        ".mkv",
    ]
)
_HIDDEN_ALLOWED = frozenset(
    [
        ".bidsignore",
        ".gitattributes",
        ".gitignore",
        ".gitmodules",
        ".gitkeep",
        ".gitannex",
        ".mailmap",
        ".keep",
        ".git",  # as a file it says where the history of a dataset within lies
    ]
)
_HIDDEN_TELLING = re.compile(
    r"thumbs\.db|desktop\.ini|.*~|.*\.(?:swp|swo|bak|orig|tmp)", re.IGNORECASE
)
_LABEL = re.compile(r"(sub|ses)-([^_/]+)")
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"[A-Za-z]{0,3}([1-9]\d{5,})")
_WORDS = re.compile(r"[A-ZÀ-Þ]?[^\W\d_A-ZÀ-Þ]+|[A-ZÀ-Þ]+(?![^\W\d_A-ZÀ-Þ])")
_SHORTEST_NAME = 3
_DATE_DIGITS = 8
_LAST_LIFE = 2100
_OF_NOBODY = frozenset(
    [
        "control",
        "patient",
        "pilot",
        "phantom",
        "subject",
        "test",
        "healthy",
        "volunteer",
        "emptyroom",
        "participant",
        "visit",
        "session",
        "baseline",
        "followup",
        "screening",
        "month",
        "week",
        "day",
        "year",
        "pre",
        "post",
        "scan",
        "group",
        "mouse",
        "rat",
        "template",
        "atlas",
        "young",
        "old",
    ]
)


def is_key_file(name: str) -> bool:
    """Tell a file that holds a key or says who is who, by its name."""
    return _KEYS.fullmatch(name) is not None


def place_spots(tree: DatasetTree) -> Iterator[Spot]:
    """Yield what the names in a dataset give away."""
    seen: set[str] = set()
    for file in tree.files:
        left = leftover_of(file.name)
        if left and left[0] not in seen:
            seen.add(left[0])
            yield Spot(code="PRIVACY_LEFTOVER", location=left[0], details={"tool": left[1]})
        if not left:
            yield from _file(PurePosixPath(file.name))
    yield from _labels(tree)


def _file(path: PurePosixPath) -> Iterator[Spot]:
    name, location, suffix = path.name, path.as_posix(), path.suffix.lower()
    stimulus = "stimuli" in path.parts
    if is_key_file(name):
        yield Spot(code="PRIVACY_KEY_FILE", location=location)
    elif suffix in _TABLES and _KEYS_PERHAPS.search(path.stem):
        yield Spot(code="PRIVACY_KEY_FILE_PERHAPS", location=location)
    hidden = [part for part in path.parts if part.startswith(".") and part not in _HIDDEN_ALLOWED]
    if hidden or _HIDDEN_TELLING.fullmatch(name):
        yield Spot(code="PRIVACY_HIDDEN_FILE", location=location)
    if suffix in OFFICE and not stimulus:
        yield Spot(code="PRIVACY_OFFICE_FILE", location=location)
    if suffix in PICTURES and not stimulus and _is_of_person(path):
        yield Spot(code="PRIVACY_PICTURE", location=location)


def _is_of_person(path: PurePosixPath) -> bool:
    """Tell a picture of somebody's session from one of a report or a manual."""
    return path.parts[0].startswith(("sub-", "sourcedata"))


def _labels(tree: DatasetTree) -> Iterator[Spot]:
    seen: set[str] = set()
    for file in tree.files:
        for part in PurePosixPath(file.name).parts[:-1]:
            match = _LABEL.fullmatch(part)
            if match and part not in seen:
                seen.add(part)
                yield from _label(match[1], match[2], part)
        if file.name.startswith(("sub-", "sourcedata/")) and _name_holds_date(file.name):
            details = {"what": "file"}
            yield Spot(code="PRIVACY_LABEL_DATE", location=file.name, details=details)


def _name_holds_date(name: str) -> bool:
    """Tell whether a date stands in a file's own name, beside the labels of its folders."""
    own = _LABEL.sub("", PurePosixPath(name).name)
    return any(map(_is_date, _DIGITS.findall(own.replace("-", ""))))


def _label(kind: str, label: str, location: str) -> Iterator[Spot]:
    what = "participant" if kind == "sub" else "session"
    if any(map(_is_date, _DIGITS.findall(label))):
        yield Spot(code="PRIVACY_LABEL_DATE", location=location, details={"what": what})
    elif kind == "sub" and _NUMBER.fullmatch(label):
        yield Spot(code="PRIVACY_LABEL_NUMBER", location=location, details={"what": what})
    elif kind == "sub" and _is_name(label):
        yield Spot(code="PRIVACY_LABEL_NAME", location=location, details={"what": what})


def _is_date(digits: str) -> bool:
    """Tell whether eight digits are a day of somebody's life, after the years of shifted dates."""
    if len(digits) != _DATE_DIGITS:
        return False
    year_first = (digits[:4], digits[4:6], digits[6:])
    day_first = (digits[4:], digits[2:4], digits[:2])
    month_first = (digits[4:], digits[:2], digits[2:4])
    for year, month, day in (year_first, day_first, month_first):
        try:
            found = date(int(year), int(month), int(day))
        except ValueError:
            continue
        if LAST_SHIFTED_YEAR < found.year <= _LAST_LIFE:
            return True
    return False


def _is_name(label: str) -> bool:
    """Tell a label that names somebody, by a name that many people have."""
    words = [word.lower() for word in _WORDS.findall(label) if len(word) >= _SHORTEST_NAME]
    if any(word in _OF_NOBODY or is_acquisition_term(word) for word in words):
        return False
    return any(is_usual_name(word) or _is_two_names(word) for word in words)


def _is_two_names(word: str) -> bool:
    """Tell a word of two names without a capital between them: ``annasmith``."""
    cuts = range(_SHORTEST_NAME, len(word) - _SHORTEST_NAME + 1)
    return any(is_usual_name(word[:cut]) and is_usual_name(word[cut:]) for cut in cuts)
