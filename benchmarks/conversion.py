"""What the bundled heuristic makes of every set of real data, converted by the whole program.

Run it by hand: ``python benchmarks/conversion.py --write docs/conversion.md``. It needs bidsanon
and the real data, and nothing else. A set of several persons' files is converted study by study.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fidelity import SHARED, sets
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from bidsanon.deface import DefaceOptions
from bidsanon.errors import BidsanonError, GateRefusedError
from bidsanon.files import fresh_folder
from bidsanon.findings import Finding, errors
from bidsanon.pipeline.convert import convert
from bidsanon.pipeline.options import RunOptions
from bidsanon.pipeline.request import make_request
from bidsanon.pipeline.run import Run
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor

BEGIN = "<!-- sets: written by benchmarks/conversion.py -->\n"
END = "<!-- sets: end -->\n"
_FACES_KEPT = DefaceOptions(engine="none", because="the table is about names")
_SEVERAL = frozenset({"SEVERAL_PERSONS", "PERSONS_UNCLEAR", "PERSONS_SHARE_ID"})
_TOLD_BY_ITS_CAUSES = frozenset({"NOTHING_LEFT"})
_NONE = "nothing"


@dataclass(kw_only=True)
class Row:
    """What became of a set, or of a study of it.

    Attributes
    ----------
    what
        The set's name, and which part of it.
    names
        What was published.
    reasons
        Why other things were not, and of how many that holds.
    """

    what: str
    names: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def cells(self) -> tuple[str, str, str]:
        """Return the row as texts."""
        told = [f"{why} ({count})" if count > 1 else why for why, count in self.reasons.items()]
        names = "<br>".join(f"`{name}`" for name in self.names)
        return self.what, names or _NONE, "; ".join(told) or ""


def main() -> None:
    """Convert every set, print the table, and write it where asked."""
    options = _parse()
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        lines = list(table(options.shared, Path(work)))
    print("\n".join(lines))
    if options.write:
        options.write.write_text(_with_block(options.write.read_text("utf-8"), lines), "utf-8")


def table(shared: Path, work: Path) -> Iterator[str]:
    """Yield the table of all sets."""
    yield "| set | what it became | what did not, and why |"
    yield "|---|---|---|"
    for name in sets(shared):
        for row in rows(shared / name, work):
            yield f"| {' | '.join(row.cells())} |"


def rows(folder: Path, work: Path) -> list[Row]:
    """Convert a set, or its studies one by one where it holds several persons.

    Parameters
    ----------
    folder
        The set.
    work
        A folder to work in.
    """
    whole, codes = convert_one(folder, fresh_folder(work / "run"), what=folder.name)
    if _SEVERAL.isdisjoint(codes):
        return [whole]
    parts: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Row]] = {}
    for number, study in enumerate(_studies(folder, fresh_folder(work / "studies")), start=1):
        what = f"{folder.name}, study {number}"
        row, _ = convert_one(study, fresh_folder(work / "run"), what=what, withhold=True)
        parts.setdefault((tuple(row.names), tuple(row.reasons)), []).append(row)
    return [_joined(alike) for alike in parts.values()]


def convert_one(
    source: Path, work: Path, *, what: str, withhold: bool = False
) -> tuple[Row, set[str]]:
    """Convert one source as one session, and say what became of it.

    Returns
    -------
    The row, and the codes of what refused it.
    """
    row = Row(what=what)
    request = make_request(
        (source,),
        dataset=work / "study",
        subject="01",
        deface=_FACES_KEPT,
        options=RunOptions(withhold=withhold),
    )
    try:
        run = convert(request, progress=Silent(), redactor=Redactor())
    except BidsanonError as error:
        row.reasons[str(error)] += 1
        return row, set()
    row.names = [re.sub(r"sub-01[_/]", "", i.path) for i in _published(run)]
    row.reasons.update(_reasons(run))
    return row, {finding.code for finding in _refused_by(run)}


def _published(run: Run) -> Iterable[object]:
    if run.refusal is not None or run.converted is None:
        return ()
    return run.converted.images


def _refused_by(run: Run) -> tuple[Finding, ...]:
    return errors(run.refusal.findings) if isinstance(run.refusal, GateRefusedError) else ()


def _reasons(run: Run) -> Iterator[str]:
    """Say why files and series were not published; the same words for the same reason."""
    for finding in _refused_by(run):
        if finding.code not in _TOLD_BY_ITS_CAUSES:
            yield re.sub(r"\d+ file\(s\)( of series \d+)?", "files", finding.message)
    for one in run.converted.skipped if run.converted else ():
        yield one.reason
    for reason in sorted({file.reason.value for file in run.source.quarantine}):
        yield f"quarantine: {reason}"


def _studies(folder: Path, into: Path) -> list[Path]:
    """Link the files of each study into a folder of its own."""
    found: dict[str, list[Path]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            header = dcmread(file, specific_tags=["StudyInstanceUID"], stop_before_pixels=True)
        except (InvalidDicomError, OSError, ValueError, NotImplementedError):
            continue  # it belongs to no study that could be converted
        uid = str(header.get("StudyInstanceUID") or "")
        if uid:
            found.setdefault(uid, []).append(file)
    folders = []
    for number, files in enumerate(found.values(), start=1):
        study = into / f"{number:03d}"
        study.mkdir()
        for place, file in enumerate(files):
            (study / f"{place:05d}").symlink_to(file)
        folders.append(study)
    return folders


def _joined(alike: list[Row]) -> Row:
    """Write the rows of studies of which the same is to be said as one."""
    first, *others = alike
    numbers = [row.what.rpartition(" ")[2] for row in alike]
    if others:
        first.what = f"{first.what.rpartition(', ')[0]}, studies {', '.join(numbers)}"
    first.reasons = Counter(dict.fromkeys(first.reasons, 1)) if others else first.reasons
    return first


def _with_block(page: str, lines: Iterable[str]) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{chr(10).join(lines)}\n{END}{after}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="where the sets are")
    parser.add_argument("--work", type=Path, help="where to work  [default: a temporary folder]")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="the page to write it into")
    return parser.parse_args()


if __name__ == "__main__":
    main()
