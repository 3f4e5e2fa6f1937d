"""What the user asks of ``scrub``, checked before anything is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon.pipeline.existing import private_folder_of, require_dataset, require_private_there
from bidsanon.pipeline.places import require_sources


@dataclass(frozen=True, kw_only=True)
class ScrubRequest:
    """A dataset to scrub.

    Attributes
    ----------
    dataset
        Its folder, with links resolved.
    private
        The identified side's folder; it need not be there.
    against
        Sources that say of whom nothing may be left in texts: identified, never written to.
    remove
        What of other tools' leftovers is removed, relative to the dataset.
    profile
        A name or a file: what counts as identifying in the sources, and what the lab says of the
        dataset.
    keep_times
        Whether times of day stay.
    dry_run
        Whether nothing is written.
    passphrase_file
        Where the vault's passphrase is; None: in the environment, where there is one.
    jobs
        How many files at once.
    """

    dataset: Path
    private: Path
    against: tuple[Path, ...] = ()
    remove: tuple[str, ...] = ()
    profile: str = "bids"
    keep_times: bool = False
    dry_run: bool = False
    passphrase_file: Path | None = None
    jobs: int = 1


def make_scrub_request(
    dataset: Path,
    *,
    private: Path | None = None,
    against: tuple[Path, ...] = (),
    remove: tuple[str, ...] = (),
    profile: str = "bids",
    keep_times: bool = False,
    dry_run: bool = False,
    passphrase_file: Path | None = None,
    jobs: int = 1,
) -> ScrubRequest:
    """Check what the user asks for and return it as a record.

    Parameters
    ----------
    private
        None: ``DATASET.private`` beside the dataset.

    Raises
    ------
    UsageError
        If it cannot be: no dataset, a private folder within it or one that is named and not there,
        a source within it.
    """
    require_dataset(dataset)
    dataset = dataset.resolve()
    if private is not None:
        require_private_there(private)
    private = private_folder_of(dataset, private)
    require_sources(against, {"the dataset": dataset})
    return ScrubRequest(
        dataset=dataset,
        private=private,
        against=against,
        remove=tuple(name.rstrip("/") for name in remove),
        profile=profile,
        keep_times=keep_times,
        dry_run=dry_run,
        passphrase_file=passphrase_file,
        jobs=jobs,
    )
