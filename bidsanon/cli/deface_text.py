"""What ``deface`` says to people."""

from __future__ import annotations

from pathlib import Path

from bidsanon.pipeline.deface_request import Mode
from bidsanon.pipeline.deface_run import WITH_A_FACE, DefaceRun, Verdict
from bidsanon.redaction import printable, printable_lines

_WORDS = {
    Verdict.DEFACED: "defaced",
    Verdict.NO_FACE: "no face",
    Verdict.ALREADY_DEFACED: "already defaced",
    Verdict.NOT_NEEDED: "not needed",
    Verdict.KEPT: "kept",
    Verdict.SHOWS_FACE: "SHOWS A FACE",
    Verdict.FAILED: "FAILED",
}
_WORDS_LOOKING = _WORDS | {Verdict.FAILED: "CANNOT TELL"}
"""Where images were only looked at, nothing has failed."""
_GONE = "the originals are gone: only a copy that you kept elsewhere brings a face back"
_HISTORY = (
    "the images lie in a git repository: its history keeps the faces, and so does its annex; "
    "publish neither"
)


def deface_text(run: DefaceRun) -> str:
    """Return what ``deface`` prints at its end: a table of all images, and what follows from it."""
    words = _words(run)
    width = max(map(len, words.values()))
    names = [_brief(result.name) for result in run.results]
    longest = max(map(len, names), default=0)
    lines = []
    for name, result in zip(names, run.results, strict=True):
        lines.append(f"{words[result.verdict]:<{width}}  {name:<{longest}}  {result.reason}")
        lines += [f"{'':<{width}}  {'':<{longest}}  {note}" for note in result.notes]
    return printable_lines([*lines, "", *_conclusions(run)])


def interrupted_text(run: DefaceRun) -> str:
    """Return what ``deface`` says when it is interrupted."""
    done = run.counts[Verdict.DEFACED]
    if run.request.mode is Mode.CHECK:
        return "interrupted: nothing was written"
    if run.request.mode is Mode.COPY and run.request.dataset:
        return "interrupted: nothing was put at OUT"
    return f"interrupted: {done} image(s) are defaced, and all others are as they were"


def _conclusions(run: DefaceRun) -> list[str]:
    request, counts = run.request, run.counts
    words = _words(run)
    counted = (
        f"{counts[verdict]} {words[verdict].lower()}" for verdict in Verdict if counts[verdict]
    )
    lines = [f"{len(run.results)} image(s): {', '.join(counted)}"]
    content = run.content
    if content and content.left_alone:
        lines.append(f"not looked at: {', '.join(content.left_alone)}")
    if content and content.not_copied and request.mode is Mode.COPY:
        lines.append(f"not copied:    {', '.join(content.not_copied)}")
    if run.amended:
        lines.append(f"amended:       {', '.join(run.amended)} (they named what was left out)")
    if request.mode is Mode.COPY:
        lines.append(f"out:           {request.out}")
    if request.pictures and any(result.pictures for result in run.results):
        lines.append(f"pictures:      {request.pictures} (they show faces)")
    if request.mode is Mode.IN_PLACE and counts[Verdict.DEFACED]:
        lines.append(_HISTORY if run.repository else _GONE)
    if _sidecars_missing(run):
        lines.append("look at the notes: some sidecars do not say what became of the face")
    return lines


def _sidecars_missing(run: DefaceRun) -> bool:
    return any("does not say so" in note for result in run.results for note in result.notes)


def warnings(run: DefaceRun) -> list[str]:
    """Return a line for each image with a face, for stderr."""
    grave = [result for result in run.results if result.verdict in WITH_A_FACE]
    words = _words(run)
    return [printable(f"  {_brief(r.name)}: {words[r.verdict]}: {r.reason}") for r in grave]


def _words(run: DefaceRun) -> dict[Verdict, str]:
    return _WORDS_LOOKING if run.request.mode is Mode.CHECK else _WORDS


def _brief(name: str) -> str:
    """Return an absolute path as it is seen from here, where it lies below."""
    path = Path(name)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else name
