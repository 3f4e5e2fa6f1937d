"""What one run knows so far: all that its report, its journal and its summary are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from bidsanon import __version__
from bidsanon.errors import GateRefusedError
from bidsanon.pipeline.gates import GateLog
from bidsanon.pipeline.request import ConvertRequest, Policy
from bidsanon.session import (
    ConvertedSession,
    DefacedSession,
    DeidentifiedSession,
    ScrubbedSession,
    SourceSession,
)
from bidsanon.validate.residue import ResidueSearch


@dataclass(kw_only=True)
class Run:
    """One run of ``convert``, filled stage by stage.

    Attributes
    ----------
    request, policy
        What was asked for.
    source
        What was read.
    gates
        What each gate said, as far as the run came.
    deidentified, converted, defaced, scrubbed
        What each stage made; None where the run did not come so far.
    residue
        What was searched for and what was not.
    refusal
        The gate's no; None where the session was published.
    seconds
        How long it took.
    uid_key
        The vault's key of UID replacement, for what is remembered; empty until the person is
        known.
    """

    request: ConvertRequest
    policy: Policy
    source: SourceSession
    gates: GateLog = field(default_factory=GateLog)
    deidentified: DeidentifiedSession | None = None
    converted: ConvertedSession | None = None
    defaced: DefacedSession | None = None
    scrubbed: ScrubbedSession | None = None
    residue: ResidueSearch | None = None
    refusal: GateRefusedError | None = None
    seconds: float = 0.0
    uid_key: bytes = field(default=b"", repr=False)

    @property
    def tools(self) -> dict[str, str]:
        """The version of each tool that worked, by name."""
        return {"bidsanon": __version__, **(self.converted.tools if self.converted else {})}

    @property
    def generated_by(self) -> dict[str, str]:
        """What the dataset says it was made by: the tools, and the heuristic by its digest alone.

        A heuristic's name may be somebody's.
        """
        return {**self.tools, "heuristic": f"sha256:{self.policy.heuristic.digest}"}
