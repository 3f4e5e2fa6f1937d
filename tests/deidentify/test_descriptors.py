"""Free text keeps how an image was acquired, and loses who, where and when."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from processor_time import within_cpu_seconds
from pydicom.misc import is_dicom

from bidsanon.deidentify.descriptors import CleanedText, clean_descriptor
from bidsanon.deidentify.known_values import searched_values
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.notes import NoteReason

NOTHING: frozenset[tuple[ValueKind, str]] = frozenset()
OWN: frozenset[str] = frozenset()
AGE_AND_TELEPHONE = (NoteReason.AGE, NoteReason.TELEPHONE)


class Row(NamedTuple):
    """A text of the corpus."""

    known: frozenset[tuple[ValueKind, str]]
    text: str
    left: str


def _read_corpus() -> tuple[Row, ...]:
    kinds = {
        "name": ValueKind.NAME,
        "id": ValueKind.IDENTIFIER,
        "place": ValueKind.PLACE,
        "date": ValueKind.DATE,
    }
    rows = []
    lines = (Path(__file__).parent / "descriptors.tsv").read_text("utf-8").splitlines()
    for line in lines[1:]:
        _, known, text, left = line.split("\t")
        kind, _, value = known.partition("=")
        values = {(kinds[kind], value)} if known else set()
        rows.append(Row(frozenset(values), text, left))
    return tuple(rows)


def _names(row: Row) -> str:
    """Return the names that the headers say elsewhere, in lower case."""
    return " ".join(text.lower() for kind, text in row.known if kind is ValueKind.NAME)


CORPUS = _read_corpus()
PERSON = frozenset(
    {
        (ValueKind.NAME, "Doe^Jane"),
        (ValueKind.DATE, "20180307"),
        (ValueKind.IDENTIFIER, "SUBJ-0042"),
    }
)


def known(kind: ValueKind, *texts: str) -> frozenset[tuple[ValueKind, str]]:
    return frozenset((kind, text) for text in texts)


@pytest.mark.parametrize(
    "text",
    [
        "ep2d_diff_mddw_20_p2",
        "T1_mprage_ns_sag_p2_iso 1.0mm_192",
        "pd+t2_tse_sag_ISO_1.8mm",
        "EPI PE=AP",
        "REST1 w SMS PF7-8",
        "Dual-echo_iso",
        "AAHead_Scout_32ch-head-coil",
        "DTI_Biobank_2mm_MB3S2_EPI",
        "Axial EPI-FMRI (Interleaved I to S)",
        "T/S/C RF FAST PILOT",
        "BRAIN SEQ  4.8  H31s",
        "JPEG 2000 irreversible (lossy) 2097:1",
        "Lossless JPEG compression, selection value 1, compression ratio 1.9974",
        "b=1000(0.50000000,-0.70710678,0.50000000)",
        "b=1000(0.20011231,-0.7,0.1)",
        "dwi_200-500-1000",
        "b 0 500 1000 2000 3000",
        "cmrr_mbep2d_bold_AP_2.0iso_TR800_MB8",
        "func-bold_task-rest_run-01_dir-AP",
        "anat-T1w_acq-mprage800",
        "MR Brain",
        "MS protocol",
        "DR Flair",
        "acc 2 GRAPPA",
        "PAT2 iPAT 2:1",
        "11 ml Omniscan",
        "*ep_b1000#10",
        "TE=2.46 TI=1100 TR=2530",
        "t2_spc_da-fl_sag_p2_iso1.0",
        "1.1 Routine Brain",
        "pcasl_3000_PLD1800",
        "PHILIPS_MB_8min30",
        "2012 protocol",
        "  padded  and  spaced ",
    ],
)
def test_what_says_how_it_was_acquired_stays_as_it_is(text: str) -> None:
    cleaned = clean_descriptor(text, NOTHING)
    assert cleaned.text == text
    assert cleaned.cut == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("T1 for Dr. Smith", "T1 for"),
        ("Prof. Dr. med. Müller wants T1", "wants T1"),
        ("FRAU SCHMIDT T1", "T1"),
        ("Herr von der Heide bold", "bold"),
        ("Mr Doe FLAIR", "FLAIR"),
        ("DR SMITH FLAIR", "FLAIR"),
        ("Dr_Smith_T1", "T1"),
        ("Dr. Head T1", "T1"),
        ("Patient (Frau Meier) moved", "Patient moved"),
        ("Patient: Jane Roe", ""),
        ("scanned by JD", ""),
        ("name=John", ""),
        ("call 555-0123 for results", "for results"),
        ("tel: 0551 39-12345", ""),
        ("rest 0551/39-12345", "rest"),
        ("+49 551 3912345", ""),
        ("+1 617 555 0199", ""),
        ("(555) 123-4567 T1", "T1"),
        ("jane.doe@example.org T1", "T1"),
        ("see https://example.org/y?id=1", "see"),
        ("scan 2018-03-07", "scan"),
        ("scan 07.03.2018", "scan"),
        ("scan 7/3/2018", "scan"),
        ("scan 07.03.18", "scan"),
        ("20180307_T1", "T1"),
        ("T1_20180307143520", "T1"),
        ("12 Mar 2018 rest", "rest"),
        ("12. März 2018 rest", "rest"),
        ("March 7th, 2018 rest", "rest"),
        ("March 2018 protocol", "protocol"),
        ("2018-Mar-07", ""),
        ("at 14:35", "at"),
        ("at 14:35:20.5", "at"),
        ("at 2:35 pm", "at"),
        ("123-45-6789 T1", "T1"),
        ("AB1234567_T1", "T1"),
        ("0012345678 T1", "T1"),
        ("MRN: A-12345", ""),
        ("case no 42 T1", "T1"),
        ("ID: 42", ""),
        ("1.3.12.2.1107.5.2.32.35135.2018030712 T1", "T1"),
        ("DOB 3/5/62", ""),
        ("geb. 07.03.62 T1", "T1"),
        ("45yo male", "male"),
    ],
)
def test_what_says_who_where_and_when_goes(text: str, left: str) -> None:
    cleaned = clean_descriptor(text, NOTHING)
    assert cleaned.text == left
    assert cleaned.cut


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Doe^Jane", "T1w_DoeJ", "T1w"),
        ("Doe^Jane", "JDoe_T1", "T1"),
        ("Doe^Jane", "j. doe T1", "T1"),
        ("Doe^Jane", "T1_DOE_JANE_sag", "T1_sag"),
        ("Doe^Jane", "JaneDoe FLAIR", "FLAIR"),
        ("Doe^Jane", "DoeT1w", "T1w"),
        ("Doe^Jane", "T1 (Doe) sag", "T1 sag"),
        ("Doe^Jane", "doemap T1", "doemap T1"),
        ("Doe^Jane", "prejanet", "prejanet"),
        ("Fridriksson^J", "fridriksson_prisma", "prisma"),
        ("Fridriksson^J", "T1fridrikssons", "T1 s"),
        ("Müller^Jürgen", "MUELLER T1 Juergen", "T1"),
        ("Müller^Jürgen", "T1muller", "T1"),
        ("Müller^Jürgen", "T1_Mu\u0308ller", "T1"),
        ("Li^Wu", "Li Wu T1 ALICE", "T1 ALICE"),
        ("Li^Wu", "LiWu", ""),
        ("Li^Wu", "Lithium", "Lithium"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田 T1 太郎", "T1"),
        ("von der Heide^Anna^^Dr.", "van der Heide T1", "van der T1"),
    ],
)
def test_a_name_is_found_by_its_parts_and_not_within_words(name: str, text: str, left: str) -> None:
    assert clean_descriptor(text, known(ValueKind.NAME, name)).text == left


class TestAPersonCalledLikeAnAcquisition:
    def test_anatomy_is_cut_where_it_stands_alone(self) -> None:
        cleaned = clean_descriptor("T1_mprage_BRAIN", known(ValueKind.NAME, "BRAIN^ROBIN"))
        assert (cleaned.text, cleaned.cut) == ("T1_mprage", ("BRAIN",))

    def test_longer_words_that_hold_it_stay(self) -> None:
        text = "brainstem T1, whole brains"
        assert clean_descriptor(text, known(ValueKind.NAME, "BRAIN^ROBIN")).text == text

    def test_a_sequence_word_stays_alone_and_goes_beside_another_part_of_the_name(self) -> None:
        person = known(ValueKind.NAME, "Bold^Jane")
        assert clean_descriptor("bold_rest", person).text == "bold_rest"
        assert clean_descriptor("bold^jane_rest", person).text == "rest"
        assert clean_descriptor("JaneBold rest", person).text == "rest"

    def test_a_pilots_identifier_of_sequence_words_does_not_break_the_protocol(self) -> None:
        pilot = known(ValueKind.IDENTIFIER, "DTI_64")
        assert clean_descriptor("DTI_64dir", pilot).text == "DTI_64dir"


@pytest.mark.parametrize(
    ("kind", "value", "text", "left"),
    [
        (ValueKind.IDENTIFIER, "SUBJ-0042", "T1_SUBJ0042_x", "T1_x"),
        (ValueKind.IDENTIFIER, "1111", "x 1111 y 11112", "x y 11112"),
        (ValueKind.IDENTIFIER, "1111", "0.1111 mm", "0.1111 mm"),
        (ValueKind.IDENTIFIER, "192", "iso 1.0mm_192", "iso 1.0mm_192"),
        (ValueKind.IDENTIFIER, "qzlab", "T1_qzlab_sag", "T1_sag"),
        (ValueKind.PLACE, "University Hospital Magdeburg", "Magdeburg_T1", "T1"),
        (ValueKind.PLACE, "University Hospital Magdeburg", "university T1", "university T1"),
        (ValueKind.PLACE, "NIH QWERT", "QWERT_QA rest", "QA rest"),
        (ValueKind.DATE, "20180307", "T1 7_3_2018 x", "T1 x"),
        (ValueKind.DATE, "20180307", "T1 18-03-07", "T1"),
        (ValueKind.DATE, "20180307", "T1 18-03-08", "T1 18-03-08"),
        (ValueKind.DATE, "20180307", "T1 7.3.18", "T1"),
        (ValueKind.DATE, "20180307", "T1 3/7/18 x", "T1 x"),
        (ValueKind.DATE, "20180307", "rest_7Mar18", "rest"),
        (ValueKind.DATE, "20180307", "T1 17.3.18", "T1 17.3.18"),
        (ValueKind.IDENTIFIER, "0007719", "bold 7719", "bold"),
        (ValueKind.IDENTIFIER, "0007719", "bold 07719_x", "bold x"),
        (ValueKind.IDENTIFIER, "0007719", "bold 17719", "bold 17719"),
        (ValueKind.IDENTIFIER, "0000300", "bold 300 dirs", "bold 300 dirs"),
        (ValueKind.NAME, "Doe^Jane^Quinn", "rest_DJQ", "rest"),
        (ValueKind.NAME, "Doe^Jane^Quinn", "rest jqd 2", "rest 2"),
        (ValueKind.NAME, "Doe^Jane^Quinn", "rest DJ", "rest DJ"),
        (ValueKind.NAME, "Dane^Toni^Ines", "DTI 64", "DTI 64"),
        (ValueKind.TEXT, "wears a pacemaker", "T1 wears a pacemaker", "T1"),
        (ValueKind.TEXT, "gre_field_magph", "gre_field_magph", "gre_field_magph"),
        (ValueKind.PATH, "gre_study", "gre_study", "gre_study"),
        (ValueKind.NAME, "", "T1", "T1"),
    ],
)
def test_other_known_values_are_found(kind: ValueKind, value: str, text: str, left: str) -> None:
    assert clean_descriptor(text, known(kind, value)).text == left


def test_only_what_is_looked_for_in_text_is_prepared() -> None:
    values = [
        IdentifyingValue(kind=ValueKind.UID, text="1.2.3", origin="(0020,000D)"),
        IdentifyingValue(kind=ValueKind.NAME, text="Doe^Jane", origin="(0010,0010)"),
    ]
    assert searched_values(values) == {(ValueKind.NAME, "Doe^Jane")}


def test_what_was_cut_is_told_in_its_order() -> None:
    cleaned = clean_descriptor("Dr. Smith T1 20180307", NOTHING)
    assert cleaned.cut == ("Dr. Smith", "20180307")


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("Dr. Smith T1 20180307", (NoteReason.TITLE_WITH_NAME, NoteReason.DATE)),
        ("jane.doe@example.org T1", (NoteReason.E_MAIL,)),
        ("www.example.org T1", (NoteReason.WEB_ADDRESS,)),
        ("T1 +49 551 3912345", (NoteReason.TELEPHONE,)),
        ("T1 at 14:35", (NoteReason.TIME,)),
        ("T1 AB1234567", (NoteReason.RECORD_NUMBER,)),
        ("T1 MRN: A-12345", (NoteReason.LABELLED,)),
        ("T1 45yo male", (NoteReason.AGE,)),
        ("T1 1.3.12.2.1107.5.2.32.35135", (NoteReason.UID,)),
        ("T1 Jane 7 rest Doe", (NoteReason.NAME, NoteReason.NAME)),
        ("T1 7.3.18", (NoteReason.DATE,)),
        ("T1 SUBJ0042", (NoteReason.IDENTIFIER,)),
        ("T1 " * 20_000, (NoteReason.TOO_LONG,)),
        ("T1 20190307", (NoteReason.DATE,)),
        ("Dr. Smith, 45yo, call 555-0123 T1", (NoteReason.TITLE_WITH_NAME, *AGE_AND_TELEPHONE)),
        ("T1 Klinikum Hintertupfing", (NoteReason.PLACE,)),
        ("T1", ()),
    ],
)
def test_each_thing_that_is_cut_has_its_reason(text: str, reasons: tuple[NoteReason, ...]) -> None:
    cleaned = clean_descriptor(text, PERSON)
    assert cleaned.reasons == reasons


def test_no_new_number_arises_from_what_a_cut_leaves() -> None:
    cleaned = clean_descriptor("123Doe456", known(ValueKind.NAME, "Doe"))
    assert cleaned.text == "123 456"


def test_a_text_that_is_no_description_is_cut_whole() -> None:
    cleaned = clean_descriptor("T1 " * 20_000, NOTHING)
    assert cleaned.text == ""
    assert len(cleaned.cut) == 1


@pytest.mark.parametrize(
    "piece", ["_", "1.", "a.", "a-", "+1 ", "Dr Foo ", "University Foo ", "9 "]
)
def test_no_text_takes_long(piece: str) -> None:
    with within_cpu_seconds(2):
        clean_descriptor((piece * 8000)[:8000], NOTHING)


class TestTheCorpus:
    """``descriptors.tsv``: names of real protocols, and what must not stay in such names.

    Its columns: what it is, what the headers say elsewhere (kind=value), the text, what is left.
    """

    def test_no_text_that_says_how_it_was_acquired_is_cut(self) -> None:
        kept = [row for row in CORPUS if row.text == row.left]
        assert len(kept) >= 300
        cut = {row.text: clean_descriptor(row.text, row.known).cut for row in kept}
        assert {text: pieces for text, pieces in cut.items() if pieces} == {}

    def test_everything_that_identifies_is_cut_and_nothing_else(self) -> None:
        cut = [row for row in CORPUS if row.text != row.left]
        assert len(cut) >= 300
        left = {row.text: clean_descriptor(row.text, row.known).text for row in cut}
        assert left == {row.text: row.left for row in cut}

    def test_what_is_left_is_left_for_good(self) -> None:
        for row in CORPUS:
            assert clean_descriptor(row.left, row.known) == CleanedText(text=row.left)

    def test_by_the_vocabulary_nine_tenths_of_the_names_of_protocols_stay_whole(self) -> None:
        kept = [row.text for row in CORPUS if row.text == row.left]
        whole = [t for t in kept if clean_descriptor(t, NOTHING, vocabulary=OWN).text == t]
        assert len(whole) / len(kept) > 0.9

    def test_by_the_vocabulary_names_go_that_nothing_tells_of(self) -> None:
        for row in CORPUS:
            words = set(re.findall(r"[^\W\d_]{3,}", row.text.lower()))
            names = {name for name in re.findall(r"[^\W\d_]{3,}", _names(row)) if name in words}
            left = clean_descriptor(row.text, NOTHING, vocabulary=OWN).text.lower()
            assert not names & set(re.findall(r"[^\W\d_]+", left)), row.text

    @given(data=st.data())
    def test_what_identifies_is_cut_wherever_it_stands(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from([row for row in CORPUS if not row.left and not row.known]))
        name = data.draw(st.sampled_from(["t1_mprage_sag", "EPI PE=AP", "3D ASL", "(raw)"]))
        for text in (f"{name} {row.text}", f"{row.text}; {name}", f"{name} - {row.text} - rest"):
            cleaned = clean_descriptor(text, NOTHING)
            assert row.text not in cleaned.text
            assert name.strip("()") in cleaned.text, text


pieces = st.sampled_from(
    [
        *("Doe", "jane", "T1", "bold", "_", " ", "-", ".", "(", ")", "2018", "03", "07", "12345"),
        *("Dr.", "Frau", "@", "a.b", ":", "14", "35", "+49", "0551", "/", "BRAIN", "id", "=", "1."),
    ]
)


@given(text=st.one_of(st.text(), st.lists(pieces, max_size=12).map("".join)))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean_descriptor(text, PERSON)
    twice = clean_descriptor(once.text, PERSON)
    assert twice.text == once.text
    assert twice.cut == ()


@given(before=st.text(max_size=8), after=st.text(max_size=8))
def test_a_long_name_never_survives_whatever_stands_around_it(before: str, after: str) -> None:
    cleaned = clean_descriptor(f"{before}Fridriksson{after}", known(ValueKind.NAME, "Fridriksson"))
    assert "fridriksson" not in cleaned.text.lower()


@pytest.mark.parametrize(
    "name",
    [
        "siemens-ve11-t1w-face",
        "siemens-ve11-epi-mosaic",
        "siemens-ve11-dwi-head",
        "siemens-ve11-fmap-gre",
        "siemens-ve11-pdt2-tse",
        "siemens-xa10-enhanced-bold",
        "ge-mr750-epi",
        "philips-dual-echo-bold",
    ],
)
def test_real_series_and_protocol_names_survive_what_real_headers_know(
    name: str, shared_data: Callable[[str], Path]
) -> None:
    """But for words that equal a part of the person's name or ID."""
    file = min(path for path in shared_data(name).rglob("*") if path.is_file() and is_dicom(path))
    header = pydicom.dcmread(file, stop_before_pixels=True)
    person = f"{header.get('PatientName', '')} {header.get('PatientID', '')}".lower()
    values = frozenset(
        {
            (ValueKind.NAME, str(header.get("PatientName", ""))),
            (ValueKind.IDENTIFIER, str(header.get("PatientID", ""))),
            (ValueKind.DATE, str(header.get("StudyDate", ""))),
            (ValueKind.PLACE, str(header.get("InstitutionName", ""))),
            (ValueKind.PLACE, str(header.get("InstitutionAddress", ""))),
            (ValueKind.PLACE, str(header.get("StationName", ""))),
        }
    )
    for text in (header.SeriesDescription, header.get("ProtocolName", "")):
        cleaned = clean_descriptor(text, values)
        assert all(word in person for piece in cleaned.cut for word in piece.lower().split())


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Müßlöffel^Ida", "MÜSSLÖFFEL coil", "coil"),
        ("Müßlöffel^Ida", "MU\u0308SSLO\u0308FFEL coil", "coil"),
        ("Müssloeffel^Ida", "Müßloeffel coil", "coil"),
        ("Groß^Ida", "GROSS_t1", "t1"),
    ],
)
def test_a_sharp_s_is_found_in_capitals(name: str, text: str, left: str) -> None:
    assert clean_descriptor(text, known(ValueKind.NAME, name)).text == left


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Li^Bo", "Bo_t1", "t1"),
        ("Li^Bo", "t1_bo 3d", "t1_3d"),
        ("Li^Bo", "bold_libre_lipid", "bold_libre_lipid"),
        ("Li^Bo", "Bold AP", "Bold AP"),
        ("Pa^Te", "dwi_AP PA TR TE", "dwi_AP PA TR TE"),
        ("Ap^Ir", "ap_se_ir", "ap_se_ir"),
        ("de la Cruz^No", "t1 de tete no contrast", "t1 de tete no contrast"),
        ("Ep^Mm", "ep2d_bold 3 mm", "ep2d_bold 3 mm"),
    ],
)
def test_a_name_of_two_letters_goes_where_it_is_a_word_and_no_term(
    name: str, text: str, left: str
) -> None:
    assert clean_descriptor(text, known(ValueKind.NAME, name)).text == left
