"""What is asked of the heudiconv worker and what it answers: plain records that travel as JSON.

The worker is a process of its own (:mod:`bidsanon.convert.worker`); these records are all that it
shares with the process that started it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

NOTE = "asking"
"""The name of the file beside the answer that names the call of the heuristic that is going on."""
READY = "ready"
"""The argument by which a worker loads heudiconv before it has a job."""


class Mode(StrEnum):
    """How far the worker goes."""

    LOAD = "load"
    """Only load the heuristic, to see whether it can be."""
    DESCRIBE = "describe"
    """Say what the heuristic's ``custom_seqinfo`` sees of each acquisition, and ask no names."""
    PLAN = "plan"
    """Ask the heuristic for names and convert nothing."""
    CONVERT = "convert"
    """Ask for names, and convert if every one of them will do."""


class Origin(StrEnum):
    """Where a heuristic comes from."""

    BUNDLED = "bidsanon"
    """It ships with bidsanon."""
    HEUDICONV = "heudiconv"
    """It ships with heudiconv."""
    FILE = "file"
    """A file of the user's."""


@dataclass(frozen=True, kw_only=True)
class Heuristic:
    """A heuristic that can be used.

    Attributes
    ----------
    name
        What it is called in reports: a bundled name, or the file's name without its folder.
    path
        Its Python file.
    digest
        The SHA-256 of that file, in hexadecimal.
    origin
        Where it comes from.
    """

    name: str
    path: Path
    digest: str
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """The files that are converted together: one series, or the series of one XA run.

    Attributes
    ----------
    series
        The indices of its series; the first one stands for it in messages.
    folder
        A folder that holds these files and nothing else.
    files
        In the order of their instances, each under a name of its own.
    """

    series: tuple[int, ...]
    folder: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One job for the worker.

    Attributes
    ----------
    mode
        How far to go.
    heuristic
        The heuristic to use.
    subject, session
        Labels without their prefix.
    output
        An empty folder for what heudiconv writes.
    acquisitions
        What there is to convert, in acquisition order.
    heuristic_timeout_s
        How long each call of the heuristic's may take.
    """

    mode: Mode
    heuristic: Heuristic
    subject: str = ""
    session: str | None = None
    output: Path = Path()
    acquisitions: tuple[Acquisition, ...] = ()
    heuristic_timeout_s: float = 120.0

    def to_json(self) -> str:
        """Write the request as JSON."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a request back."""
        content = json.loads(text)
        heuristic = content.pop("heuristic")
        return cls(
            mode=Mode(content.pop("mode")),
            heuristic=Heuristic(
                name=heuristic["name"],
                path=Path(heuristic["path"]),
                digest=heuristic["digest"],
                origin=Origin(heuristic["origin"]),
            ),
            output=Path(content.pop("output")),
            acquisitions=tuple(
                Acquisition(
                    series=tuple(one["series"]),
                    folder=Path(one["folder"]),
                    files=tuple(map(Path, one["files"])),
                )
                for one in content.pop("acquisitions")
            ),
            **content,
        )


@dataclass(frozen=True, kw_only=True)
class HeuristicFault:
    """How a heuristic failed.

    Attributes
    ----------
    doing
        What was asked of it: "load", "infotodict", ...
    exception
        The class of the exception.
    message
        The exception's own text where it speaks of code; empty where it could quote a header.
    line
        The line of the heuristic's file, or None where it is not known.
    """

    doing: str
    exception: str
    message: str
    line: int | None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One name that the heuristic gave, and what became of it.

    Attributes
    ----------
    name
        The path within the dataset, without an extension; as the heuristic gave it where it lies
        outside.
    acquisitions
        Which acquisitions it names.
    duplicate
        Whether the heuristic marks it as a discarded repeat (``__dup``).
    problem
        Why it cannot be used, or an empty string.
    outputs
        The files that were made for it, relative to the output folder.
    asides
        The kinds of images that were made beside what was asked for ("ADC") and are left out.
    """

    name: str
    acquisitions: tuple[int, ...]
    duplicate: bool = False
    problem: str = ""
    outputs: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Advance:
    """That the worker is done with one name; it writes a line for each while it works.

    Attributes
    ----------
    item
        The name, and what was made for it.
    to_come
        The names that it has still to work on.
    """

    item: Item
    to_come: tuple[str, ...]

    def to_line(self) -> str:
        """Write it as a line of JSON."""
        return f"{json.dumps(asdict(self))}\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read it back."""
        content = json.loads(line)
        item = Item(**_with_tuples(content["item"]))
        return cls(item=item, to_come=tuple(content["to_come"]))


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An acquisition that the heuristic gives no name, and why."""

    acquisition: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class SeenAcquisition:
    """What a heuristic's ``custom_seqinfo`` sees of an acquisition, by the names of its fields."""

    acquisition: int
    seen: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RuleUse:
    """What a rule of a drafted heuristic matches.

    Attributes
    ----------
    line
        Where it stands in the heuristic's file.
    name
        The name that it gives, or an empty string where it leaves series out.
    acquisitions
        Which acquisitions it matches, whether or not an earlier rule does too.
    """

    line: int
    name: str
    acquisitions: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the worker found and did.

    Attributes
    ----------
    fault
        How the heuristic failed, or None.
    items
        The names, in the heuristic's order.
    left_out
        What has no name.
    rules
        What each rule matches, where the heuristic has a function ``rule_matches`` that says so.
    seen
        What was asked for by :attr:`Mode.DESCRIBE`.
    """

    fault: HeuristicFault | None = None
    items: tuple[Item, ...] = field(default_factory=tuple)
    left_out: tuple[LeftOut, ...] = field(default_factory=tuple)
    rules: tuple[RuleUse, ...] = field(default_factory=tuple)
    seen: tuple[SeenAcquisition, ...] = field(default_factory=tuple)

    def to_json(self) -> str:
        """Write the answer as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an answer back."""
        content = json.loads(text)
        return cls(
            fault=HeuristicFault(**content["fault"]) if content["fault"] else None,
            items=tuple(Item(**_with_tuples(one)) for one in content["items"]),
            left_out=tuple(LeftOut(**one) for one in content["left_out"]),
            rules=tuple(RuleUse(**_with_tuples(one)) for one in content["rules"]),
            seen=tuple(SeenAcquisition(**one) for one in content["seen"]),
        )


def _with_tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in record.items()}
