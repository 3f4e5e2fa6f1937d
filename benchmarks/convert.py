"""Times ``bidsanon convert`` against heudiconv and dcm2niix alone. See README.md beside this."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from measuring import Cost, measure, summarise

from bidsanon.demo import session as demo
from bidsanon.demo.person import MARA
from bidsanon.demo.scan import Diffusion, Scan
from bidsanon.demo.siemens import slice_image, write_image
from bidsanon.external import DCM2NIIX, find_program
from bidsanon.files import files_below, remove_tree

ROOT = Path(__file__).resolve().parent.parent
HEURISTIC = ROOT / "heuristics" / "auto.py"
REAL_SETS = (
    "philips-r57-dwi-dicomdir",
    "ge-mr750-epi",
    "siemens-ve11-epi-mosaic",
    "siemens-xa10-enhanced-bold",
)
SLICES_PER_VOLUME = 30
REFERENCE = "heudiconv --minmeta"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A program to be timed.

    Attributes
    ----------
    name
        What the table calls it.
    command
        From the source and a fresh folder for its output to its command line.
    environment
        Variables that it needs.
    """

    name: str
    command: Callable[[Path, Path], list[str | Path]]
    environment: dict[str, str]


def contenders() -> tuple[Contender, ...]:
    """Return the three programs, the reference in their middle."""
    scripts = Path(sys.executable).parent
    dcm2niix = find_program(DCM2NIIX) or Path("dcm2niix")
    path = os.pathsep.join([str(scripts), os.environ.get("PATH", os.defpath)])
    return (
        Contender(
            name="bidsanon convert",
            command=lambda source, out: [
                *(sys.executable, "-m", "bidsanon", "convert", source),
                *("-o", out / "dataset", "-s", "01", "--json"),
            ],
            environment={},
        ),
        Contender(
            name=REFERENCE,
            command=lambda source, out: [
                *(scripts / "heudiconv", "--files", source, "-s", "01"),
                *("-f", HEURISTIC, "-b", "notop", "-c", "dcm2niix", "--minmeta"),
                *("-o", out / "dataset"),
            ],
            environment={"PATH": path, "NO_ET": "1"},
        ),
        Contender(
            name="dcm2niix",
            command=lambda source, out: [
                *(dcm2niix, "-b", "y", "-z", "y", "-f", "%s_%p_%e", "-o", out, source),
            ],
            environment={},
        ),
    )


def main() -> None:
    """Time all programs on all sets and print a table."""
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="bidsanon-benchmark-", dir=options.work) as name:
        work = Path(name)
        print("| set | files | MB | program | wall s | CPU s | ratio | largest process MB |")
        print("|---|---|---|---|---|---|---|---|")
        for title, source in _sets(work, options):
            _print_rows(title, source, _time_all(source, work, repeats=options.repeat))
    print(f"\nMedians of {options.repeat} runs, in turns; ratio: wall time to {REFERENCE}'s.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--slices", type=int, nargs="+", default=[2400], help="of each set made by code"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each program")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument(
        "--work", type=Path, help="where all is written; default: the temporary folder"
    )
    parser.add_argument("--only-synthetic", action="store_true", help="leave real sets out")
    return parser.parse_args()


def _sets(work: Path, options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    for slices in options.slices:
        synthetic = work / f"synthetic-{slices}"
        write_classic_session(synthetic, slices=slices)
        yield "synthetic", synthetic
        remove_tree(synthetic)
    if options.only_synthetic:
        return
    for name in REAL_SETS:
        if (options.shared / name).is_dir():
            yield name, options.shared / name


def write_classic_session(folder: Path, *, slices: int) -> None:
    """Write a bold and a diffusion series as classic slices, about half and half.

    Parameters
    ----------
    folder
        Where to.
    slices
        How many in all, at least; whole volumes are written.
    """
    volumes = -(-slices // (2 * SLICES_PER_VOLUME))
    grid = replace(demo.BOLD.grid, shape=(SLICES_PER_VOLUME, 64, 64))
    bold = replace(demo.BOLD, grid=grid, image_type=("ORIGINAL", "PRIMARY", "M", "ND"))
    diffusion = replace(
        demo.DIFFUSION, grid=grid, image_type=("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND")
    )
    gradients = [
        Diffusion(b_value=1000, direction=_direction(index)) if index % 10 else Diffusion(b_value=0)
        for index in range(volumes)
    ]
    _write_series(folder / "bold", bold, [None] * volumes)
    _write_series(folder / "diffusion", diffusion, gradients)


def _direction(index: int) -> tuple[float, float, float]:
    angle = index * 2.399963
    height = 0.8 * ((index % 7) / 3 - 1)
    radius = float(np.sqrt(1 - height**2))
    return (radius * float(np.cos(angle)), radius * float(np.sin(angle)), height)


def _write_series(folder: Path, scan: Scan, gradients: list[Diffusion | None]) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(scan.number)
    number = 0
    for volume_index, gradient in enumerate(gradients):
        voxels = random.integers(0, 1200, size=scan.grid.shape)
        for slice_index, picture in enumerate(voxels):
            number += 1
            image = slice_image(
                MARA,
                scan,
                picture,
                slice_index=slice_index,
                instance_number=number,
                volume_index=volume_index,
                diffusion=gradient,
            )
            write_image(image, folder / f"IM{number:05d}.dcm")


def _time_all(source: Path, work: Path, *, repeats: int) -> dict[str, Cost]:
    for path in files_below(source):
        path.read_bytes()
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders()}
    for _ in range(repeats):
        for contender in contenders():
            out = work / "out"
            temporary = out / "tmp"
            temporary.mkdir(parents=True)
            log = Path(tempfile.gettempdir()) / f"{work.name}-{contender.name.split()[0]}.log"
            cost = measure(
                contender.command(source, out),
                log=log,
                environment={**contender.environment, "TMPDIR": str(temporary)},
            )
            costs[contender.name].append(cost)
            log.unlink()
            remove_tree(out)
    return {name: summarise(runs) for name, runs in costs.items()}


def _print_rows(title: str, source: Path, costs: dict[str, Cost]) -> None:
    files = list(files_below(source))
    size_mb = sum(path.stat().st_size for path in files) / (1 << 20)
    reference = costs[REFERENCE].wall_s
    for name, cost in costs.items():
        print(
            f"| {title} | {len(files)} | {size_mb:.0f} | {name} | {cost.wall_s:.2f} "
            f"| {cost.cpu_s:.2f} | {cost.wall_s / reference:.2f} | {cost.memory_mb:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
