"""What the user asks of defacing: by which engine, what goes, what else is made; checked once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bidsanon.errors import UsageError

AUTO = "auto"
EMBEDDED = "bidsanon"
PYDEFACE = "pydeface"
NONE = "none"
ENGINES = (AUTO, EMBEDDED, PYDEFACE, NONE)
"""The names of the engines, as they are given on the command line."""

_LONGEST_REASON = 300


class Faces(StrEnum):
    """What counts as the face."""

    WHOLE = "whole"
    """Eyes, nose, mouth and teeth: pydeface's mask, grown as far as the brain allows."""
    PYDEFACE = "pydeface"
    """What pydeface removes, no more and no less."""


class Also(StrEnum):
    """What is defaced only if it is asked for, since it hardly ever shows a face."""

    DWI = "dwi"
    """Diffusion images, registered on their mean without diffusion weighting."""
    BOLD = "bold"
    """Functional images, registered on their mean."""


@dataclass(frozen=True, kw_only=True)
class DefaceOptions:
    """What the user asks of defacing.

    Attributes
    ----------
    engine
        One of :data:`ENGINES`.
    because
        Why faces stay, in the user's words; empty unless the engine is "none".
    faces
        What counts as the face.
    keep_ears
        Whether the ears stay.
    also
        What is defaced although it hardly ever shows a face.
    masks
        Whether to write, beside each defaced anatomical image, where its face was.
    """

    engine: str = AUTO
    because: str = ""
    faces: Faces = Faces.WHOLE
    keep_ears: bool = False
    also: frozenset[Also] = frozenset()
    masks: bool = False


USUAL = DefaceOptions()
"""What is done when nothing is asked."""


def require_options(options: DefaceOptions) -> DefaceOptions:
    """Return options that go together.

    Raises
    ------
    UsageError
        If there is no such engine, faces are to stay and nobody says why, or options contradict
        each other.
    """
    if options.engine not in ENGINES:
        raise UsageError(
            f"there is no defacing engine named {options.engine!r}",
            cure=f"choose {', '.join(ENGINES[:-1])} or {NONE}",
        )
    reason = " ".join(options.because.split())
    if options.engine != NONE:
        if reason:
            raise UsageError(
                "--because says why faces stay, but they are removed",
                cure=f"leave it out, or keep the faces with --deface {NONE}",
            )
        return options
    if not any(letter.isalpha() for letter in reason) or not reason.isprintable():
        raise UsageError(
            "faces stay only for a reason that is written down",
            cure='say why, for example --because "consent for faces"',
        )
    if len(reason) > _LONGEST_REASON:
        raise UsageError(
            f"the reason has more than {_LONGEST_REASON} characters",
            cure="say it in a sentence: it stands in the report and in the journal",
        )
    if options != DefaceOptions(engine=NONE, because=options.because):
        raise UsageError(
            "options of defacing were given, but faces stay",
            cure=f"leave out what says how faces go, or leave out --deface {NONE}",
        )
    return DefaceOptions(engine=NONE, because=reason)
