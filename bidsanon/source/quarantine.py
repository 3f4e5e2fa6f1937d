"""What is not converted, copied into the private folder with the reason."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from bidsanon.files import PRIVATE_FILE_MODE, fresh_folder, make_private_folder, write_bytes
from bidsanon.session import SourceSession

TABLE = "quarantine.tsv"
_COLUMNS = "copy\treason\tseries\toriginal\n"


def write_quarantine(session: SourceSession, folder: Path) -> None:
    """Copy quarantined files to ``folder/<reason>/000001.dcm`` and list them in quarantine.tsv.

    Nothing is made where nothing was quarantined. What stood in `folder` before is replaced. The
    table names originals: what came out of an archive by the archive's path and the member.

    Parameters
    ----------
    session
        The source.
    folder
        A folder of the private folder: what it gets is identified.

    Raises
    ------
    OSError
        If a file cannot be copied.
    """
    if not session.quarantine:
        return
    make_private_folder(folder.parent)
    fresh_folder(folder)
    numbers: Counter[str] = Counter()
    rows = [_COLUMNS.encode()]
    for file in session.quarantine:
        reason = file.reason.value
        numbers[reason] += 1
        copy = make_private_folder(folder / reason) / f"{numbers[reason]:06d}.dcm"
        shutil.copyfile(file.path, copy)
        copy.chmod(PRIVATE_FILE_MODE)
        series = "n/a" if file.series_index is None else str(file.series_index)
        cells = (f"{reason}/{copy.name}", reason, series)
        rows.append("\t".join(cells).encode() + b"\t" + _cell(file.path, session) + b"\n")
    write_bytes(folder / TABLE, b"".join(rows), mode=PRIVATE_FILE_MODE)


def _original(path: Path, unpacked: Mapping[Path, Path]) -> str:
    """Return where a file of the source is: "/data/visit.zip: series/0001.dcm" in an archive."""
    for part in (path, *path.parents):
        if part in unpacked:
            packed = _original(unpacked[part], unpacked)
            return packed if part == path else f"{packed}: {path.relative_to(part)}"
    return str(path)


def _cell(path: Path, session: SourceSession) -> bytes:
    """Write a path into a table: a name may hold tabs and line ends, and need not be UTF-8."""
    original = _original(path, session.unpacked)
    text = os.fsencode(original).decode("utf-8", "backslashreplace")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").encode()
