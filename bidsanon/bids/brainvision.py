"""The two texts of a BrainVision recording: the header (``.vhdr``) and the markers (``.vmrk``).

Both are INI files. A marker that begins a segment has the moment of the recording as its last part,
in twenty figures (BrainVision Core Data Format 1.0): zeros where it is not told. The header names
the files of data and of markers, which keep their first names when people rename recordings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

TEXTS = (".vhdr", ".vmrk", ".amrk")
SAMPLES_OF = {".eeg": ".vhdr", ".fdt": ".set"}
"""Files of nothing but samples (BrainVision's and EEGLAB's), by what beside them describes them."""
LARGEST = 1 << 26
NO_MOMENT = "0" * 20

_MARKER = re.compile(r"(Mk\d+=)([^,\r\n]*),([^,\r\n]*)(,[^,\r\n]*,[^,\r\n]*,[^,\r\n]*)(?:,(\d+))?")
_FILE = re.compile(r"((?:DataFile|MarkerFile)=)([^\r\n]*)")
_BASE = "$b"
_MOMENT = "%Y%m%d%H%M%S%f"
_COMMENT = "Comment"


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A marker.

    Attributes
    ----------
    number
        ``Mk1=``
    kind
        What it marks: a stimulus, a segment, a comment.
    description
        What is said of it.
    place
        Where in the data it stands, and for which channels, with the comma before.
    moment
        When, in figures; empty where it is not told.
    """

    number: str
    kind: str
    description: str
    place: str
    moment: str

    @property
    def is_comment(self) -> bool:
        """Whether somebody typed it."""
        return self.kind.strip() == _COMMENT

    @property
    def began(self) -> datetime | None:
        """When; None where it is not told."""
        if len(self.moment) != len(NO_MOMENT):
            return None
        try:
            return datetime.strptime(self.moment, _MOMENT)  # noqa: DTZ007 - the format has no zone
        except ValueError:
            return None

    def line(self) -> str:
        """Return it as a line."""
        moment = f",{self.moment}" if self.moment else ""
        return f"{self.number}{self.kind},{self.description}{self.place}{moment}"


@dataclass(frozen=True, kw_only=True)
class FileNamed:
    """A line that names a file of the recording.

    Attributes
    ----------
    key
        ``DataFile=`` or ``MarkerFile=``.
    name
        The file.
    """

    key: str
    name: str

    def is_own(self, stem: str) -> bool:
        """Tell whether it is named as the text is; ``$b`` stands for that."""
        return self.name.strip().replace(_BASE, stem).rpartition(".")[0] == stem

    def renamed(self, stem: str) -> FileNamed:
        """Return it with the name that the text itself has."""
        return FileNamed(key=self.key, name=f"{stem}{PurePosixPath(self.name.strip()).suffix}")

    def line(self) -> str:
        """Return it as a line."""
        return f"{self.key}{self.name}"


def decoded(content: bytes) -> tuple[str, str]:
    """Return a text and its encoding: older ones are ANSI, and say so or not."""
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def read_line(line: str) -> Marker | FileNamed | None:
    """Return what a line without its end says; None where it is neither marker nor file."""
    marker = _MARKER.fullmatch(line)
    if marker:
        number, kind, description, place, moment = marker.groups(default="")
        return Marker(number=number, kind=kind, description=description, place=place, moment=moment)
    file = _FILE.fullmatch(line)
    return FileNamed(key=file[1], name=file[2]) if file else None


def written_moment(moment: datetime) -> str:
    """Return a moment as a marker has it."""
    return moment.strftime(_MOMENT)
