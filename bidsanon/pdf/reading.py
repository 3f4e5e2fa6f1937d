"""Has a PDF read in a process of its own, which neither its size nor its making can take along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from bidsanon.external import started_module
from bidsanon.pdf.records import Kind, Record, read_records

_MODULE = "bidsanon.pdf"


def read_pdf(file: BinaryIO) -> Iterator[Record]:
    """Yield what a PDF holds: texts, files, and why some of it cannot be read.

    Parameters
    ----------
    file
        A file with a descriptor of its own.
    """
    with started_module(_MODULE, file) as told:
        for record in read_records(told):
            if record.kind is Kind.END:
                return
            yield record
    yield Record(Kind.PROBLEM, b"it is a PDF that takes too long, or too much memory, to read")
