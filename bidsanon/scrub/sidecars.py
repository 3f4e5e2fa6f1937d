"""One sidecar: what stays of it, and how its image was de-identified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bidsanon.bids.faces import (
    FACE_ABSENT_PREFIX,
    FACE_KEPT_PREFIX,
    FACE_REMOVED_CODE,
    METHOD,
    METHOD_CODES,
)
from bidsanon.bids.keys import KeyAction, KeyRule, key_rules
from bidsanon.scrub.shapes import MISFIT, fit
from bidsanon.session import CodedConcept

OTHER_KEYS = "(other keys)"
"""Stands for the keys in neither table: such a name could itself identify somebody."""

_OVERTAKEN = (FACE_KEPT_PREFIX, FACE_ABSENT_PREFIX)
"""How what is said of a face begins that is not true once it was removed."""
FACE_REMOVED = CodedConcept(
    value=FACE_REMOVED_CODE, scheme="DCM", meaning="Clean Recognizable Visual Features Option"
)
_PLACEHOLDER = "TODO"


@dataclass(frozen=True, kw_only=True)
class SidecarPolicy:
    """What the scrub of a session's sidecars needs to know.

    Attributes
    ----------
    device_pseudonym
        Gives the pseudonym of a scanner's serial number.
    to_noon
        Moves a time of day (HH:MM:SS) as the session's acquisition times are moved; None where
        that cannot be done.
    clean
        Takes what identifies out of a free text, by its shape too.
    without_known
        Takes what is known of the person out of a text that is no description.
    keep_times
        Whether times of day stay.
    keep_placeholders
        Whether what a tool left to be filled in by hand stays.
    session
        The session's folder within the dataset.
    published
        The names of the session's images that are published.
    """

    device_pseudonym: Callable[[str], str]
    to_noon: Callable[[str], str | None]
    clean: Callable[[str], str] = str
    without_known: Callable[[str], str] = str
    keep_times: bool = False
    keep_placeholders: bool = False
    session: str = ""
    published: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class ScrubbedSidecar:
    """A sidecar as it may be published.

    Attributes
    ----------
    content
        What stays, sorted by key.
    removed
        How often each key was removed.
    replaced
        Keys whose value is another one: a pseudonym, another time, a text from which something
        was cut.
    misfits
        Keys that may stay but whose value has none of the allowed shapes.
    """

    content: dict[str, Any]
    removed: Counter[str]
    replaced: tuple[str, ...]
    misfits: tuple[str, ...]


def scrub_sidecar(
    content: dict[str, Any], policy: SidecarPolicy, rules: Mapping[str, KeyRule] | None = None
) -> ScrubbedSidecar:
    """Keep what may be published of a sidecar.

    Parameters
    ----------
    content
        The sidecar.
    policy
        What the scrub needs to know.
    rules
        What is done with each key; None: as for images.
    """
    known = key_rules() if rules is None else rules
    kept: dict[str, Any] = {}
    removed: Counter[str] = Counter()
    misfits: list[str] = []
    for key, value in content.items():
        rule = known.get(key)
        if rule is None or _goes(rule, policy) or _is_left_to_fill_in(value, policy):
            removed[key if rule else OTHER_KEYS] += 1
            continue
        fitted = next((r for s in rule.shapes if (r := fit(value, s)) is not MISFIT), MISFIT)
        replaced = _replace(key, fitted, rule.action, policy)
        if replaced is None:
            removed[key] += 1
        elif replaced is MISFIT:
            removed[key] += 1
            misfits.append(key)
        else:
            kept[key] = replaced
            removed[OTHER_KEYS] += _count_keys(value) - _count_keys(replaced)
    return ScrubbedSidecar(
        content=dict(sorted(kept.items())),
        removed=+removed,
        replaced=tuple(sorted(key for key, value in kept.items() if value != content[key])),
        misfits=tuple(sorted(misfits)),
    )


def add_method(
    content: dict[str, Any], *, methods: list[str], codes: tuple[CodedConcept, ...]
) -> dict[str, Any]:
    """Say in a sidecar how the image was de-identified, in the two fields BIDS has for it.

    What stands there is overruled: dcm2niix copies it from the DICOM headers as a text, or
    without its codes.
    """
    method = {METHOD: methods, METHOD_CODES: [_code_item(code) for code in codes]}
    return dict(sorted((content | method).items()))


def face_removed_method(engine_version: str) -> str:
    """Return how a face was removed, as DeidentificationMethod says it."""
    return f"Face removed by {engine_version}"


def face_kept_method(because: str) -> str:
    """Return, in the user's words, why a face was not removed.

    It goes with the image: who shares a dataset on OpenNeuro affirms that faces were removed, or
    that the participants consented.
    """
    return f"{FACE_KEPT_PREFIX}{because}"


def face_absent_method(reason: str) -> str:
    """Return why there was no face to remove from an image of a kind that shows one."""
    return f"{FACE_ABSENT_PREFIX}{reason}"


def add_face_removed(content: dict[str, Any], *, engine_version: str) -> dict[str, Any]:
    """Say in a sidecar that the face was removed, beside what it says of its de-identification.

    That the face was kept, or that there was none, is no longer said. Nothing but the two fields
    that BIDS has for it changes, nor does the order of the keys.
    """
    methods, codes = _methods_but_overtaken(content), content.get(METHOD_CODES, [])
    codes = list(codes) if isinstance(codes, list) else [codes]
    said, item = face_removed_method(engine_version), _code_item(FACE_REMOVED)
    methods += [] if said in methods else [said]
    codes += [] if item in codes else [item]
    return content | {METHOD: methods, METHOD_CODES: codes}


def add_face_kept(content: dict[str, Any], *, because: str) -> dict[str, Any]:
    """Say in a sidecar why a face was not removed, beside what it says of its de-identification.

    What it said before of a face that stays is overruled.
    """
    return content | {METHOD: [*_methods_but_overtaken(content), face_kept_method(because)]}


def _methods_but_overtaken(content: dict[str, Any]) -> list[Any]:
    methods = content.get(METHOD, [])
    methods = methods if isinstance(methods, list) else [methods]
    return [method for method in methods if not str(method).startswith(_OVERTAKEN)]


def _code_item(code: CodedConcept) -> dict[str, str]:
    return {
        "CodeValue": code.value,
        "CodeMeaning": code.meaning,
        "CodingSchemeDesignator": code.scheme,
    }


def _goes(rule: KeyRule, policy: SidecarPolicy) -> bool:
    return rule.action is KeyAction.REMOVE or (
        rule.action is KeyAction.TIME and not policy.keep_times
    )


def _replace(key: str, value: Any, action: KeyAction, policy: SidecarPolicy) -> Any:
    """Return the value to publish, None where there is none, MISFIT as it came."""
    if value is MISFIT:
        return MISFIT
    if action is KeyAction.PSEUDONYM:
        return policy.device_pseudonym(value) or None
    if action is KeyAction.NOON:
        return value if policy.keep_times else policy.to_noon(value) or MISFIT
    if key == "IntendedFor" and policy.session:
        return _without_unpublished(value, policy)
    return cleaned(value, policy.clean if action is KeyAction.CLEAN else policy.without_known)


def cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    """Clean every text of a value, at every depth, keys too; None where nothing is left.

    A key of which something is cut goes with what it holds.
    """
    if isinstance(value, str):
        return (clean(value) or None) if value else value
    if isinstance(value, list):
        items = [cleaned(item, clean) for item in value]
        left = [
            new for old, new in zip(value, items, strict=True) if new is not None or old is None
        ]
        return left if left or not value else None
    if isinstance(value, dict):
        parts = {
            key: part
            for key, old in value.items()
            if clean(key) == key and ((part := cleaned(old, clean)) is not None or old is None)
        }
        return parts if parts or not value else None
    return value


def _without_unpublished(value: Any, policy: SidecarPolicy) -> Any:
    """Leave the session's images that are not published out of IntendedFor.

    It names an image as a BIDS URI, or relative to the subject's folder.
    """
    prefix = policy.session.replace("/", "_") + "_"
    targets = value if isinstance(value, list) else [value]
    names = [str(target).rpartition("/")[2] for target in targets]
    kept = [
        target
        for target, name in zip(targets, names, strict=True)
        if name in policy.published or not name.startswith(prefix)
    ]
    return (kept if isinstance(value, list) else kept[0]) if kept else None


def _is_left_to_fill_in(value: Any, policy: SidecarPolicy) -> bool:
    return not policy.keep_placeholders and _holds_placeholder(value)


def _holds_placeholder(value: Any) -> bool:
    if isinstance(value, str):
        return _PLACEHOLDER in value
    if isinstance(value, list):
        return any(map(_holds_placeholder, value))
    return isinstance(value, dict) and any(map(_holds_placeholder, value.values()))


def _count_keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_count_keys, value.values()))
    return sum(map(_count_keys, value)) if isinstance(value, list) else 0
