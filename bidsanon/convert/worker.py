"""Runs heudiconv for one session: ``python -m bidsanon.convert.worker``.

A process of its own, since heudiconv is not safe beside anything else: it changes the working
directory, seeds the random numbers, and caches heuristics by their base name.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from bidsanon.convert.job import NOTE, READY, Answer, Mode, Request
from bidsanon.convert.loading import Asking, HeuristicFailedError, load_heuristic


def main(arguments: list[str]) -> int:
    """Wait for a job on standard input, and do it; no line means that nobody has one any more.

    Asked to be ready, heudiconv is loaded before there is a job.
    """
    sys.dont_write_bytecode = True
    if arguments == [READY]:
        import bidsanon.convert.running  # noqa: F401, PLC0415  # heudiconv's slow import

    line = sys.stdin.readline()
    if line:
        request_file, answer_file = map(Path, json.loads(line))
        os.chdir(answer_file.parent)
        do_job(request_file, answer_file)
    return 0


def do_job(request_file: Path, answer_file: Path) -> None:
    """Do one job and write the answer; what heudiconv prints is left to the caller to keep."""
    request = Request.from_json(request_file.read_text())
    try:
        answer = _do(request, answer_file.with_name(NOTE))
    except HeuristicFailedError as error:
        answer = Answer(fault=error.fault)
    answer_file.write_text(answer.to_json())


def _do(request: Request, note: Path) -> Answer:
    limit_s = request.heuristic_timeout_s
    heuristic = load_heuristic(request.heuristic, timeout_s=limit_s, note=note)
    if request.mode is Mode.LOAD:
        return Answer()
    from bidsanon.convert.running import run_heudiconv  # noqa: PLC0415  # heudiconv's slow import

    return run_heudiconv(request, heuristic, Asking(request, note))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
