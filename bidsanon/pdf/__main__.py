"""Reads the PDF that is its standard input, and writes what it holds to its standard output."""

from __future__ import annotations

import logging

from bidsanon.apart import tell
from bidsanon.pdf.document import read_document

if __name__ == "__main__":
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    tell(read_document)
