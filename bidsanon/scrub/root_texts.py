"""What files at a dataset's root hold once they are scrubbed, in a dry run too."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from bidsanon.bids.tree import TreeFile
from bidsanon.scrub.stored_files import DatasetPolicy, FileScrub


def scrubbed_root_texts(
    dataset: Path, texts: Mapping[str, str], policy: DatasetPolicy
) -> dict[str, str]:
    """Return texts of files at the root as the scrub leaves them.

    Parameters
    ----------
    dataset
        Its folder; it is only read.
    texts
        What the files hold, by name.
    policy
        What the scrub needs to know.
    """
    files = {
        name: TreeFile(name=name, path=dataset / name, size=len(text), is_link=False)
        for name, text in texts.items()
        if name.endswith((".json", ".tsv"))
    }
    left = dict(texts)
    with tempfile.TemporaryDirectory(prefix="bidsanon-") as folder:
        scrub = FileScrub(files, policy, Path(folder))
        for number, (name, file) in enumerate(files.items()):
            change = scrub.scrub(number, file).change
            if change and change.staged:
                left[name] = change.staged.read_text("utf-8")
    return left
