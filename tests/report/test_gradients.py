"""Tables of gradients are summarised, and what does not fit is said."""

from __future__ import annotations

import pytest

from bidsanon.report.gradients import read_gradients

BVEC = "0 1 0 0\n0 0 1 0\n0 0 0 1\n"


def test_b_values_are_counted_by_shell() -> None:
    found = read_gradients("0 995 1005 2000\n", BVEC, volumes=4)
    assert found.shells == ((0, 1), (1000, 2), (2000, 1))
    assert found.values == (0, 995, 1005, 2000)
    assert not found.problems


@pytest.mark.parametrize(
    ("bval", "bvec", "volumes", "words"),
    [
        (None, BVEC, 4, "no .bval"),
        ("0 1000 1000 1000", None, 4, "no .bvec"),
        ("0 1000 1000 1000", BVEC, 5, "4 b-values for 5 volumes"),
        ("0 1000 1000 x", BVEC, 4, "else than numbers"),
        ("0 1000 1000 nan", BVEC, 4, "else than numbers"),
        ("0 1000 1000 1000", "0 1\n0 0\n", 4, "three lines"),
        ("0 1000 1000 1000", "0 1 0\n0 0 1\n0 0 0\n", 4, "3 gradient directions for 4"),
        ("0 1000 1000 1000", BVEC.replace("1", "3"), 4, "3 weighted volume(s) are not of"),
        ("0 1000 1000 1000", "0 0 0 0\n0 0 1 0\n0 0 0 1\n", 4, "1 weighted volume(s) have no"),
    ],
)
def test_what_does_not_fit_is_said(
    bval: str | None, bvec: str | None, volumes: int, words: str
) -> None:
    problem, *others = read_gradients(bval, bvec, volumes=volumes).problems
    assert words in problem
    # Where there are no b-values, directions are of too many volumes.
    assert [other for other in others if "for 0 b-values" not in other] == []
