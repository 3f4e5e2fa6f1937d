"""Private blocks, Siemens CSA headers and XA groups, and GE's blobs."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

from planted.checks import (
    Case,
    Check,
    File,
    Kind,
    no_raw_byte_hit,
    no_raw_bytes,
    text_removed,
    uid_changed,
)
from planted.elements import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Planted,
    private_block,
    sequence,
    text,
    write_file,
)
from planted.madeup import ZDRAVOMIR, Tokens, big_endian, mr_image
from planted.table import Policy

_IMAGE = "image.dcm"
_BLOCKS = (0x10, 0x11, 0x37, 0xE1)
_V = ZDRAVOMIR

# What dcm2niix reads by its literal tag, or PS3.15 Table E.3.10-1 lists: group, creator, element,
# VR, value.
_SAFE = (
    (0x0019, "SIEMENS MR HEADER", 0x0A, "US", struct.pack("<H", 35)),
    (0x0019, "SIEMENS MR HEADER", 0x0B, "DS", b"57.5"),
    (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", b"1000"),
    (0x0019, "SIEMENS MR HEADER", 0x0D, "CS", b"DIRECTIONAL"),
    (0x0019, "SIEMENS MR HEADER", 0x0E, "FD", struct.pack("<3d", 0.6, 0.8, 0.0)),
    (0x0019, "SIEMENS MR HEADER", 0x27, "FD", struct.pack("<6d", 1, 2, 3, 4, 5, 6)),
    (0x0019, "SIEMENS MR HEADER", 0x28, "FD", struct.pack("<d", 17.5)),
    (0x0019, "SIEMENS MR HEADER", 0x29, "FD", struct.pack("<2d", 0.0, 1210.0)),
    (0x0051, "SIEMENS MR HEADER", 0x0F, "LO", b"HE1-4;NE1,2"),
    (0x0051, "SIEMENS MR HEADER", 0x11, "LO", b"p2"),
    (0x0051, "SIEMENS MR HEADER", 0x16, "LO", b"p2 M/ND"),
    (0x0019, "GEMS_ACQU_01", 0x1B, "DS", b"33.5"),
    (0x0019, "GEMS_ACQU_01", 0xBB, "DS", b"0.5"),
    (0x0019, "GEMS_ACQU_01", 0xE0, "DS", b"32"),
    (0x0021, "GEMS_RELA_01", 0x4F, "SS", struct.pack("<h", 30)),
    (0x0025, "GEMS_SERS_01", 0x07, "SL", struct.pack("<l", 150)),
    (0x0027, "GEMS_IMAG_01", 0x60, "FL", struct.pack("<f", 64.0)),
    (0x0043, "GEMS_PARM_01", 0x2C, "SS", struct.pack("<h", 528)),
    (0x0043, "GEMS_PARM_01", 0x39, "IS", b"1000\\0\\0\\0"),
    (0x2001, "Philips Imaging DD 001", 0x03, "FL", struct.pack("<f", 800.0)),
    (0x2001, "Philips Imaging DD 001", 0x04, "CS", b"I"),
    (0x2001, "Philips Imaging DD 001", 0x0B, "CS", b"TRANSVERSAL"),
    (0x2001, "Philips Imaging DD 001", 0x13, "SL", struct.pack("<l", 39)),
    (0x2001, "Philips Imaging DD 001", 0x18, "SL", struct.pack("<l", 30)),
    (0x2001, "Philips Imaging DD 001", 0x22, "FL", struct.pack("<f", 11.5)),
    (0x2005, "Philips MR Imaging DD 001", 0x0E, "FL", struct.pack("<f", 0.02)),
    (0x2005, "Philips MR Imaging DD 001", 0xB0, "FL", struct.pack("<f", 0.5)),
    (0x2005, "Philips MR Imaging DD 001", 0xB1, "FL", struct.pack("<f", -0.5)),
    (0x2005, "Philips MR Imaging DD 001", 0xB2, "FL", struct.pack("<f", 0.25)),
)
_CREATORS = (
    "WENDLOHE COHORT",
    "SIEMENS MED",
    "AGFA",
    "ELSCINT1",
    "Philips Private Gruenfelder",
    "GEMS_PATI_01",
    "MITRA LINKED ATTRIBUTES 1.0",
    "Brenzelmühl^Zdravomir",
    "",
)
_TEXT_VRS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT", "OB")


def private_cases(chosen: Policy, seed: int) -> Iterator[Case]:
    """Yield all cases of private data."""
    retains = "retain-safe-private" in chosen.options
    yield _unknown(Tokens(seed))
    yield _identity_under_safe_creators(Tokens(seed + 1))
    yield _odd_blocks(Tokens(seed + 2))
    yield _digits_as_numbers()
    if retains:
        for block in _BLOCKS:
            yield _safe(block, EXPLICIT_LITTLE)
        yield _safe(0x10, IMPLICIT_LITTLE)
        yield _safe(0x10, EXPLICIT_BIG)
    for form in ("SV10", "older"):
        yield _csa(form, Tokens(seed + 3), retains=retains)
    yield _protocol(Tokens(seed + 4), retains=retains)
    yield _xa(Tokens(seed + 5), retains=retains)
    yield _ge(Tokens(seed + 6), retains=retains)
    yield _declared_safe(Tokens(seed + 7))


def _unknown(tokens: Tokens) -> Case:
    """Plant under creators that nobody knows, in each VR."""
    elements: list[Planted] = []
    checks: list[Check] = []
    for number, creator in enumerate(_CREATORS):
        inner = []
        for low, vr in enumerate(_TEXT_VRS, start=1):
            token = tokens.code()
            inner.append(text(low, vr, token))
            place = f"private/{creator!r}/{vr}"
            checks.append(no_raw_byte_hit(_IMAGE, place, token))
        group = 0x0061 + 2 * number
        elements += private_block(group, 0x10 + number, creator, *inner)
        if creator and creator != "SIEMENS MED":
            checks.append(no_raw_byte_hit(_IMAGE, f"private/creator {creator!r}", creator))
    return _case("private/unknown creators", elements, checks)


def _identity_under_safe_creators(tokens: Tokens) -> Case:
    """Plant in what the safe creators' blocks hold beside, and where text should be a number."""
    elements: list[Planted] = []
    checks: list[Check] = []
    by_block: dict[tuple[int, str], list[Planted]] = {}
    numbers: dict[int, int] = {}
    blocks: dict[tuple[int, str], int] = {}
    for group, creator, low, vr, _ in _SAFE:
        if (group, creator) not in blocks:
            blocks[group, creator] = numbers[group] = numbers.get(group, 0x0F) + 1
        inner = by_block.setdefault((group, creator), [])
        inner.append(text(low, "LO", _V.patient_id))
        tag = group << 16 | blocks[group, creator] << 8 | low
        place = f"private/({group:04X},{creator},{low:02X}) as text instead of {vr}"
        checks.append(text_removed(_IMAGE, (tag,), place, _V.patient_id))
    for (group, creator), inner in by_block.items():
        for low in (0xF0, 0xFA, 0xFD):
            token = tokens.code()
            inner.append(text(low, "LO", token))
            place = f"private/({group:04X},{creator},{low:02X}) unlisted"
            checks.append(no_raw_byte_hit(_IMAGE, place, token))
    for (group, creator), inner in by_block.items():
        elements += private_block(group, blocks[group, creator], creator, *inner)
    return _case("private/identity under safe creators", elements, checks)


def _digits_as_numbers() -> Case:
    """Plant a moment and a UID as bytes where a number is safe."""
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for group, creator, low, vr, _ in _SAFE:
        for name, value in (("moment", f"{_V.study_date}094127"), ("UID", _V.frame_uid)):
            for written in (vr, "OB", "UN"):
                file = f"{len(files):03d}.dcm"
                element = Planted(low, written, value.encode())
                files[file] = write_file(mr_image(*private_block(group, 0x10, creator, element)))
                place = f"private/({group:04X},{creator},{low:02X}) holds a {name} as {written}"
                checks.append(no_raw_byte_hit(file, place, value))
    return Case(name="private/digits as numbers", files=files, checks=tuple(checks))


def _odd_blocks(tokens: Tokens) -> Case:
    """Plant in private elements that break the rules of blocks."""
    t = tokens
    planted = {
        "element without a creator": (0x00191008, t.code()),
        "creator in another group": (0x00230A08, t.code()),
        "element below the creators": (0x00190001, t.code()),
        "odd group 0001": (0x00010010, t.code()),
        "odd group 0003": (0x00031010, t.code()),
        "odd group 0005": (0x00050011, t.code()),
        "odd group 0007": (0x00071001, t.code()),
        "odd group FFFF": (0xFFFF0010, t.code()),
        "creator without elements": (0x00570010, t.code()),
        "creator in the last block": (0x005700FF, t.code()),
        "element of the last block": (0x0057FF01, t.code()),
        "private group length": (0x00590000, t.code()),
    }
    elements = [text(tag, "LO", token) for tag, token in planted.values()]
    elements.append(text(0x00230010, "LO", "SIEMENS MR HEADER"))
    checks = [
        no_raw_byte_hit(_IMAGE, f"private/{place}", token) for place, (_, token) in planted.items()
    ]
    # The creator's own value, after the name that is known.
    doubled = t.code()
    elements += private_block(
        0x0051, 0x10, f"SIEMENS MR HEADER\\{doubled}", text(0x0F, "LO", "HE1-4")
    )
    checks.append(no_raw_byte_hit(_IMAGE, "private/second value of a creator", doubled))
    hidden = t.code()
    elements += private_block(
        0x0019, 0x20, f"SIEMENS MR HEADER\0{hidden}", text(0x0F, "SH", "Fast")
    )
    checks.append(no_raw_byte_hit(_IMAGE, "private/behind the end of a creator", hidden))
    return _case("private/odd blocks", elements, checks)


def _safe(block: int, syntax: str) -> Case:
    """Plant safe attributes: they stay in their block."""
    elements: list[Planted] = []
    checks: list[Check] = []
    blocks: dict[tuple[int, str], int] = {}
    for group, creator, low, vr, value in _SAFE:
        taken = sum(1 for g, _ in blocks if g == group)
        number = blocks.setdefault((group, creator), block + taken)
        creator_tag = group << 16 | number
        tag = group << 16 | number << 8 | low
        elements += [text(creator_tag, "LO", creator), Planted(tag, vr, value)]
        place = f"private/({group:04X},{creator},{low:02X}) in block {number:02X}"
        checks.append(_kept_in_its_block(tag, creator_tag, place))
    image = mr_image(*elements)
    if syntax == EXPLICIT_BIG:
        image = [_turned(e) for e in big_endian(image)]
    content = write_file(image, syntax=syntax)
    name = f"private/safe in block {block:02X}, {syntax}"
    return Case(name=name, files={_IMAGE: content}, checks=tuple(checks))


def _turned(element: Planted) -> Planted:
    size = {"FD": 8, "FL": 4, "SL": 4, "UL": 4}.get(element.vr)
    if size is None or not isinstance(element.value, bytes):
        return element
    value = element.value
    return element._replace(
        value=b"".join(value[i : i + size][::-1] for i in range(0, len(value), size))
    )


def _kept_in_its_block(tag: int, creator_tag: int, place: str) -> Check:
    def passes(before: File, after: File) -> bool:
        one, other = before.element((tag,)), after.element((tag,))
        creators = (before.text((creator_tag,)), after.text((creator_tag,)))
        return (
            one is not None
            and other is not None
            and one.value == other.value
            and creators[0] == creators[1]
        )

    return Check(kind=Kind.BLOCK_NUMBER_KEPT, file=_IMAGE, place=place, passes=passes)


_PLANTED_ITEMS = (
    ("PatientName", "PN"),
    ("UsedPatientWeight", "DS"),
    ("FmriExternalInfo", "LO"),
    ("ImageComment", "LT"),
    ("OperatorName", "PN"),
    ("CoilId", "LO"),
    ("StudyDate", "DA"),
    ("Unlisted", "LO"),
)
_KNOWN_ITEMS = (
    ("EchoTime", "DS"),
    ("NumberOfImagesInMosaic", "US"),
    ("GradientMode", "SH"),
    ("CoilString", "LO"),
    ("ICE_Dims", "LO"),
    ("ImaCoilString", "LO"),
    ("SequenceFileOwner", "SH"),
    ("LongModelName", "LO"),
    ("PositivePCSDirections", "SH"),
    ("DiffusionDirectionality", "CS"),
    ("AcquisitionMatrixText", "SH"),
)


def _csa(form: str, tokens: Tokens, *, retains: bool) -> Case:
    """Plant in CSA headers: unknown items, known items with text, padding, after the end."""
    checks: list[Check] = []
    items: list[tuple[str, str, list[str]]] = [("EchoLinePosition", "IS", ["48"])]
    for name, vr in (*_PLANTED_ITEMS, *_KNOWN_ITEMS):
        token = tokens.code()
        items.append((name, vr, [token]))
        checks.append(no_raw_byte_hit(_IMAGE, f"CSA {form}/{name}", token))
    many = tokens.code()
    items.append(("MosaicRefAcqTimes", "FD", ["0.0", "1.0", many]))
    checks.append(no_raw_byte_hit(_IMAGE, f"CSA {form}/third value of a number", many))
    pattern = "1;HFS;90.72;36.13;2;0;0;-345402656"
    items.append(("PatReinPattern", "ST", [pattern]))
    checks.append(no_raw_byte_hit(_IMAGE, f"CSA {form}/PatReinPattern", "90.72"))
    alignment = f"FOR={_V.frame_uid}"
    items.append(("AutoAlignData", "LO", [alignment]))
    checks.append(no_raw_byte_hit(_IMAGE, f"CSA {form}/AutoAlignData", _V.frame_uid))
    in_name, in_slack, after_end = tokens.word(), tokens.word(), tokens.word()
    header = csa_header(items, form, in_name=in_name, in_slack=in_slack, after_end=after_end)
    checks += [
        no_raw_byte_hit(_IMAGE, f"CSA {form}/behind an item's name", in_name),
        no_raw_byte_hit(_IMAGE, f"CSA {form}/behind a value", in_slack),
        no_raw_byte_hit(_IMAGE, f"CSA {form}/after the last item", after_end),
    ]
    dates = (tokens.day(), tokens.day())
    elements = private_block(
        0x0029,
        0x10,
        "SIEMENS CSA HEADER",
        text(0x08, "CS", "IMAGE NUM 4"),
        text(0x09, "LO", dates[0]),
        Planted(0x10, "OB", header),
        text(0x18, "CS", "MR"),
        text(0x19, "LO", dates[1]),
        Planted(0x20, "OB", header),
    )
    checks += [no_raw_byte_hit(_IMAGE, f"CSA {form}/version", day) for day in dates]
    if retains:
        checks.append(_says(f"CSA {form}/a number of it", b"EchoLinePosition"))
    return _case(f"CSA/{form}", elements, checks)


def _says(place: str, words: bytes) -> Check:
    def passes(_: File, after: File) -> bool:
        return words in after.content

    return Check(kind=Kind.TEXT_RETAINED, file=_IMAGE, place=place, passes=passes)


def csa_header(
    items: list[tuple[str, str, list[str]]],
    form: str = "SV10",
    *,
    in_name: str = "",
    in_slack: str = "",
    after_end: str = "",
) -> bytes:
    """Write a CSA header, with what stands where nothing should.

    Parameters
    ----------
    items
        Name, VR and values of each.
    form
        "SV10" or "older".
    in_name
        What stands behind the end of each item's name.
    in_slack
        What stands behind the end of the first value of each item.
    after_end
        What stands after the last item.
    """
    head = b"SV10\4\3\2\1" if form == "SV10" else b""
    first_count = 0
    tags = []
    for name, vr, values in items:
        encoded = [value.encode("latin-1") + b"\0" for value in values]
        if in_slack and vr == "LO":
            encoded[0] += in_slack.encode() + b"\0"
        encoded += [b""] * (6 - len(encoded))
        first_count = first_count or len(encoded)
        named = name.encode() + (b"\0" + in_name.encode() if len(name) + len(in_name) < 63 else b"")
        tag = struct.pack("<64si4siii", named, len(values), vr.encode(), 3, len(encoded), 77)
        for value in encoded:
            size = len(value)
            if form == "SV10":
                lengths = (size, size, 77, size)
            else:
                lengths = (size + first_count, size, 77, size)
            tag += struct.pack("<4i", *lengths) + value + bytes(-size % 4)
        tags.append(tag)
    return head + struct.pack("<II", len(tags), 77) + b"".join(tags) + after_end.encode()


def protocol(entries: dict[str, str], *, before: str = "", after: str = "") -> str:
    """Write an XProtocol with an ASCCONV section."""
    lines = "\n".join(f"{key}\t = \t{value}" for key, value in entries.items())
    return (
        f'<XProtocol>\n{{\n  <Name> "PhoenixMetaProtocol"\n{before}\n'
        "### ASCCONV BEGIN object=MrProtDataImpl@MrProtocolData version=51130001 ###\n"
        f'{lines}\n### ASCCONV END ###\n{after}"}}\n'
    )


def _protocol_entries(tokens: Tokens) -> dict[str, tuple[str, str]]:
    """Return keys, values and what is planted in them."""
    t = [tokens.word() for _ in range(12)]
    return {
        "sWipMemBlock.tFree": (f'""{t[0]}""', t[0]),
        "tReferenceImage0": (f'""{_V.uid_root}77""', f"{_V.uid_root}77"),
        "tReferenceImage1": (f'""{_V.uid_root}78""', f"{_V.uid_root}78"),
        "tFrameOfReference": (f'""{_V.frame_uid}""', _V.frame_uid),
        "tPatientName": (f'""{t[1]}""', t[1]),
        "tOperator": (f'""{t[2]}""', t[2]),
        "tProtocolName": (f'""t1_{_V.given}_sag""', _V.given),
        "tSequenceFileName": (f'""%CustomerSeq%\\{t[3]}\\{t[4]}_ep2d""', t[3]),
        "sUnknownThing.tText": (f'""{t[5]}""', t[5]),
        "alTR[0]": (f'""{t[6]}""', t[6]),
        "sGroupArray.asGroup[0].tText": (f'""{t[7]}""', t[7]),
        "sProtConsistencyInfo.tBaselineString": (f'""{t[8]}""', t[8]),
        "sProtConsistencyInfo.tMeasuredBaselineString": (f'""{t[9]}""', t[9]),
    }


def _protocol(tokens: Tokens, *, retains: bool) -> Case:
    """Plant in the protocol text of a series' CSA header."""
    entries = _protocol_entries(tokens)
    before, after = tokens.word(), tokens.word()
    written = {key: value for key, (value, _) in entries.items()} | {"lContrasts": "2"}
    content = protocol(
        written,
        before=f'  <ParamString."tPatientName"> {{ "{before}" }}',
        after=f'<ParamString."PatientID"> {{ "{after}" }}',
    )
    checks = [
        no_raw_byte_hit(_IMAGE, f"protocol/{key}", planted)
        for key, (_, planted) in entries.items()
        if planted != _V.given
    ]
    checks.append(no_raw_byte_hit(_IMAGE, "protocol/tProtocolName", _V.given))
    checks.append(no_raw_byte_hit(_IMAGE, "protocol/XProtocol before", before))
    checks.append(no_raw_byte_hit(_IMAGE, "protocol/XProtocol after", after))
    items = [("MrPhoenixProtocol", "UN", [content]), ("ReadoutOS", "FD", ["2.0"])]
    elements = private_block(
        0x0029,
        0x10,
        "SIEMENS CSA HEADER",
        Planted(0x20, "OB", csa_header(items)),
    )
    if retains:
        checks.append(_says("protocol/a number of it", b"lContrasts"))
        checks.append(_says("protocol/its sequence's name", b"_sag"))
    return _case("CSA/protocol", elements, checks)


def _xa(tokens: Tokens, *, retains: bool) -> Case:
    """Plant in XA's series-level and frame-level groups, whose items have their own creators."""
    t = tokens
    build, day, moment = t.word(), t.day(), t.day()
    entries = _protocol_entries(t)
    content = protocol({key: value for key, (value, _) in entries.items()})
    series = private_block(
        0x0021,
        0x10,
        "SIEMENS MR SDS 01",
        text(0x01, "IS", "90"),
        Planted(0x19, "OB", content.encode("latin-1")),
        text(0x2B, "ST", "1;HFS;90.72;;M;0;0;-198878115"),
        text(0x3F, "UI", _V.frame_uid),
        text(0x43, "UT", f"C:/Users/{build}/{day}/build"),
        text(0x60, "DT", f"{moment}101112"),
        text(0xEE, "LO", t.code()),
    )
    frame = private_block(
        0x0021,
        0x11,
        "SIEMENS MR SDI 02",
        text(0x04, "DS", "57.5"),
        text(0x53, "LO", t.code()),
        text(0xEE, "PN", t.code()),
    )
    checks = [
        no_raw_byte_hit(_IMAGE, f"XA/{key}", planted) for key, (_, planted) in entries.items()
    ]
    checks += [
        no_raw_byte_hit(_IMAGE, "XA/build's user", build),
        no_raw_byte_hit(_IMAGE, "XA/build's day", day),
        no_raw_byte_hit(_IMAGE, "XA/start of the series", moment),
        no_raw_byte_hit(_IMAGE, "XA/weight in the position", "90.72"),
        no_raw_byte_hit(_IMAGE, "XA/frame of reference", _V.frame_uid),
        *(
            no_raw_byte_hit(_IMAGE, f"XA/unlisted {e.tag:08X}", e.value.decode())
            for e in (*series[-1:], *frame[-2:])
            if isinstance(e.value, bytes)
        ),
    ]
    shared = [
        text(0x00210010, "LO", "SIEMENS MR SDS 01"),
        sequence(0x002110FE, series),
    ]
    per_frame = [
        text(0x00210011, "LO", "SIEMENS MR SDI 02"),
        sequence(0x002111FE, frame),
    ]
    elements = [
        sequence(0x52009229, shared, undefined=True),
        sequence(0x52009230, per_frame, undefined=True),
    ]
    path = (0x52009229, 0, 0x002110FE, 0, 0x0021103F)
    checks.append(uid_changed(_IMAGE, path, "XA/frame of reference"))
    if retains:
        deep = (0x52009230, 0, 0x002111FE, 0, 0x00211104)

        def kept(before: File, after: File) -> bool:
            return before.text(deep) == after.text(deep) != ""

        checks.append(
            Check(
                kind=Kind.BLOCK_NUMBER_KEPT, file=_IMAGE, place="XA/time after start", passes=kept
            )
        )
    return _case("XA", elements, checks)


def _ge(tokens: Tokens, *, retains: bool) -> Case:
    """Plant in GE's compressed protocol and in its user-defined data."""
    t = [tokens.word() for _ in range(6)]
    lines = "\n".join(
        (
            f'set PATNAME "{t[0]}"',
            f'PATIENT "{t[1]}"',
            f'SEDESC "axial {_V.given}"',
            f'NOTES "{t[2]}"',
            'VIEWORDER "1"',
            'SLICEORDER "1"',
        )
    )
    packed = gzip.compress(lines.encode("latin-1"), mtime=1316771000)
    named = packed[:3] + b"\x08" + packed[4:10] + f"{t[3]}.txt\0".encode() + packed[10:]
    user = bytearray(1200)
    struct.pack_into("<H", user, 24, 32)
    struct.pack_into("<f", user, 32, 26.0)
    user[600 : 600 + len(t[4])] = t[4].encode()
    elements = [
        *private_block(
            0x0025, 0x10, "GEMS_SERS_01", Planted(0x1B, "OB", struct.pack("<L", len(named)) + named)
        ),
        *private_block(0x0043, 0x10, "GEMS_PARM_01", Planted(0x2A, "OB", bytes(user))),
        *private_block(0x0009, 0x10, "GEMS_IDEN_01", text(0x30, "SH", t[5])),
    ]
    planted = (*t, _V.given)
    names = ("name", "patient", "notes", "gzip's file name", "user data", "service", "series")
    checks = [
        no_raw_byte_hit(_IMAGE, f"GE/{name}", word)
        for name, word in zip(names, planted, strict=True)
    ]
    checks.append(no_raw_bytes(_IMAGE, "GE/gzip's time", packed[4:8]))
    if retains:

        def kept(_: File, after: File) -> bool:
            return b"VIEWORDER" in after.everything

        checks.append(
            Check(kind=Kind.TEXT_RETAINED, file=_IMAGE, place="GE/view order", passes=kept)
        )
    return _case("GE", elements, checks)


def _declared_safe(tokens: Tokens) -> Case:
    """Plant behind a declaration of safety that lies, and one that says the contrary."""
    lying, unsafe = tokens.code(), tokens.code()
    named = f"scan of {_V.given} {_V.family}"
    declared = [
        Planted(0x00080301, "US", struct.pack("<H", 0x0055)),
        text(0x00080302, "LO", "WENDLOHE COHORT"),
        text(0x00080303, "CS", "SAFE"),
        text(0x00080305, "LO", lying),
    ]
    elements = [
        sequence(0x00080300, declared),
        *private_block(
            0x0055,
            0x10,
            "WENDLOHE COHORT",
            text(0x01, "LO", named),
            text(0x02, "PN", _V.name),
            text(0x03, "DA", _V.study_date),
            text(0x04, "UI", _V.frame_uid),
            text(0x05, "UN", _V.patient_id),
        ),
        *private_block(0x0057, 0x10, "WENDLOHE OTHER", text(0x01, "LO", unsafe)),
    ]
    checks = [
        no_raw_byte_hit(_IMAGE, "declared safe/description", lying),
        no_raw_byte_hit(_IMAGE, "declared safe/family name", _V.family),
        no_raw_byte_hit(_IMAGE, "declared safe/given name", _V.given),
        no_raw_byte_hit(_IMAGE, "declared safe/date", _V.study_date),
        no_raw_byte_hit(_IMAGE, "declared safe/UID", _V.frame_uid),
        no_raw_byte_hit(_IMAGE, "declared safe/ID", _V.patient_id),
        no_raw_byte_hit(_IMAGE, "not declared", unsafe),
        text_removed(_IMAGE, (0x00551001,), "declared safe/name in text", _V.given),
    ]
    return _case("private/declared safe", elements, checks)


def _case(name: str, elements: list[Planted], checks: list[Check]) -> Case:
    content = write_file(mr_image(*elements))
    return Case(name=name, files={_IMAGE: content}, checks=tuple(checks))
