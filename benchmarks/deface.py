"""Times defacing against other registrations of the same template. See README.md beside this."""

from __future__ import annotations

import argparse
import itertools
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
from statistics import median

from deface_heads import DEBIAN_HEAD, SHARED, converted
from measuring import Cost, measure
from records import read_records, write_records
from tables import write_table

HERE = Path(__file__).resolve().parent
REFERENCE = "bidsanon deface"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
}
HEADS_AT_ONCE = 2

Command = Callable[[Path, Sequence[Path]], list[str | Path]]


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A program to be timed.

    Attributes
    ----------
    name
        What the table calls it.
    command
        From a fresh folder for its output and some images to its command line: one image after the
        other.
    at_once
        The same, with two images at once; None: it is started once for each.
    """

    name: str
    command: Command
    at_once: Command | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one program took in one turn: CPU seconds, wall seconds and megabytes.

    Attributes
    ----------
    head, program, turn
        The case.
    cold_s
        CPU seconds of one head in a process of its own.
    several_s, several_wall_s
        CPU and wall seconds of two heads, one after the other, in one process.
    beside_s, beside_wall_s
        CPU and wall seconds of two heads at once, until both are done.
    memory_mb
        Resident memory of the largest process.
    """

    head: str
    program: str
    turn: int
    cold_s: float
    several_s: float
    several_wall_s: float
    beside_s: float
    beside_wall_s: float
    memory_mb: float

    @property
    def case(self) -> tuple[str, str, int]:
        """Which case it is."""
        return self.head, self.program, self.turn

    @property
    def warm_s(self) -> float:
        """What each head after the first one takes."""
        return self.several_s - self.cold_s


def main() -> None:
    """Time all programs on all heads and print a table."""
    options = _options()
    with (
        tempfile.TemporaryDirectory(prefix="bidsanon-benchmark-", dir=options.work) as name,
        as_file(files("pydeface") / "data") as data,
    ):
        work = Path(name)
        turns = read_records(Turn, options.log)
        contenders = list(_contenders(options, data))
        for title, head in _heads(options, work):
            # In turns, so that a busy moment of the machine hits all of them.
            for number, contender in itertools.product(range(options.repeat), contenders):
                if (title, contender.name, number) not in {turn.case for turn in turns}:
                    turns.append(_time(contender, head, work, title, number))
                    write_records(options.log, turns)
    lines = list(table(turns))
    print("\n".join(lines))
    if options.write:
        write_table(options.write, "times", lines)


def table(turns: Sequence[Turn]) -> Iterator[str]:
    """Yield the lines of the table: medians, and the greatest memory; ratios to bidsanon's."""
    yield (
        "| head | program | cold: CPU s | ratio | warm: CPU s | ratio "
        "| two in a row: CPU s | wall s | two at once: CPU s | wall s | MB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    heads = list(dict.fromkeys(turn.head for turn in turns))
    cases = dict.fromkeys((turn.head, turn.program) for turn in turns)
    for title, name in sorted(cases, key=lambda case: heads.index(case[0])):
        reference = [t for t in turns if (t.head, t.program) == (title, REFERENCE)]
        here = [t for t in turns if (t.head, t.program) == (title, name)]
        cold, warm = median(t.cold_s for t in here), median(t.warm_s for t in here)
        cells = (
            *(title, name),
            *(f"{cold:.1f}", f"{cold / median(t.cold_s for t in reference):.2f}"),
            *(f"{warm:.1f}", f"{warm / median(t.warm_s for t in reference):.2f}"),
            f"{median(t.several_s for t in here):.1f}",
            f"{median(t.several_wall_s for t in here):.1f}",
            f"{median(t.beside_s for t in here):.1f}",
            f"{median(t.beside_wall_s for t in here):.1f}",
            f"{max(t.memory_mb for t in here):.0f}",
        )
        yield f"| {' | '.join(cells)} |"


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
    parser.add_argument("--only", nargs="*", help="only these heads")
    parser.add_argument(
        "--log", type=Path, help="where each turn becomes a line of JSON; resumed from there"
    )
    parser.add_argument("--write", type=Path, help="a page whose table is replaced")
    return parser.parse_args()


def _contenders(options: argparse.Namespace, data: Path) -> Iterator[Contender]:
    yield Contender(name=REFERENCE, command=_ours(jobs=1), at_once=_ours(jobs=HEADS_AT_ONCE))
    yield Contender(
        name="the same, with pictures",
        command=_ours(jobs=1, pictures=True),
        at_once=_ours(jobs=HEADS_AT_ONCE, pictures=True),
    )
    given: tuple[Path, Path] = (data / "mean_reg2mean.nii.gz", data / "facemask.nii.gz")
    for peer in ("antspyx", "simpleitk") if options.peers else ():
        script: tuple[str | Path, ...] = (options.peers, HERE / "deface_peers.py", peer, *given)
        yield Contender(name=peer, command=_with_script(script))
    for program in options.program:
        name, _, command = program.partition("=")
        yield Contender(name=name, command=_with_script(shlex.split(command)))


def _ours(*, jobs: int, pictures: bool = False) -> Command:
    def command(out: Path, images: Sequence[Path]) -> list[str | Path]:
        drawn = ("--pictures", out / "pictures") if pictures else ()
        deface = (sys.executable, "-m", "bidsanon", "deface", *images, "-o", out / "out")
        return [*deface, "--jobs", str(jobs), *drawn]

    return command


def _with_script(script: Sequence[str | Path]) -> Command:
    return lambda out, images: [*script, out, *images]


def _heads(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, Path]]:
    real = converted(options.shared / "siemens-ve11-t1w-face", work)
    for name, head in (("ch2", DEBIAN_HEAD), ("3D T1w", real)):
        if head is not None and head.exists() and (not options.only or name in options.only):
            yield name, head


def _time(contender: Contender, head: Path, work: Path, title: str, turn: int) -> Turn:
    cold = _run(contender.command, head, work, count=1)
    several = _run(contender.command, head, work, count=HEADS_AT_ONCE)
    beside = _at_once(contender, head, work)
    return Turn(
        head=title,
        program=contender.name,
        turn=turn,
        cold_s=cold.cpu_s,
        several_s=several.cpu_s,
        several_wall_s=several.wall_s,
        beside_s=sum(cost.cpu_s for cost in beside),
        beside_wall_s=max(cost.wall_s for cost in beside),
        memory_mb=max(cost.memory_mb for cost in (several, *beside)),
    )


def _at_once(contender: Contender, head: Path, work: Path) -> list[Cost]:
    if contender.at_once:
        return [_run(contender.at_once, head, work, count=HEADS_AT_ONCE)]
    with ThreadPoolExecutor(HEADS_AT_ONCE) as pool:
        runs = (
            pool.submit(_run, contender.command, head, work, count=1) for _ in range(HEADS_AT_ONCE)
        )
        return [run.result() for run in list(runs)]


def _run(command: Command, head: Path, work: Path, *, count: int) -> Cost:
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        copies = [folder / f"head{number + 1}{''.join(head.suffixes)}" for number in range(count)]
        for copy in copies:
            shutil.copyfile(head, copy)
        line = command(folder, copies)
        return measure(line, log=folder / "log.txt", environment={**os.environ, **ONE_THREAD})


if __name__ == "__main__":
    main()
