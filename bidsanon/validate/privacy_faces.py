"""Images that show a face by their kind, and whether anything says that it was removed.

What an image shows is not looked at here: `bidsanon deface --check-only` does that. Proof is the
code 113102 or words of ``DeidentificationMethod`` in what its sidecars say together, a mask of the
removed face beside it, or a person who looked at it and accepted it. What is called a mask is one
where it has two values.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from bidsanon.bids.faces import FaceClaim, face_claim, kind_shows_face
from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS, SidecarError, SidecarTree
from bidsanon.bids.standard import image_kinds
from bidsanon.bids.tree import DatasetTree
from bidsanon.validate.masks import is_mask
from bidsanon.validate.privacy_content import image_header
from bidsanon.validate.privacy_spots import Spot

_WITHOUT_FACE = frozenset({"brain", "defaced", "skullstripped", "skullstrip", "bet", "refaced"})
_TOLD_BY = ("desc", "rec", "acq", "proc")
_MASK = "defacemask"
_SHORTEST_MM = 60.0
"""Of the longest side; what is smaller holds no head."""
_THINNEST_MM = 15.0


def face_spots(tree: DatasetTree, *, accepted: Collection[str] = ()) -> Iterator[Spot]:
    """Yield the images that may show a face, those of derivatives among them.

    Parameters
    ----------
    tree
        What the dataset holds.
    accepted
        Images of which a person decided that they show no face.
    """
    images = [file for file in tree.files if file.name.endswith(IMAGE_EXTENSIONS) and file.size]
    masks = (parse_name(f.name) for f in images if _MASK in f.name)
    masked = {_acquisition(name) for name in masks if is_mask(tree.root / name.path)}
    sidecars: dict[Path, SidecarTree] = {}
    for file in images:
        name = parse_name(file.name)
        if not _is_head(name) or file.name in accepted or _acquisition(name) in masked:
            continue
        base = _dataset_of(PurePosixPath(file.name))
        beside = sidecars.setdefault(tree.root / base, SidecarTree(tree.root / base))
        claim = claim_of(beside, PurePosixPath(file.name).relative_to(base).as_posix())
        if claim is FaceClaim.KEPT:
            yield Spot(code="PRIVACY_FACE_KEPT", location=file.name)
        elif claim is FaceClaim.NOTHING and may_be_head(name, file.path):
            yield Spot(code="PRIVACY_FACE", location=file.name)


def _is_head(name: BidsName) -> bool:
    """Tell an image of a head, by its kind, whose name does not say that the face is gone."""
    if (name.datatype, name.suffix) not in image_kinds():
        return False
    told = "".join(name.entities.get(entity, "").lower() for entity in _TOLD_BY)
    return not any(word in told for word in _WITHOUT_FACE)


def _acquisition(name: BidsName) -> str:
    """Return what an image and its mask have in common: ``mod-T1w_defacemask`` is of a T1w."""
    stem = PurePosixPath(name.path).parent.as_posix()
    entities = {k: v for k, v in name.entities.items() if k != "mod"}
    suffix = name.entities.get("mod", "T1w") if name.suffix == _MASK else name.suffix
    return f"{stem}/{sorted(entities.items())}/{suffix}"


def _dataset_of(path: PurePosixPath) -> PurePosixPath:
    """Return the folder of the dataset that an image belongs to: a derivative is one of its own."""
    for depth, part in enumerate(path.parts):
        if part.startswith("sub-"):
            return PurePosixPath(*path.parts[:depth])
    return path.parent


def claim_of(sidecars: SidecarTree, image: str) -> FaceClaim:
    """Return what sidecars say of an image's face; nothing where they are not understood."""
    try:
        return face_claim(sidecars.merged(image).content)
    except (SidecarError, OSError):
        return FaceClaim.NOTHING  # that it cannot be understood is said elsewhere


def may_be_head(name: BidsName, path: Path) -> bool:
    """Tell an image of a kind that shows a face, and large enough for a head.

    One whose header cannot be read counts as such.
    """
    try:
        header, _ = image_header(path)
    except OSError:  # it was there when the dataset was listed
        header = None
    if header is None:
        return kind_shows_face(name.datatype, name.suffix, lambda: None).asked
    if name.suffix == _MASK:
        if is_mask(path):
            return False
        name = replace(name, suffix="")  # whatever it is, it is no mask
    voxels = [int(count) for count in header["dim"][1:4]]
    voxel_mm = [abs(float(size)) for size in header["pixdim"][1:4]]
    sides = [count * size for count, size in zip(voxels, voxel_mm, strict=True)]
    large = max(sides) >= _SHORTEST_MM and min(sides) >= _THINNEST_MM
    volume = math.prod(voxel_mm)
    return large and kind_shows_face(name.datatype, name.suffix, lambda: volume).asked
