"""What is looked at for a face where no BIDS name says what an image is."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from bidsanon.deface.faces import shows_face
from bidsanon.deface.kinds import is_thin, kind_of
from bidsanon.deface.voxels import Nifti, read_header

FINE, COARSE = (1.0, 1.0, 1.0), (3.0, 3.0, 3.0)


def image(
    tmp_path: Path,
    *,
    size: tuple[float, float, float] = FINE,
    shape: tuple[int, ...] = (20, 20, 20),
) -> Nifti:
    path = tmp_path / "image.nii"
    nibabel.Nifti1Image(np.zeros(shape, np.int16), np.diag([*size, 1])).to_filename(path)
    return read_header(path)


def is_asked(nifti: Nifti, sidecar: dict[str, object], *, gradients: bool = False) -> bool:
    kind = kind_of(nifti, sidecar, gradients=gradients)
    return shows_face(datatype=kind.datatype, suffix=kind.suffix, affine=nifti.affine).asked


@pytest.mark.parametrize(
    "sidecar",
    [
        {},
        {"BidsGuess": ["func", "_bold"], "ScanningSequence": "GR"},
        {"BidsGuess": ["dwi", "_dwi"], "ScanningSequence": "SE"},
        {"BidsGuess": ["discard", "_localizer"]},
        {"BidsGuess": ["fmap", "_magnitude"], "ScanningSequence": "GR"},
        {"BidsGuess": "anat"},
        {"BidsGuess": []},
        {"Modality": "PT"},
        {"Modality": "CT", "BidsGuess": ["ct", "_ct"]},
    ],
)
def test_a_guess_alone_spares_no_fine_image(sidecar: dict[str, object], tmp_path: Path) -> None:
    assert is_asked(image(tmp_path), sidecar)


@pytest.mark.parametrize(
    "sidecar",
    [
        {"ScanningSequence": "EP", "BidsGuess": ["func", "_bold"]},
        {"ScanningSequence": "EP\\GR"},
        {"ScanningSequence": "EP", "BidsGuess": ["fmap", "_epi"]},
        {"ScanningSequence": "EP", "BidsGuess": ["anat", "_T2w"]},
    ],
)
def test_epi_shows_no_face(sidecar: dict[str, object], tmp_path: Path) -> None:
    assert not is_asked(image(tmp_path), sidecar)


def test_gradients_tell_a_diffusion_image(tmp_path: Path) -> None:
    assert not is_asked(image(tmp_path), {"ScanningSequence": "SE"}, gradients=True)


def test_many_volumes_of_coarse_voxels_are_functional(tmp_path: Path) -> None:
    many, few = (8, 8, 8, 30), (8, 8, 8, 3)
    assert not is_asked(image(tmp_path, size=COARSE, shape=many), {})
    assert is_asked(image(tmp_path, size=COARSE, shape=few), {})
    assert is_asked(image(tmp_path, size=FINE, shape=many), {})


def test_coarse_field_maps_show_no_face(tmp_path: Path) -> None:
    guessed = {"BidsGuess": ["fmap", "_fieldmap"], "ImageType": ["ORIGINAL", "FIELDMAPHZ"]}
    assert not is_asked(image(tmp_path, size=COARSE), guessed)
    assert kind_of(image(tmp_path), guessed, gradients=False).suffix == "fieldmap"


def test_a_scout_is_thin(tmp_path: Path) -> None:
    assert is_thin(image(tmp_path, shape=(200, 200, 1)))
    assert is_thin(image(tmp_path, size=(1.0, 1.0, 4.0), shape=(200, 200, 3)))
    assert not is_thin(image(tmp_path, size=(1.0, 1.0, 4.0), shape=(200, 200, 8)))
