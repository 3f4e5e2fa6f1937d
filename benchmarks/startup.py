"""Times ``bidsanon --help`` against a Python that does nothing. See README.md beside this."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measuring import measure, summarise

TARGET_S = 0.3
REPEATS = 11


def main() -> None:
    """Print both times."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "bidsanon --help": [sys.executable, "-m", "bidsanon", "--help"],
    }
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        costs = {name: [] for name in commands}
        for _ in range(REPEATS):
            for name, command in commands.items():
                costs[name].append(measure(command, log=log))
    print("| command | wall s | memory MB |\n|---|---|---|")
    for name, runs in costs.items():
        cost = summarise(runs)
        print(f"| {name} | {cost.wall_s:.2f} | {cost.memory_mb:.0f} |")
    print(f"\nMedians of {REPEATS} runs, in turns. Target for bidsanon --help: {TARGET_S} s.")


if __name__ == "__main__":
    main()
