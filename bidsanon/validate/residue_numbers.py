"""The written forms of a number: with other signs between its digits, or none, and in groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bidsanon.validate.residue_rules import Forms, IgnoredBecause, Rule

SHORTEST_NUMBER = 4
SHORTEST_NUMBER_INSIDE = 6
"""So many digits are searched for where they are a part of something longer."""
JOINTS = ("", " ", "_", "-", ".", "/")
TOKENS = re.compile(r"[^\W\d_]+|\d+")
_FROM_DIGIT_TO_DIGIT = re.compile(r"\d.*\d")
_ABROAD = re.compile(r"\+\d{1,3}[ ()/.-]+")
"""The code of a country, where a sign tells it from the number."""
_AFTER_AREA = " ()/.-"
_JOINTS_OF_AREA = (" ", "-", "/", " / ", ")", ") ")
_GROUPINGS = {
    7: ((3, 4), (1, 3, 3)),
    8: ((4, 4), (2, 3, 3), (3, 3, 2), (3, 2, 3), (2, 2, 2, 2)),
    9: ((3, 2, 4), (3, 3, 3)),
    10: ((3, 3, 4), (6, 4), (1, 3, 3, 3)),
    11: ((6, 5), (2, 3, 3, 3)),
    12: ((8, 4), (3, 3, 3, 3)),
}
_DECIMAL_PARTS, _LONGEST_DECIMAL = 2, 8
"""So many digits in two groups with a point between them are a decimal number in many files."""


def add_number(forms: Forms, groups: Sequence[str]) -> None:
    """Add a number as typed in groups, in one, and in the groups that such numbers come in."""
    digits = "".join(groups)
    significant = digits.lstrip("0")
    if len(significant) < SHORTEST_NUMBER:
        if len(digits) < SHORTEST_NUMBER_INSIDE or not significant:
            forms.ignored.add(IgnoredBecause.TOO_SHORT)
            return
        significant = digits
    if _is_round(significant):
        forms.ignored.add(IgnoredBecause.COMMON)
        return
    forms.add(significant, Rule.NUMBER)
    groupings: list[Sequence[str]] = [groups] if len(groups) > 1 else []
    for written in dict.fromkeys((digits, significant)):
        groupings += [_grouped(written, sizes) for sizes in _GROUPINGS.get(len(written), ())]
    for grouping in groupings:
        decimal = len(grouping) == _DECIMAL_PARTS and sum(map(len, grouping)) <= _LONGEST_DECIMAL
        for joint in JOINTS[1:]:
            if not (decimal and joint == "." and grouping is not groups):
                forms.add(joint.join(grouping), Rule.NUMBER)
        if len(written_groups := grouping[1:]) > 1 and {*map(len, written_groups)} == {3}:
            forms.add(",".join(grouping), Rule.NUMBER)


def add_as_typed(forms: Forms, text: str) -> None:
    """Add a number with its own signs between the digits, and a telephone's within its country."""
    typed = _FROM_DIGIT_TO_DIGIT.search(text)
    if typed is None or sum(map(str.isdigit, text)) < SHORTEST_NUMBER_INSIDE:
        return
    forms.add(typed[0], Rule.NUMBER)
    abroad = _ABROAD.match(text)
    within = text[abroad.end() :] if abroad else ""
    area, *rest = TOKENS.findall(within) or [""]
    if rest and len(area) + sum(map(len, rest)) >= SHORTEST_NUMBER_INSIDE:
        add_number(forms, ["0", area, *rest])
        add_number(forms, [area, *rest])
        typed_rest = within[len(area) :].lstrip(_AFTER_AREA)
        for joint in _JOINTS_OF_AREA:
            for written in ("".join(rest), " ".join(rest), typed_rest):
                forms.add(f"{area}{joint}{written}", Rule.NUMBER)


def _grouped(digits: str, sizes: Sequence[int]) -> list[str]:
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [digits[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _is_round(digits: str) -> bool:
    """Whether a short number is one that settings have too: 2000, 1500, a year."""
    number = int(digits)
    if len(digits) == SHORTEST_NUMBER:
        return number % 50 == 0 or 1900 <= number <= 2100  # noqa: PLR2004 (years)
    return len(digits) <= SHORTEST_NUMBER + 1 and number % 1000 == 0
