"""What the user asks of ``deface``, checked before anything is read or written."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bidsanon.bids.sidecars import IMAGE_EXTENSIONS
from bidsanon.deface import USUAL, DefaceOptions
from bidsanon.deface.options import NONE
from bidsanon.errors import ConflictError, UsageError
from bidsanon.files import PRIVATE_FOLDER_MODE, require_apart
from bidsanon.pipeline.deface_content import dataset_around
from bidsanon.pipeline.deface_staging import sidecar_of
from bidsanon.pipeline.existing import require_dataset
from bidsanon.pipeline.faces_kept import require_defacing


class Mode(StrEnum):
    """What is done with the images."""

    IN_PLACE = "in-place"
    """They are replaced: the originals are gone afterwards."""
    COPY = "copy"
    """They are written elsewhere; the originals are only read."""
    CHECK = "check"
    """They are only looked at."""


@dataclass(frozen=True, kw_only=True)
class DefaceRequest:
    """Images to deface.

    Attributes
    ----------
    mode
        What is done with them.
    images
        Images of their own, absolute, each once; empty where a dataset is given.
    targets
        Where each of `images` goes, in their order.
    dataset
        The dataset, with links resolved; None where images are given.
    out
        Where copies go; None unless `mode` is "copy".
    options
        By which engine, and what goes.
    pictures
        A private folder for pictures of the heads; none are drawn if None.
    jobs
        How many processes at once.
    """

    mode: Mode
    images: tuple[Path, ...] = ()
    targets: tuple[Path, ...] = ()
    dataset: Path | None = None
    out: Path | None = None
    options: DefaceOptions = USUAL
    pictures: Path | None = None
    jobs: int = 1


def make_deface_request(
    places: Sequence[Path],
    *,
    out: Path | None = None,
    in_place: bool = False,
    check_only: bool = False,
    options: DefaceOptions = USUAL,
    pictures: Path | None = None,
    jobs: int = 1,
) -> DefaceRequest:
    """Check what the user asks for and return it as a record.

    Parameters
    ----------
    places
        Images, or one dataset.

    Raises
    ------
    UsageError
        If it cannot be: no word of where the defaced images go, a place that is not there, images
        and a dataset together, OUT and the dataset within each other, a folder for pictures that
        is not private.
    ConflictError
        If something stands where a copy would go.
    """
    mode = _mode(out=out, in_place=in_place, check_only=check_only)
    for number, place in enumerate(places, start=1):
        if not place.exists() and not place.is_symlink():
            raise UsageError(f"IMAGE number {number} is not there", cure="check how it is spelled")
    options = require_defacing(options)
    if options.engine == NONE and mode is Mode.CHECK:
        raise UsageError("faces cannot be looked for with the engine none", cure="leave it out")
    dataset = _dataset(places)
    images = () if dataset else _each_once(places)
    out = out.resolve() if out is not None else None
    if dataset and out:
        _require_new_folder(out, dataset)
    targets = _targets(images, out) if out and images else images
    if pictures is not None:
        _require_private(pictures, images)
        if dataset:
            require_apart(
                pictures, dataset, first_name="the folder for pictures", second_name="the dataset"
            )
        if out:
            require_apart(pictures, out, first_name="the folder for pictures", second_name="OUT")
    return DefaceRequest(
        mode=mode,
        images=images,
        targets=targets,
        dataset=dataset,
        out=out,
        options=options,
        pictures=pictures.absolute() if pictures is not None else None,
        jobs=jobs,
    )


def _mode(*, out: Path | None, in_place: bool, check_only: bool) -> Mode:
    asked = [out is not None, in_place, check_only]
    if sum(asked) > 1:
        raise UsageError(
            "-o, --in-place and --check-only exclude each other", cure="give one of them"
        )
    if not any(asked):
        raise UsageError(
            "nothing says where the defaced images go",
            cure="give -o OUT, or --in-place to replace the originals, which are gone afterwards",
        )
    return Mode.COPY if out is not None else Mode.IN_PLACE if in_place else Mode.CHECK


def _dataset(places: Sequence[Path]) -> Path | None:
    """Return the dataset that is meant; None where images are."""
    folders = [place for place in places if place.is_dir()]
    if not folders:
        return None
    if len(places) > 1:
        raise UsageError(
            "a folder was given with something else",
            cure="give images, or one dataset; `bidsanon deface` takes one dataset at a time",
        )
    require_dataset(
        folders[0],
        cure="give the dataset's own folder, or the images in it one by one; of DICOM, "
        "`bidsanon deidentify --deface` removes faces",
    )
    return folders[0].resolve()


def _each_once(places: Sequence[Path]) -> tuple[Path, ...]:
    """Return images by one name each, and each once; a link stays one."""
    return tuple(dict.fromkeys(place.parent.resolve() / place.name for place in places))


def _require_new_folder(out: Path, dataset: Path) -> None:
    require_apart(out, dataset, first_name="OUT", second_name="the dataset")
    if out.exists() and not out.is_dir():
        raise UsageError("OUT is a file", cure="give a new folder: a dataset goes there whole")
    if out.exists() and any(out.iterdir()):
        raise ConflictError("OUT exists already and is not empty", cure="give a new folder")


def _targets(images: tuple[Path, ...], out: Path) -> tuple[Path, ...]:
    """Return where each image goes: OUT itself for one image, or into the folder OUT."""
    extension = _extension(out)
    if out.is_dir() or not extension:
        if out.exists() and not out.is_dir():
            raise UsageError("OUT is a file and no image", cure="give a folder")
        targets = tuple(out / image.name for image in images)
    elif len(images) > 1:
        raise UsageError("OUT is one image, and several are given", cure="give a folder as OUT")
    elif _extension(images[0]) != extension:
        raise UsageError(
            "OUT has another extension than the image, and the image's bytes stay as they are",
            cure=f"let OUT end in {_extension(images[0]) or 'what the image ends in'}",
        )
    else:
        targets = (out,)
    shared = sum(count > 1 for count in Counter(targets).values())
    if shared:
        raise UsageError(
            f"{shared} name(s) stand for several of the images, which would get one place in OUT",
            cure="deface them in runs of their own, each with its OUT",
        )
    standing = sum(any(map(_stands, _written(*pair))) for pair in zip(images, targets, strict=True))
    if standing:
        raise ConflictError(
            f"{standing} of the images, or their sidecars, are at OUT already",
            cure="give another OUT: nothing is replaced unless --in-place asks for it",
        )
    return targets


def _written(image: Path, target: Path) -> tuple[Path, ...]:
    """Return the files that a copy of an image is: itself, and its sidecar where it has one."""
    return (target, sidecar_of(target)) if sidecar_of(image).is_file() else (target,)


def _stands(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _extension(path: Path) -> str:
    return next((e for e in IMAGE_EXTENSIONS if path.name.lower().endswith(e)), "")


def _require_private(pictures: Path, images: tuple[Path, ...]) -> None:
    """Refuse a folder for pictures of faces that is not the user's alone, or lies in a dataset."""
    if dataset_around(pictures.resolve()):
        raise UsageError(
            "the folder for pictures lies in a BIDS dataset, and they show faces",
            cure="give --pictures a folder outside",
        )
    if pictures.exists() and not pictures.is_dir():
        raise UsageError("--pictures is a file", cure="give a new folder")
    if pictures.exists() and any(pictures.iterdir()):
        mode = stat.S_IMODE(pictures.stat().st_mode)
        if mode != PRIVATE_FOLDER_MODE:
            raise UsageError(
                "the folder for pictures holds files and can be entered by others",
                cure="give --pictures a new folder, or close that one: chmod 700",
            )
    shared = sum(count > 1 for count in Counter(image.name for image in images).values())
    if shared:
        raise UsageError(
            f"{shared} name(s) stand for several of the images, and pictures are named after them",
            cure="deface them in runs of their own, each with its folder for pictures",
        )
