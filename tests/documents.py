"""Small PDFs made by code, object by object."""

from __future__ import annotations

import zlib

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 400 600] >>"
_PAGE = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R >> %b >> >>"
FIRST_OF_ONES_OWN = 6


def stream(content: bytes, entries: bytes = b"", packing: bytes = b"/FlateDecode") -> bytes:
    """Write a stream; what is packed otherwise than by zlib is given as it is packed."""
    packed = zlib.compress(content) if packing == b"/FlateDecode" else content
    filtered = b"/Filter " + packing if packing else b""
    head = b"<< /Length %d %b %b >>" % (len(packed), filtered, entries)
    return head + b"\nstream\n" + packed + b"\nendstream"


def pdf(
    content: bytes,
    *objects: bytes,
    font: bytes = HELVETICA,
    packing: bytes = b"/FlateDecode",
    resources: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """Write a PDF of a page.

    Parameters
    ----------
    content
        What the page's operations are; its font is called F.
    objects
        Further objects, numbered from `FIRST_OF_ONES_OWN` on.
    font, packing, resources, trailer
        The font; how the content is packed; further resources and entries of the trailer.
    """
    page = stream(content, packing=packing)
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\1\2\n")
    places = []
    for number, one in enumerate((_CATALOG, _PAGES, _PAGE % resources, page, font, *objects), 1):
        places.append(len(written))
        written += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count, begin = len(places) + 1, len(written)
    return bytes(written) + (
        b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table)
        + b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (count, trailer)
        + b"startxref\n%d\n%%%%EOF\n" % begin
    )


def shown(text: bytes) -> bytes:
    """Return the operations that show a text."""
    return b"BT /F 12 Tf 50 500 Td (" + text + b") Tj ET"
