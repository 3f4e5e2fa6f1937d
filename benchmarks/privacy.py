"""Times the privacy check of many sidecars against reading them. See README.md beside this."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import Cost, measure
from residue import HEAD, rows, usual_arguments

from bidsanon.bids.keys import key_rules
from bidsanon.validate.privacy import check_privacy

_FIELDS, _SLICES = 80, 60
_WORDS = ("bold", "rest", "siemens", "mosaic", "phase", "head coil", "sagittal", "ORIGINAL")


def main() -> None:
    """Make the sidecars, run both programs in turns, and print what they took."""
    arguments = _arguments()
    if arguments.read:
        _parse_all(arguments.read)
        return
    if arguments.check:
        check_privacy(arguments.check)
        return
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        root = make_sidecars(Path(folder) / "sidecars", count=arguments.files)
        print(HEAD)
        for line in _compare(root, arguments, log=Path(folder) / "log"):
            print(line, flush=True)
    print(f"\nMedians of {arguments.repeat} runs, in turns.")


def _arguments() -> argparse.Namespace:
    parser = usual_arguments(__doc__)
    parser.add_argument("--check", type=Path, help="only check this folder")
    return parser.parse_args()


def _compare(root: Path, arguments: argparse.Namespace, *, log: Path) -> Iterator[str]:
    commands: dict[str, list[str | Path]] = {
        "reading and parsing": [sys.executable, __file__, "--read", root],
        "privacy check": [sys.executable, __file__, "--check", root],
    }
    costs: dict[str, list[Cost]] = {program: [] for program in commands}
    for _ in range(arguments.repeat):
        for program, command in commands.items():
            costs[program].append(measure(command, log=log))
    yield from rows("sidecars", costs, size=_parse_all(root))


def _parse_all(root: Path) -> int:
    """Read and parse every sidecar, and do nothing else; return how long they are."""
    size = 0
    for path in root.rglob("*.json"):
        content = path.read_bytes()
        json.loads(content)
        size += len(content)
    return size


def make_sidecars(root: Path, *, count: int) -> Path:
    """Make sidecars of some kilobytes each, with the numbers and texts that programs write."""
    chance = random.Random(3)  # noqa: S311 (no secret)
    keys = sorted(key_rules())
    chance.shuffle(keys)
    for number in range(1, count + 1):
        folder = root / f"sub-{number:05d}" / "func"
        folder.mkdir(parents=True)
        (folder / f"sub-{number:05d}_task-rest_bold.json").write_text(
            json.dumps(_sidecar(keys, number, chance), indent=2)
        )
    (root / "dataset_description.json").write_text('{"Name": "made", "BIDSVersion": "1.10.0"}')
    return root


def _sidecar(keys: list[str], number: int, chance: random.Random) -> dict[str, Any]:
    kinds = (
        lambda: round(1000 * chance.random(), 5),
        lambda: " ".join(chance.choices(_WORDS, k=3)),
        lambda: [round(chance.random(), 4) for _ in range(3)],
        lambda: chance.choices(_WORDS, k=4),
        lambda: number,
    )
    fields = {key: kinds[at % len(kinds)]() for at, key in enumerate(keys[:_FIELDS])}
    dump = {key: kinds[at % len(kinds)]() for at, key in enumerate(keys[_FIELDS : 3 * _FIELDS])}
    timing = [round(0.0425 * slice_, 4) for slice_ in range(_SLICES)]
    return {**fields, "SliceTiming": timing, "global": {"const": dump}}


if __name__ == "__main__":
    main()
