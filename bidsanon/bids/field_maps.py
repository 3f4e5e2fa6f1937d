"""Field maps: which images each of them corrects, and how BIDS says so.

BIDS has two ways: ``IntendedFor`` in the field map names the images, and ``B0FieldIdentifier`` in
the field map with ``B0FieldSource`` in the images names the field ("Using IntendedFor metadata" and
"Using B0FieldIdentifier and B0FieldSource metadata" in the section "Fieldmaps").

A field map fits an image if the shim was the same (where both say what it was) and it covers what
the image shows. Of those that fit, one with the image's own voxels is better, and then the nearest
in time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bidsanon.bids.mapped_image import MappedImage

INTENDED_FOR = "IntendedFor"
IDENTIFIER = "B0FieldIdentifier"
SOURCE = "B0FieldSource"

_CORRECTED = frozenset(
    {
        ("func", "bold"),
        ("func", "cbv"),
        ("func", "sbref"),
        ("dwi", "dwi"),
        ("dwi", "sbref"),
        ("perf", "asl"),
        ("perf", "m0scan"),
    }
)
_MEASURE = frozenset({"phasediff", "phase1", "phase2", "fieldmap"})
_PARTS_OF_ONE = frozenset({"echo", "part"})
_LABELS = (
    (re.compile(r"dwi|dti|diff|dmri"), "dwi"),
    (re.compile(r"fmri|func|bold"), "func"),
    (re.compile(r"asl|perf"), "perf"),
)
"""What an ``acq-`` label says of the images that a field map was acquired for."""


class Link(StrEnum):
    """How a field map and what it corrects are tied to each other."""

    INTENDED_FOR = "intended-for"
    """``IntendedFor``, as BIDS URIs."""
    B0_FIELD = "b0-field"
    """``B0FieldIdentifier`` and ``B0FieldSource``."""


class Criterion(StrEnum):
    """By what it is decided which field map corrects an image."""

    SHIM = "shim"
    """The currents of the shim coils are the same, where both images say them."""
    GEOMETRY = "geometry"
    """The field map covers the image; the same voxels are better."""
    TIME = "time"
    """The nearest one is taken."""


@dataclass(frozen=True, kw_only=True)
class FieldMapOptions:
    """What is asked of the field maps.

    Attributes
    ----------
    links
        What is written; nothing: they are left as the heuristic left them.
    by
        What decides.
    """

    links: frozenset[Link] = frozenset(Link)
    by: frozenset[Criterion] = frozenset(Criterion)


USUAL_LINKS = FieldMapOptions()
"""Both ways, by all criteria."""


@dataclass(frozen=True, kw_only=True)
class Linked:
    """What follows for the sidecars.

    Attributes
    ----------
    fields
        What is to be added to the sidecar of each image, by its path.
    unused
        The first image of each field map that corrects nothing.
    uncorrected
        The images that no field map fits, in a session that has some.
    """

    fields: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    uncorrected: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Field:
    """One measurement of the field: the images it is made of."""

    kind: str
    images: tuple[MappedImage, ...]

    @property
    def polarities(self) -> frozenset[str]:
        return frozenset(image.phase_encoding for image in self.images)

    @property
    def alone(self) -> bool:
        """Whether it is an EPI without its opposite, which only the corrected image can be."""
        return self.kind == "pepolar" and len(self.polarities) == 1


def link_field_maps(images: Iterable[MappedImage], options: FieldMapOptions) -> Linked:
    """Find the field map of each image, and say what the sidecars must hold.

    Parameters
    ----------
    images
        All images of a session that are there: nothing else is ever named.
    options
        What is asked.
    """
    everything = sorted(images, key=lambda image: (image.moment, image.name.path))
    fields = _measured(everything)
    if not options.links or not fields:
        return Linked()
    corrected: dict[int, list[MappedImage]] = defaultdict(list)
    uncorrected = []
    for image in everything:
        if (image.name.datatype, image.name.suffix) not in _CORRECTED:
            continue
        best = _best(image, fields, options.by)
        if best is None:
            uncorrected.append(image.name.path)
        else:
            corrected[best].append(image)
    added: dict[str, dict[str, object]] = defaultdict(dict)
    for number, targets in corrected.items():
        _write(added, fields[number], _label(fields, number), targets, options.links)
    return Linked(
        fields={path: dict(sorted(said.items())) for path, said in added.items()},
        unused=tuple(one.images[0].name.path for n, one in enumerate(fields) if n not in corrected),
        uncorrected=tuple(uncorrected),
    )


def _measured(images: Sequence[MappedImage]) -> list[_Field]:
    maps = [image for image in images if image.name.datatype == "fmap"]
    epis = [image for image in maps if image.name.suffix == "epi"]
    others = [image for image in maps if image.name.suffix != "epi"]
    fields = [*_with_their_magnitudes(others), *_opposite_polarities(epis)]
    return sorted(fields, key=lambda one: (one.images[0].moment, one.images[0].name.path))


def _with_their_magnitudes(images: Iterable[MappedImage]) -> Iterator[_Field]:
    groups: dict[object, list[MappedImage]] = defaultdict(list)
    for image in images:
        groups[tuple(image.name.entities.items())].append(image)
    for group in groups.values():
        suffixes = {image.name.suffix for image in group}
        if suffixes & _MEASURE:
            kind = "fieldmap" if "fieldmap" in suffixes else "phase"
            yield _Field(kind=kind, images=tuple(group))


def _opposite_polarities(epis: Iterable[MappedImage]) -> Iterator[_Field]:
    """Pair EPIs in the order of time, each with the latest of opposite polarity that still waits.

    So a field map that was repeated because its first half failed is the second one.
    """
    acquisitions: dict[object, list[MappedImage]] = defaultdict(list)
    for image in epis:
        entities = [item for item in image.name.entities.items() if item[0] not in _PARTS_OF_ONE]
        acquisitions[tuple(entities)].append(image)
    waiting: list[list[MappedImage]] = []
    for acquisition in acquisitions.values():
        partner = next((w for w in reversed(waiting) if _are_a_pair(w[0], acquisition[0])), None)
        if partner is None:
            waiting.append(acquisition)
        else:
            waiting.remove(partner)
            yield _Field(kind="pepolar", images=(*partner, *acquisition))
    for acquisition in waiting:
        yield _Field(kind="pepolar", images=tuple(acquisition))


def _are_a_pair(first: MappedImage, second: MappedImage) -> bool:
    return (
        first.is_opposed_to(second)
        and first.name.entities.get("acq") == second.name.entities.get("acq")
        and first.has_voxels_of(second)
        and first.has_shim_of(second)
    )


def _best(image: MappedImage, fields: Sequence[_Field], by: frozenset[Criterion]) -> int | None:
    ranked = [
        (_rank(one, image, by), number)
        for number, one in enumerate(fields)
        if _fits(one, image, by)
    ]
    return min(ranked)[1] if ranked else None


def _fits(one: _Field, image: MappedImage, by: frozenset[Criterion]) -> bool:
    first = one.images[0]
    if one.alone and not first.is_opposed_to(image):
        return False
    if _meant_for(one) not in {"", image.name.datatype}:
        return False
    if Criterion.SHIM in by and not first.has_shim_of(image):
        return False
    return Criterion.GEOMETRY not in by or first.covers(image)


def _meant_for(one: _Field) -> str:
    label = one.images[0].name.entities.get("acq", "").lower()
    return next((datatype for pattern, datatype in _LABELS if pattern.search(label)), "")


def _rank(one: _Field, image: MappedImage, by: frozenset[Criterion]) -> tuple[bool, bool, float]:
    """Return what makes a field map better than another: the smaller, the better."""
    first = one.images[0]
    other_shim = Criterion.SHIM in by and not (first.shim and image.shim)
    other_voxels = (
        Criterion.GEOMETRY in by and one.kind == "pepolar" and not first.has_voxels_of(image)
    )
    away = min(abs(part.moment - image.moment) for part in one.images)
    return other_shim, other_voxels, away if Criterion.TIME in by else 0.0


def _label(fields: Sequence[_Field], number: int) -> str:
    """Name a field, as it must be told from every other of the same person."""
    one = fields[number]
    alike = [n for n, other in enumerate(fields) if other.kind == one.kind]
    session = one.images[0].name.entities.get("ses")
    parts = (one.kind, f"ses{session}" if session else "", str(alike.index(number) + 1))
    return "_".join(filter(None, parts))


def _write(
    added: dict[str, dict[str, object]],
    one: _Field,
    label: str,
    targets: Sequence[MappedImage],
    links: frozenset[Link],
) -> None:
    for image in one.images:
        said = added[image.name.path]
        if Link.INTENDED_FOR in links:
            said[INTENDED_FOR] = [f"bids::{target.name.path}" for target in targets]
        if Link.B0_FIELD in links:
            said[IDENTIFIER] = label
    if Link.B0_FIELD not in links:
        return
    for target in targets:
        added[target.name.path][SOURCE] = label
    if one.alone:
        nearest = min(targets, key=lambda t: (t.name.suffix != "sbref", _away(one, t)))
        added[nearest.name.path][IDENTIFIER] = label


def _away(one: _Field, image: MappedImage) -> float:
    return abs(one.images[0].moment - image.moment)
