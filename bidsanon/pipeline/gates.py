"""The gates of one run, in their order: what each said, and the first no ends the run."""

from __future__ import annotations

from collections.abc import Iterable

from bidsanon.errors import GateRefusedError
from bidsanon.findings import Finding, Gate, GateResult, errors


class GateLog:
    """Collects what the gates say."""

    def __init__(self) -> None:
        self.results: list[GateResult] = []

    def judge(self, gate: Gate, findings: Iterable[Finding]) -> None:
        """Note what a gate found, and stop the run if one of the findings is an error.

        Raises
        ------
        GateRefusedError
            If the gate says no.
        """
        result = GateResult(gate=gate, findings=tuple(findings))
        self.results.append(result)
        refused = errors(result.findings)
        if refused:
            raise GateRefusedError(
                f"the {gate.value} gate refused: nothing was published",
                cure="see the findings above, and the report in the private folder",
                findings=refused,
            )
