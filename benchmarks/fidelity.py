"""What dcm2niix makes of real originals and of their de-identified copies, set by set.

Every file of every set in ``../shared/data`` is de-identified; both sides are converted series by
series and compared as the fidelity gate does: voxels and header byte for byte, gradient tables, and
every sidecar key that does not identify. Run it by hand: ``python benchmarks/fidelity.py --write
docs/fidelity.md``. It needs bidsanon and the real data, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reencoding import Form, reencoded

from bidsanon.convert.fidelity import NOT_COMPARED, compare, convert_folder, exempt_keys
from bidsanon.deidentify.deidentifier import Deidentifier
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.files import fresh_folder, remove_tree
from bidsanon.profile import Profile, bundled_profiles, load_profile
from bidsanon.vault import PersonPlan

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

_SERIES_INSTANCE_UID = 0x0020000E
_MANUFACTURER = 0x00080070
_VENDORS = ("Siemens", "GE", "Philips", "Canon", "Toshiba", "UIH", "Hitachi")
_PLAN = PersonPlan(
    subject="01",
    patient_id="pseudonym-1",
    patient_name="pseudonym-2",
    shift_days=-36_524,
    uid_key=b"fidelity" * 4,
    label_key=b"fidelity" * 4,
)

_HEAD = """\
# Fidelity on real data

Written by `python benchmarks/fidelity.py --write docs/fidelity.md`, which needs the real data.

Each file of each set was de-identified, and dcm2niix converted the originals and the copies, series
by series. Compared were the images bit for bit (but for the texts in their headers), the gradient
tables, and every sidecar key that does not identify: `bidsanon/data/fidelity_exempt.tsv` lists the
others, each with its reason. The column *keys that identify* counts how many of those were there
and are gone, or have another value. Sets of which dcm2niix makes no image are left out, and so are,
where the originals are written in another encoding first, files whose pixels are compressed.

Series numbers that dcm2niix makes of the series' UID, and images that it makes of overlays, are not
compared: the UIDs are replaced and the overlays removed. Two keys differ with reason: a CT file's
private (0029,xx20) holds a date, which dcm2niix takes for a Siemens CSA header, and a person who is
called after an organ loses its name as the part of the body, too.
"""


@dataclass(frozen=True, kw_only=True)
class Series:
    """The files of one series, in one transfer syntax, that can be understood."""

    files: tuple[Path, ...]
    vendor: str


@dataclass(kw_only=True)
class Row:
    """What came of one set.

    Attributes
    ----------
    name
        The set's.
    vendors
        Who made the scanners.
    files
        How many are DICOM and were de-identified.
    images
        How many dcm2niix made of the originals.
    changed
        How many of them are others, or have another gradient table or sidecar, in the copies.
    compared
        How many sidecar keys were compared.
    identifying
        How many sidecar keys were left out because they identify, and are gone or others.
    differences
        What differed, by kind.
    """

    name: str
    vendors: set[str] = field(default_factory=set)
    files: int = 0
    images: int = 0
    changed: int = 0
    compared: int = 0
    identifying: int = 0
    differences: Counter[str] = field(default_factory=Counter)

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts."""
        told = "; ".join(f"{what} ({count})" for what, count in sorted(self.differences.items()))
        counts = (self.files, self.images, self.compared, self.identifying)
        vendors = ", ".join(sorted(self.vendors))
        return (
            self.name,
            vendors or "unknown",
            *(f"{count:,}" for count in counts),
            told or "none",
        )


def main() -> None:
    """Compare all sets, print the tables, and write them where asked."""
    options = _parse()
    page = "\n".join(_page(options.shared, options.work)) + "\n"
    print(page, end="")
    if options.write:
        options.write.write_text(page, encoding="utf-8")


def sets(shared: Path) -> tuple[str, ...]:
    """Return the names of the sets of real data."""
    return tuple(sorted(folder.name for folder in shared.iterdir() if folder.is_dir()))


def compare_set(folder: Path, *, profile: Profile, work: Path, form: Form | None = None) -> Row:
    """De-identify one set, convert both sides of each series, and count what differs.

    Parameters
    ----------
    folder
        The set.
    profile
        What is done to each attribute.
    work
        A folder to work in, emptied first.
    form
        The encoding in which both sides start; None for the originals as they are.
    """
    row = Row(name=folder.name)
    for series in find_series(folder):
        _compare_series(series, row, profile=profile, work=work, form=form)
    return row


def find_series(folder: Path) -> tuple[Series, ...]:
    """Sort the files of a set by series and transfer syntax; what is not understood is left out."""
    found: dict[tuple[bytes, str], list[Path]] = {}
    vendors: dict[tuple[bytes, str], str] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        file = _read(path)
        if file is None or not file.value(_SERIES_INSTANCE_UID):
            continue
        key = (file.value(_SERIES_INSTANCE_UID), file.transfer_syntax_uid)
        found.setdefault(key, []).append(path)
        vendors[key] = vendor_of(file)
    return tuple(Series(files=tuple(paths), vendor=vendors[key]) for key, paths in found.items())


def vendor_of(file: DicomFile) -> str:
    """Return who made the scanner, in one word; empty where the file does not say."""
    maker = file.value(_MANUFACTURER).decode("latin-1").lower()
    return next((vendor for vendor in _VENDORS if maker.startswith(vendor.lower())), "")


def _compare_series(
    series: Series, row: Row, *, profile: Profile, work: Path, form: Form | None
) -> None:
    originals, copies = fresh_folder(work / "originals"), fresh_folder(work / "copies")
    written = list(_write_both(series, originals, copies, profile=profile, form=form))
    if not written:
        return
    before = convert_folder(originals, work / "before", written)
    after = convert_folder(copies, work / "after", written)
    if before.names():
        row.vendors |= {series.vendor} - {""}
    row.files += len(written)
    row.images += len(before.names())
    found = [one for one in compare(before, after, place="") if one.code != NOT_COMPARED]
    row.changed += min(len(before.names()), len({one.location for one in found}))
    row.differences.update(one.message for one in found)
    for name in before.names():
        compared, identifying = _count_keys(
            *(f / f"{name}.json" for f in (before.folder, after.folder))
        )
        row.compared += compared
        row.identifying += identifying
    for folder in (originals, copies, before.folder, after.folder):
        remove_tree(folder)


def _write_both(
    series: Series, originals: Path, copies: Path, *, profile: Profile, form: Form | None
) -> Iterator[Path]:
    deidentifier = None
    for number, path in enumerate(series.files, start=1):
        try:
            content = path.read_bytes() if form is None else reencoded(path, form)
            if deidentifier is None:
                first = Deidentifier(profile=profile, plan=_PLAN)
                first.clean(content)
                deidentifier = first.knowing(first.harvest.drain().identity, marked=False)
            cleaned = deidentifier.clean(content)
        except NotUnderstoodError:
            continue
        name = f"{number:06d}.dcm"
        (originals / name).write_bytes(content)
        (copies / name).write_bytes(b"".join(cleaned.pieces))
        yield originals / name


def _count_keys(before: Path, after: Path) -> tuple[int, int]:
    one, other = _sidecar(before), _sidecar(after)
    identifying = {key for key in one if key in exempt_keys() and one[key] != other.get(key)}
    return len(one.keys() - exempt_keys().keys()), len(identifying)


def _sidecar(path: Path) -> dict[str, object]:
    """Read a sidecar; dcm2niix writes none beside an image that it resliced."""
    return json.loads(path.read_text(errors="replace")) if path.exists() else {}


def _read(path: Path) -> DicomFile | None:
    try:
        return read_file(path.read_bytes())
    except NotUnderstoodError:
        return None


def _page(shared: Path, work: Path | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="bidsanon-fidelity-", dir=work) as name:
        yield _HEAD.rstrip()
        for title, profile, form in _tables():
            rows = [
                compare_set(shared / one, profile=profile, work=Path(name) / "work", form=form)
                for one in sets(shared)
            ]
            yield from ("", f"## {title}", "", *_table(rows))


def _tables() -> Iterator[tuple[str, Profile, Form | None]]:
    bids = load_profile("bids")
    yield "The profile `bids`", bids, None
    yield "The profile `bids`, originals in Implicit VR", bids, Form.IMPLICIT
    yield "The profile `bids`, private attributes of unknown representation", bids, Form.UNKNOWN
    for name in sorted({"strict"} & set(bundled_profiles())):
        yield f"The profile `{name}`", load_profile(name), None


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| set | vendor | files | images | keys compared | keys that identify | differences |"
    yield "|---|---|---|---|---|---|---|"
    images = [row for row in rows if row.images]
    for row in images:
        yield f"| {' | '.join(row.cells())} |"
    total = sum(row.images for row in images)
    same = total - sum(row.changed for row in images)
    yield ""
    yield f"{same} of {total} images agree."


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--write", type=Path, help="the page to write")
    parser.add_argument(
        "--work", type=Path, help="where all is written; default: the temporary folder"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
