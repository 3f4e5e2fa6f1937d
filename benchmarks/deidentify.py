"""Times de-identification into a folder against two other programs. See README.md beside this."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from convert import ROOT, write_classic_session
from enhanced import write_enhanced_session
from measuring import Cost, measure, summarise

from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import read_file
from bidsanon.files import files_below, remove_tree

CLASSIC = "classic"
ENHANCED = "enhanced"
SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018
SERIES_INSTANCE_UID = 0x0020000E
MR_IMAGES = (b"1.2.840.10008.5.1.4.1.1.4", b"1.2.840.10008.5.1.4.1.1.4.1")
REAL_SETS = (
    (CLASSIC, "philips-r57-dwi-dicomdir", 14),
    (CLASSIC, "siemens-ve11-epi-mosaic", 180),
    (ENHANCED, "siemens-xa10-enhanced-bold", 450),
    (ENHANCED, "philips-r53-enhanced-fmap", 390),
)
"""The kind of the files of each public set, its name, and how often it is repeated: so often that
each is as large as a session, some 260 MB."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A program to be timed: its name, and its command line for a source and an output."""

    name: str
    command: Callable[[Path, Path], list[str | Path]]


@dataclass(frozen=True, kw_only=True)
class FileSet:
    """Files to be de-identified.

    Attributes
    ----------
    name
        What the table calls it.
    kind
        Classic files, or enhanced multi-frame ones.
    folder
        Holds them and nothing else.
    """

    name: str
    kind: str
    folder: Path

    @property
    def sizes_mb(self) -> list[float]:
        """How large each file is."""
        return [path.stat().st_size / (1 << 20) for path in files_below(self.folder)]


def main() -> None:
    """Time all programs on all sets and print a table."""
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="bidsanon-benchmark-", dir=options.work) as name:
        work = Path(name)
        contenders = _contenders(work, options)
        print("| set | files | MB | program | wall s | CPU s | MB/s | ratio | largest process MB |")
        print("|---|---|---|---|---|---|---|---|---|")
        for file_set in _sets(work / "sets", options):
            costs = _time_all(file_set, contenders, work, repeats=options.repeat)
            _print_rows(file_set, costs)
            remove_tree(file_set.folder)
    print(
        f"\nMedians of {options.repeat} runs, in turns. The ratio is that of the program's wall"
        " time to bidsanon's."
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each program")
    parser.add_argument("--slices", type=int, default=7200, help="of the classic set made by code")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only-synthetic", action="store_true", help="leave real sets out")
    parser.add_argument("--only", help="the sets whose names hold this")
    parser.add_argument("--jobs", type=int, default=2, help="processes of bidsanon")
    parser.add_argument(
        "--gdcmanon", type=Path, default=shutil.which("gdcmanon"), help="default: found on PATH"
    )
    parser.add_argument(
        "--dicom-anonymizer",
        type=Path,
        default=shutil.which("dicom-anonymizer"),
        help="default: found on PATH; best installed in an environment of its own",
    )
    parser.add_argument("--work", type=Path, help="where all is written")
    return parser.parse_args()


def _contenders(work: Path, options: argparse.Namespace) -> list[Contender]:
    """Return the programs that are there, bidsanon first."""
    found = [
        Contender(
            name="bidsanon deidentify",
            command=lambda source, out: [
                *(sys.executable, "-m", "bidsanon", "deidentify", source, out / "clean"),
                *("--private", out / "private", "--jobs", str(options.jobs)),
            ],
        )
    ]
    if options.gdcmanon:
        certificate = _write_certificate(work)
        found.append(
            Contender(
                name="gdcmanon",
                command=lambda source, out: [
                    *(options.gdcmanon, "-e", "-c", certificate, "-r"),
                    *("-i", source, "-o", out / "clean"),
                ],
            )
        )
    if options.dicom_anonymizer:
        found.append(
            Contender(
                name="dicom-anonymizer",
                command=lambda source, out: [options.dicom_anonymizer, source, out / "clean"],
            )
        )
    return found


def _write_certificate(folder: Path) -> Path:
    """Make what gdcmanon encrypts the original values with."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise SystemExit("gdcmanon needs a certificate, and openssl makes one: install it")
    certificate = folder / "certificate.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=benchmark", "-keyout", folder / "key.pem", "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return certificate


def _sets(work: Path, options: argparse.Namespace) -> Iterator[FileSet]:
    """Make one set after the other; each is removed before the next one is made."""
    makers: list[tuple[str, str, Callable[[Path], None]]] = [
        (
            "classic, made by code",
            CLASSIC,
            lambda f: _write_classic(f, slices=options.slices),
        ),
        ("enhanced, made by code", ENHANCED, lambda f: write_enhanced_session(f, files=24)),
    ]
    if not options.only_synthetic:
        makers += [
            (name, kind, lambda f, n=name, c=copies: repeat(options.shared / n, f, copies=c))
            for kind, name, copies in REAL_SETS
            if (options.shared / name).is_dir()
        ]
    for name, kind, make in makers:
        if options.only and options.only not in name:
            continue
        folder = work / name.replace(" ", "-")
        folder.mkdir(parents=True)
        make(folder)
        yield FileSet(name=name, kind=kind, folder=folder)


def _write_classic(folder: Path, *, slices: int) -> None:
    made = folder.with_name("made")
    write_classic_session(made, slices=slices)
    repeat(made, folder, copies=1)
    remove_tree(made)


def repeat(source: Path, folder: Path, *, copies: int) -> None:
    """Write the MR images of a set several times, each time as other series of the same person.

    All lie in one folder: dicom-anonymizer looks into no other.
    """
    images = []
    for path in files_below(source):
        content = path.read_bytes()
        try:
            file = read_file(content)
        except NotUnderstoodError:
            continue  # no DICOM: what a set says of itself
        if file.value(SOP_CLASS_UID) in MR_IMAGES:
            own = (file.value(SOP_INSTANCE_UID), file.value(SERIES_INSTANCE_UID))
            images.append((path.name, content, own))
    for copy in range(copies):
        for number, (name, content, own) in enumerate(images):
            for uid in own:
                content = content.replace(uid, _other_uid(uid, copy))  # noqa: PLW2901 (step by step)
            (folder / f"{copy:03d}-{number:05d}-{name}").write_bytes(content)


def _other_uid(uid: bytes, copy: int) -> bytes:
    """Return another UID of the same length."""
    number = int(hashlib.sha256(uid + copy.to_bytes(2, "big")).hexdigest(), 16)
    return f"2.25.1{number}"[: len(uid)].encode()


def _time_all(
    file_set: FileSet, contenders: list[Contender], work: Path, *, repeats: int
) -> dict[str, Cost]:
    for path in files_below(file_set.folder):
        path.read_bytes()
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    out = work / "out"
    for _ in range(repeats):
        for contender in contenders:
            (out / "clean").mkdir(parents=True)
            log = Path(tempfile.gettempdir()) / f"{work.name}-{contender.name.split()[0]}.log"
            costs[contender.name].append(measure(contender.command(file_set.folder, out), log=log))
            written = sum(1 for _ in files_below(out / "clean"))
            if written < len(file_set.sizes_mb):
                raise SystemExit(f"{contender.name} wrote {written} files only: see {log}")
            log.unlink()
            remove_tree(out)
    return {name: summarise(runs) for name, runs in costs.items()}


def _print_rows(file_set: FileSet, costs: dict[str, Cost]) -> None:
    sizes = file_set.sizes_mb
    own = next(iter(costs.values())).wall_s
    for name, cost in costs.items():
        print(
            f"| {file_set.name} ({file_set.kind}) | {len(sizes)} | {sum(sizes):.0f} | {name} "
            f"| {cost.wall_s:.2f} | {cost.cpu_s:.2f} | {sum(sizes) / cost.wall_s:.0f} "
            f"| {cost.wall_s / own:.2f} | {cost.memory_mb:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
