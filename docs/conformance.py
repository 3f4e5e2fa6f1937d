"""The conformance statement on de-identification (PS3.15 E.1.1), filled with the program's data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bidsanon.deidentify.cleanings import OLDEST_AGE_YEARS
from bidsanon.deidentify.dummies import TEXTS
from bidsanon.dicom.confidentiality import (
    BASIC_PROFILE_CODE,
    EDITION,
    OPTION_CODES,
    Option,
    table_rows,
)
from bidsanon.dicom.dates import SHIFTED_YEARS
from bidsanon.dicom.file_format import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from bidsanon.dicom.private import Disposition, private_rules
from bidsanon.notes import NoteReason
from bidsanon.profile import (
    AttributeRow,
    bundled_profiles,
    load_profile,
    not_cleanable,
    protecting_row,
    unlisted_dates,
)
from bidsanon.report.words import QUARANTINE

_HOW = {
    Option.RETAIN_SAFE_PRIVATE: "by the table of private attributes; see *Private attributes*",
    Option.RETAIN_UIDS: "UIDs and the references to them stay",
    Option.RETAIN_DEVICE_IDENTITY: "what its column names is kept",
    Option.RETAIN_INSTITUTION_IDENTITY: "what its column names is kept",
    Option.RETAIN_PATIENT_CHARACTERISTICS: (
        f"what its column names is kept or cleaned; an age is capped at {OLDEST_AGE_YEARS}"
    ),
    Option.RETAIN_FULL_DATES: "dates and times stay",
    Option.RETAIN_MODIFIED_DATES: "dates are shifted; see *Dates and times*",
    Option.CLEAN_DESCRIPTORS: "see *Descriptions*",
    Option.CLEAN_STRUCTURED_CONTENT: "see *Structured content*",
    Option.CLEAN_GRAPHICS: "see *Graphics*",
}
_HAPPENS = {
    "X": "Removed",
    "Z": "Emptied",
    "D": "Replaced by a dummy",
    "U": "Replaced by a UID of the vault's",
    "C": "Cleaned",
    "K": "Kept",
    "/": "By its Type in the instance's IOD: the first code where Type 3, Z where Type 2, D or U "
    "where Type 1",
}


def conformance_page() -> str:
    """Return the statement."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (it writes Markdown)
        keep_trailing_newline=True,
    )
    rows = load_profile("bids").describe()
    return environment.get_template("conformance.md.jinja").render(
        edition=EDITION,
        basic=BASIC_PROFILE_CODE,
        options=tuple(_options()),
        not_cleanable=tuple(_not_cleanable()),
        profiles=[load_profile(name) for name in bundled_profiles()],
        happens=tuple(_happens(rows)),
        marks=[row for row in rows if _is_mark(row)],
        references=", ".join(row.name for row in rows if row.reason.startswith("it refers to")),
        dummies=", ".join(f'{vr} "{text}"' for vr, text in sorted(TEXTS.items())),
        first_year=SHIFTED_YEARS[0],
        last_year=SHIFTED_YEARS[-1],
        notes=tuple(NoteReason),
        oldest=OLDEST_AGE_YEARS,
        creators=tuple(_creators()),
        quarantine=QUARANTINE,
        class_uid=IMPLEMENTATION_CLASS_UID,
        version_name=IMPLEMENTATION_VERSION_NAME,
    )


def _options() -> Iterator[dict[str, Any]]:
    for option in Option:
        codes = Counter(row.options[option].value for row in table_rows() if option in row.options)
        yield {
            "option": option,
            "code": OPTION_CODES[option].value,
            "counts": ", ".join(f"{count} {code}" for code, count in sorted(codes.items())),
            "how": _HOW[option],
        }


def _not_cleanable() -> Iterator[dict[str, Any]]:
    for option in Option:
        listed = (*table_rows(), *filter(None, map(protecting_row, unlisted_dates())))
        rows = [row for row in listed if row.number in not_cleanable(option)]
        if rows:
            yield {"option": option, "names": ", ".join(f"{r.name} {r.tag}" for r in rows)}


def _happens(rows: tuple[AttributeRow, ...]) -> Iterator[dict[str, Any]]:
    for code, heading in _HAPPENS.items():
        if code == "/":
            names = [f"{row.name} ({row.action})" for row in rows if code in row.action]
        else:
            names = [row.name for row in rows if row.action == code and not _is_mark(row)]
        yield {"heading": heading, "names": names}


def _is_mark(row: AttributeRow) -> bool:
    return row.happens.startswith("is written: ")


def _creators() -> Iterator[dict[str, str]]:
    counts: dict[str, Counter[Disposition]] = {}
    for rule in private_rules():
        counts.setdefault(rule.creator, Counter())[rule.disposition] += 1
    for creator, count in sorted(counts.items()):
        numbers = " | ".join(str(count[disposition]) for disposition in Disposition)
        yield {"creator": creator, "numbers": numbers}
