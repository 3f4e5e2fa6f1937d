"""Which field map corrects which image of what is published.

Decided here, where it is known what is published: no link ever leads to an image that was withheld
or withdrawn, and a session that is redone is linked anew. What a heuristic has linked stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bidsanon.bids.field_maps import (
    IDENTIFIER,
    INTENDED_FOR,
    FieldMapOptions,
    Linked,
    link_field_maps,
)
from bidsanon.bids.mapped_image import MappedImage
from bidsanon.bids.names import BidsName
from bidsanon.bids.sidecars import SidecarError, read_json_file
from bidsanon.findings import Finding, finding

_SPATIAL_AXES = 3


def link_published(
    root: Path,
    images: Iterable[BidsName],
    times: Mapping[str, datetime | None],
    options: FieldMapOptions,
) -> tuple[Linked, list[Finding]]:
    """Say which keys link the field maps of a session to its images.

    Parameters
    ----------
    root
        Where the images are.
    images
        Those that are published.
    times
        When each was acquired, by the last part of its path.
    options
        What is asked.
    """
    names = list(images)
    if not options.links or not any(name.datatype == "fmap" for name in names):
        return Linked(), []
    sidecars = {name.path: _sidecar(root, name) for name in names}
    if any(_is_linked(sidecars[name.path]) for name in names if name.datatype == "fmap"):
        return Linked(), []
    linked = link_field_maps(
        [
            _mapped(root, name, sidecars[name.path], moment)
            for name, moment in zip(names, _moments(names, sidecars, times), strict=True)
        ],
        options,
    )
    by = ", ".join(sorted(options.by)) or "anything"
    return linked, [
        *(finding("FIELD_MAP_UNUSED", location=path, by=by) for path in linked.unused),
        *(finding("FIELD_MAP_LACKING", location=path, by=by) for path in linked.uncorrected),
    ]


def _sidecar(root: Path, name: BidsName) -> dict[str, Any]:
    """Read an image's sidecar; one that cannot be read has its finding where it is scrubbed."""
    file = root / (name.path.removesuffix(name.extension) + ".json")
    try:
        return read_json_file(file)
    except (SidecarError, FileNotFoundError):
        return {}


def _is_linked(sidecar: Mapping[str, Any]) -> bool:
    return INTENDED_FOR in sidecar or IDENTIFIER in sidecar


def _moments(
    names: Iterable[BidsName],
    sidecars: Mapping[str, Mapping[str, Any]],
    times: Mapping[str, datetime | None],
) -> Iterator[float]:
    """Give seconds for each image, or for all of them their series' numbers where one has none."""
    known = {name.path: times.get(Path(name.path).name) for name in names}
    first = min((moment for moment in known.values() if moment), default=None)
    for path, moment in known.items():
        if first is None or not all(known.values()):
            number = sidecars[path].get("SeriesNumber")
            yield float(number) if isinstance(number, int | float) else 0.0
        else:
            assert moment is not None  # noqa: S101  # all of them are known
            yield (moment - first).total_seconds()


def _mapped(root: Path, name: BidsName, sidecar: Mapping[str, Any], moment: float) -> MappedImage:
    import nibabel  # noqa: PLC0415  # slow, and needed where there are field maps

    shape: tuple[int, ...] = ()
    affine: tuple[tuple[float, ...], ...] = ()
    try:
        image = nibabel.Nifti1Image.from_filename(root / name.path)
    except (OSError, nibabel.filebasedimages.ImageFileError):
        image = None  # it has its finding where images are scrubbed
    if image is not None and len(image.shape) >= _SPATIAL_AXES and image.affine is not None:
        shape = tuple(image.shape[:_SPATIAL_AXES])
        affine = tuple(tuple(map(float, row)) for row in image.affine[:_SPATIAL_AXES])
    return MappedImage(
        name=name,
        shim=_numbers(sidecar.get("ShimSetting")),
        phase_encoding=str(sidecar.get("PhaseEncodingDirection") or ""),
        shape=shape,
        affine=affine,
        moment=moment,
    )


def _numbers(value: object) -> tuple[float, ...]:
    values = value if isinstance(value, list) else []
    return tuple(float(one) for one in values if isinstance(one, int | float))
