"""Defacemasks: beside an anatomical image, where its face was removed, as BIDS names it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from nibabel.nifti1 import Nifti1Image

from bidsanon.bids.names import parse_name
from bidsanon.deface.acquisition import ACQUIRED_TOGETHER, Acquisition
from bidsanon.deface.grid import Mask
from bidsanon.deface.voxels import read_codes
from bidsanon.files import gzip_bytes, storage_errors, write_bytes, write_json

SUFFIX = "defacemask"
_BEFORE_MODALITY = ("sub", "ses", "task", "acq", "ce", "rec", "run")
_AFTER_MODALITY = ("chunk",)


def mask_path(acquisition: Acquisition) -> str:
    """Return the path of an acquisition's defacemask; empty where BIDS has no name for it.

    BIDS knows defacemasks of anatomical images alone, and few entities in their names: the others
    (flip angles, inversions, ...) go into its ``acq`` label, so that no two masks share a name.
    """
    shown = acquisition.shown.path
    name = parse_name(shown)
    if name.datatype != "anat":
        return ""
    entities = dict(name.entities)
    several = len(acquisition.members) > 1
    named = {*_BEFORE_MODALITY, *_AFTER_MODALITY}
    more = {
        key: value
        for key, value in entities.items()
        if key not in named and not (several and key in ACQUIRED_TOGETHER)
    }
    if more:
        told = "".join(f"{key}{value}" for key, value in more.items())
        entities["acq"] = entities.get("acq", "") + told
    parts = [f"{key}-{entities[key]}" for key in _BEFORE_MODALITY if key in entities]
    parts.append(f"mod-{name.suffix}")
    parts += [f"{key}-{entities[key]}" for key in _AFTER_MODALITY if key in entities]
    return str(PurePosixPath(shown).with_name("_".join([*parts, f"{SUFFIX}.nii.gz"])))


def write_mask(path: Path, goes: Mask, acquisition: Acquisition) -> None:
    """Write a mask and its sidecar: 0 where the face was, 1 elsewhere, as pydeface's masks have it.

    Raises
    ------
    StorageError
        If there is no room.
    """
    nifti = acquisition.shown.nifti
    image = Nifti1Image((~goes).astype(np.uint8), nifti.affine)  # type: ignore[no-untyped-call]
    sform, qform = read_codes(nifti)
    header = image.header
    header.set_sform(nifti.affine, sform)  # type: ignore[no-untyped-call]
    header.set_qform(nifti.affine, qform)  # type: ignore[no-untyped-call]
    header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    with storage_errors("a defacemask"):
        write_bytes(path, gzip_bytes(image.to_bytes()))
        write_json(path.with_name(f"{parse_name(path.name).stem}.json"), {})
