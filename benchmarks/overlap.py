"""Times ``bidsanon convert`` where heads are looked at while the rest of the session converts.

See README.md beside this.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from convert import write_classic_session
from measuring import Cost, measure, summarise

from bidsanon.demo import session as demo
from bidsanon.demo.head import add_noise, sample_t1w, sample_t2w
from bidsanon.demo.person import MARA
from bidsanon.demo.scan import Scan
from bidsanon.demo.siemens import slice_image, write_image
from bidsanon.files import files_below, remove_tree

AFTERWARDS = """
from bidsanon.deface import LooksAhead
LooksAhead.begin = lambda self: None
from bidsanon.cli import main
main()
"""
WAYS = {"ahead": ["-m", "bidsanon"], "afterwards": ["-c", AFTERWARDS]}
T2W = replace(
    demo.T1W,
    protocol="t2_space_sag_p2_iso",
    repetition_ms=3200,
    echo_ms=408,
    inversion_ms=None,
    flip_degrees=120,
    scanning_sequence=("SE",),
    sequence_name="*spc_282ns",
    sequence_file="space",
)


def main() -> None:
    """Time both ways with each number of jobs, and print a table."""
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="bidsanon-benchmark-", dir=options.work) as name:
        work = Path(name)
        source = work / "source"
        write_session_of_heads(source, slices=options.slices)
        for path in files_below(source):
            path.read_bytes()
        print("| heads are looked at | jobs | wall s | CPU s | largest process MB |")
        print("|---|---|---|---|---|", flush=True)
        for jobs in options.jobs:
            costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
            for _ in range(options.repeat):
                for way, cost in _time_both(source, work, jobs):
                    costs[way].append(cost)
            for way, runs in costs.items():
                cost = summarise(runs)
                least = min(run.wall_s for run in runs)
                print(
                    f"| {way} | {jobs} | {cost.wall_s:.1f} (least {least:.1f}) "
                    f"| {cost.cpu_s:.1f} | {cost.memory_mb:.0f} |",
                    flush=True,
                )
    print(f"\nMedians of {options.repeat} runs, in turns.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=2400, help="of bold and diffusion together")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--work", type=Path, help="where all is written")
    return parser.parse_args()


def write_session_of_heads(folder: Path, *, slices: int) -> None:
    """Write a T1w, a T2w and another T1w of one head, and a bold and a diffusion series.

    Parameters
    ----------
    folder
        Where to.
    slices
        Of the functional and the diffusion series together, at least.
    """
    write_classic_session(folder, slices=slices)
    _write_head(folder / "t1w", demo.T1W)
    _write_head(folder / "t2w", replace(T2W, number=20, start_s=demo.T1W.start_s + 400))
    _write_head(folder / "again", replace(demo.T1W, number=21, start_s=demo.T1W.start_s + 800))


def _write_head(folder: Path, scan: Scan) -> None:
    folder.mkdir(parents=True)
    sample = sample_t2w if scan.inversion_ms is None else sample_t1w
    volume = add_noise(sample(scan.grid), sigma=4, seed=scan.number)
    for index, picture in enumerate(volume):
        image = slice_image(MARA, scan, picture, slice_index=index, instance_number=index + 1)
        write_image(image, folder / f"IM{index:05d}.dcm")


def _time_both(source: Path, work: Path, jobs: int) -> Iterator[tuple[str, Cost]]:
    for way, program in WAYS.items():
        out, log = work / "out", work / f"{way}.log"
        out.mkdir()
        command = [sys.executable, *program, "convert", source, "-o", out / "dataset", "-s", "01"]
        yield way, measure([*command, "--jobs", str(jobs), "--json"], log=log)
        log.unlink()
        remove_tree(out)


if __name__ == "__main__":
    main()
