"""The checklist of what OpenNeuro asks a person to affirm: what is known of each point.

Nothing is claimed that is not known: what no file says stays the person's to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.root_documents import DATACITE, is_unfilled
from bidsanon.files import sha256
from bidsanon.findings import Finding, Severity, errors, finding
from bidsanon.validate.openneuro_evidence import (
    Affirmation,
    Evidence,
    Knowledge,
    Point,
    Statement,
    contradicted,
    known,
    not_known,
    some_of,
)
from bidsanon.validate.openneuro_faces import affirm_faces, face_states
from bidsanon.validate.residue import ResidueSearch

_CC0 = re.compile(r"\W*(cc[\W_]*0|creative commons zero|public domain dedication)\b", re.IGNORECASE)
_CITATION = "CITATION.cff"
_CITED_LICENCE = re.compile(r"^license:[ \t]*(\S.*)$", re.MULTILINE)
_LONGEST_CITATION = 1 << 20
_PRIVACY = "PRIVACY_"
_FACES = "PRIVACY_FACE"
_REJECTED = "FACE_REJECTED"
_DATES = frozenset({"PRIVACY_DATE", "PRIVACY_DATE_PERHAPS", "PRIVACY_BIRTH_DATE"})
_UNREAD = frozenset({"PRIVACY_NOT_READ", "FILE_UNREADABLE", "RESIDUE_NOT_SEARCHED"})
_RESIDUE = frozenset({"RESIDUE_FOUND"})
_CODES = {
    Knowledge.CONTRADICTED: "OPENNEURO_CONTRADICTED",
    Knowledge.NOT_KNOWN: "OPENNEURO_AFFIRM",
}
_NOBODY_KNOWS = {
    Point.GDPR: "no file says whose law holds: ask who answers for data protection where the "
    "participants were scanned",
    Point.ONE_ARCHIVE: "no file says where else the data are",
    Point.MADE_UP: "no file says whether somebody made the data up",
}


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """What OpenNeuro asks, with what is known.

    Attributes
    ----------
    affirmations
        One for each point.
    findings
        What of it is contradicted, and what is left to a person.
    """

    affirmations: tuple[Affirmation, ...]
    findings: tuple[Finding, ...]


def openneuro_checklist(root: Path, evidence: Evidence) -> Checklist:
    """Go through what OpenNeuro asks a person to affirm.

    Parameters
    ----------
    root
        The dataset's folder.
    evidence
        What it and its private folder say.
    """
    affirmations = (
        affirm_faces(
            face_states(root, evidence), evidence.shared, rejected=_rejected(evidence.findings)
        ),
        _affirm(Point.IDENTIFIERS, _identifiers(evidence)),
        _affirm(Point.KEY, _key(evidence)),
        _affirm(Point.LICENCE, _licence(evidence)),
        _affirm(Point.PERMISSION, _permission(evidence)),
        *(_affirm(point, iter((not_known(words),))) for point, words in _NOBODY_KNOWS.items()),
    )
    return Checklist(affirmations=affirmations, findings=tuple(_findings(affirmations)))


def _findings(affirmations: Iterable[Affirmation]) -> Iterator[Finding]:
    """Say of which points something is known against them, and which are left to a person."""
    for one in affirmations:
        if one.knowledge is not Knowledge.KNOWN:
            yield finding(_CODES[one.knowledge], asked=one.asked, point=one.point)


def _rejected(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the files that hold an image which a person rejected."""
    return frozenset(one.location for one in findings if one.code == _REJECTED)


def _affirm(point: Point, statements: Iterator[Statement]) -> Affirmation:
    return Affirmation(point=point, statements=tuple(statements))


def _identifiers(evidence: Evidence) -> Iterator[Statement]:
    unread = [one for one in evidence.findings if one.code in _UNREAD]
    private = [
        one
        for one in evidence.findings
        if one.code.startswith(_PRIVACY) and not one.code.startswith(_FACES) and one not in unread
    ]
    wrong = errors([*private, *(one for one in evidence.findings if one.code in _RESIDUE)])
    if wrong:
        yield contradicted(f"the checks found {len(wrong)} error(s): {_codes(wrong)}")
    elif not unread:
        yield known(
            "the checks of keys, columns, headers, ages, labels and leftovers are without error"
        )
    if not unread and not any(one.code in _DATES for one in private):
        yield known("no date after 1925 was found in tables, sidecars and headers")
    if unread:
        yield not_known(
            f"{len(unread)} file(s) or folder(s) could not be looked into: {_places(unread)}"
        )
    yield from _now(evidence.residue) if evidence.residue else _once(evidence)
    open_ones = [one for one in private if one.severity is Severity.WARNING]
    if open_ones:
        yield not_known(f"{len(open_ones)} warning(s) are yours to judge: {_codes(open_ones)}")
    yield not_known(
        "no program knows every name: read README, participants.tsv and what else people wrote"
    )


def _codes(findings: Iterable[Finding]) -> str:
    return ", ".join(sorted({one.code for one in findings}))


def _places(findings: Iterable[Finding]) -> str:
    return some_of(sorted({one.location for one in findings}))


def _now(search: ResidueSearch) -> Iterator[Statement]:
    """Say what the search that was made just now found of what the originals say of persons."""
    searched = sum(search.searched.values())
    if not search.findings:
        yield known(f"none of {searched} value(s) that the originals hold was found in it just now")
    elif not errors(search.findings):
        yield not_known(
            f"some of {searched} value(s) that the originals hold were found where they may "
            f"belong: {_codes(search.findings)}"
        )
    ignored = sum(one.count for one in search.ignored)
    if ignored:
        yield not_known(
            f"{ignored} value(s) of the originals were not searched for, or not everywhere: they "
            "are too short or too common"
        )


def _once(evidence: Evidence) -> Iterator[Statement]:
    """Say which files are still those that were searched when they were published."""
    names = [file for file in evidence.shared.files if file.name.startswith("sub-")]
    same = sum(
        file.name in evidence.published and sha256(file.path) == evidence.published[file.name]
        for file in names
    )
    if same:
        yield known(
            f"{same} of {len(names)} file(s) in the subjects' folders are as bidsanon published "
            "them, when nothing was found in them of what the originals hold"
        )
    if same < len(names) or not names:
        yield not_known(
            f"{len(names) - same} file(s) in the subjects' folders were not searched for what the "
            "originals hold: `bidsanon validate --against ORIGINALS` does"
        )


def _key(evidence: Evidence) -> Iterator[Statement]:
    vault = evidence.vault
    if vault is None:
        yield not_known(
            "there is no vault in the private folder"
            if evidence.private
            else "there is no private folder beside the dataset (--private names another)"
        )
    elif vault.destroyed:
        yield known(f"bidsanon's key was destroyed on {vault.destroyed[:10]}")
    else:
        guarded = "behind a passphrase" if vault.protected else "without a passphrase"
        yield contradicted(
            f"bidsanon's key for {vault.persons} person(s) is in the private folder, {guarded}, "
            "and whoever can read that folder keeps it: `bidsanon vault destroy`, once the last "
            "session is in"
        )
    if evidence.identified:
        yield contradicted(
            f"the private folder holds what names persons: {', '.join(evidence.identified)}"
        )
    yield not_known(
        "lists of participants, consent forms, originals and backups are kept by others: who "
        "keeps them, and until when?"
    )


def _licence(evidence: Evidence) -> Iterator[Statement]:
    if evidence.description is None:
        yield not_known("dataset_description.json cannot be read")
    licence = (evidence.description or {}).get("License")
    if not is_unfilled(licence):
        yield _is_cc0(licence, "dataset_description.json")
    cited = [file for file in evidence.shared.files if file.name == _CITATION]
    found = [match[1] for file in cited for match in _CITED_LICENCE.finditer(_beginning(file.path))]
    yield from (_is_cc0(text, _CITATION) for text in found)
    if is_unfilled(licence) and not found and evidence.description is not None:
        yield not_known("dataset_description.json names no License: agree to CC0, and write it")
    texts = [file.name for file in evidence.shared.files if _tells_licence(file.name)]
    if texts:
        yield not_known(f"read whether {some_of(texts)} says the same")


def _tells_licence(name: str) -> bool:
    return name.upper().startswith("LICEN") or name == DATACITE


def _is_cc0(licence: object, place: str) -> Statement:
    if isinstance(licence, str) and _CC0.match(licence):
        return known(f"{place} says CC0")
    return contradicted(f"{place} names another licence than CC0")


def _beginning(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_LONGEST_CITATION).decode("utf-8", "replace")


def _permission(evidence: Evidence) -> Iterator[Statement]:
    approvals = (evidence.description or {}).get("EthicsApprovals")
    if isinstance(approvals, list) and not is_unfilled(approvals):
        yield known(f"dataset_description.json names {len(approvals)} ethics approval(s)")
    yield not_known("whether the ethics approval, and the participants' consent, cover publication")
