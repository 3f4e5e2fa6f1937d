"""What stands around the data set, in odd places of it, and in the picture."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from planted.checks import (
    Across,
    Case,
    Check,
    Cleaned,
    File,
    Kind,
    no_raw_byte_hit,
    no_raw_bytes,
    pixels_retained,
    shift_days,
    text_removed,
    text_retained,
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
    write_data_set,
    write_file,
)
from planted.madeup import (
    BASIL,
    COLUMNS,
    ROWS,
    ZDRAVOMIR,
    Tokens,
    big_endian,
    mr_image,
    picture_bytes,
)
from planted.table import Policy

_IMAGE = "image.dcm"
_JPEG = "1.2.840.10008.1.2.4.50"
_JPEG_2000 = "1.2.840.10008.1.2.4.90"
_RLE = "1.2.840.10008.1.2.5"
# Two segments of 64 equal bytes.
_RLE_FRAME = struct.pack("<16L", 2, 64, 66, *[0] * 13) + b"\xc1\5\xc1\1"
_V = ZDRAVOMIR


def file_cases(chosen: Policy, seed: int) -> Iterator[Case]:
    """Yield all cases of files as a whole."""
    yield _preamble_and_meta(Tokens(seed))
    yield from _after_the_end(Tokens(seed + 1))
    yield from _malformed(Tokens(seed + 2))
    yield from _lying_charsets()
    yield from _around_pixels(Tokens(seed + 3))
    yield _hidden_bits()
    yield from _persons(chosen)
    yield _uid_with_an_id()


def _preamble_and_meta(tokens: Tokens) -> Case:
    t = tokens
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for number, syntax in enumerate((EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED)):
        planted = {
            "preamble": t.word(),
            "AE title": t.code(),
            "sending AE": t.code(),
            "receiving AE": t.code(),
            "private information": t.word(),
            "private creator UID": t.uid(),
            "implementation version": t.code(),
            "implementation class": t.uid(),
            "presentation address": t.word(),
            "unknown element": t.word(),
        }
        meta = [
            text(0x00020016, "AE", planted["AE title"]),
            text(0x00020017, "AE", planted["sending AE"]),
            text(0x00020018, "AE", planted["receiving AE"]),
            text(0x00020102, "OB", planted["private information"]),
            text(0x00020100, "UI", planted["private creator UID"]),
            text(0x00020013, "SH", planted["implementation version"]),
            text(0x00020012, "UI", planted["implementation class"]),
            text(0x00020026, "UR", planted["presentation address"]),
            text(0x00020033, "LO", planted["unknown element"]),
        ]
        image = mr_image(number=number)
        file = f"{number}.dcm"
        files[file] = write_file(
            big_endian(image) if syntax == EXPLICIT_BIG else image,
            syntax=syntax,
            preamble=b"II*\0" + planted["preamble"].encode(),
            meta=meta,
        )
        checks += [no_raw_byte_hit(file, f"meta/{k}, {syntax}", v) for k, v in planted.items()]
    return Case(name="file/preamble and meta", files=files, checks=tuple(checks))


def _after_the_end(tokens: Tokens) -> Iterator[Case]:
    """Plant behind the data set: as bytes, as padding, as another file."""
    t = tokens
    tails = {
        "bytes": lambda w: w.encode(),
        "zeros and bytes": lambda w: bytes(64) + w.encode(),
        "spaces and bytes": lambda w: b" " * 64 + w.encode(),
        "an item": lambda w: b"\xfe\xff\x00\xe0\x10\0\0\0" + w.encode(),
        "another file": lambda w: write_file(mr_image(text(0x00100010, "PN", w))),
        "padding": lambda w: write_data_set([text(0xFFFCFFFC, "OB", w)], EXPLICIT_LITTLE),
        "padding of undefined VR": lambda w: b"\xfc\xff\xfc\xff\x10\0\0\0" + w.ljust(16).encode(),
        "an element that comes too late": lambda w: write_data_set(
            [text(0x00100010, "PN", w)], EXPLICIT_LITTLE
        ),
        "an XML document": lambda w: f"<patient>{w}</patient>".encode(),
    }
    for syntax in (EXPLICIT_LITTLE, IMPLICIT_LITTLE, DEFLATED):
        for name, tail in tails.items():
            word = t.word()
            place = f"after the end/{name}, {syntax}"
            content = write_file(mr_image(), syntax=syntax, trailing=tail(word))
            checks = (no_raw_byte_hit(_IMAGE, place, word),)
            yield Case(name=place, files={_IMAGE: content}, checks=checks, may_be_held_back=True)


def _malformed(tokens: Tokens) -> Iterator[Case]:
    """Plant in data sets that break the rules of order, number and length."""
    t = tokens
    word, other = t.word(), t.word()
    name = text(0x00100010, "PN", f"{word}^Q")
    image = mr_image()
    variants: dict[str, bytes] = {
        "reversed order": write_file(mr_image(name)[::-1], ordered=False),
        "doubled element": write_file([*image, name]),
        "doubled and parted": write_file([*image, name], ordered=False),
        "doubled sequence": write_file(
            [*image, sequence(0x00081032, [name]), sequence(0x00081032, [name])]
        ),
        "doubled ID": write_file([*image, text(0x00100020, "LO", word)]),
        "doubled study date": write_file([*image, text(0x00080020, "LO", word)]),
        "doubled charset": write_file([name, *image, text(0x00080005, "CS", "ISO_IR 144")]),
        "name as DS": write_file(mr_image(text(0x00100010, "DS", word))),
        "name as UI": write_file(mr_image(text(0x00100010, "UI", word))),
        "name as US": write_file(mr_image(text(0x00100010, "US", word))),
        "name as a later VR": write_file(mr_image(text(0x00100010, "UN", word))).replace(
            b"\x10\0\x10\0UN", b"\x10\0\x10\0ZZ"
        ),
        "name as a sequence": write_file(mr_image(sequence(0x00100010, [name]))),
        "name as fragments": write_file(
            mr_image(Planted(0x00100010, "OB", b"\xfe\xff\x00\xe0\x0a\0\0\0" + word.encode()))
        ),
        "date as text": write_file(mr_image(text(0x00080020, "LO", word))),
        "date as UT": write_file(mr_image(text(0x00080022, "UT", word))),
        "UID as text": write_file(mr_image(text(0x0020000D, "LO", word))),
        "UID as UN": write_file(mr_image(text(0x00200052, "UN", word))),
        "age as text": write_file(mr_image(text(0x00101010, "LO", word))),
        "sex as text": write_file(mr_image(text(0x00100040, "LO", f"{_V.given}"))),
        "weight as text": write_file(mr_image(text(0x00101030, "DS", word))),
        "time as text": write_file(mr_image(text(0x00080032, "TM", word))),
        "group length of the wrong size": write_file([*image, text(0x00100000, "UL", word)]),
        "command group": write_file([*image, text(0x00000110, "US", word)]),
        "directory group": write_file([*image, text(0x00041130, "CS", word)]),
        "group 0006": write_file([*image, text(0x00060010, "LO", word)]),
        "meta within the data set": write_file([*image, text(0x00020016, "AE", word)]),
        "unknown even group": write_file([*image, text(0x00FE1234, "LO", word)]),
        "unknown element of a known group": write_file([*image, text(0x0010F0F0, "LO", word)]),
        "unknown sequence": write_file([*image, sequence(0x0010F0F2, [name])]),
        "a sequence in an unlisted text": write_file([*image, text(0x00180024, "UN", word)]),
        "a sequence as OB": write_file([*image, text(0x00081032, "OB", word)]),
        "a sequence as LO": write_file([*image, text(0x00081032, "LO", word)]),
        "a sequence as US": write_file([*image, text(0x00081032, "US", word)]),
        "items as OB": write_file([*image, Planted(0x00081032, "OB", _items_of(name))]),
        "explicit items within UN": write_file(
            [*image, Planted(0x00081032, "UN", _items_of(name))]
        ),
        "explicit items within an unknown UN": write_file(
            [*image, Planted(0x0010F0F2, "UN", _items_of(name))]
        ),
        "implicit items": write_file(
            [*image, Planted(0x00081032, "SQ", _items_of(name, IMPLICIT_LITTLE))]
        ),
        "big-endian items": write_file(
            [*image, Planted(0x00081032, "SQ", _items_of(name, EXPLICIT_BIG))]
        ),
        "an unlisted text as PN": write_file([*image, text(0x00180024, "PN", word)]),
        "an unlisted number as words": write_file(
            [*image, text(0x00189087, "FD", f"{word}{_V.patient_id}"[:16])]
        ),
        "an unlisted number in short words": write_file(
            [*image, text(0x00189087, "FD", _V.given[:8])]
        ),
        "two person names": write_file(
            mr_image(text(0x00100010, "PN", f"{_V.name}\\{word}"), text(0x0008103E, "LO", word))
        ),
        "three scripts": write_file(
            mr_image(
                text(0x00100010, "PN", f"{_V.name}={word}={other}"), text(0x0008103E, "LO", other)
            )
        ),
        "an empty item and a full one": write_file([*image, sequence(0x00081140, [], [name])]),
        "32 deep": write_file([*image, _nested(30, name)]),
        "40 deep": write_file([*image, _nested(40, name)]),
        "odd length": write_file([*image, text(0x00180024, "SH", "x")]).replace(
            b"SH\2\0x ", b"SH\1\0x"
        )
        + write_data_set([name], EXPLICIT_LITTLE),
        "without meta": write_data_set([*image, name], EXPLICIT_LITTLE),
        "without meta, implicit": write_data_set([*image, name], IMPLICIT_LITTLE),
        "another syntax than stated": write_file(mr_image(name)).replace(
            b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"
        ),
        "truncated": write_file(mr_image(name))[:-40],
        "padding inside a value": write_file(mr_image(text(0x00180024, "SH", f"x\0\0{_V.given}"))),
        "padding behind a UID": write_file(
            mr_image(text(0x00080016, "UI", f"1.2.840.10008.5.1.4.1.1.4\0{word}"))
        ),
        "behind a transfer syntax": write_file(mr_image(name), syntax=EXPLICIT_LITTLE).replace(
            b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1 "
        ),
        "in a method that came before": write_file(
            mr_image(
                text(0x00120062, "CS", "YES"), text(0x00120063, "LO", f"by {word} for {_V.given}")
            )
        ),
        "in codes of a method": write_file(
            mr_image(
                text(0x00120062, "CS", "YES"),
                sequence(
                    0x00120064,
                    [
                        text(0x00080100, "SH", _V.patient_id),
                        text(0x00080102, "SH", "99X"),
                        text(0x00080104, "LO", f"by {word}"),
                    ],
                ),
            )
        ),
        "in the modality": write_file(mr_image(text(0x00080060, "CS", _V.patient_id))),
        "in the charset": write_file(mr_image(text(0x00080005, "CS", _V.patient_id))),
        "in the image type": write_file(
            mr_image(text(0x00080008, "CS", f"ORIGINAL\\PRIMARY\\{_V.patient_id}"))
        ),
        "in a frame's comments": write_file(
            [
                *image,
                sequence(
                    0x52009230,
                    [
                        sequence(0x00209111, [text(0x00209158, "LT", f"{word} {_V.given}")]),
                        sequence(0x00189226, [text(0x00181030, "LO", _V.given)]),
                    ],
                    undefined=True,
                ),
            ]
        ),
        "creator names the person": write_file(
            [*image, *private_block(0x0019, 0x10, f"{word}^{other}", text(0x0A, "US", "\1\0"))]
        ),
    }
    for variant, content in variants.items():
        place = f"malformed/{variant}"
        values = [_V.given, _V.family, _V.patient_id, _V.accession, _V.study_date, _V.frame_uid]
        # A word that nothing else names may stay in what has no other reading than free text.
        values += [] if variant in _WORD_MAY_STAY else [word]
        checks = tuple(
            no_raw_byte_hit(_IMAGE, f"{place}/{value}", value)
            for value in values
            if File(content).says(value)
        )
        yield Case(name=place, files={_IMAGE: content}, checks=checks, may_be_held_back=True)


_WORD_MAY_STAY = frozenset(
    {
        "in a method that came before",
        "in codes of a method",
        "in a frame's comments",
        "a sequence in an unlisted text",
    }
)


def _items_of(element: Planted, syntax: str = EXPLICIT_LITTLE) -> bytes:
    """Return one item as bytes, in an encoding that what is around it may not have."""
    body = write_data_set([element], syntax)
    order = ">" if syntax == EXPLICIT_BIG else "<"
    return struct.pack(order + "HHL", 0xFFFE, 0xE000, len(body)) + body


def _nested(depth: int, inner: Planted) -> Planted:
    element = inner
    for level in range(depth):
        element = sequence(0x00081140, [element], undefined=level % 2 == 0)
    return element


_LIES = (
    # What the file says, how the name is encoded, how the description is.
    ("", "utf-8", "utf-8"),
    ("", "latin-1", "latin-1"),
    ("", "utf-8", "ascii"),
    ("ISO_IR 100", "utf-8", "utf-8"),
    ("ISO_IR 100", "utf-8", "ascii"),
    ("ISO_IR 192", "latin-1", "latin-1"),
    ("ISO_IR 192", "latin-1", "ascii"),
    ("ISO_IR 192", "latin-1", "utf-8"),
    ("ISO_IR 100", "latin-1", "utf-8"),
    ("ISO_IR 100", "utf-8", "latin-1"),
    ("ISO_IR 144", "utf-8", "ascii"),
    ("ISO_IR 999", "utf-8", "utf-8"),
    ("ISO 2022 IR 87", "utf-8", "utf-8"),
    ("latin1", "cp1252", "cp1252"),
    ("ISO_IR 100", "cp437", "cp437"),
    ("ISO_IR 100", "cp437", "ascii"),
)


def _lying_charsets() -> Iterator[Case]:
    """Plant a name with an umlaut where the file names another character set than the true one."""
    for number, (stated, encoding, described) in enumerate(_LIES):
        place = f"lying charset/{number}: {stated or 'none'}, name in {encoding}, {described}"
        ascii_form = _V.family.replace("ü", "ue")
        said = _V.family if described != "ascii" else ascii_form
        description = f"tse {said} axial".encode(described)
        image = mr_image(
            Planted(0x00100010, "PN", f"{_V.family}^{_V.given}".encode(encoding)),
            Planted(0x0008103E, "LO", description),
            Planted(0x00181030, "LO", description),
            Planted(0x00204000, "LT", f"of {_V.given}, {said}".encode(described)),
            character_set=stated,
            encoding="latin-1",
        )
        checks = [
            no_raw_bytes(_IMAGE, f"{place}: family name", said.encode(described)),
            no_raw_byte_hit(_IMAGE, f"{place}: given name", _V.given),
            text_removed(_IMAGE, (0x0008103E,), f"{place}: its beginning", _V.family[:7]),
        ]
        yield Case(name=place, files={_IMAGE: write_file(image)}, checks=tuple(checks))


def _around_pixels(tokens: Tokens) -> Iterator[Case]:
    """Plant between and behind the pictures, and in comments that compressed ones hold."""
    t = tokens
    word = t.word()
    native = picture_bytes(1)
    yield _pixels(
        "behind a native picture", mr_image(pixels=native + word.encode()), EXPLICIT_LITTLE, word
    )
    yield _pixels(
        "behind a native picture, implicit",
        mr_image(pixels=native + word.encode()),
        IMPLICIT_LITTLE,
        word,
    )
    fragments = {
        "JPEG comment": (_JPEG, b"\xff\xd8\xff\xfe" + _segment(word) + b"\xff\xda\0\2\x11\xff\xd9"),
        "JPEG EXIF": (
            _JPEG,
            b"\xff\xd8\xff\xe1" + _segment(f"Exif\0\0{word}") + b"\xff\xda\0\2\x11\xff\xd9",
        ),
        "JPEG behind its end": (_JPEG, b"\xff\xd8\xff\xda\0\2\x11\xff\xd9" + word.encode()),
        "JPEG 2000 comment": (
            _JPEG_2000,
            b"\xff\x4f\xff\x64"
            + _segment(f"\0\1{word}")
            + b"\xff\x90\0\x0a"
            + bytes(8)
            + b"\xff\xd9",
        ),
        "RLE behind its end": (
            _RLE,
            _RLE_FRAME + word.encode(),
        ),
    }
    for name, (syntax, frame) in fragments.items():
        padded = frame + b"\0" * (len(frame) % 2)
        yield _pixels(name, mr_image(pixels=b""), syntax, word, encapsulated=[b"", padded])
    yield _pixels(
        "offset table",
        mr_image(pixels=b""),
        _RLE,
        word,
        encapsulated=[word.ljust(12).encode(), _RLE_FRAME],
    )
    yield _pixels(
        "fragment without a frame",
        mr_image(pixels=b""),
        _RLE,
        word,
        encapsulated=[
            b"",
            _RLE_FRAME,
            word.ljust(12).encode(),
        ],
    )
    yield _pixels(
        "extended offset table",
        mr_image(text(0x7FE00001, "OV", word.ljust(16))),
        EXPLICIT_LITTLE,
        word,
    )
    yield _pixels(
        "float pixels beside",
        mr_image(text(0x7FE00008, "OF", word.ljust(16))),
        EXPLICIT_LITTLE,
        word,
    )
    yield _pixels(
        "pixels that are text",
        mr_image(Planted(0x7FE00010, "LT", word.encode())),
        EXPLICIT_LITTLE,
        word,
    )
    yield _pixels(
        "pixel data provider",
        mr_image(
            text(0x00287FE0, "UR", f"https://{word}.example"), without=frozenset({0x7FE00010})
        ),
        EXPLICIT_LITTLE,
        word,
    )
    yield _pixels(
        "icon",
        mr_image(sequence(0x00880200, [Planted(0x7FE00010, "OW", word.encode())])),
        EXPLICIT_LITTLE,
        word,
    )


def _segment(said: str) -> bytes:
    return struct.pack(">H", len(said) + 2) + said.encode()


def _pixels(
    name: str,
    image: list[Planted],
    syntax: str,
    word: str,
    *,
    encapsulated: list[bytes] | None = None,
) -> Case:
    place = f"pixels/{name}"
    if encapsulated is not None:
        image = [e for e in image if e.tag != 0x7FE00010]
        pieces = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(f)) + f for f in encapsulated)
        pieces += b"\xfe\xff\xdd\xe0\0\0\0\0"
        head = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff"
        content = write_file(image, syntax=syntax, trailing=head + pieces)
    else:
        content = write_file(image, syntax=syntax)
    checks = (no_raw_bytes(_IMAGE, place, word.encode(), Kind.PIXELS_HIDDEN),)
    return Case(name=place, files={_IMAGE: content}, checks=checks, may_be_held_back=True)


def _hidden_bits() -> Case:
    """Plant a drawing in the bits above the picture's twelve, as old overlays do."""
    picture = picture_bytes(1)
    values = struct.unpack(f"<{ROWS * COLUMNS}H", picture)
    drawn = [v | 0x1000 * ((v >> 3) & 1) for v in values]
    overlay = [
        Planted(0x60000010, "US", struct.pack("<H", ROWS)),
        Planted(0x60000011, "US", struct.pack("<H", COLUMNS)),
        Planted(0x60000100, "US", struct.pack("<H", 16)),
        Planted(0x60000102, "US", struct.pack("<H", 12)),
        text(0x60000040, "CS", "G"),
    ]
    image = mr_image(*overlay, pixels=struct.pack(f"<{len(drawn)}H", *drawn))

    def hidden(_: File, after: File) -> bool:
        return after.data_set.PixelData == picture

    check = Check(
        kind=Kind.PIXELS_HIDDEN, file=_IMAGE, place="pixels/overlay in unused bits", passes=hidden
    )
    checks = (check,)
    return Case(
        name="pixels/hidden bits",
        files={_IMAGE: write_file(image)},
        checks=checks,
        may_be_held_back=True,
    )


def _persons(chosen: Policy) -> Iterator[Case]:
    """Plant two persons' files: one ID for each, the picture as it was."""
    files = {
        f"{visit.given}-{number}.dcm": write_file(
            mr_image(visit=visit, number=number, encoding="latin-1"),
            syntax=EXPLICIT_LITTLE if number % 2 else IMPLICIT_LITTLE,
        )
        for visit in (ZDRAVOMIR, BASIL)
        for number in range(1, 9)
    }
    checks: list[Check | Across] = []
    for name in files:
        given = name.partition("-")[0]
        checks.append(pixels_retained(name, f"persons/{name}"))
        checks.append(text_retained(name, (0x00180081,), f"persons/{name}: Echo Time"))
        mates = [other for other in files if other.startswith(given)]
        strangers = [other for other in files if not other.startswith(given)]
        checks += [
            Across(
                kind=Kind.PATID_CONSISTENT,
                place=f"persons/{name} and {other}",
                passes=_compared(name, other, 0x00100020, equal=other in mates),
            )
            for other in (*mates, *strangers)
            if other != name
        ]
        checks += [
            Across(
                kind=Kind.UID_CONSISTENT,
                place=f"persons/{name} and {other}: study",
                passes=_compared(name, other, tag, equal=other in mates),
            )
            for tag in (0x0020000D, 0x0020000E, 0x00200052)
            for other in (*mates, *strangers)
            if other != name
        ]
    if "retain-modified-dates" in chosen.options:
        checks.append(_own_shifts(*list(files)[::8]))
    yield Case(name="persons", files=files, checks=tuple(checks))


def _compared(name: str, other: str, tag: int, *, equal: bool) -> Callable[[Cleaned], bool]:
    def passes(cleaned: Cleaned) -> bool:
        one, two = cleaned.after[name], cleaned.after[other]
        before = cleaned.before[name]
        if one is None or two is None or not one.text((tag,)):
            return False
        changed = one.text((tag,)) != before.text((tag,))
        return changed and (one.text((tag,)) == two.text((tag,))) is equal

    return passes


def _own_shifts(first: str, second: str) -> Across:
    """Ask whether two persons' dates have moved by different shifts."""

    def passes(cleaned: Cleaned) -> bool:
        shifts = {
            shift_days(cleaned.before[name], after)
            for name in (first, second)
            if (after := cleaned.after[name]) is not None
        }
        return len(shifts) == 2 and None not in shifts

    return Across(kind=Kind.DATE_SHIFTED, place="persons/own shifts", passes=passes)


def _uid_with_an_id() -> Case:
    """Plant the patient's number in UIDs, below the standard's root as well."""
    number = "88213774"
    uids = {
        0x00080018: f"1.2.826.0.1.{number}.1",
        0x0020000D: f"1.2.840.10008.{number}.20110923",
        0x0020000E: f"1.2.840.10008.5.1.4.{number}",
        0x00200052: f"2.25.{number}20110923",
        0x00080014: f"1.2.840.10008.1.4.{number}",
        0x00083010: f"9.{number}",
    }
    planted = [text(0x00100020, "LO", number), *(text(t, "UI", u) for t, u in uids.items())]
    checks = [
        no_raw_byte_hit(_IMAGE, f"UID with an ID/{tag:08X}", uid) for tag, uid in uids.items()
    ]
    checks.append(no_raw_byte_hit(_IMAGE, "UID with an ID/number", number))
    return Case(
        name="UID with an ID", files={_IMAGE: write_file(mr_image(*planted))}, checks=tuple(checks)
    )
