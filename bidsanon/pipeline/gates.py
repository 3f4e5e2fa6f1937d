"""The gates of one run, in their order: what each said, and the first no ends the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bidsanon.errors import GateRefusedError
from bidsanon.findings import Finding, Gate, GateResult, Severity, errors, weighed


class GateLog:
    """Collects what the gates say.

    Parameters
    ----------
    severities
        Those that the lab's configuration gives to some codes.
    """

    def __init__(self, severities: Mapping[str, Severity] | None = None) -> None:
        self.results: list[GateResult] = []
        self._severities = severities or {}

    def judge(self, gate: Gate, findings: Iterable[Finding]) -> None:
        """Note what a gate found, and stop the run if one of the findings is an error.

        Raises
        ------
        GateRefusedError
            If the gate says no.
        """
        result = GateResult(gate=gate, findings=weighed(findings, self._severities))
        self.results.append(result)
        refused = errors(result.findings)
        if refused:
            raise GateRefusedError(
                f"the {gate.value} gate refused: nothing was published",
                cure="see the findings above, and the report in the private folder",
                findings=refused,
            )
