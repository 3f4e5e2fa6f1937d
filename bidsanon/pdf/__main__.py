"""Reads the PDF that is its standard input, and writes what it holds to its standard output."""

from __future__ import annotations

import logging
import resource
import sys

from bidsanon.pdf.document import read_document
from bidsanon.pdf.records import write_record

_MOST_MEMORY = 5 << 27
_MOST_SECONDS = 120


def main() -> None:
    """Read within bounds; beyond them the process ends before it has told everything."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
        for record in read_document(stream):
            write_record(sys.stdout.buffer, record)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
