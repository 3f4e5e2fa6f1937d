"""Times defacing against other registrations of the same template. See README.md beside this."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from deface_heads import DEBIAN_HEAD, SHARED, converted
from measuring import Cost, measure, summarise

HERE = Path(__file__).resolve().parent
REFERENCE = "bidsanon deface"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
}
HEADS_OF_A_WARM_RUN = 3

Command = Callable[[Path, Sequence[Path]], list[str | Path]]


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A program to be timed.

    Attributes
    ----------
    name
        What the table calls it.
    command
        From a fresh folder for its output and some images to its command line.
    """

    name: str
    command: Command


@dataclass(frozen=True, kw_only=True)
class Times:
    """What one program took in one turn.

    Attributes
    ----------
    cold
        One head in a process of its own.
    several
        Three heads, one after the other, in one process.
    beside
        One head in each of two processes at once: what the slower one took.
    """

    cold: Cost
    several: Cost
    beside: Cost

    @property
    def warm_cpu_s(self) -> float:
        """What each head after the first one takes."""
        return (self.several.cpu_s - self.cold.cpu_s) / (HEADS_OF_A_WARM_RUN - 1)


def main() -> None:
    """Time all programs on all heads and print a table."""
    options = _options()
    with (
        tempfile.TemporaryDirectory(prefix="bidsanon-benchmark-", dir=options.work) as name,
        as_file(files("pydeface") / "data") as data,
    ):
        work = Path(name)
        print(
            "| head | program | cold: CPU s | ratio | warm: CPU s | ratio "
            "| two at once: CPU s each | wall s | MB |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for title, head in _heads(options.shared, work):
            _print_rows(title, _time_all(head, work, _contenders(options, data), options.repeat))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="where real DICOM is")
    parser.add_argument("--repeat", type=int, default=3, help="how often each program runs")
    parser.add_argument("--work", type=Path, help="where all that is written goes")
    parser.add_argument(
        "--peers", type=Path, help="a Python that has antspyx and SimpleITK, to time those too"
    )
    parser.add_argument(
        "--program",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="another program, which is given a folder for its output and images. Repeatable.",
    )
    return parser.parse_args()


def _contenders(options: argparse.Namespace, data: Path) -> Iterator[Contender]:
    deface = (sys.executable, "-m", "bidsanon", "deface", "--jobs", "1")
    yield Contender(
        name=REFERENCE, command=lambda out, images: [*deface, *images, "-o", out / "out"]
    )
    yield Contender(
        name="the same, with pictures",
        command=lambda out, images: [
            *(*deface, *images, "-o", out / "out"),
            *("--pictures", out / "pictures"),
        ],
    )
    given = (data / "mean_reg2mean.nii.gz", data / "facemask.nii.gz")
    for peer in ("antspyx", "simpleitk") if options.peers else ():
        script = (options.peers, HERE / "deface_peers.py", peer, *given)
        yield Contender(name=peer, command=_with_script(script))
    for program in options.program:
        name, _, command = program.partition("=")
        yield Contender(name=name, command=_with_script(shlex.split(command)))


def _with_script(script: Sequence[str | Path]) -> Command:
    return lambda out, images: [*script, out, *images]


def _heads(shared: Path, work: Path) -> Iterator[tuple[str, Path]]:
    if DEBIAN_HEAD.exists():
        yield "ch2", DEBIAN_HEAD
    real = converted(shared / "siemens-ve11-t1w-face", work)
    if real is not None:
        yield "3D T1w", real


def _time_all(
    head: Path, work: Path, contenders: Iterator[Contender], repeat: int
) -> dict[str, list[Times]]:
    """Let all programs run in turns, so that a busy moment of the machine hits all of them."""
    taken: dict[str, list[Times]] = {}
    everyone = list(contenders)
    for _ in range(repeat):
        for contender in everyone:
            taken.setdefault(contender.name, []).append(_time(contender, head, work))
    return taken


def _time(contender: Contender, head: Path, work: Path) -> Times:
    cold = _run(contender, head, work, count=1)
    several = _run(contender, head, work, count=HEADS_OF_A_WARM_RUN)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: _run(contender, head, work, count=1), range(2)))
    return Times(cold=cold, several=several, beside=max(both, key=lambda cost: cost.wall_s))


def _run(contender: Contender, head: Path, work: Path, *, count: int) -> Cost:
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        copies = [folder / f"head{number + 1}{''.join(head.suffixes)}" for number in range(count)]
        for copy in copies:
            shutil.copyfile(head, copy)
        command = contender.command(folder, copies)
        return measure(command, log=folder / "log.txt", environment={**os.environ, **ONE_THREAD})


def _print_rows(title: str, taken: dict[str, list[Times]]) -> None:
    def figures(turns: list[Times]) -> tuple[Cost, float, Cost]:
        warm = sorted(each.warm_cpu_s for each in turns)[len(turns) // 2]
        cold = summarise([each.cold for each in turns])
        return cold, warm, summarise([each.beside for each in turns])

    reference_cold, reference_warm, _ = figures(taken[REFERENCE])
    for name, turns in taken.items():
        cold, warm, beside = figures(turns)
        largest = max(each.several.memory_mb for each in turns)
        cells = (
            *(title, name, f"{cold.cpu_s:.1f}", f"{cold.cpu_s / reference_cold.cpu_s:.2f}"),
            *(f"{warm:.1f}", f"{warm / reference_warm:.2f}", f"{beside.cpu_s:.1f}"),
            *(f"{beside.wall_s:.1f}", f"{largest:.0f}"),
        )
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
