"""The page of a session says what happened, and can be opened anywhere."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from session_records import BOLD, T1W, a_finding, a_record, a_refusal, passed, write_png

from bidsanon.audit import FaceVerdict
from bidsanon.bids.faces import FaceClaim
from bidsanon.dicom.confidentiality import Action
from bidsanon.findings import Gate, GateResult, Severity
from bidsanon.identity import ValueKind
from bidsanon.report import (
    GateState,
    Outcome,
    SeriesEntry,
    SessionReport,
    gate_entries,
    quarantine_entries,
    series_entries,
    words,
    write_report,
)
from bidsanon.report.page import render
from bidsanon.session import (
    ConvertedImage,
    DefaceOutcome,
    DefaceVerdict,
    PixelReading,
    QuarantinedFile,
    QuarantineReason,
    SkippedSeries,
    SourceInstance,
    SourceSeries,
)

VOID_ELEMENTS = {"meta", "img", "link", "br", "hr", "input"}


class Reader(HTMLParser):
    """Collects what a page refers to, and whether its elements are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def read(record: SessionReport) -> Reader:
    reader = Reader()
    reader.feed(render(record))
    assert not reader.open
    return reader


def text_of(record: SessionReport) -> str:
    return " ".join(" ".join(read(record).text).split())


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        return write_png(tmp_path / f"{name}.png")

    return make


def test_a_published_session_says_so_first() -> None:
    page = text_of(a_record())
    assert page.index("Published") < page.index("Gates, in their order")
    assert "What to do next" not in page


def test_a_refused_session_names_the_gate_and_the_cure_first() -> None:
    page = text_of(a_refusal())
    assert "Refused by the gate Deface" in page
    assert page.index("the face could not be removed") < page.index("Gates, in their order")
    assert "What to do: what to do" in page
    assert "Was to become" in page
    assert "Images published 0" in page


def test_the_outcome_follows_from_the_gates() -> None:
    assert a_record().outcome is Outcome.PUBLISHED
    assert a_refusal().outcome is Outcome.REFUSED
    assert a_record(gates=gate_entries(passed()[:3])).outcome is Outcome.UNFINISHED
    partly = SeriesEntry(index=1, description="", modality="MR", files=1, withheld=(T1W,))
    assert a_record(series=(partly,)).outcome is Outcome.WITHHELD_SOME


def test_what_is_to_be_typed_is_code() -> None:
    told = a_finding(Gate.SCRUB, Severity.WARNING, "<b>`ls` & `rm <x>`</b>")
    page = render(a_record(gates=gate_entries(passed(told))))
    assert "&lt;b&gt;<code>ls</code> &amp; <code>rm &lt;x&gt;</code>&lt;/b&gt;" in page
    assert "`" not in page


def test_gates_after_a_refusal_are_not_reached() -> None:
    states = {entry.gate: entry.state for entry in a_refusal().gates}
    assert list(states) == list(Gate)
    assert states[Gate.CONVERT] is GateState.PASSED
    assert states[Gate.DEFACE] is GateState.REFUSED
    assert states[Gate.PUBLISH] is GateState.NOT_REACHED


def test_a_warning_is_something_to_look_at() -> None:
    warning = a_finding(Gate.SOURCE, Severity.WARNING, "two days in one session")
    page = text_of(a_record(gates=gate_entries(passed(warning))))
    assert "What to look at" in page
    assert "two days in one session" in page


def test_many_findings_are_listed_with_their_gate_only() -> None:
    warnings = [a_finding(Gate.SCRUB, Severity.WARNING, f"thing {n}") for n in range(40)]
    page = text_of(a_record(gates=gate_entries(passed(*warnings))))
    assert "and 28 more: see the gates below" in page
    assert page.count("thing 39") == 1


def test_the_page_needs_no_other_file_and_no_network() -> None:
    html = render(a_record())
    reader = read(a_record())
    assert not re.search(r"https?://|@import|url\(|<script|<link", html)
    assert all(value.startswith("data:") for value in reader.values("src"))
    assert all(value.startswith("#") for value in reader.values("href"))
    assert "default-src 'none'" in html


def test_every_link_on_the_page_leads_somewhere() -> None:
    reader = read(a_record())
    targets = set(reader.values("id"))
    assert {value.removeprefix("#") for value in reader.values("href")} <= targets
    assert set(reader.values("aria-labelledby")) <= targets


def test_text_is_escaped() -> None:
    nasty = '<script>alert("x")</script>'
    series = SeriesEntry(index=1, description=nasty, modality="MR", files=1)
    html = render(a_record(series=(series,), subject="<b>"))
    assert "<script>" not in html
    assert "sub-&lt;b&gt;" in html


def test_pictures_are_shown_before_and_after(picture: Callable[[str], Path]) -> None:
    names = ["before-front", "before-left", "after-front", "after-left"]
    outcome = DefaceOutcome(
        path=T1W,
        verdict=DefaceVerdict.DEFACED,
        engine="bidsanon",
        reason="620 ml of tissue were removed",
        figures={"sharp": 0.04567, "face_cut_ml": 1883.9},
        pictures={name: picture(name) for name in names},
    )
    record = a_record(defaced=(outcome,))
    reader = read(record)
    assert len(reader.values("src")) == 4
    assert reader.values("alt") == [
        f"{T1W}, {view}, {moment} defacing"
        for moment in ("before", "after")
        for view in ("front", "left side")
    ]
    page = text_of(record)
    assert "620 ml of tissue were removed." in page
    assert "0.0457" in page
    assert "1,884" in page


def test_a_picture_that_was_not_drawn_is_said_to_be_missing(
    picture: Callable[[str], Path], tmp_path: Path
) -> None:
    outcome = DefaceOutcome(
        path=T1W,
        verdict=DefaceVerdict.FAILED,
        engine="bidsanon",
        reason="no peak",
        pictures={
            "before-front": picture("before-front"),
            "after-front": tmp_path / "not-there.png",
        },
    )
    page = text_of(a_record(defaced=(outcome,)))
    assert "no picture" in page
    assert "Failed: not published" in page


def test_images_without_faces_are_only_listed() -> None:
    outcome = DefaceOutcome(
        path=BOLD, verdict=DefaceVerdict.NOT_NEEDED, engine="", reason="echo-planar"
    )
    page = text_of(a_record(defaced=(outcome,)))
    assert "1 image of kinds that show no face" in page


def test_each_part_of_the_record_reaches_the_page() -> None:
    page = text_of(a_record(other_files=3))
    for expected in (
        "sub-01, ses-02",
        "5 April 2031, 06:07 UTC",
        "12 s",
        "/data/study.private",
        "t1_mprage",
        T1W,
        "Left out a scout",
        "burned-in",
        "3 files of the source were no DICOM",
        "All fields agree.",
        "Names 11",
        "too short (0010,0040) 1",
        "Removed 1,234",
        "StationName 6",
        "Clean Descriptors",
        "auto",
        "9.8.7",
        "dcm2niix v1.2.3",
    ):
        assert expected in page, expected


def test_bidsanons_own_version_is_said_once() -> None:
    assert text_of(a_record()).count("9.8.7") == 1


def test_an_early_refusal_makes_a_page_too() -> None:
    gates = gate_entries([GateResult(gate=Gate.SOURCE, findings=())])
    record = SessionReport(
        version="1",
        when=datetime(2031, 4, 5, tzinfo=UTC),
        dataset=Path("d"),
        private=Path("p"),
        subject="01",
        profile="bids",
        heuristic="auto",
        gates=gates,
    )
    page = text_of(record)
    for expected in (
        "Not finished",
        "Nothing was quarantined",
        "The pixels were not read",
        "The search was not reached",
        "No series was there",
        "No image reached this step",
    ):
        assert expected in page


def test_only_the_owner_can_read_the_page(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "sub-01.html"
    write_report(a_record(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text().startswith("<!DOCTYPE html>")


def test_the_same_record_gives_the_same_page() -> None:
    assert render(a_record()) == render(a_record())


def test_everything_that_can_be_named_has_words() -> None:
    assert set(words.GATES) == set(Gate)
    assert set(words.GATE_STATES) == set(GateState)
    assert set(words.SEVERITIES) == set(Severity)
    assert set(words.OUTCOMES) == set(Outcome)
    assert set(words.QUARANTINE) == set(QuarantineReason)
    assert set(words.ACTIONS) == set(Action)
    assert set(words.KINDS) == set(ValueKind)
    assert set(words.VERDICTS) == set(DefaceVerdict)
    assert set(words.OUTCOME_MARKS) == set(Outcome)
    assert set(words.DECISIONS) == {None, *FaceVerdict}
    assert set(words.CLAIMS) == set(FaceClaim)


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [
        (1, "file", "1 file"),
        (2, "file", "2 files"),
        (1, "series", "1 series"),
        (0, "key", "0 keys"),
    ],
)
def test_counts_agree_with_their_nouns(count: int, noun: str, expected: str) -> None:
    assert words.counted(count, noun) == expected


def test_the_page_says_whether_anybody_looked_at_the_pixels() -> None:
    assert "The pixels were not read" in words.pixels_words(None)
    read = words.pixels_words(PixelReading(reader="a reader 1.0", frames=12, undecoded=0))
    assert "a reader 1.0 looked for burned-in text in 12 frames" in read
    assert "decoded" not in read
    some = words.pixels_words(PixelReading(reader="a reader 1.0", frames=1, undecoded=3))
    assert "3 images could not be decoded" in some


def test_quarantined_files_are_counted_by_reason() -> None:
    files = [
        QuarantinedFile(path=Path("a"), reason=QuarantineReason.NOT_AN_IMAGE),
        QuarantinedFile(path=Path("b"), reason=QuarantineReason.BURNED_IN),
        QuarantinedFile(path=Path("c"), reason=QuarantineReason.BURNED_IN),
    ]
    entries = quarantine_entries(files)
    assert [(entry.reason, entry.count) for entry in entries] == [
        (QuarantineReason.BURNED_IN, 2),
        (QuarantineReason.NOT_AN_IMAGE, 1),
    ]


def test_series_are_told_by_where_they_went() -> None:
    series = [a_series(index) for index in (1, 2, 3)]
    entries = series_entries(
        series,
        descriptions={1: "t1", 2: "rest", 3: "scout"},
        images=[
            ConvertedImage(path=T1W, series_index=1, datatype="anat", suffix="T1w"),
            ConvertedImage(path=BOLD, series_index=2, datatype="func", suffix="bold"),
        ],
        withheld=[T1W],
        skipped=[SkippedSeries(series_index=3, reason="a scout")],
    )
    assert [(entry.images, entry.withheld, entry.skipped) for entry in entries] == [
        ((), (T1W,), ""),
        ((BOLD,), (), ""),
        ((), (), "a scout"),
    ]
    assert [entry.files for entry in entries] == [1, 1, 1]


def a_series(index: int) -> SourceSeries:
    instance = SourceInstance(
        path=Path("x"),
        sop_class_uid="1.2",
        sop_instance_uid="1.2.3",
        transfer_syntax_uid="1.2.840.10008.1.2",
        instance_number=1,
    )
    return SourceSeries(
        index=index,
        series_instance_uid=f"1.{index}",
        series_number=index,
        modality="MR",
        description="identified",
        study_date="20230517",
        start="",
        instances=(instance,),
    )
