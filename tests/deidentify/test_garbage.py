"""Damage and garbage: refused or de-identified, never a crash, never a leak, in bounded time."""

from __future__ import annotations

import cProfile
import io
import pstats
import struct
import tracemalloc
from collections.abc import Callable

import pytest
import sessions
from hypothesis import example, given, settings
from hypothesis import strategies as st
from persons import PLAN
from processor_time import within_cpu_seconds
from pydicom import Dataset, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage

from bidsanon.deidentify.deidentifier import Deidentifier
from bidsanon.deidentify.instance import deidentify_instance
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.profile import Profile, load_profile

NAME, NUMBER = b"Wexcombe^Isolde", b"MRN-58213377"
UNDEFINED = 0xFFFFFFFF


def seed(*, implicit: bool) -> bytes:
    """Write a file that says whose it is in many places."""
    inner = Dataset()
    inner.PatientName = NAME.decode()
    inner.PatientID = NUMBER.decode()
    inner.PersonName = NAME.decode()
    data_set = Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = MRImageStorage, "1.3.12.2.1107.5.2.7"
    data_set.StudyDate = "20180907"
    data_set.PatientName = NAME.decode()
    data_set.PatientID = NUMBER.decode()
    data_set.OtherPatientNames = NAME.decode()
    data_set.OperatorsName = NAME.decode()
    data_set.RequestAttributesSequence = [inner]
    data_set.ReferencedImageSequence = [inner, inner]
    data_set.SeriesDescription = f"t1 {NAME.decode()}"
    data_set.private_block(0x0029, "WEX", create=True).add_new(1, "LO", NAME.decode())
    data_set.Rows = data_set.Columns = 4
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.add_new(0x60000010, "US", 4)
    data_set.add_new(0x60003000, "OW", b"\1\2")
    data_set.add_new(0x7FE00010, "OW", bytes(32))
    data_set.file_meta = Dataset()
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    data_set.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    dcmwrite(stream, data_set, enforce_file_format=True)
    return stream.getvalue()


SEEDS = (seed(implicit=False), seed(implicit=True))
BASIC = load_profile("basic")


def judge(content: bytes, profile: Profile = BASIC) -> bytes | None:
    """De-identify a file; None if it is refused. Whatever else is raised fails the test."""
    try:
        return deidentify_instance(content, profile=profile, plan=PLAN).content
    except NotUnderstoodError:
        Deidentifier(profile=profile, plan=PLAN).harvest_remnants(content)
        return None


@settings(max_examples=150)
@given(
    which=st.sampled_from(SEEDS),
    damage=st.lists(
        st.tuples(st.integers(128, 2000), st.binary(min_size=1, max_size=6)), max_size=3
    ),
    cut=st.none() | st.integers(0, 2000),
)
def test_damaged_files_are_refused_or_de_identified(
    which: bytes, damage: list[tuple[int, bytes]], cut: int | None
) -> None:
    content = bytearray(which)
    for position, garbage in damage:
        place = position % len(content)
        content[place : place + len(garbage)] = garbage
    cleaned = judge(bytes(content[:cut]))
    if cleaned is not None and cut is None:
        assert judge(cleaned) is not None


@settings(max_examples=120)
@given(
    which=st.sampled_from(SEEDS),
    lengths=st.lists(st.tuples(st.integers(0), st.integers(0, UNDEFINED)), min_size=1, max_size=3),
)
@example(which=SEEDS[0], lengths=[(0, UNDEFINED)])
def test_wrong_lengths_let_no_name_out(which: bytes, lengths: list[tuple[int, int]]) -> None:
    """A length says where an element ends: what is read for another one must not stay as it is."""
    content = bytearray(which)
    heads = [
        i for i in range(132, len(which) - 8) if which[i : i + 2] in {b"\x10\x00", b"\x08\x00"}
    ]
    for choice, length in lengths:
        place = heads[choice % len(heads)] + 4
        content[place : place + 4] = struct.pack("<L", length)
    cleaned = judge(bytes(content))
    assert cleaned is None or NAME not in cleaned


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr in {b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC", b"UR", b"OF", b"SV"}:
        return head + struct.pack("<HL", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


VRS = [
    bytes(pair) for pair in (b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"FD", b"IS", b"LO", b"LT")
]
VRS += [b"OB", b"OW", b"PN", b"SH", b"SL", b"SQ", b"ST", b"TM", b"UC", b"UI", b"UN", b"UR", b"US"]
VRS += [b"UT", b"SV", b"OF", b"ZZ", b"??"]
IDENTIFYING = [0x00100010, 0x00100020, 0x00101001, 0x00081070, 0x00400275, 0x00081140, 0x0040A123]


@settings(max_examples=150)
@given(tag=st.sampled_from(IDENTIFYING), vr=st.sampled_from(VRS), padding=st.binary(max_size=8))
def test_whatever_vr_an_identifying_attribute_claims_its_value_goes(
    tag: int, vr: bytes, padding: bytes
) -> None:
    value = NAME + b" " + padding + b" " * (len(padding) % 2)
    content = element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.4\0")
    content += element(0x00080018, b"UI", b"1.3.12.2.1107.5.2.70")
    cleaned = judge(content + element(tag, vr, value))
    assert cleaned is None or NAME not in cleaned


def nested(depth: int, *, undefined: bool) -> bytes:
    value = element(0x00100010, b"PN", NAME + b" ")
    for _ in range(depth):
        if undefined:
            item = struct.pack("<HHL", 0xFFFE, 0xE000, UNDEFINED) + value
            item += struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
            item += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
            value = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, UNDEFINED) + item
        else:
            item = struct.pack("<HHL", 0xFFFE, 0xE000, len(value)) + value
            value = element(0x00081140, b"SQ", item)
    head = element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.4\0")
    return head + element(0x00080018, b"UI", b"1.3.12.2.1107.5.2.70") + value


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("profile", ["bids", "basic"])
def test_ten_thousand_sequences_deep_is_refused_at_once(profile: str, *, undefined: bool) -> None:
    content = nested(10_000, undefined=undefined)
    with within_cpu_seconds(5):
        assert judge(content, load_profile(profile)) is None


@pytest.mark.parametrize("depth", [1, 20])
def test_a_name_is_found_however_deep_the_standard_allows(depth: int) -> None:
    for undefined in (True, False):
        cleaned = judge(nested(depth, undefined=undefined))
        assert cleaned is not None
        assert NAME not in cleaned


@pytest.mark.parametrize(
    "length", [0x7FFFFFFF, 0xFFFFFFFE, 0xFFFF0000], ids=["2 GB", "4 GB", "nearly 4 GB"]
)
def test_a_declared_length_is_never_allocated(length: int) -> None:
    head = SEEDS[0][: SEEDS[0].index(b"\xe0\x7f\x10\x00OW")]
    content = head + struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, length) + bytes(64)
    tracemalloc.start()
    assert judge(content) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 26


def test_many_empty_items_take_as_many_steps_each_as_few() -> None:
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    head = element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.4\0")
    head += element(0x00080018, b"UI", b"1.3.12.2.1107.5.2.70")

    def steps(count: int) -> int:
        content = head + element(0x00081140, b"SQ", item * count)
        profile = cProfile.Profile()
        profile.runcall(judge, content)
        return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]

    steps(0)  # tables are read once
    none, few = steps(0), steps(500)
    assert steps(5_000) - none <= 10.5 * (few - none)


@pytest.mark.parametrize("name", ["siemens_t1w", "structured_report", "un_encoded_sequence"])
def test_a_file_cut_at_any_place_is_refused_or_de_identified(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    build: Callable[..., list[object]] = getattr(sessions, name)
    path = build(tmp_path_factory.mktemp(name))[0]
    content = path.read_bytes()  # type: ignore[attr-defined]
    for cut in range(0, len(content), max(1, len(content) // 60)):
        cleaned = judge(content[:cut])
        assert cleaned is None or sessions.MARA.family_name.encode() not in cleaned


def test_a_number_that_spells_a_name_goes() -> None:
    head = SEEDS[0].index(b"\x28\x00\x01\x01US")
    spelt = struct.pack("<H", len(NAME) + 1) + NAME + b" "
    cleaned = judge(SEEDS[0][: head + 6] + spelt + SEEDS[0][head + 10 :])
    assert cleaned is not None
    assert NAME not in cleaned


@pytest.mark.parametrize("profile", ["bids", "strict"])
def test_a_name_of_a_megabyte_costs_seconds_and_no_more(profile: str) -> None:
    name = b" ".join(b"Wexcombe%d^" % number for number in range(80_000))
    head = element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.4\0")
    head += element(0x00080018, b"UI", b"1.3.12.2.1107.5.2.70")
    head += element(0x0008103E, b"LO", b"t1 " + NAME)
    with within_cpu_seconds(10):
        judge(head + element(0x00100010, b"UT", name + b" "), load_profile(profile))
