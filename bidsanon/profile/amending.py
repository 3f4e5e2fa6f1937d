"""What a user changes of a profile for one run: options, rules and modalities."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from bidsanon.dicom.confidentiality import Action, Option
from bidsanon.errors import UsageError
from bidsanon.profile.decision import Decision
from bidsanon.profile.entries import Entry, exclusive, problems_of, rules_of
from bidsanon.profile.profile import Profile

_DROPPED = "no-"
_MODALITY = re.compile(r"[A-Z0-9_ ]{1,16}")
_REASON = "asked for on the command line"


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """What a run changes of its profile, as the user wrote it.

    Attributes
    ----------
    options
        Names of options to add; with "no-" before the name, to drop.
    keep, remove
        Attributes by keyword, tag, or (group, creator, element).
    force
        Attributes and the values that they are set to.
    modalities
        The modalities that are let through in place of the profile's; empty: as the profile says.
    """

    options: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    force: tuple[tuple[str, str], ...] = ()
    modalities: tuple[str, ...] = ()

    def apply(self, profile: Profile) -> Profile:
        """Return the profile as amended; without changes, the profile itself.

        Raises
        ------
        UsageError
            If a change cannot be made: names all that is wrong.
        """
        if self == UNAMENDED:
            return profile
        return amend_profile(
            profile,
            add_options=[name for name in self.options if not name.startswith(_DROPPED)],
            drop_options=[
                name.removeprefix(_DROPPED) for name in self.options if name.startswith(_DROPPED)
            ],
            keep=self.keep,
            remove=self.remove,
            force=dict(self.force),
            modalities=self.modalities or None,
        )


UNAMENDED = Amendment()
"""What changes nothing."""


def amend_profile(
    profile: Profile,
    *,
    add_options: Collection[str] = (),
    drop_options: Collection[str] = (),
    keep: Collection[str] = (),
    remove: Collection[str] = (),
    force: Mapping[str, str] | None = None,
    modalities: Collection[str] | None = None,
) -> Profile:
    """Return a profile with other options, further rules or other modalities.

    An option that is added overrules the profile's rules about the attributes that it is for; the
    attributes that are kept, removed and forced overrule both. An option that excludes one of the
    profile's is refused until that one is dropped too: dates that a profile shifts are not shared
    in full by a slip.

    Parameters
    ----------
    profile
        What the changes are made to.
    add_options, drop_options
        Names of options of Table E.1-1.
    keep, remove
        Attributes by keyword, tag, or (group, creator, element).
    force
        The value that each attribute is set to.
    modalities
        What is let through in place of the profile's; None: what the profile says.

    Raises
    ------
    UsageError
        If a change cannot be made: names all that is wrong.
    """
    entries = tuple(_entries(keep, remove, force or {}))
    options = (set(profile.options) | set(add_options)) - set(drop_options)
    problems = [
        *_of_options(profile, add_options, drop_options),
        *_of_modalities(modalities),
        *problems_of(entries, options=options),
    ]
    if problems:
        raise UsageError(
            "the profile cannot be amended so:\n"
            + "\n".join(f"  {problem}" for problem in problems),
            cure="mend these options of the command line; "
            "`bidsanon profile show` says what a profile does",
        )
    other = profile.with_options(frozenset(map(Option, options)))
    return replace(
        other,
        amended=True,
        modalities=profile.modalities if modalities is None else frozenset(modalities),
        rules=(*other.rules, *(replace(rule, asked=True) for rule in rules_of(entries))),
    )


def _of_options(
    profile: Profile, added: Collection[str], dropped: Collection[str]
) -> Iterator[str]:
    names = {str(option) for option in Option}
    for name in sorted({*added, *dropped} - names):
        yield f"--option: there is no option {name!r}, only {', '.join(map(str, Option))}"
    for name in sorted(set(added) & set(dropped)):
        yield f"--option: {name} cannot be both added and dropped"
    for problem in exclusive((set(profile.options) | set(added)) - set(dropped)):
        others = sorted(set(profile.options) - set(added))
        cures = [f"--option {_DROPPED}{other}" for other in others if other in problem]
        yield f"--option: {problem}" + "".join(f"; add {cure} too" for cure in cures)


def _of_modalities(modalities: Collection[str] | None) -> Iterator[str]:
    if modalities is not None and not modalities:
        yield "--modality: at least one is needed"
    for modality in modalities or ():
        if not _MODALITY.fullmatch(modality):
            yield f"--modality: {modality!r} is no modality such as MR"


def _entries(
    keep: Collection[str], remove: Collection[str], force: Mapping[str, str]
) -> Iterator[Entry]:
    for name, attributes, action in (
        ("--keep", keep, Action.KEEP),
        ("--remove", remove, Action.REMOVE),
    ):
        for attribute in attributes:
            decision = Decision(action=action, reason=_REASON)
            yield Entry(place=name, attribute=attribute, decision=decision)
    for attribute, value in force.items():
        decision = Decision(action=Action.DUMMY, value=value, reason=_REASON)
        yield Entry(place="--force", attribute=attribute, decision=decision)
