"""What every run lets its user choose, whatever it makes of the source."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import ChangedValues
from bidsanon.profile import UNAMENDED, Amendment, Profile, load_profile

AUTO = "auto"
"""What stands for the label that the vault gives a person."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run goes about its work.

    Attributes
    ----------
    profile
        A name or a file.
    amendment
        What this run changes of the profile.
    jobs
        How many processes at once.
    overwrite
        Replace what an earlier run made in the same place.
    withhold
        Go on without what failed: series with damaged files, images whose defacing failed.
    deident_map, audit_values
        Whether to keep, in the private folder, who became whom, and the original and the cleaned
        value of every attribute that was changed.
    passphrase_file
        Where the vault's passphrase is; None: in the environment, where there is one.
    """

    profile: str = "bids"
    amendment: Amendment = UNAMENDED
    jobs: int = 1
    overwrite: bool = False
    withhold: bool = False
    deident_map: bool = False
    audit_values: bool = False
    passphrase_file: Path | None = None

    def load_profile(self) -> Profile:
        """Load the profile and amend it as the run asks.

        Raises
        ------
        PolicyError
            If it is invalid.
        UsageError
            If it cannot be amended so.
        """
        return self.amendment.apply(load_profile(self.profile))

    def changed_values(
        self, private: Path, *, command: str, subject: str, session: str | None
    ) -> AbstractContextManager[ChangedValues | None]:
        """Return what takes the changed values into the private folder; None if nobody asks.

        Raises
        ------
        StorageError
            If they cannot be kept.
        """
        if not self.audit_values:
            return nullcontext()
        return ChangedValues.begin(private, command=command, subject=subject, session=session)


USUAL_RUN = RunOptions()
"""What a run does that is asked for nothing special."""
