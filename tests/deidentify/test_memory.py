"""What was decided about earlier files makes cleaning faster, and changes nothing of the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import sessions
from hypothesis import given, settings
from hypothesis import strategies as st
from written_elements import item, sequence

from bidsanon.deidentify.deidentifier import Deidentifier
from bidsanon.dicom import layouts, parsing
from bidsanon.dicom.encoding import (
    EXPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_LITTLE,
    IMPLICIT_VR_LITTLE_ENDIAN,
    Encoding,
    NotUnderstoodError,
)
from bidsanon.dicom.file_format import write_file_head
from bidsanon.dicom.writing import write_element
from bidsanon.identity import merge_identity
from bidsanon.notes import NoteReason
from bidsanon.profile import Profile, amend_profile, load_profile
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
        patch.setattr(parsing, "_WORTH_REMEMBERING", 0)
        patch.setattr(layouts, "_SHORTEST", 0)
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


@settings(max_examples=30)
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


def test_what_was_kept_under_one_creator_goes_under_another(
    bids: Profile, plan: PersonPlan
) -> None:
    values = ((0x0019100C, "IS", b"1000"), (0x0019100E, "IS", b"1000"))
    contents = [
        one_file((0x00190010, "LO", creator), *values)
        for creator in (CREATORS[0], CREATORS[2], CREATORS[0], CREATORS[2], CREATORS[0])
    ]
    assert_memory_changes_nothing(contents, bids, plan)
    remembering = Deidentifier(profile=bids, plan=plan)
    left = [b"IS\4\x001000" in (cleaned(remembering, content) or b"") for content in contents]
    assert left == [True, False, True, False, True]


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


@st.composite
def data_sets(draw: st.DrawFn, written: Encoding, depth: int = 0) -> bytes:
    """Give elements of few values at every depth, mostly in order, now and then other."""
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


@settings(max_examples=12)
@given(contents=st.lists(deep_files(), min_size=2, max_size=4))
def test_any_files_in_any_order_are_the_same_with_and_without_memory(
    contents: list[bytes], bids: Profile, plan: PersonPlan
) -> None:
    assert_memory_changes_nothing([*contents, *reversed(contents), *contents], bids, plan)


ALIKE = (
    (0x00080005, "CS", (b"ISO_IR 100", b"ISO_IR 192")),
    (0x00080020, "DA", (b"20230517", b"20230518", b"***     ")),
    (0x00080080, "LO", (b"St Aldwyn ", b"Quill Hill")),
    (0x0008103E, "LO", (b"bold Quillfeather ", b"bold of somebody X")),
    (0x00081155, "UI", (b"1.2.3.4.5\0", b"1.2.3.4.6\0", b"1.2.3.4.7\0")),
    (0x00100010, "PN", (b"Quillfeather^Mara ", b"Quillfeather^Otto ")),
    (0x00101010, "AS", (b"095Y", b"030Y", b"091Y")),
    (0x00189074, "DT", (b"20230517101112.1", b"20230517101113.2", b"nobody knows whe")),
    (0x00200032, "DS", (b"1\\2\\3 ", b"1\\2\\4 ", b"1\\2\\5 ")),
    (0x00204000, "LT", (b"see Quillfeather", b"see the other 12")),
    (0x00210010, "LO", (b"SIEMENS MR SDS 01 ", b"SIEMENS MR SDI 02 ")),
    (0x0021102B, "ST", (b"20230517", b"20230519")),
    (0x00211044, "UN", (b"20230517", b"\xfe\xff\x00\xe0\0\0\0\0", b"\xfe\xff\x00\xe0\1\0\0\0")),
    (0x0040A040, "CS", (b"PNAME ", b"TEXT  ")),
    (0x0040A123, "PN", (b"Quillfeather^Mara ", b"Quillfeather^Otto ")),
    (0x0040A160, "UT", (b"said Quillfeather ", b"fine, it was said.")),
    (0x00990010, "LO", (b"NQHeader",)),
    (0x00991002, "UI", (b"1.2.3.4.5\0", b"1.2.3.4.6\0")),
)
CODE = (
    (0x00080100, "SH", (b"121008", b"111111")),
    (0x00080102, "SH", (b"DCM ", b"DCM ", b"99XX")),
    (0x00080104, "LO", (b"Person Observer Name", b"Something else there")),
)
CONCEPT_NAME = 0x0040A043
Shape = list[tuple[int, str, tuple[bytes, ...]] | tuple[int, list["Shape"], bool]]


@st.composite
def shapes(draw: st.DrawFn, depth: int = 0) -> Shape:
    """Give the attributes of an item, the values that each may have, and its sequences."""
    chosen = draw(st.lists(st.sampled_from(ALIKE), max_size=8, unique_by=lambda one: one[0]))
    shape: Shape = list(chosen)
    if depth and draw(st.booleans()):
        shape.append((CONCEPT_NAME, [list(CODE)], draw(st.booleans())))
    for tag in draw(st.lists(st.sampled_from(SEQUENCES), max_size=2 if depth < 2 else 0)):
        items = [draw(shapes(depth + 1)) for _ in range(draw(st.integers(0, 2)))]
        shape.append((tag, items, draw(st.booleans())))
    return sorted(shape, key=lambda one: one[0])


def filled(draw: st.DrawFn, shape: Shape, written: Encoding) -> bytes:
    pieces = []
    for one in shape:
        if isinstance(one[1], str):
            tag, vr, values = one
            value = draw(st.sampled_from(values))
            pieces.append(write_element(tag, vr, value, written))
        else:
            tag, items, undefined = one
            inside = (item(filled(draw, i, written), undefined=undefined) for i in items)
            pieces.append(sequence(tag, b"".join(inside), written, undefined=undefined))
    return b"".join(pieces)


@st.composite
def multi_frame_files(draw: st.DrawFn) -> list[bytes]:
    """Give files whose frames have the same attributes, and values of the same lengths."""
    written = draw(st.sampled_from([EXPLICIT_LITTLE, EXPLICIT_LITTLE, IMPLICIT_LITTLE]))
    shape, undefined = draw(shapes()), draw(st.booleans())
    found = []
    for _ in range(draw(st.integers(1, 3))):
        count = draw(st.integers(1, 6))
        frames = (item(filled(draw, shape, written), undefined=undefined) for _ in range(count))
        functional_groups = sequence(0x52009230, b"".join(frames), written, undefined=undefined)
        head = write_file_head(
            sop_class_uid=SOP_CLASSES[1],
            sop_instance_uid=b"1.2.3.4",
            transfer_syntax_uid=(
                EXPLICIT_VR_LITTLE_ENDIAN if written.explicit else IMPLICIT_VR_LITTLE_ENDIAN
            ),
        )
        always = ((0x00080016, "UI", SOP_CLASSES[1]), (0x00080018, "UI", b"1.2.3.4"))
        found.append(
            head + b"".join(write_element(*e, written) for e in always) + functional_groups
        )
    return found


@settings(max_examples=25)
@given(contents=multi_frame_files(), name=st.sampled_from(["bids", "basic", "strict"]))
def test_frames_that_are_alike_are_the_same_with_and_without_memory(
    contents: list[bytes], name: str, plan: PersonPlan
) -> None:
    assert_memory_changes_nothing([*contents, *contents], load_profile(name), plan)


def frame(*elements: tuple[int, str, bytes]) -> bytes:
    return item(b"".join(write_element(*e, EXPLICIT_LITTLE) for e in elements), undefined=True)


def test_a_name_in_a_late_frame_goes_and_is_harvested(bids: Profile, plan: PersonPlan) -> None:
    deidentifier = Deidentifier(profile=bids, plan=plan)
    names = [b"Quillfeather^Mara "] * 8 + [b"Wetherby^Ottoline "]
    frames = [
        frame((0x00100010, "PN", name), (0x00200032, "DS", b"1\\2\\%d " % number))
        for number, name in enumerate(names)
    ]
    content = one_file() + sequence(0x52009230, b"".join(frames), EXPLICIT_LITTLE, undefined=True)
    written = cleaned(deidentifier, content)
    assert written is not None
    assert b"Wetherby" not in written
    assert "Wetherby^Ottoline" in {one.text for one in deidentifier.harvest.drain().identity}


def test_what_a_concept_says_counts_for_each_frame(plan: PersonPlan) -> None:
    profile = amend_profile(load_profile("bids"), add_options=["clean-structured-content"])
    frames = []
    for code, text in ((b"121008", b"said first"), (b"111111", b"said other")) * 4:
        scheme = write_element(0x00080102, "SH", b"DCM ", EXPLICIT_LITTLE)
        name = item(write_element(0x00080100, "SH", code, EXPLICIT_LITTLE) + scheme, undefined=True)
        body = sequence(CONCEPT_NAME, name, EXPLICIT_LITTLE, undefined=True)
        body += write_element(0x0040A160, "UT", text, EXPLICIT_LITTLE)
        items = item(body, undefined=True)
        content = sequence(0x0040A730, items, EXPLICIT_LITTLE, undefined=True)
        frames.append(item(content, undefined=True))
    content = one_file() + sequence(0x52009230, b"".join(frames), EXPLICIT_LITTLE, undefined=True)
    assert_memory_changes_nothing([content], profile, plan)
    written = cleaned(Deidentifier(profile=profile, plan=plan), content)
    assert written is not None
    assert written.count(b"said other") == 4
    assert b"said once" not in written


def test_a_character_set_counts_for_its_frame_alone(bids: Profile, plan: PersonPlan) -> None:
    name = "Jörg^Müller".encode()
    frames = [
        frame((0x00080005, "CS", terms), (0x00100010, "PN", name), (0x00200013, "IS", number))
        for terms in (b"ISO_IR 100", b"ISO_IR 192")
        for number in (b"1 ", b"2 ", b"3 ", b"4 ")
    ]
    content = one_file() + sequence(0x52009230, b"".join(frames), EXPLICIT_LITTLE, undefined=True)
    assert_memory_changes_nothing([content], bids, plan)


def test_what_is_noted_is_noted_for_each_frame(bids: Profile, plan: PersonPlan) -> None:
    frames = [
        frame((0x00080020, "DA", b"***     "), (0x00200032, "DS", b"1\\2\\%d " % number))
        for number in range(9)
    ]
    content = one_file() + sequence(0x52009230, b"".join(frames), EXPLICIT_LITTLE, undefined=True)
    notes = assert_memory_changes_nothing([content], bids, plan)
    assert notes["(0008,0020)", NoteReason.INVALID_DATE] == 9


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
