"""What was decided about earlier files makes cleaning faster, and changes nothing of the result."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import sessions
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.deidentify.instance import Deidentifier
from bidsanon.dicom import encoding
from bidsanon.dicom.encoding import (
    EXPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_LITTLE,
    IMPLICIT_VR_LITTLE_ENDIAN,
    Encoding,
    NotUnderstoodError,
    write_element,
    write_file_head,
)
from bidsanon.profile import Profile
from bidsanon.session import NoteReason, merge_identity
from bidsanon.vault import PersonPlan

MR = b"1.2.840.10008.5.1.4.1.1.4"
CREATORS = (b"SIEMENS MR HEADER ", b"SIEMENS CSA HEADER", b"ALDWYN")
PRIVATE = ((0x0019, 0x0C), (0x0019, 0x0E), (0x0029, 0x08), (0x0029, 0x10))
STANDARD = (
    (0x00080020, "DA", (b"20230517", b"***")),
    (0x00080080, "LO", (b"St Aldwyn ",)),
    (0x0008103E, "LO", (b"t1_mprage ", b"Quillfeather")),
    (0x00100010, "PN", (b"Quillfeather^Mara ", b"")),
    (0x00180024, "SH", (b"tfl3d1",)),
    (0x00180050, "DS", (b"2.5 ", b"3 ")),
    (0x00204000, "LT", (b"see Quillfeather ",)),
)


@pytest.fixture(autouse=True, scope="module")
def every_data_set_is_worth_it() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_WORTH_REMEMBERING", 0)
        yield


def cleaned(deidentifier: Deidentifier, content: bytes) -> bytes | None:
    try:
        return b"".join(deidentifier.clean(content).pieces)
    except NotUnderstoodError:
        return None


def assert_memory_changes_nothing(
    contents: Iterable[bytes], profile: Profile, plan: PersonPlan
) -> Counter[tuple[str, NoteReason]]:
    """De-identify files with one memory and each with none, and compare; return the notes."""
    remembering = Deidentifier(profile=profile, plan=plan)
    changes: Counter[str] = Counter()
    notes: Counter[tuple[str, NoteReason]] = Counter()
    harvests = []
    for content in contents:
        fresh = Deidentifier(profile=profile, plan=plan)
        assert cleaned(remembering, content) == cleaned(fresh, content)
        changes.update(fresh.changes)
        notes.update(fresh.notes)
        harvests.append(fresh.harvest.drain())
    together = remembering.harvest.drain()
    assert Counter(remembering.changes) == changes
    assert remembering.notes == notes
    assert set(together.identity) == set(merge_identity(one.identity for one in harvests))
    assert together.published == frozenset().union(*(one.published for one in harvests))
    return notes


@st.composite
def files(draw: st.DrawFn) -> bytes:
    pieces = {
        0x00080016: write_element(0x00080016, "UI", MR, EXPLICIT_LITTLE),
        0x00080018: write_element(0x00080018, "UI", b"1.2.3.4", EXPLICIT_LITTLE),
    }
    for tag, vr, values in STANDARD:
        if draw(st.booleans()):
            value = draw(st.sampled_from(values))
            pieces[tag] = write_element(tag, vr, value, EXPLICIT_LITTLE)
    for group in (0x0019, 0x0029):
        for block in (0x10, 0x11):
            if draw(st.booleans()):
                creator = draw(st.sampled_from(CREATORS))
                tag = group << 16 | block
                pieces[tag] = write_element(tag, "LO", creator, EXPLICIT_LITTLE)
    for group, number in PRIVATE:
        for block in (0x10, 0x11):
            if draw(st.booleans()):
                tag = group << 16 | block << 8 | number
                pieces[tag] = write_element(tag, "IS", b"1000", EXPLICIT_LITTLE)
    head = write_file_head(
        sop_class_uid=MR,
        sop_instance_uid=b"1.2.3.4",
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
    )
    return head + b"".join(pieces[tag] for tag in sorted(pieces))


@settings(deadline=None, max_examples=30)
@given(contents=st.lists(files(), min_size=3, max_size=8))
def test_private_blocks_and_notes_are_the_same_with_and_without_memory(
    contents: list[bytes], bids: Profile, plan: PersonPlan
) -> None:
    assert_memory_changes_nothing(contents, bids, plan)


def one_file(*elements: tuple[int, str, bytes]) -> bytes:
    head = write_file_head(
        sop_class_uid=MR,
        sop_instance_uid=b"1.2.3.4",
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
    )
    always = ((0x00080016, "UI", MR), (0x00080018, "UI", b"1.2.3.4"))
    return head + b"".join(write_element(*e, EXPLICIT_LITTLE) for e in (*always, *elements))


def test_what_is_written_stays_in_the_block_that_its_creator_reserved_in_each_file(
    bids: Profile, plan: PersonPlan
) -> None:
    contents = [
        one_file((0x00990010, "LO", b"NQHeader"), (0x00991002, "UI", b"1.2.3.4.5\0")),
        one_file(
            (0x00990010, "LO", b"ALDWYN"),
            (0x00990011, "LO", b"NQHeader"),
            (0x00991102, "UI", b"1.2.3.4.5\0"),
        ),
    ]
    assert_memory_changes_nothing(contents, bids, plan)


SOP_CLASSES = (MR, b"1.2.840.10008.5.1.4.1.1.4.1", b"1.2.840.10008.5.1.4.1.1.88.33")
ANYWHERE = (
    (0x00080000, "UL", (bytes(4),)),
    (0x00080005, "CS", (b"", b"ISO_IR 100", b"ISO_IR 192")),
    (0x00080020, "DA", (b"20230517", b"***")),
    (0x00080030, "TM", (b"101112",)),
    (0x00080080, "LO", (b"St Aldwyn ", "Kärnten ".encode())),
    (0x0008103E, "LO", (b"bold Quillfeather", "Jörg T1 ".encode())),
    (0x00081155, "UI", (b"1.2.3.4.5\0",)),
    (0x00100010, "PN", (b"Quillfeather^Mara ", "Jörg^Müller ".encode())),
    (0x00100030, "DA", (b"19300101", b"20200101")),
    (0x00101010, "AS", (b"095Y", b"030Y")),
    (0x00204000, "LT", (b"see Quillfeather",)),
    (0x00210010, "LO", (b"SIEMENS MR SDS 01 ", b"SIEMENS MR SDI 02 ", b"ALDWYN")),
    (0x00210011, "LO", (b"SIEMENS MR SDS 01 ", b"SIEMENS MR SDI 02 ")),
    (0x0021102B, "ST", (b"20230517",)),
    (0x0021112B, "ST", (b"20230517",)),
    (0x00211077, "LO", (b"ep2d Quillfeather ",)),
    (0x00211177, "LO", (b"ep2d Quillfeather ",)),
    (0x0040A040, "CS", (b"PNAME ", b"TEXT")),
    (0x0040A123, "PN", (b"Quillfeather^Mara ",)),
    (0x0040A160, "UT", (b"said Quillfeather ", b"fine")),
    (0x60003000, "OW", (b"\1\0",)),
    (0x00990010, "LO", (b"NQHeader", b"ALDWYN")),
    (0x00990011, "LO", (b"NQHeader",)),
    (0x00991002, "UI", (b"1.2.3.4.5\0",)),
    (0x00991102, "UI", (b"1.2.3.4.5\0",)),
)
SEQUENCES = (0x00081140, 0x00082112, 0x00211077, 0x00400275, 0x0040A730, 0x52009229, 0x52009230)
UNDEFINED = 0xFFFFFFFF


def item(body: bytes, *, undefined: bool) -> bytes:
    head = struct.pack("<HHL", 0xFFFE, 0xE000, UNDEFINED if undefined else len(body))
    return head + body + (struct.pack("<HHL", 0xFFFE, 0xE00D, 0) if undefined else b"")


def sequence(tag: int, items: bytes, written: Encoding, *, undefined: bool) -> bytes:
    if not undefined:
        return write_element(tag, "SQ", items, written)
    vr = b"SQ\0\0" if written.explicit else b""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + struct.pack("<L", UNDEFINED)
    return head + items + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


@st.composite
def data_sets(draw: st.DrawFn, written: Encoding, depth: int = 0) -> bytes:
    """Give elements of few values at every depth, mostly in order, now and then twice."""
    chosen = st.lists(st.sampled_from(ANYWHERE), max_size=12, unique=draw(st.integers(0, 4)) > 0)
    pieces = []
    for tag, vr, values in draw(chosen):
        said = "UN" if draw(st.integers(0, 9)) == 0 else vr
        pieces.append((tag, write_element(tag, said, draw(st.sampled_from(values)), written)))
    for tag in draw(st.lists(st.sampled_from(SEQUENCES), max_size=2 if depth < 2 else 0)):
        count = draw(st.integers(0, 3))
        inside = [draw(data_sets(written, depth + 1)) for _ in range(count)]
        items = b"".join(item(body, undefined=draw(st.booleans())) for body in inside)
        pieces.append((tag, sequence(tag, items, written, undefined=draw(st.booleans()))))
    if draw(st.integers(0, 5)):
        pieces.sort(key=lambda piece: piece[0])
    return b"".join(piece for _, piece in pieces)


@st.composite
def deep_files(draw: st.DrawFn) -> bytes:
    written = draw(st.sampled_from([EXPLICIT_LITTLE, EXPLICIT_LITTLE, IMPLICIT_LITTLE]))
    sop_class = draw(st.sampled_from(SOP_CLASSES))
    syntax = EXPLICIT_VR_LITTLE_ENDIAN if written.explicit else IMPLICIT_VR_LITTLE_ENDIAN
    head = write_file_head(
        sop_class_uid=sop_class, sop_instance_uid=b"1.2.3.4", transfer_syntax_uid=syntax
    )
    always = ((0x00080016, "UI", sop_class), (0x00080018, "UI", b"1.2.3.4"))
    return (
        head
        + b"".join(write_element(*element, written) for element in always)
        + draw(data_sets(written))
    )


@settings(deadline=None, max_examples=12)
@given(contents=st.lists(deep_files(), min_size=2, max_size=4))
def test_any_files_in_any_order_are_the_same_with_and_without_memory(
    contents: list[bytes], bids: Profile, plan: PersonPlan
) -> None:
    assert_memory_changes_nothing([*contents, *reversed(contents), *contents], bids, plan)


def test_what_is_noted_is_noted_for_each_file(
    bids: Profile, plan: PersonPlan, written: Callable[..., bytes]
) -> None:
    contents = [
        written(
            SOPInstanceUID=f"1.2.3.{number}",
            PatientName="Quillfeather^Mara",
            SeriesDescription="bold Quillfeather",
            ProtocolName="bold",
        )
        for number in range(6)
    ]
    notes = assert_memory_changes_nothing(contents, bids, plan)
    assert notes["(0008,103E)", NoteReason.NAME] == 6


@pytest.mark.parametrize(
    "builder",
    [sessions.siemens_t1w, sessions.bold_mosaic, sessions.enhanced_mr_names_in_functional_groups],
    ids=lambda builder: builder.__name__,
)
def test_a_series_is_the_same_with_and_without_memory(
    builder: Callable[[Path], list[Path]], bids: Profile, plan: PersonPlan, tmp_path: Path
) -> None:
    paths = builder(tmp_path)
    assert_memory_changes_nothing([p.read_bytes() for p in (*paths, *paths)], bids, plan)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "siemens-xa10-enhanced-bold",
        "siemens-ve11-epi-mosaic",
        "philips-dual-echo-bold",
        "philips-r53-enhanced-fmap",
        "ge-mr750-epi",
        "malformed-and-odd",
        "dicomdir-media-multipatient",
    ],
)
def test_real_files_are_the_same_with_and_without_memory(
    name: str,
    bids: Profile,
    plan: PersonPlan,
    shared_data: Callable[[str], Path],
) -> None:
    paths = sorted(path for path in shared_data(name).rglob("*") if path.is_file())[:40]
    assert_memory_changes_nothing([path.read_bytes() for path in paths], bids, plan)
