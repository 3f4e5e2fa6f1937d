"""Times the residue search against reading and decompressing alone. See README.md beside this."""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np
from measuring import Cost, measure, summarise

from bidsanon.external import BIDS_VALIDATOR, require_program
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue import search_residue

HEAD = """\
| set | program | wall s | CPU s | MB/s | against reading, wall | and CPU | memory MB |
|---|---|---|---|---|---|---|---|"""
TARGET = 1.5
MEMORY_TARGET_MB = 300
UIDS = 4000
TIMES = 300
_CHUNK = 1 << 20
_GIGABYTE = 1e9
_MEGABYTE = 1e6
_LEVEL = 4
_RADIUS = 0.7
_SIDECAR = {
    "Modality": "MR",
    "MagneticFieldStrength": 3,
    "Manufacturer": "Siemens",
    "SeriesDescription": "bold_rest",
    "ProtocolName": "bold_rest",
    "RepetitionTime": 1.43,
    "EchoTime": 0.03,
    "TaskName": "rest",
    "SliceTiming": [round(0.0425 * n, 4) for n in range(33)],
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
}


def main() -> None:
    """Make the sets, run the programs in turns, and print what they took."""
    arguments = _arguments()
    if arguments.read:
        read_all(arguments.read, jobs=arguments.jobs)
        return
    if arguments.search:
        search(arguments.search, jobs=arguments.jobs)
        return
    if arguments.validate:
        # What it thinks of made-up images is not the point, only how long it takes.
        command = [require_program(BIDS_VALIDATOR), "--json", arguments.validate]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        return
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        images = make_images(Path(folder) / "images", gigabytes=arguments.gigabytes)
        files = make_files(Path(folder) / "files", count=arguments.files)
        print(HEAD)
        for name, root in (("images", images), ("files", files)):
            for line in _compare(name, root, arguments, log=Path(folder) / "log"):
                print(line, flush=True)
    print(
        f"\nMedians of {arguments.repeat} runs, in turns, with --jobs {arguments.jobs}. Targets: "
        f"within {TARGET} times of reading the images, below {MEMORY_TARGET_MB} MB."
    )


def usual_arguments(description: str | None) -> argparse.ArgumentParser:
    """Return what both programs are asked that compare with reading."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--gigabytes", type=float, default=2.0, help="of images, decompressed")
    parser.add_argument("--files", type=int, default=10_000, help="of the set of small files")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where the sets are made: twice their size")
    parser.add_argument("--read", type=Path, help="only read this folder")
    return parser


def _arguments() -> argparse.Namespace:
    parser = usual_arguments(__doc__)
    parser.add_argument("--search", type=Path, help="only search this folder")
    parser.add_argument("--validate", type=Path, help="only run the official validator on it")
    return parser.parse_args()


def _compare(name: str, root: Path, arguments: argparse.Namespace, *, log: Path) -> Iterator[str]:
    """Yield the rows of one set."""
    own = [sys.executable, __file__, "--jobs", str(arguments.jobs)]
    commands: dict[str, list[str | Path]] = {
        "reading and decompressing": [*own, "--read", root],
        "residue search": [*own, "--search", root],
        "official validator": [*own, "--validate", root],
    }
    costs: dict[str, list[Cost]] = {program: [] for program in commands}
    for _ in range(arguments.repeat):
        for program, command in commands.items():
            costs[program].append(measure(command, log=log))
    yield from rows(name, costs, size=read_all(root, jobs=arguments.jobs))


def rows(name: str, costs: dict[str, list[Cost]], *, size: int) -> Iterator[str]:
    """Yield the rows of one set of so many bytes; the first program is what others are held to."""
    reading = summarise(next(iter(costs.values())))
    for program, runs in costs.items():
        cost = summarise(runs)
        yield (
            f"| {name} | {program} | {cost.wall_s:.1f} | {cost.cpu_s:.1f} | "
            f"{size / _MEGABYTE / cost.wall_s:.0f} | {cost.wall_s / reading.wall_s:.2f} | "
            f"{cost.cpu_s / reading.cpu_s:.2f} | {cost.memory_mb:.0f} |"
        )


def read_all(root: Path, *, jobs: int) -> int:
    """Read and decompress everything below a folder, and do nothing else; return how long it is."""
    with ThreadPoolExecutor(jobs) as pool:
        return sum(pool.map(_read, filter(Path.is_file, root.rglob("*"))))


def _read(path: Path) -> int:
    size = 0
    with path.open("rb", buffering=0) as stream:
        if path.suffix != ".gz":
            return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        while chunk := inflater.unconsumed_tail or stream.read(_CHUNK):
            size += len(inflater.decompress(chunk, _CHUNK))
    return size


def search(root: Path, *, jobs: int) -> None:
    """Search a folder for what a made-up session says."""
    found = search_residue(root, tuple(identity()), allowed=(), jobs=jobs)
    if found.findings:
        raise SystemExit(f"a false alarm: {found.findings[0]}")


def identity() -> Iterator[IdentifyingValue]:
    """Yield as many values as a session of some thousand files has."""
    random = np.random.default_rng(11)
    told = {
        ValueKind.NAME: ("Quillfeather^Mara^Odette", "Thornbury^Ignatius", "Müller^Jörg"),
        ValueKind.IDENTIFIER: ("QF-7719-KX", "30557192", "4512998177"),
        ValueKind.DATE: ("20230517", "19870314"),
        ValueKind.PLACE: ("St Aldwyn Infirmary", "14 Larkspur Row, Embershire", "MRALDWYN3"),
        ValueKind.TEXT: ("Mara was restless; her brother Jonty waits outside",),
        ValueKind.TIME: tuple(
            f"{h:02d}{m:02d}{s:02d}.{f:06d}"
            for h, m, s, f in zip(
                *(random.integers(0, most, TIMES) for most in (24, 60, 60, 10**6)), strict=True
            )
        ),
        ValueKind.UID: tuple(
            f"1.3.12.2.1107.5.2.43.999217.{20230517081322000000 + n}" for n in range(UIDS)
        ),
    }
    for kind, texts in told.items():
        for text in texts:
            yield IdentifyingValue(kind=kind, text=text, origin="(0010,0010)")


def make_images(root: Path, *, gigabytes: float) -> Path:
    """Make a dataset of images such as scanners make, of as many subjects as it takes."""
    _describe(root)
    first = root / "sub-01"
    size = 0
    for place, values in _images():
        path = first / f"{place.partition('/')[0]}/sub-01_{place.partition('/')[2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = nib.Nifti1Image(values, np.eye(4)).to_bytes()
        size += len(content)
        path.write_bytes(gzip.compress(content, _LEVEL, mtime=0))
        sidecar = path.with_name(path.name.replace(".nii.gz", ".json"))
        sidecar.write_text(json.dumps(_SIDECAR, indent=2))
    for number in range(2, max(2, round(gigabytes * _GIGABYTE / size)) + 1):
        _copy_subject(first, root / f"sub-{number:02d}")
    return root


def _images() -> Iterator[tuple[str, np.ndarray]]:
    """Yield images with the noise and the air that they have: the search's time depends on it."""
    random = np.random.default_rng(5)
    yield "anat/T1w.nii.gz", _head(random, (256, 256, 176), signal=600, noise=14).astype(np.int16)
    bold = np.stack([_head(random, (64, 64, 36), signal=900, noise=22) for _ in range(240)], -1)
    yield "func/task-rest_bold.nii.gz", bold.astype(np.int16)
    dwi = np.stack([_head(random, (96, 96, 60), signal=300, noise=40) for _ in range(48)], -1)
    yield "dwi/dwi.nii.gz", dwi.astype(np.int16)
    yield "fmap/phasediff.nii.gz", _head(random, (96, 96, 48), signal=2000, noise=9).astype("f4")


def _head(
    random: np.random.Generator, shape: tuple[int, int, int], *, signal: float, noise: float
) -> np.ndarray:
    """Return a ball with some structure in air, and Rician noise on both."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
    radius = np.sqrt(sum(axis**2 for axis in axes))
    inside = np.where(radius < _RADIUS, signal * (0.7 + 0.3 * np.cos(9 * radius)), 0)
    return np.hypot(inside + random.normal(0, noise, shape), random.normal(0, noise, shape))


def make_files(root: Path, *, count: int) -> Path:
    """Make a dataset of many small files: four of each subject."""
    _describe(root)
    random = np.random.default_rng(7)
    image = nib.Nifti1Image(random.integers(0, 900, (8, 8, 4)).astype(np.int16), np.eye(4))
    packed = gzip.compress(image.to_bytes(), _LEVEL, mtime=0)
    for number in range(1, max(1, count // 4) + 1):
        folder = root / f"sub-{number:04d}" / "func"
        folder.mkdir(parents=True)
        stem = f"sub-{number:04d}_task-rest"
        (folder / f"{stem}_bold.nii.gz").write_bytes(packed)
        sidecar = _SIDECAR | {"EchoTime": round(0.02 + number * 1e-6, 6)}
        (folder / f"{stem}_bold.json").write_text(json.dumps(sidecar, indent=2))
        rows = "".join(f"{onset:.3f}\t1\tgo\n" for onset in random.uniform(0, 300, 40).cumsum())
        (folder / f"{stem}_events.tsv").write_text(f"onset\tduration\ttrial_type\n{rows}")
        scans = f"filename\tacq_time\nfunc/{stem}_bold.nii.gz\t1915-03-02T12:00:00\n"
        (folder.parent / f"sub-{number:04d}_scans.tsv").write_text(scans)
    return root


def _describe(root: Path) -> None:
    root.mkdir(parents=True)
    described = {"Name": "made by code", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(described))
    (root / "README").write_text("Made by a benchmark.\n")


def _copy_subject(first: Path, target: Path) -> None:
    for path in sorted(first.rglob("*")):
        if path.is_file():
            copy = target / path.parent.name / path.name.replace(first.name, target.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


if __name__ == "__main__":
    main()
