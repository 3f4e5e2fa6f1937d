"""What the scrub of a dataset knows: of the vault and the private folder, where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from bidsanon.bids.tree import DatasetTree
from bidsanon.deidentify import Replacements
from bidsanon.dicom.terms import is_in_vocabulary
from bidsanon.dicom_names import without_dicom_names
from bidsanon.pipeline.scrub_request import ScrubRequest
from bidsanon.pipeline.validate_identity import (
    Known,
    joined,
    known_of_private_folder,
    known_of_sources,
)
from bidsanon.plain_names import without_names_in_words
from bidsanon.profile import load_profile
from bidsanon.progress import Progress
from bidsanon.redaction import Redactor
from bidsanon.scrub import DatasetPolicy, told_by_dataset
from bidsanon.vault import Vault, read_contents

_NOBODY = "scrub"
_MOST_DEVICES = 1 << 10
_WORDS = re.compile(r"[^\W_]+")
_PSEUDONYM = re.compile(r"anon-[a-z2-7]{11}")
"""What a device's pseudonym looks like, whoever made it: another run may have had another key."""


def scrub_policy(
    request: ScrubRequest, tree: DatasetTree, *, progress: Progress, redactor: Redactor
) -> DatasetPolicy:
    """Collect what is known of the persons of a dataset, of which a tree says what it holds.

    Where there is no vault, or its key was destroyed, serial numbers get pseudonyms of a key that
    nobody keeps, and no date can be shifted.

    Raises
    ------
    BidsanonError
        If the vault or a source cannot be read.
    """
    contents = read_contents(request.private)
    keyless = contents is None or contents.destroyed is not None
    known = joined(_known(request, tree, keyless=keyless, progress=progress))
    redactor.add(value.text for value in known.identity)
    private = request.private / "no vault" if keyless else request.private
    passphrase_file = None if keyless else request.passphrase_file
    with Vault.preview(private, passphrase_file=passphrase_file) as vault:
        plan = vault.person_plan(_NOBODY, subject="")
        shifts = {} if keyless else vault.shifts_by_subject()
    replace = Replacements(plan, known=known.identity)

    def without_known(text: str) -> str:
        text = without_dicom_names(text)
        # A coil is called "MULTI COIL" also where somebody's file holds a name with "COIL" in it.
        if not known.identity or all(map(is_in_vocabulary, _WORDS.findall(text))):
            return text
        return replace.without_known(text).text

    def cleaned(text: str) -> str:
        cut = replace.descriptor(without_dicom_names(text))
        return without_dicom_names(without_names_in_words(cut))  # what is left may be one, joined

    return DatasetPolicy(
        device_pseudonym=_unless_pseudonym(replace.device),
        clean=cleaned,
        without_known=without_known,
        shifts=shifts,
        keep_times=request.keep_times,
    )


def _known(
    request: ScrubRequest, tree: DatasetTree, *, keyless: bool, progress: Progress
) -> Iterator[Known]:
    yield Known(identity=told_by_dataset(tree))
    if request.against:
        profile = load_profile(request.profile)
        yield known_of_sources(
            request.against, profile=profile, jobs=request.jobs, progress=progress
        )
    if not keyless:
        yield known_of_private_folder(
            request.private,
            dataset=request.dataset,
            passphrase_file=request.passphrase_file,
            profile=load_profile(request.profile),
            jobs=request.jobs,
            progress=progress,
        )


def _unless_pseudonym(replace: Callable[[str], str]) -> Callable[[str], str]:
    pseudonym = lru_cache(maxsize=_MOST_DEVICES)(replace)
    return lambda text: text if _PSEUDONYM.fullmatch(text) else pseudonym(text)
