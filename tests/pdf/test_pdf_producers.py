"""A name is found in PDFs that all kinds of programs write, each with fonts in its own way."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fpdf import FPDF
from matplotlib.figure import Figure
from optional import lacking
from PIL import Image
from pypdf import PdfWriter
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue import search_residue

VALUES = (
    IdentifyingValue(kind=ValueKind.NAME, text="Quillfeather^Jörg", origin="(0010,0010)"),
    IdentifyingValue(kind=ValueKind.NAME, text="Yamada^Tarou=山田^太郎", origin="(0010,0010)"),
)
FONT = Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSerif-Bold.ttf"
NAMED, NOBODY = "seen by Jörg Quillfeather", "seen by Jürgen Quillfinger"


def by_reportlab(text: str, *, encryption: StandardEncryption | None = None) -> bytes:
    made = io.BytesIO()
    pdfmetrics.registerFont(TTFont("Serif", str(FONT)))
    canvas = Canvas(made, encrypt=encryption)
    canvas.setFont("Serif", 12)
    canvas.drawString(72, 700, text)
    canvas.save()
    return made.getvalue()


def with_form(text: str) -> bytes:
    made = io.BytesIO()
    canvas = Canvas(made)
    canvas.drawString(72, 700, "Name")
    canvas.acroForm.textfield(name="n", value=text, x=50, y=500)
    canvas.save()
    return made.getvalue()


def with_properties(text: str) -> bytes:
    made = io.BytesIO()
    canvas = Canvas(made)
    canvas.drawString(72, 700, "Questions")
    canvas.setAuthor(text)
    canvas.save()
    return made.getvalue()


def with_bookmark(text: str) -> bytes:
    made = io.BytesIO()
    canvas = Canvas(made)
    canvas.drawString(72, 700, "Questions")
    canvas.bookmarkPage("first")
    canvas.addOutlineEntry(text, "first")
    canvas.save()
    return made.getvalue()


def by_fpdf(text: str) -> bytes:
    document = FPDF()
    document.add_page()
    document.add_font("Serif", fname=FONT)
    document.set_font("Serif", size=12)
    document.multi_cell(60, text=f"{text} and much else, which is set in blocks", align="J")
    return bytes(document.output())


def by_matplotlib(text: str, kind: int) -> bytes:
    made = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": kind}):
        figure = Figure()
        figure.text(0.1, 0.5, text)
        figure.savefig(made, format="pdf")
    return made.getvalue()


def rewritten(content: bytes, change: Callable[[PdfWriter], None]) -> bytes:
    """Return a PDF as pypdf writes it, with its objects in packed streams of objects."""
    writer, made = PdfWriter(clone_from=io.BytesIO(content)), io.BytesIO()
    change(writer)
    writer.write(made)
    return made.getvalue()


def attached(text: str) -> bytes:
    def change(writer: PdfWriter) -> None:
        writer.add_attachment("notes.pdf", by_fpdf(text))

    return rewritten(by_fpdf(NOBODY), change)


def replaced(text: str) -> bytes:
    """Return a PDF whose only page was replaced; what it was before is still there."""
    writer, made = PdfWriter(io.BytesIO(by_fpdf(text)), incremental=True), io.BytesIO()
    page = writer.pages[0]
    page["/Contents"].get_object().set_data(b"BT ET")
    writer.write(made)
    return made.getvalue()


MADE: dict[str, Callable[[str], bytes]] = {
    "reportlab": by_reportlab,
    "fpdf2": by_fpdf,
    "matplotlib, drawn signs": lambda text: by_matplotlib(text, 3),
    "matplotlib, TrueType": lambda text: by_matplotlib(text, 42),
    "a form that was filled in": with_form,
    "an author": with_properties,
    "a bookmark": with_bookmark,
    "an attached PDF": attached,
    "locked without a password": lambda text: by_reportlab(
        text, encryption=StandardEncryption("", ownerPassword="owner", canPrint=0)
    ),
    "an earlier version": replaced,
}


def codes(root: Path) -> dict[str, set[str]]:
    found = search_residue(root, VALUES, allowed=(), jobs=2).findings
    gathered: dict[str, set[str]] = {}
    for one in found:
        gathered.setdefault(one.location.partition("#")[0], set()).add(one.code)
    return gathered


@pytest.mark.slow
def test_a_name_is_found_whatever_wrote_the_pdf(tmp_path: Path) -> None:
    for how, make in MADE.items():
        (tmp_path / f"{how}.pdf").write_bytes(make(NAMED))
    assert codes(tmp_path) == {f"{how}.pdf": {"RESIDUE_FOUND"} for how in MADE}


@pytest.mark.slow
def test_pdfs_that_name_nobody_are_searched_to_their_end(tmp_path: Path) -> None:
    for how, make in MADE.items():
        (tmp_path / f"{how}.pdf").write_bytes(make(NOBODY))
    assert codes(tmp_path) == {}


def test_a_pdf_in_an_archive_and_one_of_another_name_are_searched(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.pdf").write_bytes(by_fpdf(NAMED))
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "x")
    (tmp_path / "x" / "a.pdf").rename(tmp_path / "questions.dat")
    assert codes(tmp_path) == {name: {"RESIDUE_FOUND"} for name in ("packed.zip", "questions.dat")}


def test_pages_that_are_pictures_are_not_searched(tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 200), np.uint8))
    picture.save(tmp_path / "scan.pdf")
    made = Canvas(str(tmp_path / "stamped.pdf"), pagesize=(200, 300))
    made.drawImage(ImageReader(picture), 0, 0, 200, 300)
    made.drawString(10, 10, "Scanned by a program")
    made.save()
    beside = Canvas(str(tmp_path / "figure.pdf"), pagesize=(200, 300))
    beside.drawImage(ImageReader(picture), 0, 0, 100, 150)
    beside.drawString(10, 200, "Figure 1")
    beside.save()
    not_read = {"RESIDUE_NOT_SEARCHED"}
    assert codes(tmp_path) == {"scan.pdf": not_read, "stamped.pdf": not_read}


@pytest.mark.slow
def test_what_chromium_prints_is_searched(tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser is None:
        lacking("chromium")
    page = tmp_path / "page.html"
    for name, text in (("named", NAMED), ("nobody", NOBODY)):
        style = "text-align:justify;letter-spacing:1px"
        page.write_text(f'<meta charset="utf-8"><p style="{style}">{text}<input value="{text}">')
        target = tmp_path / f"{name}.pdf"
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer")
        command = [browser, *flags, f"--print-to-pdf={target}", str(page)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    page.unlink()
    assert codes(tmp_path) == {"named.pdf": {"RESIDUE_FOUND"}}
