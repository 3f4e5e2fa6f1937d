"""Which images were acquired together, so that one registration tells where the face is in all.

Echoes, parts (magnitude, phase, real, imaginary) and inversions of one acquisition on one grid
belong together; anything else is registered on its own: the T1w's registration is no proof for
another image of the same session.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.sidecars import SidecarError, read_json_file
from bidsanon.deface.grid import Grid, Points, voxel_sizes_mm
from bidsanon.deface.head import REGISTERED_MM
from bidsanon.deface.means import block_means
from bidsanon.deface.voxels import Nifti, Slab, UnreadableImageError, magnitude_slabs, slabs

FINE_MM = 1.8
"""No voxels of a reference are coarser than this because of what is averaged for pictures."""

ACQUIRED_TOGETHER = frozenset({"echo", "part", "inv"})
"""The entities by which names of images that were acquired together may differ."""
_FAMILIES = {
    "UNIT1": "MP2RAGE",
    "fieldmap": "magnitude",
    "magnitude1": "magnitude",
    "magnitude2": "magnitude",
    "phase1": "magnitude",
    "phase2": "magnitude",
    "phasediff": "magnitude",
}
_COMPUTED = {"UNIT1", "fieldmap"}
_FIRST_VOLUMES = 10
"""A functional series is registered on so many volumes: enough for the noise."""
_UNWEIGHTED_S_MM2 = 100.0
"""Scanners write small b-values, not only 0, for volumes without diffusion weighting."""
# From a slab that shows no more than a profile's outline to a scan of the whole body.
THINNEST_MM, _SHORTEST_MM, _LONGEST_MM = 15.0, 60.0, 3000.0
_LARGEST_MM3 = 2e9
_LARGE_MM = 100.0
_PHASES = {"phase1", "phase2", "phasediff"}


class Component(StrEnum):
    """What a voxel's value is."""

    MAGNITUDE = "magnitude"
    """How strong the signal is: what shows a face, and what is registered."""
    PHASE = "phase"
    """Its angle: noise around the head, and the head's outline."""
    REAL = "real"
    """The real part."""
    IMAGINARY = "imaginary"
    """The imaginary part."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One image of an acquisition.

    Attributes
    ----------
    path
        Relative to the session's root, with forward slashes.
    nifti
        Its header.
    component
        What its values are.
    inversion
        The number of its ``inv`` entity; 0 where there is none.
    computed
        Whether it was computed from others of its acquisition.
    shows
        The numbers of the volumes that show the head best; all if None.
    """

    path: str
    nifti: Nifti
    component: Component
    inversion: int
    computed: bool
    shows: frozenset[int] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What is registered of an acquisition: the mean of the images that show the head best.

    Attributes
    ----------
    uniform
        Whether every voxel of every image has one and the same value.
    fine
        The mean, on voxels of at most :data:`FINE_MM` or the images' own.
    coarse
        The same, on the voxels on which it is registered.
    """

    uniform: bool
    fine: Grid
    coarse: Grid


@dataclass(frozen=True, kw_only=True, eq=False)
class Acquisition:
    """Images that were acquired together on one grid.

    Attributes
    ----------
    members
        Sorted by path.
    """

    members: tuple[Member, ...]

    @property
    def registered(self) -> tuple[Member, ...]:
        """The members whose mean is registered.

        The magnitudes; of inversions the last, which has no dark tissue borders; not what was
        computed, whose air is noise at full strength, unless there is nothing else.
        """
        magnitudes = [m for m in self.members if m.component is Component.MAGNITUDE]
        measured = [m for m in magnitudes if not m.computed] or magnitudes
        last = max((m.inversion for m in measured), default=0)
        return tuple(m for m in measured if m.inversion == last)

    @property
    def shown(self) -> Member:
        """The member under whose name the pictures go."""
        return (*self.registered, *self.members)[0]

    @property
    def sidecar(self) -> Path:
        """The sidecar of that member; it may not be there."""
        stem = parse_name(self.shown.path).stem
        return self.shown.nifti.path.with_name(f"{stem}.json")

    def file(self, path: str) -> Path:
        """Return the file of a path that is relative to the root, as the members' paths are."""
        root = self.shown.nifti.path
        for _ in Path(self.shown.path).parts:
            root = root.parent
        return root / path

    def reference(self) -> Reference:
        """Return what is registered.

        Raises
        ------
        UnreadableImageError
            If there is no magnitude, it cannot be read, or no head fits into it.
        """
        nifti = self.shown.nifti
        _require_room(nifti)
        seen = _Seen()
        targets = (FINE_MM, REGISTERED_MM)
        fine, coarse = block_means(nifti.space, nifti.affine, seen.passing(self._slabs()), targets)
        if seen.one_value and not seen.finite:
            raise UnreadableImageError("its voxels are not numbers")
        plain = nifti.dtype.kind in "iuf" and len(self.members) == 1
        return Reference(uniform=seen.one_value and plain, fine=fine, coarse=coarse)

    def _slabs(self) -> Iterator[Slab]:
        for member in self.registered:
            yield from slabs(member.nifti, only=member.shows)
        if self.registered:
            return
        real = [m for m in self.members if m.component is Component.REAL]
        imaginary = [m for m in self.members if m.component is Component.IMAGINARY]
        if not real:
            raise UnreadableImageError("no magnitude image was acquired with it")
        if imaginary:
            yield from magnitude_slabs(real[0].nifti, imaginary[0].nifti)
        else:
            # A phase-sensitive inversion recovery: dark tissue is negative, and a head it is.
            yield from slabs(real[0].nifti)


@dataclass(kw_only=True)
class _Seen:
    """What values went by."""

    least: float = math.inf
    most: float = -math.inf
    finite: bool = True

    @property
    def one_value(self) -> bool:
        return self.least == self.most

    def passing(self, read: Iterator[Slab]) -> Iterator[Slab]:
        for slab in read:
            self.least = min(self.least, float(slab.values.min()))
            self.most = max(self.most, float(slab.values.max()))
            self.finite &= slab.finite
            yield slab


def _require_room(nifti: Nifti) -> None:
    """Refuse what is too small or too large for a head: its header does not say millimetres."""
    lengths = voxel_sizes_mm(nifti.affine) * nifti.space
    thinnest, longest = float(lengths.min()), float(lengths.max())
    if longest < _SHORTEST_MM or thinnest < THINNEST_MM:
        raise UnreadableImageError(
            f"its field of view of {_in_words(lengths)} is too small to find a head in"
        )
    if longest > _LONGEST_MM or float(np.prod(lengths)) > _LARGEST_MM3:
        raise UnreadableImageError(
            f"its field of view of {_in_words(lengths)} is larger than any scanner's: does its "
            "header say millimetres?"
        )


def _in_words(lengths: Points) -> str:
    each = (f"{mm:.0f}" if mm >= _LARGE_MM else f"{mm:.3g}" for mm in lengths)
    return f"{' by '.join(each)} mm"


def acquisition_key(path: str) -> tuple[str, ...]:
    """Return what images that were acquired together have in common in their names.

    Parameters
    ----------
    path
        An image, relative to the session's root, with its extension or without.
    """
    folder, _, _ = path.rpartition("/")
    name = parse_name(path)
    kept = [
        f"{key}-{value}" for key, value in name.entities.items() if key not in ACQUIRED_TOGETHER
    ]
    return folder, *kept, _FAMILIES.get(name.suffix, name.suffix)


def group_acquisitions(root: Path, images: Mapping[str, Nifti]) -> tuple[Acquisition, ...]:
    """Put images that were acquired together into acquisitions.

    Parameters
    ----------
    root
        The session's root.
    images
        The headers by path relative to `root`.

    Returns
    -------
    tuple
        Sorted by their first member's path.
    """
    groups: list[tuple[tuple[str, ...], list[Member]]] = []
    for path in sorted(images):
        key = acquisition_key(path)
        member = _member(root, path, images[path])
        for known, members in groups:
            if known == key and members[0].nifti.same_grid(member.nifti):
                members.append(member)
                break
        else:
            groups.append((key, [member]))
    return tuple(Acquisition(members=tuple(members)) for _, members in groups)


def _member(root: Path, path: str, nifti: Nifti) -> Member:
    name = parse_name(path)
    inversion = name.entities.get("inv", "")
    return Member(
        path=path,
        nifti=nifti,
        component=_component(name, root),
        inversion=int(inversion) if inversion.isdecimal() else 0,
        computed=name.suffix in _COMPUTED,
        shows=_best_volumes(name, root, nifti.volume_count),
    )


def _best_volumes(name: BidsName, root: Path, count: int) -> frozenset[int] | None:
    """Return the first volumes of a functional series, or those without diffusion weighting."""
    if name.datatype == "func":
        return frozenset(range(min(count, _FIRST_VOLUMES)))
    if name.datatype != "dwi":
        return None
    weights = _b_values((root / name.path).with_name(f"{name.stem}.bval"))
    if len(weights) != count:
        return frozenset({0})
    least = max(_UNWEIGHTED_S_MM2, min(weights))
    return frozenset(number for number, weight in enumerate(weights) if weight <= least)


def _b_values(table: Path) -> list[float]:
    """Return the b-values of a series; none where there is no such table."""
    try:
        values = [float(text) for text in table.read_text("utf-8").split()]
    except (OSError, ValueError):
        return []
    return values if all(value >= 0 for value in values) else []


def _component(name: BidsName, root: Path) -> Component:
    part = name.entities.get("part", "")
    named = {"phase": Component.PHASE, "real": Component.REAL, "imag": Component.IMAGINARY}
    if part:
        return named.get(part, Component.MAGNITUDE)
    if name.suffix in _PHASES:
        return Component.PHASE
    types = _image_types((root / name.path).with_name(f"{name.stem}.json"))
    if types & {"P", "PHASE"}:
        return Component.PHASE
    if types & {"R", "REAL"}:
        return Component.REAL
    if types & {"I", "IMAGINARY"}:
        return Component.IMAGINARY
    return Component.MAGNITUDE


def _image_types(sidecar: Path) -> set[str]:
    """Return the values of ImageType in a sidecar; none where there is none that can be read."""
    try:
        types = read_json_file(sidecar).get("ImageType", [])
    except SidecarError:
        return set()
    return {str(value).upper() for value in types} if isinstance(types, list) else set()
