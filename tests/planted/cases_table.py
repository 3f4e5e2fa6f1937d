"""Every attribute of Table E.1-1, at every place where one can stand."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from planted.checks import (
    GONE_IS_WELL,
    Across,
    Case,
    Check,
    Cleaned,
    Kind,
    Path,
    date_shifted,
    days_between,
    no_raw_byte_hit,
    no_raw_bytes,
    pixels_retained,
    tag_retained,
    text_notnull,
    text_removed,
    text_retained,
    uid_changed,
    words_retained,
)
from planted.elements import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Planted,
    private_block,
    sequence,
    text,
    write_file,
)
from planted.madeup import MR_IMAGE, ZDRAVOMIR, Tokens, big_endian, mr_image
from planted.table import Policy, Row, Wanted, rows, wanted

_ROWS_A_FILE = 80
_NEEDED = frozenset({0x00020003, 0x00041511, 0x00080018})
# Text values that have no room for a made-up word, and what stands there instead.
_KEPT_VALUES = {"AS": "034Y", "DS": "71.5", "IS": "2", "US": "1", "CS": "F"}
_WORDS = "axial fast spin"
_SHORT_WORDS = "tse"
_PATIENT_ID = 0x00100020
_ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


@dataclass(frozen=True, kw_only=True)
class Value:
    """A planted value: the element, and what its text is looked for by."""

    element: Planted
    token: str


def table_cases(chosen: Policy, seed: int) -> Iterator[Case]:
    """Yield all cases of the table."""
    for number, (name, syntax) in enumerate(
        (
            ("explicit", EXPLICIT_LITTLE),
            ("implicit", IMPLICIT_LITTLE),
            ("big-endian", EXPLICIT_BIG),
            ("deflated", DEFLATED),
        )
    ):
        yield _at_the_top(f"table/{name}", chosen, Tokens(seed + number), syntax)
    yield _at_the_top("table/enhanced", chosen, Tokens(seed + 4), sop_class=_ENHANCED_MR)
    yield _written_as_un(chosen, Tokens(seed + 5))
    for number, (name, wrap) in enumerate(_CONTAINERS.items()):
        yield _nested(f"table/{name}", chosen, Tokens(seed + 10 + number), wrap)
    yield _uids(Tokens(seed + 30))
    yield _intervals(chosen, Tokens(seed + 31))


def _files_of_rows(chosen: tuple[Row, ...]) -> Iterator[tuple[str, tuple[Row, ...]]]:
    """Deal the rows out to files, as real ones hold dozens and not hundreds of them."""
    for start in range(0, len(chosen), _ROWS_A_FILE):
        yield f"{start // _ROWS_A_FILE:02d}.dcm", chosen[start : start + _ROWS_A_FILE]


def _planted_rows() -> tuple[Row, ...]:
    return tuple(row for row in rows() if row.tag >> 16 >= 8 and row.tag not in _NEEDED)


def _at_the_top(
    name: str,
    chosen: Policy,
    tokens: Tokens,
    syntax: str = EXPLICIT_LITTLE,
    *,
    sop_class: str = MR_IMAGE,
) -> Case:
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for number, (file, some_rows) in enumerate(_files_of_rows(_planted_rows())):
        planted: list[Planted] = []
        checks.append(pixels_retained(file, f"{name}/pixels"))
        for row in some_rows:
            fate = wanted(row, chosen, sop_class)
            value = _value(row, tokens, fate)
            planted.append(value.element)
            if row.vr != "US" or syntax in (EXPLICIT_LITTLE, DEFLATED):
                checks += _checks(row, value, fate, file, f"{name}/{row.name}")
        elements = mr_image(*planted, sop_class=sop_class, number=number)
        if syntax == EXPLICIT_BIG:
            elements = big_endian(elements)
        files[file] = write_file(elements, syntax=syntax)
    return Case(name=name, files=files, checks=tuple(checks))


def _written_as_un(chosen: Policy, tokens: Tokens) -> Case:
    """Plant the table with VR UN: an earlier system did not know the attributes."""
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for file, some_rows in _files_of_rows(_planted_rows()):
        planted: list[Planted] = []
        for row in some_rows:
            fate = wanted(row, chosen, MR_IMAGE)
            value = _value(row, tokens, fate)
            planted.append(value.element._replace(vr="UN"))
            checks += [
                check
                for check in _checks(row, value, fate, file, f"table/UN/{row.name}")
                if check.kind in GONE_IS_WELL and row.vr != "US"
            ]
        files[file] = write_file(mr_image(*planted))
    return Case(name="table/UN", files=files, checks=tuple(checks))


Wrap = Callable[[list[Planted]], tuple[list[Planted], Path | None]]


def _nested(name: str, chosen: Policy, tokens: Tokens, wrap: Wrap) -> Case:
    """Plant what the policy never keeps within a sequence."""
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for file, some_rows in _files_of_rows(tuple(filter(_always_goes, _planted_rows()))):
        fates = [(row, wanted(row, chosen, MR_IMAGE)) for row in some_rows]
        values = [
            (row, _value(row, tokens, fate)) for row, fate in fates if fate is not Wanted.KEPT
        ]
        outer, path = wrap([value.element for _, value in values])
        files[file] = write_file(mr_image(*outer))
        for row, value in values:
            place = f"{name}/{row.name}"
            checks.append(no_raw_byte_hit(file, place, value.token))
            if path is not None:
                checks.append(text_removed(file, (*path, row.tag), place, value.token))
    return Case(name=name, files=files, checks=tuple(checks))


def _always_goes(row: Row) -> bool:
    """Tell whether a made-up word of ten letters can stay in it under no policy."""
    return row.vr not in ("AS", "DS", "IS", "US", "CS") and not (
        row.vr == "TM" or "retain-patient-characteristics" in row.options
    )


def _in_a_listed_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    return [sequence(0x00081140, inner)], (0x00081140, 0)


def _in_an_unlisted_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    return [sequence(0x00081032, inner, undefined=True)], (0x00081032, 0)


def _in_a_removed_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    return [sequence(0x00400275, inner)], None


def _in_functional_groups(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    content = sequence(0x00209111, inner, undefined=True)
    return [sequence(0x52009230, [content], undefined=True)], (0x52009230, 0, 0x00209111, 0)


def _five_deep(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    path: list[int] = []
    element = sequence(0x00081140, inner)
    path = [0x00081140, 0]
    for tag in (0x0040A170, 0x00081032, 0x00089215, 0x00082112, 0x0018A001):
        element = sequence(tag, [element], undefined=tag % 3 == 0)
        path = [tag, 0, *path]
    return [element], None


def _in_a_safe_private_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    items = [
        *private_block(0x0021, 0x10, "SIEMENS MR SDS 01", text(0x01, "IS", "3")),
        *inner,
    ]
    return private_block(0x0021, 0x10, "SIEMENS MR SDS 01", sequence(0xFE, items)), None


def _in_an_unknown_private_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    return private_block(0x0055, 0x10, "WENDLOHE COHORT", sequence(0x02, inner)), None


def _in_an_un_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    return [sequence(0x00081140, inner, vr="UN")], (0x00081140, 0)


def _in_an_undefined_un_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    return [sequence(0x00081140, inner, vr="UN", undefined=True)], (0x00081140, 0)


def _in_an_unknown_un_sequence(inner: list[Planted]) -> tuple[list[Planted], Path | None]:
    return [sequence(0x0018F0F0, inner, vr="UN")], None


_CONTAINERS: dict[str, Wrap] = {
    "listed sequence": _in_a_listed_sequence,
    "unlisted sequence": _in_an_unlisted_sequence,
    "removed sequence": _in_a_removed_sequence,
    "functional groups": _in_functional_groups,
    "five deep": _five_deep,
    "safe private sequence": _in_a_safe_private_sequence,
    "unknown private sequence": _in_an_unknown_private_sequence,
    "UN sequence": _in_an_un_sequence,
    "UN sequence of undefined length": _in_an_undefined_un_sequence,
    "UN sequence that no dictionary knows": _in_an_unknown_un_sequence,
}


def _uids(tokens: Tokens) -> Case:
    """Plant one UID for each attribute, in two files and in a reference."""
    uid_rows = [r for r in rows() if r.vr == "UI" and r.basic == "U" and r.tag >> 16 >= 8]
    uid_rows = [r for r in uid_rows if r.tag not in (0x00080018, 0x0020000D)]
    uids = {row.tag: tokens.uid() for row in uid_rows}
    planted = [text(tag, "UI", uid) for tag, uid in uids.items()]
    references = [
        [text(0x00081150, "UI", MR_IMAGE), text(0x00081155, "UI", uid)] for uid in uids.values()
    ]
    refers = sequence(0x0008114A, *references)
    unreferred = [p for p in planted if p.tag != 0x00081155]
    files = {
        "first.dcm": write_file(mr_image(*unreferred, refers, number=1)),
        "second.dcm": write_file(mr_image(*unreferred, number=2), syntax=IMPLICIT_LITTLE),
    }
    checks: list[Check | Across] = []
    for index, row in enumerate(uid_rows):
        if row.tag == 0x00081155:
            continue
        place = f"UIDs/{row.name}"
        checks.append(uid_changed("first.dcm", (row.tag,), place))
        checks.append(no_raw_byte_hit("first.dcm", place, uids[row.tag]))
        checks.append(_same_uid(place, ("first.dcm", (row.tag,)), ("second.dcm", (row.tag,))))
        reference = (0x0008114A, index, 0x00081155)
        checks.append(
            _same_uid(
                f"{place} in a reference", ("first.dcm", (row.tag,)), ("first.dcm", reference)
            )
        )
    checks.append(text_retained("first.dcm", (0x00080016,), "UIDs/SOP Class UID"))
    checks.append(
        text_retained("first.dcm", (0x0008114A, 0, 0x00081150), "UIDs/Referenced SOP Class UID")
    )
    checks += map(_meta_agrees, files)
    return Case(name="UIDs", files=files, checks=tuple(checks))


def _same_uid(place: str, one: tuple[str, Path], other: tuple[str, Path]) -> Across:
    def passes(cleaned: Cleaned) -> bool:
        first, second = cleaned.after[one[0]], cleaned.after[other[0]]
        if first is None or second is None:
            return False
        return first.text(one[1]) == second.text(other[1]) != ""

    return Across(kind=Kind.UID_CONSISTENT, place=place, passes=passes)


def _meta_agrees(name: str) -> Check:
    def passes(_: object, after: object) -> bool:
        data_set = after.data_set  # type: ignore[attr-defined]
        return bool(data_set.file_meta.MediaStorageSOPInstanceUID == data_set.SOPInstanceUID)

    return Check(kind=Kind.UID_CONSISTENT, file=name, place="UIDs/file meta", passes=passes)


def _intervals(chosen: Policy, tokens: Tokens) -> Case:
    """Plant dates of every attribute in two files: all move together, whatever the policy."""
    dated = [
        r for r in rows() if r.vr in ("DA", "DT") and wanted(r, chosen, MR_IMAGE) is Wanted.SHIFTED
    ]
    planted = [_value(row, tokens, Wanted.SHIFTED).element for row in dated]
    files = {
        "first.dcm": write_file(mr_image(*[p for p in planted if p.tag != 0x00080020])),
        "second.dcm": write_file(
            mr_image(*[p for p in planted if p.tag != 0x00080020], number=2),
            syntax=IMPLICIT_LITTLE,
        ),
    }
    checks = [
        _interval(f"intervals/{a.name} to {b.name}", a.tag, b.tag)
        for a, b in pairwise(dated)
        if 0x00080020 not in (a.tag, b.tag)
    ]
    return Case(name="intervals", files=files, checks=tuple(checks))


def _interval(place: str, first: int, second: int) -> Across:
    def passes(cleaned: Cleaned) -> bool:
        before = cleaned.before["first.dcm"]
        one, other = cleaned.after["first.dcm"], cleaned.after["second.dcm"]
        if one is None or other is None:
            return False
        was = days_between(before.text((first,)), before.text((second,)))
        return days_between(one.text((first,)), other.text((second,))) == was

    return Across(kind=Kind.INTERVAL_KEPT, place=place, passes=passes)


def _value(row: Row, tokens: Tokens, fate: Wanted) -> Value:
    """Make up a value for an attribute."""
    if row.vr == "SQ":
        token = tokens.word()
        named = [text(0x00100010, "PN", f"{token}^Q"), text(0x00081155, "UI", tokens.uid())]
        return Value(element=sequence(row.tag, named), token=token)
    if fate is Wanted.KEPT and row.vr != "TM":
        kept = _KEPT_VALUES.get(row.vr, "x")
        value = struct.pack("<H", 1) if row.vr == "US" else kept.encode()
        return Value(element=Planted(row.tag, row.vr, value), token="")
    token = ZDRAVOMIR.patient_id if row.tag == _PATIENT_ID else _token(row.vr, tokens)
    written = {
        "PN": f"{token}^Ulf",
        "DT": f"{token}101112.345",
        "UR": f"https://{token}.example/x",
        "AS": "094Y",
    }.get(row.vr, token)
    if fate is Wanted.CLEANED and row.tag != _PATIENT_ID:
        token = ZDRAVOMIR.patient_id
        written = f"{_words(row)} {token}"
    if row.vr == "US":
        return Value(element=Planted(row.tag, "US", b"\x5a\xa5"), token="")
    return Value(element=text(row.tag, row.vr, written), token=token)


def _words(row: Row) -> str:
    return _WORDS if row.vr != "SH" else _SHORT_WORDS


def _token(vr: str, tokens: Tokens) -> str:
    if vr in ("DA", "DT"):
        return tokens.day()
    if vr == "TM":
        return tokens.time()
    if vr == "UI":
        return tokens.uid()
    if vr in ("DS", "IS"):
        return tokens.number()
    return tokens.code() if vr in ("CS", "AE", "SH") else tokens.word()


def _checks(row: Row, value: Value, fate: Wanted, file: str, place: str) -> list[Check]:
    path, token = (row.tag,), value.token
    if row.vr == "US":
        header = struct.pack("<HH2sH", row.tag >> 16, row.tag & 0xFFFF, b"US", 2)
        gone = no_raw_bytes(file, place, header + b"\x5a\xa5")
        return [gone] if fate is Wanted.GONE else []
    if fate is Wanted.KEPT:
        return [tag_retained(file, path, place), text_retained(file, path, place)]
    if fate is Wanted.SHIFTED:
        return [
            date_shifted(file, path, place),
            no_raw_byte_hit(file, place, token),
        ]
    if row.vr == "AS":
        return [text_removed(file, path, place, "094Y")]
    checks = [text_removed(file, path, place, token), no_raw_byte_hit(file, place, token)]
    if fate is Wanted.CLEANED and row.vr != "SQ":
        checks.append(words_retained(file, path, place, *_words(row).split()))
    if fate is Wanted.EMPTIED:
        checks.append(tag_retained(file, path, place))
    if fate is Wanted.DUMMY:
        checks.append(text_notnull(file, path, place))
    if fate is Wanted.NEW_UID and row.vr == "UI":
        checks.append(uid_changed(file, path, place))
    return checks
