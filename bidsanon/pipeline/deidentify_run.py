"""What one run of ``deidentify`` knows so far: all that its report and its summary are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from bidsanon import __version__
from bidsanon.errors import GateRefusedError
from bidsanon.notes import Note
from bidsanon.pipeline.deidentify_request import DeidentifyRequest
from bidsanon.pipeline.gates import GateLog
from bidsanon.profile import Profile
from bidsanon.session import DefaceOutcome, DeidentifiedSession, SourceSession
from bidsanon.validate.residue import ResidueSearch


@dataclass(kw_only=True)
class DeidentifyRun:
    """One run of ``deidentify``, filled stage by stage.

    Attributes
    ----------
    request, profile
        What was asked for.
    source
        What was read.
    parts
        What was read, person by person.
    gates
        What each gate said, as far as the run came.
    persons
        What became of each person's images.
    faces
        What was done about the face in each image, where that was asked for; the paths are words:
        "series 3".
    descriptions
        What each series is called, by its index, as it is delivered.
    residue
        What was searched for and what was not.
    pixel_bytes
        How many bytes of native pixel data were passed over by the search.
    files
        How many files are delivered.
    images
        The images that were made of each series, by its index, where NIfTI was asked for.
    removed_keys
        How often each sidecar key was removed.
    tools
        The version of each tool that worked, by name.
    refusal
        The gate's no; None where the result was delivered.
    seconds
        How long it took.
    """

    request: DeidentifyRequest
    profile: Profile
    source: SourceSession
    parts: tuple[SourceSession, ...] = ()
    gates: GateLog = field(default_factory=GateLog)
    persons: tuple[DeidentifiedSession, ...] = ()
    faces: tuple[DefaceOutcome, ...] = ()
    descriptions: dict[int, str] = field(default_factory=dict)
    residue: ResidueSearch | None = None
    pixel_bytes: int = 0
    files: int = 0
    images: dict[int, list[str]] = field(default_factory=dict)
    removed_keys: dict[str, int] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=lambda: {"bidsanon": __version__})
    refusal: GateRefusedError | None = None
    seconds: float = 0.0

    @property
    def changes(self) -> dict[str, int]:
        """How many elements each action touched, all persons together."""
        codes = dict.fromkeys(code for person in self.persons for code in person.changes)
        return {code: sum(person.changes.get(code, 0) for person in self.persons) for code in codes}

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was cut, emptied or changed, all persons together."""
        counts: dict[tuple[str, str], Note] = {}
        for note in (note for person in self.persons for note in person.notes):
            known = counts.get((note.place, note.reason))
            count = note.count + (known.count if known else 0)
            counts[note.place, note.reason] = Note(
                place=note.place, reason=note.reason, count=count
            )
        return tuple(sorted(counts.values()))
