"""Each image of a dataset as its page shows it: read once, a few slices at a time.

Whoever made the dataset, an image that is broken gets a row that says so, and one that is larger
than anybody would look at is told and not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bidsanon.bids.faces import face_claim, kind_shows_face
from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.sidecars import SidecarError, SidecarTree
from bidsanon.deface.grid import voxel_sizes_mm
from bidsanon.deface.means import block_means
from bidsanon.deface.voxels import Nifti, Slab, UnreadableImageError, read_codes, read_header, slabs
from bidsanon.files import sha256
from bidsanon.report.carpet import CarpetLoom
from bidsanon.report.gradients import Gradients, read_gradients
from bidsanon.report.images import EventsEntry, ImageEntry, events_entry
from bidsanon.report.mosaic import draw_mosaic
from bidsanon.report.words import byte_words

_MOST_BYTES = 1 << 35
_MOST_IN_A_SLICE = 1 << 25
_MOST_VOLUMES = 1 << 20
_MOST_TEXT = 1 << 24
_DRAWN = 256
_TIMES = " \N{MULTIPLICATION SIGN} "
_CARPETS = {"bold", "cbv"}
_SHOWN = {
    "EchoTime": ("echo time", 1000, " ms"),
    "FlipAngle": ("flip angle", 1, "°"),
    "InversionTime": ("inversion time", 1000, " ms"),
    "MagneticFieldStrength": ("field", 1, " T"),
}


def describe_image(root: Path, image: str) -> ImageEntry:
    """Look at one image, whatever state it is in.

    Parameters
    ----------
    root
        The dataset's folder.
    image
        The image, relative to it.
    """
    name = parse_name(image)
    about: dict[str, Any] = {"path": image, "suffix": name.suffix}
    sidecar, unclear = sidecar_of(root, image)
    about["claim"] = face_claim(sidecar)
    try:
        about["digest"] = sha256(root / image)
        nifti = read_header(root / image)
        facts = _facts(nifti, sidecar) | ({"sidecar": unclear} if unclear else {})
    except (UnreadableImageError, OSError) as error:
        return ImageEntry(
            **about, of_a_face=of_a_face(name, lambda: None), problem=why_not_drawn(error)
        )
    about["of_a_face"] = of_a_face(name, lambda: nifti)
    gradients = _gradients(root, name, nifti) if name.datatype == "dwi" else None
    about |= {
        "facts": facts,
        "repetition_s": _repetition_s(nifti, sidecar),
        "gradients": gradients if name.suffix == "dwi" else None,
        "events": _events(root, name) if name.datatype == "func" else None,
    }
    problem = _too_large(nifti)
    if problem:
        return ImageEntry(**about, problem=problem)
    try:
        return ImageEntry(**about, **_drawn(nifti, name, gradients))
    except (UnreadableImageError, OSError) as error:
        return ImageEntry(**about, problem=why_not_drawn(error))


def of_a_face(name: BidsName, header: Callable[[], Nifti | None]) -> bool:
    """Tell whether images of a kind show a face.

    Parameters
    ----------
    header
        Gives the image's header, where the kind does not decide; None where it cannot be read.
    """

    def voxel_mm3() -> float | None:
        nifti = header()
        return float(np.prod(voxel_sizes_mm(nifti.affine))) if nifti else None

    return kind_shows_face(name.datatype, name.suffix, voxel_mm3).asked


def _drawn(nifti: Nifti, name: BidsName, gradients: Gradients | None) -> dict[str, Any]:
    """Draw an image while it is read once."""
    loom = None
    if name.suffix in _CARPETS and nifti.volume_count > 1:
        loom = CarpetLoom(space=nifti.space, volumes=nifti.volume_count)
    number = _shown_volume(gradients) if nifti.volume_count > 1 else 0
    read = slabs(nifti) if loom else slabs(nifti, only=[number])
    coarse = _coarse_mm(nifti)
    (grid,) = block_means(nifti.space, nifti.affine, _watched(read, loom), [coarse])
    words = ""
    if nifti.volume_count > 1:
        mean = f"the mean of {nifti.volume_count} volumes"
        words = mean if loom else f"volume {number + 1} of {nifti.volume_count}"
    return {
        "drawn": words,
        "mosaic": draw_mosaic(grid.values, grid.affine),
        "carpet": loom.carpet() if loom else None,
    }


def _watched(read: Iterable[Slab], loom: CarpetLoom | None) -> Iterator[Slab]:
    for slab in read:
        if loom:
            loom.add(slab)
        yield slab


def _coarse_mm(nifti: Nifti) -> float:
    """Return how fine a picture can be: no axis has more voxels than anybody would see."""
    sizes = voxel_sizes_mm(nifti.affine)
    axes = zip(sizes, nifti.space, strict=True)
    return max((float(size) * -(-n // _DRAWN) for size, n in axes if n > _DRAWN), default=0.0)


def _shown_volume(gradients: Gradients | None) -> int:
    """Return the volume that is shown: of diffusion runs one without weighting."""
    if not gradients or not gradients.values:
        return 0
    return int(np.argmin(gradients.values))


def _too_large(nifti: Nifti) -> str:
    voxels = np.prod(nifti.shape, dtype=np.float64)
    if voxels * nifti.dtype.itemsize > _MOST_BYTES:
        return "it says that it holds more than 32 GiB: too large to be drawn"
    if nifti.slice_voxels > _MOST_IN_A_SLICE:
        return "its slices are too large to be drawn"
    if nifti.volume_count > _MOST_VOLUMES:
        return "it has too many volumes to be drawn"
    return "" if nifti.volume_count else "it has no volumes"


def why_not_drawn(error: Exception) -> str:
    """Say why an image cannot be drawn, in words that hold nothing of it."""
    return str(error) if isinstance(error, UnreadableImageError) else "it cannot be read"


def sidecar_of(root: Path, image: str) -> tuple[Mapping[str, Any], str]:
    """Return what an image's sidecars say together, and what is wrong with them; empty if nothing.

    Parameters
    ----------
    root
        The dataset's folder.
    image
        The image, relative to it.
    """
    try:
        return SidecarTree(root).merged(image).content, ""
    except SidecarError as error:
        return {}, str(error)
    except OSError:
        return {}, "it cannot be read"


def _facts(nifti: Nifti, sidecar: Mapping[str, Any]) -> dict[str, str]:
    sizes = voxel_sizes_mm(nifti.affine)
    facts = {
        "voxels": _TIMES.join(map(str, nifti.shape)),
        "voxel size": _TIMES.join(f"{size:.3g}" for size in sizes) + " mm",
        "stored as": str(nifti.dtype) if not nifti.dtype.fields else "colours",
        "file": byte_words(nifti.path.stat().st_size),
    }
    if not any(read_codes(nifti)):
        facts["orientation"] = "not said: right and left are a guess"
    if nifti.repairs:
        facts["header"] = f"put right to read it: {'; '.join(nifti.repairs)}"
    repetition = _repetition_s(nifti, sidecar)
    if repetition:
        facts["repetition time"] = f"{repetition:g} s"
    for key, (words, factor, unit) in _SHOWN.items():
        value = sidecar.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            facts[words] = f"{value * factor:g}{unit}"
    direction = sidecar.get("PhaseEncodingDirection")
    if direction in {"i", "i-", "j", "j-", "k", "k-"}:
        facts["phase encoding"] = str(direction)
    return facts


def _repetition_s(nifti: Nifti, sidecar: Mapping[str, Any]) -> float | None:
    value = sidecar.get("RepetitionTime")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and nifti.volume_count and value > 0 else None  # type: ignore[arg-type,operator]


def _gradients(root: Path, name: BidsName, nifti: Nifti) -> Gradients:
    bval, bvec = (_inherited(root, name, "dwi", end) for end in (".bval", ".bvec"))
    return read_gradients(bval, bvec, volumes=nifti.volume_count)


def _events(root: Path, name: BidsName) -> EventsEntry | None:
    """Return what the events of a run are; None where there are none."""
    text = _inherited(root, name, "events", ".tsv")
    return None if text is None else events_entry(text)


def _inherited(root: Path, name: BidsName, suffix: str, extension: str) -> str | None:
    """Return what the nearest file that holds for an image says; None where none does.

    A file holds for the images below its folder that have its entities (BIDS's inheritance).
    """
    for folder in PurePosixPath(name.path).parents:
        there = [parse_name(path.name) for path in (root / folder).glob(f"*{suffix}{extension}")]
        holds = [
            one
            for one in there
            if one.suffix == suffix and one.entities.items() <= name.entities.items()
        ]
        if holds:
            nearest = max(holds, key=lambda one: (len(one.entities), one.path))
            return _text(root / folder / nearest.path)
    return None


def _text(path: Path) -> str | None:
    """Return what a small file says; None where there is none, or it is none."""
    try:
        if path.stat().st_size > _MOST_TEXT:
            return None
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
