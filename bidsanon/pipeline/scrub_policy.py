"""What the scrub of a dataset knows: of the vault and the private folder, where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from bidsanon.bids.tree import DatasetTree
from bidsanon.deidentify import Replacements
from bidsanon.dicom.terms import is_in_vocabulary
from bidsanon.dicom_names import without_dicom_names
from bidsanon.identity import ValueKind
from bidsanon.pipeline.scrub_request import ScrubRequest
from bidsanon.pipeline.scrub_residue import is_figure, is_number, without_residue
from bidsanon.pipeline.validate_identity import (
    Known,
    joined,
    known_of_private_folder,
    known_of_sources,
    published_labels,
)
from bidsanon.plain_names import without_names_in_words
from bidsanon.profile import load_profile
from bidsanon.progress import Progress
from bidsanon.redaction import Redactor
from bidsanon.scrub import DatasetPolicy, told_by_dataset
from bidsanon.validate.residue import published_descriptors, residue_in_texts
from bidsanon.validate.residue_words import is_common
from bidsanon.vault import Vault, read_contents

_NOBODY = "scrub"
_MOST_DEVICES = 1 << 10
_WORDS = re.compile(r"[^\W_]+")
_OF_DIGITS = frozenset({ValueKind.IDENTIFIER, ValueKind.DATE})
"""What may be made of numbers alone, each of which says nothing."""
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
    of_sources = _of_sources(request, progress)
    kept = Known() if keyless else _kept(request, progress)
    known = joined((Known(identity=told_by_dataset(tree)), of_sources, kept))
    redactor.add(value.text for value in known.identity)
    private = request.private / "no vault" if keyless else request.private
    passphrase_file = None if keyless else request.passphrase_file
    with Vault.preview(private, passphrase_file=passphrase_file) as vault:
        plan = vault.person_plan(_NOBODY, subject="")
        shifts = {} if keyless else vault.shifts_by_subject()
    replace = Replacements(plan, known=known.identity)
    of_digits = Replacements(plan, known=[v for v in known.identity if v.kind in _OF_DIGITS])

    def without_known(text: str) -> str:
        text = without_dicom_names(text)
        if not known.identity or (is_figure(text) and not text.isdigit()):
            return text
        # A coil is called "MULTI COIL" also where somebody's file holds a name with "COIL" in it.
        ordinary = all(map(is_in_vocabulary, _WORDS.findall(text)))
        cut = _cut(of_digits if ordinary else replace, text)
        if is_number(text) and (cut != text or is_figure(text)):
            return cut if cut == text else ""
        return without_residue(cut, holds)

    def described(text: str) -> str:
        cut = replace.descriptor(without_dicom_names(text))
        return without_dicom_names(without_names_in_words(cut))  # what is left may be one, joined

    holds = _search_in(request, tree, of_sources, described)
    return DatasetPolicy(
        device_pseudonym=_unless_pseudonym(replace.device),
        clean=lambda text: without_residue(described(text), holds),
        without_known=without_known,
        shifts=shifts,
        keep_times=request.keep_times,
    )


def _cut(replace: Replacements, text: str) -> str:
    """Return a text without what is known, but for words that stand in every dataset.

    "green" is what somebody saw, also where somebody is called so. The residue search does not look
    for such a word alone either.
    """
    cleaned = replace.without_known(text)
    if all(
        is_common(piece.lower()) and (piece.islower() or piece == text.strip())
        for piece in cleaned.cut
    ):
        return text
    return cleaned.text


def _of_sources(request: ScrubRequest, progress: Progress) -> Known:
    if not request.against:
        return Known()
    profile = load_profile(request.profile)
    return known_of_sources(request.against, profile=profile, jobs=request.jobs, progress=progress)


def _kept(request: ScrubRequest, progress: Progress) -> Known:
    return known_of_private_folder(
        request.private,
        dataset=request.dataset,
        passphrase_file=request.passphrase_file,
        profile=load_profile(request.profile),
        jobs=request.jobs,
        progress=progress,
    )


def _search_in(
    request: ScrubRequest, tree: DatasetTree, known: Known, described: Callable[[str], str]
) -> Callable[[str], bool]:
    """Return what tells whether `validate --against` would find something in a text."""
    if not (known.identity or known.lookups):
        return lambda _: False
    return residue_in_texts(
        known.identity,
        allowed=[label for _, label in published_labels(request.dataset)],
        descriptors=map(described, published_descriptors(tree)),
        lookups=known.lookups,
    )


def _unless_pseudonym(replace: Callable[[str], str]) -> Callable[[str], str]:
    pseudonym = lru_cache(maxsize=_MOST_DEVICES)(replace)
    return lambda text: text if _PSEUDONYM.fullmatch(text) else pseudonym(text)
