"""What ``scrub`` says to people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bidsanon.findings import Severity
from bidsanon.pipeline.scrub import ScrubRun
from bidsanon.pipeline.scrub_facts import FilledFile
from bidsanon.redaction import printable_lines
from bidsanon.scrub import FileChange

_MOST_LINES = 60
_FEW = 3
_VERBS = ("removed", "replaced", "emptied", "filled")


def scrub_text(run: ScrubRun) -> str:
    """Return what ``scrub`` prints at its end: what changed, and what did not."""
    return printable_lines([*_changes(run), *_others(run), "", _conclusion(run)])


def _changes(run: ScrubRun) -> Iterator[str]:
    changes = run.changes
    if len(changes) <= _MOST_LINES:
        for change in changes:
            link = ["a link, which becomes a file"] if change.was_link else []
            yield f"{change.name}: {'; '.join([*link, *_grouped(change.words)])}"
        return
    for word, names in sorted(_by_word(changes).items(), key=lambda item: -len(item[1])):
        more = f", {names[1]}, ..." if len(names) > 1 else ""
        yield f"{len(names):>7} file(s): {word}  ({names[0]}{more})"
    yield "(--json names every file with what changes in it)"


def _grouped(words: tuple[str, ...]) -> Iterator[str]:
    """Say once what is done with several things."""
    for verb in _VERBS:
        done = [word.removesuffix(f" {verb}") for word in words if word.endswith(f" {verb}")]
        if done:
            yield f"{verb}: {', '.join(done)}"
    yield from (word for word in words if not word.endswith(_VERBS))


def _by_word(changes: tuple[FileChange | FilledFile, ...]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for change in changes:
        for word in change.words:
            names[word].append(change.name)
    return names


def _others(run: ScrubRun) -> Iterator[str]:
    would = "would be " if run.request.dry_run else ""
    for name in run.removed:
        yield f"{would}removed: {name}"
    for name, tool in run.scrubbed.leftovers.items():
        if name not in run.removed:
            yield (
                f"left by {tool}: {name}  (it may tell who this is; "
                f"--remove {name.rstrip('/')} takes it out)"
            )
    for name, why in run.left_alone.items():
        if name not in run.removed:
            yield f"not touched: {name}  ({why})"
    for (message, _), places in _places(run, Severity.ERROR).items():
        yield f"NOT CLEANED: {_few(places)}: {message}"
    for (message, cure), places in _places(run, Severity.WARNING).items():
        yield f"look at {_few(places)}: {message}. What to do: {cure}"


def _places(run: ScrubRun, severity: Severity) -> dict[tuple[str, str], list[str]]:
    """Return where each thing is found that is said of files."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for found in run.findings:
        if found.severity is severity:
            places[found.message, found.cure].append(found.location)
    return places


def _few(places: list[str]) -> str:
    more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
    return f"{', '.join(places[:_FEW])}{more}"


def _conclusion(run: ScrubRun) -> str:
    changed, files = len(run.changes), run.scrubbed.files
    if not changed and not run.removed:
        nothing = "nothing else can be cleaned" if run.refusal else "nothing has to change"
        return f"{files} file(s) were looked at: {nothing}"
    if run.request.dry_run:
        gone = _counted(run.removed, "would be removed")
        return f"{changed} of {files} file(s) would change{gone}  (dry run: nothing is changed)"
    gone = _counted(run.removed, "removed")
    return f"{changed} of {files} file(s) were changed{gone}, all in one step"


def _counted(removed: tuple[str, ...], verb: str) -> str:
    """Return how many files and folders went; nothing where none did."""
    if not removed:
        return ""
    folders = sum(name.endswith("/") for name in removed)
    counts = {"folder(s)": folders, "file(s)": len(removed) - folders}
    parts = " and ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f" and {parts} {verb} ({_few(list(removed))})"
