"""What a PDF says is read whole, or it is said that it is not."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest
from documents import FIRST_OF_ONES_OWN, HELVETICA, pdf, shown, stream
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.apart import Kind, read_apart
from bidsanon.pdf import READER
from bidsanon.pdf.document import read_document

OWN = FIRST_OF_ONES_OWN
TO_UNICODE = b"""begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange
2 beginbfchar <0001> <0051> <0002> <d835dc00> endbfchar
2 beginbfrange <0003> <0005> <0061> <0006> <0007> [<00660066> <0069>] endbfrange endcmap"""
GLYPHS = b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H "


def told(content: bytes) -> tuple[str, list[str]]:
    """Return all texts of a PDF, and why some of it cannot be read."""
    texts, problems = [], []
    for record in read_document(io.BytesIO(content)):
        if record.kind in {Kind.TEXT, Kind.FILE}:
            texts.append(record.content.decode("utf-8", "replace"))
        elif record.kind is Kind.PROBLEM:
            problems.append(record.content.decode())
    return "\n".join(texts), problems


def test_a_text_is_read() -> None:
    text, problems = told(pdf(shown(b"Quillfeather")))
    assert "Quillfeather" in text
    assert problems == []


@pytest.mark.parametrize(
    "operations",
    [
        b"BT /F 9 Tf [(Quill) -20 (feat) 900 (her)] TJ ET",
        b"BT /F 9 Tf (Q) Tj 9 0 Td (u) Tj 9 0 Td (ill) Tj 40 0 Td (feather) Tj ET",
        b"BT /F 9 Tf 1 0 0 1 5 70 Tm (Quill) Tj 1 0 0 1 90 70 Tm (feather) Tj ET",
        b'BT /F 9 Tf 2 3 (Quillfeather) " ET',
        b"/Span << /ActualText (Quillfeather) >> BDC BT /F 9 Tf (x) Tj ET EMC",
        b"BT /F 9 Tf <5175696c6c66656174686572> Tj ET",
        b"BT /S gs (Quillfeather) ' ET",
    ],
)
def test_a_word_is_read_however_it_is_shown(operations: bytes) -> None:
    resources = b"/ExtGState << /S << /Font [5 0 R 9] >> >>"
    assert "Quillfeather" in told(pdf(operations, resources=resources))[0]


def test_a_table_of_letters_is_read() -> None:
    font = GLYPHS + b"/ToUnicode %d 0 R >>" % OWN
    made = pdf(b"BT /F 9 Tf <0001000200030004000500060007> Tj ET", stream(TO_UNICODE), font=font)
    assert told(made) == (told(made)[0], [])
    assert "Q\U0001d400abcffi" in told(made)[0]


def test_a_ligature_that_ghostscript_wrote_the_wrong_way_round_is_read() -> None:
    table = b"beginbfchar <0001> <660066006900> <0002> <006E> endbfchar"
    font = GLYPHS + b"/ToUnicode %d 0 R >>" % OWN
    assert "ffin" in told(pdf(b"BT /F 9 Tf <00010002> Tj ET", stream(table), font=font))[0]


@pytest.mark.parametrize("differences", [b"1 /Q /u /i /l", b"1 /uni0051 /uni0075 /i /l.alt"])
def test_names_of_signs_are_read(differences: bytes) -> None:
    encoding = b"<< /Type /Encoding /Differences [%b] >>" % differences
    font = b"<< /Type /Font /Subtype /Type3 /Encoding %b >>" % encoding
    assert "Quill" in told(pdf(b"BT /F 9 Tf <0102030404> Tj ET", font=font))[0]


@pytest.mark.parametrize(
    "font",
    [
        GLYPHS + b">>",
        GLYPHS + b"/ToUnicode %d 0 R >>" % (OWN + 1),
        b"<< /Type /Font /Subtype /Type3 /Encoding << /Differences [0 /g0 /g1 /g2 /g3] >> >>",
        b"<< /Type /Font /Subtype /TrueType /FontDescriptor << /Flags 4 /FontFile2 6 0 R >> >>",
    ],
)
def test_letters_that_only_drawings_explain_are_a_problem(font: bytes) -> None:
    table = b"1 beginbfchar <0009> <0051> endbfchar"
    operations = b"BT /F 9 Tf <0000000100020003> Tj ET"
    _, problems = told(pdf(operations, stream(b""), stream(table), font=font))
    assert any("nobody can tell the letters" in problem for problem in problems)


def test_a_sign_within_a_word_has_to_be_known_and_a_bullet_has_not() -> None:
    table = (
        b"begincodespacerange <00><ff> endcodespacerange beginbfrange <41> <7a> <0041> endbfrange"
    )
    font = b"<< /Type /Font /Subtype /Type3 /ToUnicode 6 0 R /Encoding << /Differences [] >> >>"
    within = pdf(b"BT /F 9 Tf (Qu\x01ll) Tj ET", stream(table), font=font)
    bullet = pdf(b"BT /F 9 Tf (\x01) Tj (Quill) Tj ET", stream(table), font=font)
    assert (len(told(within)[1]), told(bullet)[1]) == (1, [])


@pytest.mark.parametrize(
    "objects",
    [
        (b"<< /Type /Annot /Subtype /Text /Contents (Quillfeather) >>",),
        (b"<< /Type /Annot /Contents <FEFF005100750069006c006c0066006500610074006800650072> >>",),
        (b"<< /S /JavaScript /JS (Quill\\146eather) >>",),
        (b"<< /Quillf#65ather 3 >>",),
        (stream(b"<x>Quillfeather</x>".hex().encode() + b">", packing=b"/ASCIIHexDecode"),),
        (stream(shown(b"Quillfeather"), b"/Subtype /Form /Resources << /Font << /F 5 0 R >> >>"),),
    ],
)
def test_everything_is_read_that_no_page_refers_to(objects: tuple[bytes, ...]) -> None:
    text, problems = told(pdf(shown(b"x"), *objects))
    assert "Quillfeather" in text
    assert problems == []


def test_drawings_within_drawings_are_read_once_each() -> None:
    resources = b"/Resources << /XObject << /A %d 0 R /B %d 0 R >> /Font << /F 5 0 R >> >>"
    forms = [
        stream(b"/A Do /B Do /A Do /B Do", b"/Subtype /Form " + resources % (OWN + n, OWN + n))
        for n in range(1, 14)
    ]
    last = stream(shown(b"Quillfeather"), b"/Subtype /Form /Resources << /Font << /F 5 0 R >> >>")
    assert "Quillfeather" in told(pdf(b"", *forms, last))[0]


def test_outlines_of_letters_are_writing_that_nobody_can_read() -> None:
    strokes = b"0 0 m " + b"1 1 2 2 3 3 c " * 200 + b"f"
    assert "pictures" in str(told(pdf(strokes))[1])
    assert told(pdf(b"0 0 9 9 re f"))[1] == []


@pytest.mark.parametrize(
    "made",
    [
        b"%PDF-1.4\n",
        pdf(shown(b"x"))[:300],
        pdf(shown(b"x"), packing=b"/Unheard"),
        pdf(shown(b"x"), trailer=b"/Encrypt << /Filter /Standard >>"),
        pdf(shown(b"x")).replace(b"/Type /Page ", b"/Type /Pane "),
        pdf(b"", stream(b"\xff\xfe\0" * 9, packing=b"[/FlateDecode]")),
    ],
)
def test_what_is_damaged_or_locked_is_a_problem(made: bytes) -> None:
    assert told(made)[1] != []


@pytest.mark.slow
def test_a_pdf_that_takes_too_much_memory_is_a_problem(tmp_path: Path) -> None:
    bomb = zlib.compress(zlib.compress(bytes(1 << 29), 9), 9)
    packing = b"[/FlateDecode /FlateDecode]"
    (tmp_path / "x.pdf").write_bytes(pdf(shown(b"x"), stream(bomb, packing=packing)))
    with (tmp_path / "x.pdf").open("rb") as file:
        assert [r.kind for r in read_apart(READER, file, what="a PDF")][-1] is Kind.PROBLEM


def test_a_process_that_ends_early_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf(shown(b"x")))
    with (tmp_path / "x.pdf").open("rb") as file:
        (record,) = read_apart("bidsanon.no_such_module", file, what="a PDF")
    assert record.kind is Kind.PROBLEM


WHOLE = pdf(
    shown(b"Quillfeather"),
    stream(TO_UNICODE),
    stream(b"1 1 c", b"/Subtype /Form /Matrix [1 2 3]"),
    font=HELVETICA[:-2] + b"/ToUnicode 6 0 R >>",
    packing=b"",
)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), other=st.binary(max_size=4))
def test_a_damaged_pdf_is_read_to_an_end(place: int, other: bytes) -> None:
    records = list(read_document(io.BytesIO(WHOLE[:place] + other + WHOLE[place + 4 :])))
    assert all(isinstance(record.content, bytes) for record in records)
