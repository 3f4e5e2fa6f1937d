"""Names, addresses and folders of people in texts that are no tables and no JSON."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TextIO

from bidsanon.bids.identifying import is_usual_name
from bidsanon.bids.written import (
    names_somebodys_account,
    names_somebodys_address,
    names_somebodys_folder,
)
from bidsanon.dicom_names import holds_name
from bidsanon.validate.privacy_spots import Spot

_MOST_CHARACTERS = 1 << 26
"""Of a text; what is behind them is not looked at."""

_LONGEST_LINE = 1 << 16
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_A_KIND = re.compile(r"\.[a-z][a-z0-9]{0,7}")
_DOCUMENTS = re.compile(r"(?:README|CHANGES|LICENSE|CITATION)(?:\.\w+)?", re.IGNORECASE)


@dataclass(frozen=True)
class _Asked:
    """What is asked of a line that holds one of some words, as few do."""

    words: tuple[str, ...]
    asks: Callable[[str], bool]

    def tells(self, line: str, lowered: str) -> bool:
        return any(word in lowered for word in self.words) and self.asks(line)


def is_document(name: str) -> bool:
    """Tell what BIDS has people write about a dataset, by its name."""
    return _DOCUMENTS.fullmatch(PurePosixPath(name).name) is not None


def _opened(stream: IO[bytes]) -> TextIO:
    """Read bytes as text: UTF-16 where its mark begins it, UTF-8 otherwise."""
    start = stream.read(len(_UTF_16[0]))
    stream.seek(0)
    encoding = "utf-16" if start in _UTF_16 else "utf-8-sig"
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)


def text_spots(name: str, stream: IO[bytes]) -> Iterator[Spot]:
    """Look through a text for names, folders and addresses, and for what is to be filled in.

    Programs may hold the word TODO. Of a text that never ends the beginning is looked at, and that
    is said; so is it of what turns out to be no text.
    """
    document = is_document(name)
    contact = "PRIVACY_CONTACT_IN_DOCUMENT" if document else "PRIVACY_CONTACT"
    asked: dict[str, _Asked] = {
        "PRIVACY_FOLDER": _Asked(("home", "users", "documents"), names_somebodys_folder),
        "PRIVACY_ACCOUNT": _Asked(("user", "logname", "@"), names_somebodys_account),
        contact: _Asked(("@", "+", "tel", "phone", "fax", "mobile"), names_somebodys_address),
        "PRIVACY_NAME": _Asked(("^",), holds_name),
    }
    if document:
        asked["PRIVACY_PLACEHOLDER"] = _Asked(("todo",), lambda line: "TODO" in line)
    total, number = 0, 1
    with _opened(stream) as text:
        while line := text.readline(_LONGEST_LINE):
            total += len(line)
            if total > _MOST_CHARACTERS or "\0" in line:
                yield unread(name)
                return
            lowered = line.lower()
            for code in [code for code, one in asked.items() if one.tells(line, lowered)]:
                del asked[code]
                yield Spot(code=code, location=f"{name}, line {number}")
            number += line.endswith("\n")


def unread(name: str) -> Spot:
    """Say that nobody looked into a file, by its kind."""
    kind = PurePosixPath(name).suffix.lower()
    told = _A_KIND.fullmatch(kind) and not is_usual_name(kind[1:])
    shown = kind if told else "a kind that its name does not tell"
    return Spot(code="PRIVACY_KIND_NOT_READ", location=name, details={"kind": shown})
