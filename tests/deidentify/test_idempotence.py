"""De-identifying twice gives the bytes of de-identifying once, whatever the profile."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sessions
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import MRImageStorage
from real_sets import MR_SETS, ODD_SETS
from written_elements import item

from bidsanon.deidentify import NotUnderstoodError, deidentify_instance, deidentify_session
from bidsanon.dicom.confidentiality import table_rows
from bidsanon.dicom.encoding import EXPLICIT_LITTLE, EXPLICIT_VR_LITTLE_ENDIAN
from bidsanon.dicom.file_format import write_file_head
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.profile import Profile, amend_profile, bundled_profiles, load_profile
from bidsanon.progress import Silent
from bidsanon.source import read_source
from bidsanon.vault import PersonPlan, Vault

BUILDERS = (
    sessions.siemens_t1w,
    sessions.implicit_vr,
    sessions.big_endian,
    sessions.un_encoded_sequence,
    sessions.preamble_and_ae_titles,
    sessions.nested_sequences_with_names,
    sessions.name_in_description,
    sessions.enhanced_mr_names_in_functional_groups,
    sessions.bold_mosaic,
    sessions.dwi_mosaic,
    sessions.real_csa,
    sessions.japanese_name,
    sessions.structured_report,
    sessions.phoenix_report,
)


FAST = frozenset({"basic", "bids", "strict"})


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow])
        for name in bundled_profiles()
    ],
)
def profile(request: pytest.FixtureRequest) -> Profile:
    return load_profile(request.param)


def assert_twice_is_once(content: bytes, profile: Profile, plan: PersonPlan) -> None:
    once = deidentify_instance(content, profile=profile, plan=plan)
    twice = deidentify_instance(once.content, profile=profile, plan=plan)
    assert twice.content == once.content
    assert twice.sop_instance_uid == once.sop_instance_uid
    assert twice.changes == {}


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_of_a_made_session(
    builder: Callable[[Path], list[Path]], profile: Profile, plan: PersonPlan, tmp_path: Path
) -> None:
    for path in builder(tmp_path)[:1]:
        assert_twice_is_once(path.read_bytes(), profile, plan)


def understood(folder: Path) -> Iterator[bytes]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path.read_bytes()


@pytest.mark.parametrize("name", MR_SETS)
def test_of_a_real_image(
    name: str, bids: Profile, plan: PersonPlan, shared_data: Callable[[str], Path]
) -> None:
    for content in understood(shared_data(name)):
        try:
            assert_twice_is_once(content, bids, plan)
        except NotUnderstoodError:
            continue
        return
    pytest.fail("the set holds no instance")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MR_SETS, *ODD_SETS])
def test_of_every_real_file(
    name: str, profile: Profile, plan: PersonPlan, shared_data: Callable[[str], Path]
) -> None:
    for content in understood(shared_data(name)):
        try:
            once = deidentify_instance(content, profile=profile, plan=plan).content
        except NotUnderstoodError:
            continue
        assert deidentify_instance(once, profile=profile, plan=plan).content == once


@pytest.mark.parametrize(
    ("name", "marked"), [*((name, True) for name in bundled_profiles()), ("bids", False)]
)
def test_of_a_session_by_one_vault(name: str, tmp_path: Path, marked: bool) -> None:
    """The second time the vault is told who it is by nothing but what it wrote itself."""
    sessions.siemens_session(tmp_path / "source")
    profile, written = load_profile(name), []
    place = tmp_path / "source"
    for into in ("once", "twice"):
        with Vault.open(tmp_path / "private") as vault:
            source = read_source(
                [place],
                unpack_into=tmp_path / "unpacked",
                modalities=frozenset({"MR"}),
                progress=Silent(),
            )
            plan = vault.person_plan(
                source.person, subject="01", anchor_date=source.series[0].study_date
            )
            vault.bind_subject(source.person, "01")
        session = deidentify_session(
            source,
            profile=profile,
            plan=plan,
            folder=tmp_path / into,
            jobs=1,
            progress=Silent(),
            marked=marked,
        )
        written.append(session)
        place = session.folder
    once, twice = (
        {
            path.relative_to(session.folder): path.read_bytes()
            for s in session.series
            for path in s.files
        }
        for session in written
    )
    assert once == twice
    assert written[0].first_acquisition == written[1].first_acquisition
    assert written[0].participant == written[1].participant
    told = {value.text for value in written[1].identity}
    assert not told & {"sub-01", plan.patient_id}


def test_under_a_profile_that_retains_uids(plan: PersonPlan, tmp_path: Path) -> None:
    profile = amend_profile(load_profile("bids"), add_options=["retain-uids"])
    for path in sessions.siemens_t1w(tmp_path)[:1]:
        assert_twice_is_once(path.read_bytes(), profile, plan)


WORDS = ("t1", "mprage", "sag", "Quillfeather", "Mara", "bold", "anon", "sub", "3T", "QF-7719")
MORE_WORDS = (
    "2018-03-07",
    "3/7/10",
    "Dr. Oakley",
    "x@y.org",
    "12:30",
    "0171/5551234",
    "1.2.3.4.5.6",
)
texts = st.lists(st.sampled_from(WORDS + MORE_WORDS), max_size=4).map(" ".join)
days = st.one_of(
    st.dates().map(lambda day: f"{day.year:04d}{day:%m%d}"),
    st.sampled_from(["20180307", "19100307", "1910.03.07", "99991231", "00010101", "***", "2018"]),
    st.sampled_from(["20180307-20180309", "19261231", "19700101", " 20180307", "20180307\\***"]),
)
times = st.sampled_from(["123000.250000", "12:30:00", "24", "0", "***", "1230", "235960"])
VALUES = {
    "AE": st.sampled_from(["SCANNER1", "ANON"]),
    "AS": st.sampled_from(["045Y", "093Y", "1200M", "045", "999W", "000Y"]),
    "CS": st.sampled_from(["YES", "NO", "M", "MODIFIED", "REMOVED", "ANON"]),
    "DA": days,
    "DS": st.sampled_from(["1.5", "72.5"]),
    "DT": st.builds(
        lambda day, time, offset: day + time.replace(":", "") + offset,
        days,
        st.one_of(times, st.just("")),
        st.sampled_from(["", "+0100", "-0530", "+9900"]),
    ),
    "IS": st.sampled_from(["1", "7719"]),
    "TM": times,
    "UI": st.sampled_from(
        ["1.2.3.4", "1.2.840.10008.1.4.1.1", "2.25.329800735698586629295641978511"]
    ),
}
TAGS = (
    *(row.number for row in table_rows() if row.number and row.number >> 16 != 4),
    *(0x00080008, 0x00080060, 0x00120063, 0x00180024, 0x00280301, 0x00280302, 0x00280303),
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> bytes:
    """Draw a data set of attributes that the standard's table speaks of, in the order of tags."""
    tags = draw(st.lists(st.sampled_from(TAGS), max_size=12, unique=True))
    content = b""
    for tag in sorted({*tags, 0x00080020} if not depth else tags):
        vr = dictionary_vr(tag)
        if vr == "SQ":
            inner = draw(elements(depth=depth + 1)) if depth < 2 else b""
            content += write_element(tag, vr, item(inner), EXPLICIT_LITTLE)
        elif vr not in {"UN", "OB", "OW", "AT"}:
            text = draw(VALUES.get(vr, texts)) if vr not in {"US", "UL", "FD", "FL", "SS"} else ""
            content += write_element(tag, vr, text.encode(), EXPLICIT_LITTLE)
    return content


@st.composite
def instances(draw: st.DrawFn) -> bytes:
    body = draw(elements())
    first = b"".join(
        write_element(tag, "UI", uid.encode(), EXPLICIT_LITTLE)
        for tag, uid in ((0x00080016, MRImageStorage), (0x00080018, "1.3.12.2.1107.5"))
    )
    head = write_file_head(
        sop_class_uid=MRImageStorage.encode(),
        sop_instance_uid=b"1.3.12.2.1107.5",
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
    )
    return head + first + body


@settings(max_examples=60)
@given(
    content=instances(), name=st.sampled_from(bundled_profiles()), days=st.integers(36_000, 45_000)
)
def test_of_whatever_an_instance_says(
    content: bytes, name: str, days: int, plan: PersonPlan
) -> None:
    plan = dataclasses.replace(plan, shift_days=-days)
    assert_twice_is_once(content, load_profile(name), plan)
