"""Makes up identifying values: the same seed gives the same ones, and none of them twice."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from planted.elements import Planted, sequence, text

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_FIRST_DAY = date(1931, 1, 1)
_DAYS = 20_000
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
ROWS = COLUMNS = 8


@dataclass
class Tokens:
    """Gives values that no other place of the suite holds, so that a leak names its place."""

    seed: int
    _given: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 (made up, and the same each time)

    def word(self) -> str:
        """Return a word of ten letters that is in no language."""
        return self._once(self._word)

    def code(self) -> str:
        """Return a code of ten capital letters."""
        return self.word().upper()

    def day(self) -> str:
        """Return a day as DA writes it."""
        return self._once(self._day)

    def time(self) -> str:
        """Return a time of day with microseconds."""
        return self._once(self._time)

    def uid(self) -> str:
        """Return a UID as a scanner makes it."""
        return self._once(lambda: f"1.3.12.2.1107.5.2.{self._random.randrange(10**20, 10**21)}")

    def number(self) -> str:
        """Return a number of nine digits."""
        return self._once(lambda: str(self._random.randrange(10**8, 10**9)))

    def noise(self, length: int) -> bytes:
        """Return bytes that look like pixels."""
        return self._random.randbytes(length)

    def _once(self, make: object) -> str:
        while (value := make()) in self._given:  # type: ignore[operator]
            pass
        self._given.add(value)
        return value

    def _word(self) -> str:
        pick = self._random.choice
        return "".join(pick(_CONSONANTS) + pick(_VOWELS) for _ in range(5)).capitalize()

    def _day(self) -> str:
        return f"{_FIRST_DAY + timedelta(days=self._random.randrange(_DAYS)):%Y%m%d}"

    def _time(self) -> str:
        hour, minute, second = (self._random.randrange(below) for below in (24, 60, 60))
        fraction = self._random.randrange(10**5, 10**6)
        return f"{hour:02d}{minute:02d}{second:02d}.{fraction}"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A made-up person's visit: what a hospital's headers say about who, where and when."""

    family: str = "Brenzelmühl"
    given: str = "Zdravomir"
    middle: str = "Ottokar"
    patient_id: str = "KZ-88213-QM"
    birth_date: str = "19640229"
    study_date: str = "20110923"
    study_time: str = "094127.318500"
    accession: str = "AKX7730194"
    physician: str = "Gruenfelder^Adalwine"
    operator: str = "Tschirwick^Leokadia"
    institution: str = "Klinikum Wendlohe"
    station: str = "MRWENDLO7"
    serial: str = "384417"
    study_uid: str = "1.3.12.2.1107.5.2.384417.20110923094127001"
    series_uid: str = "1.3.12.2.1107.5.2.384417.20110923094127002"
    frame_uid: str = "1.3.12.2.1107.5.2.384417.20110923094127003"

    @property
    def name(self) -> str:
        """The person's name in DICOM's form."""
        return f"{self.family}^{self.given}^{self.middle}"

    @property
    def uid_root(self) -> str:
        """What all UIDs of the visit begin with."""
        return self.study_uid[:-3]


ZDRAVOMIR = Visit()
"""The suite's person; the name has an umlaut on purpose."""

BASIL = Visit(
    family="Ashgrovington",
    given="Basilius",
    middle="Ferdinand",
    patient_id="HN-40917-TT",
    birth_date="19710811",
    study_date="20120304",
    accession="AKX8841205",
    physician="Vossberg^Irmtraud",
    study_uid="1.3.12.2.1107.5.2.384417.20120304101500001",
    series_uid="1.3.12.2.1107.5.2.384417.20120304101500002",
    frame_uid="1.3.12.2.1107.5.2.384417.20120304101500003",
)
"""Somebody else at the same hospital."""


def mr_image(
    *more: Planted,
    visit: Visit = ZDRAVOMIR,
    number: int = 1,
    character_set: str = "ISO_IR 100",
    encoding: str = "latin-1",
    sop_class: str = MR_IMAGE,
    pixels: bytes | None = None,
    without: frozenset[int] = frozenset(),
) -> list[Planted]:
    """Return the elements of a tiny MR image; `more` replaces those of the same tag."""
    identity = {
        0x00080020: ("DA", visit.study_date),
        0x00080021: ("DA", visit.study_date),
        0x00080030: ("TM", visit.study_time),
        0x00080050: ("SH", visit.accession),
        0x00080080: ("LO", visit.institution),
        0x00080090: ("PN", visit.physician),
        0x00081010: ("SH", visit.station),
        0x00081070: ("PN", visit.operator),
        0x00100010: ("PN", visit.name),
        0x00100020: ("LO", visit.patient_id),
        0x00100030: ("DA", visit.birth_date),
        0x00100040: ("CS", "M"),
        0x00181000: ("LO", visit.serial),
        0x0020000D: ("UI", visit.study_uid),
        0x0020000E: ("UI", visit.series_uid),
        0x00200052: ("UI", visit.frame_uid),
    }
    plain = {
        0x00080005: ("CS", character_set),
        0x00080008: ("CS", "ORIGINAL\\PRIMARY\\M\\ND"),
        0x00080016: ("UI", sop_class),
        0x00080018: ("UI", f"{visit.uid_root}{100 + number}"),
        0x00080060: ("CS", "MR"),
        0x00080070: ("LO", "SIEMENS"),
        0x00180080: ("DS", "2000"),
        0x00180081: ("DS", "30"),
        0x00200011: ("IS", "4"),
        0x00200013: ("IS", str(number)),
        0x00200032: ("DS", f"0\\0\\{number}"),
        0x00200037: ("DS", "1\\0\\0\\0\\1\\0"),
        0x00280004: ("CS", "MONOCHROME2"),
        0x00280030: ("DS", "2\\2"),
    }
    shorts = {
        0x00280002: 1,
        0x00280010: ROWS,
        0x00280011: COLUMNS,
        0x00280100: 16,
        0x00280101: 12,
        0x00280102: 11,
        0x00280103: 0,
    }
    elements = {
        tag: text(tag, vr, value, encoding) for tag, (vr, value) in (identity | plain).items()
    }
    elements |= {tag: Planted(tag, "US", n.to_bytes(2, "little")) for tag, n in shorts.items()}
    picture = pixels if pixels is not None else picture_bytes(number)
    elements[0x7FE00010] = Planted(0x7FE00010, "OW", picture)
    elements |= {e.tag: e for e in more}
    return [e for tag, e in elements.items() if tag not in without]


def picture_bytes(seed: int) -> bytes:
    """Return the pixels of a tiny image: 12 bits each."""
    made_up = random.Random(seed)  # noqa: S311 (made up, and the same each time)
    values = made_up.choices(range(1 << 12), k=ROWS * COLUMNS)
    return b"".join(v.to_bytes(2, "little") for v in values)


def big_endian(elements: list[Planted]) -> list[Planted]:
    """Return the elements with their binary values turned round, for Explicit VR Big Endian."""
    return [_turned(e) for e in elements]


def _turned(element: Planted) -> Planted:
    if isinstance(element.value, list):
        if element.vr == "UN":
            return element
        return sequence(element.tag, *map(big_endian, element.value), undefined=element.undefined)
    if element.vr in ("US", "SS", "OW", "AT"):
        v = element.value + b"\0" * (len(element.value) % 2)
        return element._replace(value=b"".join(v[i : i + 2][::-1] for i in range(0, len(v), 2)))
    return element
