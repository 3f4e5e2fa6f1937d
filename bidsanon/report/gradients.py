"""What a diffusion run's tables of gradients say: how strong, how often, and whether they fit."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

_SHELL = 50
_WEAK = 50
_UNIT = 0.05
_DIRECTIONS = 3


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """A run's b-values.

    Attributes
    ----------
    values
        Of each volume, s/mm2.
    shells
        About which b-value there are how many volumes, the weakest first.
    problems
        What does not fit, in sentences.
    """

    values: tuple[float, ...] = ()
    shells: tuple[tuple[int, int], ...] = ()
    problems: tuple[str, ...] = ()


def read_gradients(bval: str | None, bvec: str | None, *, volumes: int) -> Gradients:
    """Read a run's tables.

    Parameters
    ----------
    bval, bvec
        The text of each file; None where there is none.
    volumes
        How many volumes the image has.
    """
    values, problems = _numbers(bval, ".bval")
    flat = tuple(value for line in values for value in line)
    if flat and len(flat) != volumes:
        problems.append(f"There are {len(flat)} b-values for {volumes} volumes.")
    vectors, more = _numbers(bvec, ".bvec")
    problems += more or _vector_problems(vectors, flat)
    shells = Counter(round(value / _SHELL) * _SHELL for value in flat)
    return Gradients(values=flat, shells=tuple(sorted(shells.items())), problems=tuple(problems))


def _numbers(text: str | None, name: str) -> tuple[list[list[float]], list[str]]:
    if text is None:
        return [], [f"There is no {name} file for this image."]
    try:
        lines = [[float(word) for word in line.split()] for line in text.splitlines()]
    except ValueError:
        return [], [f"The {name} file holds something else than numbers."]
    finite = all(math.isfinite(number) for line in lines for number in line)
    if not finite:
        return [], [f"The {name} file holds something else than numbers."]
    return [line for line in lines if line], []


def _vector_problems(vectors: list[list[float]], values: tuple[float, ...]) -> list[str]:
    if len(vectors) != _DIRECTIONS or len({len(line) for line in vectors}) != 1:
        return ["The .bvec file has not three lines of one length."]
    if len(vectors[0]) != len(values):
        return [f"There are {len(vectors[0])} gradient directions for {len(values)} b-values."]
    lengths = [math.hypot(*vector) for vector in zip(*vectors, strict=True)]
    strong = [n for n, b in zip(lengths, values, strict=True) if b > _WEAK]
    none = sum(length == 0 for length in strong)
    odd = sum(abs(length - 1) > _UNIT for length in strong) - none
    problems = []
    if none:
        problems.append(f"{none} weighted volume(s) have no direction: a mean, or a trace?")
    if odd:
        problems.append(f"The directions of {odd} weighted volume(s) are not of length 1.")
    return problems
