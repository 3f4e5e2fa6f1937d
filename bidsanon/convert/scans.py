"""Keeps heudiconv's ``scans.tsv`` in step with the images: a row for each, and no other row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from bidsanon.convert.naming import session_folder
from bidsanon.files import write_text
from bidsanon.session import ConvertedImage

_NOT_KNOWN = "n/a"


def keep_scans_of(
    root: Path, images: Sequence[ConvertedImage], *, subject: str, session: str | None
) -> None:
    """Rewrite ``scans.tsv`` so that it lists exactly these images.

    An image that a heuristic renamed has no row; the other images of its series have its time.
    """
    folder = root / session_folder(subject, session)
    label = f"_ses-{session}" if session else ""
    table = folder / f"sub-{subject}{label}_scans.tsv"
    if not table.exists():
        return
    with table.open(newline="") as stream:
        header, *rows = csv.reader(stream, delimiter="\t")
    known = {row[0]: row[1:] for row in rows if row}
    names = {image: str(Path(image.path).relative_to(folder.relative_to(root))) for image in images}
    of_series = {image.series_index: known[name] for image, name in names.items() if name in known}
    unknown = [_NOT_KNOWN] * (len(header) - 1)
    lines = [header]
    for image, name in names.items():
        lines.append([name, *known.get(name, of_series.get(image.series_index, unknown))])
    lines[1:] = sorted(lines[1:], key=lambda row: (row[1:2], row[0]))
    write_text(table, "".join("\t".join(line) + "\n" for line in lines))
