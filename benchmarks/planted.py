"""Scores bidsanon and other de-identifiers on planted identifiers. See README.md beside this."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # before this script's own folder: `planted` is there

from planted.cases_real import conversion_cases, real_cases  # noqa: E402 (the path comes first)
from planted.checks import Answer, Case, Kind  # noqa: E402 (the same)
from planted.suite import SEED, Score, put, scores, synthetic_cases  # noqa: E402 (the same)
from planted.tools import PEERS, bidsanon, peer  # noqa: E402 (the same)

PROFILES = ("bids", "basic")
BIDSANON = "bidsanon"
MOST_FAILURES_SHOWN = 40


def main() -> None:
    """Put the suite to the tools that were asked for and print a table of the scores."""
    options = _parse()
    shared = None if options.only_synthetic or not options.shared.is_dir() else options.shared
    table: dict[str, dict[Kind, Score]] = {}
    failures: list[Answer] = []
    for name in options.tools:
        if name == BIDSANON:
            for profile in PROFILES:
                answers = put(_cases(profile, shared), bidsanon(profile))
                failures += [answer for answer in answers if not answer.passed]
                table[f"{name}, {profile}"] = scores(answers)
        elif (tool := peer(name, options.python)) is not None:
            compared = (*_cases("basic", shared), *conversion_cases(shared))
            table[name] = scores(put(compared, tool))
        else:
            print(f"{name} is not installed", file=sys.stderr)
        print(f"{name} is done: {_in_a_line(table)}", file=sys.stderr)
    _print_table(table)
    for answer in failures[:MOST_FAILURES_SHOWN]:
        print(f"failed: {answer.kind}: {answer.place}", file=sys.stderr)
    sys.exit(bool(failures))


def _cases(profile: str, shared: Path | None) -> Iterator[Case]:
    yield from synthetic_cases(profile)
    if shared is not None:
        yield from real_cases(shared, SEED + 400)
    if profile == "bids":
        yield from conversion_cases(shared)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only-synthetic", action="store_true", help="leave real files out")
    parser.add_argument(
        "--python",
        type=Path,
        default=Path(sys.executable),
        help="the Python for which the others are installed",
    )
    parser.add_argument(
        "tools", nargs="*", default=[BIDSANON], help=f"of {', '.join((BIDSANON, *PEERS))}"
    )
    return parser.parse_args()


def _in_a_line(table: dict[str, dict[Kind, Score]]) -> str:
    column = list(table.values())[-1] if table else {}
    return ", ".join(f"{kind} {score.passed}/{score.total}" for kind, score in column.items())


def _print_table(table: dict[str, dict[Kind, Score]]) -> None:
    print(f"| check | {' | '.join(table)} |")
    print("|---" * (len(table) + 1) + "|")
    for kind in Kind:
        cells = [
            f"{score.passed}/{score.total}" if (score := column.get(kind)) else "-"
            for column in table.values()
        ]
        print(f"| {kind} | {' | '.join(cells)} |")
    sums = [
        (sum(s.passed for s in column.values()), sum(s.total for s in column.values()))
        for column in table.values()
    ]
    print(f"| all | {' | '.join(f'{passed}/{total}' for passed, total in sums)} |")


if __name__ == "__main__":
    main()
