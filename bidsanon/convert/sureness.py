"""How sure a proposed name is: what the headers alone say of the series, and what it is called.

Two witnesses are heard beside the heuristic: the bundled one deaf to names
(:mod:`bidsanon.convert.headers_only`), and the words that a series is called by.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from bidsanon.convert.job import Heuristic, Origin
from bidsanon.convert.plan import PlannedSeries

_HEADERS_ONLY = Path(__file__).with_name("headers_only.py")
_WORDS = (
    (r"t1(?!rho)|mp2?rage|bravo|spgr|ir_?fspgr", "anat/T1w"),
    (r"t2(?!\*|_?star)", "anat/T2w"),
    (r"flair|dark_?fluid", "anat/FLAIR"),
    (r"\bpdw?\b|proton", "anat/PDw"),
    (r"bold|fmri|rest|task|\bfunc", "func"),
    (r"dwi|\bdti|diff|dki|noddi", "dwi"),
    (r"field_?map|fmap|b0_?map|gre_field|topup", "fmap"),
    (r"asl|perf", "perf"),
)
_CONTRASTS = frozenset({"anat/T1w", "anat/T2w", "anat/FLAIR", "anat/PDw"})


class Sureness(StrEnum):
    """On what a proposed name, or leaving a series out, rests."""

    HEADERS = "headers"
    """The headers alone say so, and what the series is called does not speak against it."""
    NAME = "name"
    """Only what the series is called says so: the headers leave it open, or say less."""
    CONFLICTING = "conflicting"
    """The headers or what it is called speak for something else: look at it."""
    HEURISTIC = "heuristic"
    """Only the heuristic says so: neither the headers nor the name tell."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How sure a proposal is, and why."""

    sure: Sureness
    why: str


def headers_only() -> Heuristic:
    """Return the heuristic that listens to headers alone."""
    digest = hashlib.sha256(_HEADERS_ONLY.read_bytes()).hexdigest()
    return Heuristic(
        name=_HEADERS_ONLY.stem, path=_HEADERS_ONLY, digest=digest, origin=Origin.BUNDLED
    )


def judge_names(
    proposed: PlannedSeries, by_headers: PlannedSeries | None, *, description: str
) -> Judgement:
    """Say how sure what is proposed for a series is.

    Parameters
    ----------
    proposed
        What the heuristic that was asked for makes of it.
    by_headers
        What the headers alone make of it; None where they could not be asked.
    description
        What the series is called.
    """
    if by_headers is None:
        return _judgement(Sureness.HEURISTIC, "the headers alone could not be judged")
    ours, theirs, said = _kinds(proposed.names), _kinds(by_headers.names), _called(description)
    if not ours:
        return _judge_left_out(theirs)
    if ours & theirs:
        return _judge_agreed(ours, said)
    if not theirs:
        return _judge_left_open(ours, said, by_headers.reason or "no name")
    return _judge_otherwise(ours, said, theirs)


def _judge_agreed(ours: frozenset[str], said: frozenset[str]) -> Judgement:
    if _speaks_against(said, ours):
        return _judgement(
            Sureness.CONFLICTING, f"its description speaks for {', '.join(sorted(said))}"
        )
    too = ", and its description" if _fits(said, ours) else ""
    return _judgement(Sureness.HEADERS, f"image type, sequence and times say so{too}")


def _judge_left_open(ours: frozenset[str], said: frozenset[str], reason: str) -> Judgement:
    fits = _fits(said, ours)
    sure = Sureness.NAME if fits else Sureness.HEURISTIC
    by = "its description says so" if fits else "the heuristic alone says so"
    return _judgement(sure, f"{by}; by the headers alone: {reason}")


def _judge_otherwise(
    ours: frozenset[str], said: frozenset[str], theirs: frozenset[str]
) -> Judgement:
    told = ", ".join(sorted(theirs))
    if not _datatypes(ours) & _datatypes(theirs):
        return _judgement(Sureness.CONFLICTING, f"the headers alone speak for {told}")
    if _fits(said, ours):
        return _judgement(Sureness.NAME, f"its description says so; the headers alone say {told}")
    return _judgement(Sureness.HEURISTIC, f"the headers alone say {told}")


def _judge_left_out(theirs: frozenset[str]) -> Judgement:
    if not theirs:
        return _judgement(Sureness.HEADERS, "the headers alone leave it out too")
    told = ", ".join(sorted(theirs))
    return _judgement(Sureness.NAME, f"by the headers alone it would be {told}")


def _judgement(sure: Sureness, why: str) -> Judgement:
    return Judgement(sure=sure, why=why)


def _kinds(names: Iterable[str]) -> frozenset[str]:
    """Return datatype and suffix of each proposed name: "anat/T1w"."""
    found = set()
    for name in names:
        path = PurePosixPath(name)
        suffix = path.name.removesuffix(".nii.gz").rpartition("_")[2]
        found.add(f"{path.parent.name}/{suffix}")
    return frozenset(found)


def _datatypes(kinds: Iterable[str]) -> frozenset[str]:
    return frozenset(kind.partition("/")[0] for kind in kinds)


def _called(description: str) -> frozenset[str]:
    text = re.sub(r"[\W_]+", "_", description.lower().replace("*", "_star")).replace("_", " ")
    joined = text.replace(" ", "_")
    return frozenset(
        kind for words, kind in _WORDS if re.search(words, text) or re.search(words, joined)
    )


def _fits(said: frozenset[str], kinds: frozenset[str]) -> bool:
    return bool(said & kinds) or bool(_datatypes(said) & _datatypes(kinds) - {"anat"})


def _speaks_against(said: frozenset[str], kinds: frozenset[str]) -> bool:
    """Tell whether a description names another kind; one that names several settles nothing."""
    if not said or _fits(said, kinds):
        return False
    if _datatypes(said) & _datatypes(kinds):
        return bool(kinds & _CONTRASTS) and not kinds & said
    return True
